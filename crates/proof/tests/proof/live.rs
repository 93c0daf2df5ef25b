//! Programs that have sessions open: killed while they save by themselves, and stopped while others take over.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Child, ChildStdin, ChildStdout};

use dalsegno::{Engine, Query};
use dalsegno_proof::{effort, long, state};
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use rustix::process::{Pid, Signal, kill_process};

use crate::kills::saver;

/// By session, the newest number that was acknowledged.
type Newest = BTreeMap<String, i64>;

/// Runs the program until it has said `ready` and so many acknowledgements after that, and kills it. Gives the sessions
/// that it found, with where they stood.
fn run(path: &Path, count: u64, acks: usize, newest: &mut Newest, rng: &mut StdRng) -> Newest {
    let mut child = saver(&["auto-save", path.to_str().unwrap(), &count.to_string()]);
    let mut out = BufReader::new(child.stdout.take().unwrap());
    let (mut found, mut line) = (Newest::new(), String::new());
    let (mut ready, mut seen) = (false, 0);
    while !ready || seen < acks {
        line.clear();
        assert_ne!(out.read_line(&mut line).unwrap(), 0, "it ended by itself");
        match line.split_whitespace().collect::<Vec<_>>()[..] {
            ["found", session, n] => {
                let again = found.insert(session.to_owned(), n.parse().unwrap());
                assert_eq!(again, None, "{session} was found twice");
            }
            ["ready"] => ready = true,
            ["ack", ..] => {
                acknowledged(&line, newest);
                seen += 1;
            }
            _ => panic!("{line}"),
        }
    }
    for _ in 0..rng.random_range(0..200_000) {
        std::hint::spin_loop();
    }
    child.kill().unwrap();
    child.wait().unwrap();
    loop {
        line.clear();
        let len = out.read_line(&mut line).unwrap();
        if len == 0 || !line.ends_with('\n') {
            return found;
        }
        acknowledged(&line, newest);
    }
}

fn acknowledged(line: &str, newest: &mut Newest) {
    let words: Vec<&str> = line.split_whitespace().collect();
    let ["ack", session, _, n, _] = words[..] else {
        panic!("{line}");
    };
    let known = newest.entry(session.to_owned()).or_insert(-1);
    *known = n.parse::<i64>().unwrap().max(*known);
}

/// After each start every session is found once, with every state that was acknowledged, and nobody has to help.
#[test]
fn a_program_that_saves_by_itself_finds_everything_again() {
    let (kills, count) = (effort(6, 200), effort(40, 1_000) as u64);
    let seed = if long() { rand::random() } else { 31 };
    println!("seed {seed}");
    let mut rng = StdRng::seed_from_u64(seed);
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("store.db");
    Engine::create(&path).unwrap().close().unwrap();
    let mut newest = Newest::new();
    let all: BTreeSet<String> = (0..count).map(|who| format!("s/{who}")).collect();
    for kill in 0..kills {
        let before = newest.clone();
        let acks = rng.random_range(0..3 * usize::try_from(count).unwrap());
        let found = run(&path, count, acks, &mut newest, &mut rng);
        if kill > 0 {
            let names: BTreeSet<String> = found.keys().cloned().collect();
            assert_eq!(names, all, "each is found");
        }
        for (session, n) in &before {
            assert!(
                found[session] >= *n,
                "{session} stands at {} of {n}",
                found[session]
            );
        }
    }
    let engine = Engine::open(&path).unwrap();
    assert!(engine.verify(None).unwrap().is_intact());
    let recovered = engine.recover().unwrap();
    assert_eq!(recovered.len(), all.len());
    for one in recovered {
        let snapshot = one.snapshot.unwrap();
        let n = snapshot.turn.unwrap();
        assert!(n >= newest.get(&one.session).copied().unwrap_or(0));
        let who = one.session[2..].parse().unwrap();
        let text = engine
            .restore(&snapshot.id.to_string())
            .unwrap()
            .into_text();
        assert!(text == state(who, n.unsigned_abs()), "{}", one.session);
    }
    engine.close().unwrap();
    let engine = Engine::open(&path).unwrap();
    assert!(engine.recover().unwrap().is_empty());
}

