//! A bot: its nodes, its players, and the store that keeps them.

use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use dalsegno::retention::Rules;
use dalsegno::{Error, ErrorKind, Result};
use dalsegno_sonora::lavalink::{Address, Password};
use dalsegno_sonora::{Bot, Hold, Keeping, Options, Recovery};
use pyo3::IntoPyObjectExt;
use pyo3::prelude::*;
use pyo3::types::PyBytes;
use pyo3_async_runtimes::TaskLocals;

use super::callbacks::{Called, PythonPlugin, PythonProvider, PythonVoice};
use super::player::SonoraPlayer;
use super::runtime::{awaitable, done, runtime, wait};
use super::stored::Stored;
use super::visit::visit;
use super::{fail, told};
use crate::show::show;
use crate::{fork, place};

/// A node, as Python names it.
#[derive(FromPyObject)]
#[pyo3(from_item_all)]
struct Node {
    name: String,
    host: String,
    port: u16,
    secure: bool,
    password: Option<String>,
    password_file: Option<PathBuf>,
    password_env: Option<String>,
}

impl Node {
    fn address(&self) -> Result<Address> {
        let password = match (&self.password, &self.password_file, &self.password_env) {
            (Some(password), None, None) => Password::new(password),
            (None, Some(path), None) => Password::from_file(path)?,
            (None, None, Some(name)) => Password::from_environment(name)?,
            _ => {
                return Err(Error::new(
                    ErrorKind::InvalidInput,
                    format!(
                        "the node {} needs its password: give one of password, password_file and password_env",
                        self.name
                    ),
                ));
            }
        };
        Ok(Address::new(&self.host, self.port, password).secure(self.secure))
    }
}

/// How a bot is started.
#[derive(FromPyObject)]
#[pyo3(from_item_all)]
struct Asked {
    nodes: Vec<Node>,
    user_id: u64,
    stored: Stored,
    app: String,
    every: f64,
    resume: f64,
    fail_over: f64,
    settle: f64,
    voice: Option<Py<PyAny>>,
    provider: Option<Py<PyAny>>,
    plugins: Vec<(String, String, Py<PyAny>)>,
    listener: Py<PyAny>,
}

impl Asked {
    fn options(&self, py: Python<'_>, locals: &TaskLocals) -> PyResult<Options> {
        let called = |object: &Py<PyAny>| Called::of(object.clone_ref(py), locals);
        let mut options = Options::new(self.user_id)
            .resume(seconds(py, self.resume, "resume")?)
            .fail_over(seconds(py, self.fail_over, "fail_over")?)
            .hold(Hold {
                settle: seconds(py, self.settle, "settle")?,
                ..Hold::default()
            });
        for node in &self.nodes {
            let address = node.address().map_err(|e| fail::raise(py, &e))?;
            options = options.node(&node.name, address);
        }
        if let Some(voice) = &self.voice {
            options = options.voice(Arc::new(PythonVoice(called(voice))));
        }
        if let Some(provider) = &self.provider {
            options = options.provider(Arc::new(PythonProvider(called(provider))));
        }
        for (name, version, object) in &self.plugins {
            options = options.plugin(Arc::new(PythonPlugin {
                name: name.clone(),
                version: version.clone(),
                object: object.clone_ref(py),
            }));
        }
        Ok(options)
    }
}

fn seconds(py: Python<'_>, given: f64, what: &str) -> PyResult<Duration> {
    Duration::try_from_secs_f64(given)
        .map_err(|_| fail::invalid(py, &format!("{what} is a number of seconds from 0 on")))
}

/// A bot that runs.
pub(super) struct Running {
    pub(super) bot: Bot,
    /// With which its store was opened.
    pub(super) options: dalsegno::Options,
    hold: Option<fork::Hold>,
}

impl Drop for Running {
    fn drop(&mut self) {
        let mut hold = self.hold.take();
        visit(|_| drop(hold.take()));
        // At the end of the program, nobody asks for it any more.
        std::mem::forget(hold);
    }
}

/// A bot, for Python.
#[pyclass(frozen, module = "dalsegno._dalsegno")]
pub(crate) struct SonoraCore {
    running: Mutex<Option<Arc<Running>>>,
    recovery: Recovery,
    process: u32,
}

impl SonoraCore {
    pub(super) fn running(&self) -> Result<Arc<Running>> {
        // In a forked process, another thread may have had it.
        runtime()?;
        let running = self.running.lock().unwrap_or_else(PoisonError::into_inner);
        running.clone().ok_or_else(|| {
            Error::new(
                ErrorKind::Conflict,
                "the client was closed; make another one",
            )
        })
    }

    /// Runs `work` on the bot without the interpreter's lock.
    pub(super) fn run<T: Send>(
        &self,
        py: Python<'_>,
        work: impl FnOnce(&Bot) -> Result<T> + Send,
    ) -> PyResult<T> {
        let running = self.running().map_err(|e| fail::raise(py, &e))?;
        // The last one to have it may wait for Python.
        fail::run(py, move || work(&running.bot))
    }
}

