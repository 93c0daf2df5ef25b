//! A folder to work in, which goes when the work is done, or with the next call where a program was killed.

use std::fs::{self, File, Permissions, TryLockError};
use std::io::ErrorKind as Io;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::Path;

use tempfile::{Builder, TempDir};

use crate::error::{Error, Result};

/// A folder for one program, for its owner only, which is locked as long as it is at work there.
pub(super) struct Scratch {
    folder: TempDir,
    _lock: File,
}

impl Scratch {
    /// A folder in `within`, whose name begins so; those of programs that were killed go.
    pub(super) fn make(within: &Path, begin: &str) -> Result<Self> {
        take_away_left(within, begin);
        loop {
            let mut made = Builder::new();
            made.prefix(begin)
                .permissions(Permissions::from_mode(0o700));
            let folder = made.tempdir_in(within);
            let failed = |e| {
                Error::io(
                    format!("making a scratch folder in {}", within.display()),
                    e,
                )
            };
            let folder = folder.map_err(failed)?;
            // Before it was locked, another program may have taken it for one that was left.
            if let Some(lock) = locked(folder.path()).map_err(failed)? {
                return Ok(Self {
                    folder,
                    _lock: lock,
                });
            }
        }
    }

    pub(super) fn path(&self) -> &Path {
        self.folder.path()
    }
}

/// What programs left there that were killed. What cannot be taken away is in nobody's way.
fn take_away_left(within: &Path, begin: &str) {
    for entry in fs::read_dir(within).into_iter().flatten().flatten() {
        let name = entry.file_name();
        let is_one = name.to_string_lossy().starts_with(begin);
        if is_one
            && entry.file_type().is_ok_and(|it| it.is_dir())
            && let Ok(Some(_lock)) = locked(&entry.path())
        {
            drop(fs::remove_dir_all(entry.path()));
        }
    }
}

/// The folder, locked; nothing where another program works there, or took it away.
fn locked(folder: &Path) -> std::io::Result<Option<File>> {
    let lock = match File::open(folder) {
        Err(e) if e.kind() == Io::NotFound => return Ok(None),
        opened => opened?,
    };
    match lock.try_lock() {
        Ok(()) => {}
        Err(TryLockError::WouldBlock) => return Ok(None),
        Err(TryLockError::Error(e)) => return Err(e),
    }
    let held = lock.metadata()?;
    let is_it = |there: fs::Metadata| (there.dev(), there.ino()) == (held.dev(), held.ino());
    Ok(fs::symlink_metadata(folder)
        .is_ok_and(is_it)
        .then_some(lock))
}
