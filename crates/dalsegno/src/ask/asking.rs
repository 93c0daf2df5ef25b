//! Asking, and waiting for the answer.

use std::time::Duration;

use bytes::Bytes;
use serde_json::Value;

use super::request::{Answer, Peer};
use super::rows::{self, Found};
use super::wait::{Now, Patience, vanished};
use super::{GRACE, deeds, orphan};
use crate::attempt::TRIES;
use crate::codec::note::{Lease, Process, Request, Stage, Writer};
use crate::document::MAX_SIZE;
use crate::engine::Engine;
use crate::error::{Error, ErrorKind, Result};
use crate::lease::{self, number};
use crate::model::check_session_name;
use crate::store::Exchange;

/// The longest verb, in bytes.
const MAX_VERB: usize = 256;

/// The longest arguments, as JSON, in bytes.
pub(super) const MAX_ARGUMENTS: usize = 1 << 20;

impl Engine {
    /// Prepares to ask the program that has `session` open for something, wherever it runs on this store: for
    /// `save`, `rollback`, `undo`, `redo` or `restore`, which every program that [attends](Engine::attend) carries
    /// out, or for something of its own. Where no program has the session open, one of the five is done here.
    ///
    /// | verb | arguments |
    /// | --- | --- |
    /// | `save` | `name`, `label`, `description`, `tags`, `metadata`, `turn`, `schema_version`, `pinned`, `kind` (`manual`, `auto`); the text goes with [`Ask::state`] |
    /// | `rollback` | `steps` (1), or `to`: a reference |
    /// | `undo`, `redo` | none |
    /// | `restore` | `from`: a reference; `components`: only these |
    ///
    /// ```
    /// use std::sync::{Arc, Mutex};
    /// use dalsegno::{Attendant, Engine, Reply, Request, Restored, Result};
    /// use serde_json::{Value, json};
    ///
    /// /// A player, whose state goes back with its session.
    /// struct Player(Arc<Mutex<Value>>);
    ///
    /// impl Attendant for Player {
    ///     fn asked(&mut self, request: &Request) -> Result<Reply> {
    ///         match request.verb.as_str() {
    ///             "volume" => Ok(Reply::Answer(self.0.lock().unwrap()["volume"].clone())),
    ///             _ => Ok(Reply::CarryOut),
    ///         }
    ///     }
    ///
    ///     fn load(&mut self, _: &Request, state: &Restored) -> Result<bool> {
    ///         *self.0.lock().unwrap() = state.to()?;
    ///         Ok(true)
    ///     }
    /// }
    ///
    /// # fn main() -> Result<()> {
    /// # let folder = tempfile::tempdir().unwrap();
    /// # let path = folder.path().join("store.db");
    /// let bot = Arc::new(Engine::create(&path)?);
    /// bot.open_session("bot/42")?;
    /// for volume in [75, 30] {
    ///     bot.save("bot/42", &json!({"volume": volume})).commit()?;
    /// }
    /// let state = Arc::new(Mutex::new(json!({"volume": 30})));
    /// let attending = bot.attend(Player(Arc::clone(&state)))?;
    ///
    /// // In another program:
    /// let other = Engine::open(&path)?;
    /// assert_eq!(other.ask("bot/42", "volume").send()?.value, 30);
    /// let answer = other.ask("bot/42", "rollback").arguments(json!({"steps": 1})).send()?;
    /// assert_eq!(answer.by.unwrap().pid, std::process::id());
    /// assert_eq!(answer.not_told, None);
    /// assert_eq!(*state.lock().unwrap(), json!({"volume": 75}));
    /// # attending.stop();
    /// # Ok(())
    /// # }
    /// ```
    pub fn ask(&self, session: &str, verb: &str) -> Ask<'_> {
        Ask {
            engine: self,
            session: session.to_owned(),
            verb: verb.to_owned(),
            arguments: Value::Null,
            state: None,
            timeout: Duration::from_secs(30),
            give_up: Box::new(|| false),
        }
    }
}

