//! Emptying the trash: what was deleted goes for good, and its space back to the file system.

use std::collections::{BTreeMap, BTreeSet};

use crate::attempt::until_done;
use crate::codec::note::{self, State};
use crate::damage::{Damage, only_damage, report};
use crate::engine::Engine;
use crate::error::{Error, ErrorKind, Result};
use crate::lease;
use crate::model::{Action, SnapshotId, StoreId};
use crate::show;
use crate::store::{
    Exchange, Flow, OperationRow, Row, Rows, Scan, SessionRow, TrashRow, View, notes,
};
use crate::sweep::{self, Parts};

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
#[derive(Debug, Clone, Default, PartialEq, Eq, serde::Serialize)]
#[non_exhaustive]
pub struct Purged {
    /// How many snapshots are gone for good.
    pub snapshots: u64,
    /// Bytes of records that are gone, less those that had to be written anew.
    pub freed: u64,
    /// Why the space could not be given back to the file system, where it could not: the next purge or
    /// the end of a program that saves tries again.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub not_given_back: Option<String>,
}

impl Engine {
    /// Deletes for good what is in the trash, and gives the space back to the file system. Snapshots
    /// that stay are untouched: what they shared with those that go is encoded anew, and read
    /// back before it takes the old records' place. `progress` hears of each session's name.
    ///
    /// Interrupted, it leaves a whole store, and can be started again.
    ///
    /// # Errors
    /// `NotFound` where the one session does not exist. `Damaged` where what stays cannot be read: nothing of that session is purged. `Conflict` where
    /// other programs kept changing it. The message says how many are gone for good.
    pub fn purge(&self, purge: &Purge, progress: &mut dyn FnMut(&str)) -> Result<Purged> {
        match purge {
            Purge::All(Some(session)) => self.allow(Action::Purge, Some(session))?,
            _ => self.allow(Action::Purge, None)?,
        }
        let mut damage = Vec::new();
        let mut purged = Purged::default();
        let done = self.purge_all_but_damaged(purge, &mut purged, &mut damage, progress);
        let done = done.and_then(|()| self.give_back(&mut purged));
        let done = done.and_then(|()| match damage.into_iter().next() {
            None => Ok(()),
            Some(first) => Err(Error::damaged(first.message)),
        });
        match done {
            Ok(()) => Ok(purged),
            Err(error) => Err(error.after(&[(purged.snapshots, "purged")])),
        }
    }

    /// As [`purge`](Engine::purge); one damaged session does not hold up the others, and what was purged
    /// before an error is counted. The space is to be given back afterwards.
    pub(crate) fn purge_all_but_damaged(
        &self,
        purge: &Purge,
        purged: &mut Purged,
        damage: &mut Vec<Damage>,
        progress: &mut dyn FnMut(&str),
    ) -> Result<()> {
        for (session, holding) in self.holdings(purge)? {
            let name = holding.name.clone();
            if let Err(error) = self.purge_session(session, purge, holding, purged) {
                let error = only_damage(error.context(format!("session {name}")))?;
                report(damage, Some(&name), Vec::new(), error.to_string());
            }
            progress(&name);
        }
        Ok(())
    }

    /// Gives space back to the file system. What is gone is gone also where that fails.
    pub(crate) fn give_back(&self, purged: &mut Purged) -> Result<()> {
        match self.store().settle() {
            // Nothing can have been purged.
            Err(error) if error.kind() == ErrorKind::Denied => Err(error),
            Err(error) => {
                purged.not_given_back = Some(error.to_string());
                Ok(())
            }
            Ok(()) => Ok(()),
        }
    }

    /// What [`purge`](Engine::purge) would do. Nothing is changed.
    ///
    /// # Errors
    /// As [`purge`](Engine::purge).
    pub fn purge_plan(&self, purge: &Purge) -> Result<Purged> {
        let mut damage = Vec::new();
        let purged = self.plan_all_but_damaged(purge, &mut damage)?;
        match damage.into_iter().next() {
            None => Ok(purged),
            Some(first) => Err(Error::damaged(first.message)),
        }
    }

    /// As [`purge_plan`](Engine::purge_plan); one damaged session does not hold up the others.
    pub(crate) fn plan_all_but_damaged(
        &self,
        purge: &Purge,
        damage: &mut Vec<Damage>,
    ) -> Result<Purged> {
        let mut purged = Purged::default();
        let id = &self.store().info().id;
        for (session, holding) in self.holdings(purge)? {
            let view = self.view()?;
            let planned =
                self.parts(&*view, session, purge, Some(&holding))
                    .and_then(|(parts, going)| {
                        Ok((sweep::plan(&*view, id, &parts, &going)?, going.len()))
                    });
            match planned {
                Ok((sweep, going)) => {
                    purged.snapshots += going as u64;
                    purged.freed += bytes(sweep.freed());
                }
                Err(error) => {
                    let error = only_damage(error.context(format!("session {}", holding.name)))?;
                    report(damage, Some(&holding.name), Vec::new(), error.to_string());
                }
            }
        }
        Ok(purged)
    }

