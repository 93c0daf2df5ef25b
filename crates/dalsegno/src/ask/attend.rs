//! Attending to what others ask: a thread of its own sees requests, and carries out one after the other.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::time::{Duration, Instant};

use serde_json::Value;

use super::attendant::{Attendant, Reply};
use super::deeds::{self, VERBS};
use super::handover;
use super::look;
use super::pass::Handing;
use super::request::{Asked, Request};
use super::rows::{self, Found};
use super::{LOOK, PAUSE};
use crate::attempt::{TRIES, until_done};
use crate::autosave::panicked;
use crate::codec::note::Stage;
use crate::engine::Engine;
use crate::error::{Error, ErrorKind, Result};
use crate::lease::Standing;
use crate::seat::Seat;
use crate::store::Exchange;

/// The longest answer, as JSON, in bytes.
const MAX_ANSWER: usize = 16 << 20;

/// Attends to requests until it is stopped or dropped: see [`Engine::attend`].
pub struct Attending {
    seat: Arc<Seat>,
    /// Of the thread that answers who only looks, where the program has such answers.
    looks: Option<Arc<Seat>>,
}

impl Engine {
    /// Begins to attend to what other programs [ask](Engine::ask) for of the sessions that this engine has open, or
    /// will have, in a thread of its own. Requests are carried out one after the other, in the order in which they
    /// were asked. [`Engine::ask`] has an example. A program that begins before it opens its sessions refuses nobody
    /// in between.
    ///
    /// While one of these deeds is carried out and loaded, the session is not [saved by
    /// itself](Engine::auto_save): a state from before would go on top. What the program saves otherwise is its own
    /// concern: see [`Attendant::asked`].
    ///
    /// # Errors
    /// `Conflict` where this engine attends already; `Storage` where the thread cannot be started.
    pub fn attend(self: &Arc<Self>, mut attendant: impl Attendant + 'static) -> Result<Attending> {
        if self.leases().set_attends(true) {
            return Err(Error::conflict(
                "this program attends to requests already; stop that first",
            ));
        }
        let looking = attendant.looking();
        let seat = Arc::new(Seat::of(Arc::clone(self)));
        let mut post = Post {
            seat: Arc::clone(&seat),
            engine: None,
            attendant: Box::new(attendant),
            version: None,
            looked: 0,
            unsent: Vec::new(),
            unsure: Vec::new(),
            handing: Vec::new(),
        };
        let (begun, begins) = oneshot::channel();
        let thread = std::thread::Builder::new()
            .name("dalsegno-attend".to_owned())
            .spawn(move || {
                let ends = Ends(Arc::clone(&post.seat));
                post.seat.begin();
                drop(begun.send(()));
                while post.seat.rest(PAUSE) {
                    // What fails now may work the next time.
                    drop(post.at_work(Post::round));
                }
                drop(post.at_work(|post| {
                    post.send();
                    Ok(())
                }));
                // The program's own goes before anybody hears of the end.
                drop(post);
                drop(ends);
            });
        thread.map_err(|e| {
            self.leases().set_attends(false);
            Error::io("starting the thread that attends to requests", e)
        })?;
        // From now on, whoever waits for its end waits for it.
        let _begun = begins.recv();
        let mut attending = Attending { seat, looks: None };
        attending.looks = looking.map(|it| look::begin(self, it)).transpose()?;
        self.beat()?;
        Ok(attending)
    }
}

/// However the thread ends, nobody waits for it any longer.
pub(super) struct Ends(pub(super) Arc<Seat>);

impl Drop for Ends {
    fn drop(&mut self) {
        self.0.end();
    }
}

impl Attending {
    /// Attends to nothing any more; what was begun is ended first. Whoever asks from now on is told so at once. Called
    /// again, or by the attendant itself, it does not wait.
    pub fn stop(&self) {
        self.leave();
        for seat in self.seats() {
            seat.ended(None);
        }
    }

    fn seats(&self) -> impl Iterator<Item = &Arc<Seat>> {
        std::iter::once(&self.seat).chain(&self.looks)
    }

    /// As [`stop`](Attending::stop), without waiting for the end of what was begun.
    pub fn leave(&self) {
        if let Some(looks) = &self.looks {
            drop(looks.stop());
        }
        if let Some(engine) = self.seat.stop() {
            engine.leases().set_attends(false);
            // Where that cannot be written, whoever asks waits in vain, and withdraws.
            drop(engine.beat());
        }
    }

    /// Waits until what was begun is ended, after [`leave`](Attending::leave); false where that takes longer than
    /// `patience`.
    #[must_use = "where it is false, the thread is still there"]
    pub fn has_ended(&self, patience: Duration) -> bool {
        let until = Instant::now().checked_add(patience);
        self.seats().all(|seat| seat.ended(until))
    }

