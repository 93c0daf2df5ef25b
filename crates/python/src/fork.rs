//! Forks. SQLite's handles must not be used in a forked child, and neither is opening anew safe there
//! while the library remembers the parent's handles: it would take over their locks without having them,
//! and mutexes that a thread of the parent held would never be released.
//!
//! So every store is closed right before a fork, when no call is running, and opened again in whichever
//! process uses it next. In the parent, sessions that it has open stay open, and those that are saved by themselves
//! go on. Where that was not possible (a call runs for too long, or another program forked
//! without telling Python), the child is told that it cannot use the store.
//!
//! Everything here is looked at and changed by whoever holds the interpreter's lock, and a fork is made by
//! whoever holds it. So nothing is halfway at that moment.

use std::cell::Cell;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::thread::ThreadId;
use std::time::{Duration, Instant};

use dalsegno::{Error, ErrorKind};
use pyo3::prelude::*;

use crate::bell::Bell;
use crate::handle::Kept;

/// How long a fork waits for calls that are running: as long as a save waits for another process.
const PATIENCE: Duration = Duration::from_secs(10);

/// What is known about calls and forks in this process.
struct Traffic {
    process: u32,
    /// Calls that may be inside of SQLite now.
    running: usize,
    /// Threads that are about to fork; others wait before they call.
    forking: Vec<ThreadId>,
    /// Stores that are open until their programs close them: no fork waits for that.
    held: usize,
    /// This process was forked from one with open handles.
    tainted: bool,
    kept: Vec<Weak<Kept>>,
    bell: Arc<Bell>,
}

thread_local! {
    /// This thread asks for states to be saved by themselves; a fork waits for it as a whole.
    static ASKS: Cell<bool> = const { Cell::new(false) };
}

/// From now on, calls of this thread do not wait until a fork is over, which waits for it.
pub(crate) fn asks() {
    ASKS.set(true);
}

/// As long as this is there, calls of this thread do not wait until a fork is over, which waits for it.
pub(crate) struct Asking(bool);

impl Asking {
    pub(crate) fn begin() -> Self {
        Self(ASKS.replace(true))
    }
}

impl Drop for Asking {
    fn drop(&mut self) {
        ASKS.set(self.0);
    }
}

/// Whether a thread waits to fork.
pub(crate) fn waits(py: Python<'_>) -> bool {
    !Look::take(py).traffic().forking.is_empty()
}

static TRAFFIC: Mutex<Option<Traffic>> = Mutex::new(None);

/// A look at the traffic. `py` shows that the interpreter's lock is held, which must not be released
/// before the guard is dropped.
struct Look<'py>(MutexGuard<'static, Option<Traffic>>, Python<'py>);

impl Look<'_> {
    fn take(py: Python<'_>) -> Look<'_> {
        Look(TRAFFIC.lock().unwrap_or_else(PoisonError::into_inner), py)
    }

    fn traffic(&mut self) -> &mut Traffic {
        let traffic = self.0.get_or_insert_with(|| Traffic {
            process: std::process::id(),
            running: 0,
            forking: Vec::new(),
            held: 0,
            tainted: false,
            kept: Vec::new(),
            bell: Arc::default(),
        });
        if traffic.process != std::process::id() {
            traffic.be_a_child(self.1);
        }
        traffic
    }
}

impl Traffic {
    /// The first look in a forked process.
    fn be_a_child(&mut self, py: Python<'_>) {
        self.process = std::process::id();
        let mut open = self.running > 0 || self.held > 0;
        for kept in &self.kept {
            if let Some(kept) = kept.upgrade() {
                // It is the parent's: closing it here would drop the parent's locks.
                open |= kept.take(py).map(std::mem::forget).is_some();
            }
        }
        self.tainted |= open;
        self.running = 0;
        self.held = 0;
        self.forking.clear();
        // A thread of the parent may have been in the middle of it.
        std::mem::forget(std::mem::take(&mut self.bell));
    }
}

/// Notes a store that is closed before forks and at the end of the program.
pub(crate) fn keep(py: Python<'_>, kept: &Arc<Kept>) {
    let mut look = Look::take(py);
    let all = &mut look.traffic().kept;
    all.retain(|kept| kept.strong_count() > 0);
    all.push(Arc::downgrade(kept));
}

/// Waits until no thread is about to fork, and counts a call.
///
/// # Errors
/// `Storage` where SQLite cannot be used in this process.
pub(crate) fn enter(py: Python<'_>) -> dalsegno::Result<()> {
    loop {
        let mut look = Look::take(py);
        let traffic = look.traffic();
        if traffic.tainted {
            return Err(Error::new(
                ErrorKind::Storage,
                "this process was forked while a store was in use, and SQLite cannot be used in it; fork when no \
                 other thread is in the middle of a call, by os.fork or multiprocessing, or start a new process",
            ));
        }
        let me = std::thread::current().id();
        if ASKS.get() || traffic.forking.iter().all(|thread| *thread == me) {
            traffic.running += 1;
            return Ok(());
        }
        let bell = Arc::clone(&traffic.bell);
        let seen = bell.rung();
        drop(look);
        py.detach(|| bell.wait(seen, None));
    }
}

