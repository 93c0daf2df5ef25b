//! `dalsegno init`: a new, empty store.

use std::path::{Path, PathBuf};

use clap::Args;
use dalsegno::Options;
use serde_json::json;

use crate::failure::{Failure, Result};
use crate::global::Global;
use crate::output::Out;
use crate::place::{HERE, Place};
use crate::{human, key, program, settings};

/// Make a new store
///
/// A path that ends with .db is the store's file; any other is a folder, in which store.db is made.
/// Both are made for their owner only. Where a store or another file is already, nothing is changed.
/// Where a key is given (--key-file, DALSEGNO_KEY and so on), the store is encrypted with it.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  dalsegno init                    .dalsegno/store.db in the working directory
  dalsegno init /srv/bot/states    /srv/bot/states/store.db
  dalsegno init states.db          the file states.db
  dalsegno init --key-file ~/.keys/bot.key    an encrypted store")]
pub(crate) struct Init {
    /// Where; without it --store, DALSEGNO_STORE or the project's dalsegno.toml, else .dalsegno here
    path: Option<PathBuf>,
}

impl Init {
    pub(crate) fn run(&self, global: &Global, out: &mut Out) -> Result<()> {
        if self.path.is_some() && global.store.is_some() {
            return Err(Failure::usage(
                "give the path once: as PATH or with --store",
            ));
        }
        let path = match &self.path {
            Some(path) => path.clone(),
            None => Place::meant(global)?.map_or_else(|| HERE.into(), |place| place.path),
        };
        let engine = key::create(Options::default(), &path)?;
        out.did();
        let made = engine.doctor()?;
        engine.close()?;
        let file = std::path::absolute(&made.path).unwrap_or(made.path);
        if out.is_json() {
            return out.json(&json!({
                "path": file.display().to_string(),
                "id": made.id,
                "format": made.format,
                "encrypted": made.encrypted,
            }));
        }
        let shown = human::safe(&file.display().to_string());
        out.line(if made.encrypted {
            let by = key::given()?.map(|given| human::safe(&given.by()));
            format!(
                "made the encrypted store {shown}, with the key of {}; without that key nothing can be read",
                by.unwrap_or_default()
            )
        } else {
            format!("made the store {shown}")
        })?;
        let mut save = vec![
            "snapshot".to_owned(),
            "save".to_owned(),
            "SESSION".to_owned(),
        ];
        save.extend(["--from".to_owned(), "FILE".to_owned()]);
        if path != Path::new(HERE) {
            save.extend(["--store".to_owned(), program::path(&path)]);
        }
        save.extend(settings::opening_words().flatten());
        out.line(format!(
            "save the first state with: {}",
            human::safe(&program::command(save))
        ))
    }
}
