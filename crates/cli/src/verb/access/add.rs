//! `dalsegno access add`

use clap::Args;
use dalsegno::{ErrorKind, Rule, check_session_name};

use super::handing::Handing;
use super::{open, rule_all, shown};
use crate::failure::{Failure, Result};
use crate::global::Global;
use crate::human;
use crate::output::Out;

/// Add a principal, and print its token
///
/// The token is shown this once; the store keeps only its SHA-256. A rule is permissions and a pattern of sessions' names,
/// as of `policy set`: 'read,restore=bot/*'. What no rule allows is denied. Only the pattern ** is also for what is of no
/// session, such as keys, principals, the audit log, `doctor`, and `verify` of the whole store.
///
/// The first principal must be allowed admin on **, such as all=**, or nobody could add others. From then on the store
/// asks everybody for a token, programs that have it open too.
#[derive(Debug, Args)]
#[command(after_help = "\
Permissions, each of which includes reading:
  create   open sessions, save, fork and import into them, name, tag and pin snapshots
  read     list, show, compare, export, follow events
  restore  restore, roll back, undo, redo, recover
  delete   delete, clean up, purge, undelete
  admin    everything else: rules, keys, erasing, principals, the audit log
  all      all of them

Examples:
  dalsegno access add admin 'all=**' --to ~/.keys/admin.token
  dalsegno access add bot 'create,restore=bot/*' --to /srv/bot/token
  dalsegno access add reader 'read=**' --token-file ~/.keys/admin.token")]
pub(crate) struct Add {
    /// What it is to be called; the audit log names it so
    name: String,
    /// What it may do, such as 'read,restore=bot/*' or 'all=**'
    #[arg(value_name = "RULE", required = true)]
    rules: Vec<Rule>,
    #[command(flatten)]
    handing: Handing,
    /// Look whether it could be done, without doing it
    #[arg(long)]
    dry_run: bool,
}

impl Add {
    pub(super) fn run(&self, global: &Global, out: &mut Out) -> Result<()> {
        let engine = open(global)?;
        let (name, rules) = (human::safe(&self.name), shown(&self.rules));
        if !self.dry_run {
            let said = format!("{name} was added: {rules}");
            let make = |engine: &dalsegno::Engine| engine.add_principal(&self.name, &self.rules);
            return self.handing.run(engine, (&self.name, &said), make, out);
        }
        let all = engine.principals()?;
        check_session_name(&self.name).map_err(|e| e.context("the name of a principal"))?;
        if all.iter().any(|it| it.name == self.name) {
            let message = format!("there is a principal '{}' already", self.name);
            return Err(Failure::new(ErrorKind::Conflict, message));
        }
        if all.is_empty() && !rule_all(&self.rules) {
            let message = "the first principal must be allowed admin on ** (all=**), or nobody could add others";
            return Err(Failure::new(ErrorKind::InvalidInput, message));
        }
        let said = format!("{name} would be added: {rules}");
        self.handing.rehearse(&engine, &said, out)
    }
}
