//! Waiting for each other: all are ready, or none stays.

use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use dalsegno::{Error, ErrorKind, Result};

/// All are ready, or none stays.
pub(super) struct Together {
    state: Mutex<Ready>,
    changed: Condvar,
}

struct Ready {
    missing: usize,
    failed: Option<Error>,
}

impl Together {
    pub(super) fn of(number: usize) -> Self {
        Self {
            state: Mutex::new(Ready {
                missing: number,
                failed: None,
            }),
            changed: Condvar::new(),
        }
    }

    fn state(&self) -> MutexGuard<'_, Ready> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// One is; waits for the others.
    pub(super) fn ready(&self, timeout: Duration) -> Result<()> {
        let until = Instant::now() + timeout;
        let mut state = self.state();
        state.missing = state.missing.saturating_sub(1);
        self.changed.notify_all();
        loop {
            if let Some(error) = &state.failed {
                return Err(error.clone());
            }
            if state.missing == 0 {
                return Ok(());
            }
            let left = until.saturating_duration_since(Instant::now());
            if left.is_zero() {
                let message = "not all were ready in time";
                return Err(Error::new(ErrorKind::Conflict, message));
            }
            let waited = self.changed.wait_timeout(state, left);
            state = waited.unwrap_or_else(PoisonError::into_inner).0;
        }
    }

    /// One cannot be; the first one is why.
    pub(super) fn fail(&self, guild: u64, error: &Error) {
        let mut state = self.state();
        if state.failed.is_none() {
            state.failed = Some(error.clone().context(format!("guild {guild}")));
        }
        self.changed.notify_all();
    }

    pub(super) fn why(&self) -> Option<Error> {
        self.state().failed.clone()
    }
}
