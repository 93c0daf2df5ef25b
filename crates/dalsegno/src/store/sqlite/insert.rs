//! Rows into SQLite's columns.

use rusqlite::Statement;

use crate::store::seal::SealedSession;
use crate::store::{NoteRow, OperationRow, PolicyRow, RecordRow, SnapshotRow, TrashRow};

type Sql<T> = rusqlite::Result<T>;

/// A row as its table takes it.
pub(super) trait Insert {
    /// How it is added.
    const INSERT: &'static str;

    fn insert(&self, statement: &mut Statement<'_>) -> Sql<()>;
}

/// The same, where a row may stand there.
pub(super) fn or_replace(insert: &str) -> String {
    insert.replacen("INSERT", "INSERT OR REPLACE", 1)
}

/// The same, where a row may stand there, which stays.
pub(super) fn or_ignore(insert: &str) -> String {
    insert.replacen("INSERT", "INSERT OR IGNORE", 1)
}

impl Insert for SealedSession {
    const INSERT: &'static str =
        "INSERT INTO session (id, name, head, checksum, era, key) VALUES (?, ?, ?, ?, ?, ?)";

    fn insert(&self, statement: &mut Statement<'_>) -> Sql<()> {
        let Self { row, key } = self;
        let columns = (row.id, &row.name, row.head, &row.checksum[..], row.era, key);
        statement.execute(columns).map(|_| ())
    }
}

impl Insert for SnapshotRow {
    const INSERT: &'static str = "INSERT INTO snapshot
    (seq, session, created_at, kind, flags, size, stored, parent, state, epoch, name, detail, checksum)
    VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)";

    fn insert(&self, statement: &mut Statement<'_>) -> Sql<()> {
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
    const INSERT: &'static str = "INSERT INTO trash
    (seq, session, created_at, kind, flags, size, stored, parent, state, epoch, name, detail, checksum,
     deleted_at, keep_until) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)";

    fn insert(&self, statement: &mut Statement<'_>) -> Sql<()> {
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
    const INSERT: &'static str = "INSERT INTO record (seq, session, count, parent, data, checksum) VALUES (?, ?, ?, ?, ?, ?)";

    fn insert(&self, statement: &mut Statement<'_>) -> Sql<()> {
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
    const INSERT: &'static str = "INSERT INTO operation (seq, session, verb, status, detail, checksum) VALUES (?, ?, ?, ?, ?, ?)";

    fn insert(&self, statement: &mut Statement<'_>) -> Sql<()> {
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
    const INSERT: &'static str =
        "INSERT INTO policy (id, pattern, detail, checksum) VALUES (?, ?, ?, ?)";

    fn insert(&self, statement: &mut Statement<'_>) -> Sql<()> {
        let columns = (self.id, &self.pattern, &self.detail, &self.checksum[..]);
        statement.execute(columns).map(|_| ())
    }
}

impl Insert for NoteRow {
    const INSERT: &'static str =
        "INSERT INTO note (kind, session, id, detail, checksum) VALUES (?, ?, ?, ?, ?)";

    fn insert(&self, statement: &mut Statement<'_>) -> Sql<()> {
        let (kind, session, id) = self.key();
        let columns = (kind, session, id, &self.detail, &self.checksum[..]);
        statement.execute(columns).map(|_| ())
    }
}
