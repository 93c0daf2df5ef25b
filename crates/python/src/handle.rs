//! A store that Python holds: opened when it is used, closed before forks and at the end.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use dalsegno::store::SqliteOptions;
use dalsegno::{Engine, Error, ErrorKind, Options};
use pyo3::prelude::*;

use crate::{error, fork, place};

/// A store and what it takes to open it again.
#[pyclass(frozen, module = "dalsegno._dalsegno")]
pub(crate) struct Handle {
    kept: Arc<Kept>,
}

/// What is kept of a store between calls.
pub(crate) struct Kept {
    /// Absolute: the working directory may be another when it is opened again.
    path: PathBuf,
    options: Options,
    /// Locked only by whoever holds the interpreter's lock, for a moment.
    state: Mutex<State>,
}

enum State {
    Open(Arc<Engine>),
    /// To be opened when it is used.
    Resting,
    Closed,
}

impl Kept {
    fn state(&self, _: Python<'_>) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes the engine out, to be closed or forgotten by the caller.
    pub(crate) fn take(&self, py: Python<'_>) -> Option<Arc<Engine>> {
        let mut state = self.state(py);
        match std::mem::replace(&mut *state, State::Closed) {
            State::Open(engine) => {
                *state = State::Resting;
                Some(engine)
            }
            other => {
                *state = other;
                None
            }
        }
    }

    /// The engine, opened if need be.
    fn engine(&self, py: Python<'_>) -> dalsegno::Result<Arc<Engine>> {
        match &*self.state(py) {
            State::Open(engine) => return Ok(Arc::clone(engine)),
            State::Resting => {}
            State::Closed => {
                return Err(Error::new(
                    ErrorKind::InvalidInput,
                    "the engine is closed; open the store again with dalsegno.open()",
                ));
            }
        }
        let opened = py.detach(|| self.options.clone().open(&self.path))?;
        let opened = Arc::new(opened);
        let mut state = self.state(py);
        match &*state {
            // Another thread was faster.
            State::Open(engine) => {
                let engine = Arc::clone(engine);
                drop(state);
                py.detach(|| drop(opened));
                Ok(engine)
            }
            _ => {
                let closed = matches!(*state, State::Closed);
                if !closed {
                    *state = State::Open(Arc::clone(&opened));
                }
                Ok(opened)
            }
        }
    }
}

impl Handle {
    /// Runs `work` on the engine without the interpreter's lock.
    pub(crate) fn run<T: Send>(
        &self,
        py: Python<'_>,
        work: impl FnOnce(&Engine) -> dalsegno::Result<T> + Send,
    ) -> PyResult<T> {
        self.call(py, |engine| Ok(work(&engine)))
            .and_then(|done| done.map_err(|e| error::raise(py, &e)))
    }

    fn call<T: Send>(
        &self,
        py: Python<'_>,
        work: impl FnOnce(Arc<Engine>) -> PyResult<T> + Send,
    ) -> PyResult<T> {
        fork::enter(py).map_err(|e| error::raise(py, &e))?;
        let engine = self.kept.engine(py);
        let done = match engine {
            Ok(engine) => {
                // A mistake in this program ends the call, not the interpreter.
                py.detach(|| catch_unwind(AssertUnwindSafe(|| work(engine))))
                    .unwrap_or_else(|_| Err(error::mistake(py)))
            }
            Err(e) => Err(error::raise(py, &e)),
        };
        fork::leave(py);
        done
    }
}

#[pymethods]
impl Handle {
    #[new]
    #[pyo3(signature = (path, create, read_only, cache_bytes, busy_timeout))]
    fn open(
        py: Python<'_>,
        path: Option<PathBuf>,
        create: bool,
        read_only: bool,
        cache_bytes: Option<usize>,
        busy_timeout: f64,
    ) -> PyResult<Self> {
        let busy_timeout = Duration::try_from_secs_f64(busy_timeout).map_err(|_| {
            error::invalid(
                py,
                "busy_timeout is a number of seconds from 0 on, such as 10.0",
            )
        })?;
        let mut options = Options::default().sqlite(SqliteOptions {
            busy_timeout,
            read_only,
            ..SqliteOptions::default()
        });
        if let Some(bytes) = cache_bytes {
            options = options.cache_bytes(bytes);
        }
        let path = match path {
            Some(path) => path,
            None => place::usual(create).map_err(|e| error::raise_store(py, &e))?,
        };
        let path = std::path::absolute(&path)
            .map_err(|e| error::raise_store(py, &Error::io(path.display(), e)))?;
        fork::enter(py).map_err(|e| error::raise(py, &e))?;
        let opened = py.detach(|| {
            catch_unwind(AssertUnwindSafe(|| {
                place::open(&options, &path, create && !read_only)
            }))
        });
        let made = match opened {
            Ok(Ok(engine)) => {
                let path = engine.path().unwrap_or(path);
                let kept = Arc::new(Kept {
                    path,
                    options,
                    state: Mutex::new(State::Open(Arc::new(engine))),
                });
                fork::keep(py, &kept);
                Ok(Self { kept })
            }
            Ok(Err(e)) => Err(error::raise_store(py, &e)),
            Err(_) => Err(error::mistake(py)),
        };
        fork::leave(py);
        made
    }

    /// The store's file.
    #[getter]
    fn path(&self) -> PathBuf {
        self.kept.path.clone()
    }

    #[getter]
    fn closed(&self, py: Python<'_>) -> bool {
        matches!(*self.kept.state(py), State::Closed)
    }

    #[getter]
    fn read_only(&self, py: Python<'_>) -> PyResult<bool> {
        self.run(py, |engine| Ok(engine.is_read_only()))
    }

    fn flush(&self, py: Python<'_>) -> PyResult<()> {
        self.run(py, Engine::flush)
    }

    /// Finishes what was submitted and closes the store. Doing it again does nothing.
    fn close(&self, py: Python<'_>) -> PyResult<()> {
        if self.closed(py) {
            return Ok(());
        }
        let entered = fork::enter(py);
        let before = std::mem::replace(&mut *self.kept.state(py), State::Closed);
        let closed = match (before, &entered) {
            (State::Open(engine), Ok(())) => py.detach(|| match Arc::try_unwrap(engine) {
                Ok(engine) => engine.close(),
                // A call of another thread is the last to use it, and closes it.
                Err(engine) => engine.flush(),
            }),
            _ => Ok(()),
        };
        if entered.is_ok() {
            fork::leave(py);
        }
        closed.map_err(|e| error::raise(py, &e))
    }
}

impl Drop for Handle {
    fn drop(&mut self) {
        // Whoever wants to know calls close(). The engine's own drop finishes what was submitted.
        let _left_at_exit = Python::try_attach(|py| {
            if fork::enter(py).is_ok() {
                let engine = self.kept.take(py);
                py.detach(|| drop(engine));
                fork::leave(py);
            }
        });
    }
}
