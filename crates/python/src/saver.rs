//! Sessions that are saved by themselves. The states come from Python: the thread of the engine asks for all that are due
//! at once, and holds the interpreter's lock only for that.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, mpsc};
use std::time::Duration;

use bytes::Bytes;
use dalsegno::{AutoSave, AutoSaving, Engine, Error, ErrorKind, Result, State};
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyDict, PyString, PyTuple};

use crate::given::Asked;
use crate::handle::Kept;
use crate::show::show;
use crate::text::Text;
use crate::{error, fork};

/// What came for a session: a state, nothing to save, or why there is none.
type Answers = HashMap<String, Result<Option<State>>>;

/// Answers that the thread has not taken yet.
#[derive(Default)]
struct Gathered(Mutex<Answers>);

impl Gathered {
    fn answers(&self) -> MutexGuard<'_, Answers> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn take(&self, session: &str) -> Result<Option<State>> {
        self.answers().remove(session).unwrap_or(Ok(None))
    }
}

fn failed(why: impl Into<String>) -> Error {
    Error::new(ErrorKind::InvalidInput, why)
}

/// Asks Python for the states of `sessions`.
fn ask(py: Python<'_>, asker: &Py<PyAny>, sessions: &[String], last: bool) -> PyResult<Answers> {
    let given = asker.bind(py).call1((sessions.to_vec(), last))?;
    let mut answers = Answers::new();
    for (session, answer) in given.cast::<PyDict>()?.iter() {
        let answer = if answer.is_none() {
            Ok(None)
        } else if let Ok(why) = answer.cast::<PyString>() {
            Err(failed(why.to_cow()?))
        } else if let Ok(meant) = answer.cast::<PyTuple>() {
            let (state, intent): (Bound<'_, PyAny>, String) = meant.extract()?;
            Ok(Some(State::json(json(&state)?).intent(intent)))
        } else {
            Ok(Some(State::json(json(&answer)?)))
        };
        answers.insert(session.extract()?, answer);
    }
    Ok(answers)
}

/// JSON text: made of a value, or given.
pub(crate) fn json(answer: &Bound<'_, PyAny>) -> PyResult<Bytes> {
    if let Ok(text) = answer.cast::<Text>() {
        return Ok(text.get().0.clone());
    }
    Ok(Bytes::copy_from_slice(answer.cast::<PyBytes>()?.as_bytes()))
}

/// Saving by itself, as its store knows it.
pub(crate) struct Saving {
    core: Arc<AutoSave>,
    gathered: Arc<Gathered>,
    process: u32,
    ended: AtomicBool,
}

impl Saving {
    pub(crate) fn start(engine: &Arc<Engine>, asker: Py<PyAny>) -> Result<Self> {
        let gathered = Arc::<Gathered>::default();
        let answers = Arc::clone(&gathered);
        let core = engine.auto_save_gathering(move |sessions, last| {
            fork::asks();
            let asked = Python::try_attach(|py| {
                ask(py, &asker, sessions, last).map_err(|e| failed(e.to_string()))
            });
            let asked = asked.unwrap_or_else(|| Err(failed("the interpreter has ended")));
            *answers.answers() = asked.unwrap_or_else(|e| {
                let each = sessions.iter().map(|name| (name.clone(), Err(e.clone())));
                each.collect()
            });
        })?;
        Ok(Self {
            core: Arc::new(core),
            gathered,
            process: std::process::id(),
            ended: AtomicBool::new(false),
        })
    }

    /// Whether it is at work in this process.
    pub(crate) fn is_there(&self, _: Python<'_>) -> bool {
        self.process == std::process::id() && !self.ended.load(Ordering::Relaxed)
    }

    /// Ends its thread for a while; false where that takes longer. The interpreter's lock must not be held.
    pub(crate) fn pause(&self, patience: Duration) -> bool {
        self.core.pause(patience)
    }

    pub(crate) fn resume(&self, engine: &Arc<Engine>) {
        // Where no thread can be started, whoever waits for it is told when it is used next.
        drop(self.core.resume(engine));
    }
}

impl Drop for Saving {
    fn drop(&mut self) {
        if self.process != std::process::id() || !self.ended.load(Ordering::Relaxed) {
            // Its thread is the parent's, or is at work while the program ends: there is nothing to wait for.
            std::mem::forget(Arc::clone(&self.core));
        }
    }
}

/// Saving by itself, for Python.
#[pyclass(frozen, module = "dalsegno._dalsegno")]
pub(crate) struct Saver {
    kept: Arc<Kept>,
    saving: Arc<Saving>,
}

impl Saver {
    pub(crate) fn of(kept: Arc<Kept>, saving: Arc<Saving>) -> Self {
        Self { kept, saving }
    }

    fn check(&self, py: Python<'_>) -> PyResult<()> {
        if self.saving.is_there(py) {
            return Ok(());
        }
        let message = if self.saving.process == std::process::id() {
            "saving by itself has stopped; begin anew with auto_save()"
        } else {
            "this process was forked; the parent goes on saving: begin anew in this one with auto_save()"
        };
        Err(error::invalid(py, message))
    }
}

#[pymethods]
impl Saver {
    /// Opens a session, and saves it from now on.
    #[pyo3(signature = (session, *, every, jitter, min_change, keep))]
    fn register<'py>(
        &self,
        py: Python<'py>,
        session: String,
        every: f64,
        jitter: f64,
        min_change: u64,
        keep: Option<Asked>,
    ) -> PyResult<Bound<'py, PyAny>> {
        self.check(py)?;
        let every = Duration::try_from_secs_f64(every)
            .map_err(|_| error::invalid(py, "every is a time from 0 on, such as 1.0 seconds"))?;
        let mut how = AutoSaving::every(every)
            .jitter(jitter)
            .min_change(min_change);
        if let Some(rules) = keep {
            how = how.keep(rules.rules(py)?);
        }
        let opened = self.kept.run(py, |_| {
            let (gathered, name) = (Arc::clone(&self.saving.gathered), session.clone());
            let source = move || gathered.take(&name);
            self.saving.core.register(&session, how, source)
        })?;
        show(py, &opened)
    }

    fn touch(&self, py: Python<'_>, session: &str) -> PyResult<()> {
        self.check(py)?;
        self.saving.core.touch(session);
        Ok(())
    }

    /// Waits until a session, or all of them, are saved.
    fn save_now(
        &self,
        py: Python<'_>,
        session: Option<String>,
        timeout: Option<f64>,
    ) -> PyResult<()> {
        self.check(py)?;
        // A fork does not wait for it: it goes on afterwards.
        self.kept.run(py, |_| Ok(()))?;
        let core = Arc::clone(&self.saving.core);
        let saved = match timeout.and_then(|seconds| Duration::try_from_secs_f64(seconds).ok()) {
            Some(timeout) => py.detach(|| {
                let (answer, answered) = mpsc::channel();
                std::thread::spawn(move || answer.send(core.save_now(session.as_deref())));
                answered.recv_timeout(timeout).ok()
            }),
            None => Some(py.detach(|| core.save_now(session.as_deref()))),
        };
        match saved {
            Some(saved) => saved.map_err(|e| error::raise(py, &e)),
            None => Err(pyo3::exceptions::PyTimeoutError::new_err(
                "the save is still on its way",
            )),
        }
    }

    /// Lets a session go: closes it, or where its last state could not be saved, leaves it to `recover`.
    fn release(&self, py: Python<'_>, session: &str, saved: bool) -> PyResult<()> {
        self.check(py)?;
        self.kept.run(py, |engine| match saved {
            true => self.saving.core.release(session),
            false => engine.abandon(session),
        })
    }

    fn sessions(&self) -> Vec<String> {
        if self.saving.process == std::process::id() {
            return self.saving.core.sessions();
        }
        Vec::new()
    }

    /// Ends it, whatever is registered yet.
    fn end(&self, py: Python<'_>) -> PyResult<()> {
        self.check(py)?;
        self.saving.ended.store(true, Ordering::Relaxed);
        py.detach(|| self.saving.core.end())
            .map_err(|e| error::raise(py, &e))
    }

    /// Whether it will leave off for a moment: what is being asked for is asked for anew.
    #[getter]
    fn pausing(&self) -> bool {
        self.saving.core.is_pausing()
    }

    /// Whether it is at work, in this process.
    #[getter]
    fn running(&self, py: Python<'_>) -> bool {
        self.saving.is_there(py)
    }
}