/// A call is over.
pub(crate) fn leave(py: Python<'_>) {
    let mut look = Look::take(py);
    let traffic = look.traffic();
    traffic.running = traffic.running.saturating_sub(1);
    traffic.bell.ring();
}

/// As long as this is there, a store is open that is not closed for forks: in a forked process none can be used.
pub(crate) struct Hold(u32);

impl Hold {
    /// # Errors
    /// As [`enter`].
    pub(crate) fn begin(py: Python<'_>) -> dalsegno::Result<Self> {
        enter(py)?;
        let mut look = Look::take(py);
        let traffic = look.traffic();
        traffic.held += 1;
        let process = traffic.process;
        drop(look);
        leave(py);
        Ok(Self(process))
    }
}

impl Drop for Hold {
    fn drop(&mut self) {
        let _left_at_exit = Python::try_attach(|py| {
            let mut look = Look::take(py);
            let traffic = look.traffic();
            if traffic.process == self.0 {
                traffic.held = traffic.held.saturating_sub(1);
            }
        });
    }
}

/// Before a fork: waits until no call is running, and closes every store.
#[pyfunction]
pub(crate) fn before_fork(py: Python<'_>) {
    let end = Instant::now() + PATIENCE;
    Look::take(py)
        .traffic()
        .forking
        .push(std::thread::current().id());
    if !quiet(py, end) {
        return;
    }
    for saving in all(py).iter().flat_map(|kept| kept.savings(py)) {
        let left = end.saturating_duration_since(Instant::now());
        if !py.detach(|| saving.pause(left)) {
            return;
        }
    }
    // After those, because such a one may wait for a save of theirs that is on its way.
    for post in all(py).iter().flat_map(|kept| kept.posts(py)) {
        let left = end.saturating_duration_since(Instant::now());
        if !py.detach(|| post.pause(left)) {
            return;
        }
    }
    for scrub in all(py).iter().flat_map(|kept| kept.scrubs(py)) {
        let left = end.saturating_duration_since(Instant::now());
        if !py.detach(|| scrub.pause(left)) {
            return;
        }
    }
    // Until they paused, those may have made calls.
    if quiet(py, end) {
        for kept in all(py) {
            kept.rest(py);
        }
    }
}

/// Waits until no call is running; false where that takes longer than `end`.
fn quiet(py: Python<'_>, end: Instant) -> bool {
    loop {
        let mut look = Look::take(py);
        let traffic = look.traffic();
        if traffic.running == 0 {
            return true;
        }
        let bell = Arc::clone(&traffic.bell);
        let seen = bell.rung();
        drop(look);
        if Instant::now() >= end {
            return false;
        }
        py.detach(|| bell.wait(seen, Some(end)));
    }
}

/// The engines that are open in this process.
pub(crate) fn engines(py: Python<'_>) -> Vec<Arc<dalsegno::Engine>> {
    all(py)
        .iter()
        .filter_map(|kept| kept.open_engine(py))
        .collect()
}

/// Every store that somebody has.
fn all(py: Python<'_>) -> Vec<Arc<Kept>> {
    let mut look = Look::take(py);
    let kept = look.traffic().kept.iter();
    kept.filter_map(Weak::upgrade).collect()
}

/// After a fork, in the process that forked: others may call again.
#[pyfunction]
pub(crate) fn after_fork_in_parent(py: Python<'_>) {
    let mut look = Look::take(py);
    let traffic = look.traffic();
    let me = std::thread::current().id();
    if let Some(at) = traffic.forking.iter().position(|thread| *thread == me) {
        traffic.forking.remove(at);
    }
    traffic.bell.ring();
    drop(look);
    for kept in all(py) {
        kept.wake(py);
    }
}

/// After a fork, in the new process.
#[pyfunction]
pub(crate) fn after_fork_in_child(py: Python<'_>) {
    // The first look does what is to be done.
    let _child = Look::take(py).traffic();
}

/// Closes every store; what was submitted is finished. A store that is used again is opened again.
#[pyfunction]
pub(crate) fn close_all(py: Python<'_>) {
    for kept in all(py) {
        kept.end_scrubs(py);
    }
    let engines: Vec<_> = all(py).iter().filter_map(|kept| kept.take(py)).collect();
    // Whatever fails here fails again, and is told, when the store is used next.
    py.detach(|| drop(engines));
}
