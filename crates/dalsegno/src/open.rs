//! Opening sessions for writing, and closing them.

use jiff::Timestamp;

use crate::attempt::until_done;
use crate::codec::note::{self, Lease, State};
use crate::engine::Engine;
use crate::error::{Error, ErrorKind, Result};
use crate::lease::{Standing, rows};
use crate::model::{Action, check_session_name};
use crate::show;
use crate::store::{Exchange, Flow, NoteRow, Rows, SessionRow, View};

/// How far a new epoch is from what is known, where the lease before cannot be read.
const LEAP: i64 = 1_000;

/// A session that was opened.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct Opened {
    /// Its name.
    pub session: String,
    /// The number of this writer among all that the session had; it rises.
    pub epoch: i64,
    /// Whether the one before closed it. If not, its newest state may be older than what it had.
    pub was_closed: bool,
}

/// Who has a session open, or had.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct Holder {
    /// The session's name.
    pub session: String,
    /// The number of the writer among all that the session had.
    pub epoch: i64,
    /// How it stands.
    pub standing: Holding,
    /// The program's name, and its process's number where it is known.
    pub program: Option<String>,
    /// Of its process.
    pub pid: Option<u32>,
    /// Since when it stands so: UTC.
    pub since: Timestamp,
}

/// How somebody stands to a session.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Holding {
    /// It is at work: others are refused.
    Open,
    /// It went without closing the session; `recover` finds it.
    Gone,
    /// It closed the session.
    Closed,
}

impl Engine {
    /// Opens a session for writing: until it is closed, only this engine may save to it, roll it back or restore
    /// it. Where it does not exist it is made, without a snapshot. Opening it again does nothing.
    ///
    /// As long as this engine lives, a thread says so in the store. A program that ends without
    /// [`close`](Engine::close) leaves its sessions open; whoever opens them next is told, and so is
    /// [`recover`](Engine::recover).
    ///
    /// ```
    /// # fn main() -> dalsegno::Result<()> {
    /// # let folder = tempfile::tempdir().unwrap();
    /// # let path = folder.path().join("store.db");
    /// let bot = dalsegno::Engine::create(&path)?;
    /// bot.open_session("bot/42")?;
    /// bot.save_json("bot/42", "{\"volume\":75}").commit()?;
    ///
    /// let other = dalsegno::Engine::open(&path)?;
    /// let refused = other.save_json("bot/42", "{\"volume\":30}").commit();
    /// assert_eq!(refused.unwrap_err().kind(), dalsegno::ErrorKind::Locked);
    ///
    /// bot.close_session("bot/42")?;
    /// other.save_json("bot/42", "{\"volume\":30}").commit()?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// `Locked` where another program has it open; `InvalidInput` for a name that cannot be one; `Denied` where the
    /// store is read-only; `Damaged` where nobody can say who has it: [`take_over`](Engine::take_over) does it
    /// all the same.
    pub fn open_session(&self, session: &str) -> Result<Opened> {
        self.open_or_take(session, false)
    }

    /// Opens a session also where another program has it open: everything that one saves to it from now on is refused
    /// with `Conflict`, and nothing of it is stored.
    ///
    /// # Errors
    /// As [`open_session`](Engine::open_session), but for `Locked`, and `Damaged` only where the session itself is.
    pub fn take_over(&self, session: &str) -> Result<Opened> {
        self.open_or_take(session, true)
    }

    fn open_or_take(&self, session: &str, by_force: bool) -> Result<Opened> {
        check_session_name(session)?;
        let action = if by_force {
            Action::TakeOver
        } else {
            Action::Open
        };
        self.allow(action, Some(session))?;
        if let Standing::Holder(epoch) = self.leases().standing(session) {
            return Ok(Opened {
                session: session.to_owned(),
                epoch,
                was_closed: true,
            });
        }
        let writer = self.beating()?;
        // What was submitted before is of nobody, or of whoever had the session.
        self.flush()?;
        let opened = until_done("who has the session", || {
            self.try_open(session, writer, by_force)
        })?;
        self.leases().hold(session, opened.epoch);
        Ok(opened)
    }

    fn try_open(&self, session: &str, writer: i64, by_force: bool) -> Result<Option<Opened>> {
        let view = self.view()?;
        let number = view.last_session()? + 1;
        let (exchange, opened) = self.opening(&*view, session, number, writer, by_force)?;
        drop(view);
        Ok(self.store().exchange(&exchange)?.then_some(opened))
    }

