//! What holds in this process: options for the whole of it, the environment, files of configuration.

use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use dalsegno_config::{Config, Flags, Layers, Loaded};

use crate::failure::{Failure, Result};
use crate::global::Global;
use crate::program;

static FILE: OnceLock<PathBuf> = OnceLock::new();
static KEY_FILE: OnceLock<PathBuf> = OnceLock::new();
static TOKEN_FILE: OnceLock<PathBuf> = OnceLock::new();

/// From now on, this is the project's file of configuration.
pub(crate) fn configure(file: &Path) -> Result<()> {
    let found = std::fs::canonicalize(file)
        .map_err(|e| Failure::io(format!("reading {}", file.display()), e))?;
    // The first one stays.
    FILE.get_or_init(|| found);
    Ok(())
}

/// From now on, these files hold the key and the token, if they are named.
pub(crate) fn unlock(global: &Global) {
    for (held, file) in [
        (&KEY_FILE, &global.key_file),
        (&TOKEN_FILE, &global.token_file),
    ] {
        if let Some(file) = file {
            held.get_or_init(|| file.clone());
        }
    }
}

/// The options that name key and token, each with its file, for commands that go on with the same store.
pub(crate) fn opening_words() -> impl Iterator<Item = [String; 2]> {
    let named = [("--key-file", &KEY_FILE), ("--token-file", &TOKEN_FILE)].into_iter();
    named.filter_map(|(option, held)| Some([option.to_owned(), program::path(held.get()?)]))
}

/// All that is asked.
pub(crate) fn layers() -> Layers {
    let mut layers = Layers::of_process(Flags {
        key_file: KEY_FILE.get().cloned(),
        token_file: TOKEN_FILE.get().cloned(),
        ..Flags::default()
    });
    layers.file = FILE.get().cloned();
    layers
}

/// What the files of configuration say, and what comes before them.
pub(crate) fn configuration() -> Result<Loaded> {
    Ok(Config::load(&layers())?)
}
