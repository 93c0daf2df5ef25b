//! Threads of Rust that are in Python for a moment. At the end of the program they leave before the interpreter ends, and
//! no other comes: CPython would end them in the middle, and with them the process.

use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use pyo3::prelude::*;

use super::runtime;

/// No visit takes so long; one that does hangs.
const PATIENCE: Duration = Duration::from_secs(5);

struct Visits {
    inside: usize,
    ending: bool,
}

static VISITS: Mutex<Visits> = Mutex::new(Visits {
    inside: 0,
    ending: false,
});
static LEFT: Condvar = Condvar::new();

fn visits() -> MutexGuard<'static, Visits> {
    VISITS.lock().unwrap_or_else(PoisonError::into_inner)
}

struct Leaves;

impl Drop for Leaves {
    fn drop(&mut self) {
        visits().inside -= 1;
        LEFT.notify_all();
    }
}

/// Does something in Python; nothing where the program is ending.
pub(super) fn visit<T>(work: impl FnOnce(Python<'_>) -> T) -> Option<T> {
    {
        let mut visits = visits();
        if visits.ending {
            return None;
        }
        visits.inside += 1;
    }
    let _leaves = Leaves;
    Python::try_attach(work)
}

/// The program is ending: waits until every visitor has left, and lets none in.
#[pyfunction]
pub(crate) fn sonora_leave(py: Python<'_>) {
    // In a forked process there are no such threads, and one of the parent's may have had the lock.
    if !runtime::is_here() {
        return;
    }
    py.detach(|| {
        let mut visits = visits();
        visits.ending = true;
        let gone = LEFT.wait_timeout_while(visits, PATIENCE, |visits| visits.inside > 0);
        drop(gone);
    });
}
