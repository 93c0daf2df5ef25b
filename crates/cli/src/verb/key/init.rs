//! `dalsegno key init`: encrypts a store.

use clap::Args;
use dalsegno::{Error, ErrorKind, Options};
use serde_json::json;

use super::new::New;
use super::{generate, sizes};
use crate::failure::{Failure, Result};
use crate::global::Global;
use crate::output::Out;
use crate::place::{Place, of_caller, writable};
use crate::progress::Progress;
use crate::{human, program};

/// Encrypt the store: from then on only its keys open it
///
/// Every row is sealed in one transaction, and the file is written anew, so that nothing stays in it of what stood
/// there. No program may have sessions open. What copies and backups of the store have, and free blocks of the disk,
/// it does not reach. Interrupted, the same command finishes what is left.
///
/// Without --new-key-file and --new-passphrase, the key or passphrase is that in DALSEGNO_NEW_KEY. `dalsegno init` makes
/// a store that is encrypted from the beginning.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  dalsegno key init --new-key-file ~/.keys/bot.key
  dalsegno key init --new-passphrase --label 'on paper'
  dalsegno key init --new-key-file ~/.keys/bot.key --dry-run")]
pub(crate) struct Init {
    #[command(flatten)]
    new: New,
    /// Look whether it could be done, without doing it
    #[arg(long)]
    dry_run: bool,
}

impl Init {
    pub(super) fn run(&self, global: &Global, out: &mut Out) -> Result<()> {
        self.new.check()?;
        let place = Place::find(global)?;
        let plain = of_caller(Options::default())?;
        let options = || plain.clone();
        let path = match options().open(&place.path) {
            Ok(engine) => {
                writable(&engine)?;
                self.new.not_of(&engine)?;
                engine.path().unwrap_or_default()
            }
            // One that was interrupted goes on, with the same key.
            Err(error) if error.kind() == ErrorKind::WrongKey => {
                if !self.new.is_there() {
                    return Err(already());
                }
                place.path.clone()
            }
            Err(error) => return Err(place.explain(error)),
        };
        if self.dry_run {
            return self.rehearse(&place, out);
        }
        let secret = self.new.secret()?;
        let bar = Progress::begin(out, None, "rows");
        let label = self.new.label.as_deref();
        let mut reached = |rows| bar.reached(rows);
        let turned = options().encrypt(&place.path, &secret, label, &mut reached);
        drop(bar);
        let turned = turned.map_err(of_another)?;
        out.did();
        if out.is_json() {
            return out.json(&json!({
                "dry_run": false,
                "path": path.display().to_string(),
                "key_file": self.new.file(),
                "rows": turned.rows,
                "bytes_before": turned.bytes_before,
                "bytes_after": turned.bytes_after,
            }));
        }
        let shown = human::safe(&program::path(&path));
        out.line(if turned.rows == 0 {
            format!("finished encrypting {shown}: {}", sizes(&turned))
        } else {
            let rows = human::count(turned.rows, "row");
            format!("encrypted {shown}: {rows} sealed, {}", sizes(&turned))
        })?;
        out.line(format!("{} opens it from now on", self.new.title()))?;
        out.line(generate::KEEP)?;
        out.line(
            "not reached: copies and backups that were made before, and free blocks of the disk; \
             they have what stood there in clear",
        )
    }

    fn rehearse(&self, place: &Place, out: &mut Out) -> Result<()> {
        let known = self.new.known()?;
        let options = of_caller(Options::default())?;
        let plain = options.clone().open(&place.path);
        let is_left = match (plain, known) {
            (Ok(_), _) => false,
            (Err(_), Some(secret)) => {
                let sealed = options.secret(secret).open(&place.path);
                if !sealed.map_err(of_another)?.has_left()? {
                    return Err(already());
                }
                true
            }
            (Err(error), None) => return Err(error.into()),
        };
        if out.is_json() {
            return out.json(&json!({
                "dry_run": true,
                "path": place.path.display().to_string(),
                "key_file": self.new.file(),
            }));
        }
        let title = self.new.title();
        out.line(if is_left {
            "the store is encrypted; its file would be written anew".to_owned()
        } else {
            format!("the store would be encrypted, so that {title} opens it")
        })?;
        out.line("dry run: nothing was changed")
    }
}

fn already() -> Failure {
    Failure::new(
        ErrorKind::Conflict,
        "the store is encrypted already; nothing was changed: `dalsegno key add` gives it another key",
    )
}

/// A new key that does not open a store which is encrypted is no key of it.
fn of_another(error: Error) -> Failure {
    match error.kind() {
        ErrorKind::WrongKey | ErrorKind::Conflict => already(),
        _ => error.into(),
    }
}
