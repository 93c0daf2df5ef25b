//! Proving the whole store again and again, at a set rate, beside whatever else the program does.

use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use serde::Serialize;

use crate::damage::Damage;
use crate::engine::Engine;
use crate::error::{Error, Result};
use crate::location;
use crate::model::Action;
use crate::seat::Seat;

/// How the store is proved round after round: see [`Engine::scrub`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Scrub {
    rate: u64,
    once: bool,
}

impl Default for Scrub {
    fn default() -> Self {
        Self {
            rate: 10 << 20,
            once: false,
        }
    }
}

impl Scrub {
    /// At most so many bytes of states, and of the store's file, in a second. 10 MiB by default; 0 is as fast as it goes.
    #[must_use]
    pub fn rate(mut self, bytes: u64) -> Self {
        self.rate = bytes;
        self
    }

    /// One round, instead of one after the other.
    #[must_use]
    pub fn once(mut self) -> Self {
        self.once = true;
        self
    }
}

/// How far a scrub is.
#[derive(Debug, Clone, Default, Serialize)]
#[non_exhaustive]
pub struct ScrubProgress {
    /// Rounds that are complete.
    pub rounds: u64,
    /// Sessions of this round that are proved.
    pub sessions: u64,
    /// How many there were when it began.
    pub of: u64,
    /// Bytes of states, and of the store's file, that were proved in all rounds.
    pub bytes: u64,
    /// Snapshots, those in the trash too, as of the last look at each session.
    pub snapshots: u64,
    /// How many of them a [repair marked](crate::Repaired): they are not, or not all of them, as they were saved.
    pub repaired: u64,
    /// What is damaged, as of the last look at each session and at the rest of the store.
    pub damage: Vec<Damage>,
    /// Whether it has ended.
    pub ended: bool,
    /// Why it ended, where that was no end of a round and nobody stopped it.
    pub error: Option<Error>,
}

/// A scrub at work. Dropped, it stops.
pub struct Scrubbing {
    shared: Arc<Shared>,
    seat: Arc<Seat>,
    thread: Mutex<Option<JoinHandle<()>>>,
}

#[derive(Default)]
struct Shared {
    inner: Mutex<Inner>,
    /// Told when it is to stop, and when it went on.
    news: Condvar,
}

#[derive(Default)]
struct Inner {
    stop: bool,
    progress: ScrubProgress,
}

impl Shared {
    fn inner(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn change(&self, change: impl FnOnce(&mut ScrubProgress)) {
        change(&mut self.inner().progress);
        self.news.notify_all();
    }
}

impl Engine {
    /// Proves the whole store from now on, in a thread of its own: session after session, as
    /// [`verify`](Engine::verify) does, then what is of no session and the structure of the file, then from the beginning.
    /// It looks at one session at a time, so that nobody waits for it and the log beside the store can shrink; between
    /// them it rests as long as the [rate](Scrub::rate) says. Damage is told once, as a
    /// [`CorruptionDetected`](crate::Happened::CorruptionDetected) event, and again if it is repaired and comes back.
    ///
    /// ```
    /// # fn main() -> dalsegno::Result<()> {
    /// # let folder = tempfile::tempdir().unwrap();
    /// # let path = folder.path().join("store.db");
    /// use std::sync::Arc;
    /// use dalsegno::{Engine, Scrub};
    ///
    /// let engine = Arc::new(Engine::create(&path)?);
    /// engine.save_json("bot/42", "{\"volume\":75}").commit()?;
    /// let scrubbing = engine.scrub(Scrub::default().once())?;
    /// let proved = scrubbing.wait();
    /// assert!(proved.damage.is_empty());
    /// assert_eq!(proved.rounds, 1);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// `Denied` where the whole store may not be read; `Storage` where the thread cannot be started.
    pub fn scrub(self: &Arc<Self>, how: Scrub) -> Result<Scrubbing> {
        self.allow(Action::Read, None)?;
        let shared = Arc::new(Shared::default());
        let seat = Arc::new(Seat::of(Arc::clone(self)));
        let (own, of_thread) = (Arc::clone(&seat), Arc::clone(&shared));
        let thread = std::thread::Builder::new()
            .name("dalsegno-scrub".to_owned())
            .spawn(move || {
                own.begin();
                let done = Rounds {
                    seat: &own,
                    shared: &of_thread,
                    how,
                    told: HashSet::new(),
                    counted: HashMap::new(),
                }
                .run();
                // Whoever waits for the end may want to close the store.
                own.end();
                of_thread.change(|progress| {
                    progress.error = done.err();
                    progress.ended = true;
                });
            })
            .map_err(|e| Error::io("starting the thread of a scrub", e))?;
        Ok(Scrubbing {
            shared,
            seat,
            thread: Mutex::new(Some(thread)),
        })
    }
}

impl Scrubbing {
    /// How far it is.
    #[must_use]
    pub fn progress(&self) -> ScrubProgress {
        self.shared.inner().progress.clone()
    }

