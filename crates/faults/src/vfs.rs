//! SQLite's side: its calls, handed on to the disk.

use std::ptr::NonNull;
use std::sync::Arc;
use std::sync::atomic::{Ordering, fence};

use rusqlite::ffi::{
    SQLITE_CANTOPEN, SQLITE_IOCAP_POWERSAFE_OVERWRITE, SQLITE_IOCAP_SUBPAGE_READ,
    SQLITE_IOERR_SHMLOCK,
};
use sqlite_plugin::flags::{AccessFlags, LockLevel, OpenOpts, ShmLockMode};
use sqlite_plugin::vfs::{Pragma, PragmaErr, Vfs, VfsHandle, VfsResult};

use crate::disk::Inner;
use crate::registry::Slot;
use crate::state::Opened;

/// What the unix VFS of the bundled SQLite answers on Linux (`setDeviceCharacteristics`, without
/// `SQLITE_ENABLE_BATCH_ATOMIC_WRITE`). The plug-in's default promises more, and SQLite would leave
/// out syncs for it.
const DEVICE: i32 = SQLITE_IOCAP_POWERSAFE_OVERWRITE | SQLITE_IOCAP_SUBPAGE_READ;
/// `SQLITE_DEFAULT_SECTOR_SIZE`, which the unix VFS answers.
const SECTOR: i32 = 4096;

/// An open file on a disk, which it keeps alive.
pub(crate) struct Handle {
    disk: Arc<Inner>,
    opened: Opened,
}

impl VfsHandle for Handle {
    fn readonly(&self) -> bool {
        self.opened.read_only
    }

    /// SQLite would not take locks nor write ahead for a file in memory.
    fn in_memory(&self) -> bool {
        false
    }
}

/// The VFS registered under one name.
pub(crate) struct Plugin {
    slot: Arc<Slot>,
}

impl Plugin {
    pub(crate) fn new(slot: Arc<Slot>) -> Self {
        Self { slot }
    }

    fn disk(&self) -> VfsResult<Arc<Inner>> {
        self.slot.disk().ok_or(SQLITE_CANTOPEN)
    }
}

impl Vfs for Plugin {
    type Handle = Handle;

    fn open(&self, path: Option<&str>, opts: OpenOpts) -> VfsResult<Handle> {
        let disk = self.disk()?;
        let opened = disk.state().open(path, opts)?;
        Ok(Handle { disk, opened })
    }

    fn close(&self, handle: Handle) -> VfsResult<()> {
        handle.disk.state().close(&handle.opened);
        Ok(())
    }

    fn delete(&self, path: &str) -> VfsResult<()> {
        self.disk()?.state().delete(path)
    }

    fn access(&self, path: &str, flags: AccessFlags) -> VfsResult<bool> {
        let disk = self.disk()?;
        let state = disk.state();
        let file = state.names.live(path).and_then(|id| state.get(id));
        // To the unix VFS an empty file does not exist: it is a journal that is just being made,
        // or was left by a power loss.
        let exists = flags == AccessFlags::Exists;
        Ok(file.is_some_and(|file| !exists || !file.live().is_empty()))
    }

    fn file_size(&self, handle: &mut Handle) -> VfsResult<usize> {
        let mut state = handle.disk.state();
        Ok(state.file(handle.opened.file)?.live().len())
    }

    fn truncate(&self, handle: &mut Handle, size: usize) -> VfsResult<()> {
        handle.disk.state().truncate(&handle.opened, size)
    }

    fn write(&self, handle: &mut Handle, offset: usize, data: &[u8]) -> VfsResult<usize> {
        handle.disk.state().write(&handle.opened, offset, data)?;
        Ok(data.len())
    }

    fn read(&self, handle: &mut Handle, offset: usize, data: &mut [u8]) -> VfsResult<usize> {
        handle.disk.state().read(&handle.opened, offset, data)
    }

    fn sync(&self, handle: &mut Handle) -> VfsResult<()> {
        handle.disk.state().sync(&mut handle.opened)
    }

    fn lock(&self, handle: &mut Handle, level: LockLevel) -> VfsResult<()> {
        let mut state = handle.disk.state();
        let file = state.file(handle.opened.file)?;
        file.locks.raise(handle.opened.id, level)
    }

    fn unlock(&self, handle: &mut Handle, level: LockLevel) -> VfsResult<()> {
        let mut state = handle.disk.state();
        let file = state.file(handle.opened.file)?;
        file.locks.lower(handle.opened.id, level);
        Ok(())
    }

    fn check_reserved_lock(&self, handle: &mut Handle) -> VfsResult<bool> {
        let mut state = handle.disk.state();
        Ok(state.file(handle.opened.file)?.locks.reserved())
    }

    /// Answers nothing, but sees `PRAGMA synchronous` pass by.
    fn pragma(&self, handle: &mut Handle, pragma: Pragma<'_>) -> Result<Option<String>, PragmaErr> {
        if let ("synchronous", Some(level)) = (&*pragma.name.to_ascii_lowercase(), pragma.arg) {
            let extra = is_extra(level);
            handle.disk.state().set_extra(handle.opened.id, extra);
        }
        Err(PragmaErr::NotFound)
    }

    fn sector_size(&self, _: &mut Handle) -> VfsResult<i32> {
        Ok(SECTOR)
    }

    fn device_characteristics(&self, _: &mut Handle) -> VfsResult<i32> {
        Ok(DEVICE)
    }

    fn shm_map(
        &self,
        handle: &mut Handle,
        region_idx: usize,
        region_size: usize,
        extend: bool,
    ) -> VfsResult<Option<NonNull<u8>>> {
        let mut state = handle.disk.state();
        let file = state.file(handle.opened.file)?;
        let shm = file.shm.get_or_insert_default();
        Ok(shm.map(handle.opened.id, region_idx, region_size, extend))
    }

    fn shm_lock(
        &self,
        handle: &mut Handle,
        offset: u32,
        count: u32,
        mode: ShmLockMode,
    ) -> VfsResult<()> {
        let mut state = handle.disk.state();
        let shm = state.file(handle.opened.file)?.shm.as_mut();
        let shm = shm.ok_or(SQLITE_IOERR_SHMLOCK)?;
        shm.lock(handle.opened.id, offset, count, mode)
    }

    fn shm_barrier(&self, handle: &mut Handle) {
        fence(Ordering::SeqCst);
        // As the unix VFS, which takes its mutex as well "for redundancy".
        drop(handle.disk.state());
    }

    /// There is nothing to delete: the index goes with its last user in any case.
    fn shm_unmap(&self, handle: &mut Handle, _delete: bool) -> VfsResult<()> {
        handle.disk.state().unmap(&handle.opened);
        Ok(())
    }
}

/// Whether SQLite takes this argument of `PRAGMA synchronous` for EXTRA.
fn is_extra(level: &str) -> bool {
    level.eq_ignore_ascii_case("extra") || level.parse::<u32>().is_ok_and(|n| n & 7 == 3)
}
