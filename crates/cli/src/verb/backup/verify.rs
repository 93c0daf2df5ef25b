//! `dalsegno backup verify`

use std::path::PathBuf;

use clap::Args;
use dalsegno::{BackupHealth, Error, ErrorKind};
use serde_json::json;

use super::{Watched, lost_lines, with_key};
use crate::failure::{Failure, Result};
use crate::human;
use crate::output::Out;
use crate::style;

/// Read every byte of backups and prove that they can be restored
///
/// Each is proved with those that it needs. What parity makes again counts as whole, and is said. Exit code 6 where something is
/// lost; the report names it; 7 where all that is in the way is the key. Nothing is changed. `backup drill` goes further, and rebuilds every state.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  dalsegno backup verify /mnt/backups
  dalsegno backup verify /media/usb/bot.dalsegno --json")]
pub(crate) struct Verify {
    /// A folder of backups, or one archive
    #[arg(value_name = "FOLDER|FILE")]
    path: PathBuf,
}

impl Verify {
    pub(super) fn run(&self, out: &mut Out) -> Result<()> {
        let found = with_key(|secret| {
            let mut watched = Watched::begin(out);
            let found = dalsegno::verify_backup(&self.path, secret.as_ref(), &mut |progress| {
                watched.tell(progress)
            });
            watched.done(found)
        })?;
        if out.is_json() {
            out.json(&json!({"whole": found.is_whole(), "archives": found.archives}))?;
        } else {
            for archive in &found.archives {
                report(archive, out)?;
            }
        }
        if found.is_whole() {
            return Ok(());
        }
        let bad = found.archives.iter().filter(|it| !it.is_whole());
        let of_key =
            |it: &BackupHealth| it.error.as_ref().map(Error::kind) == Some(ErrorKind::WrongKey);
        let (kind, what) = if bad.clone().all(of_key) {
            (
                ErrorKind::WrongKey,
                "cannot be opened with what is given: another key does",
            )
        } else {
            (ErrorKind::Damaged, "cannot be restored as a whole")
        };
        let bad = bad.count();
        let all = human::count(found.archives.len() as u64, "backup");
        Err(Failure::new(kind, format!("{bad} of {all} {what}")))
    }
}

fn report(archive: &BackupHealth, out: &mut Out) -> Result<()> {
    let path = human::safe(&archive.path.display().to_string());
    if let Some(error) = &archive.error {
        let error = human::safe(&error.to_string());
        let whose = if error.contains(&path) {
            error
        } else {
            format!("{path}: {error}")
        };
        return out.line(format!("{}: {whose}", style::bad("cannot be restored")));
    }
    let blocks = archive.health.map(|it| {
        let again = match it.damaged {
            0 => String::new(),
            damaged if it.is_whole() => format!(
                "; {} damaged, which parity makes again: make a new backup",
                human::count(u64::from(damaged), "block")
            ),
            damaged => format!(
                "; {} damaged, more than the {} that parity makes again: make a new backup",
                human::count(u64::from(damaged), "block"),
                it.parity
            ),
        };
        format!(" ({}{again})", human::count(u64::from(it.blocks), "block"))
    });
    let blocks = blocks.unwrap_or_default();
    let damaged = archive.backup.as_ref().map_or(0, |it| it.damaged_rows);
    let damaged = match damaged {
        0 => String::new(),
        1 => "; but 1 row was damaged in the store when it was made, and is so in it".to_owned(),
        many => format!(
            "; but {} were damaged in the store when it was made, and are so in it",
            human::count(many, "row")
        ),
    };
    if archive.is_whole() {
        return out.line(format!("{}: {path}{blocks}{damaged}", style::good("whole")));
    }
    out.line(format!(
        "{}: {path}{blocks}{damaged}",
        style::bad("damaged")
    ))?;
    lost_lines(&archive.lost, out)
}
