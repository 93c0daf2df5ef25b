//! Migrations whose steps are Python functions.

use std::error::Error as _;

use dalsegno::{Error, ErrorKind, Migration, Migrations, Result};
use pyo3::exceptions::PyException;
use pyo3::prelude::*;
use pyo3::types::PyBytes;

use crate::handle::Handle;
use crate::saver::json;
use crate::show::show;

/// A step as Python gives it: from which version to which, of which sessions, and what is called with a state's text.
pub(crate) type Given = (Option<String>, String, String, Py<PyAny>);

/// The steps as chains.
pub(crate) fn migrations(given: Vec<Given>) -> Result<Migrations> {
    let steps = given.into_iter().map(|(from, to, sessions, step)| {
        Migration::of_text(from.as_deref(), to, move |text| run(&step, text)).sessions(sessions)
    });
    Migrations::new(steps.collect())
}

type Cause = Box<dyn std::error::Error + Send + Sync>;

fn run(step: &Py<PyAny>, text: &[u8]) -> std::result::Result<Vec<u8>, Cause> {
    let done = Python::try_attach(|py| {
        let after = step
            .bind(py)
            .call1((PyBytes::new(py, text),))
            .and_then(|after| json(&after));
        after.map(|text| text.to_vec()).map_err(|raised| {
            if raised.is_instance_of::<PyException>(py) {
                return Cause::from(raised);
            }
            // An interrupt is for whoever called.
            let error = Error::new(ErrorKind::Storage, "it was interrupted");
            error.with_source(raised).into()
        })
    });
    done.unwrap_or_else(|| Err("the interpreter has ended".into()))
}

/// The exception that a step ended with, if that is what an error comes from.
pub(crate) fn cause(py: Python<'_>, error: &Error) -> Option<PyErr> {
    let mut next = error.source();
    while let Some(source) = next {
        if let Some(raised) = source.downcast_ref::<PyErr>() {
            return Some(raised.clone_ref(py));
        }
        next = source.source();
    }
    None
}

#[pymethods]
impl Handle {
    fn rehearse<'py>(&self, py: Python<'py>, session: Option<&str>) -> PyResult<Bound<'py, PyAny>> {
        let found = self.run(py, |engine| engine.rehearse(session))?;
        show(py, &found)
    }

    /// The state in its current shape, or one of its components.
    fn current<'py>(
        &self,
        py: Python<'py>,
        reference: &str,
        component: Option<&str>,
    ) -> PyResult<Bound<'py, PyBytes>> {
        let text = self.run(py, |engine| {
            let restored = engine.restore(reference)?;
            match component {
                Some(name) => Ok(restored.current_component(name)?.into_owned()),
                None => Ok(restored.current()?.into_owned()),
            }
        })?;
        Ok(PyBytes::new(py, &text))
    }
}
