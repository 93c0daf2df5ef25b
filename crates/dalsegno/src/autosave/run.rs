//! The thread that saves: what is due, what was asked for, and what becomes of it.

use std::collections::HashMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use super::registered::{Registered, both};
use super::schedule::Schedule;
use super::state::State;
use crate::ask::Within;
use crate::engine::Engine;
use crate::error::{Error, ErrorKind, Result};
use crate::event::Happened;
use crate::model::Kind;
use crate::save::Save;

/// After so many saves of a session its old automatic snapshots are cleaned up.
const CLEAN_AFTER: u32 = 16;

/// Told which sessions will be asked for their states next, and whether whatever the condition.
pub(super) type Gather = Box<dyn FnMut(&[String], bool) + Send>;

/// What the thread and whoever it saves for share.
pub(super) struct Shared {
    /// None while it pauses.
    pub(super) engine: Mutex<Option<Arc<Engine>>>,
    pub(super) began: Instant,
    pub(super) gather: Mutex<Option<Gather>>,
    pub(super) inner: Mutex<Inner>,
    /// The thread has something to do.
    pub(super) work: Condvar,
    /// The thread is gone.
    pub(super) ended: Condvar,
}

#[derive(Default)]
pub(super) struct Inner {
    pub(super) schedule: Schedule,
    pub(super) sessions: HashMap<String, Arc<Mutex<Registered>>>,
    pub(super) asked: Vec<Asked>,
    pub(super) stop: bool,
    pub(super) paused: bool,
    /// The thread is there.
    pub(super) runs: bool,
}

/// Sessions that may be saved now, and stay so as long as this is there.
#[derive(Default)]
struct Admitted {
    within: Vec<Within>,
    names: Vec<String>,
    /// Those that another program's request keeps from being saved now.
    busy: Vec<String>,
}

impl Inner {
    pub(super) fn begin(&mut self, names: &[String]) {
        for name in names {
            self.schedule.begin(name);
        }
    }
}

/// A save that somebody waits for.
pub(super) struct Asked {
    /// All of them, where there is no name.
    pub(super) session: Option<String>,
    pub(super) reply: oneshot::Sender<Outcome>,
}

/// What became of a save that somebody waits for.
pub(super) struct Outcome {
    /// What kept a session from being saved.
    pub(super) failed: Option<Error>,
    /// The sessions that were not saved because of another program's request.
    pub(super) busy: Vec<String>,
}

