//! What there is of each session, row by row, and what of it is not as it was written.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use crate::chain;
use crate::codec::detail;
use crate::damage::only_damage;
use crate::error::Result;
use crate::model::StoreId;
use crate::store::{Flow, RecordRow, Row, Scan, SessionRow, SnapshotRow, TrashRow, View};

/// A snapshot's row that is as it was written.
#[derive(Debug, Clone, Copy)]
pub(super) struct Light {
    pub(super) seq: i64,
    pub(super) parent: Option<i64>,
    /// The record that has its state.
    pub(super) state: i64,
    /// A repair marked it.
    pub(super) marked: bool,
}

impl Light {
    fn of(row: &SnapshotRow) -> Self {
        let detail = detail::decode(&row.detail);
        Self {
            seq: row.seq,
            parent: row.parent,
            state: row.state_seq(),
            marked: detail.is_ok_and(|detail| detail.repaired.is_some()),
        }
    }
}

/// What there is of a session.
#[derive(Debug, Default)]
pub(super) struct Stand {
    /// Its row as it stands.
    pub(super) row: Option<SessionRow>,
    /// Its snapshots, and those in the trash, whose rows are intact, in commit order.
    pub(super) live: Vec<Light>,
    pub(super) trash: Vec<Light>,
    pub(super) damaged: Vec<SnapshotRow>,
    pub(super) damaged_trash: Vec<TrashRow>,
    /// The rows of records that are intact, by key, with what is in each: a record and the one it builds on.
    pub(super) records: BTreeMap<i64, Vec<(i64, Option<i64>)>>,
    /// Without their data.
    pub(super) damaged_records: Vec<RecordRow>,
}

impl Stand {
    pub(super) fn row_is_intact(&self, store: &StoreId) -> bool {
        self.row.as_ref().is_some_and(|row| row.is_intact(store))
    }

    /// Where the store would look for a record: the key of the row.
    pub(super) fn looked_for(
        records: &BTreeMap<i64, Vec<(i64, Option<i64>)>>,
        seq: i64,
    ) -> Option<i64> {
        if records.contains_key(&seq) {
            return Some(seq);
        }
        let mut after = records
            .range(seq..)
            .filter(|(_, entries)| entries.len() > 1);
        after.next().map(|(key, _)| *key)
    }

    /// What a record builds on, where the store finds it; an error, where it does not.
    pub(super) fn found(&self, seq: i64) -> std::result::Result<Option<i64>, ()> {
        let row = Self::looked_for(&self.records, seq).and_then(|key| self.records.get(&key));
        let entry = row.and_then(|row| row.iter().find(|(entry, _)| *entry == seq));
        entry.map(|(_, parent)| *parent).ok_or(())
    }

    /// Every snapshot's number that is known, whether its row is intact or not.
    pub(super) fn states(&self) -> BTreeSet<i64> {
        let all = self.live.iter().chain(&self.trash);
        all.map(|light| light.state).collect()
    }

    /// Whether something can be seen to be wrong without rebuilding the states.
    pub(super) fn is_suspect(&self, store: &StoreId) -> bool {
        let head = self.row.as_ref().map_or(-1, |row| row.head);
        if !self.row_is_intact(store)
            || !self.damaged.is_empty()
            || !self.damaged_trash.is_empty()
            || !self.damaged_records.is_empty()
            || self.live.last().map_or(0, |last| last.seq) != head
        {
            return true;
        }
        let mut before = None;
        for light in &self.live {
            if light.parent != before {
                return true;
            }
            before = Some(light.seq);
        }
        let both = |light: &Light| {
            self.live
                .binary_search_by_key(&light.seq, |l| l.seq)
                .is_ok()
        };
        if self.trash.iter().any(both) || self.orphans().next().is_some() {
            return true;
        }
        let mut entries = self.records.values().flatten();
        let states = self.states();
        states.iter().any(|seq| self.found(*seq).is_err())
            || entries.any(|(_, parent)| parent.is_some_and(|it| self.found(it).is_err()))
    }

