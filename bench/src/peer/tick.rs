//! Stores that take one small record of each of many sessions in one durable commit.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::{Context, Result, ensure};
use dalsegno::Action;
use dalsegno::clock::SystemClock;
use dalsegno::store::{
    By, Head, Link, NewSnapshot, NewState, Outcome, SqliteOptions, SqliteStore, Store, Write,
};
use rusqlite::{Connection, params};

use super::files::bytes_below;
use super::plain_log::Log;
use super::sqlite;
use crate::workload::time::{DAY_START_MS, SAVE_INTERVAL_MS};

/// A store of many sessions.
pub trait TickStore {
    /// The name of the row in reports.
    fn name(&self) -> String;

    /// What is done before the commit and does not count: `records` in the store's own terms. The
    /// place in the list is the session's number.
    fn prepare(&mut self, tick: u64, records: &[Vec<u8>]) -> Result<()> {
        let _ = (tick, records);
        Ok(())
    }

    /// Makes one record per session durable.
    fn commit(&mut self, tick: u64, records: &[Vec<u8>]) -> Result<()>;

    /// What the commit left for later, when nobody waits any more.
    fn tidy(&mut self) -> Result<()> {
        Ok(())
    }

    /// Closes the store and gives the bytes of all its files.
    fn finish(self: Box<Self>) -> Result<u64>;
}

/// The plain log: all records with one `fdatasync`, and nothing to find them by.
pub fn plain_log(folder: &Path) -> Result<Box<dyn TickStore>> {
    log(folder, 0)
}

/// The plain log of all that a row of the engine's tables says, not of the records alone.
pub fn plain_log_of_rows(folder: &Path) -> Result<Box<dyn TickStore>> {
    log(folder, ROW)
}

/// What stands in the engine's tables beside a record, in its shortest form: sequence number,
/// session, time, kind, sizes and parent, the detail, and the checksums of three rows.
const ROW: usize = 30 + DETAIL + 3 * 16;

/// The detail of a snapshot without a name: its coding, the checksum of its text, and that there is
/// nothing more.
const DETAIL: usize = 24;

fn log(folder: &Path, row: usize) -> Result<Box<dyn TickStore>> {
    Ok(Box::new(LogTicks {
        log: Log::create(&folder.join("log"))?,
        folder: folder.to_owned(),
        row,
    }))
}

struct LogTicks {
    folder: PathBuf,
    log: Log,
    row: usize,
}

impl TickStore for LogTicks {
    fn name(&self) -> String {
        if self.row == 0 {
            "plain log of the records, one fdatasync".to_owned()
        } else {
            format!(
                "plain log of the records and {} bytes of row each",
                self.row
            )
        }
    }

    fn commit(&mut self, _tick: u64, records: &[Vec<u8>]) -> Result<()> {
        if self.row == 0 {
            self.log.commit(records.iter().map(Vec::as_slice))?;
        } else {
            let row = vec![7; self.row];
            let rows = records.iter().flat_map(|record| [&row[..], record]);
            self.log.commit(rows)?;
        }
        Ok(())
    }

    fn finish(self: Box<Self>) -> Result<u64> {
        bytes_below(&self.folder)
    }
}

/// The engine's embedded store, given what the engine gives it.
pub fn dalsegno(folder: &Path) -> Result<Box<dyn TickStore>> {
    let path = folder.join("store.db");
    let store = SqliteStore::create(&path, &SqliteOptions::default(), &SystemClock)?;
    Ok(Box::new(EngineTicks {
        folder: folder.to_owned(),
        store,
        heads: Vec::new(),
        writes: Vec::new(),
        who: "the bench".into(),
    }))
}

struct EngineTicks {
    folder: PathBuf,
    store: SqliteStore,
    heads: Vec<Head>,
    writes: Vec<Write>,
    who: Arc<str>,
}

impl TickStore for EngineTicks {
    fn name(&self) -> String {
        "Dalsegno's SQLite store".to_owned()
    }

    fn prepare(&mut self, tick: u64, records: &[Vec<u8>]) -> Result<()> {
        let write = |(number, record): (usize, &Vec<u8>)| {
            let head = self.heads.get(number).copied();
            let now = (DAY_START_MS + tick * SAVE_INTERVAL_MS) as i64 * 1000;
            let snapshot = NewSnapshot {
                now,
                created_at: now,
                kind: 1,
                flags: 0,
                size: 33_000,
                state: NewState::Record {
                    parent: head.map(|head| Link::Seq(head.seq)),
                    data: record.clone(),
                },
                epoch: 0,
                name: None,
                detail: vec![3; DETAIL],
                operation: None,
                by: By {
                    action: Action::AutoSave,
                    who: self.who.clone(),
                    behalf: None,
                },
            };
            Write {
                session: format!("sonora/{number}"),
                head,
                snapshots: vec![snapshot],
            }
        };
        self.writes = records.iter().enumerate().map(write).collect();
        Ok(())
    }

    fn commit(&mut self, _tick: u64, _records: &[Vec<u8>]) -> Result<()> {
        let outcomes = self.store.commit(&self.writes)?;
        self.heads.clear();
        for outcome in outcomes {
            let Outcome::Committed(rows) = outcome else {
                anyhow::bail!("a head was moved by somebody else");
            };
            let row = rows.last().context("a snapshot was not added")?;
            self.heads.push(Head {
                session: row.session,
                seq: row.seq,
                era: 0,
            });
        }
        Ok(())
    }

    fn tidy(&mut self) -> Result<()> {
        Ok(self.store.tidy()?)
    }

    fn finish(self: Box<Self>) -> Result<u64> {
        self.store.settle()?;
        drop(self.store);
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
        for make in [
            plain_log,
            plain_log_of_rows,
            dalsegno,
            straightforward_sqlite,
        ] {
            let folder = tempfile::tempdir().expect("a folder");
            let mut store = make(folder.path()).expect("starts");
            for tick in 0..3 {
                let records: Vec<_> = (0..50).map(|n| vec![n as u8; 350]).collect();
                store.prepare(tick, &records).expect("prepares");
                store.commit(tick, &records).expect("commits");
                store.tidy().expect("tidies");
            }
            assert!(store.finish().expect("closes") > 150 * 350);
        }
    }
}