    fn purge_session(
        &self,
        session: i64,
        purge: &Purge,
        holding: Holding,
        purged: &mut Purged,
    ) -> Result<()> {
        let id = &self.store().info().id;
        let mut holding = Some(holding);
        let (mut snapshots, mut freed) = (0, 0);
        let done = until_done("it", || {
            let view = self.view()?;
            let known = holding.take();
            let (parts, going) = self.parts(&*view, session, purge, known.as_ref())?;
            let sweep = sweep::plan(&*view, id, &parts, &going)?;
            drop(view);
            for mut piece in sweep.pieces {
                let going = piece.exchange.take.trash.iter();
                let going: Vec<i64> = going.map(|row| row.snapshot.seq).collect();
                if !going.is_empty() {
                    let said = self.said(Action::Purge).of(session, going);
                    piece.exchange.say.push(said);
                }
                if !self.store().exchange(&piece.exchange)? {
                    return Ok(None);
                }
                snapshots += piece.exchange.take.trash.len() as u64;
                freed += piece.freed;
            }
            self.forget_empty(session)?;
            Ok(Some(()))
        });
        purged.snapshots += snapshots;
        purged.freed += bytes(freed);
        done
    }

    /// The sessions that have something that goes, and those that have nothing left, because a purge was
    /// interrupted before it could forget them.
    fn holdings(&self, purge: &Purge) -> Result<BTreeMap<i64, Holding>> {
        let view = self.view()?;
        let id = &self.store().info().id;
        let now = self.now().as_microsecond();
        let mut found: BTreeMap<i64, Holding> = BTreeMap::new();
        view.sessions(&mut |row| {
            let holding = Holding {
                name: row.name,
                era: row.era,
                visited: row.head == 0,
                rows: Vec::new(),
            };
            found.insert(row.id, holding);
            Flow::Continue(())
        })?;
        view.trash(&mut |row| {
            // A row without its session is damage, which `verify` names.
            if let Some(holding) = found.get_mut(&row.snapshot.session) {
                holding.visited |= goes(&row, &holding.name, purge, now, id);
                holding.rows.push(row);
            }
            Flow::Continue(())
        })?;
        if let Purge::All(Some(name)) = purge {
            show::known_session(&*view, id, name)?;
        }
        if !matches!(purge, Purge::These(_)) {
            let rights = self.rights(Action::Purge)?;
            found.retain(|_, holding| rights.allows(Action::Purge, Some(&holding.name)));
        }
        found.retain(|_, holding| holding.visited);
        Ok(found)
    }

    /// What of a session goes and what stays, and the rows of the trash that go.
    fn parts(
        &self,
        view: &dyn View,
        session: i64,
        purge: &Purge,
        known: Option<&Holding>,
    ) -> Result<(Parts, Vec<TrashRow>)> {
        let id = &self.store().info().id;
        let now = self.now().as_microsecond();
        let row = view.session_by_id(session)?;
        let era = row.as_ref().map(|row| row.era);
        let name = row.map(|row| row.name).unwrap_or_default();
        let mut parts = staying(view, id, session)?;
        // Whatever comes to the trash raises the era; what another purge took is not there to be taken.
        let rows = match known.filter(|known| Some(known.era) == era) {
            Some(known) => known.rows.clone(),
            None => of_session(view, session)?,
        };
        let mut going = Vec::new();
        for row in rows {
            if !row.is_intact(id) {
                let lost = SnapshotId::new(row.snapshot.seq, id);
                return Err(Error::damaged(format!(
                    "the row of snapshot {lost} in the trash is damaged: its checksum differs"
                )));
            }
            let state = row.snapshot.state_seq();
            if goes(&row, &name, purge, now, id) {
                parts.going.push((row.snapshot.seq, state));
                going.push(row);
            } else {
                parts.staying.insert(state);
            }
        }
        Ok((parts, going))
    }

    /// A session that has nothing left, not even in the trash, is gone, and its log with it.
    fn forget_empty(&self, session: i64) -> Result<()> {
        let view = self.view()?;
        let empty = |row: &SessionRow| row.head == 0;
        let Some(row) = view.session_by_id(session)?.filter(empty) else {
            return Ok(());
        };
        if !of_session(&*view, session)?.is_empty() {
            return Ok(());
        }
        let mut operations: Vec<OperationRow> = Vec::new();
        view.operations(Some(session), &mut |row| {
            operations.push(row);
            Flow::Continue(())
        })?;
        let notes = match lease::rows::lease(&*view, &self.store().info().id, session)? {
            // It stays for the program that has it open, or left it.
            Some(found) if found.lease.state != State::Closed => return Ok(()),
            found => found.into_iter().map(|found| found.row),
        };
        let moved = notes::stands(&*view, (note::MOVED, session, 0))?;
        let notes = notes.chain(moved).collect();
        drop(view);
        let name = row.name.clone();
        let take = Rows {
            sessions: vec![row],
            operations,
            notes,
            ..Rows::default()
        };
        // Where somebody came between, it is not empty any more, or the next purge tries again.
        let mut said = self.said(Action::Purge);
        said.sessions.push(session);
        said.ended.push((session, name));
        let exchange = Exchange::of(take, Rows::default()).say(said);
        self.store().exchange(&exchange).map(|_| ())
    }
}

/// A session, and what it has in the trash.
struct Holding {
    name: String,
    /// When that was so.
    era: i64,
    /// Whether there is something to do.
    visited: bool,
    rows: Vec<TrashRow>,
}

fn bytes(freed: i64) -> u64 {
    u64::try_from(freed).unwrap_or(0)
}

/// What a session has in the trash.
fn of_session(view: &dyn View, session: i64) -> Result<Vec<TrashRow>> {
    let mut rows = Vec::new();
    view.trash(&mut |row| {
        if row.snapshot.session == session {
            rows.push(row);
        }
        Flow::Continue(())
    })?;
    Ok(rows)
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