/// A program that holds the session when it is told to.
struct Holder {
    child: Child,
    orders: ChildStdin,
    said: BufReader<ChildStdout>,
}

impl Holder {
    fn start(path: &Path, who: usize) -> Self {
        let mut child = saver(&["hold", path.to_str().unwrap(), &who.to_string()]);
        Self {
            orders: child.stdin.take().unwrap(),
            said: BufReader::new(child.stdout.take().unwrap()),
            child,
        }
    }

    fn line(&mut self) -> String {
        let mut line = String::new();
        assert_ne!(
            self.said.read_line(&mut line).unwrap(),
            0,
            "it ended by itself"
        );
        line
    }

    fn signal(&self, signal: Signal) {
        let pid = Pid::from_child(&self.child);
        kill_process(pid, signal).unwrap();
    }
}

/// Two programs take the session from each other, the loser stopped in the middle of whatever it was doing. Each
/// acknowledged save has the epoch of its program, and none comes after a later epoch.
#[test]
fn of_two_programs_one_can_save() {
    let turns = effort(30, 1_000);
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("store.db");
    Engine::create(&path).unwrap().close().unwrap();
    let mut rng = StdRng::seed_from_u64(if long() { rand::random() } else { 32 });
    let mut holders = [0, 1].map(|who| Holder::start(&path, who));
    let mut epochs: BTreeMap<i64, usize> = BTreeMap::new();
    let mut promised = Vec::new();
    for turn in 0..turns {
        let who = turn % 2;
        let stopped = turn > 0;
        if stopped {
            for _ in 0..rng.random_range(0..300_000) {
                std::hint::spin_loop();
            }
            holders[1 - who].signal(Signal::STOP);
        }
        writeln!(holders[who].orders).unwrap();
        // The other goes on some time later: it may have been stopped with the store's lock in its hand.
        for _ in 0..rng.random_range(0..3_000_000) {
            std::hint::spin_loop();
        }
        holders[1 - who].signal(Signal::CONT);
        let line = holders[who].line();
        let ["took", epoch] = line.split_whitespace().collect::<Vec<_>>()[..] else {
            panic!("{line}");
        };
        assert_eq!(epochs.insert(epoch.parse().unwrap(), who), None);
        if stopped {
            loop {
                let line = holders[1 - who].line();
                match line.split_whitespace().collect::<Vec<_>>()[..] {
                    ["lost"] => break,
                    ["ack", _, by, _, id] => promised.push((by.to_owned(), id.to_owned())),
                    _ => panic!("{line}"),
                }
            }
        }
    }
    for holder in &mut holders {
        holder.signal(Signal::CONT);
        holder.child.kill().unwrap();
        holder.child.wait().unwrap();
    }
    let engine = Engine::open(&path).unwrap();
    let query = Query {
        limit: usize::MAX,
        reverse: true,
        ..Query::session("s/0")
    };
    let (mut last, mut by_id) = (0, BTreeMap::new());
    for snapshot in engine.list(&query).unwrap().snapshots {
        assert!(snapshot.epoch >= last, "after another one took over");
        last = snapshot.epoch;
        let who = epochs[&snapshot.epoch];
        let text = engine
            .restore(&snapshot.id.to_string())
            .unwrap()
            .into_text();
        let n = snapshot.turn.unwrap().unsigned_abs();
        assert!(text == state(who as u64, n), "saved by who had the session");
        by_id.insert(snapshot.id.to_string(), who);
    }
    for (who, id) in &promised {
        assert_eq!(
            by_id.get(id).map(ToString::to_string).as_ref(),
            Some(who),
            "{id}"
        );
    }
    println!("{} take-overs, {} promises", epochs.len(), promised.len());
    assert!(engine.verify(None).unwrap().is_intact());
}
