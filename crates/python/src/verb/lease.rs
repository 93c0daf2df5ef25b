//! Sessions that are opened for writing, and those that a crash left open.

use dalsegno::Engine;
use pyo3::prelude::*;
use serde::Serialize;

use crate::handle::Handle;
use crate::show::show;

/// A session that `recover` would open.
#[derive(Serialize)]
struct Left {
    session: String,
    program: Option<String>,
}

#[pymethods]
impl Handle {
    /// Opens a session, also where another program has it open if `by_force`.
    fn open_session<'py>(
        &self,
        py: Python<'py>,
        session: &str,
        by_force: bool,
    ) -> PyResult<Bound<'py, PyAny>> {
        let opened = self.run(py, |engine| match by_force {
            true => engine.take_over(session),
            false => engine.open_session(session),
        })?;
        show(py, &opened)
    }

    fn close_session(&self, py: Python<'_>, session: &str) -> PyResult<()> {
        self.run(py, |engine| engine.close_session(session))
    }

    fn open_sessions(&self, py: Python<'_>) -> PyResult<Vec<(String, i64)>> {
        self.run(py, |engine| Ok(engine.open_sessions()))
    }

    fn holders<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        let holders = self.run(py, Engine::holders)?;
        show(py, &holders)
    }

    fn recover<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        let recovered = self.run(py, Engine::recover)?;
        show(py, &recovered)
    }

    fn left_open<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        let left = self.run(py, Engine::left_open)?.into_iter();
        let left: Vec<Left> = left
            .map(|(session, program)| Left { session, program })
            .collect();
        show(py, &left)
    }
}