#[pymethods]
impl SonoraCore {
    /// Starts a bot: to be awaited.
    #[staticmethod]
    fn start<'py>(py: Python<'py>, asked: Asked) -> PyResult<Bound<'py, PyAny>> {
        runtime().map_err(|e| fail::raise(py, &e))?;
        let locals = TaskLocals::with_running_loop(py)?.copy_context(py)?;
        let options = asked.options(py, &locals)?;
        let hold = fork::Hold::begin(py).map_err(|e| fail::raise(py, &e))?;
        let keeping = Keeping {
            app: asked.app,
            every: seconds(py, asked.every, "every")?,
            keep: Some(Rules::new().keep_last(100).keep_hourly(24).keep_daily(7)),
            name: None,
        };
        let way = asked.stored.options(py, &keeping.app);
        let way = way.map_err(|e| fail::raise(py, &e))?;
        let (path, listener) = (asked.stored.path, asked.listener);
        let started = async move {
            let store_options = way.clone();
            let opened =
                tokio::task::spawn_blocking(move || place::open(&way, &path, true).map(Arc::new));
            let engine = opened.await.unwrap_or_else(|e| {
                Err(Error::new(ErrorKind::Storage, "the work was given up").with_source(e))
            })?;
            let (bot, recovery) = Bot::start(engine, options, keeping).await?;
            tokio::spawn(told::tell(bot.client().subscribe(), locals, listener));
            let hold = Some(hold);
            let running = Running {
                bot,
                options: store_options,
                hold,
            };
            Ok((running, recovery))
        };
        awaitable(py, started, |py, (running, recovery)| {
            let core = Self {
                running: Mutex::new(Some(Arc::new(running))),
                recovery,
                process: std::process::id(),
            };
            core.into_py_any(py)
        })
    }

    /// Whether it runs, in this process.
    #[getter(running)]
    fn is_running(&self) -> bool {
        self.running().is_ok()
    }

    /// What was found at the start.
    #[getter]
    fn recovery<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        show(py, &self.recovery)
    }

    /// Its nodes: their names, whether they are up, and their sessions.
    #[getter]
    fn nodes(&self, py: Python<'_>) -> PyResult<Vec<(String, bool, Option<String>)>> {
        self.run(py, |bot| {
            let nodes = bot.client().nodes().iter();
            let shown = nodes.map(|node| (node.name().to_owned(), node.is_up(), node.session()));
            Ok(shown.collect())
        })
    }

    /// The guilds that have players.
    fn guilds(&self, py: Python<'_>) -> PyResult<Vec<u64>> {
        self.run(py, |bot| {
            let players = bot.client().players();
            Ok(players.iter().map(dalsegno_sonora::Player::guild).collect())
        })
    }

    /// The player of a guild, where there is one.
    fn player(&self, py: Python<'_>, guild: u64) -> PyResult<Option<SonoraPlayer>> {
        self.run(py, |bot| {
            Ok(bot.client().player(guild).map(SonoraPlayer::of))
        })
    }

    /// The player of a guild, which is made: to be awaited.
    fn get_player<'py>(&self, py: Python<'py>, guild: u64) -> PyResult<Bound<'py, PyAny>> {
        let running = self.running().map_err(|e| fail::raise(py, &e))?;
        let player = async move { running.bot.get_player(guild).await };
        awaitable(py, player, |py, player| {
            SonoraPlayer::of(player).into_py_any(py)
        })
    }

    /// Ends a player: to be awaited.
    fn destroy<'py>(&self, py: Python<'py>, guild: u64) -> PyResult<Bound<'py, PyAny>> {
        let running = self.running().map_err(|e| fail::raise(py, &e))?;
        done(py, async move { running.bot.destroy(guild).await })
    }

    /// Saves a player, or all: to be awaited.
    fn save<'py>(&self, py: Python<'py>, guild: Option<u64>) -> PyResult<Bound<'py, PyAny>> {
        let running = self.running().map_err(|e| fail::raise(py, &e))?;
        done(py, async move { running.bot.save(guild).await })
    }

    /// The tracks that a node finds by an identifier, as JSON: to be awaited.
    fn load_tracks<'py>(&self, py: Python<'py>, identifier: String) -> PyResult<Bound<'py, PyAny>> {
        let running = self.running().map_err(|e| fail::raise(py, &e))?;
        let found = async move {
            let nodes = running.bot.client().nodes();
            let node = nodes
                .iter()
                .find(|node| node.is_up())
                .ok_or_else(|| Error::new(ErrorKind::Unreachable, "no node is connected"))?;
            let tracks = node.rest().load(&identifier).await?.into_tracks();
            serde_json::to_vec(&tracks).map_err(|e| {
                Error::new(ErrorKind::InvalidInput, "its tracks are no JSON").with_source(e)
            })
        };
        awaitable(py, found, |py, text| {
            PyBytes::new(py, &text).into_py_any(py)
        })
    }

    /// Closes it: to be awaited.
    fn stop<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        let running = self.running().map_err(|e| fail::raise(py, &e))?;
        self.forget();
        done(py, async move { running.bot.stop().await })
    }

    /// Closes it at the end of the program.
    fn finish(&self, py: Python<'_>) -> PyResult<()> {
        let Ok(running) = self.running() else {
            return Ok(());
        };
        self.forget();
        wait(py, async move { running.bot.stop().await })
    }
}

impl SonoraCore {
    fn forget(&self) {
        let mut running = self.running.lock().unwrap_or_else(PoisonError::into_inner);
        drop(running.take());
    }
}

impl Drop for SonoraCore {
    fn drop(&mut self) {
        let running = self
            .running
            .get_mut()
            .unwrap_or_else(PoisonError::into_inner)
            .take();
        let Some(running) = running else { return };
        if self.process != std::process::id() {
            // It is the parent's: its threads are not here.
            std::mem::forget(running);
            return;
        }
        // Its end waits for a save, which may ask Python for states.
        if let Ok(runtime) = runtime() {
            runtime.spawn_blocking(move || drop(running));
        }
    }
}
