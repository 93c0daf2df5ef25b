//! A store in memory: the contract in its simplest form, for tests and for what need not last.

use std::collections::BTreeMap;
use std::ops::Bound;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::sequence::Sequencer;
use super::{
    Flow, Outcome, RecordRow, Scan, SessionRow, SnapshotRow, Store, StoreInfo, View, Write,
};
use crate::clock::Clock;
use crate::error::Result;

/// A store in memory. Nothing outlives it.
pub struct MemoryStore {
    info: StoreInfo,
    rows: Mutex<Arc<Rows>>,
}

/// A view is a shared copy, so writers never change what it sees.
#[derive(Debug, Clone, Default)]
struct Rows {
    sessions: BTreeMap<i64, SessionRow>,
    snapshots: BTreeMap<i64, SnapshotRow>,
    records: BTreeMap<i64, RecordRow>,
    last: Option<i64>,
}

impl MemoryStore {
    /// An empty store.
    #[must_use]
    pub fn new(clock: &dyn Clock) -> Self {
        let created_at = clock.now().as_microsecond();
        Self {
            info: StoreInfo {
                id: clock.random(),
                format: 1,
                created_at,
            },
            rows: Mutex::default(),
        }
    }

    /// A panic of another thread cannot leave the rows half changed: they are replaced whole.
    fn rows(&self) -> MutexGuard<'_, Arc<Rows>> {
        self.rows.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Store for MemoryStore {
    fn info(&self) -> &StoreInfo {
        &self.info
    }

    fn commit(&self, writes: &[Write]) -> Result<Vec<Outcome>> {
        let mut current = self.rows();
        let mut rows = Rows::clone(&current);
        let outcomes = writes
            .iter()
            .map(|write| rows.add(write, &self.info))
            .collect::<Result<Vec<_>>>()?;
        *current = Arc::new(rows);
        Ok(outcomes)
    }

    fn replace(&self, take: &[RecordRow], put: &[RecordRow]) -> Result<bool> {
        let mut current = self.rows();
        let same = |row: &RecordRow| {
            current
                .records
                .get(&row.seq)
                .is_some_and(|r| r.checksum == row.checksum)
        };
        if !take.iter().all(same) {
            return Ok(false);
        }
        let mut rows = Rows::clone(&current);
        for row in take {
            rows.records.remove(&row.seq);
        }
        for row in put {
            rows.records.insert(row.seq, row.clone());
        }
        *current = Arc::new(rows);
        Ok(true)
    }

    fn view(&self) -> Result<Box<dyn View + '_>> {
        Ok(Box::new(Arc::clone(&self.rows())))
    }

    fn tidy(&self) -> Result<()> {
        Ok(())
    }

    fn settle(&self) -> Result<()> {
        Ok(())
    }
}

impl Rows {
    fn add(&mut self, write: &Write, info: &StoreInfo) -> Result<Outcome> {
        let known = self.sessions.values().find(|s| s.name == write.session);
        let newest = known.map(|session| session.head);
        let known = known.map(|session| session.id);
        if newest != write.head.map(|head| head.seq) {
            return Ok(Outcome::HeadMoved);
        }
        for (index, new) in write.snapshots.iter().enumerate() {
            let Some(name) = &new.name else { continue };
            let earlier = write.snapshots.get(..index).unwrap_or_default();
            let taken = self
                .snapshots
                .values()
                .find(|s| Some(s.session) == known && s.name.as_ref() == Some(name));
            if let Some(by) = taken.map(|s| s.seq) {
                return Ok(Outcome::NameTaken { index, by });
            }
            if earlier.iter().any(|e| e.name.as_ref() == Some(name)) {
                return Ok(Outcome::NameTaken { index, by: 0 });
            }
        }
        let next = self.sessions.last_key_value().map_or(1, |(id, _)| id + 1);
        let session = known.unwrap_or(next);
        let mut sequencer = Sequencer {
            store: &info.id,
            last: self.last,
        };
        let mut added: Vec<SnapshotRow> = Vec::with_capacity(write.snapshots.len());
        for new in &write.snapshots {
            let parent = added.last().map(|s| s.seq).or(newest);
            let (snapshot, record) = sequencer.rows(session, new, parent, &added)?;
            if let Some(record) = record {
                self.records.insert(record.seq, record);
            }
            self.snapshots.insert(snapshot.seq, snapshot.clone());
            added.push(snapshot);
        }
        self.last = sequencer.last;
        if let Some(head) = added.last().map(|s| s.seq) {
            let name = write.session.clone();
            self.sessions
                .insert(session, SessionRow::new(session, name, head, &info.id));
        }
        Ok(Outcome::Committed(added))
    }
}

impl View for Arc<Rows> {
    fn session(&self, name: &str) -> Result<Option<SessionRow>> {
        Ok(self.sessions.values().find(|s| s.name == name).cloned())
    }

    fn session_by_id(&self, id: i64) -> Result<Option<SessionRow>> {
        Ok(self.sessions.get(&id).cloned())
    }

    fn sessions(&self, visit: &mut dyn FnMut(SessionRow) -> Flow) -> Result<()> {
        visit_all(self.sessions.values(), visit)
    }

    fn snapshot(&self, seq: i64) -> Result<Option<SnapshotRow>> {
        Ok(self.snapshots.get(&seq).cloned())
    }

    fn named(&self, name: &str) -> Result<Vec<i64>> {
        let rows = self.snapshots.values();
        Ok(rows
            .filter(|row| row.name.as_deref() == Some(name))
            .map(|row| row.seq)
            .collect())
    }

    fn snapshots(&self, scan: &Scan, visit: &mut dyn FnMut(SnapshotRow) -> Flow) -> Result<()> {
        let wanted = |row: &&SnapshotRow| scan.session.is_none_or(|id| row.session == id);
        if scan.newest_first {
            let to = scan.from.map_or(Bound::Unbounded, Bound::Excluded);
            let below = self.snapshots.range((Bound::Unbounded, to));
            visit_all(below.rev().map(|(_, row)| row).filter(wanted), visit)
        } else {
            let from = scan.from.map_or(Bound::Unbounded, Bound::Excluded);
            let above = self.snapshots.range((from, Bound::Unbounded));
            visit_all(above.map(|(_, row)| row).filter(wanted), visit)
        }
    }

    fn record(&self, session: i64, seq: i64) -> Result<Option<RecordRow>> {
        let mut at_or_after = self.records.range(seq..).map(|(_, row)| row);
        let row =
            at_or_after.find(|row| row.session == session && (row.seq == seq || row.count > 1));
        Ok(row.cloned())
    }

    fn newest_block(&self, session: i64) -> Result<Option<RecordRow>> {
        let mut rows = self.records.values().rev();
        Ok(rows
            .find(|row| row.session == session && row.count > 1)
            .cloned())
    }

    fn records(&self, visit: &mut dyn FnMut(RecordRow) -> Flow) -> Result<()> {
        visit_all(self.records.values(), visit)
    }

    fn check_structure(&self) -> Result<Vec<String>> {
        Ok(Vec::new())
    }
}

fn visit_all<'a, T: Clone + 'a>(
    rows: impl Iterator<Item = &'a T>,
    visit: &mut dyn FnMut(T) -> Flow,
) -> Result<()> {
    for row in rows {
        if let Flow::Break(end) = visit(row.clone()) {
            return end;
        }
    }
    Ok(())
}
