//! What several of these tests need.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use dalsegno::clock::{Clock, SystemClock};
use dalsegno::store::{MemoryStore, Store};
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

pub(crate) fn engine_on(store: Arc<dyn Store>) -> Engine {
    Options::default().on(store)
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
        options.on(Arc::clone(store))
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
