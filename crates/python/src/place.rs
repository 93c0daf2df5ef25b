//! Which store is meant, as the command finds it too.

use std::path::{Path, PathBuf};

use dalsegno::{Engine, Error, ErrorKind, FILE_NAME, Options, Result, Secret};
use etcetera::BaseStrategy;

const HERE: &str = ".dalsegno";
const VARIABLE: &str = "DALSEGNO_STORE";
const KEY: &str = "DALSEGNO_KEY";
const KEY_FILE: &str = "DALSEGNO_KEY_FILE";

/// The store where none is named: what the environment says, the one of the working directory, the
/// user's. Where there is none, the first would be made in the working directory.
pub(crate) fn usual(create: bool) -> Result<PathBuf> {
    if let Some(path) = std::env::var_os(VARIABLE).filter(|path| !path.is_empty()) {
        return Ok(path.into());
    }
    let here = PathBuf::from(HERE);
    if here.join(FILE_NAME).exists() {
        return Ok(here);
    }
    let users = etcetera::choose_base_strategy()
        .ok()
        .map(|folders| folders.data_dir().join("dalsegno"));
    match users {
        Some(users) if users.join(FILE_NAME).exists() => Ok(users),
        _ if create => Ok(here),
        _ => Err(Error::new(
            ErrorKind::NotFound,
            format!(
                "there is no store: {VARIABLE} is not set, and neither {HERE}/ here nor the user's data folder \
                 holds one; give its path, or create=True"
            ),
        )),
    }
}

/// What opens an encrypted store: what was given, else what the environment says, as the command takes it.
pub(crate) fn secret(key: Option<&str>, file: Option<&Path>) -> Result<Option<Secret>> {
    match (key, file) {
        (Some(_), Some(_)) => Err(Error::new(
            ErrorKind::InvalidInput,
            "give the key or the file that holds it, not both",
        )),
        (Some(key), None) => Secret::parse(key).map(Some),
        (None, Some(file)) => Secret::from_file(file).map(Some),
        (None, None) => {
            let said = |name| std::env::var_os(name).filter(|value| !value.is_empty());
            if let Some(file) = said(KEY_FILE) {
                return Secret::from_file(Path::new(&file)).map(Some);
            }
            let Some(key) = said(KEY) else {
                return Ok(None);
            };
            let unreadable = |_| Error::new(ErrorKind::InvalidInput, format!("{KEY} is not text"));
            Secret::parse(&key.into_string().map_err(unreadable)?).map(Some)
        }
    }
}

/// Opens the store at `path`, which is made where there is none and `create` says so.
pub(crate) fn open(options: &Options, path: &Path, create: bool) -> Result<Engine> {
    match options.clone().open(path) {
        Err(error) if create && error.kind() == ErrorKind::NotFound => {
            match options.clone().create(path) {
                // Another process was faster.
                Err(error) if error.kind() == ErrorKind::Conflict => options.clone().open(path),
                made => made,
            }
        }
        opened => opened,
    }
}
