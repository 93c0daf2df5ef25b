//! The WAL index: memory that the connections of a database share, and its eight locks.
//!
//! SQLite keeps raw pointers into the regions and writes to them on its own. The regions are made
//! of atomics, since memory behind them may change while Rust holds a reference, and are held by
//! an `Arc`, since a `Box` would claim to be the only way to its memory. So the pointers are sound
//! without `unsafe`, for as long as the region lives: until the last connection has unmapped it.

use std::collections::BTreeMap;
use std::ptr::NonNull;
use std::sync::Arc;
use std::sync::atomic::AtomicU64;

use rusqlite::ffi::{SQLITE_BUSY, SQLITE_IOERR_SHMLOCK, SQLITE_SHM_NLOCK};
use sqlite_plugin::flags::ShmLockMode;
use sqlite_plugin::vfs::VfsResult;

use crate::locks::HandleId;

/// The locks that one connection holds, a bit each.
#[derive(Clone, Copy, Debug, Default)]
struct Held {
    shared: u32,
    exclusive: u32,
}

/// The shared memory of one database, while somebody has it mapped.
#[derive(Debug, Default)]
pub(crate) struct Shm {
    regions: Vec<Arc<[AtomicU64]>>,
    users: BTreeMap<HandleId, Held>,
}

impl Shm {
    /// The address of a region, which is made of zeros where it is new. `None` where there is no
    /// such region and `extend` does not ask for one.
    pub(crate) fn map(
        &mut self,
        handle: HandleId,
        index: usize,
        size: usize,
        extend: bool,
    ) -> Option<NonNull<u8>> {
        self.users.entry(handle).or_default();
        while extend && self.regions.len() <= index {
            let words = size.div_ceil(size_of::<AtomicU64>());
            self.regions
                .push((0..words).map(|_| AtomicU64::new(0)).collect());
        }
        let region = self.regions.get(index)?;
        Some(NonNull::from(&**region).cast())
    }

    /// Takes or gives back the locks `offset..offset + count`, all or none of them.
    pub(crate) fn lock(
        &mut self,
        handle: HandleId,
        offset: u32,
        count: u32,
        mode: ShmLockMode,
    ) -> VfsResult<()> {
        let end = offset.saturating_add(count);
        if end > SQLITE_SHM_NLOCK as u32 {
            return Err(SQLITE_IOERR_SHMLOCK);
        }
        let mask = (1 << end) - (1 << offset);
        let taken_shared = self.users.values().any(|held| held.shared & mask != 0);
        let taken = self.users.values().any(|held| held.exclusive & mask != 0);
        let held = self.users.get_mut(&handle).ok_or(SQLITE_IOERR_SHMLOCK)?;
        match mode {
            ShmLockMode::LockShared if taken => return Err(SQLITE_BUSY),
            ShmLockMode::LockShared => held.shared |= mask,
            ShmLockMode::LockExclusive if taken || taken_shared => return Err(SQLITE_BUSY),
            ShmLockMode::LockExclusive => held.exclusive |= mask,
            ShmLockMode::UnlockShared => held.shared &= !mask,
            ShmLockMode::UnlockExclusive => held.exclusive &= !mask,
        }
        Ok(())
    }

    /// This connection is done. Returns whether it was the last one: then the index can go, and
    /// whoever comes next rebuilds it from the WAL, as with the files of the unix VFS.
    pub(crate) fn unmap(&mut self, handle: HandleId) -> bool {
        self.users.remove(&handle);
        self.users.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::ShmLockMode::{LockExclusive, LockShared, UnlockExclusive, UnlockShared};
    use super::*;

    #[test]
    fn regions_are_shared_and_stay_where_they_are() {
        let mut shm = Shm::default();
        assert_eq!(shm.map(1, 0, 32768, false), None);
        let first = shm.map(1, 0, 32768, true);
        assert!(first.is_some());
        for index in 1..100 {
            assert!(shm.map(2, index, 32768, true).is_some());
        }
        assert_eq!(shm.map(2, 0, 32768, false), first);
        assert!(!shm.unmap(1));
        assert!(shm.unmap(2));
    }

    #[test]
    fn exclusive_locks_exclude() {
        let mut shm = Shm::default();
        assert_eq!(shm.lock(1, 0, 1, LockShared), Err(SQLITE_IOERR_SHMLOCK));
        shm.map(1, 0, 32768, true);
        shm.map(2, 0, 32768, true);
        assert_eq!(shm.lock(1, 3, 1, LockShared), Ok(()));
        assert_eq!(shm.lock(2, 3, 1, LockShared), Ok(()));
        assert_eq!(shm.lock(2, 1, 3, LockExclusive), Err(SQLITE_BUSY));
        assert_eq!(shm.lock(2, 4, 4, LockExclusive), Ok(()));
        assert_eq!(shm.lock(1, 5, 1, LockShared), Err(SQLITE_BUSY));
        assert_eq!(shm.lock(2, 4, 4, UnlockExclusive), Ok(()));
        assert_eq!(shm.lock(1, 5, 1, LockShared), Ok(()));
        assert_eq!(shm.lock(1, 3, 1, UnlockShared), Ok(()));
        assert_eq!(shm.lock(1, 3, 1, LockExclusive), Err(SQLITE_BUSY));
        assert_eq!(shm.lock(1, 7, 2, LockShared), Err(SQLITE_IOERR_SHMLOCK));
        // Whoever leaves takes its locks along.
        shm.unmap(2);
        assert_eq!(shm.lock(1, 3, 1, LockExclusive), Ok(()));
    }
}
