//! The power goes at every single operation: what SQLite promises holds on this disk, and what it
//! does not promise breaks, so the disk is as nasty as it should be.
#![allow(clippy::panic, clippy::unwrap_used)] // clippy allows it in tests, but not in what they call

mod common;

use common::{LAST, PATH, Setup, found, losses, state_of, stopped_everywhere, transact};
use dalsegno_faults::{Disk, PowerLoss};

/// Every acknowledged transaction is there and whole, the one under way wholly or not at all.
fn nothing_is_lost(journal: &'static str, synchronous: &'static str, seeds: u64) {
    let setup = Setup::new(journal, synchronous);
    let mut stops = 0;
    for stopped in stopped_everywhere(setup) {
        for loss in losses(seeds) {
            if let Err(wrong) = stopped.check(loss) {
                panic!("{setup:?} {loss:?}: {wrong}; {}", stopped.place());
            }
        }
        stops += 1;
    }
    assert!(stops > 50, "{setup:?}: only {stops} operations");
}

/// How many power losses lose an acknowledged transaction, and how many break the database.
fn damage(journal: &'static str, synchronous: &'static str, seeds: u64) -> (usize, usize) {
    let (mut lost, mut broken) = (0, 0);
    for stopped in stopped_everywhere(Setup::new(journal, synchronous)) {
        for loss in losses(seeds) {
            match found(&stopped.disk.crash(loss)) {
                Ok(n) if n < stopped.acknowledged => lost += 1,
                Ok(_) => {}
                Err(_) => broken += 1,
            }
        }
    }
    (lost, broken)
}

#[test]
fn wal_full_loses_nothing() {
    nothing_is_lost("WAL", "FULL", 6);
}

#[test]
fn delete_extra_loses_nothing() {
    nothing_is_lost("DELETE", "EXTRA", 6);
}

#[test]
fn truncate_full_loses_nothing() {
    nothing_is_lost("TRUNCATE", "FULL", 6);
}

#[test]
fn persist_full_loses_nothing() {
    nothing_is_lost("PERSIST", "FULL", 6);
}

/// The deleted journal may be back, and takes the last transaction with it, as documented.
#[test]
fn delete_full_loses_at_most_the_last_transaction() {
    let setup = Setup::new("DELETE", "FULL");
    let mut lost = 0;
    for stopped in stopped_everywhere(setup) {
        for loss in losses(4) {
            let n = found(&stopped.disk.crash(loss));
            let n = n.unwrap_or_else(|wrong| panic!("{loss:?}: {wrong}; {}", stopped.place()));
            assert!(
                n >= stopped.acknowledged - 1,
                "{loss:?}; {}",
                stopped.place()
            );
            lost += usize::from(n < stopped.acknowledged);
        }
    }
    assert!(lost > 0);
}

/// Without a sync at every commit the WAL may lose some, but what is there is whole.
#[test]
fn wal_normal_loses_but_never_breaks() {
    let (lost, broken) = damage("WAL", "NORMAL", 4);
    assert!(lost > 0);
    assert_eq!(broken, 0);
}

#[test]
fn without_syncs_the_disk_bites() {
    let (lost, broken) = damage("WAL", "OFF", 2);
    assert!(lost > 0 && broken > 0, "WAL: {lost} lost, {broken} broken");
    let (lost, broken) = damage("DELETE", "OFF", 2);
    assert!(
        lost > 0 && broken > 0,
        "DELETE: {lost} lost, {broken} broken"
    );
}

/// The power goes again while the database recovers from the first time.
#[test]
fn recovery_can_be_cut_short_too() {
    for journal in ["WAL", "TRUNCATE"] {
        let setup = Setup::new(journal, "FULL");
        for stopped in stopped_everywhere(setup).step_by(7) {
            for seed in 0..common::effort(2) {
                let first = stopped.disk.crash(PowerLoss::Random(seed));
                for again in [0, 1, 2, 4, 8] {
                    let second = first.crash(PowerLoss::Kept);
                    second.stop_at(again);
                    let n = found(&second);
                    let third = second.crash(PowerLoss::Random(seed + again as u64));
                    let n = n.unwrap_or(stopped.acknowledged);
                    let after = found(&third);
                    let after =
                        after.unwrap_or_else(|wrong| panic!("{wrong}; {}", stopped.place()));
                    // One that was under way, and one more that was done to try the database.
                    let expected = n..=stopped.acknowledged + 2;
                    assert!(expected.contains(&after), "{after} {}", stopped.place());
                }
            }
        }
    }
}

/// Two connections, each of which has run these statements, and then every transaction.
fn two_connections(first: &str) -> impl Iterator<Item = (i64, Disk)> {
    let disk = Disk::new();
    let open = || {
        let db = disk.open(PATH).unwrap();
        db.execute_batch(first).unwrap();
        db
    };
    let (writer, reader) = (open(), open());
    (0..=LAST).map(move |n| {
        transact(&writer, n).unwrap();
        assert_eq!(state_of(&reader), Ok(n));
        (n, disk.clone())
    })
}

/// What the readers shared is gone, and misleads nobody.
#[test]
fn the_wal_index_does_not_outlive_the_power() {
    let first = "PRAGMA synchronous = EXTRA; PRAGMA journal_mode = WAL";
    for (n, disk) in two_connections(first) {
        for loss in losses(20) {
            let after = disk.crash(loss);
            assert!(after.paths().iter().all(|path| !path.ends_with("-shm")));
            assert_eq!(found(&after), Ok(n), "{loss:?}");
        }
    }
}

/// A trap of real directories. The switch to the WAL is itself a transaction with a rollback
/// journal, which is deleted. The unix VFS makes that durable with the first sync of the WAL, but
/// only if it comes from the connection that created the WAL. If not, then on a file system that
/// does not keep deletions and syncs in order (ext4 and XFS do) the journal may be back, and undo
/// the switch: all that was acknowledged since is lost. `synchronous=EXTRA` before the switch, as
/// above, is the remedy.
#[test]
fn the_journal_from_before_the_wal_can_undo_everything() {
    let first = "PRAGMA synchronous = FULL; PRAGMA journal_mode = WAL";
    let mut undone = 0;
    for (n, disk) in two_connections(first) {
        for loss in losses(20) {
            let after = found(&disk.crash(loss));
            assert!(after == Ok(n) || after == Ok(-1), "{loss:?}: {after:?}");
            undone += usize::from(after == Ok(-1));
        }
        if n == LAST {
            // What code under test does to a directory is done to the disk with this.
            disk.sync_directories();
            assert_eq!(found(&disk.crash(PowerLoss::Lost)), Ok(n));
        }
    }
    assert!(undone > 0);
}
