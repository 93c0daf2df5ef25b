//! A session goes from program to program, and either of both is killed in the middle of it.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::Child;
use std::sync::mpsc::{Receiver, channel};

use dalsegno::{Engine, Query};
use dalsegno_proof::{effort, long};
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};

use crate::kills::saver;

struct Program {
    child: Child,
    said: Receiver<String>,
}

/// By number, the id of what was acknowledged.
type Promises = BTreeMap<i64, String>;

impl Program {
    fn start(path: &Path, who: usize) -> Self {
        let mut child = saver(&["succeed", path.to_str().unwrap(), &who.to_string()]);
        let out = BufReader::new(child.stdout.take().unwrap());
        let (says, said) = channel();
        std::thread::spawn(move || {
            for line in out.lines().map_while(Result::ok) {
                if says.send(line).is_err() {
                    return;
                }
            }
        });
        Self { child, said }
    }

    /// Hears it until it says that; nothing where it ended before.
    fn until(&self, wanted: &str, promises: &mut Promises) -> Option<()> {
        loop {
            let line = self.said.recv().ok()?;
            let word = line.split(' ').next().unwrap();
            if let ["ack", _, _, n, id] = line.split(' ').collect::<Vec<_>>()[..] {
                // What was cut off by the kill was not promised.
                if id.len() == 36 {
                    let before = promises.insert(n.parse().unwrap(), id.to_owned());
                    assert_eq!(before, None, "{n} twice");
                }
            }
            if word == wanted {
                return Some(());
            }
        }
    }

    fn kill(mut self, promises: &mut Promises) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
        while self.until("nothing", promises).is_some() {}
    }
}

#[test]
fn of_two_programs_one_has_the_session_whoever_is_killed() {
    let turns = effort(25, 300);
    let seed = if long() { rand::random() } else { 42 };
    println!("seed {seed}");
    let mut rng = StdRng::seed_from_u64(seed);
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("store.db");
    Engine::create(&path).unwrap().close().unwrap();
    let mut promises = Promises::new();
    let mut old = Program::start(&path, 0);
    old.until("took", &mut promises).unwrap();
    let mut went = [0; 3];
    for turn in 1..=turns {
        let new = Program::start(&path, turn);
        let what = rng.random_range(0..3);
        for _ in 0..rng.random_range(0..15_000_000) {
            std::hint::spin_loop();
        }
        match what {
            // It dies: the new one has the session, handed over or recovered.
            0 => {
                old.kill(&mut promises);
                new.until("took", &mut promises).unwrap();
                old = new;
                went[0] += 1;
            }
            // The new one dies: a third one gets the session from whoever has it then, or finds it.
            1 => {
                new.kill(&mut promises);
                let next = Program::start(&path, turn + 1_000_000);
                next.until("took", &mut promises).unwrap();
                old.kill(&mut promises);
                old = next;
                went[1] += 1;
            }
            _ => {
                new.until("took", &mut promises).unwrap();
                old.until("passed", &mut promises).unwrap();
                old.kill(&mut promises);
                old = new;
                went[2] += 1;
            }
        }
        old.until("ack", &mut promises).unwrap();
    }
    old.kill(&mut promises);
    println!("{went:?}, {} promises", promises.len());
    let engine = Engine::open(&path).unwrap();
    let query = Query {
        limit: usize::MAX,
        reverse: true,
        ..Query::session("s/0")
    };
    let (mut expected, mut epoch) = (1, 0);
    for snapshot in engine.list(&query).unwrap().snapshots {
        let n = snapshot.turn.unwrap();
        // Each counts on from the one before, so nobody went on from an older state.
        assert_eq!(n, expected, "{}", snapshot.id);
        assert!(snapshot.epoch >= epoch, "after another one had it");
        if let Some(id) = promises.remove(&n) {
            assert_eq!(id, snapshot.id.to_string());
        }
        (expected, epoch) = (n + 1, snapshot.epoch);
    }
    assert!(promises.is_empty(), "{promises:?}");
    assert!(engine.verify(None).unwrap().is_intact());
}
