//! The tables of format 4, how a new store file is made, and how one of an older format becomes one of 4.

use rusqlite::{Connection, Transaction};

use super::error::translate;
use super::keys;
use crate::clock::Clock;
use crate::codec::checksum::{Checksum, RowHasher};
use crate::error::{Error, Result};
use crate::key::Secret;
use crate::model::StoreId;
use crate::store::{NoteRow, StoreInfo};

/// `DSEG` in the header of the file, where `file` and SQLite look for whose database it is.
pub(super) const APPLICATION_ID: i32 = i32::from_be_bytes(*b"DSEG");

/// The version of the format, in the header's user version.
pub(super) const FORMAT: u32 = 4;

/// The oldest format that can be read; it is upgraded where it can be written.
const OLDEST: u32 = 1;

/// The tables, one statement each, exactly as SQLite keeps them; `verify` compares.
///
/// Snapshots and loose records are appended in commit order, which is many times cheaper than
/// clustering them by session. From a session's head, each snapshot leads to the one before it: an
/// index would cost every tick a page for each session, and more with every day of history.
pub(super) const TABLES: [(&str, &str); 11] = [
    (
        "store",
        "CREATE TABLE store (id BLOB NOT NULL PRIMARY KEY, created_at INTEGER NOT NULL, checksum BLOB NOT NULL, last INTEGER NOT NULL DEFAULT 0, sealing INTEGER NOT NULL DEFAULT 0) STRICT, WITHOUT ROWID",
    ),
    (
        "session",
        "CREATE TABLE session (id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE, head INTEGER NOT NULL, checksum BLOB NOT NULL, era INTEGER NOT NULL DEFAULT 0, key BLOB NOT NULL DEFAULT x'') STRICT",
    ),
    (
        "snapshot",
        "CREATE TABLE snapshot (seq INTEGER PRIMARY KEY, session INTEGER NOT NULL, created_at INTEGER NOT NULL, kind INTEGER NOT NULL, flags INTEGER NOT NULL, size INTEGER NOT NULL, stored INTEGER NOT NULL, parent INTEGER, state INTEGER, epoch INTEGER NOT NULL, name TEXT, detail BLOB NOT NULL, checksum BLOB NOT NULL) STRICT",
    ),
    (
        "snapshot_name",
        "CREATE UNIQUE INDEX snapshot_name ON snapshot (name, session) WHERE name IS NOT NULL",
    ),
    (
        "record",
        "CREATE TABLE record (seq INTEGER PRIMARY KEY, session INTEGER NOT NULL, count INTEGER NOT NULL, parent INTEGER, data BLOB NOT NULL, checksum BLOB NOT NULL) STRICT",
    ),
    (
        "record_block",
        "CREATE INDEX record_block ON record (session) WHERE count > 1",
    ),
    (
        "trash",
        "CREATE TABLE trash (seq INTEGER PRIMARY KEY, session INTEGER NOT NULL, created_at INTEGER NOT NULL, kind INTEGER NOT NULL, flags INTEGER NOT NULL, size INTEGER NOT NULL, stored INTEGER NOT NULL, parent INTEGER, state INTEGER, epoch INTEGER NOT NULL, name TEXT, detail BLOB NOT NULL, deleted_at INTEGER NOT NULL, keep_until INTEGER NOT NULL, checksum BLOB NOT NULL) STRICT",
    ),
    (
        "operation",
        "CREATE TABLE operation (seq INTEGER PRIMARY KEY, session INTEGER NOT NULL, verb INTEGER NOT NULL, status INTEGER NOT NULL, detail BLOB NOT NULL, checksum BLOB NOT NULL) STRICT",
    ),
    (
        "operation_session",
        "CREATE INDEX operation_session ON operation (session)",
    ),
    (
        "policy",
        "CREATE TABLE policy (id INTEGER PRIMARY KEY, pattern TEXT NOT NULL UNIQUE, detail BLOB NOT NULL, checksum BLOB NOT NULL) STRICT",
    ),
    (
        "note",
        "CREATE TABLE note (kind INTEGER NOT NULL, session INTEGER NOT NULL, id INTEGER NOT NULL, detail BLOB NOT NULL, checksum BLOB NOT NULL, PRIMARY KEY (kind, session, id)) STRICT, WITHOUT ROWID",
    ),
];

/// What makes the tables of a format those of the next, by that format: rows stay as they are, for 0 and nothing add
/// nothing to their checksums. SQLite writes the new columns at the end of the tables' definitions.
const COLUMNS: [(u32, &str); 4] = [
    (
        1,
        "ALTER TABLE store ADD COLUMN last INTEGER NOT NULL DEFAULT 0",
    ),
    (
        1,
        "ALTER TABLE session ADD COLUMN era INTEGER NOT NULL DEFAULT 0",
    ),
    (
        3,
        "ALTER TABLE store ADD COLUMN sealing INTEGER NOT NULL DEFAULT 0",
    ),
    (
        3,
        "ALTER TABLE session ADD COLUMN key BLOB NOT NULL DEFAULT x''",
    ),
];

