//! Which rows the records of a session lie in, so that the store finds each.

use std::collections::{BTreeMap, BTreeSet};

use super::found::Came;
use super::session::Session;
use super::states::States;
use super::survey::Stand;
use crate::codec::block::Entry;
use crate::error::{Error, Result};
use crate::moved::Moved;
use crate::repack;
use crate::store::{Exchange, RecordRow};

/// The rows of records as they will be.
struct Layout {
    /// By the last record of each, which is its key.
    rows: BTreeMap<i64, Kept>,
    /// The keys of rows of which nothing stays.
    gone: Vec<i64>,
}

/// What a row of records keeps.
struct Kept {
    /// The key that it has in the store; nothing, where it is new.
    origin: Option<i64>,
    entries: Vec<i64>,
    changed: bool,
}

impl Layout {
    fn of(stand: &Stand) -> Self {
        let kept = |(key, entries): (&i64, &Vec<(i64, Option<i64>)>)| {
            let kept = Kept {
                origin: Some(*key),
                entries: entries.iter().map(|(seq, _)| *seq).collect(),
                changed: false,
            };
            (*key, kept)
        };
        Self {
            rows: stand.records.iter().map(kept).collect(),
            gone: Vec::new(),
        }
    }

    /// Takes a record out of every row that has it.
    fn drop(&mut self, seq: i64) {
        let rows = self
            .rows
            .iter()
            .filter(|(_, row)| row.entries.contains(&seq));
        let keys: Vec<i64> = rows.map(|(key, _)| *key).collect();
        for key in keys {
            let Some(mut row) = self.rows.remove(&key) else {
                continue;
            };
            row.entries.retain(|entry| *entry != seq);
            row.changed = true;
            // A record that has a row of its own is found there.
            while row
                .entries
                .last()
                .is_some_and(|last| self.rows.contains_key(last))
            {
                row.entries.pop();
            }
            match row.entries.last() {
                Some(last) => drop(self.rows.insert(*last, row)),
                None => self.gone.extend(row.origin),
            }
        }
    }

    /// Gives a record a row of its own.
    fn single(&mut self, seq: i64) {
        self.drop(seq);
        let row = Kept {
            origin: None,
            entries: vec![seq],
            changed: true,
        };
        self.rows.insert(seq, row);
    }

    fn finds(&self, seq: i64) -> bool {
        let first = |row: &&Kept| row.entries.len() > 1;
        let row = self.rows.get(&seq).or_else(|| {
            let mut after = self.rows.range(seq..).map(|(_, row)| row);
            after.find(first)
        });
        row.is_some_and(|row| row.entries.contains(&seq))
    }

    /// The keys of rows that change, with the records that stay in them.
    fn rewritten(&self) -> BTreeMap<i64, BTreeSet<i64>> {
        let changed = self.rows.values().filter(|row| row.changed);
        let changed =
            changed.filter_map(|row| Some((row.origin?, row.entries.iter().copied().collect())));
        let gone = self.gone.iter().map(|key| (*key, BTreeSet::new()));
        changed.chain(gone).collect()
    }
}

impl Session<'_> {
    /// The rows of records: damaged ones go, what came in has rows of its own, and no row has what another one has.
    pub(super) fn records(
        &self,
        kept: &BTreeSet<i64>,
        came: &BTreeMap<i64, Came>,
        states: &mut States<'_>,
        exchange: &mut Exchange,
    ) -> Result<()> {
        exchange
            .take
            .records
            .extend(self.stand.damaged_records.iter().cloned());
        let mut layout = Layout::of(self.stand);
        let entries = self.stand.records.values().flatten().map(|(seq, _)| *seq);
        let needless: BTreeSet<i64> = entries.filter(|seq| !kept.contains(seq)).collect();
        for seq in needless {
            layout.drop(seq);
        }
        states.put.retain(|seq, _| kept.contains(seq));
        for seq in states.put.keys() {
            layout.single(*seq);
        }
        let there = |seq: &i64| came.get(seq).is_some_and(|how| !matches!(how, Came::Lost));
        loop {
            let hidden: Vec<i64> = kept
                .iter()
                .copied()
                .filter(|seq| there(seq) && !layout.finds(*seq))
                .collect();
            if hidden.is_empty() {
                break;
            }
            for seq in hidden {
                let entry = states.entry(seq)?;
                states.put.insert(seq, entry);
                layout.single(seq);
            }
        }
        for (key, entries) in layout.rewritten() {
            let row = self.view.record(self.number, key)?;
            let row = row.ok_or_else(|| Error::damaged("a row of records is there no more"))?;
            let inside = crate::chain::entries(&row, self.store, self.number)?;
            let stay: Vec<Entry> = inside
                .into_iter()
                .filter(|entry| entries.contains(&entry.seq))
                .collect();
            exchange.take.records.push(RecordRow {
                data: Vec::new(),
                ..row
            });
            if !stay.is_empty() {
                exchange
                    .put
                    .records
                    .extend(repack::rows(self.store, self.number, stay)?);
            }
        }
        for entry in states.put.values() {
            exchange.put.records.extend(repack::rows(
                self.store,
                self.number,
                vec![entry.clone()],
            )?);
        }
        if !exchange.put.records.is_empty() || !exchange.take.records.is_empty() {
            Moved::read(self.view, self.store, self.number)?.count(exchange, self.store)?;
        }
        Ok(())
    }
}
