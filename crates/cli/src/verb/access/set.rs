//! `dalsegno access set`

use clap::Args;
use dalsegno::Rule;
use serde_json::json;

use super::{keep_one_who_rules, known, open, rule_all, shown};
use crate::failure::Result;
use crate::global::Global;
use crate::human;
use crate::output::Out;
use crate::verb::put::close;

/// Give a principal other rules, in the place of all that it had
///
/// They hold from the next thing that it does. `access add --help` says what rules are.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  dalsegno access set bot 'create,restore=bot/*' 'read=**'
  dalsegno access set bot 'read=bot/*' --dry-run")]
pub(crate) struct Set {
    /// The principal
    name: String,
    /// What it may do, such as 'read,restore=bot/*' or 'all=**'
    #[arg(value_name = "RULE", required = true)]
    rules: Vec<Rule>,
    /// Look whether it could be done, without doing it
    #[arg(long)]
    dry_run: bool,
}

impl Set {
    pub(super) fn run(&self, global: &Global, out: &mut Out) -> Result<()> {
        let engine = open(global)?;
        if self.dry_run {
            known(&engine, &self.name)?;
            if !rule_all(&self.rules) {
                keep_one_who_rules(&engine, &self.name)?;
            }
        } else {
            engine.set_rules(&self.name, &self.rules)?;
            out.did();
        }
        close(engine, out);
        if out.is_json() {
            let dry_run = self.dry_run;
            return out
                .json(&json!({"dry_run": dry_run, "principal": self.name, "rules": self.rules}));
        }
        let (name, rules) = (human::safe(&self.name), shown(&self.rules));
        if self.dry_run {
            out.line(format!("{name} would be allowed {rules}, and nothing else"))?;
            return out.line("dry run: nothing was changed");
        }
        out.line(format!("{name} is allowed {rules}, and nothing else"))
    }
}
