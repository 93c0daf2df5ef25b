//! `dalsegno fork`: begins a session from a snapshot of another one.

use clap::Args;
use dalsegno::Snapshot;
use serde_json::json;

use crate::failure::Result;
use crate::global::Global;
use crate::human;
use crate::output::Out;
use crate::place::Place;
use crate::verb::put::close;
use crate::verb::snapshot::info::not_as_saved;

/// Begin a new session with the state of a snapshot
///
/// The two have nothing in common from then on. Exit code 5 if the new session exists.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  dalsegno fork game/drowned-bell@turn:41 game/what-if
  dalsegno fork party bot/43")]
pub(crate) struct Fork {
    /// The snapshot: an id or its beginning, a name, or SESSION@latest, @-2, @turn:42, @TIME
    #[arg(value_name = "REF")]
    reference: String,
    /// The new session's name
    #[arg(value_name = "NEW_SESSION")]
    session: String,
    /// Show what would be done, without doing it
    #[arg(long)]
    dry_run: bool,
}

impl Fork {
    pub(crate) fn run(&self, global: &Global, out: &mut Out) -> Result<()> {
        let engine = Place::open(global)?;
        if self.dry_run {
            let from = engine.fork_plan(&self.reference, &self.session)?;
            return if out.is_json() {
                out.json(&json!({"dry_run": true, "from": from, "session": self.session}))
            } else {
                out.line(format!(
                    "{} would begin with {} of {} ({})",
                    human::safe(&self.session),
                    human::short(from.id),
                    human::safe(&from.session),
                    human::size(from.size),
                ))?;
                tell_marked(&from, out)?;
                out.line("dry run: nothing was changed")
            };
        }
        let made = engine.fork(&self.reference, &self.session)?;
        out.did();
        close(engine, out);
        if out.is_json() {
            return out.json(&made);
        }
        out.line(format!(
            "{} begins as {}: {}",
            human::safe(&made.session),
            human::short(made.id),
            human::size(made.size)
        ))?;
        tell_marked(&made, out)
    }
}

fn tell_marked(snapshot: &Snapshot, out: &mut Out) -> Result<()> {
    not_as_saved(snapshot).map_or(Ok(()), |said| out.line(said))
}
