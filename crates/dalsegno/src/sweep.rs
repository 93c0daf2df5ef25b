//! Purging: what is in the trash goes for good, and the records that only it needed with it.
//!
//! A record on top of one that goes is encoded anew, on top of the nearest that stays. Rows are
//! exchanged in pieces, from the newest back, so that after each piece nothing that stays needs what
//! goes next: wherever it ends, the store is whole, and purging can be started again.

use std::collections::{BTreeSet, HashMap, HashSet};
use std::sync::Arc;

use crate::chain;
use crate::codec::block::Entry;
use crate::document::Document;
use crate::document::lookup::Lookup;
use crate::encode::{self, Encoded};
use crate::error::{ErrorKind, Result};
use crate::model::StoreId;
use crate::moved::Moved;
use crate::repack;
use crate::store::{Exchange, RecordRow, Rows, TrashRow, View};
use crate::walk::Chain;

/// How many rows of records one transaction exchanges.
const PIECE: usize = 64;

/// A record further on than this is reached from its base, and not by applying all that lie between.
const NEAR: usize = 1024;

/// What purging a session does.
#[derive(Debug, Default)]
pub(crate) struct Sweep {
    /// In the order in which they are to be made.
    pub(crate) pieces: Vec<Piece>,
}

/// One transaction of a purge.
#[derive(Debug)]
pub(crate) struct Piece {
    pub(crate) exchange: Exchange,
    /// Bytes of records that go, less those that come in their place.
    pub(crate) freed: i64,
}

impl Sweep {
    /// Bytes of records that go, less those that come in their place.
    pub(crate) fn freed(&self) -> i64 {
        self.pieces.iter().map(|piece| piece.freed).sum()
    }
}

/// What of a session goes and what stays.
#[derive(Debug, Default)]
pub(crate) struct Parts {
    /// The session's number.
    pub(crate) session: i64,
    /// Its snapshots, with the record that has their state.
    pub(crate) live: Vec<(i64, i64)>,
    /// The snapshots that go, with the record that has their state.
    pub(crate) going: Vec<(i64, i64)>,
    /// The records that have the states of those that stay, in the trash too.
    pub(crate) staying: BTreeSet<i64>,
}

/// The exchanges that purge `trash`, which `parts` say more of. Rows that are not in `trash` yet may be
/// among those going: then it tells what purging them would do.
///
/// # Errors
/// `Damaged` where a record that stays needs one that cannot be read: then nothing can be purged
/// before it is repaired.
pub(crate) fn plan(
    view: &dyn View,
    store: &StoreId,
    parts: &Parts,
    trash: &[TrashRow],
) -> Result<Sweep> {
    let states = parts.going.iter().map(|(_, state)| *state);
    let dead: HashSet<i64> = states.filter(|s| !parts.staying.contains(s)).collect();
    let mut sweeper = Sweeper {
        view,
        store,
        session: parts.session,
        order: parts.staying.iter().chain(&dead).copied().collect(),
        dead,
        parents: HashMap::new(),
        chain: Chain::default(),
        reached: None,
        latest: None,
    };
    sweeper.order.sort_unstable();
    let runs = sweeper.runs()?;
    let mut pieces = pieces(runs, trash);
    let mut moved = Moved::read(view, store, parts.session)?;
    for piece in &mut pieces {
        if !piece.exchange.put.records.is_empty() {
            moved.count(&mut piece.exchange, store)?;
        }
    }
    Ok(Sweep { pieces })
}

/// Rows that lie beside each other, and those that take their place.
#[derive(Default)]
struct Run {
    first: i64,
    last: i64,
    /// They lie under a block that stays as it is.
    covered: bool,
    take: Vec<RecordRow>,
    /// The records of the rows that go, in no order.
    entries: Vec<Entry>,
    put: Vec<RecordRow>,
    freed: i64,
}

