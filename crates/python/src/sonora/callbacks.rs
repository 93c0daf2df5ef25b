//! What a bot does in Python: it joins voice channels, finds tracks, and has plugins. Its coroutines run in the loop in
//! which the client was started.

use std::time::Duration;

use dalsegno::{Error, ErrorKind, Result};
use dalsegno_sonora::lavalink::VoiceServer;
use dalsegno_sonora::{Answer, Plugin, Provider, Track, Voice, Waiting};
use pyo3::IntoPyObjectExt;
use pyo3::prelude::*;
use pyo3_async_runtimes::{TaskLocals, into_future_with_locals};
use serde_json::Value;
use tokio::time::timeout;

use super::visit::visit;
use crate::error;

/// How long a bot may take for an answer.
const PATIENCE: Duration = Duration::from_secs(20);

/// Something of Python's that is called.
pub(super) struct Called {
    object: Py<PyAny>,
    locals: TaskLocals,
}

impl Called {
    pub(super) fn of(object: Py<PyAny>, locals: &TaskLocals) -> Self {
        Self {
            object,
            locals: locals.clone(),
        }
    }

    /// Calls something that gives a coroutine, and waits for what that answers.
    async fn ask(
        &self,
        call: impl FnOnce(&Bound<'_, PyAny>) -> PyResult<Py<PyAny>>,
    ) -> Result<Py<PyAny>> {
        let asked = attached(|py| {
            let coroutine = call(self.object.bind(py))?;
            into_future_with_locals(&self.locals, coroutine.into_bound(py))
        })?;
        match timeout(PATIENCE, asked).await {
            Ok(answer) => {
                answer.map_err(|raised| visit(|py| error::read(py, &raised)).unwrap_or_else(ended))
            }
            Err(_) => Err(Error::new(
                ErrorKind::Unreachable,
                "the bot's event loop did not answer for 20 seconds",
            )),
        }
    }
}

fn ended() -> Error {
    Error::new(ErrorKind::Storage, "the interpreter has ended")
}

fn attached<T>(work: impl FnOnce(Python<'_>) -> PyResult<T>) -> Result<T> {
    visit(|py| work(py).map_err(|e| error::read(py, &e))).unwrap_or_else(|| Err(ended()))
}

/// A coroutine function of a guild and a channel.
pub(super) struct PythonVoice(pub(super) Called);

impl Voice for PythonVoice {
    fn join(&self, guild: u64, channel: u64) -> Waiting<'_, Result<VoiceServer>> {
        Box::pin(async move {
            let given = self
                .0
                .ask(|join| Ok(join.call1((guild, channel))?.unbind()));
            let given = given.await?;
            attached(|py| {
                let given = given.bind(py);
                let text = |name: &str| given.getattr(name)?.extract::<String>();
                let channel = given.getattr("channel_id")?.extract::<u64>()?;
                let (session, token) = (text("session_id")?, text("token")?);
                Ok(VoiceServer::new(channel, session, token, text("endpoint")?))
            })
        })
    }
}

/// An object with coroutine functions `search`, `popular`, `random` and `playlist`, made by `dalsegno.sonora` so that
/// they answer tracks as JSON.
pub(super) struct PythonProvider(pub(super) Called);

impl PythonProvider {
    fn find<'a>(&'a self, verb: &'static str, words: Option<&'a str>, limit: usize) -> Answer<'a> {
        Box::pin(async move {
            let found = self.0.ask(|provider| {
                let found = match words {
                    Some(words) => provider.call_method1(verb, (words, limit))?,
                    None => provider.call_method1(verb, (limit,))?,
                };
                Ok(found.unbind())
            });
            let found = found.await?;
            let text = attached(|py| found.extract::<Vec<u8>>(py))?;
            serde_json::from_slice::<Vec<Track>>(&text).map_err(|e| {
                Error::new(ErrorKind::InvalidInput, "the provider gave no tracks").with_source(e)
            })
        })
    }
}

impl Provider for PythonProvider {
    fn search<'a>(&'a self, query: &'a str, limit: usize) -> Answer<'a> {
        self.find("search", Some(query), limit)
    }

    fn popular(&self, limit: usize) -> Answer<'_> {
        self.find("popular", None, limit)
    }

    fn random(&self, limit: usize) -> Answer<'_> {
        self.find("random", None, limit)
    }

    fn playlist<'a>(&'a self, name: &'a str, limit: usize) -> Answer<'a> {
        self.find("playlist", Some(name), limit)
    }
}

/// An object with `save` and `load`, made by `dalsegno.sonora` so that they take and give JSON.
pub(super) struct PythonPlugin {
    pub(super) name: String,
    pub(super) version: String,
    pub(super) object: Py<PyAny>,
}

impl Plugin for PythonPlugin {
    fn name(&self) -> &str {
        &self.name
    }

    fn version(&self) -> &str {
        &self.version
    }

    fn save(&self, guild: u64) -> Result<Option<Value>> {
        let text = attached(|py| {
            let state = self.object.call_method1(py, "save", (guild,))?;
            state.extract::<Option<Vec<u8>>>(py)
        })?;
        let read = |text: Vec<u8>| serde_json::from_slice(&text);
        text.map(read)
            .transpose()
            .map_err(|e| Error::new(ErrorKind::InvalidInput, "its state is no JSON").with_source(e))
    }

    fn load(&self, guild: u64, version: &str, state: &Value) -> Result<()> {
        let text = state.to_string();
        attached(|py| {
            let guild = guild.into_bound_py_any(py)?;
            self.object
                .call_method1(py, "load", (guild, version, text))
                .map(drop)
        })
    }
}
