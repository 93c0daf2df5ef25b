//! Rows to and from SQLite's columns.

use rusqlite::Row;

use super::super::{
    NoteRow, OperationRow, PolicyRow, RecordRow, SessionRow, SnapshotRow, TrashRow,
};
use crate::codec::checksum::Checksum;
use crate::store::seal::SealedSession;

pub(super) const SESSION: &str = "id, name, head, checksum, era, key";
/// In a file of formats 2 and 3.
pub(super) const SESSION_3: &str = "id, name, head, checksum, era, x''";
/// In a file of format 1.
pub(super) const SESSION_1: &str = "id, name, head, checksum, 0, x''";
const SNAPSHOT: &str = "seq, session, created_at, kind, flags, size, stored, parent, \
                                   state, epoch, name, detail, checksum";
const RECORD: &str = "seq, session, count, parent, data, checksum";
/// The checksum of the snapshot itself is left out.
const TRASH: &str = "seq, session, created_at, kind, flags, size, stored, parent, \
                                state, epoch, name, detail, checksum, deleted_at, keep_until";
const OPERATION: &str = "seq, session, verb, status, detail, checksum";
const POLICY: &str = "id, pattern, detail, checksum";
const NOTE: &str = "kind, session, id, detail, checksum";

/// A row of one of the tables.
pub(super) trait Stored: Sized {
    const TABLE: &'static str;
    /// As [`read`](Self::read) takes them.
    const COLUMNS: &'static str;
    /// Which row it is.
    const KEY: &'static str;

    /// The columns of the key, in order.
    const ORDER: &'static str;

    /// What stands for the marks in the key.
    fn key(&self) -> Vec<i64>;

    fn read(row: &Row<'_>) -> rusqlite::Result<Self>;
}

impl Stored for SealedSession {
    const TABLE: &'static str = "session";
    const COLUMNS: &'static str = SESSION;
    const KEY: &'static str = "id = ?";
    const ORDER: &'static str = "id";

    fn key(&self) -> Vec<i64> {
        vec![self.row.id]
    }

    fn read(row: &Row<'_>) -> rusqlite::Result<Self> {
        Ok(Self {
            row: SessionRow {
                id: row.get(0)?,
                name: row.get(1)?,
                head: row.get(2)?,
                checksum: checksum(row, 3)?,
                era: row.get(4)?,
            },
            key: row.get(5)?,
        })
    }
}

impl Stored for SnapshotRow {
    const TABLE: &'static str = "snapshot";
    const COLUMNS: &'static str = SNAPSHOT;
    const KEY: &'static str = "seq = ?";
    const ORDER: &'static str = "seq";

    fn key(&self) -> Vec<i64> {
        vec![self.seq]
    }

    fn read(row: &Row<'_>) -> rusqlite::Result<Self> {
        Ok(Self {
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
}

impl Stored for RecordRow {
    const TABLE: &'static str = "record";
    const COLUMNS: &'static str = RECORD;
    const KEY: &'static str = "seq = ?";
    const ORDER: &'static str = "seq";

    fn key(&self) -> Vec<i64> {
        vec![self.seq]
    }

    fn read(row: &Row<'_>) -> rusqlite::Result<Self> {
        Ok(Self {
            seq: row.get(0)?,
            session: row.get(1)?,
            count: row.get(2)?,
            parent: row.get(3)?,
            data: row.get(4)?,
            checksum: checksum(row, 5)?,
        })
    }
}

impl Stored for TrashRow {
    const TABLE: &'static str = "trash";
    const COLUMNS: &'static str = TRASH;
    const KEY: &'static str = "seq = ?";
    const ORDER: &'static str = "seq";

    fn key(&self) -> Vec<i64> {
        vec![self.snapshot.seq]
    }

    fn read(row: &Row<'_>) -> rusqlite::Result<Self> {
        let mut snapshot = SnapshotRow::read(row)?;
        let checksum = std::mem::take(&mut snapshot.checksum);
        Ok(Self {
            snapshot,
            deleted_at: row.get(13)?,
            keep_until: row.get(14)?,
            checksum,
        })
    }
}

impl Stored for OperationRow {
    const TABLE: &'static str = "operation";
    const COLUMNS: &'static str = OPERATION;
    const KEY: &'static str = "seq = ?";
    const ORDER: &'static str = "seq";

    fn key(&self) -> Vec<i64> {
        vec![self.seq]
    }

    fn read(row: &Row<'_>) -> rusqlite::Result<Self> {
        Ok(Self {
            seq: row.get(0)?,
            session: row.get(1)?,
            verb: row.get(2)?,
            status: row.get(3)?,
            detail: row.get(4)?,
            checksum: checksum(row, 5)?,
        })
    }
}

impl Stored for PolicyRow {
    const TABLE: &'static str = "policy";
    const COLUMNS: &'static str = POLICY;
    const KEY: &'static str = "id = ?";
    const ORDER: &'static str = "id";

    fn key(&self) -> Vec<i64> {
        vec![self.id]
    }

    fn read(row: &Row<'_>) -> rusqlite::Result<Self> {
        Ok(Self {
            id: row.get(0)?,
            pattern: row.get(1)?,
            detail: row.get(2)?,
            checksum: checksum(row, 3)?,
        })
    }
}

impl Stored for NoteRow {
    const TABLE: &'static str = "note";
    const COLUMNS: &'static str = NOTE;
    const KEY: &'static str = "kind = ? AND session = ? AND id = ?";
    const ORDER: &'static str = "kind, session, id";

    fn key(&self) -> Vec<i64> {
        vec![self.kind, self.session, self.id]
    }

    fn read(row: &Row<'_>) -> rusqlite::Result<Self> {
        Ok(Self {
            kind: row.get(0)?,
            session: row.get(1)?,
            id: row.get(2)?,
            detail: row.get(3)?,
            checksum: checksum(row, 4)?,
        })
    }
}

/// A checksum of another length matches nothing, so the row counts as damaged by whoever reads it.
fn checksum(row: &Row<'_>, column: usize) -> rusqlite::Result<Checksum> {
    let bytes = row.get_ref(column)?.as_blob()?;
    Ok(bytes.try_into().unwrap_or([0; 16]))
}
