//! Restoring one session of a backup into a store that is there.

use std::collections::HashSet;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use jiff::Timestamp;

use super::archive::Archive;
use super::contents::{About, Segment, Table};
use super::folder::{Backup, UnreadableBackup, list_backups};
use super::graves::Graves;
use super::keys::Keys;
use super::restore::{choose, none_unreadable, one_store};
use super::set::{BackupProgress, Progress, Set};
use crate::engine::Engine;
use crate::error::{Error, Result};
use crate::export::Traits;
use crate::key::Secret;
use crate::list::Query;
use crate::model::{Action, Operation, Snapshot, check_session_name};
use crate::options::Options;
use crate::store::{Exchange, MemoryStore, Rows, SqliteStore, Store};

/// Which session of which backup is to be restored.
#[derive(Debug, Clone)]
pub struct RestoreSession {
    from: PathBuf,
    session: String,
    name: Option<String>,
    at: Option<Timestamp>,
    secret: Option<Secret>,
}

impl RestoreSession {
    /// The session of that name, of the backup in the archive `from`, or of the newest in the folder `from`.
    #[must_use]
    pub fn of(from: impl Into<PathBuf>, session: impl Into<String>) -> Self {
        Self {
            from: from.into(),
            session: session.into(),
            name: None,
            at: None,
            secret: None,
        }
    }

    /// Under another name.
    #[must_use]
    pub fn named(mut self, name: impl Into<String>) -> Self {
        self.name = Some(name.into());
        self
    }

    /// As it was then (UTC), of the oldest backup in the folder that was made since.
    #[must_use]
    pub fn at(mut self, at: Timestamp) -> Self {
        self.at = Some(at);
        self
    }

    /// What opens the backup, where it is encrypted by other keys than this store.
    #[must_use]
    pub fn secret(mut self, secret: Secret) -> Self {
        self.secret = Some(secret);
        self
    }
}

/// What was restored of a session.
#[derive(Debug, Clone, serde::Serialize)]
#[non_exhaustive]
pub struct RestoredSession {
    /// The backup.
    pub backup: Backup,
    /// The session, as it is called now.
    pub session: String,
    /// The snapshots that were added.
    pub added: Vec<Snapshot>,
    /// How many were there already.
    pub present: u64,
    /// The session's newest snapshot now: with the newest state of the backup, or of the time that was asked for.
    pub newest: Snapshot,
    /// Later backups that could not be asked whether it was erased since.
    pub unread: Vec<UnreadableBackup>,
}

/// What restoring a session would do.
#[derive(Debug, Clone, serde::Serialize)]
#[non_exhaustive]
pub struct RestoreSessionPlan {
    /// The backup.
    pub backup: Backup,
    /// The session, as it would be called.
    pub session: String,
    /// The snapshots that would be added, as the backup has them.
    pub absent: Vec<Snapshot>,
    /// How many are there already.
    pub present: u64,
    /// The snapshot of the backup whose state would be the session's newest.
    pub newest: Snapshot,
    /// Later backups that could not be asked whether it was erased since.
    pub unread: Vec<UnreadableBackup>,
}

/// A session of a backup, all of it read and proved.
struct Prepared {
    kept: Engine,
    plan: RestoreSessionPlan,
}

impl Engine {
    /// Adds the snapshots of a session that a backup has and this store has not, each with its metadata, and makes the newest
    /// state of the backup, or of the time that is asked for, the session's newest. All of it is read and proved before
    /// anything is added. Where it is interrupted, the same call does the rest. What was erased does not come back.
    ///
    /// # Errors
    /// `NotFound` where there is no backup, or it has no such session; `Conflict` where the session was erased since, or a name
    /// of a snapshot is taken; `Locked` where another program has the session open; `WrongKey`; `Damaged` where what is to be
    /// restored is lost. Then nothing was added. After an error [that did some of it](Error::is_partly_done) what was added
    /// stays.
    pub fn restore_session(
        &self,
        how: &RestoreSession,
        progress: &mut dyn FnMut(BackupProgress) -> ControlFlow<()>,
    ) -> Result<RestoredSession> {
        let found = self.prepare(how, progress)?;
        let name = found.plan.session.as_str();
        let mut added: Vec<Snapshot> = Vec::new();
        for of in &found.plan.absent {
            let saved = found
                .kept
                .restore(&of.id.to_string())
                .and_then(|state| {
                    let of = Traits::from(of).within(name);
                    self.again(&of, state.into_text())?.commit()
                })
                .map_err(|e| e.after(&[(added.len() as u64, "added")]))?;
            added.push(saved);
        }
        let newest = self
            .make_newest(name, &found.plan.newest)
            .map_err(|e| e.after(&[(added.len() as u64, "added")]))?;
        Ok(RestoredSession {
            backup: found.plan.backup,
            session: found.plan.session,
            added,
            present: found.plan.present,
            newest,
            unread: found.plan.unread,
        })
    }

