//! What opens an encrypted store: where it comes from, asking for it, and opening with it.

mod command;

use std::io::{self, ErrorKind as Io, IsTerminal};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};

use dalsegno::{Engine, ErrorKind, Options, Secret};
use dalsegno_config::{Finding, KeySource, Origin, Role, Setting};
use zeroize::Zeroizing;

use crate::failure::{Failure, Result};
use crate::interrupt::Polite;
use crate::settings::{configuration, layers};

/// The variable that holds the key or the passphrase.
pub(crate) const VARIABLE: &str = "DALSEGNO_KEY";

/// A key or passphrase, and what gave it.
#[derive(Clone)]
pub(crate) struct Given {
    pub(crate) secret: Secret,
    /// None: it was typed.
    pub(crate) source: Option<Setting<KeySource>>,
}

/// Read once: a command is not run again, and nobody is asked twice.
static KNOWN: Mutex<Option<Given>> = Mutex::new(None);

fn known() -> MutexGuard<'static, Option<Given>> {
    KNOWN.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Given {
    /// What gave it, as people name it; never what it is.
    pub(crate) fn by(&self) -> String {
        match (&self.source, self.file()) {
            (None, _) => "the passphrase that was typed".to_owned(),
            (Some(source), Some(file)) if source.origin == Origin::Flag => {
                format!("--key-file {}", file.display())
            }
            (Some(source), _) => source.origin.to_string(),
        }
    }

    /// The file that it was read from.
    pub(crate) fn file(&self) -> Option<&PathBuf> {
        match &self.source.as_ref()?.value {
            KeySource::File(path) => Some(path),
            _ => None,
        }
    }

    /// What is wrong where the file that it was read from lies in the folder of `store`.
    pub(crate) fn beside(&self, store: &Path) -> Option<Finding> {
        let folder = |path: &Path| dalsegno::durable::folder_of(path).canonicalize().ok();
        let file = self.file()?;
        if folder(&file.canonicalize().ok()?)? != folder(store)? {
            return None;
        }
        let shown = file.display();
        Some(Finding::warning(
            format!(
                "the key lies beside the store: whoever has a copy of the folder has both ({shown})"
            ),
            "move it to where neither the store nor its backups are",
        ))
    }
}

/// The key that is given, or was typed before.
pub(crate) fn given() -> Result<Option<Given>> {
    let known = known().clone();
    if known.is_some() {
        return Ok(known);
    }
    source()?.map(|source| read(&source)).transpose()
}

/// Opens a store with the key that is given; where none is, somebody at a terminal is asked. The failure is of the key;
/// within, the engine's answer.
pub(crate) fn open(options: Options, path: &Path) -> Result<dalsegno::Result<Engine>> {
    let source = source();
    let given = match source {
        Ok(Some(ref source)) => Some(read(source)?),
        _ => known().clone(),
    };
    if let Some(given) = given {
        return Ok(open_with(options, path, &given));
    }
    let refused = match options.clone().open(path) {
        Err(error) if error.kind() == ErrorKind::WrongKey => error,
        opened => return Ok(opened),
    };
    // What is wrong with the configuration matters only now.
    source?;
    if !is_at_terminal() {
        return Err(without(refused.into()));
    }
    let given = Given {
        secret: ask(&format!("passphrase of {}: ", path.display()))?,
        source: None,
    };
    let opened = open_with(options, path, &given);
    *known() = Some(given);
    Ok(opened)
}

/// Makes a store: an encrypted one, where a key is given.
pub(crate) fn create(options: Options, path: &Path) -> Result<Engine> {
    let options = match given()? {
        Some(given) => options.secret(given.secret),
        None => options,
    };
    Ok(options.create(path)?)
}

/// Says of a key that does not fit what gave it.
pub(crate) fn blame(error: dalsegno::Error, given: &Given) -> dalsegno::Error {
    match error.kind() {
        ErrorKind::WrongKey => error.context(given.by()),
        _ => error,
    }
}

/// Whether somebody can be asked.
pub(crate) fn is_at_terminal() -> bool {
    io::stdin().is_terminal() && io::stderr().is_terminal()
}

/// Asks for a passphrase at the terminal, where nobody sees what is typed.
fn ask(prompt: &str) -> Result<Secret> {
    Ok(Secret::parse(&typed(prompt)?)?)
}

/// What is typed at the terminal, where nobody sees it.
pub(crate) fn typed(prompt: &str) -> Result<Zeroizing<String>> {
    // The terminal is as it was before Ctrl-C ends the program.
    let _polite = Polite::begin();
    let typed = rpassword::prompt_password(prompt).map(Zeroizing::new);
    typed.map_err(|error| match error.kind() {
        Io::Interrupted => Failure::interrupted(),
        _ => Failure::io("asking for the passphrase", error),
    })
}

/// As [`ask`], for a passphrase to come: what was mistyped once could never be typed again.
pub(crate) fn ask_twice() -> Result<Secret> {
    Ok(Secret::parse(&typed_twice()?)?)
}

/// The text of it.
pub(crate) fn typed_twice() -> Result<Zeroizing<String>> {
    let first = typed("new passphrase: ")?;
    if first.trim().is_empty() {
        return Err(Failure::usage(
            "the passphrase is empty; nothing was changed",
        ));
    }
    if *typed("once more: ")? == *first {
        return Ok(first);
    }
    Err(Failure::usage(
        "the two are not the same; nothing was changed",
    ))
}

fn open_with(options: Options, path: &Path, given: &Given) -> dalsegno::Result<Engine> {
    let opened = options.secret(given.secret.clone()).open(path);
    opened.map_err(|error| blame(error, given))
}

fn source() -> Result<Option<Setting<KeySource>>> {
    match layers().given_key()? {
        Some(given) => Ok(Some(given)),
        None => Ok(configuration()?.config.key),
    }
}

fn read(source: &Setting<KeySource>) -> Result<Given> {
    if let Some(known) = known().clone() {
        return Ok(known);
    }
    let secret = match &source.value {
        KeySource::File(path) => Secret::from_file(path)?,
        KeySource::Variable => variable(VARIABLE)?
            .ok_or_else(|| Failure::usage(format!("{VARIABLE} is not set any more")))?,
        KeySource::Command { line, folder } => {
            command::secret(line, folder.as_deref(), command::LIMIT)?
        }
        _ => {
            return Err(Failure::usage(
                "the key comes from where this program cannot read it",
            ));
        }
    };
    let given = Given {
        secret,
        source: Some(source.clone()),
    };
    *known() = Some(given.clone());
    Ok(given)
}

/// The secret in a variable of the environment; an empty one is an unset one.
pub(crate) fn variable(name: &str) -> Result<Option<Secret>> {
    let Some(text) = std::env::var_os(name).filter(|text| !text.is_empty()) else {
        return Ok(None);
    };
    let text = text
        .into_string()
        .map_err(|_| Failure::usage(format!("{name} is not UTF-8")))?;
    let secret = Secret::parse(&Zeroizing::new(text)).map_err(|e| e.context(name))?;
    Ok(Some(secret))
}

/// Says how a key is given, and why the configuration's own is not taken.
fn without(refused: Failure) -> Failure {
    let mut message = format!(
        "{}; name the file of its key with --key-file, or set {VARIABLE}",
        refused.message()
    );
    let left_out = configuration().map(|loaded| loaded.left_out);
    for left_out in left_out
        .unwrap_or_default()
        .iter()
        .filter(|it| it.role == Role::Key)
    {
        message.push_str(&format!("\n{left_out}"));
    }
    refused.saying(message)
}
