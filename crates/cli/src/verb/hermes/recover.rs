//! `dalsegno hermes recover`.

use std::path::PathBuf;

use clap::Args;

use super::{describe, is_nothing, nothing_there};
use crate::failure::{Failure, Result};
use crate::output::Out;

/// Restore sessions whose backup has more messages
///
/// The file is replaced whole or not at all and keeps its mode; the backup stays. What stood there is kept
/// beside it as SID.json.displaced-TIME. Exit code 3 if only some could be seen to.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  dalsegno hermes recover sessions/20261121_0042.json
  dalsegno hermes recover sessions/*.json --json")]
pub(crate) struct Recover {
    /// The sessions' files
    #[arg(required = true, value_name = "PATH")]
    paths: Vec<PathBuf>,
}

impl Recover {
    pub(super) fn run(&self, out: &mut Out) -> Result<()> {
        let mut restored = 0_u64;
        let mut failed: Option<Failure> = None;
        for path in &self.paths {
            let failure = match dalsegno_hermes::recover(path) {
                Ok(recovery) => {
                    if out.is_json() {
                        out.json(&recovery)?;
                    } else if recovery.error.is_none() && !is_nothing(&recovery.status) {
                        out.line(describe(&recovery))?;
                    }
                    restored += u64::from(recovery.restored);
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
        match failed {
            Some(failure) if restored > 0 => Err(Failure::partly(failure.message())),
            Some(failure) => Err(failure),
            None => Ok(()),
        }
    }
}
