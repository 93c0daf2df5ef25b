//! The snapshots that were taken of players, in the store of their bot.

use dalsegno::Amendment;
use pyo3::prelude::*;
use pyo3::types::PyBytes;
use serde_json::{Map, Value};

use super::client::SonoraCore;
use super::fail;
use crate::show::show;

#[pymethods]
impl SonoraCore {
    /// Takes a snapshot of a player: what is said of it, and its text.
    fn take_snapshot<'py>(
        &self,
        py: Python<'py>,
        guild: u64,
        name: Option<String>,
        by_timer: bool,
    ) -> PyResult<(Bound<'py, PyAny>, Bound<'py, PyBytes>)> {
        let (taken, text) = self.run(py, |bot| {
            bot.take_snapshot(guild, name.as_deref(), by_timer)
        })?;
        Ok((show(py, &taken)?, PyBytes::new(py, &text)))
    }

    /// The snapshots of a guild, the oldest first, and the ids of those that cannot be read.
    fn snapshots<'py>(
        &self,
        py: Python<'py>,
        guild: u64,
    ) -> PyResult<(Bound<'py, PyAny>, Vec<String>)> {
        let archived = self.run(py, |bot| bot.snapshots(guild, &[]))?;
        let damaged = archived.damaged.iter().map(ToString::to_string).collect();
        Ok((show(py, &archived.snapshots)?, damaged))
    }

    /// The text of a snapshot, proved.
    fn content<'py>(&self, py: Python<'py>, id: &str) -> PyResult<Bound<'py, PyBytes>> {
        let text = self.run(py, |bot| Ok(bot.engine().restore(id)?.into_text()))?;
        Ok(PyBytes::new(py, &text))
    }

    fn rename(&self, py: Python<'_>, id: &str, name: &str) -> PyResult<()> {
        self.run(py, |bot| bot.name_snapshot(id, name).map(drop))
    }

    fn describe(&self, py: Python<'_>, id: &str, description: Option<String>) -> PyResult<()> {
        let amendment = Amendment::Description(description);
        self.run(py, |bot| bot.engine().amend(id, &amendment).map(drop))
    }

    fn note(&self, py: Python<'_>, id: &str, metadata: &[u8]) -> PyResult<()> {
        let metadata: Map<String, Value> = fail::value(py, metadata, "the metadata")?;
        let amendment = Amendment::Metadata(metadata);
        self.run(py, |bot| bot.engine().amend(id, &amendment).map(drop))
    }

    /// Deletes the oldest that a timer took; how many.
    fn prune(&self, py: Python<'_>, guild: u64, keep: usize) -> PyResult<usize> {
        self.run(py, |bot| bot.prune_snapshots(guild, keep))
    }
}