struct Sweeper<'a> {
    view: &'a dyn View,
    store: &'a StoreId,
    session: i64,
    /// Every record that is looked at, oldest first.
    order: Vec<i64>,
    dead: HashSet<i64>,
    /// What the dead build on.
    parents: HashMap<i64, Option<i64>>,
    chain: Chain,
    /// The place in the order of the state that the walk has reached.
    reached: Option<usize>,
    /// The last state that was encoded anew.
    latest: Option<Base>,
}

/// A state that others can be encoded on top of.
struct Base {
    seq: i64,
    document: Arc<Document>,
    cost: u64,
}

impl Sweeper<'_> {
    /// The rows that change, oldest first.
    fn runs(&mut self) -> Result<Vec<Run>> {
        let Some(oldest) = self.dead.iter().min().copied() else {
            return Ok(Vec::new());
        };
        let mut runs: Vec<Run> = Vec::new();
        let mut run = Run::default();
        let mut seen: HashSet<i64> = HashSet::new();
        // Up to where a block reaches that stays as it is.
        let mut cover = i64::MIN;
        for seq in self.order.clone() {
            if seen.remove(&seq) {
                continue;
            }
            // One that is missing is damage, which `verify` names; reading what needs it fails below.
            let Some(row) = self.view.record(self.session, seq)? else {
                continue;
            };
            let inside = match chain::entries(&row, self.store, self.session) {
                // Nobody needs it, so nobody minds that it is damaged.
                Err(error) if error.kind() == ErrorKind::Damaged && self.is_dead_alone(&row) => {
                    self.parents.insert(row.seq, row.parent);
                    Vec::new()
                }
                inside => inside?,
            };
            seen.extend(inside.iter().map(|entry| entry.seq).filter(|s| *s > seq));
            let first = inside.first().map_or(row.seq, |entry| entry.seq);
            let changes = row.seq >= oldest && (inside.is_empty() || self.changes(&inside));
            let covered = first < cover;
            // A block is found by what comes after a record: none may come to lie over another, or under
            // one. And what lies within a run goes with it, for each may build on the other.
            let ends = if changes {
                run.take.len() >= PIECE || run.covered != covered
            } else {
                row.count > 1
            };
            if ends && first > run.last {
                self.close(&mut runs, &mut run)?;
            }
            if !changes {
                if row.count > 1 {
                    cover = row.seq;
                }
                continue;
            }
            if run.take.is_empty() {
                run.first = first;
                run.covered = covered;
            }
            run.last = run.last.max(row.seq);
            run.freed += row.data.len() as i64;
            run.take.push(RecordRow {
                data: Vec::new(),
                ..row
            });
            run.entries.extend(inside);
        }
        self.close(&mut runs, &mut run)?;
        Ok(runs)
    }

    fn is_dead_alone(&self, row: &RecordRow) -> bool {
        row.count == 1 && self.dead.contains(&row.seq)
    }

    /// Whether a row's entries go, or build on what goes.
    fn changes(&self, entries: &[Entry]) -> bool {
        entries.iter().any(|entry| {
            self.dead.contains(&entry.seq)
                || entry
                    .parent
                    .is_some_and(|parent| self.dead.contains(&parent))
        })
    }

    /// The entry as it will be, if it stays.
    fn keep(&mut self, entry: Entry) -> Result<Option<Entry>> {
        if self.dead.contains(&entry.seq) {
            self.parents.insert(entry.seq, entry.parent);
            return Ok(None);
        }
        let mut base = entry.parent;
        while let Some(parent) = base.and_then(|seq| self.parents.get(&seq)) {
            base = *parent;
        }
        if base == entry.parent {
            return Ok(Some(entry));
        }
        let document = self.document(entry.seq)?;
        let (base, cost) = match base {
            Some(seq) => (
                Some(self.base(seq)?),
                self.latest.as_ref().map_or(0, |b| b.cost),
            ),
            None => (None, 0),
        };
        let lookup = base.as_deref().map(Lookup::new);
        let (document, record, cost, parent) =
            match encode::on_top_of(lookup.as_ref(), cost, Arc::new(document))? {
                Encoded::Delta {
                    document,
                    record,
                    cost,
                } => (document, record, cost, self.latest.as_ref().map(|b| b.seq)),
                Encoded::Base {
                    document,
                    record,
                    cost,
                } => (document, record, cost, None),
            };
        self.latest = Some(Base {
            seq: entry.seq,
            document,
            cost,
        });
        Ok(Some(Entry {
            seq: entry.seq,
            parent,
            record: record.into(),
        }))
    }

    /// The state of `seq` as something to encode on top of; `latest` is it afterwards.
    fn base(&mut self, seq: i64) -> Result<Arc<Document>> {
        if let Some(latest) = self.latest.as_ref().filter(|latest| latest.seq == seq) {
            return Ok(Arc::clone(&latest.document));
        }
        let assembled = chain::assemble(self.view, self.store, self.session, seq)?;
        let document = Arc::new(assembled.document);
        self.latest = Some(Base {
            seq,
            document: Arc::clone(&document),
            cost: assembled.cost,
        });
        Ok(document)
    }

    /// The state of `seq`, by the shortest way.
    fn document(&mut self, seq: i64) -> Result<Document> {
        let at = self.order.partition_point(|other| *other < seq);
        let from = match self.reached {
            Some(reached) if reached < at && at - reached <= NEAR => reached + 1,
            _ => at,
        };
        let mut document = None;
        for place in from..=at {
            let Some(next) = self.order.get(place) else {
                break;
            };
            let state = self
                .chain
                .advance(self.view, self.store, self.session, *next);
            match state {
                Ok(state) if place == at => document = Some(state.document()?),
                Ok(_) => {}
                Err(error) if place == at => return Err(error),
                // It may be one that goes; what stays is then reached from its base.
                Err(_) => self.chain.forget(),
            }
        }
        self.reached = Some(at);
        document.ok_or_else(|| crate::Error::damaged(format!("record {seq} is missing")))
    }

    /// Ends a run: those of its records that stay become rows.
    fn close(&mut self, runs: &mut Vec<Run>, run: &mut Run) -> Result<()> {
        let mut run = std::mem::take(run);
        if run.take.is_empty() {
            return Ok(());
        }
        // A block may have others between its records, on which some of them build.
        let mut entries = std::mem::take(&mut run.entries);
        entries.sort_by_key(|entry| entry.seq);
        let mut kept = Vec::with_capacity(entries.len());
        for entry in entries {
            kept.extend(self.keep(entry)?);
        }
        if run.covered {
            for entry in kept {
                let alone = repack::rows(self.store, self.session, vec![entry])?;
                run.put.extend(alone);
            }
        } else {
            run.put = repack::rows(self.store, self.session, kept)?;
        }
        run.freed -= run.put.iter().map(|row| row.data.len() as i64).sum::<i64>();
        runs.push(run);
        Ok(())
    }
}

