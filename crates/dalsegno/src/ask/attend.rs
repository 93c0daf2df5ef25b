//! Attending to what others ask: a thread of its own sees requests, and carries out one after the other.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::mpsc::{self, RecvTimeoutError, Sender};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;

use serde_json::Value;

use super::attendant::{Attendant, Reply};
use super::deeds::{self, VERBS};
use super::handover;
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
use crate::store::Exchange;

/// The longest answer, as JSON, in bytes.
const MAX_ANSWER: usize = 16 << 20;

/// Attends to requests until it is stopped or dropped: see [`Engine::attend`].
pub struct Attending {
    engine: Arc<Engine>,
    stop: Mutex<Option<Sender<()>>>,
    thread: Mutex<Option<JoinHandle<()>>>,
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
    pub fn attend(self: &Arc<Self>, attendant: impl Attendant + 'static) -> Result<Attending> {
        if self.leases().set_attends(true) {
            return Err(Error::conflict(
                "this program attends to requests already; stop that first",
            ));
        }
        let mut post = Post {
            engine: Arc::clone(self),
            attendant: Box::new(attendant),
            version: None,
            looked: 0,
            unsent: Vec::new(),
            unsure: Vec::new(),
            handing: Vec::new(),
        };
        let (stop, stopped) = mpsc::channel();
        let thread = std::thread::Builder::new()
            .name("dalsegno-attend".to_owned())
            .spawn(move || {
                while stopped.recv_timeout(PAUSE) == Err(RecvTimeoutError::Timeout) {
                    // What fails now may work the next time.
                    drop(post.round());
                }
                post.send();
            });
        let thread = thread.map_err(|e| {
            self.leases().set_attends(false);
            Error::io("starting the thread that attends to requests", e)
        })?;
        let attending = Attending {
            engine: Arc::clone(self),
            stop: Mutex::new(Some(stop)),
            thread: Mutex::new(Some(thread)),
        };
        self.beat()?;
        Ok(attending)
    }
}

impl Attending {
    /// Attends to nothing any more; what was begun is ended first. Whoever asks from now on is told so at once. Called
    /// again, it does nothing.
    pub fn stop(&self) {
        let stop = self
            .stop
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .take();
        if stop.is_none() {
            return;
        }
        self.engine.leases().set_attends(false);
        // Where that cannot be written, whoever asks waits in vain, and withdraws.
        drop(self.engine.beat());
        drop(stop);
        let mut thread = self.thread.lock().unwrap_or_else(PoisonError::into_inner);
        // Called by the attendant itself, it ends when that returns.
        let own = thread.as_ref().map(|it| it.thread().id()) == Some(std::thread::current().id());
        if let Some(thread) = thread.take().filter(|_| !own) {
            drop(thread.join());
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
    pub(super) engine: Arc<Engine>,
    pub(super) attendant: Box<dyn Attendant>,
    version: Option<i64>,
    looked: u64,
    /// Answers that could not be written yet, by the numbers of their requests.
    unsent: Vec<(i64, Stage)>,
    /// Requests of which it is not known whether they were taken; nothing was done yet.
    unsure: Vec<i64>,
    /// Sessions that were handed over, until the other one says that it keeps them.
    pub(super) handing: Vec<Handing>,
}

impl Post {
    fn round(&mut self) -> Result<()> {
        let version = self.engine.store().version()?;
        let now = self.engine.clock().uptime();
        let waits = !self.unsent.is_empty() || !self.handing.is_empty();
        let again = waits && now.saturating_sub(self.looked) >= LOOK;
        if self.version == Some(version) && !again {
            return Ok(());
        }
        self.send();
        self.look_after_handed();
        let (own, found) = {
            let own = self.engine.leases().writer();
            let view = self.engine.view()?;
            (own, rows::all(&*view, &self.engine.store().info().id)?)
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
        rows::sweep(self.engine.store(), self.engine.clock(), own)?;
        (self.version, self.looked) = (Some(version), self.engine.clock().uptime());
        Ok(())
    }

    /// Takes a request, if it is this program's to take, and carries it out.
    fn attend(&mut self, found: &Found) -> Result<()> {
        let request = &found.request;
        let engine = Arc::clone(&self.engine);
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
        let read = state.and_then(|state| Request::read(&taken.request, state));
        let stage = match read {
            Err(error) => Some(refused(&error)),
            Ok(request) if request.verb == handover::VERB => self.hand_over(&taken, &request),
            Ok(request) => Some(self.carry_out(&taken, &request)),
        };
        if let Some(stage) = stage {
            self.settle(found.row.id, stage);
        }
        Ok(())
    }

    fn carry_out(&mut self, taken: &Found, request: &Request) -> Stage {
        let engine = Arc::clone(&self.engine);
        let is_deed = VERBS.contains(&request.verb.as_str());
        // Before the program stops: a save on its way may wait for it.
        let gate = is_deed.then(|| engine.gates().close(&request.session));
        let done = match self.guarded(|attendant| attendant.asked(request)) {
            Ok(Reply::CarryOut) => self.deed(taken, request),
            Ok(Reply::Answer(value)) => Ok((value, None)),
            // It said so itself.
            Err(error) => return refused(&error),
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
        stage
    }

    /// What came of one of these deeds, and why the program does not go on with it, where it does not.
    fn deed(&mut self, taken: &Found, request: &Request) -> Result<(Value, Option<String>)> {
        let engine = Arc::clone(&self.engine);
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
        if request.verb == "guard_restore" && value["report"].is_null() {
            let nothing = Error::not_found("nothing is missing; nothing was changed");
            drop(self.guarded(|it| {
                it.failed(request, &nothing);
                Ok(())
            }));
            return Ok((value, None));
        }
        let state = engine.restore(&format!("{}@latest", request.session));
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

    /// Calls the program; where it panics, that is an error.
    pub(super) fn guarded<T>(
        &mut self,
        call: impl FnOnce(&mut dyn Attendant) -> Result<T>,
    ) -> Result<T> {
        let attendant = &mut *self.attendant;
        catch_unwind(AssertUnwindSafe(|| call(attendant)))
            .unwrap_or_else(|panic| Err(panicked("what attends to requests", &*panic)))
    }

    /// Writes the answers that could not be written before.
    fn send(&mut self) {
        for (id, stage) in std::mem::take(&mut self.unsent) {
            self.settle(id, stage);
        }
    }

    /// Writes the answer into the request; where that fails, it is tried again.
    fn settle(&mut self, number: i64, stage: Stage) {
        let store = self.engine.store();
        let id = &store.info().id;
        let written = until_done("a request", || {
            let found = rows::find(&*store.view()?, id, number)?;
            let open = |found: &Found| matches!(found.request.stage, Stage::Taken | Stage::Done);
            let Some(found) = found.filter(open) else {
                // It is written, or whoever asked counts this program as gone.
                return Ok(Some(()));
            };
            let row = found.staged(stage.clone(), id)?;
            let exchange = Exchange::of_notes(vec![found.row], vec![row]);
            Ok(store.exchange(&exchange)?.then_some(()))
        });
        if written.is_err() {
            self.unsent.push((number, stage));
        }
    }
}

fn answered(value: &Value, not_told: Option<String>) -> Stage {
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
