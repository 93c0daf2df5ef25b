//! Handing a session over: the side of the program that has it.

use serde::Deserialize;

use super::attend::{Post, refused};
use super::gates::Closed;
use super::request::{Peer, Request};
use super::rows::{self, Found};
use crate::attempt::until_done;
use crate::codec::note::{self, LEASE, Lease, Stage, State};
use crate::error::{Error, Result};
use crate::lease;
use crate::model::Kind;
use crate::show;
use crate::store::{Exchange, NoteRow};

/// What goes with the request.
#[derive(Deserialize)]
struct To {
    /// The number of the note of the program that wants the session.
    writer: i64,
}

/// A session that was handed over, and is not known to be kept.
pub(super) struct Handing {
    /// The number of the request.
    id: i64,
    session: String,
    to: Peer,
    /// Of the lease that the other one has.
    epoch: i64,
    /// Nothing is saved by itself meanwhile.
    _gate: Closed,
}

/// How a handing stands.
enum Outcome {
    Pending,
    Kept,
    /// It is open here again.
    Back(String),
}

impl Post {
    /// Freezes, saves, and hands the lease over; what to answer where that did not go well.
    pub(super) fn hand_over(&mut self, taken: &Found, request: &Request) -> Option<Stage> {
        let gates = match self.engine() {
            Ok(engine) => engine.gates().clone(),
            Err(error) => return Some(refused(&error)),
        };
        let gate = gates.close(&request.session);
        if let Err(error) = self.frozen(request) {
            return Some(refused(&error));
        }
        match self.pass(taken, request) {
            Ok(epoch) => {
                self.handing.push(Handing {
                    id: taken.row.id,
                    session: request.session.clone(),
                    to: request.by.clone(),
                    epoch,
                    _gate: gate,
                });
                None
            }
            Err(error) => {
                let why = error.to_string();
                drop(self.guarded(|it| {
                    it.unfreeze(&request.session, &why);
                    Ok(())
                }));
                Some(refused(&error))
            }
        }
    }

    /// The program stands still, and all that it has is saved.
    fn frozen(&mut self, request: &Request) -> Result<()> {
        let session = &request.session;
        let state = self.guarded(|it| it.freeze(session, &request.by))?;
        let saved = self.engine().and_then(|engine| {
            if let Some(state) = state {
                let save = state.into_save(&engine, session);
                save.kind(Kind::Auto).commit()?;
            }
            engine.flush()
        });
        saved.inspect_err(|error| {
            let why = error.to_string();
            drop(self.guarded(|it| {
                it.unfreeze(session, &why);
                Ok(())
            }));
        })
    }

    /// The lease goes to the other one, if that still waits for it.
    fn pass(&self, taken: &Found, request: &Request) -> Result<i64> {
        let engine = self.engine()?;
        let session = request.session.as_str();
        let To { writer } = To::deserialize(&request.arguments)
            .map_err(|e| Error::invalid(format!("the arguments of a handover: {e}")))?;
        let lease::Standing::Holder(own) = engine.leases().standing(session) else {
            return Err(Error::conflict(format!(
                "{session} is not open here any more"
            )));
        };
        let store = engine.store();
        let id = &store.info().id;
        let passed = until_done("who has the session", || {
            let view = store.view()?;
            let to = lease::rows::writer(&*view, id, writer)?;
            if to.is_none_or(|to| !to.is_alive(engine.clock())) {
                return Err(Error::conflict(format!(
                    "{} is not there any more",
                    request.by
                )));
            }
            engine.leases().hold(session, own);
            let Some((row, found)) = engine.held_lease(&*view, session)? else {
                return Err(Error::conflict(format!(
                    "{session} is another program's by now"
                )));
            };
            let now = rows::find(&*view, id, taken.row.id)?;
            let Some(now) = now.filter(|now| now.row.checksum == taken.row.checksum) else {
                return Err(Error::conflict("the request was withdrawn"));
            };
            drop(view);
            let epoch = found.lease.epoch + 1;
            let next = Lease {
                epoch,
                writer,
                state: State::Held,
                since: engine.now().as_microsecond(),
            };
            let put = vec![
                NoteRow::new((LEASE, row.id, 0), note::encode(&next)?, id),
                now.staged(Stage::Passed(epoch), id)?,
            ];
            let exchange = Exchange {
                raise: vec![(row.id, row.era)],
                ..Exchange::of_notes(vec![found.row, now.row], put)
            };
            // From now on nothing of it is saved here.
            engine.leases().pass(session, &request.by.to_string());
            match store.exchange(&exchange) {
                Err(error) => match rows::find(&*store.view()?, id, taken.row.id) {
                    // It is done, and only the answer was lost.
                    Ok(Some(now)) if now.request.stage == Stage::Passed(epoch) => Ok(Some(epoch)),
                    _ => Err(error),
                },
                done => Ok(done?.then_some(epoch)),
            }
        });
        if passed.is_err() {
            engine.leases().hold(session, own);
        }
        passed
    }

