//! Texts sealed with the key in a file.

use std::path::PathBuf;

use dalsegno_sealed::KeyFile;
use pyo3::prelude::*;

use super::fail;

/// Seals a text; the key is made where there is none.
#[pyfunction]
pub(crate) fn sonora_encrypt(py: Python<'_>, key: PathBuf, text: &str) -> PyResult<String> {
    fail::run(py, || KeyFile::new(key).seal(text))
}

#[pyfunction]
pub(crate) fn sonora_decrypt(py: Python<'_>, key: PathBuf, text: &str) -> PyResult<String> {
    fail::run(py, || KeyFile::new(key).open(text))
}
