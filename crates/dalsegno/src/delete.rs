//! Deleting snapshots: into the trash, from which they can be taken back until it is purged.

use std::collections::{BTreeMap, HashSet};

use jiff::{SignedDuration, Timestamp};

use crate::attempt::until_done;
use crate::damage::{Damage, only_damage, report};
use crate::engine::Engine;
use crate::error::{Error, ErrorKind, Result};
use crate::event::Happened;
use crate::model::{Action, Snapshot, SnapshotId, StoreId};
use crate::reference::in_trash;
use crate::show::{self, describe};
use crate::store::{Exchange, Flow, Row, SessionRow, TrashRow, View};
use crate::trash::{self, PIECE, Term};

/// How long what is deleted stays in the trash, unless said: 7 days.
pub const GRACE: SignedDuration = SignedDuration::from_hours(7 * 24);

/// A snapshot in the trash.
#[derive(Debug, Clone, serde::Serialize)]
#[non_exhaustive]
pub struct Trashed {
    /// What it was.
    pub snapshot: Snapshot,
    /// When it was deleted (UTC).
    pub deleted_at: Timestamp,
    /// From then on it may be purged (UTC).
    pub keep_until: Timestamp,
}

/// What is in the trash.
#[derive(Debug, Clone, Default, serde::Serialize)]
#[non_exhaustive]
pub struct TrashPage {
    /// In commit order.
    pub trash: Vec<Trashed>,
    /// What cannot be read.
    pub damage: Vec<Damage>,
}

impl Engine {
    /// Moves snapshots to the trash, where they are kept for `grace`. No other command sees them there
    /// but [`undelete`](Engine::undelete) and [`trash`](Engine::trash). Space is given back when they
    /// are [purged](Engine::purge).
    ///
    /// # Errors
    /// As [`info`](Engine::info) for each reference, `Denied` where one is pinned: then nothing was
    /// deleted. `Conflict` where other programs kept changing the session.
    pub fn delete(&self, references: &[&str], grace: SignedDuration) -> Result<Vec<Snapshot>> {
        let found = self.delete_plan(references)?;
        let sessions = found.iter().map(|snapshot| snapshot.session.as_str());
        self.allow_all(Action::Delete, sessions)?;
        let mut by_session: BTreeMap<&str, HashSet<i64>> = BTreeMap::new();
        for snapshot in &found {
            let seqs = by_session.entry(&snapshot.session).or_default();
            seqs.insert(snapshot.id.seq());
        }
        let mut moved = HashSet::new();
        for (session, seqs) in by_session {
            let before = moved.len();
            let buried = self.bury(session, seqs, self.term(grace)?, &mut moved);
            let deleted = (moved.len() - before) as u64;
            if deleted > 0 {
                self.tell(Some(session), Happened::Deleted { deleted });
            }
            buried.map_err(|e| e.after(&[(moved.len() as u64, "deleted")]))?;
        }
        Ok(found
            .into_iter()
            .filter(|snapshot| moved.contains(&snapshot.id.seq()))
            .collect())
    }

    /// What [`delete`](Engine::delete) would move to the trash. Nothing is changed.
    ///
    /// # Errors
    /// As [`delete`](Engine::delete).
    pub fn delete_plan(&self, references: &[&str]) -> Result<Vec<Snapshot>> {
        let mut found = BTreeMap::new();
        for reference in references {
            let snapshot = self.info(reference)?;
            if snapshot.pinned {
                return Err(Error::new(
                    ErrorKind::Denied,
                    format!(
                        "snapshot {0} is pinned; `snapshot unpin {0}` first",
                        snapshot.id
                    ),
                ));
            }
            found.insert(snapshot.id, snapshot);
        }
        Ok(found.into_values().collect())
    }

    pub(crate) fn term(&self, grace: SignedDuration) -> Result<Term> {
        let now = self.now();
        let until = now.checked_add(grace).map_err(|e| {
            Error::invalid("the time in the trash is longer than time itself").with_source(e)
        })?;
        Ok(Term {
            deleted_at: now.as_microsecond(),
            keep_until: until.as_microsecond(),
        })
    }

