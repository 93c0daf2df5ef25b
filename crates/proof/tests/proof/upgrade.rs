//! A store of each older format is upgraded, and the power goes, the disk fails or is full, at every operation, or the
//! program is killed: it has the old format or the new one, everything is there, and the next opening upgrades it.

use std::fs;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use dalsegno::{Engine, ErrorKind};
use dalsegno_faults::{Disk, Fault, PowerLoss};
use dalsegno_proof::truth::{Truth, Verdict};
use dalsegno_proof::{STORE, effort, long, on};
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};

use crate::evening::{disk_with, files};

/// The formats of stores before this one.
const OLD: [i64; 3] = [1, 2, 3];
const NEW: i64 = 4;

fn fixture(of: i64) -> PathBuf {
    let fixtures = concat!(env!("CARGO_MANIFEST_DIR"), "/../dalsegno/tests/fixtures");
    Path::new(fixtures).join(format!("format-{of}.db"))
}

fn disk_of(of: i64) -> Disk {
    let disk = disk_with(&[(STORE.to_owned(), fs::read(fixture(of)).unwrap())]);
    assert_eq!(format(&disk), of);
    disk
}

fn format(disk: &Disk) -> i64 {
    let copy = disk_with(&files(disk));
    format_of(&copy.open(STORE).unwrap())
}

fn format_of(database: &rusqlite::Connection) -> i64 {
    let version = database.pragma_query_value(None, "user_version", |row| row.get(0));
    version.unwrap()
}

/// What it says when it is upgraded, and how many operations that takes.
fn upgraded(of: i64) -> (Truth, usize) {
    let disk = disk_of(of);
    disk.stop_at(usize::MAX);
    on(&disk).open(STORE).unwrap().close().unwrap();
    let operations = disk.operations();
    assert_eq!(format(&disk), NEW);
    (Truth::of(&on(&disk).open(STORE).unwrap()), operations)
}

#[test]
fn the_power_goes_at_every_operation() {
    for of in OLD {
        let (truth, operations) = upgraded(of);
        assert!(truth.known.len() > 10 && operations > 5);
        let (mut old, mut new) = (0, 0);
        for at in 0..=operations {
            let disk = disk_of(of);
            disk.stop_at(at);
            let opened = on(&disk).open(STORE).is_ok();
            let random =
                (0..effort(1, 60) as u64).map(|seed| PowerLoss::Random(seed * 100 + at as u64));
            for loss in [PowerLoss::Lost, PowerLoss::Kept].into_iter().chain(random) {
                let found = disk.crash(loss);
                let place = format!("format {of}, stopped at {at} of {operations}, {loss:?}");
                match format(&found) {
                    before if before == of && !opened => old += 1,
                    NEW => new += 1,
                    other => panic!("{place}: format {other}, opened: {opened}"),
                }
                let verdict = truth.judge(on(&found).open(STORE));
                assert_eq!(verdict, Ok(Verdict::Harmless), "{place}");
                assert_eq!(format(&found), NEW, "{place}");
            }
        }
        println!("format {of}, {operations} operations: {old} old, {new} new");
        assert!(old > 5 && new > 5);
    }
}

#[test]
fn the_disk_fails_at_every_operation() {
    for of in OLD {
        let (truth, operations) = upgraded(of);
        let mut failed = 0;
        for fault in [Fault::Io, Fault::Full, Fault::Torn] {
            for at in (0..operations).step_by(effort(2, 1)) {
                let disk = disk_of(of);
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
                let place = format!("format {of}, {fault:?} at {at}");
                assert_eq!(verdict, Ok(Verdict::Harmless), "{place}");
                assert_eq!(format(&disk), NEW);
            }
        }
        println!("format {of}: {failed} of {} failed", 3 * operations);
        assert!(failed > 5);
    }
}

/// With so much room more than the store takes, the upgrade is tried.
fn with_room(of: i64, room: usize) -> (Disk, dalsegno::Result<Engine>) {
    let disk = disk_of(of);
    disk.set_capacity(disk.used() + room);
    let opened = on(&disk).open(STORE);
    (disk, opened)
}

