//! A simulated disk, as tests hold it.

use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard};

use rusqlite::{Connection, OpenFlags};

use crate::crash::{self, PowerLoss};
use crate::fault::{Fault, Injection, Op, Step};
use crate::registry::{Lease, lock};
use crate::state::State;

/// What a disk's owners and its open files share.
#[derive(Debug)]
pub(crate) struct Inner {
    state: Mutex<State>,
    lease: Lease,
}

impl Inner {
    pub(crate) fn state(&self) -> MutexGuard<'_, State> {
        lock(&self.state)
    }
}

/// A simulated disk. Clones are the same disk.
///
/// It lives until its last clone is dropped and its last file is closed; then its VFS name is
/// free, and may mean another disk some hundred disks later.
#[derive(Clone, Debug)]
pub struct Disk {
    inner: Arc<Inner>,
}

impl Default for Disk {
    fn default() -> Self {
        Self::new()
    }
}

/// Using it.
impl Disk {
    /// An empty disk without limits or faults, registered with SQLite.
    pub fn new() -> Self {
        Self::with(State::default())
    }

    fn with(state: State) -> Self {
        let state = Mutex::new(state);
        let lease = Lease::new();
        let inner = Arc::new(Inner { state, lease });
        inner.lease.stand_for(&inner);
        Self { inner }
    }

    /// The name of its VFS, for `Connection::open_with_flags_and_vfs` or `?vfs=` in a URI.
    pub fn vfs_name(&self) -> &str {
        self.inner.lease.name()
    }

    /// Opens a database on this disk, which is made where there is none. It may be used from
    /// several threads, one at a time, like every connection of rusqlite.
    pub fn open(&self, path: impl AsRef<Path>) -> rusqlite::Result<Connection> {
        let create = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_CREATE;
        let flags = create | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        Connection::open_with_flags_and_vfs(path, flags, self.vfs_name())
    }

    /// The bytes of a file as everybody sees them now. `None` where there is no such file.
    pub fn image(&self, path: impl AsRef<Path>) -> Option<Vec<u8>> {
        let state = self.inner.state();
        let file = state.names.live(&text(path)).and_then(|id| state.get(id));
        file.map(|file| file.live().to_vec())
    }

    /// Puts a file on the disk, durable at once, in place of any other of this path. Neither
    /// counted nor refused. Handles that are open keep the old file.
    pub fn put(&self, path: impl AsRef<Path>, bytes: impl Into<Vec<u8>>) {
        self.inner.state().put(&text(path), Some(bytes.into()));
    }

    /// Takes a file off the disk, durably; the counterpart of [`put`](Self::put).
    pub fn remove(&self, path: impl AsRef<Path>) {
        self.inner.state().put(&text(path), None);
    }

    /// The paths of all files, sorted.
    pub fn paths(&self) -> Vec<String> {
        let state = self.inner.state();
        state.names.live_paths().map(str::to_owned).collect()
    }

    /// How many bytes the files take up, those included that are deleted and still open.
    pub fn used(&self) -> usize {
        self.inner.state().used()
    }
}

/// Losing its power.
impl Disk {
    /// Counts operations from now on, from zero. Operation `n` does not happen: it and everything
    /// after it, reads and opens too, fails with an I/O error, for the power is gone.
    ///
    /// Counted are writes, truncates, syncs and deletes. A test that wants to stop at every one
    /// asks for [`operations`](Self::operations) after a run without a stop.
    pub fn stop_at(&self, n: usize) {
        self.inner.state().meter.stop_at(n);
    }

    /// Whether the power is gone.
    pub fn stopped(&self) -> bool {
        self.inner.state().meter.off()
    }

    /// How many operations were let through since the disk was made or last told to stop. Those
    /// that met an injected fault or a full disk count too.
    pub fn operations(&self) -> usize {
        self.inner.state().meter.steps().len()
    }

    /// These operations one by one, to tell what a test stopped at.
    pub fn trace(&self) -> Vec<Step> {
        self.inner.state().meter.steps().to_vec()
    }

    /// Makes all creations and deletions so far durable, as code does that syncs its directories
    /// beside SQLite. Not counted.
    pub fn sync_directories(&self) {
        self.inner.state().sync_directories();
    }

    /// The disk that would be found if the power failed now: with power, without limits or faults,
    /// and under a name of its own. This one goes on as it was, so that one moment can be lost in
    /// many ways; connections that are open stay with it.
    pub fn crash(&self, loss: PowerLoss) -> Disk {
        let found = crash::after(&self.inner.state(), loss);
        Self::with(found)
    }
}

/// Faults while the power stays on.
impl Disk {
    /// The next operation of this kind fails, those after it work again.
    pub fn fail_once(&self, op: Op, fault: Fault) {
        self.fail_nth(op, 0, fault);
    }

    /// The `n`-th operation of this kind from now on fails, counted from zero; all others work.
    pub fn fail_nth(&self, op: Op, n: usize, fault: Fault) {
        self.inject(Some(op), n, true, fault);
    }

    /// The `n`-th counted operation from now on fails, whatever it is; all others work.
    pub fn fail_at(&self, n: usize, fault: Fault) {
        self.inject(None, n, true, fault);
    }

    /// All operations of this kind fail until [`lift_faults`](Self::lift_faults).
    pub fn fail_always(&self, op: Op, fault: Fault) {
        self.inject(Some(op), 0, false, fault);
    }

    fn inject(&self, op: Option<Op>, skip: usize, once: bool, fault: Fault) {
        self.inner.state().meter.inject(Injection {
            op,
            skip,
            once,
            fault,
        });
    }

    /// Forgets all faults that have not struck yet. Not the power, nor the capacity.
    pub fn lift_faults(&self) {
        self.inner.state().meter.lift();
    }

    /// From now on the files may take up so many bytes together; `None` lifts it. What would grow
    /// beyond it fails with `SQLITE_FULL`, of a write what does not fit. Overwriting always works.
    pub fn set_capacity(&self, bytes: impl Into<Option<usize>>) {
        self.inner.state().capacity = bytes.into();
    }
}

/// A path as SQLite hands it to a VFS.
fn text(path: impl AsRef<Path>) -> String {
    path.as_ref().to_string_lossy().into_owned()
}
