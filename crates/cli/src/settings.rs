//! What holds in this process: options for the whole of it, the environment, files of configuration.

use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use dalsegno_config::{Config, Flags, Layers, Loaded};

use crate::failure::{Failure, Result};
use crate::program;

static FILE: OnceLock<PathBuf> = OnceLock::new();
static KEY_FILE: OnceLock<PathBuf> = OnceLock::new();

/// From now on, this is the project's file of configuration.
pub(crate) fn configure(file: &Path) -> Result<()> {
    let found = std::fs::canonicalize(file)
        .map_err(|e| Failure::io(format!("reading {}", file.display()), e))?;
    // The first one stays.
    FILE.get_or_init(|| found);
    Ok(())
}

/// From now on, this file holds the key, if one is named.
pub(crate) fn unlock(file: Option<&Path>) {
    if let Some(file) = file {
        KEY_FILE.get_or_init(|| file.to_owned());
    }
}

/// The options that name the key, for commands that go on with the same store.
pub(crate) fn key_words() -> Vec<String> {
    let words = |file: &PathBuf| vec!["--key-file".to_owned(), program::path(file)];
    KEY_FILE.get().map(words).unwrap_or_default()
}

/// All that is asked.
pub(crate) fn layers() -> Layers {
    let mut layers = Layers::of_process(Flags {
        key_file: KEY_FILE.get().cloned(),
        ..Flags::default()
    });
    layers.file = FILE.get().cloned();
    layers
}

/// What the files of configuration say, and what comes before them.
pub(crate) fn configuration() -> Result<Loaded> {
    Ok(Config::load(&layers())?)
}
