//! A program that keeps house (saves, restores, deletes, purges…) is killed at random moments.

use std::fs;
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::thread;

use dalsegno::{LogEntry, Target};
use dalsegno_proof::house::{Deed, Found, House, Picture, furnish, judge};
use dalsegno_proof::{effort, long};
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};

use crate::kills::saver;

/// What a program said that it did: each deed, and what it answered, if it came to that.
type Said = Vec<(u64, Deed, Option<String>)>;

fn note(said: &mut Said, line: &str) {
    let mut words = line.trim_end().splitn(3, ' ');
    let (what, n, rest) = (words.next(), words.next().unwrap(), words.next());
    let (n, rest) = (n.parse().unwrap(), rest.unwrap_or_default());
    match (what, said.last_mut()) {
        (Some("begin"), _) => said.push((n, serde_json::from_str(rest).unwrap(), None)),
        (Some("ack"), Some(last)) if last.0 == n => last.2 = Some(rest.to_owned()),
        _ => panic!("{line:?}"),
    }
}

/// Lets the program keep house from its `first` deed on, and kills it.
fn kill(folder: &Path, first: u64, rng: &mut StdRng) -> Said {
    let (seed, first) = (rng.random::<u64>().to_string(), first.to_string());
    let mut child = saver(&["keep-house", folder.to_str().unwrap(), &seed, &first]);
    let mut out = BufReader::new(child.stdout.take().unwrap());
    let (mut said, mut line) = (Said::new(), String::new());
    for _ in 0..rng.random_range(1..50) {
        line.clear();
        assert_ne!(out.read_line(&mut line).unwrap(), 0, "it ended by itself");
        note(&mut said, &line);
    }
    for _ in 0..rng.random_range(0..1_000_000) {
        std::hint::spin_loop();
    }
    child.kill().unwrap();
    let ended = child.wait().unwrap();
    assert_eq!(ended.code(), None, "it ended by itself: {ended}");
    loop {
        line.clear();
        let len = out.read_line(&mut line).unwrap();
        if len == 0 || !line.ends_with('\n') {
            return said;
        }
        note(&mut said, &line);
    }
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        fs::copy(entry.path(), to.join(entry.file_name())).unwrap();
    }
}

/// The same deeds where nothing kills: what it looks like before the last, and after it.
fn uninterrupted(folder: &Path, said: &Said) -> (Picture, String, Picture) {
    let mut house = House::at(folder);
    let (last, others) = said.split_last().unwrap();
    for (n, deed, answer) in others {
        assert_eq!(Some(house.answer(*n, deed)), *answer, "{n} {deed:?}");
    }
    let before = house.picture().unwrap();
    let answer = house.answer(last.0, &last.1);
    (before, answer, house.picture().unwrap())
}

/// Does what is left of a deed that was cut off.
pub(crate) fn complete(
    house: &mut House,
    n: u64,
    deed: &Deed,
    found: Found,
    (before, answer, after): (&Picture, &str, &Picture),
) {
    let now = house.picture().unwrap();
    let gone = |id: &String| {
        !now.rooms
            .values()
            .any(|room| room.live.iter().any(|l| l.0.to_string() == *id))
    };
    let run = |house: &mut House, n, deed: &Deed| {
        let answer = house.run(n, deed);
        answer.unwrap_or_else(|error| panic!("{deed:?} again: {error}"));
    };
    match deed {
        _ if found == Found::After => return,
        // The next loss, or cleanup, thins it out.
        Deed::Keep { .. } if found == Found::Between => return,
        _ if found == Found::Before => assert_eq!(house.answer(n, deed), answer, "{deed:?}"),
        Deed::Delete { references, grace } => {
            let references = references.iter().filter(|id| !gone(id)).cloned().collect();
            run(
                house,
                n,
                &Deed::Delete {
                    references,
                    grace: *grace,
                },
            );
        }
        Deed::Undelete(references) => {
            run(
                house,
                n,
                &Deed::Undelete(references.iter().filter(|id| gone(id)).cloned().collect()),
            );
        }
        // The log says that it began, and what it was to put there: that can be restored.
        Deed::Undo(session) | Deed::Redo(session)
            if now.rooms[session].log != before.rooms[session].log =>
        {
            let engine = house.engine().unwrap();
            let LogEntry::Operation { from, target, .. } =
                engine.log(session, 1).unwrap().remove(0)
            else {
                panic!("{deed:?}: the log says nothing of it");
            };
            let Target::File(path) = target else {
                panic!("{target:?}")
            };
            // Nothing is to stand there, or what is kept beside.
            let Some(from) = from else { return };
            let restore = engine.put_back(&from.to_string()).to_file(path);
            restore.apply().unwrap();
            same_files(house, deed, after);
            return;
        }
        Deed::Undo(_) | Deed::Redo(_) | Deed::ToFile { .. } => {
            run(house, n + 1, deed);
            same_files(house, deed, after);
            return;
        }
        _ => {
            assert!(deed.can_be_repeated(), "{deed:?}");
            run(house, n, deed);
        }
    }
    let now = house.picture().unwrap();
    // Sessions that were cleaned up are cleaned up again, and by then what was an own state may be the same
    // as the one before it.
    let thinner = matches!(deed, Deed::Cleanup { .. }) && now.is_part_of(after);
    assert!(
        now == *after || thinner,
        "{deed:?} from {found:?}: {}",
        now.difference(after)
    );
}

