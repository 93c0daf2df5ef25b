//! `dalsegno import`: adds the snapshots of an export.

mod plan;

use std::path::PathBuf;

use clap::Args;
use dalsegno::ErrorKind;
use serde_json::json;

use crate::failure::{Failure, Result};
use crate::global::Global;
use crate::output::Out;
use crate::place::{self, Place};
use crate::progress::Progress;
use crate::sealed::WithWhat;
use crate::verb::put::close;
use crate::verb::verify::{count_marked, marked};
use crate::{human, input};
use plan::Plan;

/// How many sessions an answer names.
const SHOWN: usize = 20;

/// Add the snapshots of an export
///
/// All of it is checked before anything is added. Snapshots that are there already are passed over,
/// so an import that was interrupted can be repeated. Exit code 3 if only a part could be added.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  dalsegno import all.json --dry-run
  dalsegno import all.json
  dalsegno import all.json.age --identity ~/.keys/age.txt
  ssh host dalsegno export | dalsegno import -")]
pub(crate) struct Import {
    /// The export; `-` is standard input
    file: PathBuf,
    /// Check it all and say what would be added, without adding anything
    #[arg(long)]
    dry_run: bool,
    #[command(flatten)]
    with_what: WithWhat,
}

impl Import {
    pub(crate) fn run(&self, global: &Global, out: &mut Out) -> Result<()> {
        let engine = Place::open(global)?;
        let text = input::read(&engine, &self.file, u64::MAX)?;
        let text = self.with_what.open(text, &self.file)?;
        let plan = Plan::make(&engine, &text)?;
        plan.refuse_conflicts()?;
        if self.dry_run {
            place::writable(&engine)?;
            plan::rehearse(&text)?;
            return self.planned(&plan, out);
        }
        let progress = Progress::begin(out, Some(plan.absent()), "snapshots");
        let imported = engine.import_with(&text, &mut |done| progress.reached(done));
        drop(progress);
        let imported = match imported {
            Ok(imported) => imported,
            Err(error) => {
                // Something may have been added before it failed; the store knows.
                let now = Plan::make(&engine, &text)?;
                let added = now.present.saturating_sub(plan.present);
                if added == 0 {
                    return Err(error.into());
                }
                return Err(Failure::partly(format!(
                    "only {} of {} were added; run it again to add the rest: {error}",
                    added,
                    human::count(plan.absent(), "snapshot")
                )));
            }
        };
        out.did();
        close(engine, out);
        if out.is_json() {
            return out.json(&imported);
        }
        let added = u64::try_from(imported.added.len()).unwrap_or(u64::MAX);
        out.line(format!(
            "added {}{}; {} there already",
            human::count(added, "snapshot"),
            marked(count_marked(&imported.added)),
            were(imported.present)
        ))?;
        let sessions: Vec<_> = plan.sessions.iter().collect();
        for (session, count) in sessions.iter().take(SHOWN) {
            let count = human::count(**count, "snapshot");
            out.line(format!("  {}: {count}", human::safe(session)))?;
        }
        match sessions.len().saturating_sub(SHOWN) {
            0 => Ok(()),
            more => out.line(format!("  … and {more} more sessions")),
        }
    }

    fn planned(&self, plan: &Plan, out: &mut Out) -> Result<()> {
        if out.is_json() {
            return out.json(&json!({
                "dry_run": true,
                "would_add": plan.absent(),
                "present": plan.present,
                "sessions": plan.sessions,
            }));
        }
        out.line(format!(
            "dry run: {} would be added, {} there already; nothing was changed",
            human::count(plan.absent(), "snapshot"),
            were(plan.present)
        ))
    }
}

fn were(number: u64) -> String {
    let be = if number == 1 { "was" } else { "were" };
    format!("{number} {be}")
}

impl Plan {
    /// Names are unique within a session: better to refuse all than to stop half-way.
    fn refuse_conflicts(&self) -> Result<()> {
        let Some(first) = self.conflicts.first() else {
            return Ok(());
        };
        let more = match self.conflicts.len() {
            1 => String::new(),
            n => format!(" (and {} more such names)", n - 1),
        };
        Err(Failure::new(
            ErrorKind::Conflict,
            format!("{first}{more}; nothing was imported"),
        ))
    }
}
