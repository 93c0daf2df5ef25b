//! Rows that make way for others, in one transaction.

use rusqlite::{
    CachedStatement, Connection, ErrorCode, OptionalExtension, Transaction, TransactionBehavior,
};

use super::error::translate;
use super::{StoreInfo, rows, schema};
use crate::codec::checksum::Checksum;
use crate::error::Result;
use crate::store::{
    Exchange, NoteRow, OperationRow, PolicyRow, RecordRow, Rows, SessionRow, SnapshotRow, TrashRow,
};

type Sql<T> = rusqlite::Result<T>;

pub(super) fn exchange(
    connection: &mut Connection,
    info: &StoreInfo,
    exchange: &Exchange,
) -> Result<bool> {
    let failed = |e| translate("changing the store", e);
    let transaction = connection
        .transaction_with_behavior(TransactionBehavior::Immediate)
        .map_err(failed)?;
    let last = schema::last(&transaction).map_err(failed)?;
    if !take(&transaction, &exchange.take).map_err(failed)? {
        return Ok(false);
    }
    for (id, era) in &exchange.raise {
        if !raise(&transaction, info, *id, *era).map_err(failed)? {
            return Ok(false);
        }
    }
    match put(&transaction, &exchange.put) {
        Ok(()) => {}
        // A key or a name is taken.
        Err(rusqlite::Error::SqliteFailure(e, _)) if e.code == ErrorCode::ConstraintViolation => {
            return Ok(false);
        }
        Err(error) => return Err(failed(error)),
    }
    if schema::last(&transaction).map_err(failed)? < last {
        schema::keep_last(&transaction, info, last).map_err(failed)?;
    }
    transaction.commit().map_err(failed)?;
    Ok(true)
}

/// Deletes the rows; false where one is not there as it is known.
fn take(transaction: &Transaction<'_>, rows: &Rows) -> Sql<bool> {
    let Rows {
        sessions,
        snapshots,
        trash,
        records,
        operations,
        policies,
        notes,
    } = rows;
    let all = |table, key, rows: &mut dyn Iterator<Item = (i64, Checksum)>| {
        delete(transaction, table, key, rows)
    };
    let sessions = &mut sessions.iter().map(|r| (r.id, r.checksum));
    let snapshots = &mut snapshots.iter().map(|r| (r.seq, r.checksum));
    let trash = &mut trash.iter().map(|r| (r.snapshot.seq, r.checksum));
    let records = &mut records.iter().map(|r| (r.seq, r.checksum));
    let operations = &mut operations.iter().map(|r| (r.seq, r.checksum));
    let policies = &mut policies.iter().map(|r| (r.id, r.checksum));
    Ok(all("session", "id", sessions)?
        && all("snapshot", "seq", snapshots)?
        && all("trash", "seq", trash)?
        && all("record", "seq", records)?
        && all("operation", "seq", operations)?
        && all("policy", "id", policies)?
        && delete_notes(transaction, notes)?)
}

fn delete_notes(transaction: &Transaction<'_>, notes: &[NoteRow]) -> Sql<bool> {
    if notes.is_empty() {
        return Ok(true);
    }
    let mut delete = transaction.prepare_cached(
        "DELETE FROM note WHERE kind = ? AND session = ? AND id = ? AND checksum = ?",
    )?;
    for note in notes {
        let (kind, session, id) = note.key();
        if delete.execute((kind, session, id, &note.checksum[..]))? != 1 {
            return Ok(false);
        }
    }
    Ok(true)
}

/// Raises the era of a session; false where it has another.
fn raise(transaction: &Transaction<'_>, info: &StoreInfo, id: i64, era: i64) -> Sql<bool> {
    let sql = format!("SELECT {} FROM session WHERE id = ?", rows::SESSION);
    let row = transaction
        .prepare_cached(&sql)?
        .query_row([id], rows::session)
        .optional()?;
    let Some(row) = row.filter(|row| row.era == era && row.is_intact(&info.id)) else {
        return Ok(false);
    };
    let raised = SessionRow {
        era: era + 1,
        ..row
    };
    let raised = raised.sealed(&info.id);
    transaction
        .prepare_cached("UPDATE session SET era = ?, checksum = ? WHERE id = ?")?
        .execute((raised.era, &raised.checksum[..], id))
        .map(|changed| changed == 1)
}

fn delete(
    transaction: &Transaction<'_>,
    table: &str,
    key: &str,
    rows: &mut dyn Iterator<Item = (i64, Checksum)>,
) -> Sql<bool> {
    let sql = format!("DELETE FROM {table} WHERE {key} = ? AND checksum = ?");
    let mut delete = transaction.prepare_cached(&sql)?;
    for (key, checksum) in rows {
        if delete.execute((key, &checksum[..]))? != 1 {
            return Ok(false);
        }
    }
    Ok(true)
}