fn same_files(house: &House, deed: &Deed, after: &Picture) {
    assert!(house.files() == after.files, "{deed:?} again: another file");
}

#[derive(Default, Debug)]
struct Tally {
    kills: usize,
    deeds: usize,
    acknowledged: usize,
    before: usize,
    between: usize,
    after: usize,
    /// Files that were staged and not put in place.
    staged: usize,
}

fn kills(count: usize, seed: u64) -> Tally {
    let mut rng = StdRng::seed_from_u64(seed);
    let mut tally = Tally::default();
    while tally.kills < count {
        let place = tempfile::tempdir().unwrap();
        let path = |name: &str| place.path().join(name);
        let (folder, base, killed) = (path("house"), path("base"), path("killed"));
        fs::create_dir(&folder).unwrap();
        let mut house = House::at(&folder);
        house.create().unwrap();
        let mut n = furnish(&mut house, 12);
        for _ in 0..10.min(count - tally.kills) {
            house.close().unwrap();
            drop(fs::remove_dir_all(&base));
            copy(&folder, &base);
            let said = kill(&folder, n + 1, &mut rng);
            tally.kills += 1;
            tally.deeds += said.len();
            let Some((last, deed, promised)) = said.last().cloned() else {
                continue;
            };
            // Logs name files by their paths: what is compared stands at the same place.
            fs::rename(&folder, &killed).unwrap();
            fs::rename(&base, &folder).unwrap();
            let (before, answer, after) = uninterrupted(&folder, &said);
            fs::remove_dir_all(&folder).unwrap();
            fs::rename(&killed, &folder).unwrap();

            house = House::at(&folder);
            let picture = house
                .picture()
                .unwrap_or_else(|wrong| panic!("{deed:?}: {wrong}"));
            let found =
                judge(&deed, &before, &after, &picture).unwrap_or_else(|wrong| panic!("{wrong}"));
            if let Some(promised) = promised {
                assert_eq!(promised, answer, "{deed:?}");
                assert!(
                    picture == after,
                    "acknowledged: {deed:?}, {}",
                    picture.difference(&after)
                );
                tally.acknowledged += 1;
            } else {
                match found {
                    Found::Before => tally.before += 1,
                    Found::Between => tally.between += 1,
                    Found::After => tally.after += 1,
                }
                complete(&mut house, last, &deed, found, (&before, &answer, &after));
            }
            n = last + 3;
        }
        let staged = fs::read_dir(&folder).unwrap().filter(|entry| {
            let name = entry.as_ref().unwrap().file_name();
            name.to_string_lossy().starts_with(".dalsegno-")
        });
        tally.staged += staged.count();
    }
    tally
}

/// Sixteen, or two thousand.
#[test]
fn no_kill_leaves_a_deed_half_done() {
    let seed = if long() { rand::random() } else { 21 };
    println!("seed {seed}");
    thread::scope(|scope| {
        let halves = [0, 1].map(|half| scope.spawn(move || kills(effort(8, 1_000), seed ^ half)));
        for half in halves {
            println!("{:?}", half.join().unwrap());
        }
    });
}
