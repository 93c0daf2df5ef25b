//! `dalsegno hermes recover`.

use std::path::{Path, PathBuf};

use clap::Args;
use dalsegno::ErrorKind;
use dalsegno_hermes::{
    Count, Recovery, Source, preview_recover, preview_recover_from, recover, recover_from,
};
use serde::Serialize;

use super::{describe, is_nothing, nothing_there};
use crate::failure::{Failure, Result};
use crate::output::Out;

/// Restore sessions whose backup has more messages
///
/// The file is replaced whole or not at all and keeps its mode; the backup stays. What stood there is kept
/// beside it as SID.json.displaced-TIME. Messages that only the file has stay, behind those that come back; what went
/// on purpose stays away. A torn file is restored from the newest good state that is kept. Exit code 3 if only some could be seen to.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  dalsegno hermes recover sessions/20261121_0042.json
  dalsegno hermes recover sessions/20261121_0042.json --dry-run
  dalsegno hermes recover sessions/*.json --json
  dalsegno hermes recover sessions/20261121_0042.json \\
      --from sessions/20261121_0042.json.kept-20261121T092200.512904Z~clear")]
pub(crate) struct Recover {
    /// The sessions' files
    #[arg(required = true, value_name = "PATH")]
    paths: Vec<PathBuf>,
    /// Put back this state of the one session, as `hermes generations` lists it, whatever took it away
    #[arg(long, value_name = "FILE")]
    from: Option<PathBuf>,
    /// Show what would be restored and from what, without restoring it
    #[arg(long)]
    dry_run: bool,
}

/// What was only looked at: the documented object, marked, and what would take the file's place.
#[derive(Serialize)]
struct Preview<'a> {
    dry_run: bool,
    #[serde(flatten)]
    recovery: &'a Recovery,
    would_restore: Option<WouldRestore<'a>>,
}

/// What would take the file's place.
#[derive(Serialize)]
struct WouldRestore<'a> {
    /// A copy of this file; nothing where several states are merged.
    from: Option<&'a Path>,
    messages: Count,
}

impl Recover {
    pub(super) fn run(&self, out: &mut Out) -> Result<()> {
        if let Some(from) = &self.from {
            return self.put_back(from, out);
        }
        let mut restored = 0_u64;
        let mut told = false;
        let mut failed: Option<Failure> = None;
        for path in &self.paths {
            let recovery = match self.dry_run {
                true => preview_recover(path),
                false => recover(path),
            };
            let failure = match recovery {
                Ok(recovery) => {
                    if !self.dry_run && recovery.from.is_some() {
                        out.did();
                    }
                    if out.is_json() || recovery.error.is_none() && !is_nothing(&recovery.status) {
                        self.tell(&recovery, out)?;
                        told = true;
                    }
                    restored += u64::from(recovery.from.is_some());
                    match recovery.error {
                        Some(error) => Some(error.into()),
                        None => is_nothing(&recovery.status).then(|| nothing_there(path)),
                    }
                }
                Err(error) => Some(error.into()),
            };
            if let (Some(first), Some(_)) = (&failed, &failure) {
                // All are named, the last of them by the way the program ends.
                out.note(first.message());
            }
            failed = failure.or(failed);
        }
        if told {
            self.tell_end(out)?;
        }
        match failed {
            Some(failure) if restored > 0 => Err(Failure::partly(failure.message())),
            Some(failure) => Err(failure),
            None => Ok(()),
        }
    }

    fn put_back(&self, from: &Path, out: &mut Out) -> Result<()> {
        let [path] = self.paths.as_slice() else {
            let message = "--from is the state of one session; give one PATH";
            return Err(Failure::new(ErrorKind::InvalidInput, message));
        };
        let recovery = match self.dry_run {
            true => preview_recover_from(path, from)?,
            false => recover_from(path, from)?,
        };
        if !self.dry_run && recovery.from.is_some() {
            out.did();
        }
        self.tell(&recovery, out)?;
        self.tell_end(out)
    }

    fn tell(&self, recovery: &Recovery, out: &mut Out) -> Result<()> {
        if !out.is_json() {
            return out.line(describe(recovery));
        }
        if !self.dry_run {
            return out.json(recovery);
        }
        let would_restore = recovery.from.as_ref().and_then(|from| match from {
            Source::Copy { path, messages } => Some(WouldRestore {
                from: Some(path),
                messages: *messages,
            }),
            Source::Merge { messages } => Some(WouldRestore {
                from: None,
                messages: *messages,
            }),
            _ => None,
        });
        out.json(&Preview {
            dry_run: true,
            recovery,
            would_restore,
        })
    }

    fn tell_end(&self, out: &mut Out) -> Result<()> {
        if self.dry_run && !out.is_json() {
            out.line("dry run: nothing was changed")?;
        }
        Ok(())
    }
}
