//! The snapshots that were taken of players, in the store of their bot.

use std::ops::ControlFlow;
use std::path::PathBuf;

use dalsegno::{Action, Amendment, Engine, Options, Repair, RepairSource, SnapshotId};
use dalsegno_sonora::Component;
use pyo3::IntoPyObjectExt;
use pyo3::prelude::*;
use pyo3::types::PyBytes;
use serde_json::{Map, Value};

use super::client::SonoraCore;
use super::fail;
use super::player::SonoraPlayer;
use super::runtime::awaitable;
use crate::show::show;
use crate::verb::repair::opened;

#[pymethods]
impl SonoraCore {
    /// Takes a snapshot of a player: what is said of it, and its text.
    fn take_snapshot<'py>(
        &self,
        py: Python<'py>,
        guild: u64,
        name: Option<String>,
        by_timer: bool,
        behalf: Option<&str>,
    ) -> PyResult<(Bound<'py, PyAny>, Bound<'py, PyBytes>)> {
        let (taken, text) = self.run(py, |bot| {
            bot.take_snapshot(guild, name.as_deref(), by_timer, behalf)
        })?;
        Ok((show(py, &taken)?, PyBytes::new(py, &text)))
    }

    /// Makes a player what a snapshot's data says, for somebody: to be awaited. What became of it, and why the audit log
    /// could not be told, where that is so. `of` is the snapshot, where it is of this store.
    fn load<'py>(
        &self,
        py: Python<'py>,
        player: &SonoraPlayer,
        data: &[u8],
        components: Vec<String>,
        behalf: Option<String>,
        of: Option<&str>,
    ) -> PyResult<Bound<'py, PyAny>> {
        let words = components.iter().map(String::as_str);
        let components = Component::parse(words).map_err(|e| fail::raise(py, &e))?;
        let data: Value = fail::value(py, data, "the snapshot's data")?;
        let of: Option<SnapshotId> = of
            .map(str::parse)
            .transpose()
            .map_err(|e| fail::raise(py, &e))?;
        let running = self.running().map_err(|e| fail::raise(py, &e))?;
        let player = player.player();
        let loaded = async move {
            let loaded = player.load(&data, &components).await?;
            let Some(who) = behalf else {
                return Ok((loaded, None));
            };
            let told = tokio::task::spawn_blocking(move || {
                let (engine, session) = (running.bot.engine(), running.bot.session(player.guild()));
                engine.audit_done(Action::Restore, &session, &who, of)
            });
            // The player is what the snapshot says all the same.
            let not_told = match told.await {
                Ok(told) => told.err().map(|e| e.to_string()),
                Err(e) => Some(e.to_string()),
            };
            Ok((loaded, not_told))
        };
        awaitable(py, loaded, |py, (loaded, not_told)| {
            (show(py, &loaded)?, not_told).into_py_any(py)
        })
    }

    /// Says in the audit log that an action was denied to somebody.
    fn denied(&self, py: Python<'_>, guild: u64, action: &str, who: &str) -> PyResult<()> {
        let action: Action = action.parse().map_err(|e| fail::raise(py, &e))?;
        self.run(py, |bot| {
            let session = bot.session(guild);
            bot.engine().audit_denied(action, Some(&session), who)
        })
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

    /// What is said of a snapshot.
    fn record<'py>(&self, py: Python<'py>, id: &str) -> PyResult<Bound<'py, PyAny>> {
        let record = self.run(py, |bot| bot.engine().info(id))?;
        show(py, &record)
    }

    /// Repairs the store, from the newest backup that it knows of where no source is given; what became of it.
    fn repair<'py>(&self, py: Python<'py>, sources: Vec<PathBuf>) -> PyResult<Bound<'py, PyAny>> {
        let running = self.running().map_err(|e| fail::raise(py, &e))?;
        let repairs = fail::run(py, move || {
            let (engine, options) = (running.bot.engine(), &running.options);
            let sources = match &sources[..] {
                [] => newest_backup(engine, options).into_iter().collect(),
                given => opened(options, given, &engine.path().unwrap_or_default())?,
            };
            let sources = sources.iter().map(|it| &**it);
            engine.repair(&sources.fold(Repair::default(), Repair::from))
        })?;
        show(py, &repairs)
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

/// Of those that the store knows of, the newest backup that can be read.
fn newest_backup(engine: &Engine, options: &Options) -> Option<RepairSource> {
    // What is damaged there is no reason not to repair.
    let known = engine.known_backups().unwrap_or_default();
    let store = engine.path().unwrap_or_default();
    let mut there = known.iter().rev().filter(|backup| backup.is_there);
    there.find_map(|backup| {
        let options = options.clone();
        let opened = options.open_source(&backup.path, &store, &mut |_| ControlFlow::Continue(()));
        opened.ok()
    })
}
