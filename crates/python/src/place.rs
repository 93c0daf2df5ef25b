//! Which store is meant, as the command finds it too.

use std::path::{Path, PathBuf};

use dalsegno::{Engine, Error, ErrorKind, FILE_NAME, Options, Result, Secret, Token};
use etcetera::BaseStrategy;

const HERE: &str = ".dalsegno";
const VARIABLE: &str = "DALSEGNO_STORE";
const KEY: &str = "DALSEGNO_KEY";
const KEY_FILE: &str = "DALSEGNO_KEY_FILE";
const TOKEN: &str = "DALSEGNO_TOKEN";
const TOKEN_FILE: &str = "DALSEGNO_TOKEN_FILE";

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
        (Some(_), Some(_)) => Err(both("key")),
        (Some(key), None) => Secret::parse(key).map(Some),
        (None, Some(file)) => Secret::from_file(file).map(Some),
        (None, None) => said(KEY, KEY_FILE, Secret::parse, Secret::from_file),
    }
}

/// What says who uses the store, taken as what opens it is.
pub(crate) fn token(token: Option<&str>, file: Option<&Path>) -> Result<Option<Token>> {
    match (token, file) {
        (Some(_), Some(_)) => Err(both("token")),
        (Some(token), None) => Token::parse(token).map(Some),
        (None, Some(file)) => Token::from_file(file).map(Some),
        (None, None) => said(TOKEN, TOKEN_FILE, Token::parse, Token::from_file),
    }
}

fn both(what: &str) -> Error {
    let message = format!("give the {what} or the file that holds it, not both");
    Error::new(ErrorKind::InvalidInput, message)
}

/// What the environment says, of which the file is first.
fn said<T>(
    word: &str,
    file: &str,
    parse: impl FnOnce(&str) -> Result<T>,
    from_file: impl FnOnce(PathBuf) -> Result<T>,
) -> Result<Option<T>> {
    let said = |name| std::env::var_os(name).filter(|value| !value.is_empty());
    if let Some(file) = said(file) {
        return from_file(file.into()).map(Some);
    }
    let Some(text) = said(word) else {
        return Ok(None);
    };
    let unreadable = |_| Error::new(ErrorKind::InvalidInput, format!("{word} is not text"));
    parse(&text.into_string().map_err(unreadable)?).map(Some)
}

/// With what opens the store, and what says who uses it: what was given, else what the environment says.
pub(crate) fn admitted(
    options: Options,
    key: Option<&str>,
    key_file: Option<&Path>,
    given: Option<&str>,
    token_file: Option<&Path>,
) -> Result<Options> {
    let options = match secret(key, key_file)? {
        Some(secret) => options.secret(secret),
        None => options,
    };
    Ok(match token(given, token_file)? {
        Some(token) => options.token(token),
        None => options,
    })
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
