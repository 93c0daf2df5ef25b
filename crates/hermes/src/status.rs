//! Whether a session is to be restored: a look that changes nothing.

use std::fmt;
use std::io;
use std::path::Path;

use dalsegno::{Error, Result};
use serde::Serialize;

use crate::count::{Count, Unreadable, count};
use crate::generations::since_deletion;
use crate::name::{backup_path, id_of};
use crate::rebuild::is_torn;

/// A session's file and its backup, counted. In JSON, as documented: `session_id`, `live_messages`,
/// `bak_messages`, `recommend`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Status {
    /// The name of the file without its suffix.
    pub session_id: String,
    /// The messages of the file.
    pub live_messages: Count,
    /// The messages of the backup; −1 in JSON also where there is none.
    pub bak_messages: Count,
    /// What to do.
    pub recommend: Recommendation,
}

/// What to do about a session.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Recommendation {
    /// The backup has more messages, or the file is torn and an earlier state is still kept: restore it.
    Restore,
    /// The backup has no more messages than the file.
    NoAction,
    /// There is no backup.
    NoBackup,
}

impl Recommendation {
    /// As it stands in JSON.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Restore => "restore",
            Self::NoAction => "no_action",
            Self::NoBackup => "no_backup",
        }
    }
}

impl fmt::Display for Recommendation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Counts the messages of the session's file at `path` and of its backup, and says what to do. Nothing
/// is created or changed.
///
/// # Errors
/// `InvalidInput` where the path names no file; `Denied` or `Storage` where nobody can tell whether
/// there is a backup.
pub fn inspect(path: &Path) -> Result<Status> {
    Counter::Own.inspect(path)
}

/// As [`inspect`], counting by another function; what it refuses is passed on.
///
/// # Errors
/// As [`inspect`], and what `counter` answers.
pub fn inspect_with(
    path: &Path,
    counter: &mut dyn FnMut(&Path) -> Result<Count>,
) -> Result<Status> {
    Counter::Given(counter).inspect(path)
}

/// Who counts.
pub(crate) enum Counter<'a> {
    Own,
    Given(&'a mut dyn FnMut(&Path) -> Result<Count>),
}

impl Counter<'_> {
    pub(crate) fn count(&mut self, path: &Path) -> Result<Count> {
        match self {
            Self::Own => Ok(count(path)),
            Self::Given(count) => count(path),
        }
    }

    pub(crate) fn inspect(&mut self, path: &Path) -> Result<Status> {
        let session_id = id_of(path)?.to_string_lossy().into_owned();
        let backup = backup_path(path)?;
        let live = self.count(path)?;
        let there = exists(&backup)?;
        let bak = if there {
            self.count(&backup)?
        } else {
            Count::Unreadable(Unreadable::Missing)
        };
        let has_more = there && bak.to_i64() > live.to_i64();
        Ok(Status {
            session_id,
            live_messages: live,
            bak_messages: bak,
            recommend: match there {
                _ if has_more || is_torn(live) && has_generation(path)? => Recommendation::Restore,
                false => Recommendation::NoBackup,
                true => Recommendation::NoAction,
            },
        })
    }
}

/// Whether an earlier state that can be read is kept beside the backup.
fn has_generation(path: &Path) -> Result<bool> {
    let kept = since_deletion(path)?;
    let good = |path: &Path| matches!(count(path), Count::Messages(_));
    Ok(kept.iter().any(|generation| good(&generation.path)))
}

/// Whether anything is at `path`, or at what it leads to; as `Path.exists`.
pub(crate) fn exists(path: &Path) -> Result<bool> {
    use io::ErrorKind as Kind;
    match std::fs::metadata(path) {
        Ok(_) => Ok(true),
        Err(error) => match error.kind() {
            // A circle of links leads nowhere either; a name with a NUL names nothing.
            Kind::NotFound | Kind::NotADirectory | Kind::InvalidInput => Ok(false),
            _ if error.raw_os_error() == Some(rustix::io::Errno::LOOP.raw_os_error()) => Ok(false),
            _ => Err(Error::io(format!("looking for {}", path.display()), error)),
        },
    }
}
