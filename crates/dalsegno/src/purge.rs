//! Emptying the trash: what was deleted goes for good, and its space back to the file system.

use std::collections::{BTreeMap, BTreeSet};

use crate::engine::Engine;
use crate::error::{Error, Result};
use crate::model::{SnapshotId, StoreId};
use crate::store::{Exchange, Flow, OperationRow, Rows, Scan, SessionRow, TrashRow, View};
use crate::sweep::{self, Parts};

/// How often a change is tried again because other programs were first.
const TRIES: usize = 16;

/// Which of the trash goes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Purge {
    /// What has been there for as long as it was to be kept.
    Expired,
    /// Of one session, or of all: everything.
    All(Option<String>),
    /// These.
    These(BTreeSet<SnapshotId>),
}

/// What a purge did, or would do.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, serde::Serialize)]
#[non_exhaustive]
pub struct Purged {
    /// How many snapshots are gone for good.
    pub snapshots: u64,
    /// Bytes of records that are gone, less those that had to be written anew.
    pub freed: u64,
}

impl Engine {
    /// Deletes for good what is in the trash, and gives the space back to the file system. Snapshots
    /// that stay are untouched: what they shared with those that go is encoded anew, and read
    /// back before it takes the old records' place. `progress` hears of each session's name.
    ///
    /// Interrupted, it leaves a whole store, and can be started again.
    ///
    /// # Errors
    /// `Damaged` where what stays cannot be read: nothing of that session is purged. `Conflict` where
    /// other programs kept changing it.
    pub fn purge(&self, purge: &Purge, progress: &mut dyn FnMut(&str)) -> Result<Purged> {
        let mut purged = Purged::default();
        let mut failed = Ok(());
        for (session, name) in self.with_trash(purge)? {
            match self.purge_session(session, purge) {
                Ok(done) => {
                    purged.snapshots += done.snapshots;
                    purged.freed += done.freed;
                }
                // One bad session does not hold up the others.
                Err(error) => failed = failed.and(Err(error.context(format!("session {name}")))),
            }
            progress(&name);
        }
        self.store().settle()?;
        failed.map(|()| purged)
    }

    /// What [`purge`](Engine::purge) would do. Nothing is changed.
    ///
    /// # Errors
    /// As [`purge`](Engine::purge).
    pub fn purge_plan(&self, purge: &Purge) -> Result<Purged> {
        let mut purged = Purged::default();
        let id = &self.store().info().id;
        for (session, name) in self.with_trash(purge)? {
            let view = self.view()?;
            let (parts, going) = self.parts(&*view, session, purge)?;
            let sweep = sweep::plan(&*view, id, &parts, &going);
            let sweep = sweep.map_err(|e| e.context(format!("session {name}")))?;
            purged.snapshots += going.len() as u64;
            purged.freed += u64::try_from(sweep.freed).unwrap_or(0);
        }
        Ok(purged)
    }

    fn purge_session(&self, session: i64, purge: &Purge) -> Result<Purged> {
        let id = &self.store().info().id;
        let mut purged = Purged::default();
        for _ in 0..TRIES {
            let view = self.view()?;
            let (parts, going) = self.parts(&*view, session, purge)?;
            let sweep = sweep::plan(&*view, id, &parts, &going)?;
            let freed = u64::try_from(sweep.freed).unwrap_or(0);
            drop(view);
            let mut done = true;
            for piece in &sweep.pieces {
                done = self.store().exchange(piece)?;
                if !done {
                    break;
                }
                purged.snapshots += piece.take.trash.len() as u64;
            }
            if done {
                purged.freed = freed;
                self.forget_empty(session)?;
                return Ok(purged);
            }
        }
        Err(Error::conflict(format!(
            "other programs changed it {TRIES} times in between; try again"
        )))
    }