    /// What opens a session; where there is none yet, it gets this `number`.
    pub(crate) fn opening(
        &self,
        view: &dyn View,
        session: &str,
        number: i64,
        writer: i64,
        by_force: bool,
    ) -> Result<(Exchange, Opened)> {
        let id = &self.store().info().id;
        let next = |epoch| Lease {
            epoch,
            writer,
            state: State::Held,
            since: self.now().as_microsecond(),
        };
        let opened = |epoch, was_closed| Opened {
            session: session.to_owned(),
            epoch,
            was_closed,
        };
        let Some(row) = show::session(view, id, session)? else {
            let row = SessionRow::new(number, session.to_owned(), 0, 0, id);
            let key = (note::LEASE, number, 0);
            let put = Rows {
                sessions: vec![row],
                notes: vec![NoteRow::new(key, note::encode(&next(1))?, id)],
                ..Rows::default()
            };
            return Ok((Exchange::of(Rows::default(), put), opened(1, true)));
        };
        let (before, epoch, was_closed) = match rows::lease(view, id, row.id) {
            Ok(None) => (None, 1, true),
            Ok(Some(found)) => {
                let holder = match rows::holder(view, id, &found.lease, self.clock()) {
                    // Whoever it is.
                    Err(error) if error.kind() == ErrorKind::Locked && by_force => None,
                    holder => holder?,
                };
                if let Some(holder) = holder.filter(|_| !by_force) {
                    return Err(rows::held(session, &holder, &found.lease));
                }
                let closed = found.lease.state == State::Closed;
                (Some(found.row), found.lease.epoch + 1, closed)
            }
            Err(error) if error.kind() == ErrorKind::Damaged && by_force => {
                let damaged = rows::lease_row(view, row.id)?;
                let known = view.snapshot(row.head)?.map_or(0, |newest| newest.epoch);
                (damaged, known.max(0).saturating_add(LEAP), false)
            }
            Err(error) => return Err(error.context(format!("session {session}"))),
        };
        let mut exchange = rows::replacing(id, &row, before.as_ref(), &next(epoch))?;
        if by_force {
            exchange
                .say
                .push(self.said(Action::TakeOver).of(row.id, None));
        }
        Ok((exchange, opened(epoch, was_closed)))
    }

    /// Closes a session: what was submitted is saved, and others may write it again. A session that was made by
    /// opening it, and has nothing, is gone. One that is not open is left as it is.
    ///
    /// # Errors
    /// `Conflict` where another program took it over: what this one has is not in it, and it is not open here any
    /// more. `Locked`, `Storage` or `Denied` as the store answers; then it is still open.
    pub fn close_session(&self, session: &str) -> Result<()> {
        self.flush()?;
        let epoch = match self.leases().standing(session) {
            Standing::Stranger => return Ok(()),
            Standing::Lost(error) => {
                let passed = self.leases().was_passed(session);
                self.leases().forget(session);
                return if passed { Ok(()) } else { Err(error) };
            }
            Standing::Holder(epoch) => epoch,
        };
        let closed = until_done("who has the session", || self.try_close(session, epoch))?;
        self.leases().forget(session);
        closed
    }

    /// What this engine holds of a session, read in `view`, for what goes on between programs.
    pub(crate) fn held_lease(
        &self,
        view: &dyn View,
        session: &str,
    ) -> Result<Option<(SessionRow, rows::Found)>> {
        match self.leases().standing(session) {
            Standing::Holder(epoch) => self.own_lease(view, session, epoch),
            _ => Ok(None),
        }
    }

    /// Where it is another's by now, the answer within says so.
    fn try_close(&self, session: &str, epoch: i64) -> Result<Option<Result<()>>> {
        let view = self.view()?;
        let exchange = match self.closing(&*view, session, epoch)? {
            Ok(exchange) => exchange,
            Err(lost) => return Ok(Some(Err(lost))),
        };
        drop(view);
        let done = self.store().exchange(&exchange)?;
        Ok(done.then_some(Ok(())))
    }

    /// What closes a session; or, within, that it is another's by now.
    pub(crate) fn closing(
        &self,
        view: &dyn View,
        session: &str,
        epoch: i64,
    ) -> Result<Result<Exchange>> {
        let id = &self.store().info().id;
        let Some((row, found)) = self.own_lease(view, session, epoch)? else {
            return Ok(Err(self.leases().lose(session, epoch, None)));
        };
        if row.head == 0 && is_empty(view, row.id)? {
            let take = Rows {
                sessions: vec![row],
                notes: vec![found.row],
                ..Rows::default()
            };
            return Ok(Ok(Exchange::of(take, Rows::default())));
        }
        let closed = Lease {
            state: State::Closed,
            since: self.now().as_microsecond(),
            ..found.lease
        };
        let closed = NoteRow::new(found.row.key(), note::encode(&closed)?, id);
        Ok(Ok(Exchange::of_notes(vec![found.row], vec![closed])))
    }