/// What a store begins as.
pub(crate) struct Begin<'a> {
    pub(crate) id: StoreId,
    /// In microseconds since 1970 (UTC).
    pub(crate) created_at: i64,
    /// The last sequence number that is given.
    pub(crate) last: i64,
    pub(crate) keys: Keys<'a>,
}

/// What opens a new store.
pub(crate) enum Keys<'a> {
    /// What opens one in clear: nothing.
    None,
    /// This, through a new root key.
    New(&'a Secret),
    /// What opens another store, of which this becomes a copy.
    Slots(&'a [NoteRow]),
}

impl<'a> Begin<'a> {
    /// A store of its own.
    pub(super) fn anew(clock: &dyn Clock, secret: Option<&'a Secret>) -> Self {
        Self {
            id: clock.random(),
            created_at: clock.now().as_microsecond(),
            last: 0,
            keys: secret.map_or(Keys::None, Keys::New),
        }
    }

    fn put(&self, transaction: &Transaction<'_>, clock: &dyn Clock) -> Result<()> {
        let failed = |e| translate("making the store", e);
        let sum = checksum(&self.id, self.created_at, self.last, 0);
        transaction
            .execute(
                "INSERT INTO store (id, created_at, checksum, last) VALUES (?, ?, ?, ?)",
                (&self.id[..], self.created_at, &sum[..], self.last),
            )
            .map_err(failed)?;
        let info = StoreInfo {
            id: self.id,
            format: FORMAT,
            created_at: self.created_at,
        };
        match self.keys {
            Keys::None => Ok(()),
            Keys::New(secret) => keys::begin(transaction, &info, secret, None, clock).map(drop),
            Keys::Slots(slots) => keys::go_on(transaction, &info, slots),
        }
    }
}

/// Makes the tables in an empty file, in one transaction.
pub(super) fn create(
    connection: &mut Connection,
    clock: &dyn Clock,
    begin: &Begin<'_>,
) -> Result<()> {
    create_as(connection, |transaction| begin.put(transaction, clock))
}

/// The same, where `begin` says what the store says of itself.
pub(super) fn create_as(
    connection: &mut Connection,
    begin: impl FnOnce(&Transaction<'_>) -> Result<()>,
) -> Result<()> {
    let failed = |e| translate("making the store", e);
    // These take effect only before the first table exists; WAL stays with the file.
    connection
        .execute_batch(
            "PRAGMA page_size=4096; PRAGMA auto_vacuum=INCREMENTAL; PRAGMA journal_mode=WAL",
        )
        .map_err(failed)?;
    let transaction = connection
        .transaction_with_behavior(rusqlite::TransactionBehavior::Exclusive)
        .map_err(failed)?;
    let tables: i64 = transaction
        .query_row("SELECT count(*) FROM sqlite_schema", (), |row| row.get(0))
        .map_err(failed)?;
    if tables > 0 {
        return Err(Error::conflict(
            "another program made a store there at the same time; nothing was changed",
        ));
    }
    let header = format!("PRAGMA application_id={APPLICATION_ID}; PRAGMA user_version={FORMAT}");
    transaction.execute_batch(&header).map_err(failed)?;
    for (_, statement) in TABLES {
        transaction.execute_batch(statement).map_err(failed)?;
    }
    begin(&transaction)?;
    transaction.commit().map_err(failed)
}

/// Reads what the file says of itself, and refuses what is no store of this format; with how often its encryption was
/// turned on or off, which is odd where it is on.
pub(super) fn read(connection: &Connection) -> Result<(StoreInfo, i64)> {
    let pragma = |name: &str| connection.pragma_query_value(None, name, |row| row.get::<_, i64>(0));
    let not_a_store = "this is not a Dalsegno store";
    let application = pragma("application_id").map_err(|e| translate(not_a_store, e))?;
    if application != i64::from(APPLICATION_ID) {
        let tables = "SELECT count(*) FROM sqlite_schema";
        let tables: i64 = connection
            .query_row(tables, (), |row| row.get(0))
            .map_err(|e| translate(not_a_store, e))?;
        return Err(Error::invalid(if application == 0 && tables == 0 {
            format!("{not_a_store} yet: the file is empty; delete it and run `init`")
        } else {
            format!("{not_a_store} but another program's SQLite database")
        }));
    }
    let format = pragma("user_version").map_err(|e| translate(not_a_store, e))?;
    let known = u32::try_from(format).ok();
    let Some(format) = known.filter(|format| (OLDEST..=FORMAT).contains(format)) else {
        return Err(Error::storage(format!(
            "the store has format {format}; this program reads formats {OLDEST} to {FORMAT} \
             (use a newer version)"
        )));
    };
    let foreign = "SELECT count(*) FROM sqlite_schema WHERE type IN ('trigger', 'view')";
    let foreign: i64 = connection
        .query_row(foreign, (), |row| row.get(0))
        .map_err(|e| translate(not_a_store, e))?;
    if foreign > 0 {
        return Err(Error::damaged(
            "somebody added triggers or views to the store, which would change what is saved; \
             remove them with SQLite",
        ));
    }
    let rest = match format {
        1 => "0, 0",
        2 | 3 => "last, 0",
        _ => "last, sealing",
    };
    let sql = format!("SELECT id, created_at, checksum, {rest} FROM store");
    let (id, created_at, stored, last, sealing): (Vec<u8>, i64, Vec<u8>, i64, i64) = connection
        .query_row(&sql, (), |row| {
            Ok((
                row.get(0)?,
                row.get(1)?,
                row.get(2)?,
                row.get(3)?,
                row.get(4)?,
            ))
        })
        .map_err(|e| translate("reading what the store says of itself", e))?;
    let id: StoreId = id
        .try_into()
        .map_err(|_| Error::damaged("the store's id is damaged"))?;
    if checksum(&id, created_at, last, sealing)[..] != stored {
        return Err(Error::damaged(
            "the store's own row is damaged: its checksum differs",
        ));
    }
    let info = StoreInfo {
        id,
        format,
        created_at,
    };
    Ok((info, sealing))
}

/// Makes a store of an older format one of this, in one transaction.
pub(super) fn upgrade(connection: &mut Connection) -> Result<()> {
    let failed = |e| translate("upgrading the store to format 4", e);
    let transaction = connection
        .transaction_with_behavior(rusqlite::TransactionBehavior::Immediate)
        .map_err(failed)?;
    let format: u32 = transaction
        .pragma_query_value(None, "user_version", |row| row.get(0))
        .map_err(failed)?;
    // Another program may have been first.
    if format < FORMAT {
        for (of, statement) in COLUMNS {
            if format <= of {
                transaction.execute_batch(statement).map_err(failed)?;
            }
        }
        let there = "SELECT count(*) FROM sqlite_schema WHERE name = ?";
        for (name, statement) in TABLES {
            let there: i64 = transaction
                .query_row(there, [name], |row| row.get(0))
                .map_err(failed)?;
            if there == 0 {
                transaction.execute_batch(statement).map_err(failed)?;
            }
        }
        let header = format!("PRAGMA user_version={FORMAT}");
        transaction.execute_batch(&header).map_err(failed)?;
    }
    transaction.commit().map_err(failed)
}

/// Keeps the last sequence number where the rows that had it are gone.
pub(super) fn keep_last(
    connection: &Connection,
    info: &StoreInfo,
    last: i64,
) -> rusqlite::Result<()> {
    let sealing = connection.query_row("SELECT sealing FROM store", (), |row| row.get(0))?;
    say(connection, info, last, sealing)
}

/// Turns over to the next count of how often encryption was turned on or off.
pub(super) fn turn(connection: &Connection, info: &StoreInfo) -> rusqlite::Result<()> {
    let (last, sealing): (i64, i64) =
        connection.query_row("SELECT last, sealing FROM store", (), |row| {
            Ok((row.get(0)?, row.get(1)?))
        })?;
    say(connection, info, last, sealing + 1)
}

fn say(connection: &Connection, info: &StoreInfo, last: i64, sealing: i64) -> rusqlite::Result<()> {
    let checksum = checksum(&info.id, info.created_at, last, sealing);
    connection
        .prepare_cached("UPDATE store SET last = ?, sealing = ?, checksum = ?")?
        .execute((last, sealing, &checksum[..]))
        .map(|_| ())
}

/// The last sequence number that was given.
pub(super) fn last(connection: &Connection) -> rusqlite::Result<i64> {
    connection
        .prepare_cached(
            "SELECT max(coalesce((SELECT max(seq) FROM snapshot), 0),
                        coalesce((SELECT max(seq) FROM trash), 0),
                        coalesce((SELECT max(seq) FROM operation), 0),
                        (SELECT last FROM store))",
        )?
        .query_row((), |row| row.get(0))
}

pub(super) fn checksum(id: &StoreId, created_at: i64, last: i64, sealing: i64) -> Checksum {
    let mut row = RowHasher::new("store", id);
    row.int(created_at);
    // Older formats have no such columns.
    if last != 0 || sealing != 0 {
        row.int(last);
    }
    if sealing != 0 {
        row.int(sealing);
    }
    row.finish()
}