    /// The sessions that have something that goes, with their names where those can be read; and those
    /// that have nothing left, because a purge was interrupted before it could forget them.
    fn with_trash(&self, purge: &Purge) -> Result<BTreeMap<i64, String>> {
        let view = self.view()?;
        let id = &self.store().info().id;
        let now = self.now().as_microsecond();
        let mut names: BTreeMap<i64, String> = BTreeMap::new();
        let mut found = BTreeMap::new();
        view.sessions(&mut |row| {
            if row.head == 0 {
                found.insert(row.id, row.name.clone());
            }
            names.insert(row.id, row.name);
            Flow::Continue(())
        })?;
        view.trash(&mut |row| {
            let name = names
                .get(&row.snapshot.session)
                .cloned()
                .unwrap_or_default();
            if goes(&row, &name, purge, now, id) {
                found.insert(row.snapshot.session, name);
            }
            Flow::Continue(())
        })?;
        Ok(found)
    }

    /// What of a session goes and what stays, and the rows of the trash that go.
    fn parts(
        &self,
        view: &dyn View,
        session: i64,
        purge: &Purge,
    ) -> Result<(Parts, Vec<TrashRow>)> {
        let id = &self.store().info().id;
        let now = self.now().as_microsecond();
        let row = view.session_by_id(session)?;
        let name = row.map(|row| row.name).unwrap_or_default();
        let mut parts = staying(view, id, session)?;
        let mut going = Vec::new();
        view.trash(&mut |row| {
            if row.snapshot.session != session {
                return Flow::Continue(());
            }
            if !row.is_intact(id) {
                let lost = SnapshotId::new(row.snapshot.seq, id);
                return Flow::Break(Err(Error::damaged(format!(
                    "the row of snapshot {lost} in the trash is damaged: its checksum differs"
                ))));
            }
            let state = row.snapshot.state_seq();
            if goes(&row, &name, purge, now, id) {
                parts.going.push((row.snapshot.seq, state));
                going.push(row);
            } else {
                parts.staying.insert(state);
            }
            Flow::Continue(())
        })?;
        Ok((parts, going))
    }

    /// A session that has nothing left, not even in the trash, is gone, and its log with it.
    fn forget_empty(&self, session: i64) -> Result<()> {
        let view = self.view()?;
        let empty = |row: &SessionRow| row.head == 0;
        let Some(row) = view.session_by_id(session)?.filter(empty) else {
            return Ok(());
        };
        let mut left = false;
        view.trash(&mut |row| {
            left |= row.snapshot.session == session;
            Flow::Continue(())
        })?;
        if left {
            return Ok(());
        }
        let mut operations: Vec<OperationRow> = Vec::new();
        view.operations(Some(session), &mut |row| {
            operations.push(row);
            Flow::Continue(())
        })?;
        drop(view);
        let take = Rows {
            sessions: vec![row],
            operations,
            ..Rows::default()
        };
        // Where somebody came between, it is not empty any more, or the next purge tries again.
        let exchange = Exchange {
            take,
            put: Rows::default(),
        };
        self.store().exchange(&exchange).map(|_| ())
    }
}

/// The records that a session's snapshots need, each row proved.
pub(crate) fn staying(view: &dyn View, store: &StoreId, session: i64) -> Result<Parts> {
    let mut parts = Parts {
        session,
        ..Parts::default()
    };
    let scan = Scan {
        session: Some(session),
        from: None,
        newest_first: true,
    };
    let row = view
        .session_by_id(session)?
        .filter(|row| row.is_intact(store));
    let row = row.ok_or_else(|| Error::damaged("the session's own row is damaged"))?;
    let mut way = crate::show::Way::from(&row);
    view.snapshots(&scan, &mut |row| {
        let proved = crate::show::check(&row, store).and_then(|()| way.step(&row, store));
        if let Err(error) = proved {
            return Flow::Break(Err(error));
        }
        parts.live.push((row.seq, row.state_seq()));
        Flow::Continue(())
    })?;
    way.end(store)?;
    parts.staying = parts.live.iter().map(|(_, state)| *state).collect();
    Ok(parts)
}

fn goes(row: &TrashRow, session: &str, purge: &Purge, now: i64, store: &StoreId) -> bool {
    match purge {
        Purge::Expired => row.keep_until <= now,
        Purge::All(only) => only.as_ref().is_none_or(|only| only == session),
        Purge::These(ids) => ids.contains(&SnapshotId::new(row.snapshot.seq, store)),
    }
}
