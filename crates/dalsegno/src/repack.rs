//! Gathering a session's single records into blocks, which compress several times better.
//!
//! It changes nothing that can be seen: the same records, in other rows, in one transaction.

use crate::chain;
use crate::codec::block::{self, Entry};
use crate::codec::pack::{self, Effort};
use crate::error::Result;
use crate::store::{Flow, RecordRow, Scan, Store, View};

/// How many records a block holds.
pub(crate) const BLOCK: usize = 64;

/// A block is closed when it has this many bytes unpacked: a restore that needs one record of it
/// unpacks them all.
const BLOCK_BYTES: usize = 1 << 20;

/// Packs the loose records of `session` if there are at least `least`, together with the newest
/// block where that is not full. Returns how many were packed.
pub(crate) fn repack(store: &dyn Store, session: i64, least: usize) -> Result<usize> {
    let id = &store.info().id;
    let (mut take, loose, tail) = {
        let view = store.view()?;
        let loose = loose_records(&*view, session)?;
        if loose.len() < least.max(2) {
            return Ok(0);
        }
        let tail = view
            .newest_block(session)?
            .filter(|row| (row.count as usize) < BLOCK);
        let tail_entries = match &tail {
            Some(row) => chain::entries(row, id, session)?,
            None => Vec::new(),
        };
        (tail.into_iter().collect::<Vec<_>>(), loose, tail_entries)
    };
    let mut entries = tail;
    if size(&entries) >= BLOCK_BYTES {
        (take, entries) = (Vec::new(), Vec::new());
    }
    let packed = loose.len();
    for row in loose {
        entries.extend(chain::entries(&row, id, session)?);
        take.push(row);
    }
    let mut put = Vec::new();
    let mut block: Vec<Entry> = Vec::new();
    for entry in entries {
        let bytes = size(&block) + entry.record.len();
        if block.len() >= BLOCK || (!block.is_empty() && bytes > BLOCK_BYTES) {
            put.push(row(store, session, &block)?);
            block.clear();
        }
        block.push(entry);
    }
    put.push(row(store, session, &block)?);
    Ok(if store.replace(&take, &put)? {
        packed
    } else {
        0
    })
}

/// The records of a session that are in no block yet, oldest first. Blocks are made of the oldest, so
/// the loose ones come after the newest block.
pub(crate) fn loose_records(view: &dyn View, session: i64) -> Result<Vec<RecordRow>> {
    let packed = view
        .newest_block(session)?
        .map_or(i64::MIN, |block| block.seq);
    let mut seqs = Vec::new();
    let scan = Scan {
        session: Some(session),
        from: None,
        newest_first: true,
    };
    view.snapshots(&scan, &mut |row| {
        if row.seq <= packed {
            return Flow::Break(Ok(()));
        }
        seqs.extend(row.state.is_none().then_some(row.seq));
        Flow::Continue(())
    })?;
    let rows = seqs.into_iter().rev().map(|seq| view.record(session, seq));
    rows.filter_map(Result::transpose).collect()
}

fn size(entries: &[Entry]) -> usize {
    entries.iter().map(|entry| entry.record.len()).sum()
}

fn row(store: &dyn Store, session: i64, entries: &[Entry]) -> Result<RecordRow> {
    let (data, parent) = match entries {
        [single] => (pack::pack(&single.record, Effort::Block)?, single.parent),
        many => (pack::pack(&block::encode(many)?, Effort::Block)?, None),
    };
    let mut row = RecordRow {
        seq: entries.last().map_or(0, |entry| entry.seq),
        session,
        count: entries.len() as i64,
        parent,
        data,
        checksum: [0; 16],
    };
    row.checksum = row.compute(&store.info().id);
    Ok(row)
}
