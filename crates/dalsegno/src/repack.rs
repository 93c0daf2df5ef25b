//! Gathering a session's single records into blocks, which compress several times better.
//!
//! It changes nothing that can be seen: the same records, in other rows, in one transaction.

use crate::chain;
use crate::codec::block::{self, Entry};
use crate::codec::pack::{self, Effort};
use crate::error::{Error, Result};
use crate::model::StoreId;
use crate::moved::Moved;
use crate::store::{Exchange, Flow, RecordRow, Row, Rows, Scan, Store, View};

/// How many records a block holds.
pub(crate) const BLOCK: usize = 64;

/// A block is closed when it has this many bytes unpacked: a restore that needs one record of it
/// unpacks them all.
const BLOCK_BYTES: usize = 1 << 20;

/// Records that were this large when they were stored gain nothing from company, and are left alone.
const LARGE: i64 = 256 << 10;

/// How many snapshots are looked at for loose records; what is loose and older stays so.
const LOOK_BACK: usize = 4 * BLOCK;

/// Packs the loose records of `session` if there are at least `least`, together with the newest
/// block where that is not full. Returns how many were packed.
pub(crate) fn repack(store: &dyn Store, session: i64, least: usize) -> Result<usize> {
    let id = &store.info().id;
    let mut take = Vec::new();
    let mut entries = Vec::new();
    let mut moved;
    {
        let view = store.view()?;
        let loose = loose_records(&*view, session)?;
        if loose.len() < least.max(2) {
            return Ok(0);
        }
        moved = Moved::read(&*view, id, session)?;
        if let Some(tail) = view
            .newest_block(session)?
            .filter(|r| (r.count as usize) < BLOCK)
        {
            let inside = chain::entries(&tail, id, session)?;
            if size(&inside) < BLOCK_BYTES {
                entries = inside;
                take.push(tail);
            }
        }
        for seq in loose {
            let row = view.record(session, seq)?.filter(|row| row.count == 1);
            let Some(row) = row else { continue };
            entries.extend(chain::entries(&row, id, session)?);
            take.push(row);
        }
    }
    let packed = take.len();
    let mut put = rows(id, session, entries)?;
    // What is too large for company stays where it is.
    put.retain(|row| match take.iter().position(|old| old == row) {
        Some(at) => {
            take.remove(at);
            false
        }
        None => true,
    });
    if put.is_empty() {
        return Ok(0);
    }
    let of = |records| Rows {
        records,
        ..Rows::default()
    };
    let mut exchange = Exchange::of(of(take), of(put));
    moved.count(&mut exchange, id)?;
    Ok(if store.exchange(&exchange)? {
        packed
    } else {
        0
    })
}

/// The rows that hold `entries`, which are in order.
pub(crate) fn rows(store: &StoreId, session: i64, entries: Vec<Entry>) -> Result<Vec<RecordRow>> {
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
    if !block.is_empty() {
        put.push(row(store, session, &block)?);
    }
    Ok(put)
}

/// The records of a session that are in no block yet and worth packing, oldest first. Blocks are made
/// of the oldest, so the loose ones come after the newest block.
pub(crate) fn loose_records(view: &dyn View, session: i64) -> Result<Vec<i64>> {
    let packed = view
        .newest_block(session)?
        .map_or(i64::MIN, |block| block.seq);
    let (mut seqs, mut looked) = (Vec::new(), 0);
    let scan = Scan {
        session: Some(session),
        from: None,
        newest_first: true,
    };
    view.snapshots(&scan, &mut |row| {
        looked += 1;
        if row.seq <= packed || looked > LOOK_BACK {
            return Flow::Break(Ok(()));
        }
        let worth = row.state.is_none() && row.stored < LARGE;
        seqs.extend(worth.then_some(row.seq));
        Flow::Continue(())
    })?;
    seqs.reverse();
    Ok(seqs)
}

fn size(entries: &[Entry]) -> usize {
    entries.iter().map(|entry| entry.record.len()).sum()
}

fn row(store: &StoreId, session: i64, entries: &[Entry]) -> Result<RecordRow> {
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
    row.checksum = row.compute(store);
    // Good rows make way for these: they are read first.
    if chain::entries(&row, store, session)? == entries {
        Ok(row)
    } else {
        Err(Error::storage(
            "a block does not read back as it was written; nothing was packed",
        ))
    }
}