    /// Lets go of the engine, after what the thread is doing with it; false where that takes longer than `patience`,
    /// and then it lets go as soon as it can. What the program is doing about a request is not waited for: it goes on
    /// meanwhile, and what comes of it is carried out after [`resume`](Attending::resume). For programs that fork.
    #[must_use = "where it is false, the engine is still in use"]
    pub fn pause(&self, patience: Duration) -> bool {
        let until = Instant::now().checked_add(patience);
        // Both let go, also where one takes longer.
        let looks = self.looks.as_ref();
        let looks = looks.is_none_or(|seat| seat.pause(until));
        self.seat.pause(until) && looks
    }

    /// Goes on after a [`pause`](Attending::pause), with this engine, which has the same sessions open: see
    /// [`Options::go_on`](crate::Options::go_on). One that was stopped ends what it had begun.
    pub fn resume(&self, engine: &Arc<Engine>) {
        if let Some(looks) = &self.looks {
            looks.resume(engine);
        }
        if !self.seat.resume(engine) {
            engine.leases().set_attends(false);
            drop(engine.beat());
        }
    }
}

impl Drop for Attending {
    fn drop(&mut self) {
        self.stop();
    }
}

/// The thread's own.
pub(super) struct Post {
    seat: Arc<Seat>,
    /// As long as it works with it.
    engine: Option<Arc<Engine>>,
    attendant: Box<dyn Attendant>,
    /// Of the store, when it was last looked at.
    version: Option<(u64, i64)>,
    looked: u64,
    /// Answers that could not be written yet, by the numbers of their requests.
    unsent: Vec<(i64, Stage)>,
    /// Requests of which it is not known whether they were taken; nothing was done yet.
    unsure: Vec<i64>,
    /// Sessions that were handed over, until the other one says that it keeps them.
    pub(super) handing: Vec<Handing>,
}

impl Post {
    /// Does something with the engine.
    fn at_work<T>(&mut self, work: impl FnOnce(&mut Self) -> Result<T>) -> Result<T> {
        self.engine = self.seat.take();
        let done = work(self);
        self.seat.leave(self.engine.take());
        done
    }

    /// To be kept only until the program is called: the engine may be another one then.
    pub(super) fn engine(&self) -> Result<Arc<Engine>> {
        let stopped = || Error::storage("attending to requests has stopped");
        self.engine.clone().ok_or_else(stopped)
    }

    fn round(&mut self) -> Result<()> {
        let engine = self.engine()?;
        // What another engine counted says nothing.
        let version = Some((self.seat.resumed(), engine.store().version()?));
        let now = engine.clock().uptime();
        let waits = !self.unsent.is_empty() || !self.handing.is_empty();
        let again = waits && now.saturating_sub(self.looked) >= LOOK;
        if self.version == version && !again {
            return Ok(());
        }
        drop(engine);
        self.send();
        self.look_after_handed();
        let (own, found) = {
            let engine = self.engine()?;
            let own = engine.leases().writer();
            let view = engine.view()?;
            (own, rows::all(&*view, &engine.store().info().id)?)
        };
        for found in found {
            let mine = Some(found.request.writer) == own;
            match found.request.stage {
                Stage::Asked if mine => self.attend(&found)?,
                Stage::Taken if mine && self.unsure.contains(&found.row.id) => {
                    self.attend(&found)?;
                }
                _ => {}
            }
        }
        let engine = self.engine()?;
        rows::sweep(engine.store(), engine.clock(), own)?;
        (self.version, self.looked) = (version, engine.clock().uptime());
        Ok(())
    }

    /// Takes a request, if it is this program's to take, and carries it out.
    fn attend(&mut self, found: &Found) -> Result<()> {
        let request = &found.request;
        let engine = self.engine()?;
        let standing = engine.leases().standing(&request.session);
        let holds = matches!(standing, Standing::Holder(epoch) if epoch == request.epoch);
        // Whoever asked sees who has the session now.
        if !holds || !request.asker.is_alive(engine.clock()) {
            return Ok(());
        }
        let store = engine.store();
        let id = &store.info().id;
        let state = rows::state(&*store.view()?, id, found);
        let mut taken = found.clone();
        taken.row = taken.staged(Stage::Taken, id)?;
        taken.request.stage = Stage::Taken;
        if found.request.stage == Stage::Asked {
            let exchange = Exchange::of_notes(vec![found.row.clone()], vec![taken.row.clone()]);
            let done = store.exchange(&exchange);
            if !done.inspect_err(|_| self.unsure.push(found.row.id))? {
                return Ok(());
            }
        }
        self.unsure.retain(|unsure| *unsure != found.row.id);
        drop(engine);
        let read = state.and_then(|state| Request::read(&taken.request, state));
        let stage = match read {
            Err(error) => Some(refused(&error)),
            Ok(request) if request.verb == handover::VERB => self.hand_over(&taken, &request),
            Ok(request) => {
                let done = self.carry_out(&taken, &request);
                Some(done.unwrap_or_else(|error| refused(&error)))
            }
        };
        if let Some(stage) = stage {
            self.settle(found.row.id, stage);
        }
        Ok(())
    }

