//! One session: which rows of it are to be, and the exchange that makes them so.

use std::collections::{BTreeMap, BTreeSet};

use super::Holes;
use super::report::{Lost, SessionRepairs};
use super::source::Source;
use super::states::States;
use super::survey::{Light, Stand};
use crate::error::{Error, Result};
use crate::model::{SnapshotId, StoreId, check_session_name};
use crate::store::{Exchange, Row, SessionRow, SnapshotRow, TrashRow, View};

/// How far the era of a session is raised whose row is damaged: nobody knows what it was.
const LEAP: i64 = 1 << 20;

/// One session on its way.
pub(super) struct Session<'a> {
    pub(super) view: &'a dyn View,
    pub(super) store: &'a StoreId,
    pub(super) sources: &'a [Source<'a>],
    pub(super) number: i64,
    pub(super) stand: &'a Stand,
    pub(super) holes: Holes,
    /// Microseconds since 1970 (UTC).
    pub(super) now: i64,
}

/// What is to be done to a session.
#[derive(Debug)]
pub(super) struct Planned {
    pub(super) exchange: Exchange,
    pub(super) report: SessionRepairs,
    /// The snapshots that the audit log names.
    pub(super) touched: Vec<i64>,
}

/// Where the row of a snapshot comes from.
pub(super) enum From {
    Here(SnapshotRow),
    /// By the number of the source.
    Source(usize, SnapshotRow),
    /// Made anew: its record is there.
    Made,
}

