//! A program is killed at random moments while it takes durable snapshots and rolls back.
#![allow(clippy::panic, clippy::unwrap_used)] // a failing test

use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;

use dalsegno::Engine;
use dalsegno_claudmaster::{DurableRollbackManager, Settings, Uuid};
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use serde_json::{Value, json};

/// Tells the program that it is the one to be killed, and where its store is.
const STORE: &str = "CLAUDMASTER_STORE";

fn game(turn: i64) -> Value {
    let said =
        |turn: i64| json!({"turn": turn, "content": format!("what was said in turn {turn}")});
    let history: Vec<Value> = (1..=turn).map(said).collect();
    json!({"turn_count": turn, "conversation_history": history})
}

fn open(path: &Path) -> DurableRollbackManager<Value> {
    let engine = Arc::new(Engine::open(path).unwrap());
    let settings = Settings::new(|game: &Value| game["turn_count"].as_i64().unwrap());
    settings
        .max_snapshots(usize::MAX)
        .durable(engine, "game/1", game(0))
        .unwrap()
}

/// The program: says of each snapshot and each rollback that it is done, once it is.
#[test]
#[ignore = "it runs until it is killed, by the test below"]
fn play() {
    let Some(path) = std::env::var_os(STORE) else {
        return;
    };
    let mut manager = open(Path::new(&path));
    let say = |line: String| {
        let mut out = std::io::stdout().lock();
        out.write_all(line.as_bytes()).unwrap();
        out.flush().unwrap();
    };
    let first = manager.snapshot_count() as i64;
    for turn in first.. {
        manager.session = game(turn);
        let taken = manager.create_snapshot(&format!("turn {turn}")).unwrap();
        say(format!("\nack {turn} {}\n", taken.snapshot_id));
        if turn % 5 == 4 {
            manager.rollback_last().unwrap();
            assert_eq!(manager.session, game(turn));
        }
    }
}

fn player(path: &Path) -> Child {
    Command::new(std::env::current_exe().unwrap())
        .args(["play", "--exact", "--ignored", "--nocapture"])
        .env(STORE, path)
        .stdout(Stdio::piped())
        .stderr(Stdio::inherit())
        .spawn()
        .unwrap()
}

#[test]
fn no_kill_loses_a_snapshot_that_was_acknowledged() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("store.db");
    Engine::create(&path).unwrap().close().unwrap();
    let mut rng = StdRng::seed_from_u64(20);
    let mut promises: Vec<(i64, Uuid)> = Vec::new();
    for _ in 0..12 {
        let mut child = player(&path);
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let mut read = |promises: &mut Vec<(i64, Uuid)>, enough: usize| {
            let mut found = 0;
            while found < enough {
                let Some(line) = lines.next() else {
                    return false;
                };
                let line = line.unwrap();
                let words: Vec<&str> = line.split(' ').collect();
                // The end of what it managed to say may be torn.
                let ["ack", turn, id] = words[..] else {
                    continue;
                };
                if let Ok(id) = id.parse() {
                    promises.push((turn.parse().unwrap(), id));
                    found += 1;
                }
            }
            true
        };
        assert!(
            read(&mut promises, rng.random_range(1..20)),
            "it ended by itself"
        );
        for _ in 0..rng.random_range(0..200_000) {
            std::hint::spin_loop();
        }
        child.kill().unwrap();
        assert_eq!(child.wait().unwrap().code(), None, "it ended by itself");
        read(&mut promises, usize::MAX);

        let mut manager = open(&path);
        assert!(manager.keep().engine().verify(None).unwrap().is_intact());
        let known = manager.list_snapshots();
        for (turn, id) in &promises {
            let there = known.iter().find(|known| known.snapshot_id == *id).unwrap();
            assert_eq!(there.turn_count, *turn);
            assert_eq!(there.label, format!("turn {turn}"));
        }
        for (snapshot, turn) in known.iter().zip(0..) {
            assert_eq!(snapshot.turn_count, turn, "a gap");
            assert_eq!(manager.state_of(snapshot.snapshot_id).unwrap(), game(turn));
        }
        manager.rollback_last().unwrap();
        assert_eq!(manager.session, game(known.last().unwrap().turn_count));
    }
}
