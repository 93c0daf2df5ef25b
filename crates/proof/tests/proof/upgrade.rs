//! A store of format 1 is upgraded, and the power goes, or the disk fails or is full, at every operation.

use dalsegno::ErrorKind;
use dalsegno_faults::{Disk, Fault, PowerLoss};
use dalsegno_proof::truth::{Truth, Verdict};
use dalsegno_proof::{STORE, effort, on};

use crate::evening::{disk_with, files};

fn of_format_1() -> Disk {
    let path = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/../dalsegno/tests/fixtures/format-1.db"
    );
    let disk = disk_with(&[(STORE.to_owned(), std::fs::read(path).unwrap())]);
    assert_eq!(format(&disk), 1);
    disk
}

fn format(disk: &Disk) -> i64 {
    let copy = disk_with(&files(disk));
    let database = copy.open(STORE).unwrap();
    database
        .pragma_query_value(None, "user_version", |row| row.get(0))
        .unwrap()
}

/// What it says when it is upgraded, and how many operations that takes.
fn upgraded() -> (Truth, usize) {
    let disk = of_format_1();
    disk.stop_at(usize::MAX);
    on(&disk).open(STORE).unwrap().close().unwrap();
    let operations = disk.operations();
    assert_eq!(format(&disk), 4);
    (Truth::of(&on(&disk).open(STORE).unwrap()), operations)
}

#[test]
fn the_power_goes_at_every_operation() {
    let (truth, operations) = upgraded();
    assert!(truth.known.len() > 10 && operations > 5);
    let (mut old, mut new) = (0, 0);
    for at in 0..=operations {
        let disk = of_format_1();
        disk.stop_at(at);
        let opened = on(&disk).open(STORE).is_ok();
        let random =
            (0..effort(4, 60) as u64).map(|seed| PowerLoss::Random(seed * 100 + at as u64));
        for loss in [PowerLoss::Lost, PowerLoss::Kept].into_iter().chain(random) {
            let found = disk.crash(loss);
            let place = format!("stopped at {at} of {operations}, {loss:?}");
            match format(&found) {
                1 if !opened => old += 1,
                4 => new += 1,
                other => panic!("{place}: format {other}, opened: {opened}"),
            }
            let verdict = truth.judge(on(&found).open(STORE));
            assert_eq!(verdict, Ok(Verdict::Harmless), "{place}");
            assert_eq!(format(&found), 4, "{place}");
        }
    }
    println!("{operations} operations: {old} old, {new} new");
    assert!(old > 5 && new > 5);
}

#[test]
fn the_disk_fails_at_every_operation() {
    let (truth, operations) = upgraded();
    let mut failed = 0;
    for fault in [Fault::Io, Fault::Full, Fault::Torn] {
        for at in 0..operations {
            let disk = of_format_1();
            disk.fail_at(at, fault);
            let opened = on(&disk).open(STORE);
            disk.lift_faults();
            if let Err(error) = opened.as_ref() {
                failed += 1;
                assert_eq!(
                    error.kind(),
                    ErrorKind::Storage,
                    "{fault:?} at {at}: {error}"
                );
                let full = error.to_string().contains("the disk is full");
                assert_eq!(full, fault == Fault::Full, "{error}");
            }
            drop(opened);
            let verdict = truth.judge(on(&disk).open(STORE));
            assert_eq!(verdict, Ok(Verdict::Harmless), "{fault:?} at {at}");
            assert_eq!(format(&disk), 4);
        }
    }
    println!("{failed} of {} failed", 3 * operations);
    assert!(failed > 5);
}

/// A disk with too little room for it.
#[test]
fn a_full_disk_leaves_format_1() {
    let (truth, _) = upgraded();
    let mut refused = 0;
    for room in (0..80_000).step_by(effort(4096, 512)) {
        let disk = of_format_1();
        disk.set_capacity(disk.used() + room);
        let Err(error) = on(&disk).open(STORE) else {
            continue;
        };
        refused += 1;
        assert_eq!(error.kind(), ErrorKind::Storage, "{room}: {error}");
        assert!(
            error.to_string().contains("the disk is full"),
            "{room}: {error}"
        );
        disk.set_capacity(None);
        assert_eq!(format(&disk), 1);
        assert_eq!(truth.judge(on(&disk).open(STORE)), Ok(Verdict::Harmless));
    }
    println!("{refused} refused");
    assert!(refused > 2);
}