    /// Moves snapshots of one session to the trash, in pieces, newest first. What is gone already
    /// counts as done, and what was pinned meanwhile stays. `moved` gets those that were moved, also
    /// before an error.
    pub(crate) fn bury(
        &self,
        session: &str,
        seqs: HashSet<i64>,
        term: Term,
        moved: &mut HashSet<i64>,
    ) -> Result<()> {
        let mut seqs: Vec<i64> = seqs.into_iter().collect();
        seqs.sort_unstable_by(|a, b| b.cmp(a));
        for piece in seqs.chunks(PIECE) {
            let piece: HashSet<i64> = piece.iter().copied().collect();
            let made = self.change_session(session, |view, id, row| {
                trash::bury(view, id, row, &piece, term)
            })?;
            moved.extend(made.put.trash.iter().map(|row| row.snapshot.seq));
        }
        Ok(())
    }

    /// Makes and applies a change to a session's rows until nobody came between.
    fn change_session(
        &self,
        session: &str,
        change: impl Fn(&dyn View, &StoreId, &SessionRow) -> Result<Exchange>,
    ) -> Result<Exchange> {
        let id = &self.store().info().id;
        until_done(&format!("session {session}"), || {
            let view = self.view()?;
            let row = show::known_session(&*view, id, session)?;
            let mut exchange = change(&*view, id, &row)?;
            drop(view);
            let (action, moved) = match exchange.put.trash.as_slice() {
                [] => (Action::Undelete, exchange.take.trash.as_slice()),
                moved => (Action::Delete, moved),
            };
            let moved: Vec<i64> = moved.iter().map(|row| row.snapshot.seq).collect();
            if !moved.is_empty() {
                exchange.say.push(self.said(action).of(row.id, moved));
            }
            Ok(self.store().exchange(&exchange)?.then_some(exchange))
        })
    }

    /// Takes snapshots out of the trash, each to its old place in the history. A reference is here an
    /// id, the beginning of one, a name, or `SESSION@NAME`.
    ///
    /// # Errors
    /// `NotFound` where the trash has none such, `Ambiguous` where it has several, `Conflict` where its
    /// name has been given to another snapshot: then nothing was taken out.
    pub fn undelete(&self, references: &[&str]) -> Result<Vec<Snapshot>> {
        let id = &self.store().info().id;
        let mut by_session: BTreeMap<String, BTreeMap<i64, TrashRow>> = BTreeMap::new();
        {
            let view = self.view()?;
            for reference in references {
                let row = in_trash(&*view, id, reference)?;
                let session = show::session_name(&*view, id, row.snapshot.session)?;
                refuse_taken_name(&*view, &session, &row)?;
                let rows = by_session.entry(session).or_default();
                rows.insert(row.snapshot.seq, row);
            }
        }
        self.allow_all(Action::Undelete, by_session.keys().map(String::as_str))?;
        for (session, rows) in &by_session {
            refuse_twice(session, rows.values())?;
        }
        let mut back = Vec::new();
        for (session, rows) in by_session {
            let rows: Vec<TrashRow> = rows.into_values().collect();
            let mut taken = 0;
            for piece in rows.chunks(PIECE) {
                let changed = self.change_session(&session, |view, id, row| {
                    for trashed in piece {
                        if view.trashed(trashed.snapshot.seq)?.as_ref() != Some(trashed) {
                            return Err(Error::not_found("it is not in the trash any more"));
                        }
                        refuse_taken_name(view, &session, trashed)?;
                    }
                    trash::unearth(view, id, row, piece.to_vec())
                });
                let done = back.len() + taken;
                changed.map_err(|e| e.after(&[(done as u64, "taken out of the trash")]))?;
                taken += piece.len();
            }
            for row in rows {
                back.push(self.info(&SnapshotId::new(row.snapshot.seq, id).to_string())?);
            }
        }
        Ok(back)
    }

    /// What [`undelete`](Engine::undelete) would take out. Nothing is changed.
    ///
    /// # Errors
    /// As [`undelete`](Engine::undelete).
    pub fn undelete_plan(&self, references: &[&str]) -> Result<Vec<Snapshot>> {
        let id = &self.store().info().id;
        let view = self.view()?;
        let mut found = BTreeMap::new();
        let mut rows: BTreeMap<i64, TrashRow> = BTreeMap::new();
        for reference in references {
            let row = in_trash(&*view, id, reference)?;
            let session = show::session_name(&*view, id, row.snapshot.session)?;
            refuse_taken_name(&*view, &session, &row)?;
            let snapshot = shown(&row, &session, id)?.snapshot;
            found.insert(snapshot.id, snapshot);
            rows.insert(row.snapshot.seq, row);
        }
        let sessions: HashSet<i64> = rows.values().map(|row| row.snapshot.session).collect();
        for session in sessions {
            let of = rows.values().filter(|row| row.snapshot.session == session);
            refuse_twice(&show::session_name(&*view, id, session)?, of)?;
        }
        Ok(found.into_values().collect())
    }

