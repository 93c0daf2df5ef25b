//! `dalsegno migrate …`: what migrations would do to everything that is stored.

use clap::{Args, Subcommand};
use dalsegno::{ErrorKind, NotMigrated, Rehearsal};
use serde_json::json;

use crate::failure::{Failure, Result};
use crate::global::Global;
use crate::output::Out;
use crate::place::Place;
use crate::progress::Progress;
use crate::verb::verify::describe;
use crate::{human, migrations, style};

/// Try the migrations of the configuration
#[derive(Debug, Subcommand)]
#[command(arg_required_else_help = true, disable_help_subcommand = true)]
pub(crate) enum Migrate {
    Rehearse(Rehearse),
}

/// Run the migrations over every stored snapshot, without writing
///
/// Each state of the sessions that have migrations is rebuilt and proved, also in the trash, and migrated from its
/// schema version to the newest. Exit code 1 if any cannot be; 6 if any is damaged. What was saved stays as it is.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  dalsegno migrate rehearse
  dalsegno migrate rehearse --session bot/42
  dalsegno migrate rehearse --json | jq .failed")]
pub(crate) struct Rehearse {
    /// Only this session
    #[arg(long, value_name = "SESSION")]
    session: Option<String>,
}

impl Migrate {
    pub(crate) fn run(&self, global: &Global, out: &mut Out) -> Result<()> {
        let Self::Rehearse(rehearse) = self;
        rehearse.run(global, out)
    }
}

impl Rehearse {
    fn run(&self, global: &Global, out: &mut Out) -> Result<()> {
        let engine = Place::open(global)?;
        migrations::wanted()?;
        let progress = Progress::begin(out, None, "sessions");
        let session = self.session.as_deref();
        let found = engine.rehearse_with(session, &mut |name| progress.done(name))?;
        drop(progress);
        if out.is_json() {
            let mut all = json!({ "clean": found.is_clean() });
            if let (Some(all), Ok(rest)) = (all.as_object_mut(), serde_json::to_value(&found)) {
                all.extend(rest.as_object().cloned().unwrap_or_default());
            }
            out.json(&all)?;
        } else {
            tell(&found, out)?;
        }
        judge(&found)
    }
}

fn tell(found: &Rehearsal, out: &mut Out) -> Result<()> {
    let word = if found.is_clean() {
        style::good("all can be had in the current shape")
    } else {
        style::bad("not all can be had in the current shape")
    };
    out.line(format!(
        "{word}: {} of {}, {} current, {} to migrate",
        human::count(found.snapshots, "snapshot"),
        human::count(found.sessions, "session"),
        found.current,
        found.migrated,
    ))?;
    for step in &found.steps {
        let from = step.from.as_deref().unwrap_or("no version");
        let (from, to) = (human::safe(from), human::safe(&step.to));
        let count = human::count(step.snapshots, "snapshot");
        let of = human::safe(&step.sessions);
        out.line(format!("  from {from} to {to} ({of}): {count}"))?;
    }
    if found.others > 0 {
        let others = human::count(found.others, "session");
        out.line(format!("  {others} without migrations"))?;
    }
    for lost in found.failed.iter().chain(&found.unknown) {
        out.line(not_migrated(lost))?;
    }
    found
        .damage
        .iter()
        .try_for_each(|damage| out.line(describe(damage)))
}

fn not_migrated(lost: &NotMigrated) -> String {
    let (session, message) = (human::safe(&lost.session), human::safe(&lost.message));
    let trash = if lost.deleted { " (in the trash)" } else { "" };
    format!("{} of {session}{trash}: {message}", lost.id)
}

fn judge(found: &Rehearsal) -> Result<()> {
    if !found.damage.is_empty() {
        let message = "states are damaged, which `verify` says more of";
        return Err(Failure::new(ErrorKind::Damaged, message));
    }
    match found.failed.len() + found.unknown.len() {
        0 => Ok(()),
        lost => Err(Failure::problem(format!(
            "{} cannot be had in the current shape; the saved bytes can",
            human::count(u64::try_from(lost).unwrap_or(u64::MAX), "snapshot")
        ))),
    }
}
