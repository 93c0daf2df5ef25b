//! `dalsegno access reset`

use clap::Args;
use serde_json::json;

use super::open;
use crate::failure::Result;
use crate::global::Global;
use crate::human;
use crate::output::Out;
use crate::verb::put::close;

/// Remove all principals, where the token that rules them is lost
///
/// Everybody may do everything then. It asks for no token, since whoever can write the store's file could do the same
/// by other means; but where the audit log is on, it stands in it.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  dalsegno access reset --dry-run
  dalsegno access reset")]
pub(crate) struct Reset {
    /// Look whether there is anything to remove, without doing it
    #[arg(long)]
    dry_run: bool,
}

impl Reset {
    pub(super) fn run(&self, global: &Global, out: &mut Out) -> Result<()> {
        let engine = open(global)?;
        if self.dry_run {
            let are_there = engine.has_principals()?;
            if out.is_json() {
                return out.json(&json!({"dry_run": true, "due": are_there}));
            }
            out.line(if are_there {
                "all principals would be removed: everybody could do everything"
            } else {
                NONE
            })?;
            return out.line("dry run: nothing was changed");
        }
        let removed = engine.reset_access()?;
        out.did();
        // From now on everybody may ask.
        let is_logged = removed > 0 && engine.is_audited().unwrap_or(false);
        close(engine, out);
        if out.is_json() {
            return out.json(&json!({"dry_run": false, "removed": removed}));
        }
        if removed == 0 {
            return out.line(NONE);
        }
        out.line(format!(
            "removed {}: everybody may do everything",
            human::count(removed, "principal")
        ))?;
        if is_logged {
            out.line("it stands in the audit log")?;
        }
        Ok(())
    }
}

const NONE: &str = "there are no principals: everybody may do everything";