    /// The records whose snapshots are missing.
    pub(super) fn orphans(&self) -> impl Iterator<Item = i64> {
        let mut known = self.states();
        known.extend(self.live.iter().chain(&self.trash).map(|light| light.seq));
        known.extend(self.damaged.iter().map(|row| row.seq));
        known.extend(self.damaged_trash.iter().map(|row| row.snapshot.seq));
        let entries = self.records.values().flatten().map(|(seq, _)| *seq);
        let orphans: BTreeSet<i64> = entries.filter(|seq| !known.contains(seq)).collect();
        orphans.into_iter()
    }
}

/// What there is of every session.
#[derive(Debug, Default)]
pub(super) struct Survey {
    /// By number.
    pub(super) sessions: BTreeMap<i64, Stand>,
    /// Rows that are damaged, and of which nobody can say whose they are.
    pub(super) stray_snapshots: Vec<SnapshotRow>,
    pub(super) stray_trash: Vec<TrashRow>,
    pub(super) stray_records: Vec<RecordRow>,
}

impl Survey {
    /// A look at every row.
    pub(super) fn of(view: &dyn View, store: &StoreId) -> Result<Self> {
        let mut survey = Self::default();
        view.sessions(&mut |row| {
            let number = row.id;
            survey.stand(number).row = Some(row);
            Flow::Continue(())
        })?;
        let (mut snapshots, mut trash, mut records) = (Vec::new(), Vec::new(), Vec::new());
        view.snapshots(&Scan::default(), &mut |row| {
            if row.is_intact(store) {
                survey.stand(row.session).live.push(Light::of(&row));
            } else {
                snapshots.push(row);
            }
            Flow::Continue(())
        })?;
        view.trash(&mut |row| {
            if row.is_intact(store) {
                let light = Light::of(&row.snapshot);
                survey.stand(row.snapshot.session).trash.push(light);
            } else {
                trash.push(row);
            }
            Flow::Continue(())
        })?;
        view.records(&mut |row| {
            match chain::entries(&row, store, row.session) {
                Ok(entries) => {
                    let entries = entries.iter().map(|entry| (entry.seq, entry.parent));
                    let stand = survey.stand(row.session);
                    stand.records.insert(row.seq, entries.collect());
                }
                Err(error) => {
                    if let Err(error) = only_damage(error) {
                        return Flow::Break(Err(error));
                    }
                    records.push(RecordRow {
                        data: Vec::new(),
                        ..row
                    });
                }
            }
            Flow::Continue(())
        })?;
        survey.assign(snapshots, trash, records);
        Ok(survey)
    }

    fn stand(&mut self, session: i64) -> &mut Stand {
        self.sessions.entry(session).or_default()
    }

    /// Gives each damaged row to the session that leads to it, or else to the one that it says, if there is one.
    fn assign(
        &mut self,
        snapshots: Vec<SnapshotRow>,
        trash: Vec<TrashRow>,
        records: Vec<RecordRow>,
    ) {
        if snapshots.is_empty() && trash.is_empty() && records.is_empty() {
            return;
        }
        let mut whose: HashMap<i64, i64> = HashMap::new();
        for (number, stand) in &self.sessions {
            let lights = stand.live.iter().chain(&stand.trash);
            let led = lights.flat_map(|it| [Some(it.seq), it.parent, Some(it.state)]);
            let head = stand.row.as_ref().map(|row| row.head);
            let built = stand.records.values().flatten();
            let built = built.flat_map(|(seq, parent)| [Some(*seq), *parent]);
            whose.extend(
                led.chain([head])
                    .chain(built)
                    .flatten()
                    .map(|seq| (seq, *number)),
            );
        }
        whose.remove(&0);
        let known = |seq: i64, says: i64, sessions: &BTreeMap<i64, Stand>| {
            let says = sessions.contains_key(&says).then_some(says);
            whose.get(&seq).copied().or(says)
        };
        for row in snapshots {
            match known(row.seq, row.session, &self.sessions) {
                Some(session) => self.stand(session).damaged.push(row),
                None => self.stray_snapshots.push(row),
            }
        }
        for row in trash {
            match known(row.snapshot.seq, row.snapshot.session, &self.sessions) {
                Some(session) => self.stand(session).damaged_trash.push(row),
                None => self.stray_trash.push(row),
            }
        }
        for row in records {
            match known(row.seq, row.session, &self.sessions) {
                Some(session) => self.stand(session).damaged_records.push(row),
                None => self.stray_records.push(row),
            }
        }
    }
}
