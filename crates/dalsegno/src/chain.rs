//! From records back to a state: the chain from its base, applied in order.
//!
//! Applying a record moves references to items; bytes are copied once, at the end. So the worst
//! restore of a day stays near the newest, however long the chain is.

use std::collections::HashMap;

use bytes::Bytes;

use crate::codec::block::{self, Entry};
use crate::codec::{checksum, pack, record};
use crate::delta::Delta;
use crate::document::{Document, Gap, MAX_ITEMS, MAX_SIZE};
use crate::error::{Error, Result};
use crate::model::StoreId;
use crate::patch::Run;
use crate::store::{RecordRow, Row, SnapshotRow, View};

/// What a record adds to the cost of every restore that passes it, in bytes unpacked: its look-up,
/// and moving the references of the state's items.
pub(crate) fn cost(record: usize, items: usize) -> u64 {
    (record + 64 + items / 4) as u64
}

/// A state, and what it cost to get it.
pub(crate) struct Assembled {
    pub(crate) document: Document,
    pub(crate) cost: u64,
}

/// The state whose record is `seq` of `session`.
///
/// # Errors
/// `Damaged` where a record of the chain is missing or not as it was written.
pub(crate) fn assemble(
    view: &dyn View,
    store: &StoreId,
    session: i64,
    seq: i64,
) -> Result<Assembled> {
    let state = state(view, store, session, seq)?;
    Ok(Assembled {
        document: state.document()?,
        cost: state.cost,
    })
}

/// As [`assemble`], as references that more records can be applied to.
pub(crate) fn state(view: &dyn View, store: &StoreId, session: i64, seq: i64) -> Result<State> {
    let mut unpacked: HashMap<i64, Entry> = HashMap::new();
    let mut path = Vec::new();
    let mut next = Some(seq);
    while let Some(seq) = next {
        if !unpacked.contains_key(&seq) {
            let row = view.record(session, seq)?;
            let row = row.ok_or_else(|| Error::damaged(format!("record {seq} is missing")))?;
            unpacked.extend(
                entries(&row, store, session)?
                    .into_iter()
                    .map(|e| (e.seq, e)),
            );
        }
        let entry = unpacked.remove(&seq);
        let entry = entry.ok_or_else(|| Error::damaged(format!("record {seq} is missing")))?;
        next = entry.parent;
        path.push(entry.record);
    }
    let mut state = State::default();
    for bytes in path.iter().rev() {
        state.apply(record::decode(bytes)?)?;
        state.cost += cost(bytes.len(), state.item_ids.len());
    }
    Ok(state)
}

/// The records that a row holds, after checking that the row is as it was written.
pub(crate) fn entries(row: &RecordRow, store: &StoreId, session: i64) -> Result<Vec<Entry>> {
    let seq = row.seq;
    if !row.is_intact(store) || row.session != session {
        return Err(Error::damaged(format!(
            "the row of record {seq} is damaged: its checksum differs"
        )));
    }
    let payload = pack::unpack(&row.data)?;
    let entries = if row.count == 1 {
        vec![Entry {
            seq,
            parent: row.parent,
            record: payload,
        }]
    } else {
        block::decode(&payload)?
    };
    let whole = entries.len() as i64 == row.count && entries.last().is_some_and(|e| e.seq == seq);
    // Parents come before their children; this is what ends every walk along a chain.
    if whole
        && entries
            .iter()
            .all(|e| e.parent.is_none_or(|parent| parent < e.seq))
    {
        Ok(entries)
    } else {
        Err(Error::damaged(format!(
            "the block that ends with record {seq} does not add up"
        )))
    }
}

/// The text of a state, proved to be the one that `snapshot` promises.
///
/// # Errors
/// `Damaged` where it is another text.
pub(crate) fn proved_text(
    document: &Document,
    snapshot: &SnapshotRow,
    promised: checksum::Checksum,
) -> Result<Vec<u8>> {
    if i64::try_from(document.text_len()) != Ok(snapshot.size) {
        return Err(Error::damaged(
            "the state has another length than was saved",
        ));
    }
    let text = document.to_text();
    if checksum::of(&text) == promised {
        Ok(text)
    } else {
        Err(Error::damaged(
            "the state is not the one that was saved: its checksum differs",
        ))
    }
}

/// A state on its way: references into all the gaps and items that its chain brought.
#[derive(Default)]
pub(crate) struct State {
    gaps: Vec<Gap>,
    items: Vec<Bytes>,
    gap_ids: Vec<u32>,
    item_ids: Vec<u32>,
    cost: u64,
}

impl State {
    pub(crate) fn apply(&mut self, delta: Delta) -> Result<()> {
        self.gap_ids = follow(
            &self.gap_ids,
            &delta.gaps.runs,
            self.gaps.len(),
            delta.gaps.new.len(),
        )?;
        self.item_ids = follow(
            &self.item_ids,
            &delta.items.runs,
            self.items.len(),
            delta.items.new.len(),
        )?;
        self.gaps.extend(delta.gaps.new);
        self.items.extend(delta.items.new);
        Ok(())
    }

    pub(crate) fn document(&self) -> Result<Document> {
        let document = Document {
            gaps: self
                .gap_ids
                .iter()
                .filter_map(|id| self.gaps.get(*id as usize))
                .cloned()
                .collect(),
            items: self
                .item_ids
                .iter()
                .filter_map(|id| self.items.get(*id as usize))
                .cloned()
                .collect(),
        };
        // Before anything of that length is allocated.
        if document.joins() && document.text_len() <= MAX_SIZE {
            Ok(document)
        } else {
            Err(Error::damaged(
                "a state's gaps and items do not fit together",
            ))
        }
    }
}

/// The references after `runs`, where the new atoms are numbered from `known` on.
fn follow(ids: &[u32], runs: &[Run], known: usize, new: usize) -> Result<Vec<u32>> {
    let odd = || Error::damaged("a record copies what its parent does not have");
    let first = u32::try_from(known).map_err(|_| odd())?;
    let end = u32::try_from(known + new).map_err(|_| odd())?;
    let mut out = Vec::with_capacity(ids.len() + new);
    let (mut fresh, mut at) = (first, 0_usize);
    for run in runs {
        let to = fresh
            .checked_add(run.new)
            .filter(|to| *to <= end)
            .ok_or_else(odd)?;
        out.extend(fresh..to);
        fresh = to;
        let from = usize::try_from(run.skip.saturating_add(at as i64)).map_err(|_| odd())?;
        at = from.checked_add(run.copy as usize).ok_or_else(odd)?;
        out.extend_from_slice(ids.get(from..at).ok_or_else(odd)?);
        if out.len() > MAX_ITEMS + 1 {
            return Err(odd());
        }
    }
    if fresh == end { Ok(out) } else { Err(odd()) }
}
