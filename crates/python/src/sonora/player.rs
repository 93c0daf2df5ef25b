//! A player: what it is asked for, and what it is told.

use dalsegno::Result;
use dalsegno_sonora::lavalink::VoiceServer;
use dalsegno_sonora::{Filters, LoopMode, Player, State, Track};
use pyo3::prelude::*;
use pyo3::types::PyBytes;
use serde_json::{Map, Value};

use super::fail;
use super::runtime::{awaitable, done, runtime, wait};
use crate::show::show;

/// A player of a guild.
#[pyclass(frozen, module = "dalsegno._dalsegno")]
pub(crate) struct SonoraPlayer(Player);

impl SonoraPlayer {
    pub(super) fn of(player: Player) -> Self {
        Self(player)
    }

    pub(super) fn player(&self) -> Player {
        self.0.clone()
    }

    /// Its state. In a forked process, another thread may have had the lock.
    pub(super) fn state(&self, py: Python<'_>) -> PyResult<State> {
        runtime().map_err(|e| fail::raise(py, &e))?;
        Ok(py.detach(|| self.0.state()))
    }

    pub(super) fn edit<T: Send>(
        &self,
        py: Python<'_>,
        intent: Option<&str>,
        change: impl FnOnce(&mut State) -> Result<T> + Send,
    ) -> PyResult<T> {
        fail::run(py, || {
            runtime()?;
            self.0.edit(intent, change)
        })
    }
}

/// A track, as JSON.
pub(super) fn track(py: Python<'_>, text: &[u8]) -> PyResult<Track> {
    fail::value(py, text, "the track")
}

pub(super) fn json<'py, T: serde::Serialize + ?Sized>(
    py: Python<'py>,
    value: &T,
) -> PyResult<Bound<'py, PyBytes>> {
    let text = serde_json::to_vec(value).map_err(|e| fail::invalid(py, &e.to_string()))?;
    Ok(PyBytes::new(py, &text))
}

#[pymethods]
impl SonoraPlayer {
    #[getter]
    fn guild_id(&self) -> u64 {
        self.0.guild()
    }