    /// What is in the trash, of one session or of all, in commit order.
    ///
    /// # Errors
    /// `NotFound` where there is no such session; `Damaged` where a row is not as it was written:
    /// [`trash_page`](Engine::trash_page) has the others.
    pub fn trash(&self, session: Option<&str>) -> Result<Vec<Trashed>> {
        let page = self.trash_page(session)?;
        match page.damage.into_iter().next() {
            None => Ok(page.trash),
            Some(first) => Err(Error::damaged(first.message)),
        }
    }

    /// What is in the trash, as far as it can be read, and what of it is damaged.
    ///
    /// # Errors
    /// `NotFound` where there is no such session.
    pub fn trash_page(&self, session: Option<&str>) -> Result<TrashPage> {
        let view = self.view()?;
        let id = &self.store().info().id;
        let only = match session {
            Some(name) => Some(show::known_session(&*view, id, name)?),
            None => None,
        };
        let mut names: BTreeMap<i64, String> = BTreeMap::new();
        let mut page = TrashPage::default();
        view.trash(&mut |row| {
            if only.as_ref().is_some_and(|s| s.id != row.snapshot.session) {
                return Flow::Continue(());
            }
            let session = row.snapshot.session;
            let name = match names.get(&session) {
                Some(name) => Ok(name.clone()),
                None => show::session_name(&*view, id, session),
            };
            match name.and_then(|name| Ok((shown(&row, &name, id)?, name))) {
                Ok((trashed, name)) => {
                    page.trash.push(trashed);
                    names.insert(session, name);
                }
                Err(error) => match only_damage(error) {
                    Ok(error) => {
                        let lost = vec![SnapshotId::new(row.snapshot.seq, id)];
                        report(&mut page.damage, None, lost, error.to_string());
                    }
                    Err(error) => return Flow::Break(Err(error)),
                },
            }
            Flow::Continue(())
        })?;
        Ok(page)
    }
}

/// The metadata of a row in the trash.
///
/// # Errors
/// `Damaged` where it is not as it was written.
pub(crate) fn shown(row: &TrashRow, session: &str, store: &StoreId) -> Result<Trashed> {
    let time = |micros| {
        Timestamp::from_microsecond(micros)
            .map_err(|e| Error::damaged("a time in the trash is out of range").with_source(e))
    };
    if !row.is_intact(store) {
        let id = SnapshotId::new(row.snapshot.seq, store);
        return Err(Error::damaged(format!(
            "the row of snapshot {id} in the trash is damaged: its checksum differs"
        )));
    }
    Ok(Trashed {
        // The trash's checksum covers the snapshot's columns.
        snapshot: describe(&row.snapshot.clone().summed(store), session, store)?,
        deleted_at: time(row.deleted_at)?,
        keep_until: time(row.keep_until)?,
    })
}

/// Refuses two of one name, who cannot both come back.
fn refuse_twice<'a>(session: &str, rows: impl Iterator<Item = &'a TrashRow>) -> Result<()> {
    let mut names = HashSet::new();
    for name in rows.filter_map(|row| row.snapshot.name.as_ref()) {
        if !names.insert(name) {
            return Err(Error::conflict(format!(
                "two of these snapshots of session {session} are named '{name}'; take one out and \
                 rename it first"
            )));
        }
    }
    Ok(())
}

fn refuse_taken_name(view: &dyn View, session: &str, row: &TrashRow) -> Result<()> {
    let Some(name) = &row.snapshot.name else {
        return Ok(());
    };
    for seq in view.named(name)? {
        let other = view.snapshot(seq)?;
        if other.is_some_and(|other| other.session == row.snapshot.session) {
            return Err(Error::conflict(format!(
                "session {session} has another snapshot named '{name}' now; rename that one first"
            )));
        }
    }
    Ok(())
}
