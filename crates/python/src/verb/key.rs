//! What opens an encrypted store, and erasing what is in it.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::PathBuf;

use dalsegno::{Options, Secret, Turned};
use pyo3::prelude::*;

use crate::handle::Handle;
use crate::show::show;
use crate::{error, fork, place};

#[pymethods]
impl Handle {
    #[getter]
    fn encrypted(&self, py: Python<'_>) -> PyResult<bool> {
        self.run(py, |engine| Ok(engine.is_encrypted()))
    }

    fn key_slots<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        let keys = self.run(py, |engine| engine.keys())?;
        show(py, &keys)
    }

    fn add_key<'py>(
        &self,
        py: Python<'py>,
        key: &str,
        label: Option<String>,
    ) -> PyResult<Bound<'py, PyAny>> {
        let secret = read(py, key)?;
        let added = self.run(py, |engine| engine.add_key(&secret, label.as_deref()))?;
        show(py, &added)
    }

    fn remove_key(&self, py: Python<'_>, id: i64) -> PyResult<()> {
        self.run(py, |engine| engine.remove_key(id))
    }

    fn rotate_key<'py>(
        &self,
        py: Python<'py>,
        current: &str,
        next: &str,
        label: Option<String>,
    ) -> PyResult<Bound<'py, PyAny>> {
        let (current, next) = (read(py, current)?, read(py, next)?);
        let rotated = self.run(py, |engine| {
            engine.rotate_key(&current, &next, label.as_deref())
        })?;
        show(py, &rotated)
    }

    fn erase_session<'py>(
        &self,
        py: Python<'py>,
        session: &str,
        dry_run: bool,
    ) -> PyResult<Bound<'py, PyAny>> {
        let erased = self.run(py, |engine| {
            if dry_run {
                engine.erase_plan(session)
            } else {
                engine.erase_session(session)
            }
        })?;
        show(py, &erased)
    }

    fn is_erased(&self, py: Python<'_>, session: &str) -> PyResult<bool> {
        self.run(py, |engine| engine.is_erased(session))
    }

    fn tombstones<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        let tombstones = self.run(py, |engine| engine.tombstones())?;
        show(py, &tombstones)
    }
}

fn read(py: Python<'_>, key: &str) -> PyResult<Secret> {
    Secret::parse(key).map_err(|e| error::raise(py, &e))
}

/// A new key, as it is written.
#[pyfunction]
pub(crate) fn generate_key(py: Python<'_>) -> PyResult<String> {
    let key = Secret::generate().map_err(|e| error::raise(py, &e))?;
    Ok(key
        .to_text()
        .map(|text| text.to_string())
        .unwrap_or_default())
}

#[pyfunction]
pub(crate) fn encrypt(
    py: Python<'_>,
    path: PathBuf,
    key: Option<&str>,
    key_file: Option<PathBuf>,
    label: Option<String>,
    token: Option<&str>,
    token_file: Option<PathBuf>,
) -> PyResult<Py<PyAny>> {
    let raise = |e| error::raise(py, &e);
    let secret = place::secret(key, key_file.as_deref()).map_err(raise)?;
    let token = place::token(token, token_file.as_deref()).map_err(raise)?;
    let Some(secret) = secret else {
        return Err(error::invalid(
            py,
            "give the key or the key_file that is to open it",
        ));
    };
    let options = match token {
        Some(token) => Options::default().token(token),
        None => Options::default(),
    };
    turned(py, || {
        options.encrypt(&path, &secret, label.as_deref(), &mut |_| {})
    })
}

#[pyfunction]
pub(crate) fn decrypt(
    py: Python<'_>,
    path: PathBuf,
    key: Option<&str>,
    key_file: Option<PathBuf>,
    token: Option<&str>,
    token_file: Option<PathBuf>,
) -> PyResult<Py<PyAny>> {
    let (key_file, token_file) = (key_file.as_deref(), token_file.as_deref());
    let options = place::admitted(Options::default(), key, key_file, token, token_file)
        .map_err(|e| error::raise(py, &e))?;
    turned(py, || options.decrypt(&path, &mut |_| {}))
}

/// Works on a store that nobody in this process has open, so that no fork comes between.
fn turned(
    py: Python<'_>,
    work: impl FnOnce() -> dalsegno::Result<Turned> + Send,
) -> PyResult<Py<PyAny>> {
    fork::enter(py).map_err(|e| error::raise(py, &e))?;
    let done = py.detach(|| catch_unwind(AssertUnwindSafe(work)));
    fork::leave(py);
    match done {
        Ok(Ok(turned)) => show(py, &turned).map(Bound::unbind),
        Ok(Err(e)) => Err(error::raise_store(py, &e)),
        Err(_) => Err(error::mistake(py)),
    }
}
