//! Stores that take one small record of each of many sessions in one durable commit.

use std::path::{Path, PathBuf};

use anyhow::{Result, ensure};
use rusqlite::{Connection, params};

use super::files::bytes_below;
use super::plain_log::Log;
use super::sqlite;

/// A store of many sessions.
pub trait TickStore {
    /// The name of the row in reports.
    fn name(&self) -> String;

    /// Makes one record per session durable; the place in the list is the session's number.
    fn commit(&mut self, tick: u64, records: &[Vec<u8>]) -> Result<()>;

    /// Closes the store and gives the bytes of all its files.
    fn finish(self: Box<Self>) -> Result<u64>;
}

/// The plain log: all records with one `fdatasync`, and nothing to find them by.
pub fn plain_log(folder: &Path) -> Result<Box<dyn TickStore>> {
    Ok(Box::new(LogTicks {
        log: Log::create(&folder.join("log"))?,
        folder: folder.to_owned(),
    }))
}

struct LogTicks {
    folder: PathBuf,
    log: Log,
}

impl TickStore for LogTicks {
    fn name(&self) -> String {
        "plain log, one fdatasync".to_owned()
    }

    fn commit(&mut self, _tick: u64, records: &[Vec<u8>]) -> Result<()> {
        self.log.commit(records.iter().map(Vec::as_slice))?;
        Ok(())
    }

    fn finish(self: Box<Self>) -> Result<u64> {
        bytes_below(&self.folder)
    }
}

/// SQLite with the schema one would write first: a row per record with its metadata, an index by
/// session, and a table of heads that moves only from the value that was read.
pub fn straightforward_sqlite(folder: &Path) -> Result<Box<dyn TickStore>> {
    let connection = sqlite::open(folder)?;
    connection.execute_batch(
        "CREATE TABLE snapshots (
             seq INTEGER PRIMARY KEY,
             id BLOB NOT NULL,
             session TEXT NOT NULL,
             parent INTEGER,
             kind TEXT NOT NULL,
             created_at INTEGER NOT NULL,
             size INTEGER NOT NULL,
             hash BLOB NOT NULL,
             record BLOB NOT NULL
         );
         CREATE INDEX snapshots_by_session ON snapshots (session, seq);
         CREATE TABLE heads (session TEXT PRIMARY KEY, seq INTEGER NOT NULL) WITHOUT ROWID;",
    )?;
    Ok(Box::new(SqliteTicks {
        folder: folder.to_owned(),
        connection,
        next: 1,
        heads: Vec::new(),
    }))
}

struct SqliteTicks {
    folder: PathBuf,
    connection: Connection,
    next: i64,
    heads: Vec<i64>,
}

impl TickStore for SqliteTicks {
    fn name(&self) -> String {
        "SQLite, straightforward schema".to_owned()
    }

    fn commit(&mut self, tick: u64, records: &[Vec<u8>]) -> Result<()> {
        let first = self.heads.is_empty();
        self.heads.resize(records.len(), 0);
        let transaction = self.connection.transaction()?;
        {
            let mut insert = transaction.prepare_cached(
                "INSERT INTO snapshots VALUES (?1, ?2, ?3, ?4, 'auto', ?5, ?6, ?7, ?8)",
            )?;
            let mut new_head = transaction.prepare_cached("INSERT INTO heads VALUES (?1, ?2)")?;
            let mut move_head = transaction
                .prepare_cached("UPDATE heads SET seq = ?2 WHERE session = ?1 AND seq = ?3")?;
            for (number, record) in records.iter().enumerate() {
                let (session, parent) = (format!("sonora/{number}"), self.heads[number]);
                let hash = blake3::hash(record);
                let hash = hash.as_bytes();
                let size = record.len() as i64;
                let time = tick as i64 * 300_000_000;
                let seq = self.next;
                let id = &hash[..16];
                insert.execute(params![seq, id, session, parent, time, size, hash, record])?;
                let moved = if first {
                    new_head.execute(params![session, seq])?
                } else {
                    move_head.execute(params![session, seq, parent])?
                };
                ensure!(moved == 1, "a head was moved by somebody else");
                self.heads[number] = seq;
                self.next += 1;
            }
        }
        transaction.commit()?;
        Ok(())
    }

    fn finish(self: Box<Self>) -> Result<u64> {
        self.connection.close().map_err(|(_, error)| error)?;
        bytes_below(&self.folder)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stores_take_ticks() {
        for make in [plain_log, straightforward_sqlite] {
            let folder = tempfile::tempdir().expect("a folder");
            let mut store = make(folder.path()).expect("starts");
            for tick in 0..3 {
                let records: Vec<_> = (0..50).map(|n| vec![n as u8; 350]).collect();
                store.commit(tick, &records).expect("commits");
            }
            assert!(store.finish().expect("closes") > 150 * 350);
        }
    }
}
