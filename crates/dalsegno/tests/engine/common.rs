//! What several of these tests need.

use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, Weak};
use std::time::Duration;

use dalsegno::clock::{Clock, SystemClock};
use dalsegno::store::{MemoryStore, SqliteOptions, SqliteStore, Store};
use dalsegno::{Engine, Options, Snapshot};

/// `normal`, or `long` where `DALSEGNO_LONG` is set.
pub(crate) fn effort(normal: u32, long: u32) -> u32 {
    if std::env::var_os("DALSEGNO_LONG").is_some() {
        long
    } else {
        normal
    }
}

pub(crate) fn memory() -> Arc<dyn Store> {
    Arc::new(MemoryStore::new(&SystemClock))
}

/// An engine on a store; where that is in a file, with a handle of its own, as another program has it.
pub(crate) fn engine_on(store: Arc<dyn Store>) -> Engine {
    Options::default().on(another(store))
}

/// A store in a file.
struct Filed {
    /// The first is what tests know it by.
    handles: Vec<Weak<dyn Store>>,
    path: PathBuf,
    _folder: tempfile::TempDir,
}

/// The stores that [`sqlite`] made and that are in use.
static FILED: Mutex<Vec<Filed>> = Mutex::new(Vec::new());

/// A new store in a file, which goes when nobody has it any more.
pub(crate) fn sqlite() -> Arc<dyn Store> {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("store.db");
    let store = SqliteStore::create(&path, &SqliteOptions::default(), &SystemClock).unwrap();
    let store: Arc<dyn Store> = Arc::new(store);
    let mut filed = FILED.lock().unwrap();
    filed.retain(|it| it.handles.iter().any(|handle| handle.strong_count() > 0));
    filed.push(Filed {
        handles: vec![Arc::downgrade(&store)],
        path,
        _folder: folder,
    });
    store
}

/// Another handle on the same store, where it is in a file.
fn another(store: Arc<dyn Store>) -> Arc<dyn Store> {
    let mut filed = FILED.lock().unwrap();
    let known = |it: &&mut Filed| it.handles[0].ptr_eq(&Arc::downgrade(&store));
    let Some(filed) = filed.iter_mut().find(known) else {
        return store;
    };
    let own = SqliteStore::open(&filed.path, &SqliteOptions::default()).unwrap();
    let own: Arc<dyn Store> = Arc::new(own);
    filed.handles.push(Arc::downgrade(&own));
    own
}

/// A state of some length, the `n`-th of a session that adds to a list.
pub(crate) fn state(n: usize) -> Vec<u8> {
    let from = n.saturating_sub(20);
    let list: Vec<String> = (from..n)
        .map(|i| format!("{{\"title\":\"Track {i} of the long night\"}}"))
        .collect();
    format!("{{\"turn\":{n},\"upcoming\":[{}]}}", list.join(",")).into_bytes()
}

/// A clock whose machine a test lets run ahead.
#[derive(Default, Clone)]
pub(crate) struct Jumps(Arc<AtomicU64>);

impl Jumps {
    pub(crate) fn jump(&self, by: Duration) {
        let by = u64::try_from(by.as_millis()).unwrap();
        self.0.store(by, Ordering::SeqCst);
    }

    pub(crate) fn on(&self, store: &Arc<dyn Store>) -> Engine {
        let options = Options::default().clock(Arc::new(self.clone()));
        options.on(another(Arc::clone(store)))
    }
}

impl Clock for Jumps {
    fn now(&self) -> jiff::Timestamp {
        SystemClock.now()
    }
    fn random(&self) -> [u8; 16] {
        SystemClock.random()
    }
    fn uptime(&self) -> u64 {
        SystemClock.uptime() + self.0.load(Ordering::SeqCst)
    }
}

/// A snapshot that was acknowledged, and what it was of.
#[derive(Debug, Clone)]
pub(crate) struct Known {
    pub(crate) snapshot: Snapshot,
    pub(crate) text: Vec<u8>,
}

/// Each of these is there, with its metadata and byte for byte.
pub(crate) fn all_there(engine: &Engine, known: &[Known]) {
    for Known { snapshot, text } in known {
        let restored = engine.restore(&snapshot.id.to_string()).unwrap();
        assert_eq!(restored.snapshot(), snapshot);
        assert_eq!(restored.text(), text);
    }
}
