//! The disk fails now and then, or is full, and the power stays on.

use dalsegno::ErrorKind;
use dalsegno_faults::{Disk, Fault, Op, PowerLoss};
use dalsegno_proof::truth::{Truth, Verdict, all_there};
use dalsegno_proof::{Known, STORE, effort, on, state};

use crate::evening::{Evening, disk_with, unpacked};

/// One fault at every operation: what failed says so, what was acknowledged is there, now and after
/// a power loss.
fn one_fault_anywhere(fault: Fault, offset: usize) {
    let (files, known) = unpacked();
    let disk = disk_with(&files);
    disk.stop_at(usize::MAX);
    Evening::with_packing(&disk, &known);
    let count = disk.operations();
    let mut failed = 0;
    for at in (offset..count).step_by(effort(23, 1)) {
        let disk = disk_with(&files);
        disk.fail_at(at, fault);
        let evening = Evening::with_packing(&disk, &known);
        for error in &evening.errors {
            // A conflict: what an error in the way left undone, the next step missed.
            let kinds = [ErrorKind::Storage, ErrorKind::NotFound];
            assert!(kinds.contains(&error.kind()), "{at} {fault:?}: {error}");
            let full = error.to_string().contains("the disk is full");
            assert_eq!(full, fault == Fault::Full, "{error}");
        }
        failed += usize::from(!evening.errors.is_empty());
        disk.lift_faults();
        let place = || format!("{fault:?} at {at}: {:?}", disk.trace().get(at));
        for disk in [
            disk.crash(PowerLoss::Lost),
            disk.crash(PowerLoss::Random(at as u64)),
            disk.clone(),
        ] {
            if let Err(wrong) = evening.check(&disk) {
                panic!("{}: {wrong}; {:?}", place(), evening.errors);
            }
        }
    }
    assert!(failed > 3, "{failed} of {count}");
}

#[test]
fn one_error_anywhere() {
    one_fault_anywhere(Fault::Io, 0);
}

#[test]
fn one_torn_write_anywhere() {
    one_fault_anywhere(Fault::Torn, 5);
}

#[test]
fn one_full_moment_anywhere() {
    one_fault_anywhere(Fault::Full, 11);
}

/// A disk that says it wrote, and did not: found out, or of no consequence. Where it is the head of
/// the WAL that was never written, the commits in it are gone and nobody can know: then it is an
/// earlier committed state, as a whole.
#[test]
fn one_lie_anywhere() {
    let (files, known) = unpacked();
    let disk = disk_with(&files);
    disk.stop_at(usize::MAX);
    Evening::with_packing(&disk, &known);
    let whole = disk.operations();
    let (mut harmless, mut found) = (0, 0);
    for at in (3..whole).step_by(effort(17, 1)) {
        let disk = disk_with(&files);
        disk.fail_at(at, Fault::Lost);
        let evening = Evening::with_packing(&disk, &known);
        let Ok(engine) = on(&disk).open(STORE) else {
            found += 1;
            continue;
        };
        let intact = engine.verify(None).is_ok_and(|found| found.is_intact());
        let mut gone = false;
        for known in &evening.acknowledged {
            match engine.restore(&known.snapshot.id.to_string()) {
                Ok(restored) => {
                    assert!(
                        !gone || !intact,
                        "{at}: intact, and one in the middle is gone"
                    );
                    assert!(restored.text() == known.text, "{at}: a wrong text");
                    assert_eq!(restored.snapshot(), &known.snapshot);
                }
                Err(error) if intact => {
                    assert_eq!(
                        error.kind(),
                        ErrorKind::NotFound,
                        "{at}: intact, but {error}"
                    );
                    gone = true;
                }
                Err(_) => {}
            }
        }
        *(if intact { &mut harmless } else { &mut found }) += 1;
    }
    assert!(
        harmless > 0 && found > 0,
        "{harmless} harmless, {found} found"
    );
}

/// The disk gets full at every size; then there is room again, and the same engine goes on.
#[test]
fn a_full_disk_says_so_and_breaks_nothing() {
    let mut full = 0;
    for room in (0..120_000).step_by(effort(9_000, 700)) {
        let disk = Disk::new();
        let engine = on(&disk).create(STORE).unwrap();
        let mut known = Vec::new();
        let save = |known: &mut Vec<Known>, n| {
            let snapshot = engine.save_json("s", state(1, n)).commit()?;
            let text = state(1, n);
            known.push(Known { snapshot, text });
            Ok::<(), dalsegno::Error>(())
        };
        for n in 0..3 {
            save(&mut known, n).unwrap();
        }
        disk.set_capacity(disk.used() + room);
        let refused = (3..60).find_map(|n| Some((n, save(&mut known, n).err()?)));
        let Some((n, error)) = refused else { continue };
        full += 1;
        assert_eq!(error.kind(), ErrorKind::Storage);
        let message = error.to_string();
        assert!(message.contains("the disk is full"), "{message}");
        // It can be read and proved all the same.
        all_there(&engine, &known).unwrap();
        assert!(engine.verify(None).unwrap().is_intact());
        assert!(save(&mut known, n).is_err());
        disk.set_capacity(None);
        save(&mut known, 70).unwrap();
        all_there(&engine, &known).unwrap();
        engine.close().unwrap();
        let engine = on(&disk).open(STORE).unwrap();
        let truth = Truth::of(&engine);
        assert_eq!(truth.known.len(), known.len(), "{room}");
        assert_eq!(truth.judge(on(&disk).open(STORE)), Ok(Verdict::Harmless));
    }
    assert!(full > 5, "{full}");
}

/// Reading fails: an error, never another state.
#[test]
fn a_read_error_is_an_error() {
    let (files, known) = unpacked();
    let disk = disk_with(&files);
    let mut failed = 0;
    for nth in (0..60).step_by(effort(3, 1)) {
        let engine = on(&disk).open(STORE).unwrap();
        disk.fail_nth(Op::Read, nth, Fault::Io);
        for known in known.iter().rev().step_by(20) {
            match engine.restore(&known.snapshot.id.to_string()) {
                Ok(restored) => assert!(restored.text() == known.text),
                Err(error) => {
                    assert_eq!(error.kind(), ErrorKind::Storage, "{error}");
                    failed += 1;
                }
            }
        }
        disk.lift_faults();
        all_there(&engine, &known).unwrap();
    }
    assert!(failed > 3, "{failed}");
}
