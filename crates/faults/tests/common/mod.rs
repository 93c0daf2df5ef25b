//! A small application whose whole database is a function of how many transactions it has done, so
//! that after a power loss every byte of every row can be told right from wrong.
#![allow(dead_code)] // every test file uses its own part

use dalsegno_faults::{Disk, PowerLoss};
use rusqlite::{Connection, Result};

pub(crate) const PATH: &str = "folder/a.db";
/// How many transactions a run does after the one that makes the tables.
pub(crate) const LAST: i64 = 6;
/// A transaction's rows are deleted so many transactions later.
const KEPT: i64 = 3;
const ROWS: i64 = 3;

/// How many times more seeds the long run tries.
pub(crate) fn effort(seeds: u64) -> u64 {
    let long = std::env::var("DALSEGNO_LONG").is_ok_and(|v| !v.is_empty() && v != "0");
    if long { seeds * 20 } else { seeds }
}

/// How a database is run.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Setup {
    pub(crate) journal: &'static str,
    pub(crate) synchronous: &'static str,
}

impl Setup {
    pub(crate) fn new(journal: &'static str, synchronous: &'static str) -> Self {
        Self {
            journal,
            synchronous,
        }
    }

    pub(crate) fn open(self, disk: &Disk) -> Result<Connection> {
        let db = disk.open(PATH)?;
        // Few pages in memory, so that transactions spill; few frames, so that checkpoints come.
        db.execute_batch(&format!(
            "PRAGMA cache_size = 8; PRAGMA page_size = 1024; PRAGMA journal_mode = {};
             PRAGMA wal_autocheckpoint = 30; PRAGMA synchronous = {};",
            self.journal, self.synchronous
        ))?;
        Ok(db)
    }
}

fn body(transaction: i64, row: i64) -> Vec<u8> {
    let len = 700 + (transaction * 577 + row * 1931) % 4000;
    (0..len)
        .map(|i| (i * (row + 3) + transaction) as u8)
        .collect()
}

/// Transaction 0 makes the tables, the others work with them.
pub(crate) fn transact(db: &Connection, n: i64) -> Result<()> {
    if n == 0 {
        return db.execute_batch(
            "BEGIN IMMEDIATE;
             CREATE TABLE done (n INTEGER NOT NULL);
             CREATE TABLE item (n INTEGER, i INTEGER, body BLOB, PRIMARY KEY (n, i));
             INSERT INTO done VALUES (0);
             COMMIT;",
        );
    }
    db.execute_batch("BEGIN IMMEDIATE")?;
    for i in 0..ROWS {
        let sql = "INSERT INTO item VALUES (?, ?, ?)";
        db.execute(sql, (n, i, body(n, i)))?;
    }
    db.execute("DELETE FROM item WHERE n <= ?", [n - KEPT])?;
    db.execute("UPDATE done SET n = ?", [n])?;
    db.execute_batch("COMMIT")
}

/// Runs the whole application until it ends or something fails. Returns the last transaction that
/// was acknowledged; -1 if none was.
pub(crate) fn run(disk: &Disk, setup: Setup) -> i64 {
    let mut acknowledged = -1;
    let Ok(db) = setup.open(disk) else {
        return acknowledged;
    };
    for n in 0..=LAST {
        if transact(&db, n).is_err() {
            break;
        }
        acknowledged = n;
    }
    acknowledged
}

/// Which transaction the database has come to, by its own account.
pub(crate) fn count(db: &Connection) -> Result<i64> {
    let tables: i64 = db.query_row("SELECT count(*) FROM sqlite_schema", [], |row| row.get(0))?;
    if tables == 0 {
        return Ok(-1);
    }
    db.query_row("SELECT n FROM done", [], |row| row.get(0))
}

/// Which transaction the database has come to, if every row and page is as it was left by it; else
/// what is wrong. -1 is a database without tables.
pub(crate) fn state_of(db: &Connection) -> std::result::Result<i64, String> {
    read_state(db).map_err(|error| error.to_string())?
}

fn read_state(db: &Connection) -> Result<std::result::Result<i64, String>> {
    let check: String = db.query_row("PRAGMA integrity_check", [], |row| row.get(0))?;
    if check != "ok" {
        return Ok(Err(check));
    }
    let n = count(db)?;
    if n < 0 {
        return Ok(Ok(n));
    }
    let expected: Vec<(i64, i64, Vec<u8>)> = ((n - KEPT + 1).max(1)..=n)
        .flat_map(|n| (0..ROWS).map(move |i| (n, i, body(n, i))))
        .collect();
    let mut statement = db.prepare("SELECT n, i, body FROM item ORDER BY n, i")?;
    let rows = statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))?;
    let found = rows.collect::<Result<Vec<(i64, i64, Vec<u8>)>>>()?;
    if found == expected {
        Ok(Ok(n))
    } else {
        Ok(Err(format!("wrong rows for transaction {n}")))
    }
}

/// What is found on a disk by whoever opens the database next, who can also go on.
pub(crate) fn found(disk: &Disk) -> std::result::Result<i64, String> {
    let db = disk.open(PATH).map_err(|error| error.to_string())?;
    let n = state_of(&db)?;
    if n < LAST {
        transact(&db, n + 1).map_err(|error| format!("does not go on: {error}"))?;
        let next = state_of(&db)?;
        if next != n + 1 {
            return Err(format!("went on from {n} to {next}"));
        }
    }
    Ok(n)
}

/// A run that was stopped at one operation.
pub(crate) struct Stopped {
    pub(crate) disk: Disk,
    pub(crate) at: usize,
    pub(crate) acknowledged: i64,
}

impl Stopped {
    /// Where it stopped, for messages.
    pub(crate) fn place(&self) -> String {
        let last = self.disk.trace().into_iter().next_back();
        format!("stopped at {} after {last:?}", self.at)
    }

    /// Whether a power loss at this moment leaves the last acknowledged transaction or the one
    /// that was under way.
    pub(crate) fn check(&self, loss: PowerLoss) -> std::result::Result<(), String> {
        let n = found(&self.disk.crash(loss))?;
        let expected = self.acknowledged..=self.acknowledged + 1;
        if expected.contains(&n) {
            Ok(())
        } else {
            Err(format!(
                "at {n}, but {} was acknowledged",
                self.acknowledged
            ))
        }
    }
}

/// The application, run once for every operation that it does, and stopped there; at last once
/// without a stop.
pub(crate) fn stopped_everywhere(setup: Setup) -> impl Iterator<Item = Stopped> {
    let disk = Disk::new();
    assert_eq!(run(&disk, setup), LAST, "{setup:?}");
    let operations = disk.operations();
    (0..=operations).map(move |at| {
        let disk = Disk::new();
        disk.stop_at(at);
        let acknowledged = run(&disk, setup);
        Stopped {
            disk,
            at,
            acknowledged,
        }
    })
}

/// The ways to lose the power that are tried at every stop.
pub(crate) fn losses(seeds: u64) -> impl Iterator<Item = PowerLoss> {
    let random = (0..effort(seeds)).map(PowerLoss::Random);
    [PowerLoss::Lost, PowerLoss::Kept].into_iter().chain(random)
}
