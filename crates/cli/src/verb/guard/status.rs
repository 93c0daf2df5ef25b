//! `dalsegno guard status`

use clap::Args;
use dalsegno::guard::{GuardStatus, Recommendation};
use dalsegno::{ErrorKind, GuardReport};
use serde_json::{Value, json};

use crate::failure::{Failure, Result};
use crate::global::Global;
use crate::output::Out;
use crate::place::{EVERY, Place};
use crate::{human, style, table};

/// Say of each guarded session whether it lost items, and what to do
///
/// `fine`: nothing is missing. `on purpose`: what is missing was taken away with an intent, or by going back.
/// `by accident`: items were lost, and nothing is newer. `diverged`: items were lost, and the session went on.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  dalsegno guard status
  dalsegno guard status chat/garden
  dalsegno guard status --json | jq -r '.sessions[] | select(.recommendation != \"nothing\").session'")]
pub(crate) struct Status {
    /// Only this session; then each fuller state that is kept is shown
    session: Option<String>,
}

impl Status {
    pub(super) fn run(&self, global: &Global, out: &mut Out) -> Result<()> {
        let (engine, of_watch) = Place::open_watching(global)?;
        let names = match &self.session {
            Some(session) => vec![session.clone()],
            None => engine.guarded_sessions()?,
        };
        let mut reports = Vec::with_capacity(names.len());
        let mut failures: Vec<Value> = Vec::new();
        for name in &names {
            match engine.guard_status(name) {
                // Only a watch guards it, if there is one: without a fuller state, nobody can say that it is fine.
                Ok(report) if of_watch && unguarded(&report) => {
                    if self.session.is_some() {
                        return Err(not_guarded(name));
                    }
                }
                Ok(report) => reports.push(report),
                Err(error) if self.session.is_some() => return Err(error.into()),
                // It was deleted meanwhile, or never had a state.
                Err(error) if error.kind() == ErrorKind::NotFound => {}
                // One bad session does not hold up the others.
                Err(error) => failures.push(json!({"session": name, "error": error})),
            }
        }
        if out.is_json() {
            return out.json(&json!({"sessions": reports, "failed": failures}));
        }
        if reports.is_empty() && failures.is_empty() {
            out.note("no session is guarded; `guard set` does that");
            return Ok(());
        }
        let rows = reports.iter().map(row).collect();
        let heads = ["SESSION", "STATUS", "DO", "WHY"];
        let mut lines = table::lay_out(&heads, rows).into_iter();
        if let Some(head) = lines.next() {
            out.line(style::head(head))?;
        }
        lines.try_for_each(|line| out.line(line))?;
        for failure in failures {
            let session = failure["session"].as_str().unwrap_or_default();
            let message = failure["error"]["message"].as_str().unwrap_or_default();
            out.line(format!(
                "{}: {}",
                human::safe(session),
                human::safe(message)
            ))?;
        }
        match (&self.session, reports.first()) {
            (Some(_), Some(report)) => details(report, out),
            _ => Ok(()),
        }
    }
}

/// Whether only a watch would guard it, and none did so far.
pub(super) fn unguarded(report: &GuardReport) -> bool {
    report.guard.pattern == EVERY && report.generations.is_empty()
}

pub(super) fn not_guarded(session: &str) -> Failure {
    let message = format!("no list of session {session} is guarded; `guard set` does that");
    Failure::new(ErrorKind::NotFound, message)
}

fn row(report: &GuardReport) -> Vec<String> {
    let status = match report.judgement.status {
        GuardStatus::Fine => "fine",
        GuardStatus::ShrunkOnPurpose { .. } => "on purpose",
        GuardStatus::ShrunkByAccident { .. } => "by accident",
        GuardStatus::Diverged { .. } => "diverged",
        _ => "unknown",
    };
    let todo = match report.judgement.recommendation {
        Recommendation::Nothing => "",
        Recommendation::Restore | Recommendation::Merge => "guard restore",
        _ => "by hand",
    };
    vec![
        human::safe(&report.session),
        status.to_owned(),
        todo.to_owned(),
        human::safe(&report.judgement.reason),
    ]
}

/// The fuller states of one session.
fn details(report: &GuardReport, out: &mut Out) -> Result<()> {
    if report.generations.is_empty() {
        out.line("no fuller state is kept")?;
    } else {
        out.line("kept before a save that lost items:")?;
        let row = |kept: &dalsegno::Snapshot| {
            let pinned = if kept.pinned { "pinned" } else { "" };
            vec![
                format!("  {}", human::short(kept.id)),
                human::time(kept.created_at),
                human::size(kept.size),
                human::safe(kept.label.as_deref().unwrap_or_default()),
                pinned.to_owned(),
            ]
        };
        let rows = report.generations.iter().map(row).collect();
        for line in table::lay_out(&["", "", "", "", ""], rows) {
            out.line(line)?;
        }
    }
    for damage in &report.damage {
        out.line(format!("passed over: {}", human::safe(&damage.message)))?;
    }
    Ok(())
}
