//! Saving by itself: sessions that a program registers are saved in their intervals, all that are due in one commit.
//!
//! A thread of its own asks for the states, hands them over together and waits until they are durable. While it waits,
//! nobody else does: what became due meanwhile is one save each, however long it took.

mod pause;
mod schedule;
mod signals;

use std::collections::HashMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use bytes::Bytes;
use serde::Serialize;

use crate::ask::Within;
use crate::document::Document;
use crate::engine::Engine;
use crate::error::{Error, ErrorKind, Result};
use crate::event::Happened;
use crate::guard::clears;
use crate::job::Content;
use crate::model::Kind;
use crate::open::Opened;
use crate::retention::Rules;
use crate::save::Save;

use schedule::{Every, Schedule};

/// After so many saves of a session its old automatic snapshots are cleaned up.
const CLEAN_AFTER: u32 = 16;

/// As many bytes of what was said of unsaved states are remembered.
const MAX_SAID: usize = 4 << 10;

/// A state that is to be saved.
pub struct State {
    content: Content,
    intent: Option<String>,
}

impl State {
    /// A value, as compact JSON.
    ///
    /// # Errors
    /// `InvalidInput` for what has no form in JSON.
    pub fn of<T: Serialize + ?Sized>(value: &T) -> Result<Self> {
        Content::of(value).map(Self::new)
    }

    /// JSON text, which is kept byte for byte.
    pub fn json(text: impl Into<Bytes>) -> Self {
        Self::new(Content::Text(text.into()))
    }

    /// The save of it.
    pub(crate) fn into_save<'a>(self, engine: &'a Engine, session: &str) -> Save<'a> {
        let save = Save::new(engine, session, Ok(self.content));
        match self.intent {
            Some(words) => save.intent(words),
            None => save,
        }
    }

    /// A document whose parts are shared with the states before it: see [`DocumentBuilder`](crate::DocumentBuilder).
    #[must_use]
    pub fn document(document: Document) -> Self {
        Self::new(Content::Document(Arc::new(document)))
    }

    /// Says that items are missing on purpose, and why: see [`Save::intent`]. Said of a state that could not
    /// be saved, it goes with the next one.
    #[must_use]
    pub fn intent(mut self, words: impl Into<String>) -> Self {
        self.intent = Some(words.into());
        self
    }

    fn new(content: Content) -> Self {
        Self {
            content,
            intent: None,
        }
    }
}

/// How a session is saved by itself.
pub struct AutoSaving {
    every: Every,
    min_change: u64,
    condition: Option<Box<dyn FnMut() -> bool + Send>>,
    keep: Option<Rules>,
}

impl AutoSaving {
    /// Once in `interval`; at least 10 ms. The first time, one interval after it was registered.
    #[must_use]
    pub fn every(interval: Duration) -> Self {
        Self {
            every: Every {
                interval: interval.max(Duration::from_millis(10)),
                jitter: 0.0,
            },
            min_change: 0,
            condition: None,
            keep: None,
        }
    }

    /// Each interval is longer or shorter by chance, by up to this part of it (0 to 1): so that many programs do not
    /// all write at once.
    #[must_use]
    pub fn jitter(mut self, part: f64) -> Self {
        self.every.jitter = if part.is_nan() {
            0.0
        } else {
            part.clamp(0.0, 1.0)
        };
        self
    }

    /// What changed is saved once it would take this many bytes in the store. Changes add up; with 1, a state that
    /// did not change leaves nothing behind. The last save, when the session is closed, does not ask.
    #[must_use]
    pub fn min_change(mut self, bytes: u64) -> Self {
        self.min_change = bytes;
        self
    }

    /// Asked before each save, but for the last; where it answers false, or panics, there is none this time.
    #[must_use]
    pub fn when(mut self, condition: impl FnMut() -> bool + Send + 'static) -> Self {
        self.condition = Some(Box::new(condition));
        self
    }

    /// Which automatic snapshots of the session are kept; others, and pinned ones, are no concern of these rules.
    /// Without, all are kept.
    #[must_use]
    pub fn keep(mut self, rules: Rules) -> Self {
        self.keep = Some(rules);
        self
    }
}

type Source = Box<dyn FnMut() -> Result<Option<State>> + Send>;

