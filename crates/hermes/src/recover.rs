//! Putting one session back from its backup.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use dalsegno::durable::{real, write_like};
use dalsegno::{Error, ErrorKind, Result};
use serde::Serialize;

use crate::count::{self, Count};
use crate::displaced::{self, Kept};
use crate::file::{self, Looks};
use crate::lock::Lock;
use crate::name::backup_path;
use crate::rebuild::{self, Put};
use crate::status::{Counter, Recommendation, Status};

/// What became of a session. In JSON, as documented: the status as it was found, `restored`, and `error`
/// where restoring failed.
#[derive(Debug, Clone, Serialize)]
pub struct Recovery {
    /// What was found.
    #[serde(flatten)]
    pub status: Status,
    /// Whether the session's file was restored.
    pub restored: bool,
    /// Why not, where it should have been; then the session's file is as it was.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error: Option<Error>,
    /// Where what stood there is kept.
    #[serde(skip)]
    pub displaced: Option<PathBuf>,
    /// What it was restored from.
    #[serde(skip)]
    pub from: Option<Source>,
    /// Why nothing was restored, where that was right.
    #[serde(skip)]
    pub reason: Option<String>,
}

/// What a session was restored from.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Source {
    /// A copy of this file: the backup, or an earlier generation.
    Copy {
        /// Which.
        path: PathBuf,
        /// Its messages.
        messages: Count,
    },
    /// What several states had: nothing that was lost is missing, and what is newer stays.
    Merge {
        /// The messages of all of them.
        messages: Count,
    },
}

/// Restores the session's file at `path` from its backup, if the backup has more messages: a copy is
/// staged, proved to have what was counted, synced, and put in the file's place. The file's mode and owner
/// stay, or are the backup's where there was no file. The backup stays too.
///
/// Where the file has messages that the backup has not, a newer turn say, both are merged: what was lost comes back,
/// and what is newer stays. What a save took away with an [intent](crate::Saving::intent) stays away. A file that is
/// torn, empty or no session is restored from the newest good one of the backup and the
/// [generations](crate::generations()). Where nobody can tell what the merge would be, because the same
/// messages stand in another order, the backup takes the file's place; [`recover_all`](crate::recover_all) leaves it.
///
/// What stood there is kept beside it, whatever it was, as `<sid>.json.displaced-<time>`, unless it was
/// empty or is kept already. Of each session the newest [`MAX_DISPLACED`](crate::MAX_DISPLACED) are kept.
///
/// # Errors
/// As [`inspect`](crate::inspect). Where restoring itself fails, the answer says so in `error`, the file
/// is as it was, and no staged file stays: `Locked` where another process was at work for 20 seconds; `Conflict`
/// where a program changed the files meanwhile; `InvalidInput` where what stands there is not a file;
/// `Denied`, `NotFound` or `Storage` as the disk answers.
pub fn recover(path: &Path) -> Result<Recovery> {
    Counter::Own.recover(path, true)
}

/// As [`recover`], counting by another function.
///
/// # Errors
/// As [`recover`], and what `counter` answers.
pub fn recover_with(
    path: &Path,
    counter: &mut dyn FnMut(&Path) -> Result<Count>,
) -> Result<Recovery> {
    Counter::Given(counter).recover(path, true)
}

impl Counter<'_> {
    /// Restores it if it should be; what nobody can decide only where somebody asked for this session.
    pub(crate) fn recover(&mut self, path: &Path, asked: bool) -> Result<Recovery> {
        let status = self.inspect(path)?;
        if status.recommend != Recommendation::Restore {
            return Ok(Recovery::none(status, None));
        }
        let lock = Lock::of(path);
        if let Err(error) = lock {
            return Ok(Recovery::none(status, Some(error)));
        }
        // Somebody else may have restored it meanwhile, or saved.
        let files = Files::of(path)?;
        let status = self.inspect(path)?;
        if status.recommend != Recommendation::Restore {
            return Ok(Recovery::none(status, None));
        }
        let put = decided(path, &status, asked)?;
        if let Some(recovery) = Recovery::of_nothing(path, &status, &put) {
            return Ok(recovery);
        }
        let own = matches!(self, Counter::Own);
        let from = Source::of(&put);
        let proof = match (&put, &from) {
            (Put::Copy(path), _) if *path == files.backup => own.then_some(status.bak_messages),
            (_, Some(Source::Copy { messages, .. })) => Some(*messages),
            _ => None,
        };
        Ok(match files.restore(&put, proof) {
            Ok(displaced) => Recovery {
                restored: true,
                displaced,
                from,
                ..Recovery::none(status, None)
            },
            Err(error) => Recovery::none(status, Some(error)),
        })
    }
}

/// What takes the file's place; where nobody can decide and somebody asked for this session, its backup.
pub(crate) fn decided(path: &Path, status: &Status, asked: bool) -> Result<Put> {
    Ok(match rebuild::decide(path, status)? {
        Put::Undecided(_) if asked => Put::Copy(backup_path(path)?),
        put => put,
    })
}

impl Source {
    pub(crate) fn of(put: &Put) -> Option<Self> {
        match put {
            Put::Copy(path) => Some(Self::Copy {
                path: path.clone(),
                messages: count::count(path),
            }),
            Put::Text(text) => Some(Self::Merge {
                messages: count::of(text),
            }),
            Put::Nothing(_) | Put::Undecided(_) => None,
        }
    }
}