impl Session<'_> {
    pub(super) fn id(&self, seq: i64) -> SnapshotId {
        SnapshotId::new(seq, self.store)
    }

    /// Which of the sources have this session: the number may be another session's there.
    pub(super) fn sources_of(&self) -> Result<Vec<usize>> {
        let intact = self
            .stand
            .row
            .as_ref()
            .filter(|_| self.stand.row_is_intact(self.store));
        let mut found = Vec::new();
        for (at, source) in self.sources.iter().enumerate() {
            let same = match (intact, source.session(self.number)?) {
                (Some(row), Some(there)) => row.name == there.name,
                _ => {
                    let held = source.held(self.number)?;
                    let lights = self.stand.live.iter().chain(&self.stand.trash);
                    let mut known = lights.map(|light| light.seq).peekable();
                    held.is_some_and(|held| {
                        known.peek().is_none()
                            || known
                                .any(|seq| held.live.contains(&seq) || held.trash.contains(&seq))
                    })
                }
            };
            if same {
                found.push(at);
            }
        }
        Ok(found)
    }

    /// The name of the session, and what is to be said of it.
    pub(super) fn name(&self, sources: &[usize]) -> Result<(String, Option<String>)> {
        if let Some(row) = self
            .stand
            .row
            .as_ref()
            .filter(|_| self.stand.row_is_intact(self.store))
        {
            return Ok((row.name.clone(), None));
        }
        for at in sources {
            if let Some(row) = self
                .sources
                .get(*at)
                .map(|it| it.session(self.number))
                .transpose()?
                .flatten()
            {
                return Ok((row.name, None));
            }
        }
        let lost = format!("lost-name/{}", self.number);
        let Some(row) = &self.stand.row else {
            let note =
                format!("its row is missing, and nobody knows its name: it is called {lost} now");
            return Ok((lost, Some(note)));
        };
        // The name stands twice: in the row, and in the index of names, which was compared with it.
        if check_session_name(&row.name).is_ok() {
            return Ok((row.name.clone(), None));
        }
        let note = format!(
            "its row is damaged, and nobody can say whether its name, '{}', is: it is called {lost} now",
            row.name.escape_debug()
        );
        Ok((lost, Some(note)))
    }

    /// Finds out what is to be done.
    pub(super) fn plan(&self) -> Result<Planned> {
        let sources = self.sources_of()?;
        let (name, note) = self.name(&sources)?;
        let mut report = SessionRepairs {
            session: name.clone(),
            notes: note.into_iter().collect(),
            ..SessionRepairs::default()
        };
        let mut rows = self.rows(&sources, &mut report)?;
        let mut states = States::new(self.view, self.store, self.number, self.stand);
        let came = self.states(&sources, &mut rows, &mut states)?;
        let mut exchange = Exchange::default();
        let mut touched = Vec::new();
        let kept = self.finish(
            &mut rows,
            &came,
            &mut states,
            &mut exchange,
            &mut report,
            &mut touched,
        )?;
        self.records(&kept, &came, &mut states, &mut exchange)?;
        self.session_row(name, &rows, &mut exchange);
        report.snapshots.sort_by_key(|it| it.snapshot);
        report.lost.sort_by_key(|it| it.snapshot);
        Ok(Planned {
            exchange,
            report,
            touched,
        })
    }

    /// The rows that are to be, as far as they can be had.
    fn rows(&self, sources: &[usize], report: &mut SessionRepairs) -> Result<Wanted> {
        let stand = self.stand;
        let mut wanted = Wanted::default();
        for light in &stand.live {
            wanted.live.insert(light.seq, From::Here(self.here(light)?));
        }
        for light in &stand.trash {
            let row = self.view.trashed(light.seq)?;
            let row = row.ok_or_else(|| Error::damaged("a row of the trash is there no more"))?;
            // Of two rows for one snapshot, that of the history counts: it can be seen.
            if wanted.live.contains_key(&light.seq) {
                wanted.doubled.push(row);
            } else {
                wanted.trash.insert(
                    light.seq,
                    (
                        From::Here(row.snapshot.clone().summed(self.store)),
                        Some(row),
                    ),
                );
            }
        }
        let gaps = self.gaps(report);
        let in_gap = |seq: i64| gaps.iter().any(|gap| gap.has(seq));
        let referred: BTreeSet<i64> = gaps.iter().filter_map(|gap| gap.named).collect();
        // What the sources have of the gaps.
        for at in sources {
            let Some(source) = self.sources.get(*at) else {
                continue;
            };
            let Some(held) = source.held(self.number)? else {
                continue;
            };
            let taken_back = referred.iter().filter(|seq| held.trash.contains(seq));
            let live: BTreeSet<i64> = held.live.iter().chain(taken_back).copied().collect();
            for seq in live.into_iter().filter(|seq| in_gap(*seq)) {
                if wanted.has(seq) || self.was_purged(seq, referred.contains(&seq), source)? {
                    continue;
                }
                if let Some(row) = source.snapshot(self.number, seq)? {
                    wanted.live.insert(seq, From::Source(*at, row));
                }
            }
        }
        self.trash(sources, &mut wanted)?;
        // What is left of those that no source has.
        let records = States::new(self.view, self.store, self.number, stand);
        let mut missing: BTreeSet<i64> = referred.iter().copied().chain(stand.orphans()).collect();
        missing.extend(stand.damaged_trash.iter().map(|row| row.snapshot.seq));
        for seq in missing {
            if wanted.has(seq) {
                continue;
            }
            if records.has_record(seq) {
                if in_gap(seq) {
                    wanted.live.insert(seq, From::Made);
                } else {
                    wanted.trash.insert(seq, (From::Made, None));
                }
            } else {
                let why = "its row and its state are gone, and no source has them".to_owned();
                report.lost.push(Lost {
                    snapshot: self.id(seq),
                    why,
                });
            }
        }
        self.name_gaps(&gaps, &wanted, report);
        Ok(wanted)
    }

    fn here(&self, light: &Light) -> Result<SnapshotRow> {
        let row = self.view.snapshot(light.seq)?;
        row.ok_or_else(|| Error::damaged("a snapshot's row is there no more"))
    }

    /// Whether a snapshot that a source has was purged since, as far as that can be told: then its record went, while
    /// those beside it are there.
    fn was_purged(&self, seq: i64, referred: bool, source: &Source<'_>) -> Result<bool> {
        if referred || !self.stand.damaged_records.is_empty() || self.holes.records {
            return Ok(false);
        }
        let own = source
            .snapshot(self.number, seq)?
            .is_some_and(|row| row.state.is_none());
        let here = self
            .stand
            .records
            .values()
            .flatten()
            .any(|(entry, _)| *entry == seq);
        Ok(own && !here)
    }

    /// The rows of the trash that are damaged, or missing.
    fn trash(&self, sources: &[usize], wanted: &mut Wanted) -> Result<()> {
        let damaged = self.stand.damaged_trash.iter().map(|row| row.snapshot.seq);
        let mut missing: BTreeSet<i64> = damaged.collect();
        if self.holes.trash {
            for at in sources {
                let held = self
                    .sources
                    .get(*at)
                    .map(|it| it.held(self.number))
                    .transpose()?
                    .flatten();
                missing.extend(held.iter().flat_map(|held| &held.trash));
            }
        }
        missing.extend(self.stand.orphans());
        missing.retain(|seq| !wanted.has(*seq));
        for seq in missing {
            for at in sources {
                let Some(source) = self.sources.get(*at) else {
                    continue;
                };
                if let Some(row) = source.trashed(self.number, seq)? {
                    let snapshot = row.snapshot.clone().summed(self.store);
                    wanted
                        .trash
                        .insert(seq, (From::Source(*at, snapshot), Some(row)));
                } else if let Some(row) = source.snapshot(self.number, seq)? {
                    wanted.trash.insert(seq, (From::Source(*at, row), None));
                } else {
                    continue;
                }
                break;
            }
        }
        Ok(())
    }

    /// The session's row with a key that a source has. For the rest it stays damaged: what its head was, and so whether
    /// anything stood after the last snapshot that is there, nobody knows.
    pub(super) fn row_with_key(&self, name: String, key: Vec<u8>) -> Exchange {
        let mut exchange = Exchange::default();
        let last = self.stand.live.last().map_or(0, |light| light.seq);
        let there = self.stand.row.as_ref();
        let row = SessionRow {
            id: self.number,
            name,
            head: there.map_or(last, |row| row.head),
            era: there.map_or(0, |row| row.era),
            checksum: [0; 16],
        };
        exchange.take.sessions.extend(self.stand.row.clone());
        exchange.put.sessions.push(row);
        exchange.keys.push((self.number, key));
        exchange
    }

    /// The session's own row: whoever knew the session before looks again.
    fn session_row(&self, name: String, rows: &Wanted, exchange: &mut Exchange) {
        let head = rows.live.keys().next_back().copied().unwrap_or(0);
        match &self.stand.row {
            Some(row) if row.is_intact(self.store) && row.head == head => {
                exchange.raise.push((row.id, row.era));
            }
            Some(row) if row.is_intact(self.store) => {
                exchange.take.sessions.push(row.clone());
                let row = SessionRow::new(row.id, name, head, row.era + 1, self.store);
                exchange.put.sessions.push(row);
            }
            row => {
                let era = row.as_ref().map_or(0, |row| row.era.clamp(0, 1 << 60));
                exchange.take.sessions.extend(row.clone());
                let row = SessionRow::new(self.number, name, head, era + LEAP, self.store);
                exchange.put.sessions.push(row);
            }
        }
    }
}

