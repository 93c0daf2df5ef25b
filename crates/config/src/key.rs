//! Where the key of an encrypted store comes from. Nothing is read or run here.

use std::fmt;
use std::path::PathBuf;

use dalsegno::{Error, ErrorKind, Result};

use crate::layers::Layers;
use crate::origin::{Origin, Setting};
use crate::parse::{at, line};
use crate::source::Source;
use crate::values::Values;

const FILE: &str = "DALSEGNO_KEY_FILE";
const COMMAND: &str = "DALSEGNO_KEY_COMMAND";

/// The variable that holds the key, or the passphrase, itself.
pub(crate) const KEY: &str = "DALSEGNO_KEY";

/// Where the key, or the passphrase, of an encrypted store comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum KeySource {
    /// A file holds it.
    File(PathBuf),
    /// `DALSEGNO_KEY` holds it.
    Variable,
    /// A command prints it, in its first line.
    Command {
        /// What a shell is given.
        line: String,
        /// The folder of the file that says so, symbolic links followed: it runs there. None: where this process is.
        folder: Option<PathBuf>,
    },
}

impl fmt::Display for KeySource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File(path) => write!(f, "the key in {}", path.display()),
            Self::Variable => write!(f, "the key in {KEY}"),
            Self::Command { line, .. } => write!(f, "the key's command '{line}'"),
        }
    }
}

impl Layers {
    /// Where options and variables say that the key comes from, if they do; files are asked after them.
    ///
    /// # Errors
    /// `InvalidInput` where a variable is not UTF-8.
    pub fn given_key(&self) -> Result<Option<Setting<KeySource>>> {
        if let Some(path) = &self.flags.key_file {
            let source = KeySource::File(path.clone());
            return Ok(Some(Setting::new(source, Origin::Flag)));
        }
        // An empty variable is an unset one, as everywhere.
        let said = |name: &str| self.variables.get(name).filter(|said| !said.is_empty());
        let of = |source, variable: &str| {
            let variable = variable.to_owned();
            Ok(Some(Setting::new(source, Origin::Environment { variable })))
        };
        if let Some(path) = said(FILE) {
            return of(KeySource::File(path.into()), FILE);
        }
        if said(KEY).is_some() {
            return of(KeySource::Variable, KEY);
        }
        let Some(command) = said(COMMAND) else {
            return Ok(None);
        };
        let line = command.to_str().ok_or_else(|| {
            Error::new(ErrorKind::InvalidInput, format!("{COMMAND} is not UTF-8"))
        })?;
        let source = KeySource::Command {
            line: line.to_owned(),
            folder: None,
        };
        of(source, COMMAND)
    }
}

/// Where a file says that the key comes from, and in which line, whether or not it may.
pub(crate) fn of_file(
    layers: &Layers,
    source: &Source,
    values: &Values,
) -> Result<Option<(KeySource, usize)>> {
    let folder = source.folder();
    let (found, span) = match (&values.key.file, &values.key.command) {
        (None, None) => return Ok(None),
        (Some(_), Some(command)) => {
            let message = "key: give file or command, not both";
            return Err(at(source, Some(command.span()), message));
        }
        (Some(path), None) => (
            KeySource::File(layers.path(path.get_ref(), folder)),
            path.span(),
        ),
        (None, Some(command)) => {
            let text = command.get_ref();
            if text.trim().is_empty() || text.contains('\0') {
                let message = "key: command is empty, or has a zero character";
                return Err(at(source, Some(command.span()), message));
            }
            let found = KeySource::Command {
                line: text.clone(),
                folder: Some(folder.to_owned()),
            };
            (found, command.span())
        }
    };
    Ok(Some((found, line(source, &span))))
}
