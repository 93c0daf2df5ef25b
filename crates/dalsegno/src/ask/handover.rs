//! Taking a session over from the program that has it open, with its consent.

use std::time::Duration;

use serde_json::json;

use super::request::Peer;
use super::rows::{self, Found};
use super::turns::{post, request, withdraw};
use super::wait::{Now, Patience, vanished};
use crate::attempt::{TRIES, until_done};
use crate::codec::note::{self, LEASE, Lease, Stage, State, Writer};
use crate::engine::Engine;
use crate::error::{Error, ErrorKind, Result};
use crate::lease::{self, Standing};
use crate::model::{Action, Snapshot, check_session_name};
use crate::recover::Recovered;
use crate::restore::Restored;
use crate::show;
use crate::store::{Exchange, NoteRow};

/// The verb of the request.
pub(super) const VERB: &str = "handover";

/// A session that another program handed over, or left.
#[derive(Debug, Clone, serde::Serialize)]
#[non_exhaustive]
pub struct HandedOver {
    /// Its name.
    pub session: String,
    /// The number of this writer among all that the session had.
    pub epoch: i64,
    /// Who handed it over; nothing where no program had it open any more.
    pub by: Option<Peer>,
    /// Whether all that the one before had is in it: it was handed over, or closed. If not, that one ended without
    /// closing it, and it was recovered.
    pub was_closed: bool,
    /// Its newest state, which was verified; nothing where it has none.
    pub snapshot: Option<Snapshot>,
}

enum Turn {
    /// This program has the lease, in this epoch, until the other one takes it back.
    Passed(Box<Found>, i64),
    Again,
    Refused(Error),
}

impl Engine {
    /// Goes on with a session in the place of the program that has it open, with its consent and without a gap: that
    /// one [freezes](crate::Attendant::freeze), its last state is saved, and the lease goes from it to this one in one
    /// step. Here the newest state is then rebuilt, proved and given to `check`. Where all is well the session stays
    /// here. Otherwise it goes back, and the other one goes on.
    ///
    /// All of it has to be done in `timeout`. If this program ends before that, or takes longer, the other one takes
    /// the session back. If the other one ends, the session stays here where it was handed over, and is
    /// [recovered](Engine::recover) where it was not. Where no program has it open, it is opened.
    ///
    /// ```
    /// use std::sync::{Arc, Mutex};
    /// use std::time::Duration;
    /// use dalsegno::{Attendant, Engine, Error, ErrorKind, Peer, Restored, Result, State};
    ///
    /// /// The old program: it plays on until it is frozen.
    /// struct Old(Arc<Mutex<u32>>);
    ///
    /// impl Attendant for Old {
    ///     fn freeze(&mut self, _: &str, _: &Peer) -> Result<Option<State>> {
    ///         let position = *self.0.lock().unwrap();
    ///         State::of(&serde_json::json!({"position": position})).map(Some)
    ///     }
    /// }
    ///
    /// # fn main() -> Result<()> {
    /// # let folder = tempfile::tempdir().unwrap();
    /// # let path = folder.path().join("store.db");
    /// let old = Arc::new(Engine::create(&path)?);
    /// old.open_session("bot/42")?;
    /// let attending = old.attend(Old(Arc::new(Mutex::new(7))))?;
    ///
    /// // In the new program:
    /// let new = Engine::open(&path)?;
    /// let half_a_minute = Duration::from_secs(30);
    /// let refused = new.take_handover("bot/42", half_a_minute, |_: Option<&Restored>| {
    ///     Err(Error::new(ErrorKind::InvalidInput, "the voice gateway does not answer"))
    /// });
    /// assert!(refused.is_err());
    ///
    /// let taken = new.take_handover("bot/42", half_a_minute, |state| {
    ///     assert_eq!(state.unwrap().text(), b"{\"position\":7}");
    ///     Ok(())
    /// })?;
    /// assert!(taken.was_closed);
    /// new.save_json("bot/42", "{\"position\":8}").commit()?;
    /// assert!(old.save_json("bot/42", "{\"position\":0}").commit().is_err());
    /// # attending.stop();
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// - What the other one says, where it does not hand the session over; `Locked` where it answers no requests, or not
    ///   in time. It goes on.
    /// - What `check` says, and `Damaged` where the newest state cannot be proved. It is given back, if there is
    ///   somebody who can have it; if not, [`recover`](Engine::recover) finds it.
    /// - `Conflict` where the other one took the session back, because this took longer than `timeout`.
    /// - Others as [`open_session`](Engine::open_session).
    pub fn take_handover(
        &self,
        session: &str,
        timeout: Duration,
        check: impl FnOnce(Option<&Restored>) -> Result<()>,
    ) -> Result<HandedOver> {
        self.take_handover_unless(session, timeout, || false, check)
    }

