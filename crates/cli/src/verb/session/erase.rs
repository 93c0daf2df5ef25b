//! `dalsegno session erase`: a session's key, its rows and what names it are gone.

use std::path::Path;

use clap::Args;
use serde_json::json;

use crate::failure::Result;
use crate::global::Global;
use crate::output::Out;
use crate::place::{Place, writable};
use crate::verb::put::close;
use crate::{human, program, settings};

/// Erase a session for good: there is no trash, and no way back
///
/// Its key, its snapshots and those in the trash, its log, its lease, requests to it and events of it go in one
/// transaction; then the store's file is written anew. A keyed hash of its name stays, so that backups that are restored
/// later, where a backup that was made since lies beside them, do not bring it back. Copies of the store, exports, and forks of the
/// session are not reached. It must not be open.
/// Interrupted, the same command finishes what is left.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  dalsegno session erase chat/42 --dry-run
  dalsegno session erase chat/42")]
pub(crate) struct Erase {
    /// The session
    session: String,
    /// Show what would be erased, without doing it
    #[arg(long)]
    dry_run: bool,
}

impl Erase {
    pub(super) fn run(&self, global: &Global, out: &mut Out) -> Result<()> {
        let engine = Place::open(global)?;
        writable(&engine)?;
        let erasure = if self.dry_run {
            engine.erase_plan(&self.session)?
        } else {
            let erasure = engine.erase_session(&self.session)?;
            out.did();
            erasure
        };
        let encrypted = engine.is_encrypted();
        close(engine, out);
        if out.is_json() {
            return out.json(&json!({"dry_run": self.dry_run, "erased": erasure}));
        }
        let session = human::safe(&self.session);
        let what = human::count(erasure.snapshots, "snapshot");
        let bytes = human::size(erasure.bytes);
        if self.dry_run {
            out.line(format!("would erase {session}: {what}, {bytes}"))?;
        } else {
            out.line(format!("erased {session}: {what}, {bytes}"))?;
        }
        for pattern in &erasure.named_by {
            let pattern = human::safe(pattern);
            out.line(format!(
                "not reached: the rule for {pattern}, which says its name (`policy remove`, `guard remove`)"
            ))?;
        }
        for backup in &erasure.backups {
            let there = if backup.is_there {
                ""
            } else {
                ", which is not there now"
            };
            let folder = dalsegno::durable::folder_of(&backup.path);
            let again = another(&folder, global);
            out.line(format!(
                "not reached: the backup of {}, {}{there}: it may hold the session, and a restore of it brings it back, unless a later \
                 backup lies in the same folder: make one with `{}`",
                human::time(backup.taken_at),
                human::safe(&backup.path.display().to_string()),
                human::safe(&again)
            ))?;
        }
        out.line("not reached: copies of the store, backups elsewhere, what was exported or restored to files, forks, and free blocks of the disk")?;
        if !encrypted {
            out.line("the store is not encrypted: whoever guesses the name can see from the hash that stays that it was there")?;
        }
        if self.dry_run {
            out.line("dry run: nothing was changed")?;
        }
        Ok(())
    }
}

/// The command that makes a backup in the same folder.
fn another(folder: &Path, global: &Global) -> String {
    let mut words = vec!["backup".to_owned(), "create".to_owned()];
    if let Some(store) = &global.store {
        words.extend(["--store".to_owned(), program::path(store)]);
    }
    words.extend(settings::opening_words().flatten());
    words.push(program::path(folder));
    program::command_of("dalsegno", words)
}
