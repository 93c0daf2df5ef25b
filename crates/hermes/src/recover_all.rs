//! Putting back every session of a folder that needs it: when a program starts.

use std::collections::HashSet;
use std::ffi::OsString;
use std::fs;
use std::io;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use dalsegno::{Error, ErrorKind, Result};
use serde::Serialize;

use crate::count::{Count, Unreadable, count};
use crate::generations::{Limits, session_of, settle};
use crate::lock::Lock;
use crate::name::backup_path;
use crate::rebuild;
use crate::recover::Recovery;
use crate::status::{Counter, Recommendation, exists};

/// What became of the sessions of a folder. In JSON, as documented: `scanned`, `restored`, `details`.
#[derive(Debug, Clone, Default, Serialize)]
pub struct Scan {
    /// Files that were looked at: all that end in `.json` and do not begin with `_`, readable or not.
    pub scanned: u64,
    /// Sessions that were restored.
    pub restored: u64,
    /// Those that were restored, by name.
    pub details: Vec<Recovery>,
    /// Those that would have been, if something had not been in the way.
    #[serde(skip)]
    pub skipped: Vec<Skipped>,
}

/// A session that was left as it is although its backup has more.
#[derive(Debug, Clone)]
pub struct Skipped {
    /// The session's file.
    pub path: PathBuf,
    /// What was found, if that could be told.
    pub recovery: Option<Recovery>,
    /// Why it was left.
    pub error: Error,
}

/// Restores every session in `folder` whose backup has more messages, each as
/// [`recover`](crate::recover) does. It goes by the files that end in `.json`, without those that begin with
/// `_`; a backup alone is left alone. A second run does nothing.
///
/// A file that is only nested too deep, that may not be read, or that the disk does not give out, may be
/// whole, and is not replaced here; nor is one of which nobody can tell how it goes together with its backup.
/// `recover` does that when it is asked to. Such files, and those whose
/// restore failed, are named in `skipped`, and stop nothing.
///
/// A folder that is not there has no sessions. [Generations](crate::generations()) of sessions that are gone
/// are taken away after 30 days.
///
/// # Errors
/// `InvalidInput` where something else than a folder stands there; `Denied` or `Storage` where the folder cannot be
/// listed.
pub fn recover_all(folder: &Path) -> Result<Scan> {
    scan(folder, &mut Counter::Own, true)
}

/// As [`recover_all`], counting by another function. A session for which it fails is skipped.
///
/// # Errors
/// As [`recover_all`].
pub fn recover_all_with(
    folder: &Path,
    counter: &mut dyn FnMut(&Path) -> Result<Count>,
) -> Result<Scan> {
    scan(folder, &mut Counter::Given(counter), true)
}

/// What [`recover_all`] would do, without doing it: `details` has those that it would restore, and
/// `restored` is 0.
///
/// # Errors
/// As [`recover_all`].
pub fn preview(folder: &Path) -> Result<Scan> {
    scan(folder, &mut Counter::Own, false)
}

fn scan(folder: &Path, counter: &mut Counter<'_>, carry_out: bool) -> Result<Scan> {
    let mut scan = Scan::default();
    let Found { sessions, kept } = find(folder)?;
    if carry_out {
        for name in &kept {
            forget_the_gone(&folder.join(name));
        }
    }
    for path in sessions {
        scan.scanned += 1;
        let has_kept = path.file_name().is_some_and(|name| kept.contains(name));
        match one(&path, has_kept, counter, carry_out) {
            Ok(None) => {}
            Ok(Some(recovery)) => match recovery.error.clone() {
                Some(error) => scan.skipped.push(Skipped {
                    path,
                    recovery: Some(recovery),
                    error,
                }),
                None => {
                    scan.restored += u64::from(recovery.restored);
                    scan.details.push(recovery);
                }
            },
            Err(error) => scan.skipped.push(Skipped {
                path,
                recovery: None,
                error,
            }),
        }
    }
    Ok(scan)
}

/// Takes away what was kept of a session that is gone, when it is too old. That of others is taken away by their saves,
/// which know how much is to be kept.
fn forget_the_gone(path: &Path) {
    if path.symlink_metadata().is_ok() {
        return;
    }
    let limits = Limits {
        generations: u32::MAX,
        ..Limits::default()
    };
    // What cannot be removed stays for now; nothing trips over it.
    let _later = Lock::of(path).and_then(|_lock| settle(path, &limits));
}

/// What became of one; nothing where nothing had to be done.
fn one(
    path: &Path,
    has_kept: bool,
    counter: &mut Counter<'_>,
    carry_out: bool,
) -> Result<Option<Recovery>> {
    if matches!(counter, Counter::Own) && !has_kept && !exists(&backup_path(path)?)? {
        // Most have no backup, and need not be read.
        return Ok(None);
    }
    let status = counter.inspect(path)?;
    if status.recommend != Recommendation::Restore {
        return Ok(None);
    }
    // Who counts in our place may not say why.
    let live = match (status.live_messages, &*counter) {
        (Count::Unreadable(_), Counter::Given(_)) => count(path),
        (live, _) => live,
    };
    if let Count::Unreadable(
        why @ (Unreadable::TooDeep | Unreadable::Denied | Unreadable::Failed),
    ) = live
    {
        let kind = match why {
            Unreadable::TooDeep => ErrorKind::InvalidInput,
            Unreadable::Denied => ErrorKind::Denied,
            _ => ErrorKind::Storage,
        };
        let message = format!(
            "{} is not replaced unasked, because {why} and may be whole",
            path.display()
        );
        return Ok(Some(Recovery::none(
            status,
            Some(Error::new(kind, message)),
        )));
    }
    let recovery = if carry_out {
        counter.recover(path, false)?
    } else {
        let put = rebuild::decide(path, &status)?;
        let nothing = Recovery::of_nothing(path, &status, &put);
        match nothing {
            Some(nothing) => return Ok(Some(nothing).filter(|it| it.error.is_some())),
            None => return Ok(Some(Recovery::none(status, None))),
        }
    };
    Ok(Some(recovery).filter(|it| it.restored || it.error.is_some()))
}

/// What is in a folder of sessions.
#[derive(Default)]
struct Found {
    /// The files that may be sessions, by name; as `folder.glob('*.json')`, without those of `_`.
    sessions: Vec<PathBuf>,
    /// The names of those of which generations are kept, also where they are gone.
    kept: HashSet<OsString>,
}

fn find(folder: &Path) -> Result<Found> {
    let failed = |e| Error::io(format!("listing the folder {}", folder.display()), e);
    let entries = match fs::read_dir(folder) {
        Ok(entries) => entries,
        Err(error) => {
            return match error.kind() {
                io::ErrorKind::NotADirectory if folder.exists() => {
                    let message = format!(
                        "{} is not a folder; give the folder of the sessions, or restore one session with \
                         `dalsegno hermes recover`",
                        folder.display()
                    );
                    Err(Error::new(ErrorKind::InvalidInput, message))
                }
                io::ErrorKind::NotFound | io::ErrorKind::NotADirectory => Ok(Found::default()),
                _ => Err(failed(error)),
            };
        }
    };
    let mut found = Found::default();
    for entry in entries {
        let entry = entry.map_err(failed)?;
        let name = entry.file_name();
        if let Some(session) = session_of(&name) {
            found.kept.insert(session.to_owned());
        }
        let name = name.as_bytes();
        if name.ends_with(b".json") && !name.starts_with(b"_") {
            found.sessions.push(entry.path());
        }
    }
    found.sessions.sort_unstable();
    Ok(found)
}
