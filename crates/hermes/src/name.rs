//! What belongs to a session's file, by its name: as `pathlib` splits names.

use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use dalsegno::{Error, ErrorKind, Result};

/// The session's id: the file's name without what stands after its last point, as `PurePath.stem`.
/// Nothing where the path names no file.
///
/// ```
/// use dalsegno_hermes::session_id;
///
/// assert_eq!(session_id("chats/a.b.json".as_ref()), Some("a.b".as_ref()));
/// assert_eq!(session_id(".json".as_ref()), Some(".json".as_ref()));
/// assert_eq!(session_id("/".as_ref()), None);
/// ```
#[must_use]
pub fn session_id(path: &Path) -> Option<&OsStr> {
    let name = path.file_name()?.as_bytes();
    // A point at either end divides nothing.
    let point = name.iter().rposition(|byte| *byte == b'.');
    let stem = match point {
        Some(at) if at > 0 && at + 1 < name.len() => name.get(..at)?,
        _ => name,
    };
    Some(OsStr::from_bytes(stem))
}

/// Where the backup of the session at `path` is: as `path.with_suffix('.json.bak')`.
///
/// # Errors
/// `InvalidInput` where the path names no file.
///
/// ```
/// let backup = dalsegno_hermes::backup_path("chats/a.b.json".as_ref())?;
/// assert_eq!(backup.to_str(), Some("chats/a.b.json.bak"));
/// # Ok::<(), dalsegno::Error>(())
/// ```
pub fn backup_path(path: &Path) -> Result<PathBuf> {
    let mut name: OsString = id_of(path)?.to_owned();
    name.push(".json.bak");
    Ok(path.with_file_name(name))
}

/// As [`session_id`], for those who need one.
pub(crate) fn id_of(path: &Path) -> Result<&OsStr> {
    session_id(path).ok_or_else(|| {
        let message = format!("'{}' is not the path of a session's file", path.display());
        Error::new(ErrorKind::InvalidInput, message)
    })
}
