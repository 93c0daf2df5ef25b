//! `dalsegno undo` and `dalsegno redo`.

use clap::Args;
use dalsegno::{Engine, Restore, Target};
use serde_json::json;

use crate::failure::{Failure, Result};
use crate::global::Global;
use crate::human;
use crate::output::Out;
use crate::place::Place;
use crate::verb::asking::Asking;
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
  dalsegno undo bot/42 --dry-run
  dalsegno undo bot/42 --skip")]
pub(crate) struct Undo {
    #[command(flatten)]
    what: What,
    /// Pass over what cannot be undone any more: nothing is put back, and the next `undo` takes back
    /// what is older
    #[arg(long)]
    skip: bool,
}

/// Do again what was undone last
///
/// What stood at the target right before the undo is put back there, also where it was changed in
/// between. A state that was saved after the undo, unless nothing had changed in it or it was saved by itself (kind `auto`),
/// ends that: what was undone then still stands in `log`, and can be restored. Exit code 4 if there is nothing to redo.
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
    #[command(flatten)]
    asking: Asking,
}

impl What {
    /// Whether a program is to be asked: a file needs nobody.
    fn is_asked_for(&self, restore: &Restore<'_>) -> bool {
        self.asking.ask && !self.dry_run && restore.target() == Target::Head
    }

    fn ask(&self, engine: &Engine, verb: &str, global: &Global, out: &mut Out) -> Result<()> {
        let nothing = json!({});
        self.asking
            .put(engine, &self.session, verb, nothing, global, out)
    }
}

impl Undo {
    pub(crate) fn run(&self, global: &Global, out: &mut Out) -> Result<()> {
        let engine = Place::open(global)?;
        if self.skip && self.what.asking.ask {
            return Err(Failure::usage(
                "what is passed over changes no state, so nobody has to be asked: leave --ask out",
            ));
        }
        if self.skip {
            return self.pass_over(engine, out);
        }
        let restore = dalsegno_watch::undo(&engine, &self.what.session)?;
        if self.what.is_asked_for(&restore) {
            drop(restore);
            self.what.ask(&engine, "undo", global, out)?;
        } else {
            carry_out(&engine, restore, self.what.dry_run, global, out)?;
        }
        close(engine, out);
        Ok(())
    }
}

impl Undo {
    fn pass_over(&self, engine: Engine, out: &mut Out) -> Result<()> {
        let What {
            session, dry_run, ..
        } = &self.what;
        let passed = if *dry_run {
            engine.undo_skip_plan(session)?
        } else {
            engine.undo_skip(session)?
        };
        if !*dry_run {
            out.did();
        }
        close(engine, out);
        if out.is_json() {
            return out.json(&json!({"dry_run": dry_run, "passed_over": passed}));
        }
        let id = human::short(passed);
        out.line(if *dry_run {
            format!("{id} would be passed over\ndry run: nothing was changed")
        } else {
            format!("passed over {id}: nothing was put back, and `undo` goes on with what is older")
        })
    }
}

impl Redo {
    pub(crate) fn run(&self, global: &Global, out: &mut Out) -> Result<()> {
        let engine = Place::open(global)?;
        let restore = dalsegno_watch::redo(&engine, &self.what.session)?;
        if self.what.is_asked_for(&restore) {
            drop(restore);
            self.what.ask(&engine, "redo", global, out)?;
        } else {
            carry_out(&engine, restore, self.what.dry_run, global, out)?;
        }
        close(engine, out);
        Ok(())
    }
}
