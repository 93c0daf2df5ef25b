//! Long work that a Python program watches, and may cancel.

use std::ops::ControlFlow;
use std::time::{Duration, Instant};

use dalsegno::{BackupProgress, BackupStep, Error};
use pyo3::prelude::*;

use crate::{error, fork};

/// How often Python is told within a step. Each time takes the interpreter's lock, for which a busy program lets the work wait.
const EVERY: Duration = Duration::from_millis(100);

/// Tells the program how far the work is, and hears from it, or by Ctrl-C, that it is to be cancelled.
pub(crate) struct Watched {
    progress: Option<Py<PyAny>>,
    told: Option<(BackupStep, Instant)>,
    /// What `progress` or a signal's handler raised.
    raised: Option<PyErr>,
}

impl Watched {
    pub(crate) fn begin(progress: Option<Py<PyAny>>) -> Self {
        Self {
            progress,
            told: None,
            raised: None,
        }
    }

    /// Cancels the work where the program says False, or raises. The interpreter's lock must not be held.
    pub(crate) fn tell(&mut self, reached: BackupProgress) -> ControlFlow<()> {
        let is_over = reached.total.is_some_and(|total| reached.done >= total);
        let just_told =
            |(step, at): (BackupStep, Instant)| step == reached.step && at.elapsed() < EVERY;
        if !is_over && self.told.is_some_and(just_told) {
            return ControlFlow::Continue(());
        }
        self.told = Some((reached.step, Instant::now()));
        // A fork waits for all of it; what `progress` calls does not wait for the fork.
        let _asks = fork::Asking::begin();
        let goes_on = Python::try_attach(|py| {
            py.check_signals()?;
            let Some(progress) = &self.progress else {
                return Ok(true);
            };
            let args = (word(reached.step), reached.done, reached.total);
            let answer = progress.call1(py, args)?;
            Ok(answer.is_none(py) || answer.is_truthy(py)?)
        });
        match goes_on {
            Some(Ok(true)) => ControlFlow::Continue(()),
            Some(Err(raised)) => {
                self.raised = Some(raised);
                ControlFlow::Break(())
            }
            // Or the interpreter has ended.
            Some(Ok(false)) | None => ControlFlow::Break(()),
        }
    }

    /// What became of the work. What was raised meanwhile is raised, with a note on that.
    pub(crate) fn done<T>(self, py: Python<'_>, done: dalsegno::Result<T>) -> PyResult<T> {
        let Some(raised) = self.raised else {
            return done.map_err(|e: Error| error::raise(py, &e));
        };
        let note = match done {
            Ok(_) => "the work was done all the same".to_owned(),
            Err(e) => e.to_string(),
        };
        let noted = raised.value(py).call_method1("add_note", (note,));
        Err(noted.err().unwrap_or(raised))
    }
}

fn word(step: BackupStep) -> &'static str {
    match step {
        BackupStep::Checking => "checking",
        BackupStep::Reading => "reading",
        BackupStep::Parity => "parity",
        BackupStep::Restoring => "restoring",
        BackupStep::Verifying => "verifying",
        _ => "working",
    }
}
