//! `dalsegno undo` and `dalsegno redo`.

use clap::Args;

use crate::failure::Result;
use crate::global::Global;
use crate::output::Out;
use crate::place::Place;
use crate::verb::put::{carry_out, close};

/// Undo the last restore or rollback of a session
///
/// What stood at its target, the stored head or a file, is put back there. States that were saved
/// since stay in the history. `redo` does it again. An undo that was cut off is ended by the next.
/// Exit code 4 if there is nothing to undo.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  dalsegno undo bot/42
  dalsegno undo bot/42 --dry-run")]
pub(crate) struct Undo {
    #[command(flatten)]
    what: What,
}

/// Do again what was undone last
///
/// What stood at the target right before the undo is put back there, also where it was changed in
/// between. A state that was saved after the undo, unless nothing had changed in it, ends that: what was undone
/// then still stands in `log`, and can be restored. Exit code 4 if there is nothing to redo.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  dalsegno redo bot/42")]
pub(crate) struct Redo {
    #[command(flatten)]
    what: What,
}

#[derive(Debug, Args)]
struct What {
    /// The session
    session: String,
    /// Show what would be done, without doing it
    #[arg(long)]
    dry_run: bool,
}

impl Undo {
    pub(crate) fn run(&self, global: &Global, out: &mut Out) -> Result<()> {
        let engine = Place::open(global)?;
        let restore = engine.undo(&self.what.session)?;
        carry_out(restore, self.what.dry_run, global, out)?;
        close(engine, out);
        Ok(())
    }
}

impl Redo {
    pub(crate) fn run(&self, global: &Global, out: &mut Out) -> Result<()> {
        let engine = Place::open(global)?;
        let restore = engine.redo(&self.what.session)?;
        carry_out(restore, self.what.dry_run, global, out)?;
        close(engine, out);
        Ok(())
    }
}
