//! Snapshots out to a file, and in again.

use std::io::Write;
use std::path::{Path, PathBuf};

use dalsegno::{Engine, Error, ErrorKind};
use dalsegno_sealed::{For, With, is_sealed};
use pyo3::prelude::*;
use zeroize::Zeroizing;

use crate::error;
use crate::handle::Handle;
use crate::show::show;

#[pymethods]
impl Handle {
    fn export(
        &self,
        py: Python<'_>,
        path: PathBuf,
        session: Option<&str>,
        recipients: Option<Vec<String>>,
        passphrase: Option<&str>,
    ) -> PyResult<u64> {
        let sealed = for_whom(recipients.as_deref(), passphrase);
        let sealed = sealed.map_err(|e| error::raise(py, &e))?;
        self.run(py, |engine| {
            not_the_store(engine, &path)?;
            dalsegno::write_private(&path, |file| write(engine, session, sealed.as_ref(), file))
        })
    }

    fn import_text<'py>(
        &self,
        py: Python<'py>,
        text: Vec<u8>,
        identities: Option<Vec<String>>,
        passphrase: Option<&str>,
    ) -> PyResult<Bound<'py, PyAny>> {
        let with = with_what(identities, passphrase).map_err(|e| error::raise(py, &e))?;
        let imported = self.run(py, |engine| {
            let opened = opened(text, with.as_ref());
            engine.import(&opened.map_err(|e| e.context("the export"))?)
        })?;
        show(py, &imported)
    }

    fn import_file<'py>(
        &self,
        py: Python<'py>,
        path: PathBuf,
        identities: Option<Vec<String>>,
        passphrase: Option<&str>,
    ) -> PyResult<Bound<'py, PyAny>> {
        let with = with_what(identities, passphrase).map_err(|e| error::raise(py, &e))?;
        let imported = self.run(py, |engine| {
            not_the_store(engine, &path)?;
            let text = std::fs::read(&path)
                .map_err(|e| Error::io(format!("reading {}", path.display()), e))?;
            let opened = opened(text, with.as_ref());
            engine.import(&opened.map_err(|e| e.context(path.display()))?)
        })?;
        show(py, &imported)
    }
}

/// For whom an export is sealed, if it is. Where nobody is named, it is refused, and not written in clear.
fn for_whom(
    recipients: Option<&[String]>,
    passphrase: Option<&str>,
) -> dalsegno::Result<Option<For>> {
    match (recipients, passphrase) {
        (None, None) => Ok(None),
        (Some(recipients), None) => For::recipients(recipients).map(Some),
        (None, Some(passphrase)) => For::passphrase(passphrase).map(Some),
        (Some(_), Some(_)) => Err(invalid("give recipients or a passphrase, not both")),
    }
}

/// What opens an export, if it is sealed.
fn with_what(
    identities: Option<Vec<String>>,
    passphrase: Option<&str>,
) -> dalsegno::Result<Option<With>> {
    match (identities, passphrase) {
        (None, None) => Ok(None),
        (Some(identities), None) => {
            let identities = Zeroizing::new(identities);
            let read = With::identities(&Zeroizing::new(identities.join("\n")));
            let wanted =
                "identities are texts AGE-SECRET-KEY-1…, or that of a file as age-keygen writes it";
            read.map(Some).map_err(|e| e.context(wanted))
        }
        (None, Some(passphrase)) => With::passphrase(passphrase).map(Some),
        (Some(_), Some(_)) => Err(invalid("give identities or a passphrase, not both")),
    }
}

fn write(
    engine: &Engine,
    session: Option<&str>,
    sealed: Option<&For>,
    file: &mut dyn Write,
) -> dalsegno::Result<u64> {
    let Some(sealed) = sealed else {
        return engine.export(session, file);
    };
    let mut sealing = sealed.seal(file)?;
    let count = engine.export(session, &mut sealing)?;
    sealing.finish()?;
    Ok(count)
}

/// The text of an export, which may be sealed.
fn opened(text: Vec<u8>, with: Option<&With>) -> dalsegno::Result<Vec<u8>> {
    match (with, is_sealed(&text)) {
        (None, false) => Ok(text),
        (Some(with), true) => with.open_all(&text[..]),
        (None, true) => Err(Error::new(
            ErrorKind::WrongKey,
            "it is sealed, and no key was given: give identities or the passphrase",
        )),
        (Some(_), false) => Err(invalid(
            "it is not sealed; import it without identities or a passphrase",
        )),
    }
}

fn invalid(message: &str) -> Error {
    Error::new(ErrorKind::InvalidInput, message)
}

/// Even opening and closing the store's own file would drop SQLite's locks.
pub(crate) fn not_the_store(engine: &Engine, path: &Path) -> dalsegno::Result<()> {
    if !engine.owns(path) {
        return Ok(());
    }
    let path = path.display();
    let message = format!("{path} belongs to the store itself; choose another file");
    Err(invalid(&message))
}
