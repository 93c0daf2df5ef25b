//! Several connections of the process on one disk.
#![allow(clippy::unwrap_used)] // clippy allows it in tests, but not in what they call

mod common;

use std::thread;
use std::time::Duration;

use common::{PATH, Setup, state_of, transact};
use dalsegno_faults::{Disk, PowerLoss};
use rusqlite::{Connection, ErrorCode, OpenFlags, Result};

fn busy<T: std::fmt::Debug>(result: Result<T>) -> bool {
    let error = result.unwrap_err();
    error.sqlite_error_code() == Some(ErrorCode::DatabaseBusy)
}

/// Two connections that do not wait for each other.
fn two(journal: &'static str) -> (Disk, Connection, Connection) {
    let setup = Setup::new(journal, "FULL");
    let disk = Disk::new();
    let (one, two) = (setup.open(&disk).unwrap(), setup.open(&disk).unwrap());
    for db in [&one, &two] {
        db.busy_timeout(Duration::ZERO).unwrap();
        db.execute_batch("PRAGMA wal_autocheckpoint = 0").unwrap();
    }
    transact(&one, 0).unwrap();
    (disk, one, two)
}

fn checkpoint(db: &Connection, mode: &str) -> (i64, i64, i64) {
    let sql = format!("PRAGMA wal_checkpoint({mode})");
    let row = |row: &rusqlite::Row<'_>| Ok((row.get(0)?, row.get(1)?, row.get(2)?));
    db.query_row(&sql, [], row).unwrap()
}

#[test]
fn a_reader_keeps_its_snapshot_while_a_writer_commits() {
    let (_disk, writer, reader) = two("WAL");
    transact(&writer, 1).unwrap();
    reader.execute_batch("BEGIN").unwrap();
    assert_eq!(state_of(&reader), Ok(1));
    transact(&writer, 2).unwrap();
    transact(&writer, 3).unwrap();
    assert_eq!(state_of(&reader), Ok(1));
    assert_eq!(state_of(&writer), Ok(3));
    reader.execute_batch("COMMIT").unwrap();
    assert_eq!(state_of(&reader), Ok(3));
}

#[test]
fn a_second_writer_is_told_to_wait() {
    for journal in ["WAL", "DELETE"] {
        let (_disk, one, two) = two(journal);
        one.execute_batch("BEGIN IMMEDIATE").unwrap();
        assert!(busy(two.execute_batch("BEGIN IMMEDIATE")), "{journal}");
        assert_eq!(state_of(&two), Ok(0), "{journal}");
        one.execute_batch("COMMIT").unwrap();
        transact(&two, 1).unwrap();
        assert_eq!(state_of(&one), Ok(1), "{journal}");
    }
}

/// Who has read an old snapshot cannot write on top of it.
#[test]
fn a_stale_reader_cannot_become_a_writer() {
    let (_disk, one, two) = two("WAL");
    two.execute_batch("BEGIN").unwrap();
    assert_eq!(state_of(&two), Ok(0));
    transact(&one, 1).unwrap();
    let error = two.execute("UPDATE done SET n = 9", []).unwrap_err();
    let code = error.sqlite_error().map(|error| error.extended_code);
    assert_eq!(code, Some(rusqlite::ffi::SQLITE_BUSY_SNAPSHOT));
}

#[test]
fn without_a_wal_readers_and_a_committing_writer_exclude_each_other() {
    let (_disk, one, two) = two("DELETE");
    two.execute_batch("BEGIN").unwrap();
    assert_eq!(state_of(&two), Ok(0));
    one.execute_batch("BEGIN IMMEDIATE; UPDATE done SET n = 0")
        .unwrap();
    assert!(busy(one.execute_batch("COMMIT")));
    // The writer waits for the old reader, and new ones wait for the writer.
    assert_eq!(state_of(&two), Ok(0));
    two.execute_batch("COMMIT").unwrap();
    assert!(busy(two.query_row("SELECT n FROM done", [], |row| {
        row.get::<_, i64>(0)
    })));
    one.execute_batch("COMMIT").unwrap();
    assert_eq!(state_of(&two), Ok(0));
}

#[test]
fn a_checkpoint_stops_before_what_a_reader_needs() {
    let (disk, writer, reader) = two("WAL");
    transact(&writer, 1).unwrap();
    reader.execute_batch("BEGIN").unwrap();
    assert_eq!(state_of(&reader), Ok(1));
    transact(&writer, 2).unwrap();
    let (was_busy, frames, done) = checkpoint(&writer, "PASSIVE");
    assert_eq!(was_busy, 0);
    assert!(0 < done && done < frames, "{done} of {frames}");
    let (was_busy, ..) = checkpoint(&writer, "TRUNCATE");
    assert_eq!(was_busy, 1);
    assert_eq!(state_of(&reader), Ok(1));
    reader.execute_batch("COMMIT").unwrap();
    assert_eq!(checkpoint(&writer, "TRUNCATE"), (0, 0, 0));
    assert_eq!(disk.image(format!("{PATH}-wal")), Some(Vec::new()));
    assert_eq!(state_of(&reader), Ok(2));
    assert_eq!(state_of(&writer), Ok(2));
}

