//! `dalsegno key add`: another key that opens the store.

use clap::Args;
use serde_json::json;

use super::new::New;
use super::{open, shown};
use crate::failure::Result;
use crate::global::Global;
use crate::output::Out;
use crate::verb::put::close;

/// Let another key open the store too
///
/// Nothing is encrypted anew: programs that have the store open go on, and the other keys open it as before.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  dalsegno key add --new-passphrase --label 'on paper'
  dalsegno key add --new-key-file ~/.keys/laptop.key --label laptop
  dalsegno key add --new-key-file ~/.keys/laptop.key --dry-run")]
pub(crate) struct Add {
    #[command(flatten)]
    new: New,
    /// Look whether it could be done, without doing it
    #[arg(long)]
    dry_run: bool,
}

impl Add {
    pub(super) fn run(&self, global: &Global, out: &mut Out) -> Result<()> {
        self.new.check()?;
        let engine = open(global)?;
        self.new.not_of(&engine)?;
        if self.dry_run {
            self.new.known()?;
            let title = self.new.title();
            if out.is_json() {
                return out.json(&json!({"dry_run": true, "key_file": self.new.file()}));
            }
            out.line(format!("{title} would open the store too"))?;
            return out.line("dry run: nothing was changed");
        }
        let slot = engine.add_key(&self.new.secret()?, self.new.label.as_deref())?;
        out.did();
        close(engine, out);
        if out.is_json() {
            let file = self.new.file();
            return out.json(&json!({"dry_run": false, "key": slot, "key_file": file}));
        }
        out.line(format!(
            "{} opens the store too: {}",
            shown(&slot),
            self.new.title()
        ))
    }
}
