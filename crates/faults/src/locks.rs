//! The locks of a database file: shared, reserved, pending, exclusive.

use std::collections::BTreeMap;

use rusqlite::ffi::SQLITE_BUSY;
use sqlite_plugin::flags::LockLevel;
use sqlite_plugin::vfs::VfsResult;

/// Names an open handle; locks belong to handles, as two connections of one process are strangers.
pub(crate) type HandleId = u64;

/// Who holds which lock. Handles without a lock are not in it.
#[derive(Debug, Default)]
pub(crate) struct Locks {
    holders: BTreeMap<HandleId, LockLevel>,
}

impl Locks {
    fn level(&self, handle: HandleId) -> LockLevel {
        let level = self.holders.get(&handle).copied();
        level.unwrap_or(LockLevel::Unlocked)
    }

    /// The highest level that anybody else holds.
    fn others(&self, handle: HandleId) -> LockLevel {
        let others = self.holders.iter().filter(|(h, _)| **h != handle);
        let highest = others.map(|(_, level)| *level).max();
        highest.unwrap_or(LockLevel::Unlocked)
    }

    /// Raises a lock, or says busy. The rules are those of the unix VFS, down to what a failed
    /// attempt leaves behind.
    pub(crate) fn raise(&mut self, handle: HandleId, wanted: LockLevel) -> VfsResult<()> {
        let held = self.level(handle);
        if held >= wanted {
            return Ok(());
        }
        let others = self.others(handle);
        let free = match wanted {
            LockLevel::Unlocked => true,
            // A pending writer lets nobody new in, else it would wait for ever.
            LockLevel::Shared => others < LockLevel::Pending,
            LockLevel::Reserved => others < LockLevel::Reserved,
            LockLevel::Pending | LockLevel::Exclusive => {
                if others == LockLevel::Shared && held == LockLevel::Reserved {
                    // Readers may finish, and the writer keeps its place before new ones. A hot
                    // journal is rolled back from shared at once, and has no place to keep.
                    self.holders.insert(handle, LockLevel::Pending);
                }
                others == LockLevel::Unlocked
            }
        };
        if !free {
            return Err(SQLITE_BUSY);
        }
        self.holders.insert(handle, wanted);
        Ok(())
    }

    /// Lowers a lock to `level`; a lower one stays.
    pub(crate) fn lower(&mut self, handle: HandleId, level: LockLevel) {
        if level == LockLevel::Unlocked {
            self.holders.remove(&handle);
        } else if self.level(handle) > level {
            self.holders.insert(handle, level);
        }
    }

    /// Whether anybody is about to write.
    pub(crate) fn reserved(&self) -> bool {
        self.writer().is_some()
    }

    /// Who is about to write.
    pub(crate) fn writer(&self) -> Option<HandleId> {
        let mut holders = self.holders.iter();
        let writer = holders.find(|(_, level)| **level >= LockLevel::Reserved);
        writer.map(|(handle, _)| *handle)
    }
}

#[cfg(test)]
mod tests {
    use super::LockLevel::{Exclusive, Reserved, Shared, Unlocked};
    use super::*;

    #[test]
    fn one_writer_beside_many_readers_until_it_commits() {
        let mut locks = Locks::default();
        assert_eq!(locks.raise(1, Shared), Ok(()));
        assert_eq!(locks.raise(2, Shared), Ok(()));
        assert_eq!(locks.raise(1, Reserved), Ok(()));
        assert_eq!(locks.raise(2, Reserved), Err(SQLITE_BUSY));
        assert_eq!(locks.raise(3, Shared), Ok(()));
        assert_eq!(locks.writer(), Some(1));
        // The writer waits for the readers, and keeps new ones out.
        assert_eq!(locks.raise(1, Exclusive), Err(SQLITE_BUSY));
        assert_eq!(locks.raise(4, Shared), Err(SQLITE_BUSY));
        locks.lower(2, Unlocked);
        locks.lower(3, Unlocked);
        assert_eq!(locks.raise(1, Exclusive), Ok(()));
        assert_eq!(locks.raise(2, Shared), Err(SQLITE_BUSY));
        locks.lower(1, Shared);
        assert!(!locks.reserved());
        assert_eq!(locks.raise(2, Shared), Ok(()));
    }

    #[test]
    fn two_readers_cannot_both_roll_back_a_hot_journal() {
        let mut locks = Locks::default();
        assert_eq!(locks.raise(1, Shared), Ok(()));
        assert_eq!(locks.raise(2, Shared), Ok(()));
        assert_eq!(locks.raise(1, Exclusive), Err(SQLITE_BUSY));
        assert_eq!(locks.raise(2, Exclusive), Err(SQLITE_BUSY));
        assert_eq!(locks.raise(3, Shared), Ok(()));
    }
}
