//! What says who asks, for a store that wants to know: where it comes from, and what to do where it lets nobody in.

use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use dalsegno::{ErrorKind, Options, Token};
use dalsegno_config::{Origin, Setting, TokenSource};
use zeroize::Zeroizing;

use crate::failure::{Failure, Result};
use crate::settings::{configuration, layers};

/// The variable that holds the token.
const VARIABLE: &str = "DALSEGNO_TOKEN";

/// What the engine says where no token was given, and where one was that is of nobody.
const ASKS: &str = "this store asks who you are";
const NOBODY: &str = "no principal of this store has this token";

/// A token, and what gave it.
#[derive(Clone)]
pub(crate) struct Given {
    token: Token,
    source: Setting<TokenSource>,
}

/// Read once: what a pipe gave is not there again.
static KNOWN: Mutex<Option<Given>> = Mutex::new(None);

impl Given {
    /// What gave it, as people name it; never what it is.
    pub(crate) fn by(&self) -> String {
        by(&self.source)
    }

    /// The file that it was read from.
    pub(crate) fn file(&self) -> Option<&PathBuf> {
        match &self.source.value {
            TokenSource::File(path) => Some(path),
            _ => None,
        }
    }
}

/// The token that is given.
pub(crate) fn given() -> Result<Option<Given>> {
    let mut known = KNOWN.lock().unwrap_or_else(PoisonError::into_inner);
    if known.is_none() {
        *known = source()?.map(read).transpose()?;
    }
    Ok(known.clone())
}

/// With the token that is given. Where the configuration cannot be read, without one: whether that matters, the store
/// says.
pub(crate) fn show(options: Options) -> Result<Options> {
    if layers().given_token().is_none() && configuration().is_err() {
        return Ok(options);
    }
    Ok(match given()? {
        Some(given) => options.token(given.token),
        None => options,
    })
}

/// Says of a token that is missing how one is given, and of one that is of nobody what gave it.
pub(crate) fn explain(failure: Failure) -> Failure {
    if !failure.is_of(ErrorKind::Denied) {
        return failure;
    }
    let said = failure.message().to_owned();
    if said.contains(ASKS) {
        let mut ways = format!(
            "name the file of your token with --token-file or DALSEGNO_TOKEN_FILE, set {VARIABLE}, or write token_file \
             under [access] of the configuration"
        );
        if let Err(why) = configuration() {
            ways = format!("{ways}, which cannot be read now: {}", why.message());
        }
        return failure.advise(&ways);
    }
    match source() {
        Ok(Some(source)) if said.contains(NOBODY) => {
            failure.saying(format!("{}: {said}", by(&source)))
        }
        _ => failure,
    }
}

fn source() -> Result<Option<Setting<TokenSource>>> {
    match layers().given_token() {
        Some(given) => Ok(Some(given)),
        None => Ok(configuration()?.config.token),
    }
}

fn by(source: &Setting<TokenSource>) -> String {
    match (&source.value, &source.origin) {
        (TokenSource::File(path), Origin::Flag) => format!("--token-file {}", path.display()),
        (_, origin) => origin.to_string(),
    }
}

fn read(source: Setting<TokenSource>) -> Result<Given> {
    let token = match &source.value {
        TokenSource::File(path) => of_file(path)?,
        TokenSource::Variable => of_variable()?,
        _ => {
            let message = "the token comes from where this program cannot read it";
            return Err(Failure::usage(message));
        }
    };
    Ok(Given { token, source })
}

fn of_file(path: &Path) -> Result<Token> {
    // A message about such a file would tell the token.
    if path.to_str().is_some_and(|text| Token::parse(text).is_ok()) {
        return Err(Failure::usage(
            "this is a token where the name of a file was meant: write the token into a file, and name that",
        ));
    }
    Ok(Token::from_file(path)?)
}

fn of_variable() -> Result<Token> {
    let text = std::env::var_os(VARIABLE).unwrap_or_default();
    let text = text
        .into_string()
        .map_err(|_| Failure::usage(format!("{VARIABLE} is not UTF-8")))?;
    Ok(Token::parse(&Zeroizing::new(text)).map_err(|e| e.context(VARIABLE))?)
}
