//! What was done to a session: its saves, restores, rollbacks, undos and redos, newest first.

use jiff::Timestamp;

use crate::codec::deed::{Before, Target as Kept};
use crate::deed::{self, Deed};
use crate::engine::Engine;
use crate::error::{Error, ErrorKind, Result};
use crate::model::{Snapshot, SnapshotId, Status, StoreId, Verb};
use crate::restore::Target;
use crate::show;
use crate::store::{Flow, OperationRow, Scan, UNCHANGED};

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
        /// Whether it failed, and what stood there could not be put back either.
        not_put_back: bool,
    },
    /// What is here cannot be read. Where it is an operation, nobody knows what it undid.
    Damaged {
        /// The id of the snapshot or operation that should be here.
        id: SnapshotId,
        /// What is wrong.
        message: String,
    },
}

impl LogEntry {
    fn place(&self) -> SnapshotId {
        match self {
            Self::Save { snapshot } => snapshot.id,
            Self::Operation { id, .. } | Self::Damaged { id, .. } => *id,
        }
    }
}

impl Engine {
    /// The newest `limit` entries of a session's log, also those that were undone. Saves that changed
    /// nothing, guards and safety snapshots are left out. What cannot be read is an entry too.
    ///
    /// # Errors
    /// `NotFound` where there is no such session; `Damaged` where its own row is not as it was written.
    pub fn log(&self, session: &str, limit: usize) -> Result<Vec<LogEntry>> {
        let view = self.view()?;
        let id = &self.store().info().id;
        let row = show::known_session(&*view, id, session)?;
        let mut entries = Vec::new();
        let rows = deed::rows(&*view, row.id)?;
        let deeds = operations(&rows, row.id, id, limit, &mut entries)?;
        let scan = Scan {
            session: Some(row.id),
            from: None,
            newest_first: true,
        };
        let (mut saves, mut full) = (0, false);
        let mut way = show::Way::from(&row);
        view.snapshots(&scan, &mut |row| {
            if saves == limit {
                full = true;
                return Flow::Break(Ok(()));
            }
            let seq = row.seq;
            let lost = way.expected().filter(|expected| *expected != seq);
            // One that is passed over would be an entry that is missing, and nobody would know.
            if let (Some(lost), Err(error)) = (lost, way.step(&row, id)) {
                entries.push(damaged(lost, &error, id));
            }
            let snapshot = match show::describe(&row, session, id) {
                Ok(snapshot) => Box::new(snapshot),
                Err(error) if error.kind() == ErrorKind::Damaged => {
                    entries.push(damaged(seq, &error, id));
                    // Where it led to cannot be known.
                    way = show::Way::nowhere();
                    return Flow::Continue(());
                }
                Err(error) => return Flow::Break(Err(error)),
            };
            let own = deeds.binary_search_by_key(&seq, |deed| deed.seq);
            let own = own.is_ok_and(|at| {
                let deed = deeds.get(at);
                deed.is_some_and(|deed| deed.detail.target == Kept::Head)
            });
            if !own && row.is_history() && row.flags & UNCHANGED == 0 {
                saves += 1;
                entries.push(LogEntry::Save { snapshot });
            }
            Flow::Continue(())
        })?;
        if let (false, Some(lost), Err(error)) = (full, way.expected(), way.end(id)) {
            entries.push(damaged(lost, &error, id));
        }
        entries.sort_by_key(|entry| std::cmp::Reverse(entry.place()));
        entries.truncate(limit);
        Ok(entries)
    }
}

/// The operations of those rows that can be read, oldest first; the newest `limit` become entries, and
/// so does each that cannot be read.
fn operations(
    rows: &[OperationRow],
    session: i64,
    store: &StoreId,
    limit: usize,
    entries: &mut Vec<LogEntry>,
) -> Result<Vec<Deed>> {
    let mut deeds: Vec<Deed> = Vec::with_capacity(rows.len());
    for row in rows {
        let read = deed::read_next(row, deeds.last(), session, store);
        match read {
            Ok(deed) => deeds.push(deed),
            Err(error) if error.kind() == ErrorKind::Damaged => {
                entries.push(damaged(row.seq, &error, store));
            }
            Err(error) => return Err(error),
        }
    }
    deeds.reverse();
    let undone = deed::undone(&deeds);
    for (deed, undone) in deeds.iter().zip(undone).rev().take(limit) {
        entries.push(match entry(deed, undone, store) {
            Err(error) if error.kind() == ErrorKind::Damaged => damaged(deed.seq, &error, store),
            entry => entry?,
        });
    }
    Ok(deeds)
}

fn damaged(seq: i64, error: &Error, store: &StoreId) -> LogEntry {
    LogEntry::Damaged {
        id: SnapshotId::new(seq, store),
        message: error.to_string(),
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
        kept_beside: detail.before.file().map(str::to_owned),
        failure: detail.failure.clone(),
        not_put_back: deed.status == Status::RolledBack && detail.before == Before::Passed,
    })
}
