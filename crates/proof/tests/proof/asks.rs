//! Programs that ask, and programs that are asked, killed in the middle of it.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Read};
use std::path::Path;
use std::process::{Child, ChildStdout};

use dalsegno::{Engine, LogEntry, Operation, Query};
use dalsegno_proof::{effort, long};
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};

use crate::kills::saver;

/// A program, and what it says.
struct Program {
    child: Child,
    said: BufReader<ChildStdout>,
}

impl Program {
    fn start(arguments: &[&str]) -> Self {
        let mut child = saver(arguments);
        let said = BufReader::new(child.stdout.take().unwrap());
        Self { child, said }
    }

    fn line(&mut self) -> String {
        let mut line = String::new();
        assert_ne!(
            self.said.read_line(&mut line).unwrap(),
            0,
            "it ended by itself"
        );
        line.trim_end().to_owned()
    }

    /// Kills it, and gives the whole lines that nobody read.
    fn kill(mut self) -> Vec<String> {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
        let mut rest = String::new();
        self.said.read_to_string(&mut rest).unwrap();
        let whole = rest.rfind('\n').map_or(0, |end| end + 1);
        rest[..whole].lines().map(str::to_owned).collect()
    }
}

/// What is known of a request.
#[derive(Debug, Clone, PartialEq)]
enum Fate {
    Begun,
    /// The snapshot that was saved, or that was gone back to.
    Done(String),
    NotDone,
    /// It was so already, and nobody had the session open.
    Same,
    /// It says that nobody knows.
    Perhaps(String),
}

/// By asker and number: what it is, and what became of it.
type Fates = BTreeMap<(usize, u64), (String, Fate)>;

fn hear(fates: &mut Fates, who: usize, line: &str) {
    let (word, rest) = line.split_once(' ').unwrap();
    let (n, rest) = rest.split_once(' ').unwrap();
    let key = (who, n.parse().unwrap());
    let fate = match word {
        "begin" => {
            assert_eq!(fates.insert(key, (rest.to_owned(), Fate::Begun)), None);
            return;
        }
        "ack" => Fate::Done(rest.to_owned()),
        "no" => Fate::NotDone,
        "same" => Fate::Same,
        "perhaps" => Fate::Perhaps(rest.to_owned()),
        other => panic!("{other}"),
    };
    let known = fates.get_mut(&key).unwrap();
    assert_eq!(known.1, Fate::Begun, "{line}");
    known.1 = fate;
}

/// Each request was done once or not at all, and whoever asked was told the truth.
fn check(path: &Path, fates: &Fates) {
    let engine = Engine::open(path).unwrap();
    assert!(engine.verify(None).unwrap().is_intact());
    let query = Query {
        limit: usize::MAX,
        ..Query::session("s/0")
    };
    let mut saved: BTreeMap<(u64, u64), Vec<String>> = BTreeMap::new();
    for snapshot in engine.list(&query).unwrap().snapshots {
        if matches!(snapshot.operation, Some(Operation::Rollback { .. })) {
            continue;
        }
        let id = snapshot.id.to_string();
        let state: serde_json::Value = engine.restore(&id).unwrap().to().unwrap();
        if let (Some(who), Some(n)) = (state["who"].as_u64(), state["n"].as_u64()) {
            saved.entry((who, n)).or_default().push(id);
        }
    }
    let mut back: BTreeMap<String, usize> = BTreeMap::new();
    for entry in engine.log("s/0", usize::MAX).unwrap() {
        if let LogEntry::Operation { from, .. } = entry {
            *back.entry(from.unwrap().to_string()).or_default() += 1;
        }
    }
    let (mut done, mut not, mut open) = (0, 0, 0);
    for ((who, n), (what, fate)) in fates {
        let count = if what == "save" {
            let found = saved.get(&(*who as u64, *n)).cloned().unwrap_or_default();
            if let Fate::Done(id) = fate {
                assert_eq!(&found, std::slice::from_ref(id), "{who} {n}");
            }
            found.len()
        } else {
            back.get(what).copied().unwrap_or(0)
        };
        assert!(count <= 1, "{who} {n}: {what} was done {count} times");
        match fate {
            Fate::Done(_) => {
                assert_eq!(count, 1, "{who} {n}: {what}");
                done += 1;
            }
            Fate::NotDone | Fate::Same => {
                assert_eq!(count, 0, "{who} {n}: {what}");
                not += 1;
            }
            Fate::Begun => open += 1,
            // A program that is gone leaves nothing unknown of these deeds.
            Fate::Perhaps(why) => panic!("{who} {n}: {what}: {why}"),
        }
    }
    println!("{done} done, {not} not done, {open} whose askers were killed");
}

#[test]
fn what_is_asked_for_is_done_once_whoever_is_killed() {
    let kills = effort(50, 300);
    let seed = if long() { rand::random() } else { 41 };
    println!("seed {seed}");
    let mut rng = StdRng::seed_from_u64(seed);
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("store.db");
    Engine::create(&path).unwrap().close().unwrap();
    let shown = path.to_str().unwrap();
    let mut fates = Fates::new();
    let hold = || {
        let mut holder = Program::start(&["attend", shown]);
        assert!(holder.line().starts_with("holds "));
        holder
    };
    let asks = |who: usize, first: u64| {
        Program::start(&["ask", shown, &who.to_string(), &first.to_string()])
    };
    let mut holder = Some(hold());
    let mut askers = [0, 1].map(|who| Some(asks(who, 0)));
    for _ in 0..kills {
        for _ in 0..rng.random_range(0..8) {
            let who = rng.random_range(0..2);
            let line = askers[who].as_mut().unwrap().line();
            hear(&mut fates, who, &line);
        }
        for _ in 0..rng.random_range(0..3_000_000) {
            std::hint::spin_loop();
        }
        let victim = rng.random_range(0..4);
        if victim < 2 {
            // The askers find out, and do it themselves meanwhile.
            holder.take().unwrap().kill();
            for _ in 0..rng.random_range(0..6) {
                let who = rng.random_range(0..2);
                let line = askers[who].as_mut().unwrap().line();
                hear(&mut fates, who, &line);
            }
            holder = Some(hold());
        } else {
            let who = victim - 2;
            for line in askers[who].take().unwrap().kill() {
                hear(&mut fates, who, &line);
            }
            let own = fates.keys().filter(|(by, _)| *by == who);
            let next = own.map(|(_, n)| n + 1).max().unwrap_or(0);
            askers[who] = Some(asks(who, next));
        }
    }
    for (who, asker) in askers.into_iter().enumerate() {
        for line in asker.unwrap().kill() {
            hear(&mut fates, who, &line);
        }
    }
    // What it has taken it carries out; nobody reads the answer any more.
    holder.unwrap().kill();
    check(&path, &fates);
}
