//! A short script of every verb on a simulated disk that loses its power, fails, or is full.

use std::path::Path;

use dalsegno::ErrorKind;
use dalsegno_faults::{Disk, Fault, PowerLoss};
use dalsegno_proof::effort;
use dalsegno_proof::house::{Deed, Found, House, Picture, furnish, guarded, judge};
use tempfile::TempDir;

use crate::evening::{disk_with, files};
use crate::housekeeping::complete;

/// The deeds, where they begin, and what it looks like after each where nothing fails.
struct Script {
    folder: TempDir,
    disk: Vec<(String, Vec<u8>)>,
    first: u64,
    deeds: Vec<Deed>,
    /// One more than there are deeds.
    pictures: Vec<Picture>,
    answers: Vec<String>,
}

fn deeds() -> Vec<Deed> {
    let session = |who: u64| format!("s/{who}");
    let at = |who: u64, back: u64| format!("s/{who}@-{back}");
    let cleanup = |session: Option<String>, purge| Deed::Cleanup {
        session,
        keep_last: 3,
        grace: None,
        purge,
    };
    let keep = |who, n, intent: Option<&str>| Deed::Keep {
        who,
        n,
        intent: intent.map(str::to_owned),
    };
    vec![
        Deed::Rollback {
            session: session(0),
            steps: 2,
        },
        Deed::ToFile {
            reference: at(1, 4),
            file: 1,
        },
        Deed::Undo(session(1)),
        Deed::Redo(session(1)),
        Deed::Undo(session(0)),
        Deed::Spoil { file: 0 },
        Deed::ToFile {
            reference: at(2, 1),
            file: 0,
        },
        Deed::Undo(session(2)),
        Deed::Delete {
            references: vec![at(0, 2), at(1, 2), at(1, 3), at(2, 5)],
            grace: 0,
        },
        Deed::Save {
            who: 0,
            n: 40,
            name: Some("late".to_owned()),
        },
        Deed::Purge { all: false },
        Deed::Rename {
            reference: session(0) + "@latest",
            name: Some("later".to_owned()),
        },
        Deed::Tag {
            reference: session(1) + "@latest",
            tag: "t".to_owned(),
        },
        Deed::Pin {
            reference: session(2) + "@latest",
            pinned: true,
        },
        Deed::Fork {
            reference: at(2, 1),
            name: "f/1".to_owned(),
        },
        Deed::Policy {
            pattern: "f/*".to_owned(),
            keep_last: 5,
        },
        // Lost without a word, lost on purpose, back, and lost more often than is kept.
        keep(0, 3, None),
        keep(0, 2, Some("undo")),
        Deed::Regain(guarded(0)),
        Deed::Guard { generations: 1 },
        keep(1, 12, None),
        keep(1, 20, None),
        Deed::Undo(guarded(0)),
        Deed::NoGuard,
        Deed::Guard { generations: 2 },
        keep(0, 30, Some("clear")),
        cleanup(Some(session(0)), false),
        cleanup(None, true),
        Deed::Close,
        Deed::Delete {
            references: vec!["f/1@latest".to_owned()],
            grace: 0,
        },
        Deed::Undelete(vec!["019".to_owned()]),
        Deed::Purge { all: true },
        Deed::Close,
    ]
}

impl Script {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let disk = Disk::new();
        let mut house = House::on(&disk, folder.path());
        house.create().unwrap();
        let last = furnish(&mut house, 12);
        let mut pictures = vec![house.picture().unwrap()];
        house.close().unwrap();
        let at_first = files(&disk.crash(PowerLoss::Kept));
        let (mut answers, mut deeds) = (Vec::new(), deeds());
        let mut n = last;
        for deed in &mut deeds {
            n += 1;
            by_id(&mut house, deed);
            let answer = house.run(n, deed);
            answers.push(answer.unwrap_or_else(|error| panic!("{deed:?}: {error}")));
            pictures.push(house.picture().unwrap());
        }
        Self {
            folder,
            disk: at_first,
            first: last + 1,
            deeds,
            pictures,
            answers,
        }
    }

    fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// A disk as it is before the deed of that number, with its files.
    fn house(&self) -> (Disk, House) {
        let disk = disk_with(&self.disk);
        let house = House::on(&disk, self.folder());
        house.put_files(&self.pictures[0]);
        (disk, house)
    }

    fn steps(&self) -> impl Iterator<Item = (usize, u64, &Deed)> {
        let numbered = self.deeds.iter().enumerate();
        numbered.map(|(at, deed)| (at, self.first + at as u64, deed))
    }

    /// What leads from which picture to which, and what it answers.
    fn way(&self, at: usize) -> (&Picture, &str, &Picture) {
        (
            &self.pictures[at],
            &self.answers[at],
            &self.pictures[at + 1],
        )
    }
}