    /// Looks what became of the sessions that were handed over.
    pub(super) fn look_after_handed(&mut self) {
        for handing in std::mem::take(&mut self.handing) {
            match self.look_after(&handing) {
                // What fails now may work the next time.
                Err(_) | Ok(Outcome::Pending) => self.handing.push(handing),
                Ok(Outcome::Kept) => drop(self.guarded(|it| {
                    it.handed_over(&handing.session, &handing.to);
                    Ok(())
                })),
                Ok(Outcome::Back(why)) => {
                    drop(self.guarded(|it| {
                        it.unfreeze(&handing.session, &why);
                        Ok(())
                    }));
                }
            }
        }
    }

    fn look_after(&self, handing: &Handing) -> Result<Outcome> {
        let engine = self.engine()?;
        let store = engine.store();
        let id = &store.info().id;
        let view = store.view()?;
        let Some(found) = rows::find(&*view, id, handing.id)? else {
            // Somebody counted this program as gone, and swept it away.
            return Ok(Outcome::Kept);
        };
        match &found.request.stage {
            Stage::Kept => {
                drop(view);
                rows::remove(store, &found)?;
                return Ok(Outcome::Kept);
            }
            Stage::Returned(epoch, why) => {
                drop(view);
                rows::remove(store, &found)?;
                engine.leases().hold(&handing.session, *epoch);
                return Ok(Outcome::Back(format!("{}: {why}", handing.to)));
            }
            _ if found.request.asker.is_alive(engine.clock()) => return Ok(Outcome::Pending),
            _ => {}
        }
        // It ended, or took too long.
        let row = show::known_session(&*view, id, &handing.session)?;
        let now = lease::rows::lease(&*view, id, row.id)?;
        drop(view);
        let writer = engine.leases().writer();
        let theirs = now.filter(|now| now.lease.epoch == handing.epoch);
        let (Some(lease), Some(writer)) = (theirs, writer) else {
            // It is another program's by now.
            rows::remove(store, &found)?;
            return Ok(Outcome::Kept);
        };
        let epoch = handing.epoch + 1;
        let next = Lease {
            epoch,
            writer,
            state: State::Held,
            since: engine.now().as_microsecond(),
        };
        let exchange = Exchange {
            raise: vec![(row.id, row.era)],
            ..Exchange::of_notes(
                vec![lease.row, found.row],
                vec![NoteRow::new((LEASE, row.id, 0), note::encode(&next)?, id)],
            )
        };
        Ok(if store.exchange(&exchange)? {
            let why = format!(
                "{} ended, or took too long, before it had looked at it",
                handing.to
            );
            engine.leases().hold(&handing.session, epoch);
            Outcome::Back(why)
        } else {
            Outcome::Pending
        })
    }
}