    /// The session and its lease, if that is the one of `epoch` that this engine was given.
    fn own_lease(
        &self,
        view: &dyn View,
        session: &str,
        epoch: i64,
    ) -> Result<Option<(SessionRow, rows::Found)>> {
        let id = &self.store().info().id;
        let Some(row) = show::session(view, id, session)? else {
            return Ok(None);
        };
        let found = rows::lease(view, id, row.id)?;
        let own = found.filter(|found| self.leases().is_own(&found.lease, epoch));
        Ok(own.map(|found| (row, found)))
    }

    /// Refuses what would change a session that another program has open, before anything is done for it. Each save
    /// is compared once more.
    pub(crate) fn refuse_if_open_elsewhere(&self, session: &str) -> Result<()> {
        match self.leases().standing(session) {
            Standing::Holder(_) => return Ok(()),
            Standing::Lost(error) => return Err(error),
            Standing::Stranger => {}
        }
        let view = self.view()?;
        let id = &self.store().info().id;
        let Some(row) = show::session(&*view, id, session)? else {
            return Ok(());
        };
        let Some(found) = rows::lease(&*view, id, row.id)? else {
            return Ok(());
        };
        match rows::holder(&*view, id, &found.lease, self.clock())? {
            Some(holder) => Err(rows::held(session, &holder, &found.lease)),
            None => Ok(()),
        }
    }

    /// Gives a session up that is open here, as if the program had gone: others may open it, and `recover` finds it. For
    /// one whose last state could not be saved. Where it is not open here, or another program's by now, nothing is
    /// done.
    ///
    /// # Errors
    /// `Locked`, `Storage` or `Denied` as the store answers: then it is given up when this program ends.
    pub fn abandon(&self, session: &str) -> Result<()> {
        let Standing::Holder(epoch) = self.leases().standing(session) else {
            return Ok(());
        };
        self.leases().forget(session);
        until_done("who has the session", || {
            let view = self.view()?;
            let Some((row, found)) = self.own_lease(&*view, session, epoch)? else {
                return Ok(Some(()));
            };
            drop(view);
            let done = rows::break_off(self.store(), &row, &found, found.lease.since)?;
            Ok(done.then_some(()))
        })
    }

    /// Whether this engine has the session open, as far as it knows.
    pub(crate) fn has_open(&self, session: &str) -> bool {
        matches!(self.leases().standing(session), Standing::Holder(_))
    }

    /// The sessions that this engine has open, by name, with their epochs.
    #[must_use]
    pub fn open_sessions(&self) -> Vec<(String, i64)> {
        let mut sessions = self.leases().sessions();
        sessions.sort();
        sessions
    }

    /// Who has which session open, or had it last, by session.
    ///
    /// # Errors
    /// `Storage`, or `Damaged` where a lease cannot be read.
    pub fn holders(&self) -> Result<Vec<Holder>> {
        let view = self.view()?;
        let id = &self.store().info().id;
        let mut holders = Vec::new();
        for (session, found) in rows::all(&*view, id)? {
            let name = show::session_name(&*view, id, session)?;
            let Lease {
                epoch,
                writer,
                state,
                since,
            } = found
                .map_err(|e| e.context(format!("session {name}")))?
                .lease;
            let (program, alive) = match rows::writer(&*view, id, writer) {
                Ok(program) => {
                    let alive = program.as_ref().is_some_and(|it| it.is_alive(self.clock()));
                    (program, alive)
                }
                Err(error) if error.kind() == ErrorKind::Damaged => (None, false),
                // Of another version: as far as is known, it runs.
                Err(error) if error.kind() == ErrorKind::Locked => (None, true),
                Err(error) => return Err(error),
            };
            holders.push(Holder {
                session: name,
                epoch,
                standing: match state {
                    State::Closed => Holding::Closed,
                    State::Held if alive => Holding::Open,
                    State::Held | State::Broken => Holding::Gone,
                },
                pid: program.as_ref().map(|program| program.process.pid),
                program: program.map(|program| program.name),
                since: Timestamp::from_microsecond(since)
                    .map_err(|_| Error::damaged("the time of a lease is out of range"))?,
            });
        }
        holders.sort_by(|a, b| a.session.cmp(&b.session));
        Ok(holders)
    }
}

/// Whether nothing of the session is left anywhere: no snapshot, nothing in the trash or in the log.
fn is_empty(view: &dyn View, session: i64) -> Result<bool> {
    let mut empty = true;
    view.trash(&mut |row| {
        if row.snapshot.session == session {
            empty = false;
            return Flow::Break(Ok(()));
        }
        Flow::Continue(())
    })?;
    view.operations(Some(session), &mut |_| {
        empty = false;
        Flow::Break(Ok(()))
    })?;
    Ok(empty)
}
