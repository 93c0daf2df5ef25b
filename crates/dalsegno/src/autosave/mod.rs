//! Saving by itself: sessions that a program registers are saved in their intervals, all that are due in one commit.
//!
//! A thread of its own asks for the states, hands them over together and waits until they are durable. While it waits,
//! nobody else does: what became due meanwhile is one save each, however long it took.

mod pause;
mod registered;
mod run;
mod schedule;
mod signals;
mod state;

use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use crate::engine::Engine;
use crate::error::{Error, ErrorKind, Result};
use crate::open::Opened;

pub use registered::AutoSaving;
pub(crate) use registered::panicked;
pub use state::State;

use registered::Registered;
use run::{Asked, Gather, Outcome, Shared, busy, chance, stopped};

/// No patience is longer, so that it can be added to a time.
const LONGEST: Duration = Duration::from_secs(365 * 24 * 3_600);

/// Saves sessions by itself: see [`Engine::auto_save`].
pub struct AutoSave {
    shared: Arc<Shared>,
    thread: Mutex<Option<JoinHandle<()>>>,
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
    /// What keeps a session from being saved; the others are saved all the same. `Locked` where another program's
    /// request is being carried out for it: see [`save_now_within`](AutoSave::save_now_within). `NotFound` where
    /// `session` is not registered.
    pub fn save_now(&self, session: Option<&str>) -> Result<()> {
        self.save_now_within(session, Duration::ZERO)
    }

    /// As [`save_now`](AutoSave::save_now), but a session for which another program's request is being carried out is
    /// saved once that has ended, which is waited for up to `patience`. Not for an
    /// [`Attendant`](crate::Attendant) at work on that request: it would wait for itself.
    ///
    /// # Errors
    /// As [`save_now`](AutoSave::save_now).
    pub fn save_now_within(&self, session: Option<&str>, patience: Duration) -> Result<()> {
        let until = Instant::now() + patience.min(LONGEST);
        let Outcome {
            mut failed,
            busy: mut waits,
        } = self.save_once(session)?;
        while let Some(name) = waits.pop() {
            let gates = (self.shared.engine().as_ref()).map(|it| it.gates().clone());
            if gates.is_some_and(|gates| !gates.opens(&name, until)) {
                return Err(failed.unwrap_or_else(|| busy(&name)));
            }
            match self.save_once(Some(&name)) {
                Ok(outcome) => {
                    failed = failed.or(outcome.failed);
                    waits.extend(outcome.busy);
                }
                // Of all of them, one that was let go meanwhile is none.
                Err(error) if session.is_none() && error.kind() == ErrorKind::NotFound => {}
                Err(error) => return Err(error),
            }
        }
        failed.map_or(Ok(()), Err)
    }

    /// Saves what can be saved now.
    fn save_once(&self, session: Option<&str>) -> Result<Outcome> {
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
        answer.recv().map_err(|_| stopped())
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