    /// As [`take_handover`](Engine::take_handover), where nobody waits for the other program any longer once `give_up`
    /// answers true, as after the timeout. It is asked again and again.
    ///
    /// # Errors
    /// As [`take_handover`](Engine::take_handover).
    pub fn take_handover_unless(
        &self,
        session: &str,
        timeout: Duration,
        give_up: impl FnMut() -> bool,
        check: impl FnOnce(Option<&Restored>) -> Result<()>,
    ) -> Result<HandedOver> {
        check_session_name(session)?;
        self.allow(Action::Open, Some(session))?;
        if let Standing::Holder(_) = self.leases().standing(session) {
            return Err(Error::invalid(format!(
                "this program has {session} open already"
            )));
        }
        let writer = self.beating()?;
        self.flush()?;
        let mut patience = Patience::new(self, timeout, Box::new(give_up));
        for _ in 0..TRIES {
            let holder = {
                let view = self.view()?;
                rows::holder(&*view, &self.store().info().id, session, self.clock())?
            };
            let Some((lease, holder)) = holder else {
                match self.take_left(session) {
                    // Somebody was first.
                    Err(error) if error.kind() == ErrorKind::Locked => continue,
                    taken => return self.look_at_left(taken?, check),
                }
            };
            let (found, epoch) =
                match self.ask_for(session, writer, &lease, &holder, &mut patience)? {
                    Turn::Again => continue,
                    Turn::Refused(error) => return Err(error),
                    Turn::Passed(found, epoch) => (found, epoch),
                };
            self.leases().hold(session, epoch);
            let looked = self.look_at(session, check);
            return match looked {
                Ok(snapshot) => {
                    self.keep(session, &found, &holder)?;
                    Ok(HandedOver {
                        session: session.to_owned(),
                        epoch,
                        by: Some(Peer::of(&holder)),
                        was_closed: true,
                        snapshot,
                    })
                }
                Err(error) => Err(self.return_lease(session, &found, &holder, epoch, error)),
            };
        }
        Err(Error::conflict(format!(
            "programs opened and closed {session} {TRIES} times in between; try again"
        )))
    }

    fn ask_for(
        &self,
        session: &str,
        writer: i64,
        lease: &Lease,
        holder: &Writer,
        patience: &mut Patience<'_>,
    ) -> Result<Turn> {
        if !holder.attends {
            return Err(lease::rows::held(session, holder, lease));
        }
        let arguments = json!({"writer": writer}).to_string();
        let left = patience.left(self);
        let asked = post(
            self,
            request(self, session, VERB, arguments, lease, left)?,
            None,
        )?;
        let (by, timeout) = (Peer::of(holder), patience.timeout);
        let ended = patience.wait(self, &asked, |now| self.decide(&by, &asked, now, timeout));
        ended.map_err(|error| withdraw(self, &asked, error))
    }

    fn decide(
        &self,
        by: &Peer,
        asked: &Found,
        now: Now,
        timeout: Duration,
    ) -> Result<Option<Turn>> {
        let store = self.store();
        let session = &asked.request.session;
        let refused = |error| Ok(Some(Turn::Refused(error)));
        let Some(found) = now.found else {
            return refused(vanished(VERB, session));
        };
        match &found.request.stage {
            Stage::Passed(epoch) => {
                let epoch = *epoch;
                Ok(Some(Turn::Passed(Box::new(found), epoch)))
            }
            Stage::Refused(kind, message, _) => {
                drop(rows::remove(store, &found));
                let kind = ErrorKind::of_word(kind);
                refused(Error::new(kind, format!("{by}: {message}")))
            }
            // As long as the lease is not handed over, the request can be withdrawn.
            stage => {
                let in_vain = !now.holder.alive
                    || !now.holder.holds
                    || (!now.holder.attends && *stage == Stage::Asked);
                if (in_vain || now.late.is_some()) && !rows::remove(store, &found)? {
                    return Ok(None);
                }
                match now.late {
                    _ if in_vain => Ok(Some(Turn::Again)),
                    Some(late) => refused(Error::locked(format!(
                        "{by} has the session {session} open and did not hand it over: {}. It goes on with it",
                        late.why(timeout)
                    ))),
                    None => Ok(None),
                }
            }
        }
    }