fn put(transaction: &Transaction<'_>, rows: &Rows) -> Sql<()> {
    let Rows {
        sessions,
        snapshots,
        trash,
        records,
        operations,
        policies,
        notes,
    } = rows;
    insert(transaction, INSERT_SESSION, sessions)?;
    insert(transaction, INSERT_SNAPSHOT, snapshots)?;
    insert(transaction, INSERT_TRASH, trash)?;
    insert(transaction, INSERT_RECORD, records)?;
    insert(transaction, INSERT_OPERATION, operations)?;
    insert(transaction, INSERT_POLICY, policies)?;
    insert(transaction, INSERT_NOTE, notes)
}

fn insert(transaction: &Transaction<'_>, sql: &str, rows: &[impl Insert]) -> Sql<()> {
    if rows.is_empty() {
        return Ok(());
    }
    let mut statement = transaction.prepare_cached(sql)?;
    rows.iter().try_for_each(|row| row.insert(&mut statement))
}

const INSERT_SESSION: &str =
    "INSERT INTO session (id, name, head, checksum, era) VALUES (?, ?, ?, ?, ?)";
pub(super) const INSERT_SNAPSHOT: &str = "INSERT INTO snapshot
    (seq, session, created_at, kind, flags, size, stored, parent, state, epoch, name, detail, checksum)
    VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)";
const INSERT_TRASH: &str = "INSERT INTO trash
    (seq, session, created_at, kind, flags, size, stored, parent, state, epoch, name, detail, checksum,
     deleted_at, keep_until) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)";
pub(super) const INSERT_RECORD: &str =
    "INSERT INTO record (seq, session, count, parent, data, checksum) VALUES (?, ?, ?, ?, ?, ?)";
pub(super) const INSERT_OPERATION: &str = "INSERT INTO operation (seq, session, verb, status, detail, checksum) VALUES (?, ?, ?, ?, ?, ?)";
const INSERT_POLICY: &str =
    "INSERT INTO policy (id, pattern, detail, checksum) VALUES (?, ?, ?, ?)";
const INSERT_NOTE: &str =
    "INSERT INTO note (kind, session, id, detail, checksum) VALUES (?, ?, ?, ?, ?)";

/// A row as its table takes it.
pub(super) trait Insert {
    fn insert(&self, statement: &mut CachedStatement<'_>) -> Sql<()>;
}

impl Insert for SessionRow {
    fn insert(&self, statement: &mut CachedStatement<'_>) -> Sql<()> {
        let columns = (self.id, &self.name, self.head, &self.checksum[..], self.era);
        statement.execute(columns).map(|_| ())
    }
}

impl Insert for SnapshotRow {
    fn insert(&self, statement: &mut CachedStatement<'_>) -> Sql<()> {
        let columns = rusqlite::params![
            self.seq,
            self.session,
            self.created_at,
            self.kind,
            self.flags,
            self.size,
            self.stored,
            self.parent,
            self.state,
            self.epoch,
            self.name,
            self.detail,
            &self.checksum[..],
        ];
        statement.execute(columns).map(|_| ())
    }
}

impl Insert for TrashRow {
    fn insert(&self, statement: &mut CachedStatement<'_>) -> Sql<()> {
        let row = &self.snapshot;
        let columns = rusqlite::params![
            row.seq,
            row.session,
            row.created_at,
            row.kind,
            row.flags,
            row.size,
            row.stored,
            row.parent,
            row.state,
            row.epoch,
            row.name,
            row.detail,
            &self.checksum[..],
            self.deleted_at,
            self.keep_until,
        ];
        statement.execute(columns).map(|_| ())
    }
}

impl Insert for RecordRow {
    fn insert(&self, statement: &mut CachedStatement<'_>) -> Sql<()> {
        let columns = rusqlite::params![
            self.seq,
            self.session,
            self.count,
            self.parent,
            self.data,
            &self.checksum[..]
        ];
        statement.execute(columns).map(|_| ())
    }
}

impl Insert for OperationRow {
    fn insert(&self, statement: &mut CachedStatement<'_>) -> Sql<()> {
        let columns = (
            self.seq,
            self.session,
            self.verb,
            self.status,
            &self.detail,
            &self.checksum[..],
        );
        statement.execute(columns).map(|_| ())
    }
}

impl Insert for PolicyRow {
    fn insert(&self, statement: &mut CachedStatement<'_>) -> Sql<()> {
        let columns = (self.id, &self.pattern, &self.detail, &self.checksum[..]);
        statement.execute(columns).map(|_| ())
    }
}

impl Insert for NoteRow {
    fn insert(&self, statement: &mut CachedStatement<'_>) -> Sql<()> {
        let (kind, session, id) = self.key();
        let columns = (kind, session, id, &self.detail, &self.checksum[..]);
        statement.execute(columns).map(|_| ())
    }
}
