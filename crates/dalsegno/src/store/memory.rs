//! A store in memory: the contract in its simplest form, for tests and for what need not last.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Bound;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::ledger::Ledger;
use super::sequence::Sequencer;
use super::{
    Exchange, Flow, Head, NoteRow, NoteScan, OperationRow, Outcome, PolicyRow, RecordRow, Row,
    Said, Scan, SessionRow, SnapshotRow, Store, StoreInfo, TrashRow, View, Write,
};
use crate::clock::Clock;
use crate::codec::checksum::Checksum;
use crate::error::Result;
use crate::model::StoreId;
use crate::name_key::{self, NameKey};

/// A store in memory. Nothing outlives it.
pub struct MemoryStore {
    info: StoreInfo,
    rows: Mutex<Arc<Tables>>,
}

/// A view is a shared copy, so writers never change what it sees.
#[derive(Debug, Clone, Default)]
struct Tables {
    sessions: BTreeMap<i64, SessionRow>,
    snapshots: BTreeMap<i64, SnapshotRow>,
    records: BTreeMap<i64, RecordRow>,
    trash: BTreeMap<i64, TrashRow>,
    operations: BTreeMap<i64, OperationRow>,
    policies: BTreeMap<i64, PolicyRow>,
    notes: BTreeMap<(i64, i64, i64), NoteRow>,
    version: i64,
    last: i64,
}

impl MemoryStore {
    /// An empty store.
    #[must_use]
    pub fn new(clock: &dyn Clock) -> Self {
        let created_at = clock.now().as_microsecond();
        Self {
            info: StoreInfo {
                id: clock.random(),
                format: 4,
                created_at,
            },
            rows: Mutex::default(),
        }
    }

    /// An empty store with the id of another, whose rows it is to have.
    pub(crate) fn copy_of(id: StoreId) -> Self {
        Self {
            info: StoreInfo {
                id,
                format: 4,
                created_at: 0,
            },
            rows: Mutex::default(),
        }
    }

