//! `dalsegno guard restore`

use clap::Args;
use dalsegno::Engine;
use dalsegno::guard::Returned;
use serde_json::json;

use super::status::{not_guarded, unguarded};
use crate::failure::Result;
use crate::global::Global;
use crate::human;
use crate::output::Out;
use crate::place::Place;
use crate::verb::asking::{Asking, by_whom, with_answer};
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
  dalsegno guard restore chat/garden --from 0199fc7e
  dalsegno guard restore chat/garden --ask")]
pub(crate) struct Restore {
    /// The session
    session: String,
    /// Merge exactly this snapshot with the newest state, whatever was said since
    #[arg(long, value_name = "REF")]
    from: Option<String>,
    /// Show what would be done, without doing it
    #[arg(long)]
    dry_run: bool,
    #[command(flatten)]
    asking: Asking,
}

impl Restore {
    pub(super) fn run(&self, global: &Global, out: &mut Out) -> Result<()> {
        let (engine, of_watch) = Place::open_watching(global)?;
        if self.asking.ask && !self.dry_run {
            return self.have_restored(engine, out);
        }
        let restore = engine.guard_restore(&self.session, self.from.as_deref())?;
        if of_watch && unguarded(restore.report()) {
            return Err(not_guarded(&self.session));
        }
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
                let items = u64::try_from(*items).unwrap_or(u64::MAX);
                out.line(format!("  {} to come back", items_of(list, items)))?;
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
        out.did();
        let lines = { report.as_ref() }.map(|report| done(report, &engine, global));
        close(engine, out);
        if out.is_json() {
            return out.json(&json!({"dry_run": false, "returned": returned, "report": report}));
        }
        lines.map_or(Ok(()), |lines| out.line(lines.join("\n")))
    }
    /// Has it done by the program that has the session open.
    fn have_restored(&self, engine: Engine, out: &mut Out) -> Result<()> {
        let arguments = json!({"from": self.from});
        let send = &self.asking;
        let answer = send.send(&engine, &self.session, "guard_restore", arguments, None)?;
        out.did();
        close(engine, out);
        if out.is_json() {
            return out.json(&with_answer(&answer, true));
        }
        let returned = answer.value["returned"].as_array();
        for returned in returned.into_iter().flatten() {
            let list = returned["list"].as_str().unwrap_or_default();
            let items = returned["items"].as_u64().unwrap_or_default();
            out.line(format!("  {} came back", items_of(list, items)))?;
        }
        if answer.value["report"].is_null() {
            let session = human::safe(&self.session);
            out.line(format!(
                "{session}: nothing is to come back; nothing was changed"
            ))?;
        }
        out.line(by_whom(&answer, &self.session).join("\n"))
    }
}

fn items_of(list: &str, items: u64) -> String {
    format!("{}: {}", human::safe(list), human::count(items, "item"))
}
