//! Errors of the engine as exceptions: the class says what the caller can do.

use dalsegno::{Error, ErrorKind};
use pyo3::exceptions::PyException;
use pyo3::prelude::*;
use pyo3::types::PyString;

use crate::migration;

/// The exception for an error.
///
/// What a step of the program's own raised is its cause; an interrupt there is raised as it is.
pub(crate) fn raise(py: Python<'_>, error: &Error) -> PyErr {
    let raised = exception(py, class_of(error.kind()), &error.to_string());
    match migration::cause(py, error) {
        Some(cause) if !cause.is_instance_of::<PyException>(py) => cause,
        Some(cause) => {
            raised.set_cause(py, Some(cause));
            raised
        }
        None => raised,
    }
}

/// The name of the class for a kind.
pub(crate) fn class_of(kind: ErrorKind) -> &'static str {
    match kind {
        ErrorKind::NotFound => "NotFoundError",
        ErrorKind::Ambiguous => "AmbiguousError",
        ErrorKind::Conflict => "ConflictError",
        ErrorKind::Locked => "LockedError",
        ErrorKind::WrongKey => "WrongKeyError",
        ErrorKind::Damaged => "DamagedError",
        ErrorKind::Denied => "AccessDeniedError",
        ErrorKind::InvalidInput => "InvalidInputError",
        ErrorKind::Unreachable => "UnreachableError",
        _ => "StorageError",
    }
}

/// The exception for an error of opening a store.
pub(crate) fn raise_store(py: Python<'_>, error: &Error) -> PyErr {
    if error.kind() == ErrorKind::NotFound {
        return exception(py, "StoreNotFoundError", &error.to_string());
    }
    raise(py, error)
}

/// What an exception says to another program: of the engine's own the kind as well.
pub(crate) fn read(py: Python<'_>, raised: &PyErr) -> Error {
    let value = raised.value(py);
    let text = value.str().map(|text| text.to_string()).unwrap_or_default();
    let own = py
        .import("dalsegno.errors")
        .and_then(|module| module.getattr("DalsegnoError"))
        .and_then(|class| value.is_instance(&class))
        .unwrap_or(false);
    let kind = value
        .getattr("kind")
        .and_then(|kind| kind.extract::<String>());
    match kind {
        Ok(kind) if own => Error::new(ErrorKind::of_word(&kind), text),
        _ => {
            let name = raised.get_type(py).name();
            let name = name.map(|name| name.to_string()).unwrap_or_default();
            let separator = if text.is_empty() { "" } else { ": " };
            Error::new(ErrorKind::InvalidInput, format!("{name}{separator}{text}"))
        }
    }
}

/// What was given cannot be accepted.
pub(crate) fn invalid(py: Python<'_>, message: &str) -> PyErr {
    exception(py, "InvalidInputError", message)
}

/// A call ended by a mistake in this program.
pub(crate) fn mistake(py: Python<'_>) -> PyErr {
    let message = "a mistake in Dalsegno ended this call; what was acknowledged before is safe. Please report it";
    exception(py, "StorageError", message)
}

fn exception(py: Python<'_>, class: &str, message: &str) -> PyErr {
    exception_of(py, "dalsegno.errors", class, message)
}

/// An exception of this class of a module.
pub(crate) fn exception_of(py: Python<'_>, module: &str, class: &str, message: &str) -> PyErr {
    let made = py
        .import(module)
        .and_then(|module| module.getattr(PyString::new(py, class)))
        .and_then(|class| class.call1((message,)));
    match made {
        Ok(made) => PyErr::from_value(made),
        Err(error) => error,
    }
}