    /// The current track, as JSON.
    #[getter]
    fn current<'py>(&self, py: Python<'py>) -> PyResult<Option<Bound<'py, PyBytes>>> {
        let current = self.state(py)?.queue.current;
        current.map(|track| json(py, &track)).transpose()
    }

    #[getter]
    fn volume(&self, py: Python<'_>) -> PyResult<u16> {
        Ok(self.state(py)?.volume)
    }

    #[getter]
    fn paused(&self, py: Python<'_>) -> PyResult<bool> {
        Ok(self.state(py)?.paused)
    }

    #[getter]
    fn position(&self, py: Python<'_>) -> PyResult<u64> {
        Ok(self.state(py)?.position())
    }

    #[getter]
    fn connected(&self, py: Python<'_>) -> PyResult<bool> {
        Ok(self.state(py)?.connected)
    }

    #[getter]
    fn channel_id(&self, py: Python<'_>) -> PyResult<Option<u64>> {
        Ok(self.state(py)?.channel)
    }

    /// Where it is: the node's name, and its session.
    #[getter]
    fn whereabouts(&self, py: Python<'_>) -> PyResult<(Option<String>, Option<String>)> {
        runtime().map_err(|e| fail::raise(py, &e))?;
        let at = py.detach(|| self.0.whereabouts());
        Ok((at.node, at.session))
    }

    /// The names of what is on, and all filters with their parameters.
    #[getter]
    fn filters<'py>(&self, py: Python<'py>) -> PyResult<(Vec<String>, Bound<'py, PyAny>)> {
        let filters = self.state(py)?.filters;
        Ok((filters.active().to_vec(), show(py, filters.config())?))
    }

    #[getter]
    fn autoplay<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        show(py, &self.state(py)?.autoplay.stored())
    }

    #[getter]
    fn loop_mode(&self, py: Python<'_>) -> PyResult<&'static str> {
        Ok(self.state(py)?.queue.loop_mode.as_str())
    }

    #[getter]
    fn shuffle_enabled(&self, py: Python<'_>) -> PyResult<bool> {
        Ok(self.state(py)?.queue.shuffle_enabled)
    }

    #[getter]
    fn settings<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        show(py, &self.state(py)?.settings)
    }

    fn set_loop_mode(&self, py: Python<'_>, word: &str) -> PyResult<()> {
        self.edit(py, None, |state| {
            state.queue.loop_mode = word.parse::<LoopMode>()?;
            Ok(())
        })
    }

    fn set_shuffle_enabled(&self, py: Python<'_>, enabled: bool) -> PyResult<()> {
        self.edit(py, None, |state| {
            state.queue.shuffle_enabled = enabled;
            Ok(())
        })
    }

    fn set_settings(&self, py: Python<'_>, settings: &[u8]) -> PyResult<()> {
        let settings: Map<String, Value> = fail::value(py, settings, "the settings")?;
        self.edit(py, None, |state| {
            state.settings = settings;
            Ok(())
        })
    }

    fn configure_autoplay(&self, py: Python<'_>, config: &[u8]) -> PyResult<()> {
        let config: Map<String, Value> = fail::value(py, config, "the settings of autoplay")?;
        self.edit(py, None, |state| state.autoplay.configure(&config))
    }

    /// Sets the volume, and waits until the node has it.
    fn set_volume(&self, py: Python<'_>, volume: u16) -> PyResult<()> {
        let player = self.0.clone();
        wait(py, async move { player.set_volume(volume).await })
    }

    fn set_paused(&self, py: Python<'_>, paused: bool) -> PyResult<()> {
        let player = self.0.clone();
        wait(py, async move { player.pause(paused).await })
    }

    // What follows is to be awaited.

    fn volume_to<'py>(&self, py: Python<'py>, volume: u16) -> PyResult<Bound<'py, PyAny>> {
        let player = self.0.clone();
        done(py, async move { player.set_volume(volume).await })
    }

    fn pause<'py>(&self, py: Python<'py>, paused: bool) -> PyResult<Bound<'py, PyAny>> {
        let player = self.0.clone();
        done(py, async move { player.pause(paused).await })
    }

    /// Plays a track now.
    fn play<'py>(&self, py: Python<'py>, text: &[u8]) -> PyResult<Bound<'py, PyAny>> {
        let (player, track) = (self.0.clone(), track(py, text)?);
        done(py, async move { player.play(track).await })
    }

    fn stop<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        let player = self.0.clone();
        done(py, async move { player.stop().await })
    }

    fn skip<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        let player = self.0.clone();
        done(py, async move { player.skip().await })
    }

    fn skip_to<'py>(&self, py: Python<'py>, position: usize) -> PyResult<Bound<'py, PyAny>> {
        let player = self.0.clone();
        done(py, async move { player.skip_to(position).await })
    }

    fn back<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        let player = self.0.clone();
        done(py, async move { player.back().await })
    }

    fn seek<'py>(&self, py: Python<'py>, position: u64) -> PyResult<Bound<'py, PyAny>> {
        let player = self.0.clone();
        done(py, async move { player.seek(position).await })
    }

    fn join<'py>(&self, py: Python<'py>, channel: u64) -> PyResult<Bound<'py, PyAny>> {
        let player = self.0.clone();
        done(py, async move { player.join(channel).await })
    }

    fn connect<'py>(
        &self,
        py: Python<'py>,
        channel: u64,
        session: String,
        token: String,
        endpoint: String,
    ) -> PyResult<Bound<'py, PyAny>> {
        let player = self.0.clone();
        let voice = VoiceServer::new(channel, session, token, endpoint);
        done(py, async move { player.connect(voice).await })
    }

    /// Changes one filter, by what is to be done with it.
    fn change_filter<'py>(
        &self,
        py: Python<'py>,
        verb: &str,
        name: String,
        value: &[u8],
    ) -> PyResult<Bound<'py, PyAny>> {
        let mut filters: Filters = self.state(py)?.filters;
        let changed = match verb {
            "set" => filters.set(&name, fail::value(py, value, "the filter")?),
            "preset" => filters.preset(&name),
            "remove" => {
                filters.remove(&name);
                Ok(())
            }
            _ => {
                filters.clear();
                Ok(())
            }
        };
        changed.map_err(|e| fail::raise(py, &e))?;
        let player = self.0.clone();
        done(py, async move { player.set_filters(filters).await })
    }

    fn reset<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        let player = self.0.clone();
        awaitable(py, async move { player.reset().await }, |py, loaded| {
            Ok(show(py, &loaded)?.unbind())
        })
    }
}
