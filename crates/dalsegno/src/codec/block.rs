//! A block: consecutive records of one session, compressed together.

use bytes::Bytes;
use serde::{Deserialize, Serialize};

use crate::error::{Error, Result};

/// A record and its place in the session.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Entry {
    pub(crate) seq: i64,
    /// The record it builds on; `None` for a base.
    pub(crate) parent: Option<i64>,
    pub(crate) record: Bytes,
}

#[derive(Serialize, Deserialize)]
struct Wire<'a> {
    heads: Vec<Head>,
    #[serde(borrow, with = "serde_bytes")]
    records: &'a [u8],
}

#[derive(Serialize, Deserialize)]
struct Head {
    /// The distance to the entry before; of the first, its sequence number.
    seq: u64,
    /// 0: none; 1: the entry before; else the distance back, plus one.
    parent: u64,
    len: u32,
}

/// The payload of a row that holds `entries`, which are in order.
pub(crate) fn encode(entries: &[Entry]) -> Result<Vec<u8>> {
    let mut before = None;
    let mut heads = Vec::with_capacity(entries.len());
    let mut records = Vec::with_capacity(entries.iter().map(|e| e.record.len()).sum());
    for entry in entries {
        let far = |from: i64| {
            entry
                .seq
                .checked_sub(from)
                .and_then(|d| u64::try_from(d).ok())
        };
        let out_of_order = || Error::storage("records out of order in a block");
        heads.push(Head {
            seq: far(before.unwrap_or(0)).ok_or_else(out_of_order)?,
            parent: match entry.parent {
                None => 0,
                parent if parent == before => 1,
                Some(parent) => far(parent).ok_or_else(out_of_order)?.saturating_add(1),
            },
            len: u32::try_from(entry.record.len())
                .map_err(|_| Error::invalid("a record is too large"))?,
        });
        records.extend_from_slice(&entry.record);
        before = Some(entry.seq);
    }
    super::write(
        "writing a block",
        &Wire {
            heads,
            records: &records,
        },
    )
}

/// The entries again; they share the memory of `payload`.
///
/// # Errors
/// `Damaged` where the payload is not a block.
pub(crate) fn decode(payload: &Bytes) -> Result<Vec<Entry>> {
    let wire: Wire<'_> = super::read("a block", payload)?;
    let mut records = payload.slice_ref(wire.records);
    let mut entries: Vec<Entry> = Vec::with_capacity(wire.heads.len());
    let odd = || Error::damaged("a block's entries do not add up");
    for head in wire.heads {
        let before = entries.last().map(|e| e.seq);
        let step = i64::try_from(head.seq).map_err(|_| odd())?;
        let seq = before.unwrap_or(0).checked_add(step).ok_or_else(odd)?;
        let parent = match head.parent {
            0 => None,
            1 => Some(before.ok_or_else(odd)?),
            far => Some(
                i64::try_from(far - 1)
                    .map_err(|_| odd())
                    .map(|far| seq - far)?,
            ),
        };
        if records.len() < head.len as usize || parent.is_some_and(|p| p >= seq) {
            return Err(odd());
        }
        entries.push(Entry {
            seq,
            parent,
            record: records.split_to(head.len as usize),
        });
    }
    if records.is_empty() {
        Ok(entries)
    } else {
        Err(odd())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(seq: i64, parent: Option<i64>) -> Entry {
        Entry {
            seq,
            parent,
            record: Bytes::from(seq.to_string()),
        }
    }

    #[test]
    fn entries_come_back() {
        let far = 1 << 59;
        let entries = vec![
            entry(3, None),
            entry(far, Some(3)),
            entry(far + 9, Some(2)),
            entry(far + 10, Some(far + 9)),
        ];
        let payload = Bytes::from(encode(&entries).unwrap());
        assert_eq!(decode(&payload).unwrap(), entries);
    }

    #[test]
    fn any_byte_changed_is_an_error_or_other_entries_but_no_panic() {
        let entries = vec![
            entry(3, None),
            entry(70_000, Some(3)),
            entry(70_001, Some(70_000)),
        ];
        let payload = encode(&entries).unwrap();
        for at in 0..payload.len() {
            for byte in 0..=255 {
                let mut bent = payload.clone();
                bent[at] = byte;
                let _ = decode(&Bytes::from(bent));
            }
            assert!(decode(&Bytes::copy_from_slice(&payload[..at])).is_err());
        }
    }
}