impl Shared {
    pub(super) fn inner(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn now(&self) -> Duration {
        self.began.elapsed()
    }

    pub(super) fn engine(&self) -> MutexGuard<'_, Option<Arc<Engine>>> {
        self.engine.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn start(self: &Arc<Self>, engine: Arc<Engine>) -> Result<JoinHandle<()>> {
        let own = Arc::clone(self);
        std::thread::Builder::new()
            .name("dalsegno-autosave".to_owned())
            .spawn(move || {
                let _last_of_all = Running(Arc::clone(&own));
                own.run(&engine);
                drop(engine);
                if own.inner().stop {
                    drop(own.gather.lock().map(|mut gather| gather.take()));
                }
            })
            .map_err(|e| Error::io("starting the thread of the auto-saves", e))
    }

    pub(super) fn forget(&self, session: &str) {
        let mut inner = self.inner();
        inner.sessions.remove(session);
        inner.schedule.remove(session);
    }

    fn run(&self, engine: &Engine) {
        while let Some((due, asked)) = self.next() {
            let last = !asked.is_empty();
            // A state is of after what others ask for, or is stored before it: it is not given while that is done.
            let Admitted {
                within,
                names,
                busy,
            } = self.admit(engine, &due);
            self.gather(&names, last);
            let mut inner = self.inner();
            if inner.paused {
                // What was gathered may be nothing; it is gathered anew.
                inner.asked.extend(asked);
                return;
            }
            drop(inner);
            let failures = self.save(engine, &names, last);
            drop(within);
            for Asked { session, reply } in asked {
                let own = |name: &String| session.is_none() || session.as_ref() == Some(name);
                let failure = failures.iter().find(|(name, _)| own(name));
                drop(reply.send(Outcome {
                    failed: failure.map(|(_, error)| error.clone()),
                    busy: busy.iter().filter(|name| own(name)).cloned().collect(),
                }));
            }
            self.clean(engine, &due);
        }
    }

    fn gather(&self, names: &[String], last: bool) {
        let mut gather = self.gather.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(gather) = gather.as_mut().filter(|_| !names.is_empty()) {
            // Where it panics, the sources have nothing.
            drop(catch_unwind(AssertUnwindSafe(|| gather(names, last))));
        }
    }

    /// Waits for somebody to be due, or asked for; nothing when all of it is to end.
    fn next(&self) -> Option<(Vec<String>, Vec<Asked>)> {
        let mut inner = self.inner();
        loop {
            if inner.stop || inner.paused {
                return None;
            }
            let asked = std::mem::take(&mut inner.asked);
            if !asked.is_empty() {
                let all = asked.iter().any(|asked| asked.session.is_none());
                let mut names: Vec<String> = if all {
                    inner.sessions.keys().cloned().collect()
                } else {
                    asked.iter().filter_map(|it| it.session.clone()).collect()
                };
                names.sort();
                names.dedup();
                inner.begin(&names);
                return Some((names, asked));
            }
            let now = self.now();
            let due = inner.schedule.due(now);
            if !due.is_empty() {
                inner.begin(&due);
                return Some((due, Vec::new()));
            }
            inner = match inner.schedule.pause(now) {
                Some(pause) => {
                    let waited = self.work.wait_timeout(inner, pause);
                    waited.unwrap_or_else(PoisonError::into_inner).0
                }
                None => self
                    .work
                    .wait(inner)
                    .unwrap_or_else(PoisonError::into_inner),
            };
        }
    }

    /// Goes through the gates of those that may be saved now.
    fn admit(&self, engine: &Engine, due: &[String]) -> Admitted {
        let mut admitted = Admitted::default();
        for name in due {
            // What is asked for comes first: the state that the program has may be of before.
            match engine.gates().enter(name) {
                Some(gate) => admitted.within.push(gate),
                None => {
                    let now = self.now();
                    self.inner().schedule.failed(name, now);
                    admitted.busy.push(name.clone());
                    continue;
                }
            }
            if engine.leases().was_passed(name) {
                self.forget(name);
                continue;
            }
            admitted.names.push(name.clone());
        }
        admitted
    }

    /// Saves the sessions in one commit, and says which could not be. Where somebody `asked`, there is no condition.
    fn save(&self, engine: &Engine, names: &[String], asked: bool) -> Vec<(String, Error)> {
        let mut failures = self.try_save(engine, names, asked);
        let back = self.take_back(engine, &failures);
        if !back.is_empty() {
            failures.retain(|(name, _)| !back.contains(name));
            failures.extend(self.try_save(engine, &back, asked));
        }
        for (name, error) in &failures {
            self.failed(engine, name, error);
        }
        failures
    }

    /// Opens those again that were lost to nobody.
    fn take_back(&self, engine: &Engine, failures: &[(String, Error)]) -> Vec<String> {
        let lost = failures.iter().filter(|(name, error)| {
            let registered = self.inner().sessions.get(name).cloned();
            let takes_back = registered.is_some_and(|it| {
                let registered = it.lock().unwrap_or_else(PoisonError::into_inner);
                registered.how.takes_back
            });
            takes_back && is_lost(engine, name, error)
        });
        // Where somebody has it, it is lost for good.
        let back = lost.filter(|(name, _)| engine.reopen(name).is_ok());
        back.map(|(name, _)| name.clone()).collect()
    }

    fn try_save(&self, engine: &Engine, names: &[String], asked: bool) -> Vec<(String, Error)> {
        let mut failures = Vec::new();
        let mut saves = Vec::with_capacity(names.len());
        for name in names {
            let registered = self.inner().sessions.get(name).cloned();
            let Some(registered) = registered else {
                continue;
            };
            let mut registered = registered.lock().unwrap_or_else(PoisonError::into_inner);
            match registered.ask(asked) {
                Ok(Some(State { content, intent })) => {
                    let mut save = Save::new(engine, name, Ok(content)).kind(Kind::Auto);
                    registered.said = both(registered.said.take(), intent);
                    if let Some(words) = &registered.said {
                        save = save.intent(words);
                    }
                    let least = if asked { 0 } else { registered.how.min_change };
                    saves.push((name.clone(), save.min_change(least)));
                    registered.saves += 1;
                }
                Ok(None) => self.saved(engine, name),
                Err(error) => failures.push((name.clone(), error)),
            }
        }
        let (names, saves): (Vec<String>, Vec<Save<'_>>) = saves.into_iter().unzip();
        let tickets = engine.submit_together(saves);
        for (name, ticket) in names.into_iter().zip(tickets) {
            match ticket.wait() {
                Ok(_) => {
                    self.said(&name);
                    self.saved(engine, &name);
                }
                Err(error) => failures.push((name, error)),
            }
        }
        failures
    }

    /// What was said of the session is saved with it.
    fn said(&self, session: &str) {
        let registered = self.inner().sessions.get(session).cloned();
        if let Some(registered) = registered {
            let mut registered = registered.lock().unwrap_or_else(PoisonError::into_inner);
            registered.said = None;
        }
    }

    fn saved(&self, engine: &Engine, session: &str) {
        let (now, chance) = (self.now(), chance(engine));
        self.inner().schedule.done(session, now, chance);
    }

    fn failed(&self, engine: &Engine, session: &str, error: &Error) {
        if is_lost(engine, session, error) {
            // It is another program's, which was told already. Nothing of it can be saved here.
            self.inner().schedule.remove(session);
            return;
        }
        let now = self.now();
        self.inner().schedule.failed(session, now);
        let message = error.to_string();
        engine.tell(Some(session), Happened::AutoSaveFailed { message });
    }

    /// Deletes old automatic snapshots of those that were saved often enough since the last time.
    fn clean(&self, engine: &Engine, names: &[String]) {
        for name in names {
            let registered = self.inner().sessions.get(name).cloned();
            let Some(registered) = registered else {
                continue;
            };
            let mut registered = registered.lock().unwrap_or_else(PoisonError::into_inner);
            if registered.saves < CLEAN_AFTER {
                continue;
            }
            registered.saves = 0;
            if let Some(rules) = registered.how.keep.clone() {
                // What cannot be deleted now is deleted the next time.
                drop(engine.clean_automatic(name, rules));
            }
        }
    }
}

/// Whether it could not be saved because the session is not this program's any more.
fn is_lost(engine: &Engine, session: &str, error: &Error) -> bool {
    error.kind() == ErrorKind::Conflict && !engine.has_open(session)
}

/// Says when the thread is gone, however it ended.
struct Running(Arc<Shared>);

impl Drop for Running {
    fn drop(&mut self) {
        self.0.inner().runs = false;
        self.0.ended.notify_all();
    }
}

/// Between 0 and 1.
pub(super) fn chance(engine: &Engine) -> f64 {
    let [first, second, ..] = engine.clock().random();
    f64::from(u16::from_be_bytes([first, second])) / f64::from(u16::MAX)
}

pub(super) fn busy(session: &str) -> Error {
    Error::locked(format!(
        "another program asked for something that changes the session {session}, which is being done; save it \
         after that"
    ))
}

pub(super) fn stopped() -> Error {
    Error::storage("saving by itself has stopped")
}