/// Told which sessions will be asked for their states next, and whether whatever the condition.
type Gather = Box<dyn FnMut(&[String], bool) + Send>;

struct Registered {
    how: AutoSaving,
    source: Source,
    saves: u32,
    /// What was said of states that could not be saved.
    said: Option<String>,
}

/// Saves sessions by itself: see [`Engine::auto_save`].
pub struct AutoSave {
    shared: Arc<Shared>,
    thread: Mutex<Option<JoinHandle<()>>>,
}

struct Shared {
    /// None while it pauses.
    engine: Mutex<Option<Arc<Engine>>>,
    began: Instant,
    gather: Mutex<Option<Gather>>,
    inner: Mutex<Inner>,
    /// The thread has something to do.
    work: Condvar,
    /// The thread is gone.
    ended: Condvar,
}

#[derive(Default)]
struct Inner {
    schedule: Schedule,
    sessions: HashMap<String, Arc<Mutex<Registered>>>,
    asked: Vec<Asked>,
    stop: bool,
    paused: bool,
    /// The thread is there.
    runs: bool,
}

/// Sessions that may be saved now, and stay so as long as this is there.
#[derive(Default)]
struct Admitted {
    within: Vec<Within>,
    names: Vec<String>,
    /// Those that somebody waits for in vain.
    refused: Vec<(String, Error)>,
}

impl Inner {
    fn begin(&mut self, names: &[String]) {
        for name in names {
            self.schedule.begin(name);
        }
    }
}

/// A save that somebody waits for.
struct Asked {
    /// All of them, where there is no name.
    session: Option<String>,
    reply: oneshot::Sender<Result<()>>,
}

impl Engine {
    /// Begins to save sessions by themselves: register each with what gives its state.
    ///
    /// ```
    /// # use std::sync::{Arc, Mutex};
    /// # use std::time::Duration;
    /// use dalsegno::{AutoSaving, Engine, State};
    /// # fn main() -> dalsegno::Result<()> {
    /// # let folder = tempfile::tempdir().unwrap();
    /// # let path = folder.path().join("store.db");
    /// let engine = Arc::new(Engine::create(&path)?);
    /// let volume = Arc::new(Mutex::new(75));
    ///
    /// let saving = engine.auto_save()?;
    /// let player = Arc::clone(&volume);
    /// saving.register("bot/42", AutoSaving::every(Duration::from_secs(30)), move || {
    ///     let volume = *player.lock().unwrap();
    ///     State::of(&serde_json::json!({ "volume": volume })).map(Some)
    /// })?;
    ///
    /// *volume.lock().unwrap() = 30;
    /// saving.stop()?;
    /// assert_eq!(engine.restore("bot/42@latest")?.text(), b"{\"volume\":30}");
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// `Storage` where the thread cannot be started.
    pub fn auto_save(self: &Arc<Self>) -> Result<AutoSave> {
        self.save_by_itself(None)
    }

    /// As [`auto_save`](Engine::auto_save), where states are better gathered together: before the sources are asked, one
    /// after the other, `gather` is told which sessions these are, and whether the save comes whatever the condition
    /// (for the last time, or because somebody waits for it).
    ///
    /// # Errors
    /// As [`auto_save`](Engine::auto_save).
    pub fn auto_save_gathering(
        self: &Arc<Self>,
        gather: impl FnMut(&[String], bool) + Send + 'static,
    ) -> Result<AutoSave> {
        self.save_by_itself(Some(Box::new(gather)))
    }

    fn save_by_itself(self: &Arc<Self>, gather: Option<Gather>) -> Result<AutoSave> {
        let shared = Shared {
            engine: Mutex::default(),
            began: Instant::now(),
            gather: Mutex::new(gather),
            inner: Mutex::default(),
            work: Condvar::new(),
            ended: Condvar::new(),
        };
        let saving = AutoSave {
            shared: Arc::new(shared),
            thread: Mutex::new(None),
        };
        saving.resume(self)?;
        Ok(saving)
    }
}

