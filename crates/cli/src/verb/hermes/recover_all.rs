//! `dalsegno hermes recover-all`.

use std::path::PathBuf;

use clap::Args;
use dalsegno_hermes::{Scan, preview, recover_all};
use serde::Serialize;

use super::describe;
use crate::failure::{Failure, Result};
use crate::output::Out;
use crate::{human, style};

/// Restore every session of a folder whose backup has more messages
///
/// It goes by the files that end in .json, without those that begin with _; a backup alone is left alone
/// (`recover` takes it). A file that is only nested too deep, or that may not be read, may be whole: it is
/// named, and not replaced. Exit code 3 if sessions were left for such a reason. A second run does nothing.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  dalsegno hermes recover-all sessions --dry-run
  dalsegno hermes recover-all sessions --json")]
pub(crate) struct RecoverAll {
    /// The folder of the sessions; one that is not there has none
    #[arg(value_name = "DIR")]
    folder: PathBuf,
    /// Show what would be restored, without restoring it
    #[arg(long)]
    dry_run: bool,
}

/// What was only looked at: the documented object, marked.
#[derive(Serialize)]
struct Preview<'a> {
    dry_run: bool,
    #[serde(flatten)]
    scan: &'a Scan,
}

impl RecoverAll {
    pub(super) fn run(&self, out: &mut Out) -> Result<()> {
        let scan = if self.dry_run {
            preview(&self.folder)?
        } else {
            recover_all(&self.folder)?
        };
        if !self.dry_run && scan.restored > 0 {
            out.did();
        }
        if !out.is_json() {
            self.tell(&scan, out)?;
        } else if self.dry_run {
            out.json(&Preview {
                dry_run: true,
                scan: &scan,
            })?;
        } else {
            out.json(&scan)?;
        }
        if scan.skipped.is_empty() {
            return Ok(());
        }
        let why = scan.skipped.iter().map(|it| format!("  {}", it.error));
        Err(Failure::partly(format!(
            "{} left although the backup has more:\n{}",
            human::count(scan.skipped.len().try_into().unwrap_or(u64::MAX), "session"),
            Vec::from_iter(why).join("\n")
        )))
    }

    fn tell(&self, scan: &Scan, out: &mut Out) -> Result<()> {
        for recovery in &scan.details {
            if recovery.restored {
                out.line(describe(recovery))?;
            } else {
                let status = &recovery.status;
                out.line(format!(
                    "{}: {}, the backup {}",
                    human::safe(&status.session_id),
                    super::messages(status.live_messages),
                    super::messages(status.bak_messages)
                ))?;
            }
        }
        if !self.folder.exists() {
            out.note(format!("there is no folder {}", self.folder.display()));
        }
        let sessions = human::count(scan.scanned, "session");
        if self.dry_run {
            let count = scan.details.len();
            return out.line(format!("would restore {count} of {sessions}"));
        }
        out.line(style::good(format!(
            "restored {} of {sessions}",
            scan.restored
        )))
    }
}
