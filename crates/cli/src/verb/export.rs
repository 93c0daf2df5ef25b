//! `dalsegno export`: snapshots as JSON that other programs read.

use std::io::{self, Write};
use std::path::{Path, PathBuf};

use clap::Args;
use dalsegno::{Engine, Error};
use dalsegno_sealed::For;
use serde_json::json;

use crate::failure::{Failure, Result};
use crate::global::Global;
use crate::human;
use crate::interrupt::{Interruptible, Polite};
use crate::output::Out;
use crate::place::{self, Place};
use crate::progress::Progress;
use crate::sealed::ForWhom;

/// Write snapshots as JSON, oldest first
///
/// Each state is proved before it is written. A file is written whole or not at all, for its owner
/// only. `dalsegno import` reads it.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  dalsegno export --to all.json
  dalsegno export --to all.json.age --recipient age1zvkyg2lqzraa2lnjvqej32nkuu0ues2s82hzrye869xeexvn73equnujwj
  dalsegno export --session bot/42 | jq '.snapshots[].state.queue.current.info.title'")]
pub(crate) struct Export {
    /// Only this session
    #[arg(long, value_name = "SESSION")]
    session: Option<String>,
    /// The file to write; `-`, as without it, is standard output
    #[arg(long, value_name = "FILE")]
    to: Option<PathBuf>,
    #[command(flatten)]
    for_whom: ForWhom,
}

impl Export {
    pub(crate) fn run(&self, global: &Global, out: &mut Out) -> Result<()> {
        let engine = Place::open(global)?;
        let sealed = self.for_whom.read()?;
        match self.to.as_deref().filter(|to| *to != Path::new("-")) {
            None => self.to_stdout(&engine, sealed.as_ref(), out),
            Some(to) => self.to_file(&engine, sealed.as_ref(), to, out),
        }
    }

    /// Writes it all, in clear or sealed.
    fn write(
        &self,
        engine: &Engine,
        sealed: Option<&For>,
        to: &mut dyn Write,
        progress: &mut dyn FnMut(u64),
    ) -> dalsegno::Result<u64> {
        let session = self.session.as_deref();
        let Some(sealed) = sealed else {
            return engine.export_with(session, to, progress);
        };
        let mut sealing = sealed.seal(to)?;
        let count = engine.export_with(session, &mut sealing, progress)?;
        sealing.finish()?;
        Ok(count)
    }

    fn to_stdout(&self, engine: &Engine, sealed: Option<&For>, out: &mut Out) -> Result<()> {
        let written = {
            let mut buffered = io::BufWriter::with_capacity(1 << 16, &mut *out);
            let written = self.write(engine, sealed, &mut buffered, &mut |_| {});
            // What is left is of no use if the export failed.
            let (_, _left) = buffered.into_parts();
            written
        };
        match written {
            Err(_) if out.is_closed() => Ok(()),
            Err(error) => Err(error.into()),
            Ok(_) => Ok(()),
        }
    }

    fn to_file(
        &self,
        engine: &Engine,
        sealed: Option<&For>,
        to: &Path,
        out: &mut Out,
    ) -> Result<()> {
        place::not_the_store(engine, to)?;
        let _polite = Polite::begin();
        let progress = Progress::begin(out, None, "snapshots");
        let mut bytes = 0;
        let written = dalsegno::write_private(to, |file: &mut dyn Write| {
            let mut counted = Counted {
                inner: Interruptible(file),
                bytes: 0,
            };
            let count = self.write(engine, sealed, &mut counted, &mut |done| {
                progress.reached(done);
            })?;
            bytes = counted.bytes;
            Ok::<_, Error>(count)
        });
        drop(progress);
        if written.is_err() && Polite::asked() {
            return Err(Failure::interrupted());
        }
        let count = written?;
        out.did();
        if out.is_json() {
            return out.json(&json!({
                "path": to.display().to_string(),
                "snapshots": count,
                "bytes": bytes,
            }));
        }
        out.line(format!(
            "wrote {} to {} ({})",
            human::count(count, "snapshot"),
            human::safe(&to.display().to_string()),
            human::size(bytes)
        ))
    }
}

/// Counts what passes through.
struct Counted<W> {
    inner: W,
    bytes: u64,
}

impl<W: Write> Write for Counted<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let written = self.inner.write(bytes)?;
        self.bytes += u64::try_from(written).unwrap_or(0);
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.inner.flush()
    }
}