impl AutoSave {
    /// Opens the session (see [`Engine::open_session`]) and saves it by itself from now on. `source` is asked for its
    /// state in a thread of its own; nothing means that there is nothing to save this time. An error or a panic in it
    /// is told as an event, and it is asked again. Registered again, the new way takes the place of the old one.
    ///
    /// # Errors
    /// As [`Engine::open_session`].
    pub fn register(
        &self,
        session: &str,
        how: AutoSaving,
        source: impl FnMut() -> Result<Option<State>> + Send + 'static,
    ) -> Result<Opened> {
        let engine = self.shared.engine().clone().ok_or_else(stopped)?;
        let opened = engine.open_session(session)?;
        let every = how.every;
        let registered = Registered {
            how,
            source: Box::new(source),
            saves: 0,
            said: None,
        };
        let (now, chance) = (self.shared.now(), chance(&engine));
        let mut inner = self.shared.inner();
        let registered = Arc::new(Mutex::new(registered));
        inner.sessions.insert(session.to_owned(), registered);
        inner.schedule.add(session, every, now, chance);
        drop(inner);
        self.shared.work.notify_one();
        Ok(opened)
    }

    /// Something happened that is worth a save: the session is due now. Returns at once.
    pub fn touch(&self, session: &str) {
        let now = self.shared.now();
        self.shared.inner().schedule.touch(session, now);
        self.shared.work.notify_one();
    }

    /// Saves all sessions now, or one, and waits until that is durable.
    ///
    /// # Errors
    /// What keeps a session from being saved; the others are saved all the same. `NotFound` where `session` is not
    /// registered.
    pub fn save_now(&self, session: Option<&str>) -> Result<()> {
        let (reply, answer) = oneshot::channel();
        let asked = Asked {
            session: session.map(str::to_owned),
            reply,
        };
        let mut inner = self.shared.inner();
        if let Some(session) = session.filter(|session| !inner.sessions.contains_key(*session)) {
            return Err(Error::not_found(format!(
                "the session {session} is not saved by itself; register it first"
            )));
        }
        if inner.stop {
            return Err(stopped());
        }
        inner.asked.push(asked);
        drop(inner);
        self.shared.work.notify_one();
        answer.recv().map_err(|_| stopped()).flatten()
    }

    /// Saves the session for the last time, closes it, and lets it go.
    ///
    /// # Errors
    /// As [`save_now`](AutoSave::save_now), then it is registered yet; and [`Engine::close_session`].
    pub fn unregister(&self, session: &str) -> Result<()> {
        self.save_now(Some(session))?;
        self.release(session)
    }

    /// The sessions that are saved by themselves, by name.
    #[must_use]
    pub fn sessions(&self) -> Vec<String> {
        let mut names: Vec<String> = self.shared.inner().sessions.keys().cloned().collect();
        names.sort();
        names
    }

    /// Saves all sessions for the last time, closes them, and ends the thread. Called again, or while it pauses, it does
    /// nothing.
    ///
    /// # Errors
    /// What keeps a session from being saved or closed: it stays open, and `recover` finds it; the others are closed.
    pub fn stop(&self) -> Result<()> {
        let thread = self.thread().take();
        let Some(thread) = thread else { return Ok(()) };
        let mut done = self.save_now(None);
        for session in self.sessions() {
            // What could not be saved is not closed as if it had been.
            if done.is_ok() || self.save_now(Some(&session)).is_ok() {
                done = done.and(self.release(&session));
            }
        }
        done.and(self.join(thread))
    }

    /// Ends the thread without a last save; what is registered stays open. Called again, or while it pauses, it does
    /// nothing.
    ///
    /// # Errors
    /// `Storage` where a mistake in this program had ended it before.
    pub fn end(&self) -> Result<()> {
        let thread = self.thread().take();
        thread.map_or(Ok(()), |thread| self.join(thread))
    }

    fn join(&self, thread: JoinHandle<()>) -> Result<()> {
        self.shared.inner().stop = true;
        self.shared.work.notify_one();
        thread.join().map_err(|_| stopped())
    }

