//! Where a thread that is at work for long has its engine from, and leaves it: between two looks at the store the thread has
//! none, so that the store can be closed for a fork.

use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::ThreadId;
use std::time::{Duration, Instant};

use crate::engine::Engine;

#[derive(Default)]
pub(crate) struct Seat {
    inner: Mutex<Inner>,
    changed: Condvar,
}

#[derive(Default)]
struct Inner {
    /// None while it pauses, and at the end.
    engine: Option<Arc<Engine>>,
    /// The thread works with the engine.
    taken: bool,
    stop: bool,
    /// How often it went on with another engine.
    resumed: u64,
    thread: Option<ThreadId>,
}

impl Seat {
    pub(crate) fn of(engine: Arc<Engine>) -> Self {
        let seat = Self::default();
        seat.inner().engine = Some(engine);
        seat
    }

    fn inner(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The thread begins.
    pub(crate) fn begin(&self) {
        self.inner().thread = Some(std::thread::current().id());
    }

    /// The engine, to work with; waits while it pauses. None where nothing more is to be done.
    pub(crate) fn take(&self) -> Option<Arc<Engine>> {
        let mut inner = self.inner();
        loop {
            if let Some(engine) = inner.engine.clone() {
                inner.taken = true;
                return Some(engine);
            }
            if inner.stop {
                return None;
            }
            let waited = self.changed.wait(inner);
            inner = waited.unwrap_or_else(PoisonError::into_inner);
        }
    }

    /// Gives the engine back.
    pub(crate) fn leave(&self, engine: Option<Arc<Engine>>) {
        drop(engine);
        self.inner().taken = false;
        self.changed.notify_all();
    }

    /// Waits so long; false where it is to end.
    pub(crate) fn rest(&self, pause: Duration) -> bool {
        let inner = self.inner();
        let waited = self.changed.wait_timeout_while(inner, pause, |it| !it.stop);
        !waited.unwrap_or_else(PoisonError::into_inner).0.stop
    }

    /// Says that it is to end: the first time with the engine, if it does not pause.
    pub(crate) fn stop(&self) -> Option<Arc<Engine>> {
        let mut inner = self.inner();
        let first = !std::mem::replace(&mut inner.stop, true);
        self.changed.notify_all();
        inner.engine.clone().filter(|_| first)
    }

    /// The thread has ended.
    pub(crate) fn end(&self) {
        let mut inner = self.inner();
        inner.engine = None;
        inner.taken = false;
        inner.stop = true;
        inner.thread = None;
        drop(inner);
        self.changed.notify_all();
    }

    /// Whether the thread has ended, or this is it; waits for it until then.
    pub(crate) fn ended(&self, until: Option<Instant>) -> bool {
        self.wait(until, |it| it.thread.is_some())
    }

    /// Takes the engine away, as soon as the thread does not work with it; false where that takes longer.
    pub(crate) fn pause(&self, until: Option<Instant>) -> bool {
        self.inner().engine = None;
        self.wait(until, |it| it.taken)
    }

    /// Says whether it is to go on.
    pub(crate) fn resume(&self, engine: &Arc<Engine>) -> bool {
        let mut inner = self.inner();
        let goes_on = !inner.stop;
        inner.resumed += 1;
        if inner.thread.is_some() {
            inner.engine = Some(Arc::clone(engine));
        }
        drop(inner);
        self.changed.notify_all();
        goes_on
    }

    /// Whether it is to leave the engine soon.
    pub(crate) fn is_pausing(&self) -> bool {
        self.inner().engine.is_none()
    }

    pub(crate) fn resumed(&self) -> u64 {
        self.inner().resumed
    }

    fn wait(&self, until: Option<Instant>, busy: impl Fn(&Inner) -> bool) -> bool {
        let own = Some(std::thread::current().id());
        let mut inner = self.inner();
        while busy(&inner) && inner.thread != own {
            let Some(until) = until else {
                let waited = self.changed.wait(inner);
                inner = waited.unwrap_or_else(PoisonError::into_inner);
                continue;
            };
            let left = until.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return false;
            }
            let waited = self.changed.wait_timeout(inner, left);
            inner = waited.unwrap_or_else(PoisonError::into_inner).0;
        }
        true
    }
}
