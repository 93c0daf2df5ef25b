//! Where a store lies: a file, or a folder that holds one.

use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use crate::error::{Error, ErrorKind, Result};

/// The store's file within a folder.
pub const FILE_NAME: &str = "store.db";

/// The file that the store at `path` is, or would be: whether it is there or not.
pub(crate) fn place(path: &Path) -> PathBuf {
    if path.is_dir() {
        path.join(FILE_NAME)
    } else {
        path.to_owned()
    }
}

/// The complete new file of a store whose rebuild ended before it was put there.
pub(crate) fn rebuilt(store: &Path) -> PathBuf {
    let mut name = store.as_os_str().to_owned();
    name.push(".rebuilt");
    name.into()
}

/// Refuses to go on where a rebuild is to be finished first.
pub(crate) fn refuse_between(store: &Path) -> Result<()> {
    if store.exists() || !rebuilt(store).exists() {
        return Ok(());
    }
    Err(Error::damaged(format!(
        "{} was being built anew, and that was interrupted when all but its place was ready: run `repair --rebuild` once \
         more, which finishes it",
        store.display()
    )))
}

/// Whether this process has the file open, as far as the system tells: a second handle would take its locks away when it is
/// closed.
pub(crate) fn is_open_here(file: &Path) -> bool {
    let (Ok(file), Ok(open)) = (fs::metadata(file), fs::read_dir("/proc/self/fd")) else {
        return false;
    };
    let is_it = |it: fs::Metadata| (it.dev(), it.ino()) == (file.dev(), file.ino());
    let mut open = open.flatten();
    open.any(|entry| fs::metadata(entry.path()).is_ok_and(is_it))
}

/// The file of the store at `path`, which exists.
pub(crate) fn existing(path: &Path, virtual_file: bool) -> Result<PathBuf> {
    if virtual_file {
        return Ok(path.to_owned());
    }
    let shown = path.display();
    refuse_between(&place(path))?;
    let found = fs::metadata(path).map_err(|e| match e.kind() {
        std::io::ErrorKind::NotFound => Error::not_found(format!(
            "there is no store at {shown} (make one with `init`)"
        )),
        _ => Error::io(format!("opening {shown}"), e),
    })?;
    if !found.is_dir() {
        return Ok(path.to_owned());
    }
    let file = path.join(FILE_NAME);
    match fs::metadata(&file) {
        Ok(_) => Ok(file),
        Err(e) if e.kind() == std::io::ErrorKind::NotFound => Err(Error::not_found(format!(
            "the folder {shown} holds no store: {FILE_NAME} is not there (make one with `init`)"
        ))),
        Err(e) => Err(Error::io(format!("opening {}", file.display()), e)),
    }
}

/// The file of a store to be made at `path`.
pub(crate) fn file(path: &Path) -> PathBuf {
    if path.extension().is_some_and(|e| e == "db") && !path.is_dir() {
        path.to_owned()
    } else {
        path.join(FILE_NAME)
    }
}

/// The file of a store to be made at `path`; its folder is made if need be, for its owner only.
pub(crate) fn new(path: &Path) -> Result<PathBuf> {
    let file = file(path);
    refuse_between(&file)?;
    if let Some(folder) = file.parent().filter(|p| !p.as_os_str().is_empty()) {
        if fs::symlink_metadata(folder).is_ok_and(|m| m.is_file()) {
            return Err(Error::new(
                ErrorKind::Conflict,
                format!("{} is a file; nothing was changed", folder.display()),
            ));
        }
        crate::durable::make_folder(folder)?;
    }
    Ok(file)
}

/// Whether `path` is the store's file or one that SQLite keeps beside it, under whatever name.
pub(crate) fn belongs_to_store(store: &Path, path: &Path) -> bool {
    let identity = |path: &Path| fs::metadata(path).map(|m| (m.dev(), m.ino())).ok();
    let there = identity(path);
    ["", "-wal", "-shm", "-journal"].iter().any(|end| {
        let file = beside(store, end);
        (there.is_some() && there == identity(&file)) || same_place(path, &file)
    })
}

/// What the names of the files end with that SQLite keeps beside a store, and lays over it when it is opened.
pub(crate) const LOGS: [&str; 2] = ["-wal", "-journal"];

/// The file beside the store whose name ends so.
pub(crate) fn beside(store: &Path, end: &str) -> PathBuf {
    let mut name = store.to_owned().into_os_string();
    name.push(end);
    name.into()
}

/// The bytes of the store's files whose names end so; a file that is not there has none.
pub(crate) fn bytes(store: &Path, ends: &[&str]) -> u64 {
    let size = |end: &&str| fs::metadata(beside(store, end)).map_or(0, |m| m.len());
    ends.iter().map(size).sum()
}

/// Whether both are the same name in the same folder, also where nothing is there yet.
fn same_place(a: &Path, b: &Path) -> bool {
    let place = |path: &Path| {
        let folder = fs::canonicalize(crate::durable::folder_of(path)).ok()?;
        Some(folder.join(path.file_name()?))
    };
    place(a).is_some() && place(a) == place(b)
}
