//! A store that keeps nothing: what a save costs before anything is written.
//!
//! Each commit goes to a store in memory of its own, which is dropped with it. The rows are made and
//! checked as in any store, but there is never anything to copy, to look up or to pack.

use std::sync::Arc;

use dalsegno::clock::{Clock, SystemClock};
use dalsegno::store::{Exchange, MemoryStore, Outcome, Store, StoreInfo, View, Write};
use dalsegno::{Engine, Options, Result};

/// Forgets what is committed.
pub struct Forgetful {
    empty: MemoryStore,
}

impl Forgetful {
    /// An engine on such a store.
    #[must_use]
    pub fn engine() -> Engine {
        let store = Self {
            empty: MemoryStore::new(&SameId),
        };
        Options::default().on(Arc::new(store))
    }
}

/// Gives every store the same id, which the checksums of rows are made with.
struct SameId;

impl Clock for SameId {
    fn now(&self) -> jiff::Timestamp {
        SystemClock.now()
    }

    fn random(&self) -> [u8; 16] {
        [7; 16]
    }
}

impl Store for Forgetful {
    fn info(&self) -> &StoreInfo {
        self.empty.info()
    }

    fn commit(&self, writes: &[Write]) -> Result<Vec<Outcome>> {
        let forgetting = |write: &Write| Write {
            head: None,
            ..write.clone()
        };
        let writes: Vec<Write> = writes.iter().map(forgetting).collect();
        MemoryStore::new(&SameId).commit(&writes)
    }

    fn exchange(&self, _exchange: &Exchange) -> Result<bool> {
        Ok(false)
    }

    fn version(&self) -> Result<i64> {
        self.empty.version()
    }

    fn view(&self) -> Result<Box<dyn View + '_>> {
        self.empty.view()
    }

    fn tidy(&self) -> Result<()> {
        Ok(())
    }

    fn settle(&self) -> Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn saves_build_on_each_other_and_nothing_is_kept() {
        let engine = Forgetful::engine();
        let long = "a text long enough to be an item ".repeat(200);
        let mut sizes = Vec::new();
        for turn in 0..80 {
            let text = format!("{{\"turn\":{turn},\"long\":[\"{long}\"]}}");
            let saved = engine.save_json("a", text).commit().expect("saves");
            sizes.push(saved.stored_size);
        }
        assert!(sizes[79] < sizes[0], "{sizes:?}");
        assert!(engine.sessions().expect("reads").is_empty());
        engine.close().expect("closes");
    }
}