    /// What [`restore_session`](Self::restore_session) would do. Nothing is changed.
    ///
    /// # Errors
    /// As [`restore_session`](Self::restore_session).
    pub fn restore_session_plan(
        &self,
        how: &RestoreSession,
        progress: &mut dyn FnMut(BackupProgress) -> ControlFlow<()>,
    ) -> Result<RestoreSessionPlan> {
        Ok(self.prepare(how, progress)?.plan)
    }

    /// Reads and proves all that is to be restored.
    fn prepare(&self, how: &RestoreSession, progress: Progress<'_>) -> Result<Prepared> {
        let name = how.name.as_deref().unwrap_or(&how.session);
        check_session_name(name)?;
        self.allow(Action::RestoreBackup, Some(name))?;
        self.refuse_if_open_elsewhere(name)?;
        let path = how.choose()?;
        let (set, secret) = self.open_set(&path, how.secret.as_ref(), progress)?;
        let backup = Backup::of(set.newest(), &set.contents.summary)?;
        let unread = self.refuse_erased(how, &set, secret)?;
        let kept = one_session(&set, &how.session)?;
        let history = how.history(&kept)?;
        let Some(newest) = history.last().cloned() else {
            let session = &how.session;
            let then = how.at.map_or_else(String::new, |at| format!(" by {at}"));
            return Err(Error::not_found(format!(
                "session '{session}' has no snapshot in the backup{then}"
            )));
        };
        let there: HashSet<String> = self.origins(name)?.into_iter().map(|(_, id)| id).collect();
        let known = |it: &Snapshot| {
            there.contains(&it.id.to_string())
                || matches!(&it.operation, Some(Operation::Import { from }) if there.contains(from))
        };
        let absent: Vec<Snapshot> = history.iter().filter(|it| !known(it)).cloned().collect();
        let renamed = absent.iter().map(|of| Traits::from(of).within(name));
        self.check_names(renamed)?;
        Ok(Prepared {
            kept,
            plan: RestoreSessionPlan {
                backup,
                session: name.to_owned(),
                present: (history.len() - absent.len()) as u64,
                absent,
                newest,
                unread,
            },
        })
    }

    /// The backup, opened by what is given, or by the keys of this store.
    fn open_set<'a>(
        &self,
        path: &Path,
        secret: Option<&'a Secret>,
        progress: Progress<'_>,
    ) -> Result<(Set, Option<&'a Secret>)> {
        let archive = Archive::open(path)?;
        let own = Keys::new(
            self.store().info().id,
            self.sqlite().and_then(SqliteStore::root),
        )?;
        let is_own = archive.head.mark == own.mark()?;
        // The secret may be of the store alone: it was encrypted since, or has other keys now.
        let keys = if is_own {
            own
        } else {
            archive.keys(secret.filter(|_| archive.head.is_sealed))?
        };
        let set = Set::open_with(archive, keys, Some(progress))?;
        Ok((set, secret))
    }

    /// An error where the session was erased since; the later backups that could not be asked.
    fn refuse_erased(
        &self,
        how: &RestoreSession,
        set: &Set,
        secret: Option<&Secret>,
    ) -> Result<Vec<UnreadableBackup>> {
        let name = &how.session;
        let graves = Graves::beside(set, secret)?;
        let store = &set.newest().head.store;
        let here = *store == self.store().info().id
            && self
                .erased_at(name)?
                .is_some_and(|at| graves.is_since(name, at, store));
        if here || graves.has(name, store) {
            return Err(Error::conflict(format!(
                "session '{name}' was erased after the backup was made, and no restore brings it back"
            )));
        }
        Ok(graves.unread)
    }

    /// Makes a state that the session has its newest, if it is not.
    fn make_newest(&self, session: &str, wanted: &Snapshot) -> Result<Snapshot> {
        let latest = format!("{session}@latest");
        let newest = self.info(&latest)?;
        if newest.checksum == wanted.checksum {
            return Ok(newest);
        }
        let query = Query {
            limit: usize::MAX,
            ..Query::session(session)
        };
        let id = wanted.id.to_string();
        let of = |it: &&Snapshot| {
            it.id == wanted.id
                || matches!(&it.operation, Some(Operation::Import { from }) if *from == id)
        };
        let page = self.list(&query)?;
        let there = page.snapshots.iter().find(of);
        let there = there.ok_or_else(|| Error::storage("what was restored is not there"))?;
        self.put_back(&there.id.to_string()).apply()?;
        self.info(&latest)
    }
}