/// A request in preparation: see [`Engine::ask`].
#[must_use = "nothing is asked before send()"]
pub struct Ask<'a> {
    engine: &'a Engine,
    session: String,
    verb: String,
    arguments: Value,
    state: Option<Bytes>,
    timeout: Duration,
    give_up: Box<dyn FnMut() -> bool + 'a>,
}

/// What became of a turn.
enum Ended {
    Answered(Answer),
    /// Nothing was done: whoever has the session now is to be asked, or nobody.
    Again,
    Refused(Error),
}

impl<'a> Ask<'a> {
    /// With what: up to 1 MiB as JSON.
    pub fn arguments(mut self, arguments: Value) -> Self {
        self.arguments = arguments;
        self
    }

    /// A state that goes with it, as text, of up to 512 MiB. It is in the store, compressed, until the holder has
    /// read it.
    pub fn state(mut self, text: impl Into<Bytes>) -> Self {
        self.state = Some(text.into());
        self
    }

    /// How long to wait for the answer: 30 seconds unless said.
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.timeout = timeout;
        self
    }

    /// Asked again and again while it waits: once it answers true, nobody waits any longer, as after the timeout.
    pub fn give_up_when(mut self, give_up: impl FnMut() -> bool + 'a) -> Self {
        self.give_up = Box::new(give_up);
        self
    }

    /// Asks, and waits for the answer. What is asked for is done once or not at all: should the holder end in the
    /// middle of one of the five deeds, it is found out whether it was done, and it is done here where it was not.
    ///
    /// # Errors
    /// - What the holder answers: an error of the kind that it met.
    /// - `Locked` where it answers no requests, or did not take this one in time: nothing was changed.
    /// - `Conflict` where it took it and did not answer in time, or ended in the middle of a verb of its own: whether
    ///   it was done, the history shows.
    /// - `NotFound` where nobody has the session open who could answer a verb of its own.
    /// - `InvalidInput` for arguments that cannot be, or are too long; `Denied` where the store is read-only.
    pub fn send(self) -> Result<Answer> {
        self.check()?;
        let patience = Patience::new(self.engine, self.timeout, self.give_up);
        let mut turns = Turns {
            engine: self.engine,
            session: self.session,
            verb: self.verb,
            arguments: self.arguments,
            state: self.state,
            patience,
        };
        for _ in 0..TRIES {
            match turns.turn()? {
                Ended::Answered(answer) => return Ok(answer),
                Ended::Refused(error) => return Err(error),
                Ended::Again => {}
            }
        }
        Err(Error::conflict(format!(
            "programs opened and closed {} {TRIES} times in between; nothing was changed, try again",
            turns.session
        )))
    }

    fn check(&self) -> Result<()> {
        check_session_name(&self.session)?;
        if self.verb.is_empty() || self.verb.len() > MAX_VERB {
            return Err(Error::invalid(format!(
                "a verb has between 1 and {MAX_VERB} bytes"
            )));
        }
        let len = self.arguments.to_string().len();
        if len > MAX_ARGUMENTS {
            return Err(Error::invalid(format!(
                "the arguments have {len} bytes as JSON; the limit is {MAX_ARGUMENTS}: a state goes beside them"
            )));
        }
        let len = self.state.as_ref().map_or(0, Bytes::len);
        if len > MAX_SIZE {
            return Err(Error::invalid(format!(
                "the state has {len} bytes; the limit is {MAX_SIZE}"
            )));
        }
        deeds::check(&self.verb, &self.arguments, self.state.as_ref())
    }
}

/// Asking whoever has the session, one after the other.
struct Turns<'a> {
    engine: &'a Engine,
    session: String,
    verb: String,
    arguments: Value,
    state: Option<Bytes>,
    patience: Patience<'a>,
}

impl Turns<'_> {
    fn turn(&mut self) -> Result<Ended> {
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
            name: engine.program().to_owned(),
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
            Some(late) => refused(Error::conflict(format!(
                "{by} took the request to {verb} {session} and has not answered yet: {}. It is carrying it out, and \
                 goes on with it: `log {session}` and `snapshot list {session}` show what comes of it",
                late.why(timeout)
            ))),
            None => Ok(None),
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
