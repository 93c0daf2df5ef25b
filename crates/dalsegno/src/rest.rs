//! Closing the store for a while without closing the sessions that are open: for programs that fork.

use std::sync::Arc;

use crate::ask::Gates;
use crate::engine::Engine;
use crate::event::Bus;
use crate::lease::Leases;
use crate::options::Options;

/// What is left of an engine that was put to rest: the sessions that it has open, and those who listen to it.
#[derive(Clone)]
pub struct Rested {
    pub(crate) leases: Arc<Leases>,
    pub(crate) bus: Arc<Bus>,
    pub(crate) gates: Gates,
    process: u32,
}

impl Rested {
    /// Whether any session is open.
    #[must_use]
    pub fn has_sessions(&self) -> bool {
        !self.leases.names().is_empty()
    }

    /// In another process they are not its own.
    pub(crate) fn is_own(&self) -> bool {
        self.process == std::process::id()
    }
}

impl Engine {
    /// Finishes what was submitted and closes the store, so that the program can fork. The sessions that are open stay
    /// open, and those who listen go on listening, once a store is opened with [`Options::go_on`]; until then, this
    /// program says nothing of itself, and so it should not take as long as [`Options::lease_ttl`].
    ///
    /// ```
    /// # fn main() -> dalsegno::Result<()> {
    /// # let folder = tempfile::tempdir().unwrap();
    /// # let path = folder.path().join("store.db");
    /// use dalsegno::{Engine, Options};
    ///
    /// let engine = Engine::create(&path)?;
    /// let opened = engine.open_session("bot/42")?;
    /// let rested = engine.rest();
    /// // Here the program forks.
    /// let engine = Options::default().go_on(rested).open(&path)?;
    /// assert_eq!(engine.open_sessions(), [("bot/42".to_owned(), opened.epoch)]);
    /// # Ok(())
    /// # }
    /// ```
    #[must_use = "without it, nobody has the sessions open any more, and nobody closed them"]
    pub fn rest(mut self) -> Rested {
        self.stop_beating();
        // What it could not pack is packed another time; what became of each save, its ticket tells.
        drop(self.stop());
        let (leases, bus, gates) = self.give_up();
        Rested {
            leases,
            bus,
            gates,
            process: std::process::id(),
        }
    }
}

impl Options {
    /// Goes on with the sessions that an engine of this process had open when it was put to [rest](Engine::rest). Where
    /// another program took one over meanwhile, the next save to it says so. In another process, such as the
    /// child of a fork, it does nothing.
    #[must_use]
    pub fn go_on(mut self, rested: Rested) -> Self {
        self.rested = Some(rested).filter(Rested::is_own);
        self
    }
}
