//! A record: the bytes of one delta.

use bytes::Bytes;
use serde::{Deserialize, Serialize};

use super::base64;
use crate::delta::Delta;
use crate::document::{Gap, MAX_ITEMS};
use crate::error::{Error, Result};
use crate::patch::{Patch, Run};
use crate::places::Place;

/// As written, with postcard. The literals are the texts of the new gaps, then of the new items. Behind
/// it, where there are any, stand the places.
#[derive(Serialize, Deserialize)]
struct Wire<'a> {
    gap_runs: Vec<Run>,
    gap_times: Vec<u32>,
    gap_lens: Vec<u32>,
    item_runs: Vec<Run>,
    item_lens: Vec<u32>,
    packed: Vec<base64::Place>,
    #[serde(borrow, with = "serde_bytes")]
    literals: &'a [u8],
}

/// The bytes of `delta`.
pub(crate) fn encode(delta: &Delta) -> Result<Vec<u8>> {
    let gaps = &delta.gaps.new;
    let items = &delta.items.new;
    let texts = || gaps.iter().map(|gap| &gap.text).chain(items);
    let mut text = Vec::with_capacity(texts().map(Bytes::len).sum());
    for literal in texts() {
        text.extend_from_slice(literal);
    }
    let (literals, packed) = base64::pack(&text);
    let wire = Wire {
        gap_runs: delta.gaps.runs.clone(),
        gap_times: gaps.iter().map(|gap| gap.times).collect(),
        gap_lens: gaps.iter().map(|gap| len(&gap.text)).collect(),
        item_runs: delta.items.runs.clone(),
        item_lens: items.iter().map(len).collect(),
        packed,
        literals: &literals,
    };
    let mut record = super::write("writing a record", &wire)?;
    if !delta.places.is_empty() {
        record.extend(super::write("writing a record's places", &delta.places)?);
    }
    Ok(record)
}

/// A text's length; documents end long before `u32` does.
fn len(text: &Bytes) -> u32 {
    u32::try_from(text.len()).unwrap_or(u32::MAX)
}

/// The delta again, its texts sharing the memory of `bytes` where nothing had to be unpacked.
///
/// # Errors
/// `Damaged` where the bytes are not a record, or its parts do not fit together.
pub(crate) fn decode(bytes: &Bytes) -> Result<Delta> {
    let (wire, rest): (Wire<'_>, _) = super::read_first("a record", bytes)?;
    let places: Vec<Place> = match rest {
        [] => Vec::new(),
        // None at all are not written, so that a record has one spelling.
        [0, ..] => return Err(Error::damaged("a record has bytes too many at its end")),
        rest => super::read("a record's places", rest)?,
    };
    let mut text = if wire.packed.is_empty() {
        bytes.slice_ref(wire.literals)
    } else {
        base64::unpack(wire.literals, &wire.packed)?.into()
    };
    let (gaps, items) = (&wire.gap_lens, &wire.item_lens);
    if items.len() > MAX_ITEMS || gaps.len() > MAX_ITEMS + 1 || items.contains(&0) {
        return Err(Error::damaged(
            "a record has more items than a document may have, or empty ones",
        ));
    }
    if wire.gap_times.len() != wire.gap_lens.len() {
        return Err(Error::damaged("a record's gaps do not add up"));
    }
    let mut take = |len: u32| {
        if text.len() < len as usize {
            return Err(Error::damaged("a record has fewer literals than it names"));
        }
        Ok(text.split_to(len as usize))
    };
    let mut gaps = Vec::with_capacity(wire.gap_lens.len());
    for (times, len) in wire.gap_times.into_iter().zip(wire.gap_lens) {
        gaps.push(Gap {
            times,
            text: take(len)?,
        });
    }
    let items = wire
        .item_lens
        .into_iter()
        .map(&mut take)
        .collect::<Result<Vec<_>>>()?;
    if !text.is_empty() {
        return Err(Error::damaged("a record has more literals than it names"));
    }
    Ok(Delta {
        gaps: Patch {
            runs: wire.gap_runs,
            new: gaps,
        },
        items: Patch {
            runs: wire.item_runs,
            new: items,
        },
        places,
    })
}
