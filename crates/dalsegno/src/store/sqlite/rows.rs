//! Rows to and from SQLite's columns.

use rusqlite::Row;

use super::super::{
    NoteRow, OperationRow, PolicyRow, RecordRow, SessionRow, SnapshotRow, TrashRow,
};
use crate::codec::checksum::Checksum;

pub(super) const SESSION: &str = "id, name, head, checksum, era";
/// In a file of format 1.
pub(super) const SESSION_1: &str = "id, name, head, checksum, 0";
pub(super) const SNAPSHOT: &str = "seq, session, created_at, kind, flags, size, stored, parent, \
                                   state, epoch, name, detail, checksum";
pub(super) const RECORD: &str = "seq, session, count, parent, data, checksum";
/// The checksum of the snapshot itself is left out.
pub(super) const TRASH: &str = "seq, session, created_at, kind, flags, size, stored, parent, \
                                state, epoch, name, detail, checksum, deleted_at, keep_until";
pub(super) const OPERATION: &str = "seq, session, verb, status, detail, checksum";
pub(super) const POLICY: &str = "id, pattern, detail, checksum";
pub(super) const NOTE: &str = "kind, session, id, detail, checksum";

pub(super) fn session(row: &Row<'_>) -> rusqlite::Result<SessionRow> {
    Ok(SessionRow {
        id: row.get(0)?,
        name: row.get(1)?,
        head: row.get(2)?,
        checksum: checksum(row, 3)?,
        era: row.get(4)?,
    })
}

pub(super) fn snapshot(row: &Row<'_>) -> rusqlite::Result<SnapshotRow> {
    Ok(SnapshotRow {
        seq: row.get(0)?,
        session: row.get(1)?,
        created_at: row.get(2)?,
        kind: row.get(3)?,
        flags: row.get(4)?,
        size: row.get(5)?,
        stored: row.get(6)?,
        parent: row.get(7)?,
        state: row.get(8)?,
        epoch: row.get(9)?,
        name: row.get(10)?,
        detail: row.get(11)?,
        checksum: checksum(row, 12)?,
    })
}

pub(super) fn record(row: &Row<'_>) -> rusqlite::Result<RecordRow> {
    Ok(RecordRow {
        seq: row.get(0)?,
        session: row.get(1)?,
        count: row.get(2)?,
        parent: row.get(3)?,
        data: row.get(4)?,
        checksum: checksum(row, 5)?,
    })
}

pub(super) fn trash(row: &Row<'_>) -> rusqlite::Result<TrashRow> {
    let mut snapshot = snapshot(row)?;
    let checksum = std::mem::take(&mut snapshot.checksum);
    Ok(TrashRow {
        snapshot,
        deleted_at: row.get(13)?,
        keep_until: row.get(14)?,
        checksum,
    })
}

pub(super) fn operation(row: &Row<'_>) -> rusqlite::Result<OperationRow> {
    Ok(OperationRow {
        seq: row.get(0)?,
        session: row.get(1)?,
        verb: row.get(2)?,
        status: row.get(3)?,
        detail: row.get(4)?,
        checksum: checksum(row, 5)?,
    })
}

pub(super) fn policy(row: &Row<'_>) -> rusqlite::Result<PolicyRow> {
    Ok(PolicyRow {
        id: row.get(0)?,
        pattern: row.get(1)?,
        detail: row.get(2)?,
        checksum: checksum(row, 3)?,
    })
}

pub(super) fn note(row: &Row<'_>) -> rusqlite::Result<NoteRow> {
    Ok(NoteRow {
        kind: row.get(0)?,
        session: row.get(1)?,
        id: row.get(2)?,
        detail: row.get(3)?,
        checksum: checksum(row, 4)?,
    })
}

/// A checksum of another length matches nothing, so the row counts as damaged by whoever reads it.
fn checksum(row: &Row<'_>, column: usize) -> rusqlite::Result<Checksum> {
    let bytes = row.get_ref(column)?.as_blob()?;
    Ok(bytes.try_into().unwrap_or([0; 16]))
}