    /// Waits until it ends: one round where it was to be [one](Scrub::once), or until it is stopped or fails.
    pub fn wait(&self) -> ScrubProgress {
        self.wait_for(Duration::MAX)
    }

    /// As [`wait`](Self::wait), but no longer than that.
    pub fn wait_for(&self, patience: Duration) -> ScrubProgress {
        let until = Instant::now().checked_add(patience);
        let mut inner = self.shared.inner();
        while !inner.progress.ended {
            let left = until.map(|until| until.saturating_duration_since(Instant::now()));
            if left.is_some_and(|left| left.is_zero()) {
                break;
            }
            let news = &self.shared.news;
            inner = match left {
                Some(left) => {
                    let waited = news.wait_timeout(inner, left);
                    waited.unwrap_or_else(PoisonError::into_inner).0
                }
                None => news.wait(inner).unwrap_or_else(PoisonError::into_inner),
            };
        }
        inner.progress.clone()
    }

    /// Stops it, and says how far it came: at once, but for the state or the look at the file's structure that it is at.
    pub fn stop(&self) -> ScrubProgress {
        self.shared.inner().stop = true;
        self.shared.news.notify_all();
        drop(self.seat.stop());
        let thread = self
            .thread
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .take();
        if let Some(thread) = thread {
            // A mistake in this program, which it told of itself.
            drop(thread.join());
        }
        self.progress()
    }

    /// Lets go of the engine, after the state or the look at the file's structure that it is at; false where that takes longer
    /// than `patience`, and then it does as soon as it can. For programs that fork.
    #[must_use = "where it is false, the engine is still in use"]
    pub fn pause(&self, patience: Duration) -> bool {
        self.seat.pause(Instant::now().checked_add(patience))
    }

    /// Goes on after a [`pause`](Scrubbing::pause), with this engine, from the session that it was at. One that has ended
    /// stays so.
    pub fn resume(&self, engine: &Arc<Engine>) {
        self.seat.resume(engine);
    }
}

impl Drop for Scrubbing {
    fn drop(&mut self) {
        self.stop();
    }
}

struct Rounds<'a> {
    seat: &'a Seat,
    shared: &'a Shared,
    how: Scrub,
    /// What is damaged, and was told.
    told: HashSet<Damage>,
    /// By session, how many snapshots it has, and how many of them are marked.
    counted: HashMap<String, (u64, u64)>,
}