impl Recovery {
    pub(crate) fn none(status: Status, error: Option<Error>) -> Self {
        Self {
            status,
            restored: false,
            error,
            displaced: None,
            from: None,
            reason: None,
        }
    }

    /// The answer where nothing is put in the file's place.
    pub(crate) fn of_nothing(path: &Path, status: &Status, put: &Put) -> Option<Self> {
        match put {
            Put::Nothing(why) => Some(Self {
                reason: Some(why.clone()),
                ..Self::none(status.clone(), None)
            }),
            Put::Undecided(why) => {
                let message = format!(
                    "{} is not replaced unasked, because it cannot be decided what is right ({why}); it and its \
                     backup both stay",
                    path.display()
                );
                let error = Error::new(ErrorKind::Conflict, message);
                Some(Self::none(status.clone(), Some(error)))
            }
            Put::Copy(_) | Put::Text(_) => None,
        }
    }
}

/// A session's file and its backup, as they look before they are counted.
pub(crate) struct Files {
    live: PathBuf,
    backup: PathBuf,
    looks: [Option<Looks>; 2],
}

impl Files {
    pub(crate) fn of(path: &Path) -> Result<Self> {
        let backup = backup_path(path)?;
        let looks = [Looks::at(path), Looks::at(&backup)];
        Ok(Self {
            live: path.to_owned(),
            backup,
            looks,
        })
    }

    /// Puts a copy or a text in the file's place, and says where what stood there is kept.
    pub(crate) fn restore(&self, put: &Put, proof: Option<Count>) -> Result<Option<PathBuf>> {
        let real = real(&self.live)?;
        let like = if self.looks.first().is_some_and(Option::is_some) {
            &real
        } else {
            &self.backup
        };
        let mut kept = None;
        let done = write_like(&real, like, |out| {
            match put {
                Put::Copy(from) => {
                    let counted = self.copy(from, out)?;
                    if proof.is_some_and(|proof| proof != counted) {
                        return Err(changed(from));
                    }
                }
                Put::Text(text) => {
                    let failed = |e| Error::io(format!("writing {}", self.live.display()), e);
                    out.write_all(text).map_err(failed)?;
                }
                Put::Nothing(why) | Put::Undecided(why) => {
                    return Err(Error::new(ErrorKind::Conflict, why));
                }
            }
            self.is_unchanged(&real)?;
            kept = displaced::keep(&real)?;
            Ok(())
        });
        // Where it only reads back otherwise, it was displaced all the same.
        let same = Looks::at(&real) == self.looks.first().copied().flatten();
        match (done, kept) {
            (Ok(()), kept) => Ok(kept.map(|kept| kept.settle(&real))),
            (Err(error), Some(kept)) if same => {
                Kept::forget(kept);
                Err(error)
            }
            (Err(error), _) => Err(error),
        }
    }

    /// Writes the file at `from` to `out` and counts what was written.
    fn copy(&self, from: &Path, out: &mut dyn io::Write) -> Result<Count> {
        let failed = |e| Error::io(format!("reading {}", from.display()), e);
        let mut file = file::open(from).map_err(failed)?;
        let mut writing = None;
        let counted = count::read(&mut file, |piece| {
            out.write_all(piece).inspect_err(|error| {
                writing = Some(io::Error::new(error.kind(), error.to_string()));
            })
        });
        let counted = match (counted, writing) {
            (Ok(counted), _) => counted,
            (Err(_), Some(error)) => {
                let shown = self.live.display();
                return Err(Error::io(format!("writing {shown}"), error));
            }
            (Err(error), None) => return Err(failed(error)),
        };
        // Where another counts than we, the rest is copied all the same.
        io::copy(&mut file, out).map_err(failed)?;
        Ok(counted)
    }

    /// Whether nobody without our lock changed them since they were looked at.
    fn is_unchanged(&self, real: &Path) -> Result<()> {
        let now = [Looks::at(real), Looks::at(&self.backup)];
        let paths = [&self.live, &self.backup];
        let same = now.iter().zip(&self.looks).map(|(now, then)| now == then);
        match paths.iter().zip(same).find(|(_, same)| !same) {
            Some((path, _)) => Err(changed(path)),
            None => Ok(()),
        }
    }
}

fn changed(path: &Path) -> Error {
    let message = format!(
        "another program changed {} while it was being restored; try again when it is done",
        path.display()
    );
    Error::new(ErrorKind::Conflict, message)
}

/// Whether something else than a file stands there.
pub(crate) fn is_no_file(path: &Path) -> bool {
    fs::metadata(path).is_ok_and(|there| !there.is_file())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_copy_that_has_not_what_was_counted_takes_no_place() {
        let folder = tempfile::tempdir().unwrap();
        let live = folder.path().join("s.json");
        let backup = folder.path().join("s.json.bak");
        fs::write(&live, r#"{"messages":[]}"#).unwrap();
        fs::write(&backup, r#"{"messages":[1,2]}"#).unwrap();
        let files = Files::of(&live).unwrap();
        let put = Put::Copy(backup.clone());
        for proof in [Count::Messages(3), Count::Messages(1)] {
            let error = files.restore(&put, Some(proof)).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Conflict);
            assert_eq!(fs::read(&live).unwrap(), br#"{"messages":[]}"#);
            assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 2);
        }
        files.restore(&put, Some(Count::Messages(2))).unwrap();
        assert_eq!(fs::read(&live).unwrap(), fs::read(&backup).unwrap());
    }
}
