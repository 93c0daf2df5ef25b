//! Everything on a disk, and the operations on it.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use rusqlite::ffi::{SQLITE_CANTOPEN, SQLITE_FULL, SQLITE_IOERR, SQLITE_IOERR_DELETE_NOENT};
use sqlite_plugin::flags::{CreateMode, LockLevel, OpenKind, OpenMode, OpenOpts};
use sqlite_plugin::vfs::VfsResult;

use crate::fault::{Fault, Meter, Op};
use crate::file::{Change, File, FileId};
use crate::locks::HandleId;
use crate::names::Names;

/// An open file, without the disk it is on.
#[derive(Debug)]
pub(crate) struct Opened {
    pub(crate) id: HandleId,
    pub(crate) file: FileId,
    pub(crate) path: Arc<str>,
    pub(crate) read_only: bool,
    delete_on_close: bool,
    /// The first sync through this handle also syncs the directory.
    sync_directory: bool,
}

/// A disk's contents.
#[derive(Debug, Default)]
pub(crate) struct State {
    files: BTreeMap<FileId, File>,
    pub(crate) names: Names,
    pub(crate) meter: Meter,
    pub(crate) capacity: Option<usize>,
    /// Handles of databases that run with `synchronous=EXTRA`.
    extra: BTreeSet<HandleId>,
    last_id: u64,
}

impl State {
    fn next_id(&mut self) -> u64 {
        self.last_id += 1;
        self.last_id
    }

    pub(crate) fn file(&mut self, id: FileId) -> VfsResult<&mut File> {
        self.files.get_mut(&id).ok_or(SQLITE_IOERR)
    }

    pub(crate) fn get(&self, id: FileId) -> Option<&File> {
        self.files.get(&id)
    }

    /// A file that is safe on the disk, as if it had been there for long.
    pub(crate) fn put(&mut self, path: &str, bytes: Option<Vec<u8>>) {
        let file = bytes.map(|bytes| {
            let id = self.next_id();
            self.files.insert(id, File::durable(bytes));
            id
        });
        self.names.set_durable(path, file);
        self.forget_unused();
    }

    pub(crate) fn open(&mut self, path: Option<&str>, opts: OpenOpts) -> VfsResult<Opened> {
        let text: Arc<str> = Arc::from(path.unwrap_or_default());
        if self.meter.admit(Op::Open, &text, 0, 0)?.is_some() {
            return Err(SQLITE_CANTOPEN);
        }
        let mode = opts.mode();
        let mut sync_directory = false;
        let file = match path.and_then(|path| self.names.live(path)) {
            Some(_) if mode.must_create() => return Err(SQLITE_CANTOPEN),
            Some(file) => file,
            None => {
                let none = CreateMode::None;
                if mode.is_readonly() || mode == (OpenMode::ReadWrite { create: none }) {
                    return Err(SQLITE_CANTOPEN);
                }
                let kind = opts.kind();
                sync_directory = is_journal(&kind);
                self.create(path, kind)
            }
        };
        let handle = self.next_id();
        self.file(file)?.handles += 1;
        Ok(Opened {
            id: handle,
            file,
            path: text,
            read_only: mode.is_readonly(),
            delete_on_close: opts.delete_on_close(),
            sync_directory,
        })
    }

    fn create(&mut self, path: Option<&str>, kind: OpenKind) -> FileId {
        let id = self.next_id();
        let mut file = File::default();
        file.temporary = path.is_none();
        file.super_journal = kind == OpenKind::SuperJournal;
        self.files.insert(id, file);
        if let Some(path) = path {
            self.names.set(path, Some(id));
        }
        id
    }

    pub(crate) fn close(&mut self, handle: &Opened) {
        self.extra.remove(&handle.id);
        if let Some(file) = self.files.get_mut(&handle.file) {
            file.handles = file.handles.saturating_sub(1);
            file.locks.lower(handle.id, LockLevel::Unlocked);
        }
        self.unmap(handle);
        let is_this = self.names.live(&handle.path) == Some(handle.file);
        if handle.delete_on_close && is_this && !self.meter.off() {
            self.names.set(&handle.path, None);
        }
        self.forget_unused();
    }

    /// This handle no longer uses the WAL index; the last one takes it along.
    pub(crate) fn unmap(&mut self, handle: &Opened) {
        if let Some(file) = self.files.get_mut(&handle.file)
            && file.shm.as_mut().is_some_and(|shm| shm.unmap(handle.id))
        {
            file.shm = None;
        }
    }

    pub(crate) fn read(
        &mut self,
        handle: &Opened,
        offset: usize,
        into: &mut [u8],
    ) -> VfsResult<usize> {
        match self
            .meter
            .admit(Op::Read, &handle.path, offset, into.len())?
        {
            None => Ok(self.file(handle.file)?.read(offset, into)),
            Some(_) => Err(Op::Read.error()),
        }
    }