/// Means by ids what was meant by words: done again, it means the same.
fn by_id(house: &mut House, deed: &mut Deed) {
    let engine = house.engine().unwrap();
    match deed {
        Deed::Undelete(references) => {
            let trash = engine.trash(None).unwrap();
            let ids = trash.iter().map(|t| t.snapshot.id.to_string());
            *references = ids.collect();
        }
        Deed::Delete { references, .. } => {
            for reference in references {
                *reference = engine.info(reference).unwrap().id.to_string();
            }
        }
        Deed::ToFile { reference, .. }
        | Deed::Rename { reference, .. }
        | Deed::Tag { reference, .. }
        | Deed::Pin { reference, .. }
        | Deed::Fork { reference, .. } => {
            *reference = engine.info(reference).unwrap().id.to_string();
        }
        _ => {}
    }
}

/// The deed was answered to, but for the log, which could not be told that it is done; or but for fuller states that
/// are more than is kept.
fn done_but_begun(deed: &Deed, way: (&Picture, &str, &Picture), found: &Picture) -> bool {
    let is_between = || judge(deed, way.0, way.2, found) == Ok(Found::Between);
    if matches!(deed, Deed::Keep { .. }) {
        return is_between();
    }
    matches!(deed, Deed::ToFile { .. } | Deed::Undo(_) | Deed::Redo(_))
        && found.files == way.2.files
        && is_between()
}

#[test]
fn the_power_goes_at_every_operation() {
    let script = Script::new();
    let (disk, mut house) = script.house();
    disk.stop_at(usize::MAX);
    for (at, n, deed) in script.steps() {
        assert_eq!(house.answer(n, deed), script.answers[at], "{deed:?}");
    }
    drop(house);
    let operations = disk.operations();
    let mut tally = [0; 4];
    for at in (0..operations).step_by(effort(41, 1)) {
        let (disk, mut house) = script.house();
        disk.stop_at(at);
        // What was under way when the power went: nobody was told that it is done.
        let stopped = script
            .steps()
            .find(|(step, n, deed)| house.answer(*n, deed) != script.answers[*step]);
        let written = house.files();
        drop(house);
        let random =
            (0..effort(1, 3) as u64).map(|seed| PowerLoss::Random(seed * 1_000 + at as u64));
        for loss in [PowerLoss::Lost, PowerLoss::Kept].into_iter().chain(random) {
            let place = || {
                let last = disk.trace().into_iter().next_back();
                format!("stopped at {at} of {operations} after {last:?}, {loss:?}")
            };
            let found = disk.crash(loss);
            let mut house = House::on(&found, script.folder());
            house.write_files(&written);
            let picture = house
                .picture()
                .unwrap_or_else(|wrong| panic!("{}: {wrong}", place()));
            let Some((step, n, deed)) = stopped else {
                // All was answered; what the end left undone is no deed.
                let last = script.pictures.last().unwrap();
                assert!(
                    picture == *last,
                    "{}: {}",
                    place(),
                    picture.difference(last)
                );
                continue;
            };
            let before = step
                .checked_sub(1)
                .map(|before| (&script.deeds[before], script.way(before)));
            if before.is_some_and(|(deed, way)| done_but_begun(deed, way, &picture)) {
                tally[3] += 1;
                continue;
            }
            let (before, answer, after) = script.way(step);
            let found = judge(deed, before, after, &picture);
            let found = found.unwrap_or_else(|wrong| panic!("{}: {wrong}", place()));
            tally[found as usize] += 1;
            complete(&mut house, n, deed, found, (before, answer, after));
        }
    }
    println!("{operations} operations; before, between, after, done but begun: {tally:?}");
    assert!(tally[..3].iter().all(|count| *count > 0), "{tally:?}");
}

