//! Errors as the exceptions of `dalsegno.sonora`.

use std::panic::{AssertUnwindSafe, catch_unwind};

use dalsegno::{Error, ErrorKind, Result};
use pyo3::prelude::*;

use crate::error::{class_of, exception_of, mistake};

const MODULE: &str = "dalsegno.sonora.errors";

/// The exception for an error.
pub(super) fn raise(py: Python<'_>, error: &Error) -> PyErr {
    exception_of(py, MODULE, class_of(error.kind()), &error.to_string())
}

/// As [`raise`], where what was not found is a file.
pub(super) fn raise_file(py: Python<'_>, error: &Error) -> PyErr {
    match error.kind() {
        ErrorKind::NotFound => {
            exception_of(py, MODULE, "SnapshotNotFoundError", &error.to_string())
        }
        _ => raise(py, error),
    }
}

/// What was given cannot be accepted.
pub(super) fn invalid(py: Python<'_>, message: &str) -> PyErr {
    raise(py, &Error::new(ErrorKind::InvalidInput, message))
}

/// Runs `work` without the interpreter's lock.
pub(super) fn run<T: Send>(py: Python<'_>, work: impl FnOnce() -> Result<T> + Send) -> PyResult<T> {
    // A mistake in this program ends the call, not the interpreter.
    match py.detach(|| catch_unwind(AssertUnwindSafe(work))) {
        Ok(done) => done.map_err(|error| raise(py, &error)),
        Err(_) => Err(mistake(py)),
    }
}

/// A value that Python wrote as JSON, which `what` names.
pub(super) fn value<T: serde::de::DeserializeOwned>(
    py: Python<'_>,
    text: &[u8],
    what: &str,
) -> PyResult<T> {
    serde_json::from_slice(text).map_err(|e| invalid(py, &format!("{what} cannot be taken: {e}")))
}
