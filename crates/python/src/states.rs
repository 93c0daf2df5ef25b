//! States in memory, for `dalsegno.claudmaster`: texts that share what they have in common.

use std::io::Write;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use dalsegno_claudmaster as claudmaster;
use pyo3::prelude::*;
use pyo3::types::{PyBool, PyBytes, PyDict, PyFloat, PyInt, PyList, PyString};

use crate::error;

/// The texts of one session's states.
#[pyclass(frozen, module = "dalsegno._dalsegno")]
pub(crate) struct States {
    texts: Arc<Mutex<claudmaster::States>>,
}

/// One of them. It is forgotten when this is.
#[pyclass(frozen, module = "dalsegno._dalsegno")]
pub(crate) struct State {
    texts: Arc<Mutex<claudmaster::States>>,
    key: claudmaster::Key,
}

/// The interpreter's lock is held meanwhile: this is work at the speed of memory, and nothing is locked when another
/// thread forks.
fn lock(texts: &Mutex<claudmaster::States>) -> MutexGuard<'_, claudmaster::States> {
    texts.lock().unwrap_or_else(PoisonError::into_inner)
}

#[pymethods]
impl States {
    #[new]
    fn new() -> Self {
        Self {
            texts: Arc::default(),
        }
    }

    fn push(&self, text: &[u8]) -> State {
        let key = lock(&self.texts).push(text);
        State {
            texts: Arc::clone(&self.texts),
            key,
        }
    }

    /// The memory held, in bytes.
    fn bytes_held(&self) -> usize {
        lock(&self.texts).bytes_held()
    }
}

#[pymethods]
impl State {
    fn text<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyBytes>> {
        let texts = lock(&self.texts);
        let text = texts.text(self.key).map_err(|e| error::raise(py, &e))?;
        Ok(PyBytes::new(py, &text))
    }
}

impl Drop for State {
    fn drop(&mut self) {
        // Where a neighbour is damaged, it stays until that goes.
        let _stays = lock(&self.texts).remove(self.key);
    }
}

/// Deeper values are left to Python.
const MAX_DEPTH: usize = 200;

/// The value as JSON from which the very same value comes back; None where there is no such text.
///
/// Only values of exactly Python's own types count: of a subclass, something would be lost.
#[pyfunction]
pub(crate) fn exact_json<'py>(value: &Bound<'py, PyAny>) -> Option<Bound<'py, PyBytes>> {
    let mut text = Vec::new();
    write(value, &mut text, MAX_DEPTH)?;
    Some(PyBytes::new(value.py(), &text))
}

fn write(value: &Bound<'_, PyAny>, text: &mut Vec<u8>, depth: usize) -> Option<()> {
    let depth = depth.checked_sub(1)?;
    if let Ok(string) = value.cast_exact::<PyString>() {
        return quote(string, text);
    }
    if value.is_none() {
        text.extend_from_slice(b"null");
    } else if let Ok(yes) = value.cast_exact::<PyBool>() {
        text.extend_from_slice(if yes.is_true() { b"true" } else { b"false" });
    } else if let Ok(number) = value.cast_exact::<PyInt>() {
        // What is wider may be too wide to be read again.
        let number: i64 = number.extract().ok()?;
        write!(text, "{number}").ok()?;
    } else if value.is_exact_instance_of::<PyFloat>() {
        let spelled = value.repr().ok()?;
        match spelled.to_str().ok()? {
            "nan" => text.extend_from_slice(b"NaN"),
            "inf" => text.extend_from_slice(b"Infinity"),
            "-inf" => text.extend_from_slice(b"-Infinity"),
            spelled => text.extend_from_slice(spelled.as_bytes()),
        }
    } else if let Ok(list) = value.cast_exact::<PyList>() {
        text.push(b'[');
        for (at, item) in list.iter().enumerate() {
            if at > 0 {
                text.push(b',');
            }
            write(&item, text, depth)?;
        }
        text.push(b']');
    } else {
        let members = value.cast_exact::<PyDict>().ok()?;
        text.push(b'{');
        for (at, (name, member)) in members.iter().enumerate() {
            if at > 0 {
                text.push(b',');
            }
            quote(name.cast_exact::<PyString>().ok()?, text)?;
            text.push(b':');
            write(&member, text, depth)?;
        }
        text.push(b'}');
    }
    Some(())
}

/// None for a lone surrogate, which UTF-8 does not have.
fn quote(string: &Bound<'_, PyString>, text: &mut Vec<u8>) -> Option<()> {
    let string = string.to_str().ok()?;
    serde_json::to_writer(text, string).ok()
}