/// One fault at every operation of every deed, with power: what failed says so and is not half done,
/// and the same engine does it when the fault is over.
fn one_fault_in_every_deed(fault: Fault, offset: usize) {
    let script = Script::new();
    let (mut failed, mut tried) = (0, 0);
    // Each deed begins where those before it have ended.
    let (disk, mut house) = script.house();
    for (step, n, deed) in script.steps() {
        let disk_before = files(&disk.crash(PowerLoss::Kept));
        assert_eq!(house.answer(n, deed), script.answers[step]);
        let way = script.way(step);
        let stride = effort(17, 1);
        for at in (offset % stride..).step_by(stride) {
            let disk = disk_with(&disk_before);
            let mut house = House::on(&disk, script.folder());
            house.put_files(way.0);
            house.engine().unwrap();
            disk.stop_at(usize::MAX);
            disk.fail_at(at, fault);
            let done = house.run(n, deed);
            let struck = disk.operations() > at;
            disk.lift_faults();
            tried += 1;
            let place = || format!("{deed:?}, {fault:?} at {at}: {:?}", disk.trace().get(at));
            let picture = house
                .picture()
                .unwrap_or_else(|wrong| panic!("{}: {wrong}", place()));
            match done {
                Ok(answer) => {
                    assert_eq!(answer, way.1, "{}", place());
                    let right = picture == *way.2 || done_but_begun(deed, way, &picture);
                    assert!(right, "{}: {}", place(), picture.difference(way.2));
                }
                Err(error) => {
                    failed += 1;
                    assert_eq!(error.kind(), ErrorKind::Storage, "{}: {error}", place());
                    let full = error.to_string().contains("the disk is full");
                    assert_eq!(full, fault == Fault::Full, "{}: {error}", place());
                    let found = judge(deed, way.0, way.2, &picture);
                    let found = found.unwrap_or_else(|wrong| panic!("{}: {wrong}", place()));
                    complete(&mut house, n, deed, found, way);
                }
            }
            house.close().unwrap();
            // Whatever the engine remembered, the next one sees the same.
            house.picture().unwrap();
            if !struck {
                break;
            }
        }
        house.put_files(way.2);
    }
    println!("{fault:?}: {tried} tried, {failed} failed");
    assert!(failed > 10, "{failed} of {tried}");
}

#[test]
fn one_error_in_every_deed() {
    one_fault_in_every_deed(Fault::Io, 0);
}

#[test]
fn one_torn_write_in_every_deed() {
    one_fault_in_every_deed(Fault::Torn, 3);
}

#[test]
fn one_full_moment_in_every_deed() {
    one_fault_in_every_deed(Fault::Full, 5);
}

/// The disk is full at every size in the middle of each deed; then there is room again, and the same engine
/// does it.
#[test]
fn a_full_disk_refuses_each_deed() {
    let script = Script::new();
    let (mut refused, mut tried) = (0, 0);
    let (disk, mut house) = script.house();
    for (step, n, deed) in script.steps() {
        let disk_before = files(&disk.crash(PowerLoss::Kept));
        assert_eq!(house.answer(n, deed), script.answers[step]);
        let way = script.way(step);
        for room in (0..200_000).step_by(effort(18_000, 1_500)) {
            let disk = disk_with(&disk_before);
            let mut house = House::on(&disk, script.folder());
            house.put_files(way.0);
            house.engine().unwrap();
            disk.set_capacity(disk.used() + room);
            let done = house.run(n, deed);
            tried += 1;
            // It can be read and proved all the same.
            let picture = house.picture();
            let picture = picture.unwrap_or_else(|wrong| panic!("{deed:?}, {room}: {wrong}"));
            disk.set_capacity(None);
            let Err(error) = done else {
                let right = picture == *way.2 || done_but_begun(deed, way, &picture);
                assert!(right, "{deed:?}, {room}: {}", picture.difference(way.2));
                break;
            };
            refused += 1;
            assert_eq!(error.kind(), ErrorKind::Storage, "{deed:?}: {error}");
            let full = error.to_string().contains("the disk is full");
            assert!(full, "{deed:?}, {room}: {error}");
            let found = judge(deed, way.0, way.2, &picture);
            let found = found.unwrap_or_else(|wrong| panic!("{room}: {wrong}"));
            complete(&mut house, n, deed, found, way);
            house.close().unwrap();
        }
        house.put_files(way.2);
    }
    println!("{tried} tried, {refused} refused");
    assert!(refused > 10, "{refused} of {tried}");
}
