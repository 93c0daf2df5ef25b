//! The power goes at every operation on the disk; what was not synced is lost, kept, reordered, torn.

use dalsegno::Engine;
use dalsegno_faults::{Disk, PowerLoss};
use dalsegno_proof::{STORE, effort, on};

use crate::evening::{Evening, disk_with, files, unpacked};

/// Runs `evening` stopped at every `step`-th operation, and loses the power there in many ways.
fn stopped_everywhere(fresh: &dyn Fn() -> Disk, evening: &dyn Fn(&Disk) -> Evening, step: usize) {
    let disk = fresh();
    disk.stop_at(usize::MAX);
    let whole = evening(&disk);
    assert!(whole.errors.is_empty(), "{:?}", whole.errors);
    let operations = disk.operations();
    assert!(operations > 60, "{operations}");
    whole.check(&disk.crash(PowerLoss::Lost)).unwrap();
    let mut unacknowledged = 0;
    // Whatever the step, the last stops are those after the end.
    for at in (0..operations).step_by(step).chain([operations]) {
        let disk = fresh();
        disk.stop_at(at);
        let stopped = evening(&disk);
        unacknowledged += usize::from(!stopped.errors.is_empty());
        let seeds = effort(2, 6) as u64;
        let random = (0..seeds).map(|seed| PowerLoss::Random(seed * 1_000 + at as u64));
        for loss in [PowerLoss::Lost, PowerLoss::Kept].into_iter().chain(random) {
            if let Err(wrong) = stopped.check(&disk.crash(loss)) {
                let last = disk.trace().into_iter().next_back();
                panic!("stopped at {at} of {operations} after {last:?}, {loss:?}: {wrong}");
            }
        }
    }
    assert!(unacknowledged > 10);
}

#[test]
fn from_nothing() {
    stopped_everywhere(&Disk::new, &Evening::from_nothing, effort(5, 1));
}

#[test]
fn with_packing() {
    let (files, known) = unpacked();
    let fresh = || disk_with(&files);
    let evening = |disk: &Disk| Evening::with_packing(disk, &known);
    stopped_everywhere(&fresh, &evening, effort(9, 1));
}

/// The power goes again while the store is opened and mended after the first time.
#[test]
fn and_again_while_recovering() {
    let (files, known) = unpacked();
    let step = effort(40, 3);
    let offset = 7;
    let count = {
        let disk = disk_with(&files);
        disk.stop_at(usize::MAX);
        Evening::with_packing(&disk, &known);
        disk.operations()
    };
    for at in (offset..count).step_by(step) {
        let disk = disk_with(&files);
        disk.stop_at(at);
        let stopped = Evening::with_packing(&disk, &known);
        let first = disk.crash(PowerLoss::Random(at as u64));
        for again in [0, 1, 3, 9] {
            let second = first.crash(PowerLoss::Kept);
            second.stop_at(again);
            // It may or may not come to an end; nobody is told of anything.
            drop(stopped.check(&second));
            let third = second.crash(PowerLoss::Random((at + again) as u64));
            if let Err(wrong) = stopped.check(&third) {
                panic!("stopped at {at}, then at {again}: {wrong}");
            }
        }
    }
}

/// What the power leaves of a creation can be made a store by the next one; on real files, where
/// it is also looked at what stands there.
#[test]
fn an_interrupted_creation_can_be_repeated() {
    let disk = Disk::new();
    drop(on(&disk).create(STORE).unwrap());
    let operations = disk.operations();
    assert!(operations > 5);
    let folder = tempfile::tempdir().unwrap();
    for at in 0..=operations {
        let disk = Disk::new();
        disk.stop_at(at);
        let created = on(&disk).create(STORE).is_ok();
        let random = (0..effort(1, 40) as u64).map(PowerLoss::Random);
        for loss in [PowerLoss::Lost, PowerLoss::Kept].into_iter().chain(random) {
            let place = tempfile::tempdir_in(&folder).unwrap();
            for (path, bytes) in files(&disk.crash(loss)) {
                std::fs::write(place.path().join(path), bytes).unwrap();
            }
            let path = place.path().join(STORE);
            let opened = Engine::open(&path).or_else(|error| match created {
                true => Err(error),
                false => Engine::create(&path),
            });
            let engine = opened.unwrap_or_else(|error| panic!("{at} {loss:?}: {error}"));
            engine.save_json("s", "[1]").commit().unwrap();
            engine.close().unwrap();
            assert_eq!(Engine::open(&path).unwrap().sessions().unwrap(), ["s"]);
        }
    }
}