    /// The newest state, proved.
    fn look_at(
        &self,
        session: &str,
        check: impl FnOnce(Option<&Restored>) -> Result<()>,
    ) -> Result<Option<Snapshot>> {
        let newest = match self.restore(&format!("{session}@latest")) {
            Err(error) if error.kind() == ErrorKind::NotFound => None,
            newest => Some(newest?),
        };
        check(newest.as_ref())?;
        Ok(newest.map(|newest| newest.snapshot().clone()))
    }

    /// The other one need not wait any longer: it stays here.
    fn keep(&self, session: &str, found: &Found, holder: &Writer) -> Result<()> {
        let store = self.store();
        let kept = found.staged(Stage::Kept, &store.info().id).and_then(|row| {
            store.exchange(&Exchange::of_notes(vec![found.row.clone()], vec![row]))
        });
        let error = match kept {
            Ok(true) => return Ok(()),
            Ok(false) => Error::conflict(format!(
                "{} took {session} back: it was not looked at in time",
                Peer::of(holder)
            )),
            // It takes the session back when the time is over.
            Err(error) => error,
        };
        self.leases().forget(session);
        Err(error)
    }

    /// The other one goes on.
    fn return_lease(
        &self,
        session: &str,
        found: &Found,
        holder: &Writer,
        epoch: i64,
        error: Error,
    ) -> Error {
        let store = self.store();
        let id = &store.info().id;
        let back = until_done("who has the session", || {
            let view = store.view()?;
            let row = show::known_session(&*view, id, session)?;
            let lease = lease::rows::lease(&*view, id, row.id)?;
            drop(view);
            let Some(own) = lease.filter(|lease| self.leases().is_own(&lease.lease, epoch)) else {
                // It took it back already.
                return Ok(Some(()));
            };
            let next = Lease {
                epoch: epoch + 1,
                writer: found.request.writer,
                state: State::Held,
                since: self.now().as_microsecond(),
            };
            let put = vec![
                NoteRow::new((LEASE, row.id, 0), note::encode(&next)?, id),
                found.staged(Stage::Returned(epoch + 1, error.to_string()), id)?,
            ];
            let exchange = Exchange {
                raise: vec![(row.id, row.era)],
                ..Exchange::of_notes(vec![own.row, found.row.clone()], put)
            };
            Ok(store.exchange(&exchange)?.then_some(()))
        });
        self.leases().forget(session);
        let by = Peer::of(holder);
        match back {
            Ok(()) => error.context(format!("{session} went back to {by}")),
            Err(failed) => error.hint(format!(
                "and it could not be given back to {by}, which takes it when the time is over: {failed}"
            )),
        }
    }

    /// Opens what no program has open any more; what was not closed is recovered.
    fn take_left(&self, session: &str) -> Result<HandedOver> {
        let opened = self.open_session(session)?;
        let mut recovered = Recovered::of(session);
        if !opened.was_closed
            && let Err(error) = self.newest_intact(&mut recovered)
        {
            drop(self.abandon(session));
            return Err(error);
        }
        Ok(HandedOver {
            session: session.to_owned(),
            epoch: opened.epoch,
            by: None,
            was_closed: opened.was_closed,
            snapshot: None,
        })
    }

    fn look_at_left(
        &self,
        taken: HandedOver,
        check: impl FnOnce(Option<&Restored>) -> Result<()>,
    ) -> Result<HandedOver> {
        match self.look_at(&taken.session, check) {
            Ok(snapshot) => Ok(HandedOver { snapshot, ..taken }),
            Err(error) => {
                // As it was: closed, or to be recovered.
                let left = if taken.was_closed {
                    self.close_session(&taken.session)
                } else {
                    self.abandon(&taken.session)
                };
                drop(left);
                Err(error)
            }
        }
    }
}
