//! `dalsegno key wipe`: finishes what was interrupted.

use clap::Args;
use serde_json::json;

use crate::failure::Result;
use crate::global::Global;
use crate::output::Out;
use crate::place::{Place, writable};
use crate::verb::put::close;

/// Finish what an interrupted init, remove or rotate left: write the file anew
///
/// Until then, what stood there before may still be found in the store's files. `doctor` says where this is due.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  dalsegno key wipe
  dalsegno key wipe --dry-run")]
pub(crate) struct Wipe {
    /// Look whether it is due, without doing it
    #[arg(long)]
    dry_run: bool,
}

impl Wipe {
    pub(super) fn run(&self, global: &Global, out: &mut Out) -> Result<()> {
        let engine = Place::open(global)?;
        let is_due = engine.has_left()?;
        if is_due {
            writable(&engine)?;
        }
        let is_done = is_due && !self.dry_run;
        if is_done {
            engine.wipe()?;
            out.did();
        }
        close(engine, out);
        if out.is_json() {
            return out.json(&json!({"dry_run": self.dry_run, "due": is_due, "done": is_done}));
        }
        out.line(match (is_due, is_done) {
            (false, _) => "nothing is left to be done",
            (true, false) => {
                "the store's files would be written anew\ndry run: nothing was changed"
            }
            (true, true) => "the store's files were written anew",
        })
    }
}
