//! Saving by itself.

use std::sync::Arc;

use pyo3::prelude::*;

use crate::handle::Handle;
use crate::saver::{Saver, Saving};

#[pymethods]
impl Handle {
    /// `ask` is called with the names of sessions and whether their states are wanted whatever the condition, and gives
    /// a dict of JSON texts; a `str` says why there is none, None that there is nothing to save.
    fn auto_save(&self, py: Python<'_>, ask: Py<PyAny>) -> PyResult<Saver> {
        let saving = self
            .kept
            .call(py, |engine| Ok(Saving::start(&engine, ask)))?;
        let saving = saving.map_err(|e| crate::error::raise(py, &e))?;
        let saving = Arc::new(saving);
        self.kept.add(py, &saving);
        Ok(Saver::of(Arc::clone(&self.kept), saving))
    }
}