    fn thread(&self) -> MutexGuard<'_, Option<JoinHandle<()>>> {
        self.thread.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for AutoSave {
    fn drop(&mut self) {
        if std::thread::panicking() {
            // Half of a state may be what the sources give; the sessions stay open.
            self.shared.inner().stop = true;
            self.shared.work.notify_one();
            return;
        }
        drop(self.stop());
    }
}

fn busy(session: &str) -> Error {
    Error::locked(format!(
        "another program asked for something that changes the session {session}, which is being done; save it \
         after that"
    ))
}

fn stopped() -> Error {
    Error::storage("saving by itself has stopped")
}

impl Shared {
    fn inner(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn now(&self) -> Duration {
        self.began.elapsed()
    }

    fn engine(&self) -> MutexGuard<'_, Option<Arc<Engine>>> {
        self.engine.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn start(self: &Arc<Self>, engine: Arc<Engine>) -> Result<JoinHandle<()>> {
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

    fn forget(&self, session: &str) {
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
                refused,
            } = self.admit(engine, &due, last);
            self.gather(&names, last);
            let mut inner = self.inner();
            if inner.paused {
                // What was gathered may be nothing; it is gathered anew.
                inner.asked.extend(asked);
                return;
            }
            drop(inner);
            let failures = self.save(engine, &names, last, refused);
            drop(within);
            for Asked { session, reply } in asked {
                let own = |name: &String| session.is_none() || session.as_ref() == Some(name);
                let failure = failures.iter().find(|(name, _)| own(name));
                let answer = failure.map_or(Ok(()), |(_, error)| Err(error.clone()));
                drop(reply.send(answer));
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
    fn admit(&self, engine: &Engine, due: &[String], asked: bool) -> Admitted {
        let mut admitted = Admitted::default();
        for name in due {
            // What is asked for comes first: the state that the program has may be of before.
            match engine.gates().enter(name) {
                Some(gate) => admitted.within.push(gate),
                None if asked => {
                    admitted.refused.push((name.clone(), busy(name)));
                    continue;
                }
                None => {
                    let now = self.now();
                    self.inner().schedule.failed(name, now);
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

    /// Saves the sessions in one commit, and says which could not be, besides those of `failures`. Where somebody `asked`,
    /// there is no condition.
    fn save(
        &self,
        engine: &Engine,
        names: &[String],
        asked: bool,
        mut failures: Vec<(String, Error)>,
    ) -> Vec<(String, Error)> {
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
        for (name, error) in &failures {
            self.failed(engine, name, error);
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
        if error.kind() == ErrorKind::Conflict && !engine.has_open(session) {
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

/// Says when the thread is gone, however it ended.
struct Running(Arc<Shared>);

impl Drop for Running {
    fn drop(&mut self) {
        self.0.inner().runs = false;
        self.0.ended.notify_all();
    }
}

/// Between 0 and 1.
fn chance(engine: &Engine) -> f64 {
    let [first, second, ..] = engine.clock().random();
    f64::from(u16::from_be_bytes([first, second])) / f64::from(u16::MAX)
}

impl Registered {
    fn ask(&mut self, asked: bool) -> Result<Option<State>> {
        if let Some(condition) = self.how.condition.as_mut().filter(|_| !asked) {
            match catch_unwind(AssertUnwindSafe(condition)) {
                Ok(true) => {}
                Ok(false) => return Ok(None),
                Err(panic) => return Err(panicked("the condition", &*panic)),
            }
        }
        catch_unwind(AssertUnwindSafe(&mut self.source))
            .unwrap_or_else(|panic| Err(panicked("what gives the state", &*panic)))
    }
}

/// What was said earlier and what is said now; a `clear` stands for itself and comes first.
fn both(earlier: Option<String>, now: Option<String>) -> Option<String> {
    match (earlier, now) {
        (Some(earlier), Some(now)) if earlier.split("; ").any(|said| said == now) => Some(earlier),
        // A disk that is full for days is no reason for a book.
        (Some(earlier), Some(now)) if earlier.len() + now.len() > MAX_SAID => {
            Some(if clears(&earlier) { earlier } else { now })
        }
        (Some(earlier), Some(now)) if clears(&now) => Some(format!("{now}; {earlier}")),
        (Some(earlier), Some(now)) => Some(format!("{earlier}; {now}")),
        (earlier, now) => earlier.or(now),
    }
}

pub(crate) fn panicked(what: &str, panic: &(dyn std::any::Any + Send)) -> Error {
    let text = panic.downcast_ref::<&str>().copied();
    let text = text.or_else(|| panic.downcast_ref::<String>().map(String::as_str));
    Error::invalid(format!(
        "{what} panicked: {}",
        text.unwrap_or("it did not say why")
    ))
}
