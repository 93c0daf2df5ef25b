//! Snapshots out to a file, and in again.

use std::path::PathBuf;

use dalsegno::{Engine, Error, ErrorKind};
use pyo3::prelude::*;

use crate::handle::Handle;
use crate::show::show;

#[pymethods]
impl Handle {
    fn export(&self, py: Python<'_>, path: PathBuf, session: Option<&str>) -> PyResult<u64> {
        self.run(py, |engine| {
            not_the_store(engine, &path)?;
            dalsegno::write_private(&path, |file| engine.export(session, file))
        })
    }

    fn import_text<'py>(&self, py: Python<'py>, text: Vec<u8>) -> PyResult<Bound<'py, PyAny>> {
        let imported = self.run(py, |engine| engine.import(&text))?;
        show(py, &imported)
    }

    fn import_file<'py>(&self, py: Python<'py>, path: PathBuf) -> PyResult<Bound<'py, PyAny>> {
        let imported = self.run(py, |engine| {
            not_the_store(engine, &path)?;
            let text = std::fs::read(&path)
                .map_err(|e| Error::io(format!("reading {}", path.display()), e))?;
            engine.import(&text)
        })?;
        show(py, &imported)
    }
}

/// Even opening and closing the store's own file would drop SQLite's locks.
fn not_the_store(engine: &Engine, path: &std::path::Path) -> dalsegno::Result<()> {
    if !engine.owns(path) {
        return Ok(());
    }
    let path = path.display();
    let message = format!("{path} belongs to the store itself; choose another file");
    Err(Error::new(ErrorKind::InvalidInput, message))
}
