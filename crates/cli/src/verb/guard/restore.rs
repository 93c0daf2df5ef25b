//! `dalsegno guard restore`

use clap::Args;
use dalsegno::guard::Returned;
use serde_json::json;

use crate::failure::Result;
use crate::global::Global;
use crate::human;
use crate::output::Out;
use crate::place::Place;
use crate::verb::put::{close, done, planned};

/// Bring back what a session lost without a word
///
/// The older items come back and the newer ones stay, in order, none twice. What was taken away on purpose stays away.
/// Where rules cannot decide what is right, nothing is changed, both states are kept, and the message says what to look
/// at (exit code 5). It is a restore like any other: `undo` takes it back.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  dalsegno guard restore chat/garden --dry-run
  dalsegno guard restore chat/garden
  dalsegno guard restore chat/garden --from 0199fc7e")]
pub(crate) struct Restore {
    /// The session
    session: String,
    /// Merge exactly this snapshot with the newest state, whatever was said since
    #[arg(long, value_name = "REF")]
    from: Option<String>,
    /// Show what would be done, without doing it
    #[arg(long)]
    dry_run: bool,
}

impl Restore {
    pub(super) fn run(&self, global: &Global, out: &mut Out) -> Result<()> {
        let engine = Place::open_guarded(global)?;
        let restore = engine.guard_restore(&self.session, self.from.as_deref())?;
        let plan = restore.plan()?;
        let returned = restore.returned().to_vec();
        if !out.is_json() {
            match &plan {
                Some(plan) => out.line(planned(plan))?,
                None => {
                    let session = human::safe(&self.session);
                    out.line(format!(
                        "{session}: nothing is to come back; nothing was changed"
                    ))?;
                }
            }
            for Returned { list, items, .. } in &returned {
                let items = human::count(u64::try_from(*items).unwrap_or(u64::MAX), "item");
                out.line(format!("  {}: {items} to come back", human::safe(list)))?;
            }
        }
        if self.dry_run {
            return if out.is_json() {
                out.json(&json!({"dry_run": true, "returned": returned, "plan": plan}))
            } else {
                out.line("dry run: nothing was changed")
            };
        }
        let report = restore.apply()?;
        close(engine, out);
        if out.is_json() {
            return out.json(&json!({"dry_run": false, "returned": returned, "report": report}));
        }
        match &report {
            Some(report) => out.line(done(report, global).join("\n")),
            None => Ok(()),
        }
    }
}
