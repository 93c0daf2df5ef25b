//! Making sure that nobody has the store open.

use std::fs::{File, OpenOptions};
use std::path::Path;

use rustix::fs::{FlockOperation, fcntl_lock};

use crate::error::{Error, Result};
use crate::location::is_open_here;

/// Opens the file and locks all of it, as SQLite locks its bytes: whoever has it open keeps us out, and as long as it is held
/// we keep out who wants to open it.
///
/// # Errors
/// `Locked` where somebody has it open.
pub(super) fn alone(path: &Path) -> Result<File> {
    let failed = |e| Error::io(format!("opening {}", path.display()), e);
    let there = std::fs::metadata(path).map_err(failed)?;
    if !there.is_file() {
        return Err(Error::invalid(format!("{} is not a file", path.display())));
    }
    // A second handle in this process would take its locks away when it is closed.
    if is_open_here(path) {
        return Err(locked(path, "this program"));
    }
    let file = OpenOptions::new()
        .read(true)
        .write(true)
        .open(path)
        .map_err(failed)?;
    match fcntl_lock(&file, FlockOperation::NonBlockingLockExclusive) {
        Ok(()) => Ok(file),
        Err(rustix::io::Errno::AGAIN | rustix::io::Errno::ACCESS) => {
            Err(locked(path, "another program"))
        }
        Err(e) => Err(Error::io(format!("locking {}", path.display()), e.into())),
    }
}

fn locked(path: &Path, who: &str) -> Error {
    Error::locked(format!(
        "{who} has {} open, and would go on writing to the file that is replaced: end it first; nothing was changed",
        path.display()
    ))
}
