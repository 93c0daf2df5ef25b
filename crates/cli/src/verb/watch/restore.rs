//! `dalsegno watch restore`: puts a watched file's state back into the file.

use std::path::PathBuf;

use clap::Args;
use dalsegno::{Engine, ErrorKind};

use crate::failure::Result;
use crate::global::Global;
use crate::output::Out;
use crate::place::Place;
use crate::verb::put::{carry_out, check_target, close};

/// Put a watched file's state back into the file, JSON lines as JSON lines
///
/// What stands there is kept first, the file is written whole or not at all, and read back. A watch that runs
/// knows that it is no change. `undo` takes it back.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  dalsegno watch restore chats/a --dir ~/bot --dry-run
  dalsegno watch restore chats/a@-1 --dir ~/bot
  dalsegno watch restore log.jsonl@2026-11-20T21:30 --to log.jsonl")]
pub(super) struct Restore {
    /// The snapshot: an id or its beginning, a name, or SESSION@latest, @-2, @TIME; a SESSION alone is its latest
    #[arg(value_name = "REF")]
    reference: String,
    /// The folder in which the file was watched
    #[arg(long, value_name = "DIR", required_unless_present = "to")]
    dir: Option<PathBuf>,
    /// The file to write, whatever it was called
    #[arg(long, value_name = "FILE", conflicts_with = "dir")]
    to: Option<PathBuf>,
    /// Show what would be done, without doing it
    #[arg(long)]
    dry_run: bool,
}

impl Restore {
    pub(super) fn run(&self, global: &Global, out: &mut Out) -> Result<()> {
        let engine = Place::open(global)?;
        let snapshot = self.find(&engine)?;
        let file = match (&self.to, &self.dir) {
            (Some(to), _) => to.clone(),
            (None, dir) => {
                let relative = dalsegno_watch::file_of_session(&engine, &snapshot.session)?;
                dir.clone().unwrap_or_default().join(relative)
            }
        };
        check_target(&engine, "--to", &file)?;
        let restore = dalsegno_watch::put_back(&engine, &snapshot.id.to_string(), &file)?;
        carry_out(&engine, restore, self.dry_run, global, out)?;
        close(engine, out);
        Ok(())
    }

    fn find(&self, engine: &Engine) -> Result<dalsegno::Snapshot> {
        match engine.info(&self.reference) {
            Err(error) if error.kind() == ErrorKind::NotFound => {
                let latest = engine.info(&format!("{}@latest", self.reference));
                // Of both messages, the first is of what was asked for.
                Ok(latest.map_err(|_| error)?)
            }
            other => Ok(other?),
        }
    }
}