/// The runs as exchanges, newest first; each takes those of the trash whose states came since it began,
/// so that every record that is still to go has something in the trash that leads to it.
fn pieces(runs: Vec<Run>, trash: &[TrashRow]) -> Vec<Piece> {
    let mut pieces = Vec::new();
    let mut trash: Vec<TrashRow> = trash.to_vec();
    trash.sort_by_key(|row| row.snapshot.state_seq());
    let last = runs.len().saturating_sub(1);
    let empty = runs.is_empty();
    for (at, run) in runs.into_iter().rev().enumerate() {
        let first = if at == last { i64::MIN } else { run.first };
        let from = trash.partition_point(|row| row.snapshot.state_seq() < first);
        let going = trash.split_off(from);
        let exchange = Exchange {
            take: Rows {
                trash: going,
                records: run.take,
                ..Rows::default()
            },
            put: Rows {
                records: run.put,
                ..Rows::default()
            },
            ..Exchange::default()
        };
        pieces.push(Piece {
            exchange,
            freed: run.freed,
        });
    }
    if empty && !trash.is_empty() {
        let take = Rows {
            trash,
            ..Rows::default()
        };
        let put = Rows::default();
        pieces.push(Piece {
            exchange: Exchange::of(take, put),
            freed: 0,
        });
    }
    pieces
}
