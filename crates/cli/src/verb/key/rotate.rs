//! `dalsegno key rotate`: another key in the place of the one that is given.

use clap::Args;
use dalsegno::ErrorKind;
use serde_json::json;

use super::new::New;
use super::{open, shown};
use crate::failure::{Failure, Result};
use crate::global::Global;
use crate::key;
use crate::output::Out;
use crate::verb::put::close;

/// Replace the key that this command is given: it opens the store no more
///
/// What the store holds is not encrypted anew, and programs that have it open go on. The old key still opens copies and
/// backups that were made before; whoever had both can read what they hold. To shut them out of what comes too, use `key
/// remove --all` and then `key init`.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  dalsegno key rotate --key-file ~/.keys/bot.key --new-key-file ~/.keys/bot-2.key
  dalsegno key rotate --new-passphrase
  dalsegno key rotate --new-passphrase --dry-run")]
pub(crate) struct Rotate {
    #[command(flatten)]
    new: New,
    /// Look whether it could be done, without doing it
    #[arg(long)]
    dry_run: bool,
}

impl Rotate {
    pub(super) fn run(&self, global: &Global, out: &mut Out) -> Result<()> {
        self.new.check()?;
        let engine = open(global)?;
        self.new.not_of(&engine)?;
        let current = key::given()?
            .ok_or_else(|| Failure::new(ErrorKind::WrongKey, "no key was given"))?
            .secret;
        let old = engine.key_of(&current)?;
        if self.dry_run {
            self.new.known()?;
            if out.is_json() {
                let file = self.new.file();
                return out.json(&json!({"dry_run": true, "replaced": old, "key_file": file}));
            }
            let title = self.new.title();
            out.line(format!(
                "{title} would open the store in the place of key {old}"
            ))?;
            return out.line("dry run: nothing was changed");
        }
        let next = self.new.secret()?;
        let slot = engine.rotate_key(&current, &next, self.new.label.as_deref())?;
        out.did();
        close(engine, out);
        if out.is_json() {
            let file = self.new.file();
            return out
                .json(&json!({"dry_run": false, "replaced": old, "key": slot, "key_file": file}));
        }
        let (slot, title) = (shown(&slot), self.new.title());
        out.line(format!(
            "{slot} opens the store in the place of key {old}: {title}"
        ))?;
        out.line("copies and backups that were made before still open with the old one")
    }
}
