//! Rows to and from SQLite's columns.

use rusqlite::Row;

use super::super::{RecordRow, SessionRow, SnapshotRow};
use crate::codec::checksum::Checksum;

pub(super) const SESSION: &str = "id, name, head, checksum";
pub(super) const SNAPSHOT: &str = "seq, session, created_at, kind, flags, size, stored, parent, \
                                   state, epoch, name, detail, checksum";
pub(super) const RECORD: &str = "seq, session, count, parent, data, checksum";

pub(super) fn session(row: &Row<'_>) -> rusqlite::Result<SessionRow> {
    Ok(SessionRow {
        id: row.get(0)?,
        name: row.get(1)?,
        head: row.get(2)?,
        checksum: checksum(row, 3)?,
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

/// A checksum of another length matches nothing, so the row counts as damaged by whoever reads it.
fn checksum(row: &Row<'_>, column: usize) -> rusqlite::Result<Checksum> {
    let bytes = row.get_ref(column)?.as_blob()?;
    Ok(bytes.try_into().unwrap_or([0; 16]))
}
