//! What several of these tests need.

use std::sync::Arc;

use dalsegno::clock::SystemClock;
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
