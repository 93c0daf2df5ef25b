//! The one door through which files outside of the store are written: whole or not at all.

use std::fs;
use std::io::Write;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use crate::error::{Error, Result};

/// Writes `bytes` to the file at `path`: staged beside it, synced, renamed over it, the folder
/// synced, and read back. A new file is for its owner only; an existing one keeps its mode. A symbolic
/// link stays; the file it leads to is replaced.
///
/// # Errors
/// `Denied`, `NotFound` or `Storage` as the disk answers; then the file is as it was. `Storage` also
/// where it reads back otherwise than written.
pub(crate) fn write(path: &Path, bytes: &[u8]) -> Result<()> {
    let real = fs::canonicalize(path).unwrap_or_else(|_| path.to_owned());
    let folder = folder_of(&real);
    let failed = |what: &str, e| Error::io(format!("{what} {}", real.display()), e);
    let mode = fs::metadata(&real).map_or(0o600, |m| m.permissions().mode() & 0o7777);
    let mut staged = tempfile::Builder::new()
        .prefix(".dalsegno-")
        .suffix(".tmp")
        .tempfile_in(&folder)
        .map_err(|e| failed("writing", e))?;
    staged.write_all(bytes).map_err(|e| failed("writing", e))?;
    let file = staged.as_file();
    file.set_permissions(fs::Permissions::from_mode(mode))
        .map_err(|e| failed("writing", e))?;
    file.sync_all().map_err(|e| failed("syncing", e))?;
    staged
        .persist(&real)
        .map_err(|e| failed("replacing", e.error))?;
    sync_folder(&folder).map_err(|e| failed("syncing the folder of", e))?;
    let there = fs::read(&real).map_err(|e| failed("reading back", e))?;
    if there == bytes {
        Ok(())
    } else {
        Err(Error::storage(format!(
            "{} reads back otherwise than it was written",
            real.display()
        )))
    }
}

/// The folder that holds `path`.
pub(crate) fn folder_of(path: &Path) -> PathBuf {
    let parent = path.parent().filter(|p| !p.as_os_str().is_empty());
    parent.unwrap_or(Path::new(".")).to_owned()
}

/// A rename is durable once its folder is.
fn sync_folder(folder: &Path) -> std::io::Result<()> {
    fs::File::open(folder)?.sync_all()
}
