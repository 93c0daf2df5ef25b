//! A store that Python holds: opened when it is used, closed before forks and at the end.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::Duration;

use dalsegno::store::SqliteOptions;
use dalsegno::{Engine, Error, ErrorKind, Options, Rested};
use pyo3::prelude::*;

use crate::attend::Post;
use crate::bell::Bell;
use crate::saver::Saving;
use crate::scrub::Scrubs;
use crate::{error, fork, migration, place};

/// A store and what it takes to open it again.
#[pyclass(frozen, module = "dalsegno._dalsegno")]
pub(crate) struct Handle {
    pub(crate) kept: Arc<Kept>,
}

/// What is kept of a store between calls.
pub(crate) struct Kept {
    /// Absolute: the working directory may be another when it is opened again.
    path: PathBuf,
    options: Options,
    /// Locked only by whoever holds the interpreter's lock, for a moment.
    state: Mutex<State>,
    /// Sessions that are saved by themselves. Locked as the state is.
    savings: Mutex<Vec<Weak<Saving>>>,
    /// What attends to requests. Locked as the state is.
    posts: Mutex<Vec<Weak<Post>>>,
    /// What proves the store. Locked as the state is.
    scrubs: Mutex<Vec<Weak<Scrubs>>>,
    /// Rings when an opening is over.
    opened: Bell,
}

enum State {
    Open(Arc<Engine>),
    /// To be opened when it is used; with the sessions that stayed open meanwhile.
    Resting(Option<Rested>),
    /// A thread opens it.
    Opening,
    Closed,
}

impl Kept {
    /// How it is opened.
    pub(crate) fn options(&self) -> Options {
        self.options.clone()
    }

    fn state(&self, _: Python<'_>) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The engine, if it is open just now.
    pub(crate) fn open_engine(&self, py: Python<'_>) -> Option<Arc<Engine>> {
        match &*self.state(py) {
            State::Open(engine) => Some(Arc::clone(engine)),
            _ => None,
        }
    }

    /// Takes the engine out, to be closed or forgotten by the caller.
    pub(crate) fn take(&self, py: Python<'_>) -> Option<Arc<Engine>> {
        let mut state = self.state(py);
        match std::mem::replace(&mut *state, State::Closed) {
            State::Open(engine) => {
                *state = State::Resting(None);
                Some(engine)
            }
            other => {
                *state = other;
                None
            }
        }
    }

    /// Closes the store for a fork; the sessions that are open stay open.
    pub(crate) fn rest(&self, py: Python<'_>) {
        let Some(engine) = self.take(py) else { return };
        // Nobody else has it: no call is running.
        let rested = py.detach(|| Some(Arc::into_inner(engine)?.rest()));
        *self.state(py) = State::Resting(rested);
    }

    /// Opens the store again after a fork, where sessions are open.
    pub(crate) fn wake(&self, py: Python<'_>) {
        let needed = match &*self.state(py) {
            State::Resting(rested) => rested.as_ref().is_some_and(Rested::has_sessions),
            _ => false,
        };
        let at_work = !self.savings(py).is_empty()
            || !self.posts(py).is_empty()
            || !self.scrubs(py).is_empty();
        if (needed || at_work) && fork::enter(py).is_ok() {
            if let Ok(engine) = self.engine(py) {
                // Also where the fork was not waited for, and the store was never closed.
                self.resume(py, &engine);
            }
            fork::leave(py);
        }
    }

    pub(crate) fn add(&self, py: Python<'_>, saving: &Arc<Saving>) {
        let mut savings = self.savings.lock().unwrap_or_else(PoisonError::into_inner);
        savings.retain(|saving| saving.upgrade().is_some_and(|saving| saving.is_there(py)));
        savings.push(Arc::downgrade(saving));
    }

    /// The sessions that this process saves by themselves.
    pub(crate) fn savings(&self, py: Python<'_>) -> Vec<Arc<Saving>> {
        let savings = self.savings.lock().unwrap_or_else(PoisonError::into_inner);
        let savings = savings.iter().filter_map(Weak::upgrade);
        savings.filter(|saving| saving.is_there(py)).collect()
    }

    /// Notes what attends to requests.
    pub(crate) fn attend(&self, py: Python<'_>, post: &Arc<Post>) {
        let mut posts = self.posts.lock().unwrap_or_else(PoisonError::into_inner);
        posts.retain(|post| post.upgrade().is_some_and(|post| post.is_there(py)));
        posts.push(Arc::downgrade(post));
    }

    /// What attends to requests in this process.
    pub(crate) fn posts(&self, py: Python<'_>) -> Vec<Arc<Post>> {
        let posts = self.posts.lock().unwrap_or_else(PoisonError::into_inner);
        let posts = posts.iter().filter_map(Weak::upgrade);
        posts.filter(|post| post.is_there(py)).collect()
    }

    /// Notes what proves the store.
    pub(crate) fn prove(&self, py: Python<'_>, scrub: &Arc<Scrubs>) {
        let mut scrubs = self.scrubs.lock().unwrap_or_else(PoisonError::into_inner);
        scrubs.retain(|scrub| scrub.upgrade().is_some_and(|scrub| scrub.is_there(py)));
        scrubs.push(Arc::downgrade(scrub));
    }

    /// What proves the store in this process.
    pub(crate) fn scrubs(&self, py: Python<'_>) -> Vec<Arc<Scrubs>> {
        let scrubs = self.scrubs.lock().unwrap_or_else(PoisonError::into_inner);
        let scrubs = scrubs.iter().filter_map(Weak::upgrade);
        scrubs.filter(|scrub| scrub.is_there(py)).collect()
    }

    /// Ends what proves the store, so that it can be closed.
    pub(crate) fn end_scrubs(&self, py: Python<'_>) {
        for scrub in self.scrubs(py) {
            py.detach(|| scrub.stop());
        }
    }

    fn resume(&self, py: Python<'_>, engine: &Arc<Engine>) {
        for scrub in self.scrubs(py) {
            py.detach(|| scrub.resume(engine));
        }
        for post in self.posts(py) {
            py.detach(|| post.resume(engine));
        }
        for saving in self.savings(py) {
            py.detach(|| saving.resume(engine));
        }
    }

    /// The engine, opened if need be.
    pub(crate) fn engine(&self, py: Python<'_>) -> dalsegno::Result<Arc<Engine>> {
        let rested = loop {
            let seen = self.opened.rung();
            {
                let mut state = self.state(py);
                match &mut *state {
                    State::Open(engine) => return Ok(Arc::clone(engine)),
                    State::Closed => {
                        return Err(Error::new(
                            ErrorKind::InvalidInput,
                            "the engine is closed; open the store again with dalsegno.open()",
                        ));
                    }
                    State::Resting(rested) => {
                        let rested = rested.take();
                        *state = State::Opening;
                        break rested;
                    }
                    State::Opening => {}
                }
            }
            py.detach(|| self.opened.wait(seen, None));
        };
        let options = self.options.clone();
        let options = match &rested {
            Some(rested) => options.go_on(rested.clone()),
            None => options,
        };
        let opened = py.detach(|| options.open(&self.path).map(Arc::new));
        {
            let mut state = self.state(py);
            // Unless it was closed meanwhile; then the call that opened it is the last to use it.
            if matches!(*state, State::Opening) {
                *state = match &opened {
                    Ok(engine) => State::Open(Arc::clone(engine)),
                    Err(_) => State::Resting(rested),
                };
            }
        }
        self.opened.ring();
        let opened = opened?;
        self.resume(py, &opened);
        Ok(opened)
    }
}

impl Kept {
    /// Runs `work` on the engine without the interpreter's lock.
    pub(crate) fn run<T: Send>(
        &self,
        py: Python<'_>,
        work: impl FnOnce(&Engine) -> dalsegno::Result<T> + Send,
    ) -> PyResult<T> {
        self.call(py, |engine| Ok(work(&engine)))
            .and_then(|done| done.map_err(|e| error::raise(py, &e)))
    }

