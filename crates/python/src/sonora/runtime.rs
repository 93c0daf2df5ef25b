//! Where what Python awaits is carried out: one runtime with two threads, made when it is first needed.
//!
//! A process that was forked afterwards has none of its threads, and is refused.

use std::sync::OnceLock;
use std::sync::mpsc::{self, RecvTimeoutError};
use std::time::Duration;

use dalsegno::{Error, ErrorKind, Result};
use pyo3::prelude::*;
use tokio::runtime::{Builder, Runtime};

use super::fail;
use super::visit::visit;
use crate::error::mistake;

/// Nothing that is waited for without `await` takes so long; what does goes on by itself.
const PATIENCE: Duration = Duration::from_secs(60);

/// The runtime, and the process that it is of.
static RUNTIME: OnceLock<(u32, std::io::Result<Runtime>)> = OnceLock::new();

/// The runtime of this process.
///
/// # Errors
/// `Storage` in a process that was forked from one that had it, or where no thread can be started.
pub(super) fn runtime() -> Result<&'static Runtime> {
    let (process, runtime) = RUNTIME.get_or_init(|| {
        let runtime = Builder::new_multi_thread()
            .worker_threads(2)
            .enable_all()
            .thread_name("dalsegno-sonora")
            .build();
        (std::process::id(), runtime)
    });
    if *process != std::process::id() {
        return Err(Error::new(
            ErrorKind::Storage,
            "this process was forked from one whose players are at work there; start a new process instead, with \
             multiprocessing's 'spawn' for one",
        ));
    }
    runtime.as_ref().map_err(|e| {
        let message = format!("no threads for players can be started: {e}");
        Error::new(ErrorKind::Storage, message)
    })
}

/// Whether there is one, of this process.
pub(super) fn is_here() -> bool {
    let here = RUNTIME.get();
    here.is_some_and(|(process, _)| *process == std::process::id())
}

/// Something to await. Where nobody waits any more, it is carried out all the same: wholly, or not at all.
pub(super) fn awaitable<'py, T: Send + 'static>(
    py: Python<'py>,
    work: impl Future<Output = Result<T>> + Send + 'static,
    show: impl FnOnce(Python<'_>, T) -> PyResult<Py<PyAny>> + Send + 'static,
) -> PyResult<Bound<'py, PyAny>> {
    let runtime = runtime().map_err(|error| fail::raise(py, &error))?;
    let event_loop = py.import("asyncio")?.call_method0("get_running_loop")?;
    let future = event_loop.call_method0("create_future")?;
    let settle = py.import("dalsegno.sonora._settle")?.getattr("settle")?;
    let waits = (
        event_loop.unbind(),
        settle.unbind(),
        future.clone().unbind(),
    );
    let task = runtime.spawn(work);
    runtime.spawn(async move {
        let done = task.await;
        visit(move |py| {
            let answer = match done {
                Ok(Ok(answer)) => show(py, answer),
                Ok(Err(error)) => Err(fail::raise(py, &error)),
                Err(_) => Err(mistake(py)),
            };
            let (error, answer) = match answer {
                Ok(answer) => (None, Some(answer)),
                Err(error) => (Some(error.into_value(py)), None),
            };
            let (event_loop, settle, future) = waits;
            let told = (settle, future, error, answer);
            // A loop that was closed waits for nothing.
            drop(event_loop.call_method1(py, "call_soon_threadsafe", told));
        })
    });
    Ok(future)
}

/// As [`awaitable`], for what answers nothing.
pub(super) fn done<'py>(
    py: Python<'py>,
    work: impl Future<Output = Result<()>> + Send + 'static,
) -> PyResult<Bound<'py, PyAny>> {
    awaitable(py, work, |py, ()| Ok(py.None()))
}

/// Carries something out, and waits for it without the interpreter's lock.
pub(super) fn wait<T: Send + 'static>(
    py: Python<'_>,
    work: impl Future<Output = Result<T>> + Send + 'static,
) -> PyResult<T> {
    fail::run(py, || {
        let (told, hears) = mpsc::channel();
        runtime()?.spawn(async move {
            // Nobody may be waiting any more.
            drop(told.send(work.await));
        });
        hears.recv_timeout(PATIENCE).unwrap_or_else(|why| {
            let (kind, message) = match why {
                RecvTimeoutError::Timeout => (
                    ErrorKind::Unreachable,
                    "this takes longer than a minute, and goes on by itself; look later what became of it",
                ),
                RecvTimeoutError::Disconnected => (
                    ErrorKind::Storage,
                    "a mistake in Dalsegno ended this call. Please report it",
                ),
            };
            Err(Error::new(kind, message))
        })
    })
}