impl Rounds<'_> {
    fn run(mut self) -> Result<()> {
        while let Some(names) = self.work(Engine::sessions_as_they_stand)? {
            self.shared.change(|progress| {
                progress.sessions = 0;
                progress.of = names.len() as u64;
            });
            let gone = |it: &Damage| {
                it.session
                    .as_ref()
                    .is_some_and(|name| !names.contains(name))
            };
            self.told.retain(|it| !gone(it));
            self.counted.retain(|name, _| names.contains(name));
            for name in &names {
                let Some(bytes) = self.session(name)? else {
                    return Ok(());
                };
                self.shared.change(|progress| progress.sessions += 1);
                if !self.rest(bytes) {
                    return Ok(());
                }
            }
            let Some(bytes) = self.remainder()? else {
                return Ok(());
            };
            self.shared.change(|progress| progress.rounds += 1);
            if self.how.once || !self.rest(bytes) {
                return Ok(());
            }
        }
        Ok(())
    }

    /// Does something with the engine; nothing where it is to stop.
    fn work<T>(&self, work: impl FnOnce(&Engine) -> Result<T>) -> Result<Option<T>> {
        if self.shared.inner().stop {
            return Ok(None);
        }
        let Some(engine) = self.seat.take() else {
            return Ok(None);
        };
        let done = work(&engine);
        self.seat.leave(Some(engine));
        done.map(Some)
    }

    /// Proves a session: how many bytes; nothing where it is to stop.
    fn session(&mut self, name: &str) -> Result<Option<u64>> {
        let (shared, seat) = (self.shared, self.seat);
        let stop = || shared.inner().stop || seat.is_pausing();
        loop {
            let proved = self.work(|engine| {
                let found = engine.prove_session(name, &stop)?;
                if stop() {
                    return Ok(None);
                }
                self.tell(engine, &found.damage);
                Ok(Some(found))
            })?;
            match proved {
                None => return Ok(None),
                // It pauses, and is begun anew: others may have changed it by then.
                Some(None) => {}
                Some(Some(found)) => {
                    let bytes = found.bytes;
                    self.counted
                        .insert(name.to_owned(), (found.snapshots, found.repaired));
                    self.found(Some(name), found.damage, bytes);
                    return Ok(Some(bytes));
                }
            }
        }
    }

    /// Proves what is of no session: how many bytes; nothing where it is to stop.
    fn remainder(&mut self) -> Result<Option<u64>> {
        let proved = self.work(|engine| {
            let found = engine.prove_rest()?;
            self.tell(engine, &found.damage);
            let path = engine.path();
            let bytes = path.map_or(0, |path| location::bytes(&path, &["", "-wal"]));
            Ok((found.damage, bytes))
        })?;
        Ok(proved.map(|(damage, bytes)| {
            self.found(None, damage, bytes);
            bytes
        }))
    }

    /// Tells what is new.
    fn tell(&self, engine: &Engine, damage: &[Damage]) {
        // The look at the rest sees some of what the look at a session sees.
        for damage in damage.iter().filter(|it| !self.told.contains(it)) {
            engine.tell_damage(damage);
        }
    }

    /// What the look at a session, or at the rest, found.
    fn found(&mut self, of: Option<&str>, damage: Vec<Damage>, bytes: u64) {
        match of {
            Some(name) => self
                .told
                .retain(|it| it.session.as_deref() != Some(name) || damage.contains(it)),
            None => self
                .told
                .retain(|it| it.session.is_some() || damage.contains(it)),
        }
        self.told.extend(damage);
        let mut all: Vec<Damage> = self.told.iter().cloned().collect();
        all.sort_by(|a, b| (&a.session, &a.message).cmp(&(&b.session, &b.message)));
        let (snapshots, repaired) = self
            .counted
            .values()
            .fold((0, 0), |all, one| (all.0 + one.0, all.1 + one.1));
        self.shared.change(|progress| {
            progress.bytes += bytes;
            progress.snapshots = snapshots;
            progress.repaired = repaired;
            progress.damage = all;
        });
    }

    /// Rests as long as so many bytes take at the rate; false where it is to stop.
    fn rest(&self, bytes: u64) -> bool {
        let mut inner = self.shared.inner();
        if self.how.rate == 0 {
            return !inner.stop;
        }
        let long = Duration::from_secs_f64(bytes as f64 / self.how.rate as f64);
        // A round over nothing is no reason to be busy.
        let until = Instant::now() + long.max(Duration::from_millis(1));
        while !inner.stop {
            let left = until.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return true;
            }
            let waited = self.shared.news.wait_timeout(inner, left);
            inner = waited.unwrap_or_else(PoisonError::into_inner).0;
        }
        false
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::Happened;
    use crate::store::{Exchange, Flow, Rows, Scan};

    #[test]
    fn damage_is_told_once_and_again_when_it_comes_back() {
        let engine = Arc::new(crate::Options::default().on(Arc::new(
            crate::store::MemoryStore::new(&crate::clock::SystemClock),
        )));
        engine.save_json("s", "1").commit().unwrap();
        let listener = engine.subscribe();
        let round = || {
            engine
                .scrub(Scrub::default().rate(0).once())
                .unwrap()
                .wait()
        };
        assert!(round().damage.is_empty());
        let mut rows = Vec::new();
        let mut all = |row| {
            rows.push(row);
            Flow::Continue(())
        };
        engine
            .store()
            .view()
            .unwrap()
            .snapshots(&Scan::default(), &mut all)
            .unwrap();
        let mut bad = rows.clone();
        bad[0].size += 1;
        let of = |snapshots| Rows {
            snapshots,
            ..Rows::default()
        };
        assert!(
            engine
                .store()
                .exchange(&Exchange::of(of(rows), of(bad)))
                .unwrap()
        );
        let scrubbing = engine.scrub(Scrub::default().rate(1 << 40)).unwrap();
        let mut seen = scrubbing.progress();
        while seen.rounds < 3 {
            seen = scrubbing.wait_for(Duration::from_millis(1));
        }
        let stopped = scrubbing.stop();
        assert!(stopped.ended && stopped.error.is_none());
        assert_eq!(stopped.damage.len(), 1, "{:?}", stopped.damage);
        assert_eq!(stopped.damage[0].snapshots.len(), 1);
        let told: Vec<_> = std::iter::from_fn(|| listener.wait(Duration::ZERO)).collect();
        let damage = told
            .iter()
            .filter(|it| matches!(it.what, Happened::CorruptionDetected { .. }));
        assert_eq!(damage.count(), 1);
    }

    #[test]
    fn while_it_pauses_nobody_has_the_engine_and_then_it_goes_on() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("store.db");
        let engine = Arc::new(Engine::create(&path).unwrap());
        engine.save_json("s", "1").commit().unwrap();
        let scrubbing = engine.scrub(Scrub::default().rate(0)).unwrap();
        while scrubbing.wait_for(Duration::from_millis(1)).rounds == 0 {}
        assert!(scrubbing.pause(Duration::from_secs(60)));
        let engine = Arc::into_inner(engine).expect("the scrub let go of it");
        engine.close().unwrap();
        let before = scrubbing.progress();
        assert!(!before.ended);
        let engine = Arc::new(Engine::open(&path).unwrap());
        scrubbing.resume(&engine);
        while scrubbing.wait_for(Duration::from_millis(1)).rounds == before.rounds {}
        // One that pauses can be stopped, and goes on no more.
        assert!(scrubbing.pause(Duration::from_secs(60)));
        let stopped = scrubbing.stop();
        assert!(stopped.ended && stopped.error.is_none());
        scrubbing.resume(&engine);
        Arc::into_inner(engine)
            .expect("it has ended")
            .close()
            .unwrap();
    }
}