/// The last connection that closes takes the WAL along; one before it does not.
#[test]
fn the_last_to_close_cleans_up() {
    let (disk, one, two) = two("WAL");
    let wal = format!("{PATH}-wal");
    transact(&one, 1).unwrap();
    drop(one);
    assert!(disk.image(&wal).is_some_and(|bytes| !bytes.is_empty()));
    assert_eq!(state_of(&two), Ok(1));
    drop(two);
    assert_eq!(disk.paths(), [PATH]);
}

#[test]
fn a_read_only_connection_reads_only() {
    let (disk, writer, _) = two("WAL");
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let open = |path| Connection::open_with_flags_and_vfs(path, flags, disk.vfs_name());
    let reader = open(PATH).unwrap();
    transact(&writer, 1).unwrap();
    assert_eq!(state_of(&reader), Ok(1));
    let error = transact(&reader, 2).unwrap_err();
    assert_eq!(error.sqlite_error_code(), Some(ErrorCode::ReadOnly));
    assert!(open("folder/nothing.db").is_err());
    let uri = format!("file:{PATH}?mode=ro&vfs={}", disk.vfs_name());
    let flags = flags | OpenFlags::SQLITE_OPEN_URI;
    let reader = Connection::open_with_flags(uri, flags).unwrap();
    assert_eq!(state_of(&reader), Ok(1));
}

/// Threads that count together, in every journal mode: no count is lost, and no reader ever sees
/// half a transaction.
#[test]
fn threads_do_not_lose_each_others_writes() {
    const WRITERS: i64 = 3;
    let each = common::effort(15) as i64;
    for journal in ["WAL", "DELETE", "TRUNCATE"] {
        let setup = Setup::new(journal, "FULL");
        let disk = Disk::new();
        let open = || {
            let db = disk.open(PATH).unwrap();
            db.busy_timeout(Duration::from_secs(60)).unwrap();
            db
        };
        let db = setup.open(&disk).unwrap();
        db.execute_batch("CREATE TABLE a (n); CREATE TABLE b (n); INSERT INTO a VALUES (0)")
            .unwrap();
        db.execute_batch("INSERT INTO b VALUES (0)").unwrap();
        let sql = "SELECT a.n, b.n FROM a, b";
        let both = |db: &Connection| -> (i64, i64) {
            db.query_row(sql, [], |row| Ok((row.get(0)?, row.get(1)?)))
                .unwrap()
        };
        thread::scope(|scope| {
            for _ in 0..WRITERS {
                scope.spawn(|| {
                    let db = open();
                    for _ in 0..each {
                        let sql = "BEGIN IMMEDIATE; UPDATE a SET n = n + 1;
                                   UPDATE b SET n = n + 1; COMMIT";
                        db.execute_batch(sql).unwrap();
                    }
                });
            }
            scope.spawn(|| {
                let db = open();
                let mut last = 0;
                while last < WRITERS * each {
                    let (a, b) = both(&db);
                    assert!(a == b && a >= last, "{journal}: {a} {b} {last}");
                    last = a;
                    // Power losses in the middle of it, seen by another machine.
                    let after = disk.crash(PowerLoss::Random(last as u64));
                    let (a, b) = both(&after.open(PATH).unwrap());
                    assert!(a == b && a >= last - 1, "{journal}: {a} {b} {last}");
                }
            });
        });
        assert_eq!(both(&db), (WRITERS * each, WRITERS * each));
    }
}

/// A transaction over two databases is one, with a super-journal that is created and deleted.
#[test]
fn two_databases_commit_together() {
    let run = |disk: &Disk| -> Result<i64> {
        let db = disk.open(PATH)?;
        let sql = "ATTACH 'folder/b.db' AS b; PRAGMA main.synchronous = EXTRA;
                   PRAGMA b.synchronous = EXTRA; CREATE TABLE IF NOT EXISTS t (n);
                   CREATE TABLE IF NOT EXISTS b.u (n)";
        db.execute_batch(sql)?;
        let mut acknowledged = 0;
        for n in 1..=3 {
            let sql =
                format!("BEGIN; INSERT INTO t VALUES ({n}); INSERT INTO u VALUES ({n}); COMMIT");
            if db.execute_batch(&sql).is_err() {
                break;
            }
            acknowledged = n;
        }
        Ok(acknowledged)
    };
    let disk = Disk::new();
    assert_eq!(run(&disk), Ok(3));
    for at in 0..disk.operations() {
        let disk = Disk::new();
        disk.stop_at(at);
        let Ok(acknowledged) = run(&disk) else {
            continue;
        };
        for loss in common::losses(4) {
            let after = disk.crash(loss);
            let db = after.open(PATH).unwrap();
            db.execute_batch("ATTACH 'folder/b.db' AS b").unwrap();
            let sql = "SELECT (SELECT count(*) FROM t), (SELECT count(*) FROM u)";
            let row = |row: &rusqlite::Row<'_>| Ok((row.get(0)?, row.get(1)?));
            let (t, u): (i64, i64) = db.query_row(sql, [], row).unwrap();
            assert_eq!(t, u, "{at} {loss:?}");
            assert!(
                (acknowledged..=acknowledged + 1).contains(&t),
                "{at} {loss:?} {t}"
            );
        }
    }
}
