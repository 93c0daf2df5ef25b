//! Exports that only those they are for can read: for whom, and with what they are opened.

use std::path::{Path, PathBuf};

use clap::Args;
use dalsegno_sealed::{For, With, is_sealed};
use zeroize::Zeroizing;

use crate::failure::{Failure, Result};
use crate::key;

/// The variable that holds the passphrase of an export.
const VARIABLE: &str = "DALSEGNO_EXPORT_PASSPHRASE";

/// The options of what is written.
#[derive(Debug, Args)]
pub(crate) struct ForWhom {
    /// Seal it, as an age file, for whoever has the identity of this recipient; several can be given
    #[arg(long, value_name = "AGE1…")]
    recipient: Vec<String>,
    /// Seal it, as an age file, with a passphrase: that in DALSEGNO_EXPORT_PASSPHRASE, or else asked for twice
    #[arg(long, conflicts_with = "recipient")]
    passphrase: bool,
}

impl ForWhom {
    /// For whom it is sealed, if it is.
    pub(crate) fn read(&self) -> Result<Option<For>> {
        if !self.recipient.is_empty() {
            return Ok(Some(For::recipients(&self.recipient)?));
        }
        if !self.passphrase {
            return Ok(None);
        }
        let passphrase = match said()? {
            Some(passphrase) => passphrase,
            None if key::is_at_terminal() => key::typed_twice()?,
            None => return Err(unsaid("the passphrase")),
        };
        Ok(Some(For::passphrase(&passphrase)?))
    }
}

/// The options of what is read.
#[derive(Debug, Args)]
pub(crate) struct WithWhat {
    /// The age identity that opens it (a file as `age-keygen` writes it); without, a passphrase does: that in
    /// DALSEGNO_EXPORT_PASSPHRASE, or else asked for
    #[arg(long, value_name = "FILE")]
    identity: Option<PathBuf>,
}

impl WithWhat {
    /// The text of a file, which may be sealed; `name` is what it is called.
    pub(crate) fn open(&self, text: Vec<u8>, name: &Path) -> Result<Vec<u8>> {
        if !is_sealed(&text) {
            return match &self.identity {
                None => Ok(text),
                Some(_) => Err(Failure::usage(format!(
                    "--identity: {} is not sealed",
                    name.display()
                ))),
            };
        }
        let with = match &self.identity {
            Some(file) => identities(file)?,
            None => With::passphrase(&passphrase(name)?)?,
        };
        let opened = with.open_all(&text[..]);
        Ok(opened.map_err(|e| e.context(name.display()))?)
    }
}

fn identities(file: &Path) -> Result<With> {
    let shown = file.display();
    let read = std::fs::read_to_string(file).map(Zeroizing::new);
    let text = read.map_err(|e| Failure::io(format!("reading the identity in {shown}"), e))?;
    Ok(With::identities(&text).map_err(|e| e.context(shown))?)
}

fn passphrase(name: &Path) -> Result<Zeroizing<String>> {
    match said()? {
        Some(passphrase) => Ok(passphrase),
        None if key::is_at_terminal() => key::typed(&format!("passphrase of {}: ", name.display())),
        None => Err(unsaid(&format!(
            "{} is sealed: give --identity FILE, or its passphrase",
            name.display()
        ))),
    }
}

fn said() -> Result<Option<Zeroizing<String>>> {
    let Some(text) = std::env::var_os(VARIABLE).filter(|text| !text.is_empty()) else {
        return Ok(None);
    };
    let text = text.into_string();
    let text = text.map_err(|_| Failure::usage(format!("{VARIABLE} is not UTF-8")))?;
    Ok(Some(Zeroizing::new(text)))
}

fn unsaid(what: &str) -> Failure {
    Failure::usage(format!(
        "{what} (there is no terminal to ask at: set {VARIABLE})"
    ))
}
