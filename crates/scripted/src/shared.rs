//! The state behind its one lock. Whoever takes it finds everything done that was due, and whoever waits for a change is
//! woken when it is given back changed.

use std::ops::{Deref, DerefMut};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use tokio::sync::watch;

use crate::clock::Clock;
use crate::options::Options;
use crate::state::State;

#[derive(Debug)]
pub(crate) struct Shared {
    pub(crate) clock: Clock,
    pub(crate) options: Arc<Options>,
    state: Mutex<State>,
    changed: Condvar,
    version: watch::Sender<u64>,
    dead: watch::Sender<bool>,
}

pub(crate) struct Held<'a> {
    shared: &'a Shared,
    version: u64,
    /// There until it is dropped.
    state: Option<MutexGuard<'a, State>>,
}

impl Shared {
    pub(crate) fn new(options: Options) -> Self {
        let options = Arc::new(options);
        let clock = options.clock.clone();
        Self {
            state: Mutex::new(State::new(Arc::clone(&options), clock.now())),
            clock,
            options,
            changed: Condvar::new(),
            version: watch::channel(0).0,
            dead: watch::channel(false).0,
        }
    }

    pub(crate) fn lock(&self) -> Held<'_> {
        let state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let mut held = Held {
            shared: self,
            version: state.version,
            state: Some(state),
        };
        // A dead node does nothing any more.
        if !self.is_dead() {
            held.settle(self.clock.now());
        }
        held
    }

    /// Waits until something is so, whatever changes meanwhile; `false` where it is not within the time.
    pub(crate) fn wait_for(&self, is_so: impl Fn() -> bool, longest: Duration) -> bool {
        let end = Instant::now() + longest;
        loop {
            let before = *self.version.borrow();
            if is_so() {
                return true;
            }
            let state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
            let left = end.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return false;
            }
            let unchanged = |_: &mut State| *self.version.borrow() == before;
            drop(self.changed.wait_timeout_while(state, left, unchanged));
        }
    }

    pub(crate) fn changes(&self) -> watch::Receiver<u64> {
        self.version.subscribe()
    }

    /// Everything ends: whoever runs the node drops it, and with it all its connections.
    pub(crate) fn die(&self) {
        // What was due until now has happened.
        drop(self.lock());
        self.dead.send_replace(true);
    }

    pub(crate) fn is_dead(&self) -> bool {
        *self.dead.borrow()
    }

    pub(crate) async fn died(&self) {
        let mut dead = self.dead.subscribe();
        // The sender is held here, so that it cannot be gone.
        let _dead = dead.wait_for(|dead| *dead).await;
    }

    /// Has what is due happen when it is, as long as the node lives.
    pub(crate) async fn drive(&self) {
        let mut changes = self.changes();
        loop {
            let due = {
                let state = self.lock();
                changes.mark_unchanged();
                state.due()
            };
            tokio::select! {
                () = self.clock.reached(due) => {}
                _ = changes.changed() => {}
            }
        }
    }
}

#[allow(clippy::expect_used, reason = "it is there until it is dropped")]
impl Deref for Held<'_> {
    type Target = State;

    fn deref(&self) -> &State {
        self.state.as_ref().expect("held until dropped")
    }
}

#[allow(clippy::expect_used, reason = "it is there until it is dropped")]
impl DerefMut for Held<'_> {
    fn deref_mut(&mut self) -> &mut State {
        self.state.as_mut().expect("held until dropped")
    }
}

impl Drop for Held<'_> {
    fn drop(&mut self) {
        let version = self.state.as_ref().map(|it| it.version);
        if version != Some(self.version) {
            self.shared.version.send_modify(|version| *version += 1);
            self.shared.changed.notify_all();
        }
        self.state = None;
    }
}