impl RestoreSession {
    fn choose(&self) -> Result<PathBuf> {
        let Some(at) = self.at.filter(|_| self.from.is_dir()) else {
            return choose(&self.from, None);
        };
        let there = list_backups(&self.from)?;
        one_store(&there, &self.from)?;
        none_unreadable(&there)?;
        // Of several that have it, the one that less was cleaned up in since.
        let mut complete = there.complete.into_iter();
        let since = complete.find(|backup| backup.taken_at >= at);
        since.map_or_else(|| choose(&self.from, None), |backup| Ok(backup.path))
    }

    /// The snapshots of the backup that are to be there, the oldest first.
    fn history(&self, kept: &Engine) -> Result<Vec<Snapshot>> {
        let found = kept.verify(Some(&self.session))?;
        if let Some(damage) = found.damage.first() {
            let (session, message) = (&self.session, &damage.message);
            return Err(Error::damaged(format!(
                "session '{session}' cannot be restored from the backup: {message}"
            )));
        }
        let query = Query {
            reverse: true,
            limit: usize::MAX,
            ..Query::session(&self.session)
        };
        let mut history = kept.list(&query)?.snapshots;
        if let Some(at) = self.at {
            history.retain(|snapshot| snapshot.id.time() <= at);
        }
        Ok(history)
    }
}

/// An engine in memory on what a backup has of one session.
fn one_session(set: &Set, name: &str) -> Result<Engine> {
    let store = MemoryStore::copy_of(set.newest().head.store);
    let mut of = None;
    let lost = set.each(Table::Session, &mut |rows| {
        if let Some(row) = rows.sessions.into_iter().find(|row| row.name == name) {
            of = Some(row.id);
            let put = Rows {
                sessions: vec![row],
                ..Rows::default()
            };
            store.exchange(&Exchange::of(Rows::default(), put))?;
        }
        Ok(())
    })?;
    let Some(id) = of else {
        let named = |about: &About| about.sessions.iter().any(|(_, it)| it == name);
        refuse_lost(set, &lost, &named, name)?;
        let path = set.newest().path().display();
        return Err(Error::not_found(format!(
            "there is no session '{name}' in the backup {path}"
        )));
    };
    for table in [
        Table::Snapshot,
        Table::Trash,
        Table::Record,
        Table::Operation,
    ] {
        let lost = set.each(table, &mut |mut rows| {
            rows.snapshots.retain(|row| row.session == id);
            rows.trash.retain(|row| row.snapshot.session == id);
            rows.records.retain(|row| row.session == id);
            rows.operations.retain(|row| row.session == id);
            store.exchange(&Exchange::of(Rows::default(), rows))?;
            Ok(())
        })?;
        // Records that are missing where a state needs them show when it is proved; snapshots that are missing do not.
        if table == Table::Snapshot {
            let of_session = |about: &About| about.snapshots.iter().any(|(_, of)| *of == id);
            refuse_lost(set, &lost, &of_session, name)?;
        }
    }
    Ok(Options::default().on(Arc::new(store)))
}

/// An error where rows of the session are lost, or may be.
fn refuse_lost(
    set: &Set,
    lost: &[&Segment],
    is_of: &dyn Fn(&About) -> bool,
    name: &str,
) -> Result<()> {
    if !set
        .about(lost)?
        .iter()
        .any(|it| it.as_ref().is_none_or(is_of))
    {
        return Ok(());
    }
    let path = set.newest().path().display();
    Err(Error::damaged(format!(
        "session '{name}' cannot be restored from {path}, which has lost some of its rows, or may have; take an earlier backup, \
         or restore what is left of all of it to a new place"
    )))
}