/// A disk with too little room for it.
#[test]
fn a_full_disk_leaves_the_old_format() {
    for of in OLD {
        let (truth, _) = upgraded(of);
        let mut rooms = (0..).step_by(effort(2048, 256));
        let enough = rooms.find(|room| with_room(of, *room).1.is_ok()).unwrap();
        let tries = effort(6, 210);
        let mut refused = 0;
        for room in (0..tries).map(|n| enough * n / tries) {
            let (disk, opened) = with_room(of, room);
            let Err(error) = opened else {
                continue;
            };
            refused += 1;
            assert_eq!(error.kind(), ErrorKind::Storage, "{room}: {error}");
            assert!(
                error.to_string().contains("the disk is full"),
                "{room}: {error}"
            );
            disk.set_capacity(None);
            assert_eq!(format(&disk), of);
            assert_eq!(truth.judge(on(&disk).open(STORE)), Ok(Verdict::Harmless));
            assert_eq!(format(&disk), NEW);
        }
        println!("format {of}: {refused} of {tries} refused, {enough} bytes are enough");
        assert!(refused >= effort(4, 200));
    }
}

/// A copy of a store of an old format, and the program that upgrades it.
fn start(of: i64, folder: &Path) -> (PathBuf, Child) {
    let path = folder.join(STORE);
    fs::copy(fixture(of), &path).unwrap();
    let child = Command::new(env!("CARGO_BIN_EXE_turner"))
        .args(["upgrade", path.to_str().unwrap()])
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    (path, child)
}

/// How long it takes from its beginning to its end.
fn duration(of: i64) -> Duration {
    let folder = tempfile::tempdir().unwrap();
    let (_, mut child) = start(of, folder.path());
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    assert_eq!(lines.next().unwrap().unwrap(), "begin");
    let begin = Instant::now();
    assert_eq!(lines.next().unwrap().unwrap(), "done");
    let took = begin.elapsed();
    assert!(child.wait().unwrap().success());
    took
}

#[test]
fn a_program_that_is_killed_leaves_the_old_format_or_the_new() {
    let seed = if long() { rand::random() } else { 7 };
    for of in OLD {
        let (truth, _) = upgraded(of);
        let takes = (0..3).map(|_| duration(of)).max().unwrap();
        let mut rng = StdRng::seed_from_u64(seed ^ u64::try_from(of).unwrap());
        let (mut old, mut new) = (0, 0);
        for _ in 0..effort(12, 200) {
            let folder = tempfile::tempdir().unwrap();
            let (path, mut child) = start(of, folder.path());
            let mut line = String::new();
            let mut out = BufReader::new(child.stdout.take().unwrap());
            out.read_line(&mut line).unwrap();
            assert_eq!(line, "begin\n");
            thread::sleep(takes.mul_f64(rng.random_range(0.0..1.0)));
            child.kill().unwrap();
            child.wait().unwrap();
            // A copy with its log is looked at, for a look changes it.
            match format_found(&path) {
                NEW => new += 1,
                before if before == of => old += 1,
                other => panic!("format {other} of {of}, seed {seed}"),
            }
            let verdict = truth.judge(Engine::open(&path));
            assert_eq!(verdict, Ok(Verdict::Harmless), "format {of}, seed {seed}");
            assert_eq!(format_found(&path), NEW);
        }
        println!("format {of}, seed {seed}: {takes:?} each; {old} old, {new} new");
        assert!(!long() || old > 0 && new > 0, "{old} old, {new} new");
    }
}

/// The format of a store that nobody has open, its log taken into account.
fn format_found(path: &Path) -> i64 {
    let folder = tempfile::tempdir().unwrap();
    for part in ["", "-wal"] {
        let name = format!("{STORE}{part}");
        let from = path.with_file_name(&name);
        if from.exists() {
            fs::copy(from, folder.path().join(name)).unwrap();
        }
    }
    format_of(&rusqlite::Connection::open(folder.path().join(STORE)).unwrap())
}
