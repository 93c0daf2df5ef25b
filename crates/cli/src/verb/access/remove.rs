//! `dalsegno access remove`

use clap::Args;
use serde_json::json;

use super::{keep_one_who_rules, known, open};
use crate::failure::Result;
use crate::global::Global;
use crate::human;
use crate::output::Out;
use crate::verb::put::close;

/// Remove a principal
///
/// Its token is of no use any more, also in programs that have the store open. The audit log goes on naming it. Once the
/// last one is removed, everybody may do everything again.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  dalsegno access remove bot
  dalsegno access remove bot --dry-run")]
pub(crate) struct Remove {
    /// The principal
    name: String,
    /// Look whether it could be done, without doing it
    #[arg(long)]
    dry_run: bool,
}

impl Remove {
    pub(super) fn run(&self, global: &Global, out: &mut Out) -> Result<()> {
        let engine = open(global)?;
        let is_last = engine.principals()?.len() == 1;
        if self.dry_run {
            known(&engine, &self.name)?;
            if !is_last {
                keep_one_who_rules(&engine, &self.name)?;
            }
        } else {
            engine.remove_principal(&self.name)?;
            out.did();
        }
        close(engine, out);
        if out.is_json() {
            return out.json(&json!({"dry_run": self.dry_run, "principal": self.name}));
        }
        let name = human::safe(&self.name);
        if self.dry_run {
            out.line(format!("{name} would be removed"))?;
        } else {
            out.line(format!(
                "{name} was removed; its token is of no use any more"
            ))?;
        }
        if is_last {
            out.line(if self.dry_run {
                "it is the last one: everybody could do everything again"
            } else {
                "it was the last one: everybody may do everything again"
            })?;
        }
        if self.dry_run {
            out.line("dry run: nothing was changed")?;
        }
        Ok(())
    }
}
