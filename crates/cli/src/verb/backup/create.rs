//! `dalsegno backup create`

use std::path::PathBuf;

use clap::Args;
use dalsegno::{DEFAULT_PARITY, MakeBackup};
use serde_json::json;

use super::{Watched, line};
use crate::failure::Result;
use crate::global::Global;
use crate::human;
use crate::output::Out;
use crate::place::{Place, not_the_store};
use crate::verb::put::close;

/// Make a backup of the whole store, while it goes on being used
///
/// The archive has another name until it is complete, read back and durable: one that was interrupted does not count. The same
/// command goes on with it. Keep backups on another disk than the store; `backup drill` tries that they can be restored.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  dalsegno backup create /mnt/backups
  dalsegno backup create /mnt/backups --incremental
  dalsegno backup create /mnt/backups --differential 4f0c2a91
  dalsegno backup create /media/usb/bot.dalsegno --parity 25")]
pub(crate) struct Create {
    /// A folder, where the archive gets a name of its own; or the archive's file, which ends with `.dalsegno`
    #[arg(value_name = "FOLDER|FILE")]
    into: PathBuf,
    /// Everything; the default
    #[arg(long, conflicts_with_all = ["incremental", "differential"])]
    full: bool,
    /// Only what changed since the newest backup in the same folder; everything, where there is none
    #[arg(long, conflicts_with = "differential")]
    incremental: bool,
    /// Only what changed since this backup in the same folder: its file, or the beginning of its id
    #[arg(long, value_name = "BASE")]
    differential: Option<String>,
    /// How much of the archive is parity: so much of it may be damaged, wherever, and nothing is lost
    #[arg(long, value_name = "PERCENT", default_value_t = DEFAULT_PARITY, value_parser = clap::value_parser!(u8).range(0..=50))]
    parity: u8,
}

impl Create {
    pub(super) fn run(&self, global: &Global, out: &mut Out) -> Result<()> {
        let engine = Place::open(global)?;
        not_the_store(&engine, &self.into)?;
        let how = match (&self.differential, self.incremental) {
            (Some(base), _) => MakeBackup::differential(&self.into, base),
            (None, true) => MakeBackup::incremental(&self.into),
            (None, false) => MakeBackup::full(&self.into),
        };
        let mut watched = Watched::begin(out);
        let made = engine.back_up(&how.parity(self.parity), &mut |progress| {
            watched.tell(progress)
        });
        let made = watched.done(made)?;
        out.did();
        close(engine, out);
        if out.is_json() {
            return out.json(&json!(made));
        }
        for passed in &made.passed_over {
            out.line(format!(
                "passed over {}: {}",
                human::safe(&passed.path.display().to_string()),
                human::safe(&passed.why.to_string())
            ))?;
        }
        let backup = &made.backup;
        if self.incremental && backup.base.is_none() {
            out.line("there was no backup to go on from: this one is full")?;
        }
        out.line(format!("made {}", line(backup)))?;
        if made.found_bytes > 0 {
            out.line(format!(
                "went on with one that was interrupted: {} of it were there",
                human::size(made.found_bytes)
            ))?;
        }
        out.line(match backup.parity_blocks {
            0 => format!(
                "none of its {} may be damaged: it has no parity",
                human::count(u64::from(backup.blocks), "block")
            ),
            parity => format!(
                "any {parity} of its {} blocks may be damaged, and all of it is restored",
                backup.blocks
            ),
        })?;
        if backup.damaged_rows > 0 {
            let rows = match backup.damaged_rows {
                1 => "1 row is in the backup as it is".to_owned(),
                many => format!(
                    "{} are in the backup as they are",
                    human::count(many, "row")
                ),
            };
            out.line(format!(
                "the store is damaged: {rows}; `dalsegno verify` names what is lost by it"
            ))?;
        }
        Ok(())
    }
}
