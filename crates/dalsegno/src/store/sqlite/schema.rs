//! The tables of format 1, and how a new store file is made.

use rusqlite::Connection;

use super::error::translate;
use crate::clock::Clock;
use crate::codec::checksum::{Checksum, RowHasher};
use crate::error::{Error, Result};
use crate::model::StoreId;
use crate::store::StoreInfo;

/// `DSEG` in the header of the file, where `file` and SQLite look for whose database it is.
pub(super) const APPLICATION_ID: i32 = i32::from_be_bytes(*b"DSEG");

/// The version of the format, in the header's user version.
pub(super) const FORMAT: u32 = 1;

/// The tables, one statement each, exactly as SQLite keeps them; `verify` compares.
///
/// Snapshots and loose records are appended in commit order, which is many times cheaper than
/// clustering them by session. From a session's head, each snapshot leads to the one before it: an
/// index would cost every tick a page for each session, and more with every day of history.
pub(super) const TABLES: [(&str, &str); 6] = [
    (
        "store",
        "CREATE TABLE store (id BLOB NOT NULL PRIMARY KEY, created_at INTEGER NOT NULL, checksum BLOB NOT NULL) STRICT, WITHOUT ROWID",
    ),
    (
        "session",
        "CREATE TABLE session (id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE, head INTEGER NOT NULL, checksum BLOB NOT NULL) STRICT",
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
];

/// Makes the tables in an empty file, in one transaction.
pub(super) fn create(connection: &mut Connection, clock: &dyn Clock) -> Result<()> {
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
    let id = clock.random();
    let created_at = clock.now().as_microsecond();
    transaction
        .execute(
            "INSERT INTO store (id, created_at, checksum) VALUES (?, ?, ?)",
            (&id[..], created_at, &checksum(&id, created_at)[..]),
        )
        .map_err(failed)?;
    transaction.commit().map_err(failed)
}

/// Reads what the file says of itself, and refuses what is no store of this format.
pub(super) fn read(connection: &Connection) -> Result<StoreInfo> {
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
    if format != i64::from(FORMAT) {
        return Err(Error::storage(format!(
            "the store has format {format}; this program reads format {FORMAT} (use a newer version)"
        )));
    }
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
    let (id, created_at, stored): (Vec<u8>, i64, Vec<u8>) = connection
        .query_row("SELECT id, created_at, checksum FROM store", (), |row| {
            Ok((row.get(0)?, row.get(1)?, row.get(2)?))
        })
        .map_err(|e| translate("reading what the store says of itself", e))?;
    let id: StoreId = id
        .try_into()
        .map_err(|_| Error::damaged("the store's id is damaged"))?;
    if checksum(&id, created_at)[..] != stored {
        return Err(Error::damaged(
            "the store's own row is damaged: its checksum differs",
        ));
    }
    Ok(StoreInfo {
        id,
        format: FORMAT,
        created_at,
    })
}

fn checksum(id: &StoreId, created_at: i64) -> Checksum {
    RowHasher::new("store", id).int(created_at).finish()
}
