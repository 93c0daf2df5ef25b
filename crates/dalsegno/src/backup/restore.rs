//! Restoring a whole store from a backup, to a place where there is none.

use std::ops::ControlFlow;
use std::path::{Path, PathBuf};

use jiff::Timestamp;

use super::contents::Table;
use super::folder::{self, Backup, Backups, UnreadableBackup};
use super::graves::Graves;
use super::set::{BackupProgress, BackupStep, LostRows, Progress, Set, tell};
use super::staging::{Staging, refuse_existing};
use crate::engine::Engine;
use crate::error::{Error, ErrorKind, Result};
use crate::location;
use crate::model::Action;
use crate::options::Options;
use crate::repair::{Holes, Repair, Repairs};
use crate::store::{Begin, Exchange, Keys, Rows, SessionRow, SqliteStore, Store};
use crate::verify::Verification;

/// Which backup is to be restored.
#[derive(Debug, Clone)]
pub struct RestoreBackup {
    from: PathBuf,
    at: Option<Timestamp>,
    salvage: bool,
}

impl RestoreBackup {
    /// The backup in the archive `from`, or the newest in the folder `from`.
    #[must_use]
    pub fn of(from: impl Into<PathBuf>) -> Self {
        Self {
            from: from.into(),
            at: None,
            salvage: false,
        }
    }

    /// Of those in a folder the newest that was made by then (UTC).
    #[must_use]
    pub fn at(mut self, at: Timestamp) -> Self {
        self.at = Some(at);
        self
    }

    /// Restores what is left of a backup that is damaged beyond what its parity makes again.
    #[must_use]
    pub fn salvage(mut self) -> Self {
        self.salvage = true;
        self
    }
}

/// What was restored.
#[derive(Debug, Clone, serde::Serialize)]
#[non_exhaustive]
pub struct RestoredBackup {
    /// The backup.
    pub backup: Backup,
    /// The store's file.
    pub path: PathBuf,
    /// How many sessions of the backup stayed away, because they were erased since.
    pub erased: u64,
    /// Later backups that could not be asked what was erased since.
    pub unread: Vec<UnreadableBackup>,
    /// What was lost with the archive; empty if all is there.
    pub lost: Vec<LostRows>,
    /// What became of the rest, where some was lost: what was put together, marked or lost by it.
    pub repairs: Option<Repairs>,
    /// What was proved of the store before it was put in its place.
    pub verification: Verification,
}

/// What restoring a backup would do.
#[derive(Debug, Clone, serde::Serialize)]
#[non_exhaustive]
pub struct RestoreBackupPlan {
    /// The backup.
    pub backup: Backup,
    /// The file that the store would be.
    pub path: PathBuf,
    /// Later backups that could not be asked what was erased since.
    pub unread: Vec<UnreadableBackup>,
    /// What was lost with the archive; empty if all is there.
    pub lost: Vec<LostRows>,
}

impl Options {
    /// Makes a new store at `into` of a backup: the same store, with the same ids, as it was when the backup was made. All of
    /// the backup is read and proved first; the store is made beside, every state of it rebuilt and compared, and then put in its place.
    /// What was erased since, by what later backups in the folder say, stays away. These options say what opens the backup, if it
    /// is encrypted, and the new store. `progress` hears how far it is, and may cancel it with `Break`.
    ///
    /// # Errors
    /// `Conflict` where something stands at `into`; `NotFound` where there is no backup, or one that it needs is missing;
    /// `Ambiguous` where the folder has backups of several stores; `WrongKey`; `Damaged` where some of it is lost, and is not
    /// to be [salvaged](RestoreBackup::salvage); `Locked` where another program restores to the same place. Then there is no
    /// new store.
    pub fn restore_backup(
        self,
        how: &RestoreBackup,
        into: impl AsRef<Path>,
        progress: &mut dyn FnMut(BackupProgress) -> ControlFlow<()>,
    ) -> Result<RestoredBackup> {
        let file = location::file(into.as_ref());
        refuse_existing(&file)?;
        let path = choose(&how.from, how.at)?;
        location::new(into.as_ref())?;
        let staging = Staging::begin(&file)?;
        let mut restored = self.stage(&path, &staging.file(), how.salvage, progress)?;
        staging.put(&file)?;
        restored.path = file;
        Ok(restored)
    }

