//! Beginning a session from a snapshot of another one.

use crate::codec::detail::Origin;
use crate::engine::Engine;
use crate::error::Result;
use crate::job::{Expect, exists};
use crate::model::{Snapshot, check_session_name};
use crate::show;

impl Engine {
    /// Begins the session `name` with the state of a snapshot. From then on they have nothing in
    /// common: the state is stored again, once, so that deleting or erasing either leaves the other
    /// alone. Where a repair made something of the state up, the new snapshot is [marked](Snapshot::repaired) too.
    ///
    /// # Errors
    /// As [`restore`](Engine::restore) and [`Save::commit`](crate::Save::commit); `Conflict` where the
    /// session exists.
    pub fn fork(&self, reference: &str, name: &str) -> Result<Snapshot> {
        check_session_name(name)?;
        let restored = self.restore(reference)?;
        let from = restored.snapshot().clone();
        let mut save = self.save_json(name, restored.into_text());
        if let Some(turn) = from.turn {
            save = save.turn(turn);
        }
        if let Some(version) = from.schema_version {
            save = save.schema_version(version);
        }
        save.of_repaired(from.repaired.as_ref())?
            .origin(Origin::Fork(from.id.seq()))
            .expect(Expect::NoSession)
            .commit()
    }

    /// The snapshot that [`fork`](Engine::fork) would begin the session with. Nothing is changed.
    ///
    /// # Errors
    /// As [`fork`](Engine::fork).
    pub fn fork_plan(&self, reference: &str, name: &str) -> Result<Snapshot> {
        check_session_name(name)?;
        let from = self.info(reference)?;
        let view = self.view()?;
        match show::session(&*view, &self.store().info().id, name)? {
            Some(_) => Err(exists(name)),
            None => Ok(from),
        }
    }
}
