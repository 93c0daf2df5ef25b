//! Attending to what other programs ask for. The engine's thread calls Python, and has no hold on the store meanwhile.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use dalsegno::{
    Attendant, Engine, Error, ErrorKind, Peer, Reply, Request, Restored, Result, State,
};
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyTuple};

use crate::handle::Kept;
use crate::saver::json;
use crate::show::show;
use crate::text::Text;
use crate::{error, given};

/// The program: an object with a method for each call.
struct Program(Py<PyAny>);

impl Program {
    fn call<T>(&self, work: impl FnOnce(&Bound<'_, PyAny>) -> PyResult<T>) -> Result<T> {
        Python::try_attach(|py| work(self.0.bind(py)).map_err(|e| error::read(py, &e)))
            .unwrap_or_else(|| Err(Error::new(ErrorKind::Storage, "the interpreter has ended")))
    }
}

/// What Python gets of a request: its session, verb, arguments and state, and who asks.
fn told<'py>(py: Python<'py>, request: &Request) -> PyResult<Bound<'py, PyAny>> {
    let state = request.state.clone().map(Text);
    let told = (
        &request.session,
        &request.verb,
        show(py, &request.arguments)?,
        state,
        show(py, &request.by)?,
    );
    Ok(told.into_pyobject(py)?.into_any())
}

impl Attendant for Program {
    fn asked(&mut self, request: &Request) -> Result<Reply> {
        self.call(|program| {
            let py = program.py();
            let answer = program.call_method1("asked", (told(py, request)?,))?;
            if answer.is_none() {
                return Ok(Reply::CarryOut);
            }
            let value = given::value(py, &json(&answer)?, "the answer")?;
            Ok(Reply::Answer(value))
        })
    }

    fn load(&mut self, request: &Request, state: &Restored) -> Result<bool> {
        let text = state.current()?;
        self.call(|program| {
            let py = program.py();
            let text = PyBytes::new(py, &text);
            let loaded = program.call_method1("load", (told(py, request)?, text))?;
            loaded.extract()
        })
    }

    fn failed(&mut self, request: &Request, error: &Error) {
        let _told = self.call(|program| {
            let py = program.py();
            let error = error::raise(py, error).into_value(py);
            program.call_method1("failed", (told(py, request)?, error))?;
            Ok(())
        });
    }

    fn freeze(&mut self, session: &str, to: &Peer) -> Result<Option<State>> {
        self.call(|program| {
            let state = program.call_method1("freeze", (session, show(program.py(), to)?))?;
            if state.is_none() {
                return Ok(None);
            }
            let Ok(meant) = state.cast::<PyTuple>() else {
                return Ok(Some(State::json(json(&state)?)));
            };
            let (state, intent): (Bound<'_, PyAny>, String) = meant.extract()?;
            Ok(Some(State::json(json(&state)?).intent(intent)))
        })
    }

    fn unfreeze(&mut self, session: &str, why: &str) {
        let _told = self.call(|program| program.call_method1("unfreeze", (session, why)).map(drop));
    }

    fn handed_over(&mut self, session: &str, to: &Peer) {
        let _told = self.call(|program| {
            let to = show(program.py(), to)?;
            program.call_method1("handed_over", (session, to)).map(drop)
        });
    }
}

/// Attending, as its store knows it.
pub(crate) struct Post {
    core: Arc<dalsegno::Attending>,
    process: u32,
    left: AtomicBool,
    ended: AtomicBool,
}

impl Post {
    pub(crate) fn start(engine: &Arc<Engine>, program: Py<PyAny>) -> Result<Self> {
        Ok(Self {
            core: Arc::new(engine.attend(Program(program))?),
            process: std::process::id(),
            left: AtomicBool::new(false),
            ended: AtomicBool::new(false),
        })
    }

    /// Whether its thread is there, in this process.
    pub(crate) fn is_there(&self, _: Python<'_>) -> bool {
        self.process == std::process::id() && !self.ended.load(Ordering::Relaxed)
    }

    /// Lets go of the engine; false where that takes longer. The interpreter's lock must not be held.
    pub(crate) fn pause(&self, patience: Duration) -> bool {
        self.core.pause(patience)
    }

    pub(crate) fn resume(&self, engine: &Arc<Engine>) {
        self.core.resume(engine);
    }
}

impl Drop for Post {
    fn drop(&mut self) {
        if self.process != std::process::id() || !self.ended.load(Ordering::Relaxed) {
            // Its thread is the parent's, or is at work while the program ends: there is nothing to wait for.
            std::mem::forget(Arc::clone(&self.core));
        }
    }
}

/// Attending, for Python.
#[pyclass(frozen, module = "dalsegno._dalsegno")]
pub(crate) struct Attending {
    kept: Arc<Kept>,
    post: Arc<Post>,
}

impl Attending {
    pub(crate) fn of(kept: Arc<Kept>, post: Arc<Post>) -> Self {
        Self { kept, post }
    }
}

#[pymethods]
impl Attending {
    /// Whoever asks from now on is told that nobody attends. Waits for nothing that the program does.
    fn leave(&self, py: Python<'_>) -> PyResult<()> {
        if self.running(py) {
            self.post.left.store(true, Ordering::Relaxed);
            self.kept.run(py, |_| {
                self.post.core.leave();
                Ok(())
            })?;
        }
        Ok(())
    }

    /// Waits so many seconds for the end of what was begun; false where it goes on.
    fn has_ended(&self, py: Python<'_>, seconds: f64) -> bool {
        if !self.post.is_there(py) {
            return true;
        }
        let patience = Duration::try_from_secs_f64(seconds).unwrap_or(Duration::ZERO);
        let ended = py.detach(|| self.post.core.has_ended(patience));
        if ended {
            self.post.ended.store(true, Ordering::Relaxed);
        }
        ended
    }

    /// Whether it attends, in this process.
    #[getter]
    fn running(&self, py: Python<'_>) -> bool {
        self.post.is_there(py) && !self.post.left.load(Ordering::Relaxed)
    }
}