    /// What [`restore_backup`](Self::restore_backup) would restore: all of the backup is read and proved, and nothing is changed.
    /// What of it was erased since, and whether each state can be rebuilt, only a restore finds out.
    ///
    /// # Errors
    /// As [`restore_backup`](Self::restore_backup).
    pub fn restore_backup_plan(
        self,
        how: &RestoreBackup,
        into: impl AsRef<Path>,
        progress: &mut dyn FnMut(BackupProgress) -> ControlFlow<()>,
    ) -> Result<RestoreBackupPlan> {
        let file = location::file(into.as_ref());
        refuse_existing(&file)?;
        let path = choose(&how.from, how.at)?;
        let (set, lost) = self.prove(&path, how.salvage, progress)?;
        Ok(RestoreBackupPlan {
            backup: Backup::of(set.newest(), &set.contents.summary)?,
            path: file,
            unread: Graves::beside(&set, self.secret_given())?.unread,
            lost,
        })
    }

    /// Reads and proves all of a backup: what of it is lost, if that may be.
    fn prove(
        &self,
        path: &Path,
        salvage: bool,
        progress: Progress<'_>,
    ) -> Result<(Set, Vec<LostRows>)> {
        let mut set = Set::open(path, self.secret_given(), progress)?;
        let lost = set.check(progress)?;
        if lost.is_empty() || salvage {
            return Ok((set, lost));
        }
        let what: Vec<&str> = lost.iter().map(|lost| lost.what.as_str()).collect();
        let (path, what) = (path.display(), what.join(", "));
        Err(Error::damaged(format!(
            "{path} has lost {what}; nothing was restored: restore an earlier backup, or what is left of this one"
        )))
    }

    /// Makes the store of a backup in the file `into`, and proves it.
    pub(super) fn stage(
        self,
        path: &Path,
        into: &Path,
        salvage: bool,
        progress: Progress<'_>,
    ) -> Result<RestoredBackup> {
        let (set, lost) = self.prove(path, salvage, progress)?;
        let summary = &set.contents.summary;
        let backup = Backup::of(set.newest(), summary)?;
        let (engine, graves, mut erased) = self.unpack(&set, into, progress)?;
        let repairs = if lost.is_empty() {
            None
        } else {
            // Rows lead to some that are not there.
            let mut repairs = engine.repair(&Repair::in_a_new_file(HOLES))?;
            // The file goes with the folder.
            repairs.aside = Vec::new();
            // What lost its name may have it again.
            erased += graves.honour(&engine)?;
            Some(repairs)
        };
        let (mut done, mut told) = (0, Ok(()));
        let verification = engine.verify_with(None, &mut |_| {
            done += 1;
            if told.is_ok() {
                told = tell(
                    progress,
                    BackupStep::Verifying,
                    done,
                    Some(summary.sessions),
                );
            }
        })?;
        told?;
        if let Some(damage) = verification.damage.first()
            && lost.is_empty()
            && summary.damaged_rows == 0
        {
            let message = &damage.message;
            return Err(Error::damaged(format!(
                "what was restored is not what was kept: {message}"
            )));
        }
        let said = engine.said(Action::RestoreBackup).note(backup.id.clone());
        engine.remember(&backup, &said)?;
        engine.close()?;
        Ok(RestoredBackup {
            backup,
            path: into.to_owned(),
            erased,
            unread: graves.unread,
            lost,
            repairs,
            verification,
        })
    }

    /// Opens the store of a backup in the folder `scratch`, where it is made: to look at it, or for a repair to take rows
    /// from. What is lost of the backup is not in it, and nothing is proved but each row. What was erased since is not in it.
    ///
    /// # Errors
    /// As [`restore_backup`](Self::restore_backup).
    pub fn open_backup(
        self,
        how: &RestoreBackup,
        scratch: &Path,
        progress: &mut dyn FnMut(BackupProgress) -> ControlFlow<()>,
    ) -> Result<Engine> {
        let path = choose(&how.from, how.at)?;
        let set = Set::open(&path, self.secret_given(), progress)?;
        let into = scratch.join(location::FILE_NAME);
        self.unpack(&set, &into, progress)
            .map(|(engine, ..)| engine)
    }

