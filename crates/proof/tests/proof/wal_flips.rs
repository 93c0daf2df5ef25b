//! Changed bytes in a WAL that a crash left: an earlier committed state at worst.

use dalsegno_faults::{Disk, PowerLoss};
use dalsegno_proof::truth::{Truth, all_there};
use dalsegno_proof::{Known, STORE, effort, on, state};

use crate::evening::{disk_with, files};

const WAL: &str = "store.db-wal";

/// A store with a few commits in its file and a few more in its WAL.
fn crashed() -> (Vec<(String, Vec<u8>)>, Truth) {
    let disk = Disk::new();
    let engine = on(&disk).create(STORE).unwrap();
    let save = |engine: &dalsegno::Engine, n| {
        let who = n % 2;
        let mut save = engine.save_json(&format!("s/{who}"), state(who, n));
        if n % 3 == 0 {
            save = save.name(format!("n{n}"));
        }
        save.commit().unwrap();
    };
    (0..4).for_each(|n| save(&engine, n));
    engine.close().unwrap();
    let engine = on(&disk).open(STORE).unwrap();
    (4..9).for_each(|n| save(&engine, n));
    let files = files(&disk.crash(PowerLoss::Kept));
    assert!(
        files
            .iter()
            .any(|(path, bytes)| path == WAL && bytes.len() > 20_000)
    );
    (files, Truth::of(&engine))
}

/// How many of the snapshots are left; they are the first ones, and nothing else is there.
fn left(disk: &Disk, truth: &Truth) -> Result<usize, String> {
    let engine = on(disk).open(STORE).map_err(|error| error.to_string())?;
    let found = engine.verify(None).map_err(|error| error.to_string())?;
    if !found.is_intact() {
        return Err(format!("{:?}", found.damage));
    }
    let left = usize::try_from(found.snapshots).unwrap();
    let known: &[Known] = truth.first(left);
    all_there(&engine, known)?;
    let listed = engine.list(&dalsegno::Query {
        limit: 1_000,
        reverse: true,
        ..Default::default()
    });
    let listed = listed.map_err(|error| error.to_string())?;
    let same = listed
        .snapshots
        .iter()
        .eq(known.iter().map(|k| &k.snapshot));
    if !same {
        return Err("other snapshots than before".to_owned());
    }
    // And one can go on.
    let saved = engine.save_json("s/0", state(0, 50)).commit();
    saved.map_err(|error| error.to_string())?;
    Ok(left)
}

fn with_wal(files: &[(String, Vec<u8>)], change: impl Fn(&mut Vec<u8>)) -> Disk {
    let mut files = files.to_vec();
    for (path, bytes) in &mut files {
        if path == WAL {
            change(bytes);
        }
    }
    disk_with(&files)
}

#[test]
fn every_byte_of_a_wal() {
    let (files, truth) = crashed();
    let all = truth.known.len();
    assert_eq!(left(&with_wal(&files, |_| {}), &truth), Ok(all));
    let len = files.iter().find(|(path, _)| path == WAL).unwrap().1.len();
    let mut lost = vec![0; all + 1];
    for at in (0..len).step_by(effort(173, 1)).chain(0..effort(32, 0)) {
        let disk = with_wal(&files, |wal| wal[at] ^= 1 << (at % 8));
        match left(&disk, &truth) {
            Ok(left) => lost[all - left] += 1,
            Err(wrong) => panic!("byte {at}: {wrong}"),
        }
    }
    println!("by how many snapshots were lost: {lost:?}");
    assert!(
        lost[5] > 0 && lost[1..5].iter().all(|count| *count > 0),
        "{lost:?}"
    );
    assert_eq!(lost[6..].iter().sum::<usize>(), 0, "{lost:?}");
}

/// The WAL is cut off, anywhere.
#[test]
fn a_wal_that_was_cut_off() {
    let (files, truth) = crashed();
    let len = files.iter().find(|(path, _)| path == WAL).unwrap().1.len();
    let mut before = 4;
    for end in (0..=len).step_by(effort(1_500, 97)).chain([len]) {
        let disk = with_wal(&files, |wal| wal.truncate(end));
        let left = left(&disk, &truth).unwrap_or_else(|wrong| panic!("cut at {end}: {wrong}"));
        assert!(left >= before, "cut at {end}: {left} left");
        before = left;
    }
    assert_eq!(before, truth.known.len());
}
