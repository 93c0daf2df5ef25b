//! Snapshots' files, and folders of them.

use std::path::PathBuf;

use dalsegno_sonora::{Folder, SnapshotFile, read_file, write_file};
use pyo3::prelude::*;
use pyo3::types::PyBytes;
use serde_json::{Map, Value};

use super::fail;

/// How many bytes the file of a backup of players may have.
const MOST: usize = 1 << 30;

/// Writes a text and the folders that are missing, for their owner only; whole or not at all.
#[pyfunction]
pub(crate) fn sonora_write(py: Python<'_>, path: PathBuf, text: &[u8]) -> PyResult<()> {
    fail::run(py, || write_file(&path, text))
}

/// What a file has.
#[pyfunction]
pub(crate) fn sonora_read(py: Python<'_>, path: PathBuf) -> PyResult<Bound<'_, PyBytes>> {
    let text = py
        .detach(|| read_file(&path, MOST))
        .map_err(|e| fail::raise_file(py, &e))?;
    if text.len() > MOST {
        let path = path.display();
        return Err(fail::invalid(
            py,
            &format!("{path} is larger than a backup can be"),
        ));
    }
    Ok(PyBytes::new(py, &text))
}

/// A snapshot as its file has it.
#[pyclass(frozen, module = "dalsegno._dalsegno")]
pub(crate) struct SonoraFile(SnapshotFile);

#[pymethods]
impl SonoraFile {
    #[new]
    fn new(
        py: Python<'_>,
        guild_id: u64,
        timestamp: f64,
        version: String,
        data: &[u8],
        other: &[u8],
    ) -> PyResult<Self> {
        let mut file = SnapshotFile::new(guild_id, timestamp);
        file.version = version;
        file.data = fail::value(py, data, "the snapshot's data")?;
        file.other = fail::value(py, other, "what the snapshot says of itself")?;
        Ok(Self(file))
    }

    /// Reads the text of a file.
    #[staticmethod]
    fn read(py: Python<'_>, text: Vec<u8>) -> PyResult<Self> {
        fail::run(py, || SnapshotFile::read(&text)).map(Self)
    }

    #[staticmethod]
    fn load(py: Python<'_>, path: PathBuf) -> PyResult<Self> {
        let loaded = py.detach(|| SnapshotFile::load(&path));
        loaded.map(Self).map_err(|e| fail::raise_file(py, &e))
    }

    #[staticmethod]
    fn load_sealed(py: Python<'_>, path: PathBuf, key: &str) -> PyResult<Self> {
        let loaded = py.detach(|| SnapshotFile::load_sealed(&path, key));
        loaded.map(Self).map_err(|e| fail::raise_file(py, &e))
    }

    fn save(&self, py: Python<'_>, path: PathBuf) -> PyResult<()> {
        fail::run(py, || self.0.save(&path))
    }

    fn save_sealed(&self, py: Python<'_>, path: PathBuf, key: &str) -> PyResult<()> {
        fail::run(py, || self.0.save_sealed(&path, key))
    }

    /// The text of its file, indented.
    fn write(&self, py: Python<'_>) -> PyResult<String> {
        fail::run(py, || self.0.write())
    }

    #[getter]
    fn guild_id(&self) -> u64 {
        self.0.guild_id
    }

    #[getter]
    fn timestamp(&self) -> f64 {
        self.0.timestamp
    }

    #[getter]
    fn version(&self) -> &str {
        &self.0.version
    }

    /// The checksum that it was read with.
    #[getter]
    fn checksum(&self) -> Option<&str> {
        self.0.checksum.as_deref()
    }

    /// Its data, as JSON.
    #[getter]
    fn data(&self, py: Python<'_>) -> PyResult<Vec<u8>> {
        json(py, &self.0.data)
    }

    /// What else it says about itself, as JSON.
    #[getter]
    fn other(&self, py: Python<'_>) -> PyResult<Vec<u8>> {
        json(py, &self.0.other)
    }
}

fn json(py: Python<'_>, members: &Map<String, Value>) -> PyResult<Vec<u8>> {
    serde_json::to_vec(members).map_err(|e| fail::invalid(py, &e.to_string()))
}

/// A folder of snapshots' files.
#[pyclass(frozen, module = "dalsegno._dalsegno")]
pub(crate) struct SonoraFolder(Folder);

#[pymethods]
impl SonoraFolder {
    #[new]
    fn new(path: PathBuf) -> Self {
        Self(Folder::new(path))
    }

    /// Writes a file under a name that its guild and time give; its path.
    fn save(&self, py: Python<'_>, file: &SonoraFile) -> PyResult<PathBuf> {
        fail::run(py, || self.0.save(&file.0))
    }

    /// Reads a file, or that of this name in the folder.
    fn load(&self, py: Python<'_>, path: PathBuf) -> PyResult<SonoraFile> {
        let loaded = py.detach(|| self.0.load(&path));
        loaded.map(SonoraFile).map_err(|e| fail::raise_file(py, &e))
    }

    /// The names of its files, the newest first.
    fn list(&self, py: Python<'_>, guild: Option<u64>) -> PyResult<Vec<String>> {
        fail::run(py, || self.0.list(guild))
    }

    /// Deletes the oldest of a guild; how many.
    fn prune(&self, py: Python<'_>, guild: u64, keep: usize) -> PyResult<usize> {
        fail::run(py, || self.0.prune(guild, keep))
    }
}