    pub(crate) fn call<T: Send>(
        &self,
        py: Python<'_>,
        work: impl FnOnce(Arc<Engine>) -> PyResult<T> + Send,
    ) -> PyResult<T> {
        fork::enter(py).map_err(|e| error::raise(py, &e))?;
        let engine = self.engine(py);
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

impl Handle {
    /// Runs `work` on the engine without the interpreter's lock.
    pub(crate) fn run<T: Send>(
        &self,
        py: Python<'_>,
        work: impl FnOnce(&Engine) -> dalsegno::Result<T> + Send,
    ) -> PyResult<T> {
        self.kept.run(py, work)
    }
}

#[pymethods]
impl Handle {
    #[new]
    #[pyo3(signature = (path, create, read_only, cache_bytes, busy_timeout, program, lease_ttl, key, key_file,
                        token, token_file, migrations))]
    #[allow(clippy::too_many_arguments)]
    fn open(
        py: Python<'_>,
        path: Option<PathBuf>,
        create: bool,
        read_only: bool,
        cache_bytes: Option<usize>,
        busy_timeout: f64,
        program: String,
        lease_ttl: f64,
        key: Option<&str>,
        key_file: Option<PathBuf>,
        token: Option<&str>,
        token_file: Option<PathBuf>,
        migrations: Vec<migration::Given>,
    ) -> PyResult<Self> {
        let busy_timeout = Duration::try_from_secs_f64(busy_timeout).map_err(|_| {
            error::invalid(
                py,
                "busy_timeout is a number of seconds from 0 on, such as 10.0",
            )
        })?;
        let lease_ttl = Duration::try_from_secs_f64(lease_ttl)
            .ok()
            .filter(|ttl| *ttl >= Duration::from_secs(1))
            .ok_or_else(|| {
                error::invalid(
                    py,
                    "lease_ttl is a number of seconds from 1 on, such as 30.0",
                )
            })?;
        let migrations = migration::migrations(migrations).map_err(|e| error::raise(py, &e))?;
        let options = Options::default()
            .migrations(migrations)
            .program(program)
            .lease_ttl(lease_ttl)
            .sqlite(SqliteOptions {
                busy_timeout,
                read_only,
                ..SqliteOptions::default()
            });
        let (key_file, token_file) = (key_file.as_deref(), token_file.as_deref());
        let mut options = place::admitted(options, key, key_file, token, token_file)
            .map_err(|e| error::raise(py, &e))?;
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
                    savings: Mutex::default(),
                    posts: Mutex::default(),
                    scrubs: Mutex::default(),
                    opened: Bell::default(),
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
        self.kept.end_scrubs(py);
        let entered = fork::enter(py);
        if entered.is_ok() && matches!(&*self.kept.state(py), State::Resting(Some(_))) {
            // To close the sessions that stayed open; where it cannot be opened, they stay so.
            let _opened = self.kept.engine(py);
        }
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
