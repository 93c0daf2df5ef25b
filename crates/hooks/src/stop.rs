//! A word that ends waiting, and what is running: stop.

use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use rustix::process::Pid;

use crate::command;

/// Says once that work is to end.
#[derive(Debug, Default)]
pub(crate) struct Stop {
    inside: Mutex<Inside>,
    changed: Condvar,
}

#[derive(Debug, Default)]
struct Inside {
    said: bool,
    /// The command that is running, not reaped yet.
    running: Option<Pid>,
}

impl Stop {
    fn lock(&self) -> MutexGuard<'_, Inside> {
        self.inside.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Ends waits, and kills what is running, now and later.
    pub(crate) fn say(&self) {
        let mut inside = self.lock();
        inside.said = true;
        if let Some(group) = inside.running {
            command::kill(group);
        }
        drop(inside);
        self.changed.notify_all();
    }

    pub(crate) fn is_said(&self) -> bool {
        self.lock().said
    }

    /// Waits so long, or until it is said; whether it was.
    pub(crate) fn wait(&self, duration: Duration) -> bool {
        let start = Instant::now();
        let mut inside = self.lock();
        while !inside.said {
            let left = duration.saturating_sub(start.elapsed());
            if left.is_zero() {
                break;
            }
            let waited = self.changed.wait_timeout(inside, left);
            inside = waited.unwrap_or_else(PoisonError::into_inner).0;
        }
        inside.said
    }

    /// A command is running, until what this gives is dropped.
    pub(crate) fn running(&self, group: Pid) -> Running<'_> {
        let mut inside = self.lock();
        inside.running = Some(group);
        if inside.said {
            command::kill(group);
        }
        Running(self)
    }
}

/// While it lives, [`Stop::say`] kills the command.
pub(crate) struct Running<'a>(&'a Stop);

impl Drop for Running<'_> {
    fn drop(&mut self) {
        self.0.lock().running = None;
    }
}
