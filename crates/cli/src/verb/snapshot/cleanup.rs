//! `dalsegno snapshot cleanup`: thins histories by rules, and says why each snapshot stays or goes.

use clap::Args;
use dalsegno::{Cleaned, CleanupPlan, Damage, ErrorKind, PlannedSnapshot, SessionPlan};
use jiff::SignedDuration;
use serde_json::json;

use crate::failure::{Failure, Result};
use crate::global::Global;
use crate::output::Out;
use crate::place::Place;
use crate::progress::Progress;
use crate::verb::put::close;
use crate::verb::rules::{RuleOptions, duration};
use crate::{human, style, table};

/// Delete old snapshots by rules
///
/// Without rules, each session is cleaned up by the policy that is stored for it (`policy set`). What
/// is deleted stays in the trash for its time; what has been there for that long is purged, and its space
/// given back.
///
/// What one of the --keep rules keeps stays, and what is younger than --older-than says; all else goes.
/// Pinned snapshots stay, and the newest state of a session unless --keep-nothing is given; so do guards
/// and the safety snapshots of the last 24 hours. Snapshots of other kinds or tags than named stay, and
/// no rule counts them. --dry-run gives the reason for each.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  dalsegno snapshot cleanup --older-than 30d --dry-run
  dalsegno snapshot cleanup --session bot/42 --keep-last 100 --keep-daily 30 --keep-monthly 12
  dalsegno snapshot cleanup --kind auto --keep-hourly 48 --purge
  dalsegno snapshot cleanup")]
pub(crate) struct Cleanup {
    /// Only this session; what has been in the trash for its time goes all the same
    #[arg(long)]
    session: Option<String>,
    /// How long what is deleted stays in the trash: 12h, 7d, 2 weeks [default: 7 days]
    #[arg(long, value_name = "DURATION", value_parser = duration, conflicts_with = "purge")]
    grace: Option<SignedDuration>,
    /// Delete for good, without the trash
    #[arg(long)]
    purge: bool,
    /// Show what would be done and why, without doing it
    #[arg(long)]
    dry_run: bool,
    /// Name every snapshot, also those of a plan that is carried out
    #[arg(long)]
    verbose: bool,
    // Last, because its heading holds for all that follows.
    #[command(flatten)]
    rules: RuleOptions,
}

impl Cleanup {
    pub(crate) fn run(&self, global: &Global, out: &mut Out) -> Result<()> {
        let engine = Place::open_guarded(global)?;
        let asked = dalsegno::Cleanup {
            session: self.session.clone(),
            rules: self.rules.rules()?,
            grace: self.grace,
            purge: self.purge,
        };
        let plan = engine.cleanup_plan(&asked)?;
        if self.dry_run {
            close(engine, out);
            if out.is_json() {
                out.json(&json!({"dry_run": true, "plan": plan}))?;
            } else {
                tell_plan(&plan, out)?;
            }
            return damaged(&plan.damage);
        }
        let cleaned = {
            let sessions = u64::try_from(plan.sessions.len()).ok();
            let progress = Progress::begin(out, sessions, "sessions");
            engine.cleanup(&plan, &mut |name| progress.done(name))?
        };
        out.did();
        close(engine, out);
        if let Some(why) = &cleaned.purged.not_given_back {
            out.note(format!(
                "it is done, but the space could not be given back: {}",
                human::safe(why)
            ));
        }
        if out.is_json() {
            out.json(&json!({"dry_run": false, "plan": plan, "done": cleaned}))?;
            return damaged(&[&plan.damage[..], &cleaned.damage].concat());
        }
        if self.verbose {
            show(&plan, out)?;
        }
        out.line(done(&plan, &cleaned))?;
        if let Some(bytes) = cleaned.file_shrunk.filter(|bytes| *bytes > 0) {
            out.line(format!("the store is {} smaller", human::size(bytes)))?;
        }
        damaged(&[&plan.damage[..], &cleaned.damage].concat())
    }
}

/// What would be done, and the reason for each snapshot.
pub(crate) fn tell_plan(plan: &CleanupPlan, out: &mut Out) -> Result<()> {
    show(plan, out)?;
    out.line(summary(plan))?;
    out.line("dry run: nothing was changed")
}

/// What was done.
pub(crate) fn done(plan: &CleanupPlan, cleaned: &Cleaned) -> String {
    let gone = human::count(cleaned.deleted, "snapshot");
    let to = if plan.purge {
        "deleted"
    } else {
        "moved to the trash"
    };
    let purged = human::count(cleaned.purged.snapshots, "snapshot");
    format!("{gone} {to}, {purged} purged")
}

/// The rest was cleaned up; what is damaged was left alone.
pub(crate) fn damaged(damage: &[Damage]) -> Result<()> {
    if damage.is_empty() {
        return Ok(());
    }
    let mut lines = vec!["what is damaged was left as it is:".to_owned()];
    // The plan found it, and so did what was done.
    for message in damage
        .iter()
        .map(|d| format!("  {}", human::safe(&d.message)))
    {
        if !lines.contains(&message) {
            lines.push(message);
        }
    }
    lines.push("run `dalsegno verify` to see what is lost".to_owned());
    Err(Failure::new(ErrorKind::Damaged, lines.join("\n")))
}

fn show(plan: &CleanupPlan, out: &mut Out) -> Result<()> {
    let sessions = plan.sessions.iter();
    // What has all of its snapshots in the trash has none to decide on.
    for session in sessions.filter(|session| !session.snapshots.is_empty()) {
        out.line(title(session))?;
        let rows = session.snapshots.iter().rev().map(row).collect();
        let lines = table::lay_out(&["", "", "", "", ""], rows);
        for (line, snapshot) in lines.into_iter().zip(session.snapshots.iter().rev()) {
            let line = format!("  {line}");
            out.line(if snapshot.keep {
                style::faint(line)
            } else {
                line
            })?;
        }
    }
    Ok(())
}

fn title(session: &SessionPlan) -> String {
    let name = human::safe(&session.session);
    match &session.policy {
        Some(pattern) => format!("{} (policy {})", style::head(name), human::safe(pattern)),
        None => style::head(name),
    }
}

fn row(snapshot: &PlannedSnapshot) -> Vec<String> {
    vec![
        if snapshot.keep { "keep" } else { "delete" }.to_owned(),
        human::short(snapshot.id),
        human::time(snapshot.created_at),
        snapshot
            .name
            .as_deref()
            .map(human::safe)
            .unwrap_or_default(),
        human::safe(&snapshot.reason.to_string()),
    ]
}

fn summary(plan: &CleanupPlan) -> String {
    let mut lines = vec![format!(
        "{} would be deleted, {} would stay",
        human::count(plan.deleted, "snapshot"),
        human::count(plan.kept, "snapshot"),
    )];
    let when = if plan.purge {
        ""
    } else {
        " once they are purged"
    };
    if plan.frees > 0 {
        let frees = human::size(plan.frees);
        lines.push(format!("about {frees} would be free{when}"));
    }
    if plan.expired.snapshots > 0 {
        lines.push(format!(
            "{} in the trash would be purged now, freeing about {}",
            human::count(plan.expired.snapshots, "snapshot"),
            human::size(plan.expired.freed)
        ));
    }
    lines.join("\n")
}
