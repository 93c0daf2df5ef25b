//! Many processes at once on one session, some of them killed.

use std::collections::BTreeSet;
use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};

use dalsegno_hermes::{recover, save, update};
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use serde_json::{Value, json};

use crate::common::House;

const PATH: &str = "DALSEGNO_HERMES_PATH";
const WHO: &str = "DALSEGNO_HERMES_WHO";
const ROUNDS: &str = "DALSEGNO_HERMES_ROUNDS";

fn long() -> bool {
    std::env::var_os("DALSEGNO_LONG").is_some()
}

fn start(path: &Path, who: u64, rounds: usize) -> Child {
    Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "together::at_work", "--ignored", "--nocapture"])
        .env(PATH, path)
        .env(WHO, who.to_string())
        .env(ROUNDS, rounds.to_string())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap()
}

fn messages(path: &Path) -> Vec<String> {
    let Ok(text) = fs::read(path) else {
        return Vec::new();
    };
    let session: Value = serde_json::from_slice(&text).expect("always valid JSON");
    let list = session["messages"].as_array().unwrap().iter();
    list.map(|message| message.as_str().unwrap().to_owned())
        .collect()
}

/// Adds messages and says so, and recovers now and then.
#[test]
#[ignore = "started by the tests below, eight at a time"]
fn at_work() {
    let Some(path) = std::env::var_os(PATH).map(PathBuf::from) else {
        return;
    };
    let number = |name: &str| std::env::var(name).unwrap().parse::<u64>().unwrap();
    let (who, rounds) = (number(WHO), number(ROUNDS));
    let mut rng = StdRng::seed_from_u64(who);
    for round in 0..rounds {
        if rng.random_bool(0.25) {
            let recovery = recover(&path).unwrap();
            assert!(recovery.error.is_none(), "{recovery:?}");
            continue;
        }
        let message = format!("{who}/{round}");
        update(&path, |before| {
            let mut session = match before {
                Some(text) => serde_json::from_slice(text).expect("always valid JSON"),
                None => json!({"messages": [], "padding": "x".repeat(5000)}),
            };
            session["messages"]
                .as_array_mut()
                .unwrap()
                .push(message.clone().into());
            Ok(Some(serde_json::to_vec(&session).unwrap()))
        })
        .unwrap();
        let mut out = std::io::stdout().lock();
        out.write_all(format!("ack {message}\n").as_bytes())
            .unwrap();
        out.flush().unwrap();
    }
}

/// What was acknowledged, when each has come to its end or to so many of its own.
fn acknowledged(mut child: Child, kill_after: Option<usize>) -> Vec<String> {
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let mut promised = Vec::new();
    while let Some(Ok(line)) = lines.next() {
        if let Some(message) = line.strip_prefix("ack ") {
            promised.push(message.to_owned());
        }
        if kill_after == Some(promised.len()) {
            child.kill().unwrap();
        }
    }
    let ended = child.wait().unwrap();
    assert!(kill_after.is_some() || ended.success(), "{ended}");
    promised
}

/// Eight processes do so many things each, while the file is read again and again; those with an even number may be
/// killed.
fn eight(path: &Path, rounds: usize, kill: bool, seed: u64) -> Vec<String> {
    let done = AtomicBool::new(false);
    let mut rng = StdRng::seed_from_u64(seed);
    std::thread::scope(|scope| {
        let reader = scope.spawn(|| {
            let mut most = 0;
            while !done.load(Ordering::Relaxed) {
                most = most.max(messages(path).len());
            }
            most
        });
        let working: Vec<_> = (0..8)
            .map(|who| {
                let child = start(path, seed * 8 + who, rounds);
                let kill = (kill && who % 2 == 0).then(|| rng.random_range(1..=rounds / 2));
                scope.spawn(move || acknowledged(child, kill))
            })
            .collect();
        let ended: Vec<_> = working.into_iter().map(|it| it.join()).collect();
        // First, or a failure would be waited for without end.
        done.store(true, Ordering::Relaxed);
        reader.join().unwrap();
        ended.into_iter().flat_map(|it| it.unwrap()).collect()
    })
}

#[test]
fn five_hundred_saves_and_recoveries_of_one_session_lose_nothing() {
    let house = House::new();
    let path = house.path("1.json");
    let promised = eight(&path, 63, false, 1);
    assert!(promised.len() > 300, "{}", promised.len());
    let mut there = messages(&path);
    there.sort();
    let mut expected = promised;
    expected.sort();
    assert_eq!(there, expected);
    assert_eq!(house.names(), ["1.json"]);
}

#[test]
fn what_a_recovery_displaces_among_them_is_kept() {
    let house = House::new();
    let path = house.path("1.json");
    // Cut short by a bug, as it is when they start: the backup has 40.
    let texts = |count| {
        let list: Vec<String> = (0..count).map(|n| format!("old/{n}")).collect();
        serde_json::to_vec(&json!({ "messages": list })).unwrap()
    };
    save(&path, &texts(40)).unwrap();
    save(&path, &texts(0)).unwrap();
    let promised = eight(&path, 40, false, 2);
    let mut kept = BTreeSet::new();
    for name in house.names() {
        assert!(!name.contains(".tmp"), "{name}");
        kept.extend(messages(&house.path(&name)));
    }
    let lost: Vec<_> = promised.iter().filter(|it| !kept.contains(*it)).collect();
    assert!(lost.is_empty(), "{lost:?}");
    assert!((0..40).all(|n| kept.contains(&format!("old/{n}"))));
}

/// Twice, or a hundred times.
#[test]
fn no_kill_loses_what_was_acknowledged() {
    for seed in 0..if long() { 100 } else { 2 } {
        let house = House::new();
        let path = house.path("1.json");
        let promised = eight(&path, 16, true, 3 + seed);
        let there: BTreeSet<String> = messages(&path).into_iter().collect();
        let lost: Vec<_> = promised.iter().filter(|it| !there.contains(*it)).collect();
        assert!(lost.is_empty(), "{lost:?}");
        // A killed one may leave what it staged; nothing trips over it, and nobody is locked out.
        save(
            &path,
            &serde_json::to_vec(&json!({ "messages": [] })).unwrap(),
        )
        .unwrap();
        assert!(recover(&path).unwrap().restored);
        assert_eq!(messages(&path).len(), there.len());
    }
}
