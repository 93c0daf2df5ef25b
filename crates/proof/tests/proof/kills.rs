//! A program is killed at random moments while its threads save, pack and close.

use std::collections::HashMap;
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::thread;

use dalsegno::{Engine, Query};
use dalsegno_proof::{effort, long, state};
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};

/// What was acknowledged: by session and number, the id.
pub(crate) type Promises = HashMap<(String, u64, u64), String>;

pub(crate) fn saver(arguments: &[&str]) -> Child {
    Command::new(env!("CARGO_BIN_EXE_saver"))
        .args(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap()
}

/// A line that was written to its end.
pub(crate) fn note(promises: &mut Promises, line: &str) {
    let words: Vec<&str> = line.split(' ').collect();
    let ["ack", session, who, n, id] = words[..] else {
        panic!("{line:?}");
    };
    let key = (session.to_owned(), who.parse().unwrap(), n.parse().unwrap());
    let before = promises.insert(key, id.trim_end().to_owned());
    assert_eq!(before, None, "acknowledged twice: {line}");
}

/// Starts the program, and kills it after so many promises and a little while. What it managed to
/// promise until then counts, read or not.
fn kill(path: &Path, rng: &mut StdRng, promises: &mut Promises) {
    let seed = rng.random_range(0..1_000_000_u32).to_string();
    let mut child = saver(&["until-killed", path.to_str().unwrap(), &seed]);
    let mut out = BufReader::new(child.stdout.take().unwrap());
    let mut line = String::new();
    for _ in 0..rng.random_range(0..70) {
        line.clear();
        assert_ne!(out.read_line(&mut line).unwrap(), 0, "it ended by itself");
        note(promises, &line);
    }
    for _ in 0..rng.random_range(0..200_000) {
        std::hint::spin_loop();
    }
    child.kill().unwrap();
    let ended = child.wait().unwrap();
    assert_eq!(ended.code(), None, "it ended by itself: {ended}");
    loop {
        line.clear();
        let len = out.read_line(&mut line).unwrap();
        if len == 0 || !line.ends_with('\n') {
            return;
        }
        note(promises, &line);
    }
}

/// Every session of the program is an unbroken row of whole states, as far as was promised or further.
pub(crate) fn check(engine: &Engine, promises: &Promises) {
    let found = engine.verify(None).unwrap();
    assert!(found.is_intact(), "{:?}", found.damage);
    let mut kept = 0;
    for session in engine.sessions().unwrap() {
        let Some(who) = session.strip_prefix("s/") else {
            continue;
        };
        let who: u64 = who.parse().unwrap();
        let query = Query {
            limit: usize::MAX,
            reverse: true,
            ..Query::session(&session)
        };
        let mut before = None;
        for (snapshot, n) in engine.list(&query).unwrap().snapshots.iter().zip(0..) {
            assert_eq!(snapshot.turn, i64::try_from(n).ok(), "{session}: a gap");
            assert_eq!(snapshot.parent, before);
            assert_eq!(snapshot.name, (n % 10 == 0).then(|| format!("n{n}")));
            let id = snapshot.id.to_string();
            let restored = engine.restore(&id).unwrap();
            assert!(restored.text() == state(who, n), "{session}: another text");
            // What is not among them was saved by a program that was killed before it could say so.
            if let Some(promised) = promises.get(&(session.clone(), who, n)) {
                assert_eq!(*promised, id);
                kept += 1;
            }
            before = Some(snapshot.id);
        }
    }
    assert_eq!(kept, promises.len(), "acknowledged and lost");
}

fn kills(count: usize, seed: u64) {
    let mut rng = StdRng::seed_from_u64(seed);
    let mut killed = 0;
    while killed < count {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("store.db");
        Engine::create(&path).unwrap().close().unwrap();
        let mut promises = Promises::new();
        for _ in 0..10.min(count - killed) {
            kill(&path, &mut rng, &mut promises);
            check(&Engine::open(&path).unwrap(), &promises);
            killed += 1;
        }
    }
}

/// Twenty, or ten thousand.
#[test]
fn no_kill_loses_what_was_acknowledged() {
    let seed = if long() { rand::random() } else { 20 };
    println!("seed {seed}");
    thread::scope(|scope| {
        for half in 0..2 {
            scope.spawn(move || kills(effort(10, 5_000), seed ^ half));
        }
    });
}
