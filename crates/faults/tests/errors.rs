//! The disk is full, or fails now and then, and the power stays on.
#![allow(clippy::unwrap_used)] // clippy allows it in tests, but not in what they call

mod common;

use common::{LAST, PATH, Setup, count, found, run, state_of, transact};
use dalsegno_faults::{Disk, Fault, Op, PowerLoss};
use rusqlite::ErrorCode;

const SETUPS: [(&str, &str); 3] = [("WAL", "FULL"), ("DELETE", "EXTRA"), ("TRUNCATE", "FULL")];

/// The disk gets full at every size; then there is room again, and the same connection goes on.
#[test]
fn a_full_disk_says_so_and_breaks_nothing() {
    for (journal, synchronous) in SETUPS {
        let setup = Setup::new(journal, synchronous);
        let mut full = 0;
        for room in (0..40_000).step_by(700) {
            let disk = Disk::new();
            let db = setup.open(&disk).unwrap();
            transact(&db, 0).unwrap();
            disk.set_capacity(disk.used() + room);
            let mut n = 0;
            let error = loop {
                if n == LAST {
                    break None;
                }
                match transact(&db, n + 1) {
                    Ok(()) => n += 1,
                    Err(error) => break Some(error),
                }
            };
            let Some(error) = error else { continue };
            let code = error.sqlite_error_code();
            assert_eq!(code, Some(ErrorCode::DiskFull), "{setup:?} {room}: {error}");
            full += 1;
            if !db.is_autocommit() {
                db.execute_batch("ROLLBACK").unwrap();
            }
            assert_eq!(state_of(&db), Ok(n), "{setup:?} {room}");
            assert_eq!(found(&disk.crash(PowerLoss::Kept)), Ok(n));
            disk.set_capacity(None);
            transact(&db, n + 1).unwrap();
            drop(db);
            assert_eq!(found(&disk), Ok(n + 1), "{setup:?} {room}");
        }
        assert!(full > 10, "{setup:?}");
    }
}

/// One fault at every single operation. A transaction that failed is tried again.
fn one_fault_anywhere_is_survived(fault: Fault) {
    for (journal, synchronous) in SETUPS {
        let setup = Setup::new(journal, synchronous);
        let disk = Disk::new();
        run(&disk, setup);
        for at in 0..disk.operations() {
            let disk = Disk::new();
            disk.fail_at(at, fault);
            let db = setup.open(&disk).or_else(|_| setup.open(&disk)).unwrap();
            let mut failures = 0;
            loop {
                let n = count(&db).unwrap();
                if n == LAST {
                    break;
                }
                if transact(&db, n + 1).is_err() {
                    failures += 1;
                    assert!(failures < 3, "{setup:?} {fault:?} {at}");
                    if !db.is_autocommit() {
                        db.execute_batch("ROLLBACK").unwrap();
                    }
                }
            }
            drop(db);
            assert_eq!(found(&disk), Ok(LAST), "{setup:?} {fault:?} {at}");
        }
    }
}

#[test]
fn one_error_anywhere_is_survived() {
    one_fault_anywhere_is_survived(Fault::Io);
}

#[test]
fn one_torn_write_anywhere_is_survived() {
    one_fault_anywhere_is_survived(Fault::Torn);
}

#[test]
fn one_full_moment_anywhere_is_survived() {
    one_fault_anywhere_is_survived(Fault::Full);
}

