//! What was done to a session: its saves, restores, rollbacks, undos and redos, newest first.

use jiff::Timestamp;

use crate::codec::deed::{Before, Target as Kept};
use crate::deed::{self, Deed};
use crate::engine::Engine;
use crate::error::{Error, Result};
use crate::model::{Snapshot, SnapshotId, Status, StoreId, Verb};
use crate::restore::Target;
use crate::show;
use crate::store::{Flow, Scan, UNCHANGED};

/// A line of a session's log.
#[derive(Debug, Clone, serde::Serialize)]
#[serde(rename_all = "snake_case", tag = "entry")]
#[non_exhaustive]
pub enum LogEntry {
    /// A state was saved, imported, or forked from another session.
    Save {
        /// The snapshot.
        snapshot: Box<Snapshot>,
    },
    /// Something was put back.
    Operation {
        /// Its id; that of the snapshot it added, where it made one the newest state.
        id: SnapshotId,
        /// What was asked for.
        verb: Verb,
        /// How far it came.
        status: Status,
        /// Whether it was undone since, and not done again.
        undone: bool,
        /// When: UTC, in microseconds.
        at: Timestamp,
        /// The snapshot whose state was put back.
        from: Option<SnapshotId>,
        /// Only these components; empty means all.
        components: Vec<String>,
        /// Where to.
        target: Target,
        /// The snapshot that has what stood there.
        before: Option<SnapshotId>,
        /// The file that has what stood there and is no JSON.
        kept_beside: Option<String>,
        /// Why it was not done, where it was not.
        failure: Option<String>,
    },
}

impl LogEntry {
    fn place(&self) -> SnapshotId {
        match self {
            Self::Save { snapshot } => snapshot.id,
            Self::Operation { id, .. } => *id,
        }
    }
}

impl Engine {
    /// The newest `limit` entries of a session's log, also those that were undone. Saves that changed
    /// nothing, guards and safety snapshots are left out.
    ///
    /// # Errors
    /// `NotFound` where there is no such session; `Damaged` where a row is not as it was written.
    pub fn log(&self, session: &str, limit: usize) -> Result<Vec<LogEntry>> {
        let view = self.view()?;
        let id = &self.store().info().id;
        let row = show::known_session(&*view, id, session)?;
        let deeds = deed::all(&*view, id, row.id)?;
        let undone = deed::undone(&deeds);
        let done = deeds.iter().zip(undone).rev().take(limit);
        let mut entries = done
            .map(|(deed, undone)| entry(deed, undone, id))
            .collect::<Result<Vec<_>>>()?;
        let scan = Scan {
            session: Some(row.id),
            from: None,
            newest_first: true,
        };
        let (mut saves, mut full) = (0, false);
        let mut way = show::Way::from(&row);
        view.snapshots(&scan, &mut |row| {
            // One that is passed over would be an entry that is missing, and nobody would know.
            if let Err(error) = show::check(&row, id).and_then(|()| way.step(&row, id)) {
                return Flow::Break(Err(error));
            }
            let own = deeds.binary_search_by_key(&row.seq, |deed| deed.seq);
            let own = own.is_ok_and(|at| {
                let deed = deeds.get(at);
                deed.is_some_and(|deed| deed.detail.target == Kept::Head)
            });
            if own || !row.is_history() || row.flags & UNCHANGED != 0 {
                return Flow::Continue(());
            }
            if saves == limit {
                full = true;
                return Flow::Break(Ok(()));
            }
            saves += 1;
            match show::describe(&row, session, id) {
                Ok(snapshot) => entries.push(LogEntry::Save {
                    snapshot: Box::new(snapshot),
                }),
                Err(error) => return Flow::Break(Err(error)),
            }
            Flow::Continue(())
        })?;
        if !full {
            way.end(id)?;
        }
        entries.sort_by_key(|entry| std::cmp::Reverse(entry.place()));
        entries.truncate(limit);
        Ok(entries)
    }
}

fn entry(deed: &Deed, undone: bool, store: &StoreId) -> Result<LogEntry> {
    let id = |seq| SnapshotId::new(seq, store);
    let detail = &deed.detail;
    let at = Timestamp::from_microsecond(detail.at)
        .map_err(|e| Error::damaged("the time of an operation is out of range").with_source(e))?;
    Ok(LogEntry::Operation {
        id: id(deed.seq),
        verb: deed.verb,
        status: deed.status,
        undone,
        at,
        from: detail.from.map(id),
        components: detail.components.clone(),
        target: Target::of_wire(&detail.target),
        before: match detail.before {
            Before::Snapshot(seq) => Some(id(seq)),
            _ => None,
        },
        kept_beside: match &detail.before {
            Before::Beside(path) => Some(path.clone()),
            _ => None,
        },
        failure: detail.failure.clone(),
    })
}
