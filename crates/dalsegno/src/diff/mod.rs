//! What differs between two states: by component, down to the items of lists and the members inside
//! them.
//!
//! [`compare`] walks both texts level by level, and looks only into what has other bytes; [`list`]
//! pairs items; [`describe`] names them as people would; [`render`] writes lines for people. [`near`] feeds
//! the same comparison from the record between two neighbours, where that says where its changes stand.

mod change;
mod compare;
mod describe;
mod identity;
pub(crate) mod level;
pub(crate) mod list;
mod near;
mod path;
mod render;
#[cfg(test)]
mod tests;

pub use change::{ComponentDiff, Counts, Diff, Difference, DifferenceKind, Json};
pub use render::{Line, Mark};

use crate::engine::Engine;
use crate::error::{Error, Result};
use crate::model::Snapshot;
use crate::restore::Restored;
use crate::store::{SnapshotRow, View};

impl Engine {
    /// What differs between the states of two snapshots, of one session or of two.
    ///
    /// Where one state was saved right after the other, the record that leads to it says what changed, and
    /// the time goes by the change and not by the length of the states. Every row that is read is
    /// checked, but neither state as a whole. In all other cases both states are rebuilt and proved, unless
    /// their checksums already say that they are the same.
    ///
    /// Values are compared by what they mean: white space, the order of members and the spelling of
    /// strings are no difference, the spelling of numbers is (`1.0` is not `1.00`). Of members of one
    /// name the last counts. Below 64 levels a value that differs is reported as a whole.
    ///
    /// ```
    /// # fn main() -> dalsegno::Result<()> {
    /// # let folder = tempfile::tempdir().unwrap();
    /// # let engine = dalsegno::Engine::create(folder.path().join("store.db"))?;
    /// engine.save_json("bot/42", r#"{"volume":75,"queue":[{"title":"Naima"}]}"#).commit()?;
    /// engine.save_json("bot/42", r#"{"volume":30,"queue":[]}"#).commit()?;
    ///
    /// let diff = engine.diff("bot/42@-1", "bot/42@latest")?;
    /// let lines: Vec<String> = diff.lines(20).iter().map(ToString::to_string).collect();
    /// assert_eq!(lines, ["~ volume 75 → 30", "- Naima  queue[0]"]);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// As [`restore`](Engine::restore).
    pub fn diff(&self, from: &str, to: &str) -> Result<Diff> {
        let view = self.view()?;
        let (from_row, from) = self.found(&*view, from)?;
        let (to_row, to) = self.found(&*view, to)?;
        if from.size == to.size && from.checksum == to.checksum {
            return Ok(diff(from, to, true, Vec::new()));
        }
        let store = &self.store().info().id;
        // Whatever is wrong with a record, rebuilding finds it too, and says which snapshot is lost by it.
        if let Ok(Some(components)) = near::components(&*view, store, &from_row, &to_row) {
            return Ok(diff(from, to, false, components));
        }
        let read = |row: &SnapshotRow, snapshot: &Snapshot| {
            Restored::read(&*view, store, row, snapshot.clone())
        };
        let (old, new) = (read(&from_row, &from)?, read(&to_row, &to)?);
        let components = compare::texts(old.text(), new.text())
            .map_err(|e| Error::damaged("a stored state is no JSON").with_source(e))?;
        Ok(diff(from, to, old.text() == new.text(), components))
    }

    fn found(&self, view: &dyn View, reference: &str) -> Result<(SnapshotRow, Snapshot)> {
        let row = self.resolve(view, reference)?;
        let snapshot = self.describe(view, &row)?;
        Ok((row, snapshot))
    }
}

fn diff(from: Snapshot, to: Snapshot, identical: bool, components: Vec<ComponentDiff>) -> Diff {
    Diff {
        from,
        to,
        identical,
        components,
    }
}
