//! Saves that are on their way, and waiting for them.

use std::future::IntoFuture;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll, Wake, Waker};
use std::time::{Duration, Instant};

use dalsegno::{Error, ErrorKind, Snapshot};
use pyo3::prelude::*;

use crate::bell::Bell;
use crate::error;
use crate::show::show;

type Answer = Pin<Box<dyn Future<Output = dalsegno::Result<Snapshot>> + Send>>;

/// The promise of a save.
#[pyclass(frozen, module = "dalsegno._dalsegno")]
pub(crate) struct Ticket {
    process: u32,
    /// Locked only by whoever holds the interpreter's lock, for a moment.
    progress: Mutex<Progress>,
    bell: Arc<Rings>,
}

enum Progress {
    Waiting(Answer),
    Done(Box<dalsegno::Result<Snapshot>>),
}

/// The writer's thread rings; it needs no Python for that.
#[derive(Default)]
struct Rings(Bell);

impl Wake for Rings {
    fn wake(self: Arc<Self>) {
        self.0.ring();
    }
}

impl Ticket {
    pub(crate) fn of(ticket: dalsegno::Ticket) -> Self {
        Self {
            process: std::process::id(),
            progress: Mutex::new(Progress::Waiting(ticket.into_future())),
            bell: Arc::default(),
        }
    }

    /// What became of the save, if that is known.
    fn look(&self, _: Python<'_>) -> Option<dalsegno::Result<Snapshot>> {
        let mut progress = self.progress.lock().unwrap_or_else(PoisonError::into_inner);
        let answer = match &mut *progress {
            Progress::Done(outcome) => return Some(outcome.as_ref().clone()),
            Progress::Waiting(answer) => answer,
        };
        let waker = Waker::from(Arc::clone(&self.bell));
        let Poll::Ready(outcome) = answer.as_mut().poll(&mut Context::from_waker(&waker)) else {
            if self.process == std::process::id() {
                return None;
            }
            return Some(Err(Error::new(
                ErrorKind::Storage,
                "this process was forked while the save was on its way; only the parent knows what became of it",
            )));
        };
        *progress = Progress::Done(Box::new(outcome.clone()));
        Some(outcome)
    }
}

#[pymethods]
impl Ticket {
    /// Whether it is known what became of the save.
    fn done(&self, py: Python<'_>) -> bool {
        self.look(py).is_some()
    }

    /// Waits for the save, `timeout` seconds at most.
    #[pyo3(signature = (timeout))]
    fn result<'py>(&self, py: Python<'py>, timeout: Option<f64>) -> PyResult<Bound<'py, PyAny>> {
        let timeout = match timeout {
            Some(seconds) => Some(Duration::try_from_secs_f64(seconds).map_err(|_| {
                error::invalid(py, "timeout is a number of seconds from 0 on, such as 2.5")
            })?),
            None => None,
        };
        let end = timeout.and_then(|timeout| Instant::now().checked_add(timeout));
        loop {
            // In a forked child, a thread of the parent may have been at the bell.
            let seen = match self.process == std::process::id() {
                true => self.bell.0.rung(),
                false => 0,
            };
            match self.look(py) {
                Some(Ok(snapshot)) => return show(py, &snapshot),
                Some(Err(e)) => return Err(error::raise(py, &e)),
                None => {}
            }
            if end.is_some_and(|end| Instant::now() >= end) {
                return Err(pyo3::exceptions::PyTimeoutError::new_err(
                    "the save is still on its way; ask the ticket again",
                ));
            }
            py.detach(|| self.bell.0.wait(seen, end));
        }
    }
}