    pub(crate) fn write(&mut self, handle: &Opened, offset: usize, data: &[u8]) -> VfsResult<()> {
        let fault = self.admit(Op::Write, handle, offset, data.len())?;
        let half = data.len() / 2;
        let (part, result) = match fault {
            None => (data, Ok(())),
            Some(Fault::Lost) => return Ok(()),
            Some(Fault::Torn) => (&data[..half], Err(Op::Write.error())),
            Some(fault) => return Err(error(Op::Write, fault)),
        };
        // As write(2) on a full disk: what still fits is written.
        let fits = self.room_up_to(handle.file)?.saturating_sub(offset);
        let (part, result) = match part.get(..fits) {
            Some(fitting) if fits < part.len() => (fitting, Err(SQLITE_FULL)),
            _ => (part, result),
        };
        if !part.is_empty() {
            let data = part.to_vec();
            self.file(handle.file)?
                .change(Change::Write { offset, data });
        }
        result
    }

    pub(crate) fn truncate(&mut self, handle: &Opened, size: usize) -> VfsResult<()> {
        match self.admit(Op::Truncate, handle, size, 0)? {
            None => {}
            Some(Fault::Lost) => return Ok(()),
            Some(fault) => return Err(error(Op::Truncate, fault)),
        }
        let grows = size > self.file(handle.file)?.live().len();
        if grows && size > self.room_up_to(handle.file)? {
            return Err(SQLITE_FULL);
        }
        self.file(handle.file)?.change(Change::Resize { size });
        Ok(())
    }

    pub(crate) fn sync(&mut self, handle: &mut Opened) -> VfsResult<()> {
        match self.admit(Op::Sync, handle, 0, 0)? {
            None => {}
            Some(Fault::Lost) => return Ok(()),
            Some(fault) => return Err(error(Op::Sync, fault)),
        }
        self.file(handle.file)?.sync();
        self.names.sync_file(&handle.path, handle.file);
        if std::mem::take(&mut handle.sync_directory) {
            self.names.sync_directory_of(&handle.path);
        }
        self.forget_unused();
        Ok(())
    }

    pub(crate) fn sync_directories(&mut self) {
        self.names.sync_all();
        self.forget_unused();
    }

    pub(crate) fn delete(&mut self, path: &str) -> VfsResult<()> {
        self.meter.powered(Op::Delete)?;
        let file = self.names.live(path).ok_or(SQLITE_IOERR_DELETE_NOENT)?;
        match self.meter.admit(Op::Delete, &Arc::from(path), 0, 0)? {
            None => {}
            Some(Fault::Lost) => return Ok(()),
            Some(fault) => return Err(error(Op::Delete, fault)),
        }
        let sync = self.asks_for_directory_sync(path, file);
        self.names.set(path, None);
        if sync {
            self.names.sync_directory_of(path);
        }
        self.forget_unused();
        Ok(())
    }

    /// SQLite says so itself, but the plug-in layer does not pass it on. It asks for it where it
    /// ends a transaction over several databases by deleting its super-journal, and where a
    /// connection with `synchronous=EXTRA` ends one by deleting its rollback journal. That
    /// connection holds the database's lock.
    fn asks_for_directory_sync(&self, path: &str, file: FileId) -> bool {
        if self.get(file).is_some_and(|file| file.super_journal) {
            return true;
        }
        let database = path.strip_suffix("-journal").unwrap_or_default();
        let database = self.names.live(database).and_then(|id| self.get(id));
        let writer = database.and_then(|file| file.locks.writer());
        writer.is_some_and(|handle| self.extra.contains(&handle))
    }

    pub(crate) fn set_extra(&mut self, handle: HandleId, extra: bool) {
        if extra {
            self.extra.insert(handle);
        } else {
            self.extra.remove(&handle);
        }
    }

    /// The bytes that the files take up.
    pub(crate) fn used(&self) -> usize {
        let taking = |(id, file): &(&FileId, &File)| {
            !file.temporary && (file.handles > 0 || self.names.name_now(**id))
        };
        let files = self.files.iter().filter(taking);
        files.map(|(_, file)| file.live().len()).sum()
    }

    /// Up to which length this file may grow.
    fn room_up_to(&mut self, file: FileId) -> VfsResult<usize> {
        let used = self.used();
        let capacity = self.capacity;
        let file = self.file(file)?;
        Ok(match capacity {
            Some(capacity) if !file.temporary => file.live().len() + capacity.saturating_sub(used),
            _ => usize::MAX,
        })
    }

    /// Files without a name are SQLite's scratch paper, on another disk: they are not counted and
    /// meet no faults but the end of the power.
    fn admit(
        &mut self,
        op: Op,
        handle: &Opened,
        offset: usize,
        len: usize,
    ) -> VfsResult<Option<Fault>> {
        if self.file(handle.file)?.temporary {
            return self.meter.powered(op).map(|()| None);
        }
        self.meter.admit(op, &handle.path, offset, len)
    }

    /// A file without a handle goes when no power loss can bring its name back.
    fn forget_unused(&mut self) {
        let names = &self.names;
        self.files
            .retain(|id, file| file.handles > 0 || names.mention(*id));
    }
}

fn error(op: Op, fault: Fault) -> i32 {
    match fault {
        Fault::Full => SQLITE_FULL,
        Fault::Io | Fault::Torn | Fault::Lost => op.error(),
    }
}

/// The files whose creation the unix VFS makes durable with their first sync.
fn is_journal(kind: &OpenKind) -> bool {
    matches!(
        kind,
        OpenKind::MainJournal | OpenKind::SuperJournal | OpenKind::Wal
    )
}
