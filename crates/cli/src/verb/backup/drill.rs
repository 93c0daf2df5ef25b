//! `dalsegno backup drill`

use std::path::PathBuf;

use clap::Args;
use dalsegno::ErrorKind;
use jiff::SignedDuration;
use serde_json::json;

use super::restore::unread_lines;
use super::{line, opening};
use crate::failure::{Failure, Result};
use crate::human;
use crate::output::Out;
use crate::verb::verify;

/// Restore the newest backup into a scratch store, prove every state of it, and say how old it is and how long it took
///
/// Nothing else is changed, and the scratch store is taken away again. Exit code 6 where the backup cannot be restored as a whole,
/// so that a timer tells (`backup timer`).
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  dalsegno backup drill /mnt/backups
  dalsegno backup drill /mnt/backups --max-age 26h --scratch /var/tmp")]
pub(crate) struct Drill {
    /// A folder of backups, or one archive
    #[arg(value_name = "FOLDER|FILE")]
    from: PathBuf,
    /// Fail where the newest backup is older than this
    #[arg(long, value_name = "DURATION", value_parser = dalsegno::parse_duration)]
    max_age: Option<SignedDuration>,
    /// The folder for the scratch store; by default the system's for temporary files
    #[arg(long, value_name = "FOLDER")]
    scratch: Option<PathBuf>,
}

impl Drill {
    pub(super) fn run(&self, out: &mut Out) -> Result<()> {
        let drill = opening(out, |options, watched| {
            let scratch = self.scratch.as_deref();
            options.drill(&self.from, scratch, &mut |it| watched.tell(it))
        });
        let drill = drill.map_err(|failure| self.of_the_backup(failure))?;
        let intact = drill.verification.is_intact();
        let age = drill.age_seconds.max(0);
        let is_old = self.max_age.is_some_and(|most| age > most.as_secs());
        if out.is_json() {
            out.json(&json!({"passed": intact && !is_old, "drill": drill}))?;
        } else {
            out.line(line(&drill.backup))?;
            out.line(verify::proved(&drill.verification, true))?;
            unread_lines(&drill.unread, out)?;
            for damage in &drill.verification.damage {
                out.line(verify::describe(damage))?;
            }
            let old = match age {
                0 => "less than a second".to_owned(),
                age => human::seconds(age as f64),
            };
            out.line(format!(
                "it is {old} old: what was saved since would be lost; restoring and proving it took {}",
                human::seconds(drill.took.as_secs_f64())
            ))?;
        }
        if !intact {
            return Err(Failure::new(
                ErrorKind::Damaged,
                "the store was damaged when the backup was made; what is lost is named above",
            ));
        }
        if is_old {
            return Err(Failure::new(
                ErrorKind::Damaged,
                "the newest backup is older than it may be",
            ));
        }
        Ok(())
    }

    /// Where there is a backup, and something that it needs is not there, it cannot be restored: that is what was to be found out.
    fn of_the_backup(&self, failure: Failure) -> Failure {
        let is_there =
            || dalsegno::list_backups(&self.from).is_ok_and(|it| !it.complete.is_empty());
        if failure.is_of(ErrorKind::NotFound) && is_there() {
            return Failure::new(ErrorKind::Damaged, failure.message());
        }
        failure
    }
}