    /// A panic of another thread cannot leave the rows half changed: they are replaced whole.
    fn rows(&self) -> MutexGuard<'_, Arc<Tables>> {
        self.rows.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Store for MemoryStore {
    fn info(&self) -> &StoreInfo {
        &self.info
    }

    fn commit(&self, writes: &[Write]) -> Result<Vec<Outcome>> {
        let mut current = self.rows();
        let mut rows = Tables::clone(&current);
        let outcomes = writes
            .iter()
            .map(|write| rows.add(write, &self.info))
            .collect::<Result<Vec<_>>>()?;
        if rows.last_said().is_some() {
            rows.say(&Said::of_commit(writes, &outcomes), &self.info.id)?;
        }
        rows.version += 1;
        *current = Arc::new(rows);
        Ok(outcomes)
    }

    fn exchange(&self, exchange: &Exchange) -> Result<bool> {
        let mut current = self.rows();
        let mut rows = Tables::clone(&current);
        let done = rows.exchange(exchange, &self.info.id).is_some();
        if done {
            rows.say(&exchange.say, &self.info.id)?;
            rows.version += 1;
            *current = Arc::new(rows);
        }
        Ok(done)
    }

    fn version(&self) -> Result<i64> {
        Ok(self.rows().version)
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

impl Tables {
    fn add(&mut self, write: &Write, info: &StoreInfo) -> Result<Outcome> {
        let known = self.sessions.values().find(|s| s.name == write.session);
        let newest = known.map(|session| Head {
            session: session.id,
            seq: session.head,
            era: session.era,
        });
        if newest != write.head {
            return Ok(Outcome::HeadMoved);
        }
        let era = newest.map(|head| head.era);
        let known = newest.map(|head| head.session);
        let newest = newest.map(|head| head.seq).filter(|seq| *seq != 0);
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
            last: Some(self.last),
        };
        let mut added: Vec<SnapshotRow> = Vec::with_capacity(write.snapshots.len());
        for new in &write.snapshots {
            let parent = added.last().map(|s| s.seq).or(newest);
            let rows = sequencer.rows(session, new, parent, &added)?;
            if let Some(record) = rows.record {
                self.records.insert(record.seq, record);
            }
            if let Some(operation) = rows.operation {
                self.operations.insert(operation.seq, operation);
            }
            self.snapshots
                .insert(rows.snapshot.seq, rows.snapshot.clone());
            added.push(rows.snapshot);
        }
        self.last = sequencer.last.unwrap_or(self.last);
        if let Some(head) = added.last().map(|s| s.seq) {
            let name = write.session.clone();
            self.sessions.insert(
                session,
                SessionRow::new(session, name, head, era.unwrap_or(0), &info.id),
            );
        }
        Ok(Outcome::Committed(added))
    }

    fn last_said(&self) -> Option<&NoteRow> {
        let of_log = (Ledger::KIND, 0, i64::MIN)..=(Ledger::KIND, 0, i64::MAX);
        self.notes.range(of_log).next_back().map(|(_, row)| row)
    }

    /// Adds to the audit log what is said, where there is one or it begins now.
    fn say(&mut self, said: &[Said], store: &StoreId) -> Result<()> {
        let names = self.notes.get(&name_key::PLACE);
        let names = names.and_then(|row| NameKey::of(row, store));
        let mut ledger = Ledger::new(self.last_said(), names, None, store)?;
        for said in said {
            if let Some(row) = ledger.add(said)? {
                self.notes.insert(row.key(), row);
            }
        }
        Ok(())
    }

    /// Nothing where a row is not as it is known, or a place is taken; then some may be gone already.
    fn exchange(&mut self, exchange: &Exchange, store: &StoreId) -> Option<()> {
        let Exchange {
            take: out,
            put: into,
            raise,
            keys: _,
            say: _,
        } = exchange;
        take(&mut self.sessions, &out.sessions, |r| (r.id, r.checksum))?;
        take(&mut self.snapshots, &out.snapshots, |r| (r.seq, r.checksum))?;
        take(&mut self.trash, &out.trash, |r| {
            (r.snapshot.seq, r.checksum)
        })?;
        take(&mut self.records, &out.records, |r| (r.seq, r.checksum))?;
        take(&mut self.operations, &out.operations, |r| {
            (r.seq, r.checksum)
        })?;
        take(&mut self.policies, &out.policies, |r| (r.id, r.checksum))?;
        take(&mut self.notes, &out.notes, |r| (r.key(), r.checksum))?;
        for (id, era) in raise {
            let there = self.sessions.get_mut(id);
            let there = there.filter(|row| row.era == *era && row.is_intact(store))?;
            there.era += 1;
            there.checksum = there.compute(store);
        }
        put(&mut self.sessions, &into.sessions, |r| r.id)?;
        put(&mut self.snapshots, &into.snapshots, |r| r.seq)?;
        put(&mut self.trash, &into.trash, |r| r.snapshot.seq)?;
        put(&mut self.records, &into.records, |r| r.seq)?;
        put(&mut self.operations, &into.operations, |r| r.seq)?;
        put(&mut self.policies, &into.policies, |r| r.id)?;
        put(&mut self.notes, &into.notes, NoteRow::key)?;
        unique(self.sessions.values().map(|row| &row.name))?;
        unique(self.policies.values().map(|row| &row.pattern))?;
        let names = self.snapshots.values();
        unique(names.filter_map(|row| Some((row.name.as_ref()?, row.session))))?;
        let newest = [
            self.snapshots.last_key_value().map(|(seq, _)| *seq),
            self.trash.last_key_value().map(|(seq, _)| *seq),
            self.operations.last_key_value().map(|(seq, _)| *seq),
        ];
        self.last = newest.into_iter().flatten().fold(self.last, i64::max);
        Some(())
    }
}

impl View for Arc<Tables> {
    fn session(&self, name: &str) -> Result<Option<SessionRow>> {
        Ok(self.sessions.values().find(|s| s.name == name).cloned())
    }

    fn session_by_id(&self, id: i64) -> Result<Option<SessionRow>> {
        Ok(self.sessions.get(&id).cloned())
    }

    fn sessions(&self, visit: &mut dyn FnMut(SessionRow) -> Flow) -> Result<()> {
        visit_all(self.sessions.values(), visit)
    }

    fn last_session(&self) -> Result<i64> {
        Ok(self.sessions.last_key_value().map_or(0, |(id, _)| *id))
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

    fn trashed(&self, seq: i64) -> Result<Option<TrashRow>> {
        Ok(self.trash.get(&seq).cloned())
    }

    fn trash(&self, visit: &mut dyn FnMut(TrashRow) -> Flow) -> Result<()> {
        visit_all(self.trash.values(), visit)
    }

    fn operations(
        &self,
        session: Option<i64>,
        visit: &mut dyn FnMut(OperationRow) -> Flow,
    ) -> Result<()> {
        let rows = self.operations.values().rev();
        visit_all(
            rows.filter(|row| session.is_none_or(|id| row.session == id)),
            visit,
        )
    }

    fn policies(&self) -> Result<Vec<PolicyRow>> {
        Ok(self.policies.values().cloned().collect())
    }

    fn notes(&self, scan: &NoteScan, visit: &mut dyn FnMut(NoteRow) -> Flow) -> Result<()> {
        let wanted = |row: &&NoteRow| {
            row.kind == scan.kind
                && scan.session.is_none_or(|session| row.session == session)
                && scan.above.is_none_or(|above| row.id > above)
        };
        let rows = self.notes.values().filter(wanted);
        if scan.backwards {
            visit_all(rows.rev(), visit)
        } else {
            visit_all(rows, visit)
        }
    }

    fn note_kinds(&self) -> Result<Vec<i64>> {
        let mut kinds: Vec<i64> = self.notes.values().map(|row| row.kind).collect();
        kinds.dedup();
        Ok(kinds)
    }

    fn last(&self) -> Result<i64> {
        Ok(self.last)
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

/// Removes the rows, if each is there as it is known.
fn take<K: Ord + PartialEq, T>(
    table: &mut BTreeMap<K, T>,
    rows: &[T],
    key: impl Fn(&T) -> (K, Checksum),
) -> Option<()> {
    rows.iter().try_for_each(|row| {
        let there = table.remove(&key(row).0)?;
        (key(&there) == key(row)).then_some(())
    })
}

/// Adds the rows, if no place is taken.
fn put<K: Ord, T: Clone>(
    table: &mut BTreeMap<K, T>,
    rows: &[T],
    key: impl Fn(&T) -> K,
) -> Option<()> {
    rows.iter().try_for_each(|row| {
        let before = table.insert(key(row), row.clone());
        before.is_none().then_some(())
    })
}

fn unique<T: Ord>(mut names: impl Iterator<Item = T>) -> Option<()> {
    let mut seen = BTreeSet::new();
    names.all(|name| seen.insert(name)).then_some(())
}
