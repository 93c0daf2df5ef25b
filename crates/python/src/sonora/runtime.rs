//! Where what Python awaits is carried out: one runtime with two threads, made when it is first needed.
//!
//! A process that was forked afterwards has none of its threads, and is refused.

use std::sync::OnceLock;
use std::sync::mpsc::{self, RecvTimeoutError};
use std::time::Duration;

use dalsegno::{Error, ErrorKind, Result};
use pyo3::prelude::*;
use pyo3_async_runtimes::tokio as bridge;
use tokio::runtime::{Builder, Runtime};

use super::fail;
use crate::error::mistake;

/// Nothing that is waited for without `await` takes so long; what does goes on by itself.
const PATIENCE: Duration = Duration::from_secs(60);

/// The process that the runtime is of.
static PROCESS: OnceLock<u32> = OnceLock::new();

/// The runtime of this process.
///
/// # Errors
/// `Storage` in a process that was forked from one that had it.
pub(super) fn runtime() -> Result<&'static Runtime> {
    let own = std::process::id();
    let process = PROCESS.get_or_init(|| {
        let mut builder = Builder::new_multi_thread();
        builder
            .worker_threads(2)
            .enable_all()
            .thread_name("dalsegno-sonora");
        bridge::init(builder);
        own
    });
    if *process != own {
        return Err(Error::new(
            ErrorKind::Storage,
            "this process was forked from one whose players are at work there; start a new process instead, with \
             multiprocessing's 'spawn' for one",
        ));
    }
    Ok(bridge::get_runtime())
}

/// Something to await. Where nobody waits any more, it is carried out all the same: wholly, or not at all.
pub(super) fn awaitable<'py, T: Send + 'static>(
    py: Python<'py>,
    work: impl Future<Output = Result<T>> + Send + 'static,
    show: impl FnOnce(Python<'_>, T) -> PyResult<Py<PyAny>> + Send + 'static,
) -> PyResult<Bound<'py, PyAny>> {
    let runtime = runtime().map_err(|error| fail::raise(py, &error))?;
    let task = runtime.spawn(work);
    bridge::future_into_py(py, async move {
        let done = task.await;
        Python::attach(|py| match done {
            Ok(Ok(answer)) => show(py, answer),
            Ok(Err(error)) => Err(fail::raise(py, &error)),
            Err(_) => Err(mistake(py)),
        })
    })
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