pub(super) fn state_of(seq: i64, from: &From) -> i64 {
    match from {
        From::Here(row) | From::Source(_, row) => row.state_seq(),
        From::Made => seq,
    }
}

/// The rows that are to be.
#[derive(Default)]
pub(super) struct Wanted {
    pub(super) live: BTreeMap<i64, From>,
    /// With the row of the trash, where there is one.
    pub(super) trash: BTreeMap<i64, (From, Option<TrashRow>)>,
    /// Of snapshots that are in the history as well.
    pub(super) doubled: Vec<TrashRow>,
}

impl Wanted {
    fn has(&self, seq: i64) -> bool {
        self.live.contains_key(&seq) || self.trash.contains_key(&seq)
    }

    /// All of them, in the order of commits.
    pub(super) fn all(&self) -> impl Iterator<Item = (i64, &From)> {
        let live = self.live.iter().map(|(seq, row)| (*seq, row));
        let trash = self.trash.iter().map(|(seq, (row, _))| (*seq, row));
        let mut all: Vec<(i64, &From)> = live.chain(trash).collect();
        all.sort_by_key(|(seq, _)| *seq);
        all.into_iter()
    }

    pub(super) fn all_mut(&mut self) -> impl Iterator<Item = (i64, &mut From)> {
        let live = self.live.iter_mut().map(|(seq, row)| (*seq, row));
        let trash = self.trash.iter_mut().map(|(seq, (row, _))| (*seq, row));
        live.chain(trash)
    }
}