#[test]
fn errors_last_until_they_are_lifted() {
    let disk = Disk::new();
    let db = Setup::new("WAL", "FULL").open(&disk).unwrap();
    transact(&db, 0).unwrap();
    disk.fail_always(Op::Sync, Fault::Io);
    for _ in 0..3 {
        let error = transact(&db, 1).unwrap_err();
        assert_eq!(error.sqlite_error_code(), Some(ErrorCode::SystemIoFailure));
        if !db.is_autocommit() {
            db.execute_batch("ROLLBACK").unwrap();
        }
    }
    disk.lift_faults();
    transact(&db, 1).unwrap();
    assert_eq!(state_of(&db), Ok(1));

    disk.fail_once(Op::Open, Fault::Io);
    let error = disk.open(PATH).unwrap_err();
    assert_eq!(error.sqlite_error_code(), Some(ErrorCode::CannotOpen));
    disk.fail_nth(Op::Read, 2, Fault::Io);
    let other = disk.open(PATH).unwrap();
    assert!(state_of(&other).is_err());
    assert_eq!(state_of(&other), Ok(1));
}

/// A disk that says it has synced and has not: acknowledged, and gone.
#[test]
fn a_lying_disk_loses_what_was_acknowledged() {
    let disk = Disk::new();
    let db = Setup::new("WAL", "FULL").open(&disk).unwrap();
    transact(&db, 0).unwrap();
    disk.fail_always(Op::Sync, Fault::Lost);
    transact(&db, 1).unwrap();
    assert_eq!(state_of(&db), Ok(1));
    assert_eq!(found(&disk.crash(PowerLoss::Lost)), Ok(0));
    assert_eq!(found(&disk.crash(PowerLoss::Kept)), Ok(1));
}

#[test]
fn nothing_answers_after_the_power_is_gone() {
    let disk = Disk::new();
    let setup = Setup::new("DELETE", "FULL");
    let db = setup.open(&disk).unwrap();
    transact(&db, 0).unwrap();
    disk.stop_at(3);
    let error = transact(&db, 1).unwrap_err();
    assert_eq!(error.sqlite_error_code(), Some(ErrorCode::SystemIoFailure));
    assert!(disk.stopped());
    assert_eq!(disk.operations(), 3);
    assert_eq!(disk.trace().len(), 3);
    assert!(state_of(&db).is_err());
    assert!(disk.open(PATH).and_then(|db| transact(&db, 1)).is_err());
    let before = disk.paths();
    drop(db);
    assert_eq!(disk.paths(), before);
    assert!(!disk.crash(PowerLoss::Kept).stopped());
}

/// Files can be looked at, damaged, and put elsewhere.
#[test]
fn images_are_files() {
    let disk = Disk::new();
    run(&disk, Setup::new("WAL", "FULL"));
    assert_eq!(disk.paths(), [PATH]);
    let mut bytes = disk.image(PATH).unwrap();
    assert!(bytes.starts_with(b"SQLite format 3\0"));
    assert_eq!(disk.used(), bytes.len());
    assert_eq!(disk.image("nothing"), None);

    let other = Disk::new();
    other.put(PATH, bytes.clone());
    assert_eq!(found(&other), Ok(LAST));
    assert_ne!(other.vfs_name(), disk.vfs_name());

    bytes.iter_mut().skip(1024).for_each(|byte| *byte ^= 0x55);
    other.put(PATH, bytes);
    assert!(found(&other).is_err());
    // What was put is durable.
    let after = other.crash(PowerLoss::Lost);
    assert_eq!(after.image(PATH), other.image(PATH));
    other.remove(PATH);
    assert!(other.paths().is_empty());
    assert!(other.crash(PowerLoss::Lost).paths().is_empty());
}

/// A name that a disk has given back stands for nothing for a while.
#[test]
fn the_name_of_a_dropped_disk_opens_nothing() {
    let disk = Disk::new();
    let name = disk.vfs_name().to_owned();
    let db = disk.open(PATH).unwrap();
    db.execute_batch("CREATE TABLE t (x)").unwrap();
    drop(disk);
    // The open connection keeps the disk.
    db.execute_batch("INSERT INTO t VALUES (1)").unwrap();
    drop(db);
    let flags = rusqlite::OpenFlags::default();
    let open = rusqlite::Connection::open_with_flags_and_vfs(PATH, flags, name.as_str());
    assert!(open.is_err());
}
