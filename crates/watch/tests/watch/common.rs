//! A folder, a store, and a watch in a thread of its own whose events are awaited.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::mpsc::{self, Receiver};
use std::thread::JoinHandle;
use std::time::Duration;

use dalsegno::{Engine, Query, Snapshot};
use dalsegno_watch::{Event, Settings, Stopper, Summary, Watch};
use serde_json::Value;
use tempfile::TempDir;

/// Longer than anything takes; only a failure waits for it.
const LIMIT: Duration = Duration::from_secs(60);

pub(crate) struct House {
    dir: TempDir,
    pub(crate) engine: Arc<Engine>,
}

impl House {
    pub(crate) fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        fs::create_dir(dir.path().join("in")).unwrap();
        let engine = Arc::new(Engine::create(dir.path().join("store.db")).unwrap());
        Self { dir, engine }
    }

    /// The watched folder.
    pub(crate) fn folder(&self) -> PathBuf {
        fs::canonicalize(self.dir.path().join("in")).unwrap()
    }

    /// A folder beside it.
    pub(crate) fn outside(&self) -> PathBuf {
        fs::canonicalize(self.dir.path()).unwrap()
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder().join(name)
    }

    pub(crate) fn write(&self, name: &str, text: impl AsRef<[u8]>) {
        let path = self.path(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }

    /// As programs do that mean well: written beside it and renamed over it.
    pub(crate) fn replace(&self, name: &str, text: &str) {
        let staged = self.path(&format!("{name}.tmp"));
        fs::write(&staged, text).unwrap();
        fs::rename(staged, self.path(name)).unwrap();
    }

    pub(crate) fn settings() -> Settings {
        Settings {
            settle: Duration::from_millis(60),
            ..Settings::default()
        }
    }

    pub(crate) fn watch(&self) -> Running {
        self.watch_with(Self::settings())
    }

    pub(crate) fn watch_with(&self, settings: Settings) -> Running {
        let (engine, folder) = (Arc::clone(&self.engine), self.folder());
        let (send, events) = mpsc::channel();
        let (give, stopper) = mpsc::channel();
        let thread = std::thread::spawn(move || {
            let mut watch = Watch::new(&engine, &[folder], settings).unwrap();
            give.send(watch.stopper()).unwrap();
            watch
                .run(&mut |event: &Event| drop(send.send(event.clone())))
                .unwrap()
        });
        let running = Running {
            stopper: stopper.recv().unwrap(),
            events,
            thread,
            seen: Vec::new(),
        };
        running.begun()
    }

    pub(crate) fn once(&self, settings: Settings) -> (Summary, Vec<Event>) {
        let mut events = Vec::new();
        let mut watch = Watch::new(&self.engine, &[self.folder()], settings).unwrap();
        let summary = watch.once(&mut |event: &Event| events.push(event.clone()));
        (summary.unwrap(), events)
    }

    /// The snapshots of a session, oldest first.
    pub(crate) fn history(&self, session: &str) -> Vec<Snapshot> {
        let mut query = Query::session(session);
        query.limit = 10_000;
        let mut snapshots = self.engine.list(&query).unwrap().snapshots;
        snapshots.reverse();
        snapshots
    }

    /// The states of a session, oldest first.
    pub(crate) fn states(&self, session: &str) -> Vec<String> {
        let history = self.history(session);
        let texts = history.iter().map(|it| {
            let restored = self.engine.restore(&it.id.to_string()).unwrap();
            String::from_utf8(restored.into_text()).unwrap()
        });
        texts.collect()
    }

    pub(crate) fn latest(&self, session: &str) -> Vec<u8> {
        let restored = self.engine.restore(&format!("{session}@latest")).unwrap();
        restored.into_text()
    }
}

/// A watch that runs.
pub(crate) struct Running {
    stopper: Stopper,
    events: Receiver<Event>,
    thread: JoinHandle<Summary>,
    /// All that was told so far.
    pub(crate) seen: Vec<Event>,
}

impl Running {
    fn begun(mut self) -> Self {
        self.wait(|event| matches!(event, Event::Watching { .. }));
        self
    }

    /// The next event that is so.
    #[track_caller]
    pub(crate) fn wait(&mut self, wanted: impl Fn(&Event) -> bool) -> Event {
        loop {
            let Ok(event) = self.events.recv_timeout(LIMIT) else {
                panic!("it did not come; these did: {:#?}", self.seen);
            };
            self.seen.push(event.clone());
            if wanted(&event) {
                return event;
            }
        }
    }

    /// Until the session has that state.
    #[track_caller]
    pub(crate) fn saved(&mut self, session: &str) -> Event {
        self.wait(|event| matches!(event, Event::Saved { session: it, .. } if it == session))
    }

    /// Until all that happened before is dealt with: a file that changes now comes after it.
    #[track_caller]
    pub(crate) fn catch_up(&mut self, house: &House) {
        let number = self.seen.len();
        house.write("sentinel.json", format!("{number}"));
        self.saved("sentinel");
    }

    /// Ends it.
    pub(crate) fn stop(mut self) -> (Summary, Vec<Event>) {
        self.stopper.stop();
        let summary = self.thread.join().unwrap();
        self.seen.extend(self.events.try_iter());
        (summary, self.seen)
    }

    pub(crate) fn count(&self, what: impl Fn(&Event) -> bool) -> usize {
        self.seen.iter().filter(|event| what(event)).count()
    }
}

/// What the snapshot's metadata says of its file.
pub(crate) fn kept(snapshot: &Snapshot) -> &Value {
    snapshot.metadata.get("watch").unwrap()
}

pub(crate) fn is_of(event: &Event, path: &Path) -> bool {
    serde_json::to_value(event).unwrap()["file"].as_str() == path.to_str()
}
