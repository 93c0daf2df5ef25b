//! A row with the whole state a save, in SQLite.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use rusqlite::{Connection, params};

use super::Peer;
use super::files::bytes_below;

/// The key of this contestant.
pub const KEY: &str = "sqlite";

/// A contestant in an empty folder.
pub fn make(folder: &Path) -> Result<Box<dyn Peer>> {
    let connection = open(folder)?;
    connection.execute_batch(
        "CREATE TABLE snapshots (
             id INTEGER PRIMARY KEY,
             session TEXT NOT NULL,
             created_at INTEGER NOT NULL,
             state BLOB NOT NULL
         );",
    )?;
    Ok(Box::new(Rows {
        folder: folder.to_owned(),
        connection: Some(connection),
        saves: 0,
    }))
}

/// Opens the store the way it is used here: write-ahead log, every commit on the disk.
pub fn open(folder: &Path) -> Result<Connection> {
    let connection = Connection::open(folder.join("snapshots.db"))?;
    connection.pragma_update(None, "journal_mode", "WAL")?;
    connection.pragma_update(None, "synchronous", "FULL")?;
    Ok(connection)
}

struct Rows {
    folder: PathBuf,
    connection: Option<Connection>,
    saves: i64,
}

impl Rows {
    fn connection(&self) -> Result<&Connection> {
        self.connection.as_ref().context("the store is closed")
    }
}

impl Peer for Rows {
    fn name(&self) -> String {
        "SQLite, a whole row each".to_owned()
    }

    fn save(&mut self, bytes: &[u8]) -> Result<()> {
        self.connection()?
            .prepare_cached("INSERT INTO snapshots VALUES (?1, 'sonora/1', ?2, ?3)")?
            .execute(params![self.saves, self.saves * 300, bytes])?;
        self.saves += 1;
        Ok(())
    }

    fn finish(&mut self) -> Result<u64> {
        // Closing the last connection writes the log back and removes it.
        if let Some(connection) = self.connection.take() {
            connection.close().map_err(|(_, error)| error)?;
        }
        let bytes = bytes_below(&self.folder)?;
        self.connection = Some(open(&self.folder)?);
        Ok(bytes)
    }

    fn restore(&mut self, index: usize) -> Result<Vec<u8>> {
        let mut select = self
            .connection()?
            .prepare_cached("SELECT state FROM snapshots WHERE id = ?1")?;
        Ok(select.query_row([index as i64], |row| row.get(0))?)
    }
}
