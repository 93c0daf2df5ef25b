//! Where a new store is made, before it gets its place.

use std::fs::{self, File, TryLockError};
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};

use crate::durable;
use crate::error::{Error, Result};
use crate::location;

/// Refuses a place where something stands.
pub(super) fn refuse_existing(file: &Path) -> Result<()> {
    let shown = file.display();
    if fs::symlink_metadata(file).is_ok() {
        return Err(Error::conflict(format!(
            "{shown} exists already; restore to another place, or one session of the backup into this store"
        )));
    }
    // SQLite would lay what stands in them over the restored store.
    for left in location::LOGS.map(|end| location::beside(file, end)) {
        if fs::symlink_metadata(&left).is_ok() {
            let left = left.display();
            return Err(Error::conflict(format!(
                "{left} is left of a store that stood there and belongs to it: move it to where that is, or restore to another place"
            )));
        }
    }
    Ok(())
}

/// A folder beside the place of a new store, where it is made.
pub(super) struct Staging {
    folder: PathBuf,
    /// As long as it is open, nobody else works there.
    _lock: File,
}

impl Staging {
    /// Begins anew where an earlier restore was interrupted.
    pub(super) fn begin(file: &Path) -> Result<Self> {
        let mut name = std::ffi::OsString::from(".");
        name.push(file.file_name().unwrap_or_default());
        name.push(".restoring");
        let folder = durable::folder_of(file).join(name);
        let failed = |e| Error::io(format!("making {}", folder.display()), e);
        let made = fs::DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(&folder);
        made.map_err(failed)?;
        let lock = File::open(&folder).map_err(failed)?;
        match lock.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                let file = file.display();
                return Err(Error::locked(format!(
                    "another program is restoring to {file} just now"
                )));
            }
            Err(TryLockError::Error(e)) => return Err(failed(e)),
        }
        for entry in fs::read_dir(&folder).map_err(failed)? {
            fs::remove_file(entry.map_err(failed)?.path()).map_err(failed)?;
        }
        Ok(Self {
            folder,
            _lock: lock,
        })
    }

    pub(super) fn file(&self) -> PathBuf {
        self.folder.join(location::FILE_NAME)
    }

    /// Gives the finished store its place.
    pub(super) fn put(self, file: &Path) -> Result<()> {
        let made = self.file();
        if location::bytes(&made, &["-wal"]) > 0 {
            return Err(Error::storage(
                "the restored store was not closed as a whole; nothing was put in its place",
            ));
        }
        refuse_existing(file)?;
        durable::name(&made, file)
    }
}

impl Drop for Staging {
    fn drop(&mut self) {
        drop(fs::remove_dir_all(&self.folder));
    }
}
