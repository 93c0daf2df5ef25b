//! One process at a time: a lock on the folder itself, which needs no file of its own.

use std::fs::{File, TryLockError};
use std::path::Path;
use std::sync::mpsc;
use std::time::Duration;

use dalsegno::durable::{folder_of, real};
use dalsegno::{Error, ErrorKind, Result};

/// How long another process is waited for.
const PATIENCE: Duration = Duration::from_secs(20);

/// The lock on the folder in which the session's file really is; dropping it lets others in.
#[derive(Debug)]
pub(crate) struct Lock {
    folder: File,
}

impl Drop for Lock {
    fn drop(&mut self) {
        // Closing is not enough: a process that was forked meanwhile has the same lock.
        let _closed_anyway = self.folder.unlock();
    }
}

impl Lock {
    /// Waits until nobody else holds the lock for the session's file at `path`.
    ///
    /// # Errors
    /// `Locked` where another holds it for longer than 20 seconds; `NotFound` without the folder; `Denied` or
    /// `Storage` as the operating system answers, also where the file system has no locks.
    pub(crate) fn of(path: &Path) -> Result<Self> {
        Self::on(&folder_of(&real(path)?), PATIENCE)
    }

    fn on(folder: &Path, patience: Duration) -> Result<Self> {
        let failed = |e| Error::io(format!("locking the folder {}", folder.display()), e);
        let file = File::open(folder).map_err(failed)?;
        match file.try_lock() {
            Ok(()) => return Ok(Self { folder: file }),
            Err(TryLockError::WouldBlock) => {}
            Err(TryLockError::Error(error)) => return Err(failed(error)),
        }
        // Waiting in the kernel's own queue is fair, but has no end; a thread waits in our place. Where it
        // comes too late, it lets go again.
        let (sender, receiver) = mpsc::channel();
        std::thread::Builder::new()
            .name("dalsegno-lock".to_owned())
            .spawn(move || {
                let locked = file.lock().map(|()| file);
                if let Err(mpsc::SendError(Ok(too_late))) = sender.send(locked) {
                    let _closed_anyway = too_late.unlock();
                }
            })
            .map_err(failed)?;
        match receiver.recv_timeout(patience) {
            Ok(locked) => Ok(Self {
                folder: locked.map_err(failed)?,
            }),
            Err(_) => {
                let message = format!(
                    "another process has been at work in the folder {} for {} seconds; try again \
                     when it is done",
                    folder.display(),
                    patience.as_secs()
                );
                Err(Error::new(ErrorKind::Locked, message))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_at_a_time_and_nothing_is_left_behind() {
        let folder = tempfile::tempdir().unwrap();
        let held = Lock::on(folder.path(), PATIENCE).unwrap();
        let refused = Lock::on(folder.path(), Duration::from_millis(20)).unwrap_err();
        assert_eq!(refused.kind(), ErrorKind::Locked);
        std::thread::scope(|scope| {
            let waits = scope.spawn(|| Lock::on(folder.path(), PATIENCE).map(drop));
            drop(held);
            waits.join().unwrap().unwrap();
        });
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0);
    }
}
