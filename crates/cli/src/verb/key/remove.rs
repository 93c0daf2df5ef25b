//! `dalsegno key remove`: takes a key away, or all of them and the encryption with them.

use clap::Args;
use dalsegno::{ErrorKind, Options};
use serde_json::json;

use super::{open, shown, sizes};
use crate::failure::{Failure, Result};
use crate::global::Global;
use crate::output::Out;
use crate::place::{Place, of_caller};
use crate::progress::Progress;
use crate::verb::put::close;
use crate::{human, key};

/// Take a key away, or with --all the encryption
///
/// A key that is taken away still opens copies and backups that were made before. The last one is only taken away with
/// --all: then every row is written in clear, and no program may have sessions open meanwhile. Interrupted, the same
/// command finishes what is left; of a single key, `key wipe` does.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  dalsegno key remove 2
  dalsegno key remove 2 --dry-run
  dalsegno key remove --all")]
pub(crate) struct Remove {
    /// Its number, as `key list` shows it
    #[arg(required_unless_present = "all", conflicts_with = "all")]
    id: Option<i64>,
    /// Turn encryption off
    #[arg(long)]
    all: bool,
    /// Look whether it could be done, without doing it
    #[arg(long)]
    dry_run: bool,
}

impl Remove {
    pub(super) fn run(&self, global: &Global, out: &mut Out) -> Result<()> {
        match self.id {
            Some(id) => self.one(id, global, out),
            None => self.all(global, out),
        }
    }

    fn one(&self, id: i64, global: &Global, out: &mut Out) -> Result<()> {
        let engine = open(global)?;
        let slots = engine.keys()?;
        let missing = || Failure::new(ErrorKind::NotFound, format!("the store has no key {id}"));
        let slot = slots
            .iter()
            .find(|slot| slot.id == id)
            .ok_or_else(missing)?;
        if slots.len() == 1 {
            let message =
                "this is the only key: add another first, or turn encryption off with --all";
            return Err(Failure::new(ErrorKind::Conflict, message));
        }
        if self.dry_run {
            if out.is_json() {
                return out.json(&json!({"dry_run": true, "key": slot}));
            }
            out.line(format!("{} would open the store no more", shown(slot)))?;
            return out.line("dry run: nothing was changed");
        }
        engine.remove_key(id)?;
        out.did();
        close(engine, out);
        if out.is_json() {
            return out.json(&json!({"dry_run": false, "key": slot}));
        }
        out.line(format!("{} opens the store no more", shown(slot)))?;
        out.line("copies and backups that were made before still open with it")
    }

    fn all(&self, global: &Global, out: &mut Out) -> Result<()> {
        let place = Place::find(global)?;
        let plain = of_caller(Options::default())?;
        let options = || plain.clone();
        let plain = options().open(&place.path);
        let options = match plain {
            // It was turned off already; perhaps something is left to be done.
            Ok(_) => options(),
            Err(error) if error.kind() == ErrorKind::WrongKey => {
                // Whether the key fits is known before anything is begun, and who has to be asked is.
                let engine = place.engine()?;
                let given = key::given()?;
                drop(engine);
                given.map_or_else(options, |given| options().secret(given.secret))
            }
            Err(error) => return Err(place.explain(error)),
        };
        if self.dry_run {
            let engine = options.open(&place.path)?;
            if !engine.is_encrypted() && !engine.has_left()? {
                let message = "the store is not encrypted; nothing was changed";
                return Err(Failure::new(ErrorKind::Conflict, message));
            }
            if out.is_json() {
                return out
                    .json(&json!({"dry_run": true, "path": place.path.display().to_string()}));
            }
            out.line("the store would be written in clear")?;
            return out.line("dry run: nothing was changed");
        }
        let bar = Progress::begin(out, None, "rows");
        let turned = options.decrypt(&place.path, &mut |rows| bar.reached(rows));
        drop(bar);
        let turned = turned?;
        out.did();
        if out.is_json() {
            return out.json(&json!({
                "dry_run": false,
                "path": place.path.display().to_string(),
                "rows": turned.rows,
                "bytes_before": turned.bytes_before,
                "bytes_after": turned.bytes_after,
            }));
        }
        let rows = human::count(turned.rows, "row");
        out.line(format!(
            "the store is in clear: {rows} opened, {}",
            sizes(&turned)
        ))?;
        out.line("from now on it is opened without a key, and refuses one")
    }
}