    /// Makes a store of what there is of a backup, without what was erased since: how many sessions.
    fn unpack(
        self,
        set: &Set,
        into: &Path,
        progress: Progress<'_>,
    ) -> Result<(Engine, Graves, u64)> {
        self.put_rows(set, into, progress)?;
        let graves = Graves::beside(set, self.secret_given())?;
        if !set.lost_sessions()?.1 && !graves.is_empty() {
            let path = set.newest().path().display();
            return Err(Error::damaged(format!(
                "{path} has lost names of sessions, so that nobody can say which of them were erased since: nothing was restored"
            )));
        }
        let engine = self.open(into)?;
        let erased = graves.honour(&engine)?;
        Ok((engine, graves, erased))
    }

    /// Puts the rows of a backup into a new store file.
    fn put_rows(&self, set: &Set, into: &Path, progress: Progress<'_>) -> Result<()> {
        let head = &set.newest().head;
        let begin = Begin {
            id: head.store,
            created_at: head.store_created,
            last: set.contents.last,
            keys: if head.is_sealed {
                Keys::Slots(&head.slots)
            } else {
                Keys::None
            },
        };
        let store =
            SqliteStore::create_as(into, self.sqlite_options(), self.clock_given(), &begin)?;
        let (mut done, total) = (0, set.contents.summary.bytes);
        // Records are sealed by the keys of their sessions, which are with the rows of these: also where a row is lost, it comes
        // first. A repair gives it its head.
        let (names, _) = set.lost_sessions()?;
        let of_lost = |(number, name)| SessionRow::new(number, name, 0, 0, &head.store);
        if !names.is_empty() {
            let rows = Rows {
                sessions: names.into_iter().map(of_lost).collect(),
                ..Rows::default()
            };
            store.exchange(&Exchange::of(Rows::default(), rows))?;
        }
        let first = |table| table == Table::Session;
        let segments = &set.contents.segments;
        let sessions = segments.iter().filter(|it| first(it.table));
        let others = segments.iter().filter(|it| !first(it.table));
        for segment in sessions.chain(others) {
            done += u64::from(segment.bytes);
            tell(progress, BackupStep::Restoring, done, Some(total))?;
            let Some(rows) = set.rows(segment)? else {
                continue;
            };
            if !store.exchange(&Exchange::of(Rows::default(), rows))? {
                return Err(Error::damaged("the backup has a row twice"));
            }
            store.tidy()?;
        }
        Ok(())
    }
}

/// Where segments are lost, rows of every table may be missing without a trace.
const HOLES: Holes = Holes {
    sessions: true,
    records: true,
    trash: true,
    rest: true,
    alone: true,
};

/// The archive of the backup that is meant.
pub(super) fn choose(from: &Path, at: Option<Timestamp>) -> Result<PathBuf> {
    let shown = from.display();
    // What is no file either is refused where it is opened.
    if from.exists() && !from.is_dir() {
        return Ok(from.to_owned());
    }
    let mut there = folder::list_backups(from)?;
    one_store(&there, from)?;
    if let Some(at) = at {
        there.complete.retain(|backup| backup.taken_at <= at);
    }
    none_unreadable(&there)?;
    there.complete.pop().map(|it| it.path).ok_or_else(|| {
        let then = at.map_or_else(String::new, |at| format!(" that was made by {at}"));
        let unfinished = match there.unfinished.len() {
            0 => String::new(),
            count => format!(" ({count} unfinished)"),
        };
        Error::not_found(format!("there is no backup in {shown}{then}{unfinished}"))
    })
}

/// One that cannot be read may be the one that is meant.
pub(super) fn none_unreadable(there: &Backups) -> Result<()> {
    let Some(UnreadableBackup { path, why }) = there.unreadable.first() else {
        return Ok(());
    };
    let path = path.display();
    Err(Error::damaged(format!(
        "{path} may be the backup that is meant, and cannot be read: name the archive that is to be restored, or move this one away ({why})"
    ))
    .with_source(why.clone()))
}

pub(super) fn one_store(there: &Backups, from: &Path) -> Result<()> {
    let mut stores: Vec<&str> = there.complete.iter().map(|it| it.store.as_str()).collect();
    stores.sort_unstable();
    stores.dedup();
    if stores.len() < 2 {
        return Ok(());
    }
    let (shown, count) = (from.display(), stores.len());
    Err(Error::new(
        ErrorKind::Ambiguous,
        format!("{shown} has backups of {count} stores; name the archive"),
    ))
}
