//! Sequence numbers, and turning what is to be added into rows: the same in every store.

use super::rows::{PINNED, UNCHANGED};
use super::{Link, NewSnapshot, NewState, OperationRow, RecordRow, Row, SnapshotRow};
use crate::error::{Error, Result};
use crate::model::StoreId;

/// The first sequence number that may be given after `last` at `now` (microseconds): the time
/// in milliseconds and 4,096ths of one, or `last` plus one where the clock is behind.
pub(crate) fn next(last: Option<i64>, now: i64) -> i64 {
    let millis = now.div_euclid(1000).clamp(0, (1 << 48) - 1);
    let micros = now.rem_euclid(1000);
    // 0 stands for none.
    let by_clock = ((millis << 12) | ((micros << 12) / 1000)).max(1);
    last.map_or(by_clock, |last| by_clock.max(last.saturating_add(1)))
}

/// Gives sequence numbers, from one transaction's view of the last one.
pub(crate) struct Sequencer<'a> {
    pub(crate) store: &'a StoreId,
    pub(crate) last: Option<i64>,
}

impl Sequencer<'_> {
    /// The rows for `new`, after `parent`, the session's newest so far; `added` are the rows of the
    /// same write before it.
    pub(crate) fn rows(
        &mut self,
        session: i64,
        new: &NewSnapshot,
        parent: Option<i64>,
        added: &[SnapshotRow],
    ) -> Result<Added> {
        let seq = next(self.last, new.now);
        if seq >= 1 << 60 {
            return Err(Error::storage("the store has run out of sequence numbers"));
        }
        self.last = Some(seq);
        let resolve = |link: Link| match link {
            Link::Seq(seq) => Ok(seq),
            Link::Here(index) => added
                .get(index)
                .map(SnapshotRow::state_seq)
                .ok_or_else(|| Error::invalid("a snapshot refers to one that comes after it")),
        };
        let mut snapshot = SnapshotRow {
            seq,
            session,
            created_at: new.created_at,
            kind: new.kind,
            flags: new.flags & (UNCHANGED | PINNED),
            size: new.size,
            stored: 0,
            parent,
            state: None,
            epoch: new.epoch,
            name: new.name.clone(),
            detail: new.detail.clone(),
            checksum: [0; 16],
        };
        let record = match &new.state {
            NewState::Same(link) => {
                snapshot.state = Some(resolve(*link)?);
                None
            }
            NewState::Record { parent, data } => {
                snapshot.stored = i64::try_from(data.len()).unwrap_or(i64::MAX);
                let mut record = RecordRow {
                    seq,
                    session,
                    count: 1,
                    parent: parent.map(resolve).transpose()?,
                    data: data.clone(),
                    checksum: [0; 16],
                };
                record.checksum = record.compute(self.store);
                Some(record)
            }
        };
        snapshot.checksum = snapshot.compute(self.store);
        let operation = new.operation.as_ref().map(|new| {
            let row = OperationRow {
                seq,
                session,
                verb: new.verb,
                status: new.status,
                detail: new.detail.clone(),
                checksum: [0; 16],
            };
            row.summed(self.store)
        });
        Ok(Added {
            snapshot,
            record,
            operation,
        })
    }
}

/// The rows of one new snapshot.
pub(crate) struct Added {
    pub(crate) snapshot: SnapshotRow,
    pub(crate) record: Option<RecordRow>,
    pub(crate) operation: Option<OperationRow>,
}

#[cfg(test)]
mod tests {
    use super::next;

    #[test]
    fn numbers_follow_the_clock_and_never_go_back() {
        let noon = 1_790_000_000_000_000;
        let first = next(None, noon);
        assert_eq!(
            first >> 12,
            noon / 1000,
            "the time in milliseconds stands in it"
        );
        assert!(
            next(Some(first), noon + 1) > first,
            "a microsecond makes a difference"
        );
        assert_eq!(next(Some(first), noon), first + 1);
        assert_eq!(
            next(Some(first), noon - 86_400_000_000),
            first + 1,
            "the clock went back"
        );
        assert!(next(None, -5) > 0, "before 1970");
    }
}
