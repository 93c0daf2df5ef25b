//! Proving a store round after round. It is all in the engine's thread, which never calls Python.

use std::sync::Arc;
use std::time::Duration;

use dalsegno::{Engine, Result, Scrub, ScrubProgress};
use pyo3::prelude::*;

use crate::error;
use crate::show::show;

/// A scrub, as its store knows it.
pub(crate) struct Scrubs {
    core: Arc<dalsegno::Scrubbing>,
    process: u32,
}

impl Scrubs {
    pub(crate) fn start(engine: &Arc<Engine>, how: Scrub) -> Result<Self> {
        Ok(Self {
            core: Arc::new(engine.scrub(how)?),
            process: std::process::id(),
        })
    }

    /// Whether its thread is there, in this process.
    pub(crate) fn is_there(&self, _: Python<'_>) -> bool {
        self.process == std::process::id() && !self.core.progress().ended
    }

    /// Lets go of the engine; false where that takes longer. The interpreter's lock must not be held.
    pub(crate) fn pause(&self, patience: Duration) -> bool {
        self.core.pause(patience)
    }

    pub(crate) fn resume(&self, engine: &Arc<Engine>) {
        self.core.resume(engine);
    }

    /// Ends it, and says how far it came. The interpreter's lock must not be held.
    pub(crate) fn stop(&self) -> ScrubProgress {
        self.core.stop()
    }
}

impl Drop for Scrubs {
    fn drop(&mut self) {
        if self.process != std::process::id() {
            // Its thread is the parent's: there is nothing to wait for.
            std::mem::forget(Arc::clone(&self.core));
        }
    }
}

/// A scrub, for Python. Dropped, it stops.
#[pyclass(frozen, module = "dalsegno._dalsegno")]
pub(crate) struct Scrubbing(Arc<Scrubs>);

impl Scrubbing {
    pub(crate) fn of(scrubs: Arc<Scrubs>) -> Self {
        Self(scrubs)
    }

    /// Whoever was at it in the parent may have been halfway.
    fn check_process(&self, py: Python<'_>) -> PyResult<()> {
        if self.0.process == std::process::id() {
            return Ok(());
        }
        let message = "this scrub is that of the parent process, which goes on with it; begin one in this one with scrub()";
        Err(error::invalid(py, message))
    }
}

#[pymethods]
impl Scrubbing {
    /// How far it is, whatever became of it.
    fn progress<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        self.check_process(py)?;
        show(py, &self.0.core.progress())
    }

    /// Waits so many seconds for its end, and says how far it is.
    fn wait<'py>(&self, py: Python<'py>, seconds: f64) -> PyResult<Bound<'py, PyAny>> {
        self.check_process(py)?;
        let patience = Duration::try_from_secs_f64(seconds).unwrap_or(Duration::ZERO);
        let reached = py.detach(|| self.0.core.wait_for(patience));
        told(py, &reached)
    }

    /// Ends it, and says how far it came.
    fn stop<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        self.check_process(py)?;
        let reached = py.detach(|| self.0.stop());
        told(py, &reached)
    }

    /// Whether it is at work, in this process.
    #[getter]
    fn running(&self, py: Python<'_>) -> bool {
        self.0.is_there(py)
    }
}

/// How far it is, or why it ended.
fn told<'py>(py: Python<'py>, reached: &ScrubProgress) -> PyResult<Bound<'py, PyAny>> {
    match &reached.error {
        Some(e) => Err(error::raise(py, e)),
        None => show(py, reached),
    }
}

impl Drop for Scrubbing {
    fn drop(&mut self) {
        // Its thread may be in the middle of a state: others go on meanwhile.
        let _left_at_exit = Python::try_attach(|py| {
            if self.0.is_there(py) {
                py.detach(|| self.0.stop());
            }
        });
    }
}