    fn carry_out(&mut self, taken: &Found, request: &Request) -> Result<Stage> {
        let gates = self.engine()?.gates().clone();
        let is_deed = VERBS.contains(&request.verb.as_str());
        // Before the program stops: a save on its way may wait for it.
        let gate = is_deed.then(|| gates.close(&request.session));
        let done = match self.guarded(|attendant| attendant.asked(request)) {
            Ok(Reply::CarryOut) => self.deed(taken, request),
            Ok(Reply::Answer(value)) => Ok((value, None)),
            // It said so itself.
            Err(error) => return Ok(refused(&error)),
        };
        let stage = match done {
            Ok((value, not_told)) => answered(&value, not_told),
            Err(error) => {
                drop(self.guarded(|attendant| {
                    attendant.failed(request, &error);
                    Ok(())
                }));
                refused(&error)
            }
        };
        drop(gate);
        Ok(stage)
    }

    /// What came of one of these deeds, and why the program does not go on with it, where it does not.
    fn deed(&mut self, taken: &Found, request: &Request) -> Result<(Value, Option<String>)> {
        let engine = self.engine()?;
        let asked = Asked::of(taken, &engine.store().info().id)?;
        let carry_out = || {
            deeds::carry_out(
                &engine,
                &request.session,
                &request.verb,
                &request.arguments,
                request.state.as_ref(),
                Some(&asked),
            )
        };
        let mut done = carry_out();
        for _ in 0..TRIES {
            match &done {
                // The program itself saved in between.
                Err(error)
                    if error.kind() == ErrorKind::Conflict
                        && request.verb != "save"
                        && engine.has_open(&request.session) =>
                {
                    done = carry_out();
                }
                _ => break,
            }
        }
        let value = done?.ok_or_else(|| {
            Error::invalid(format!(
                "it does not know the verb '{}'; every program knows {}",
                request.verb,
                VERBS.join(", ")
            ))
        })?;
        let nothing_missing = request.verb == "guard_restore" && value["report"].is_null();
        let state =
            (!nothing_missing).then(|| engine.restore(&format!("{}@latest", request.session)));
        drop(engine);
        let Some(state) = state else {
            let nothing = Error::not_found("nothing is missing; nothing was changed");
            drop(self.guarded(|it| {
                it.failed(request, &nothing);
                Ok(())
            }));
            return Ok((value, None));
        };
        let told = state.and_then(|state| self.guarded(|it| it.load(request, &state)));
        let not_told = match told {
            Ok(true) => None,
            Ok(false) => {
                Some("the running program was not told: it goes on with its own state".into())
            }
            Err(error) => Some(format!(
                "the running program could not load it, and goes on with its own state: {error}"
            )),
        };
        Ok((value, not_told))
    }

    /// Calls the program, without the engine; where it panics, that is an error.
    pub(super) fn guarded<T>(
        &mut self,
        call: impl FnOnce(&mut dyn Attendant) -> Result<T>,
    ) -> Result<T> {
        self.seat.leave(self.engine.take());
        let attendant = &mut *self.attendant;
        let done = catch_unwind(AssertUnwindSafe(|| call(attendant)));
        self.engine = self.seat.take();
        done.unwrap_or_else(|panic| Err(panicked("what attends to requests", &*panic)))
    }

    /// Writes the answers that could not be written before.
    fn send(&mut self) {
        for (id, stage) in std::mem::take(&mut self.unsent) {
            self.settle(id, stage);
        }
    }

    /// Writes the answer into the request; where that fails, it is tried again.
    fn settle(&mut self, number: i64, stage: Stage) {
        let written = self
            .engine()
            .and_then(|engine| write(&engine, number, &stage));
        if written.is_err() {
            self.unsent.push((number, stage));
        }
    }
}

/// Writes the answer into the request.
fn write(engine: &Engine, number: i64, stage: &Stage) -> Result<()> {
    let store = engine.store();
    let id = &store.info().id;
    until_done("a request", || {
        let found = rows::find(&*store.view()?, id, number)?;
        let open = |found: &Found| matches!(found.request.stage, Stage::Taken | Stage::Done);
        let Some(found) = found.filter(open) else {
            // It is written, or whoever asked counts this program as gone.
            return Ok(Some(()));
        };
        let row = found.staged(stage.clone(), id)?;
        let exchange = Exchange::of_notes(vec![found.row], vec![row]);
        Ok(store.exchange(&exchange)?.then_some(()))
    })
}

pub(super) fn answered(value: &Value, not_told: Option<String>) -> Stage {
    let text = value.to_string();
    if text.len() > MAX_ANSWER {
        return refused(&Error::invalid(format!(
            "the answer has {} bytes as JSON; the limit is {MAX_ANSWER}",
            text.len()
        )));
    }
    Stage::Answered(text, not_told)
}

pub(super) fn refused(error: &Error) -> Stage {
    Stage::Refused(
        error.kind().as_str().to_owned(),
        error.to_string(),
        error.is_partly_done(),
    )
}
