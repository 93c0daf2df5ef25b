//! Asking whoever has a session, one after the other, and deciding what each answer means.

use std::time::Duration;

use bytes::Bytes;
use serde_json::Value;

use super::request::{Answer, Peer};
use super::rows::{self, Found};
use super::wait::{Late, Now, Patience, vanished};
use super::{GRACE, deeds, orphan};
use crate::codec::note::{Lease, Process, Request, Stage, Writer};
use crate::engine::Engine;
use crate::error::{Error, ErrorKind, Result};
use crate::lease::{self, number};
use crate::store::Exchange;

/// What became of a turn.
pub(super) enum Ended {
    Answered(Answer),
    /// Nothing was done: whoever has the session now is to be asked, or nobody.
    Again,
    Refused(Error),
}

/// Asking whoever has the session, one after the other.
pub(super) struct Turns<'a> {
    pub(super) engine: &'a Engine,
    pub(super) session: String,
    pub(super) verb: String,
    pub(super) arguments: Value,
    pub(super) state: Option<Bytes>,
    pub(super) patience: Patience<'a>,
}

impl Turns<'_> {
    /// One try.
    pub(super) fn turn(&mut self) -> Result<Ended> {
        let engine = self.engine;
        let holder = match engine.leases().standing(&self.session) {
            lease::Standing::Lost(error) => return Err(error),
            lease::Standing::Holder(_) => None,
            lease::Standing::Stranger => self.holder()?,
        };
        let Some((lease, holder)) = holder else {
            return self.here();
        };
        if !holder.attends {
            return Err(lease::rows::held(&self.session, &holder, &lease));
        }
        let left = self.patience.left(engine);
        let arguments = self.arguments.to_string();
        let request = request(engine, &self.session, &self.verb, arguments, &lease, left)?;
        let asked = post(engine, request, self.state.as_ref())?;
        let by = Peer::of(&holder);
        let timeout = self.patience.timeout;
        let ended = self.patience.wait(engine, &asked, |now| {
            decide(engine, &by, &asked, now, timeout)
        });
        ended.map_err(|error| withdraw(engine, &asked, error))
    }

    fn holder(&self) -> Result<Option<(Lease, Writer)>> {
        let engine = self.engine;
        let view = engine.view()?;
        rows::holder(
            &*view,
            &engine.store().info().id,
            &self.session,
            engine.clock(),
        )
    }

    /// Nobody has to be asked.
    fn here(&self) -> Result<Ended> {
        let done = deeds::carry_out(
            self.engine,
            &self.session,
            &self.verb,
            &self.arguments,
            self.state.as_ref(),
            None,
        );
        match done {
            Ok(Some(value)) => Ok(Ended::Answered(Answer {
                by: None,
                value,
                not_told: None,
            })),
            Ok(None) => Err(Error::not_found(format!(
                "no other program has the session {} open that could be asked to {}",
                self.session, self.verb
            ))),
            // Somebody opened it in between.
            Err(error) if error.kind() == ErrorKind::Locked && self.holder()?.is_some() => {
                Ok(Ended::Again)
            }
            Err(error) => Err(error),
        }
    }
}

/// A request to the holder of `lease`, for as long as `left` says, in milliseconds.
pub(super) fn request(
    engine: &Engine,
    session: &str,
    verb: &str,
    arguments: String,
    lease: &Lease,
    left: u64,
) -> Result<Request> {
    Ok(Request {
        session: session.to_owned(),
        verb: verb.to_owned(),
        arguments,
        asker: Writer {
            name: engine.who().to_string(),
            process: Process::this(),
            beat: engine.clock().uptime(),
            ttl: left.saturating_add(GRACE),
            since: engine.now().as_microsecond(),
            attends: false,
        },
        writer: lease.writer,
        epoch: lease.epoch,
        seen: engine.view()?.last()?,
        parcel: None,
        stage: Stage::Asked,
    })
}

/// Puts it there under a number that nobody has.
pub(super) fn post(engine: &Engine, request: Request, state: Option<&Bytes>) -> Result<Found> {
    let store = engine.store();
    rows::sweep(store, engine.clock(), None)?;
    crate::attempt::until_done("the list of requests", || {
        let id = number(engine.clock().random());
        let (found, rows) = rows::of(id, request.clone(), state, &store.info().id)?;
        match store.exchange(&Exchange::of_notes(Vec::new(), rows)) {
            Ok(done) => Ok(done.then_some(found)),
            // It may be there all the same.
            Err(error) => Err(withdraw(engine, &found, error)),
        }
    })
}

fn decide(
    engine: &Engine,
    by: &Peer,
    asked: &Found,
    now: Now,
    timeout: Duration,
) -> Result<Option<Ended>> {
    let store = engine.store();
    let (verb, session) = (&asked.request.verb, &asked.request.session);
    let refused = |error| Ok(Some(Ended::Refused(error)));
    let Some(found) = now.found else {
        return refused(vanished(verb, session));
    };
    match &found.request.stage {
        Stage::Answered(text, not_told) => {
            let value = serde_json::from_str(text)
                .map_err(|e| Error::damaged("the answer is no JSON").with_source(e))?;
            let answer = Answer {
                by: Some(by.clone()),
                value,
                not_told: not_told.clone(),
            };
            // Where that fails, somebody sweeps it away.
            drop(rows::remove(store, &found));
            Ok(Some(Ended::Answered(answer)))
        }
        Stage::Refused(kind, message, partly) => {
            drop(rows::remove(store, &found));
            let error = Error::new(ErrorKind::of_word(kind), format!("{by}: {message}"));
            refused(error.partly(*partly))
        }
        Stage::Asked => {
            let holder = now.holder;
            if let Some(late) = now.late {
                if !rows::remove(store, &found)? {
                    return Ok(None);
                }
                return refused(Error::locked(format!(
                    "{by} has the session {session} open and did not take the request to {verb} {session}: {}. The \
                     request is withdrawn, and nothing was changed",
                    late.why(timeout)
                )));
            }
            let in_vain = !(holder.alive && holder.attends && holder.holds);
            let again = in_vain && rows::remove(store, &found)?;
            Ok(again.then_some(Ended::Again))
        }
        Stage::Taken | Stage::Done if !now.holder.alive => {
            Ok(match orphan::left(engine, &found, by) {
                Ok(left) => left.map(|left| left.map_or(Ended::Again, Ended::Answered)),
                Err(error) => Some(Ended::Refused(error)),
            })
        }
        _ => match now.late {
            None | Some(Late::SteppedBack) => Ok(None),
            Some(late) => refused(Error::conflict(format!(
                "{by} took the request to {verb} {session} and has not answered yet: {}. It is carrying it out, and \
                 goes on with it: `log {session}` and `snapshot list {session}` show what comes of it",
                late.why(timeout)
            ))),
        },
    }
}

/// Where the store cannot be looked at any more, the request is not left behind if that can be helped.
pub(super) fn withdraw(engine: &Engine, asked: &Found, error: Error) -> Error {
    let store = engine.store();
    let removed = rows::remove(store, asked).and_then(|removed| {
        let there = || rows::find(&*store.view()?, &store.info().id, asked.row.id);
        // Or it never was there.
        Ok(removed || there()?.is_none())
    });
    if removed.is_ok_and(|removed| removed) {
        error.hint("the request is withdrawn, and nothing was changed")
    } else {
        error.hint("whether the request was or will be carried out is not known")
    }
}
