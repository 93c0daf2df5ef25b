//! The names under which SQLite knows the disks.
//!
//! SQLite keeps a registered VFS for as long as the process runs, and looks for names in a list. A
//! test that loses its power thousands of times would make that list long, so names are lent: one
//! whose disk is gone serves another disk later. Not at once: whoever still uses the name of a
//! disk that is gone should meet an error, not the disk of somebody else.

use std::collections::VecDeque;
use std::ffi::CString;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};

use sqlite_plugin::vfs::{RegisterOpts, register_static};

use crate::disk::Inner;
use crate::vfs::Plugin;

/// So many names rest before the longest rested one is used again.
const RESTING: usize = 512;

static FREE: Mutex<VecDeque<Arc<Slot>>> = Mutex::new(VecDeque::new());
static REGISTERED: AtomicUsize = AtomicUsize::new(0);

/// A registered VFS, and the disk that it stands for at the moment.
#[derive(Debug)]
pub(crate) struct Slot {
    name: String,
    disk: Mutex<Weak<Inner>>,
}

impl Slot {
    pub(crate) fn disk(&self) -> Option<Arc<Inner>> {
        lock(&self.disk).upgrade()
    }
}

/// The right to use a name, given back when it is dropped.
#[derive(Debug)]
pub(crate) struct Lease(Arc<Slot>);

impl Lease {
    pub(crate) fn new() -> Self {
        let rested = {
            let mut free = lock(&FREE);
            if free.len() > RESTING {
                free.pop_front()
            } else {
                None
            }
        };
        Lease(rested.unwrap_or_else(register))
    }

    pub(crate) fn name(&self) -> &str {
        &self.0.name
    }

    pub(crate) fn stand_for(&self, disk: &Arc<Inner>) {
        *lock(&self.0.disk) = Arc::downgrade(disk);
    }
}

impl Drop for Lease {
    fn drop(&mut self) {
        lock(&FREE).push_back(Arc::clone(&self.0));
    }
}

fn register() -> Arc<Slot> {
    let number = REGISTERED.fetch_add(1, Ordering::Relaxed);
    let slot = Arc::new(Slot {
        name: format!("dalsegno-faults-{number}"),
        disk: Mutex::new(Weak::new()),
    });
    // Neither part can fail but for lack of memory. If one does, SQLite will say that there is no
    // such VFS when a database is opened, which is soon enough.
    if let Ok(name) = CString::new(slot.name.as_str()) {
        let plugin = Plugin::new(Arc::clone(&slot));
        let options = RegisterOpts {
            make_default: false,
        };
        let _ = register_static(name, plugin, options);
    }
    slot
}

/// No state here is left half changed by a panic, so a poisoned mutex is as good as any.
pub(crate) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
