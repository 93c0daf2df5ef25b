//! `watch`: the real program on a real folder. What it prints is awaited.

use std::ffi::OsStr;
use std::fs;
use std::io::{BufRead, BufReader, Lines};
use std::os::unix::ffi::OsStrExt;
use std::process::{Child, ChildStdout, Command, Stdio};

use rustix::process::{Pid, Signal, kill_process};
use serde_json::{Value, json};

use crate::common::{House, Ran, skipped};

/// A watch of the folder `in` that runs.
struct Watching {
    child: Child,
    lines: Lines<BufReader<ChildStdout>>,
    /// What it said when it began.
    begun: Value,
}

impl Watching {
    fn start(house: &House) -> Self {
        let mut command = house.command(&["watch", "in", "--json", "--settle", "50ms"]);
        let mut child = command
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let mut watching = Self {
            child,
            lines,
            begun: Value::Null,
        };
        watching.begun = watching.wait("watching", "");
        watching
    }

    /// The next such event of the session.
    #[track_caller]
    fn wait(&mut self, event: &str, session: &str) -> Value {
        for line in &mut self.lines {
            let told: Value = serde_json::from_str(&line.unwrap()).unwrap();
            assert!(told["at"].is_string());
            if told["event"] == event && (session.is_empty() || told["session"] == session) {
                return told;
            }
        }
        panic!("it ended without '{event}' of '{session}'");
    }

    fn signal(&self, signal: Signal) {
        let pid = Pid::from_raw(self.child.id().try_into().unwrap()).unwrap();
        kill_process(pid, signal).unwrap();
    }

    fn ended(mut self) -> (Ran, Vec<Value>) {
        let rest = (&mut self.lines).map(|line| serde_json::from_str(&line.unwrap()).unwrap());
        let rest = rest.collect();
        (Ran::of(self.child.wait_with_output().unwrap()), rest)
    }
}

fn house() -> House {
    let house = House::new();
    fs::create_dir(house.path("in")).unwrap();
    house
}

fn texts(house: &House, session: &str) -> Vec<String> {
    let listed = house
        .run(&["snapshot", "list", session, "--json"])
        .ok()
        .json();
    let ids = listed["snapshots"].as_array().unwrap().iter().rev();
    ids.map(|it| {
        house
            .run(&["snapshot", "show", it["id"].as_str().unwrap()])
            .ok()
            .text()
    })
    .collect()
}

#[test]
fn a_watch_that_is_killed_catches_up_when_it_starts_again() {
    let house = house();
    let mut watching = Watching::start(&house);
    house.write("in/a.json", "[1]");
    let saved = watching.wait("saved", "a");
    assert_eq!(
        saved["file"],
        json!(fs::canonicalize(house.path("in/a.json")).unwrap())
    );
    watching.signal(Signal::KILL);
    // In the middle of nothing, and then while nobody watches.
    house.write("in/a.json", "[1, 2]");
    house.write("in/log.jsonl", "1\n2\n");
    watching.ended();
    let left = house.run(&["recover", "--dry-run"]).ok();
    left.says("a");
    let mut watching = Watching::start(&house);
    assert_eq!(watching.begun["taken_over"], 1, "what it left open");
    watching.wait("saved", "a");
    watching.wait("saved", "log.jsonl");
    watching.signal(Signal::TERM);
    let (ran, rest) = watching.ended();
    ran.ok();
    assert_eq!(rest.last().unwrap()["event"], "ended");
    assert_eq!(texts(&house, "a"), ["[1]", "[1, 2]"]);
    house.run(&["verify"]).ok();
}

#[test]
fn a_signal_ends_it_after_what_is_pending_was_saved() {
    for signal in [Signal::INT, Signal::TERM] {
        let house = house();
        let mut command = house.command(&["watch", "in", "--json", "--settle", "1h"]);
        let mut child = command
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let mut watching = Watching {
            child,
            lines,
            begun: Value::Null,
        };
        watching.wait("watching", "");
        house.write("in/a.json", "[1]");
        watching.signal(signal);
        let (ran, rest) = watching.ended();
        ran.ok();
        assert_eq!(rest.last().unwrap()["summary"]["saved"], 1, "{rest:?}");
        assert_eq!(texts(&house, "a"), ["[1]"]);
    }
}

#[test]
fn what_could_not_be_kept_until_the_end_is_no_good_end() {
    let house = house();
    house.write("in/torn.json", "[1, ");
    let mut watching = Watching::start(&house);
    watching.wait("torn", "torn");
    house.write("in/torn.json", "[1, 2]");
    watching.wait("saved", "torn");
    let other = dalsegno::Engine::open(house.store()).unwrap();
    let held = other.open_session("a").unwrap();
    house.write("in/a.json", "[1]");
    watching.wait("not_saved", "a");
    watching.signal(Signal::TERM);
    let (ran, rest) = watching.ended();
    drop(held);
    // What was torn once is not counted: it was kept.
    assert_eq!(ran.code, Some(3), "{ran}");
    let (kind, message) = ran.error();
    assert_eq!(kind, "partly_done");
    assert_eq!(message, "1 file could not be kept; all others were");
    assert_eq!(rest.last().unwrap()["summary"]["failed"], 1, "{rest:?}");
}

#[test]
fn names_that_are_not_utf_8_are_told_and_end_nothing() {
    let house = House::new();
    let folder = house.path("").join(OsStr::from_bytes(b"d\xe9"));
    fs::create_dir(&folder).unwrap();
    fs::write(folder.join("a.json"), "[1]").unwrap();
    fs::write(folder.join(OsStr::from_bytes(b"caf\xe9.json")), "{}").unwrap();
    let once = |options: &[&str]| {
        let mut command = house.command(&["watch", "--once"]);
        Ran::of(command.args(options).arg(&folder).output().unwrap())
    };
    let told: Vec<Value> = once(&["--json"])
        .ok()
        .text()
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    let of = |kind: &str| told.iter().find(|it| it["event"] == kind).unwrap();
    let path = |event: &Value| event["file"].as_str().unwrap().to_owned();
    assert!(path(of("skipped")).ends_with("/d\u{fffd}/caf\u{fffd}.json"));
    assert!(path(of("saved")).ends_with("/d\u{fffd}/a.json"));
    assert_eq!(of("ended")["summary"]["skipped"], 1);
    once(&[])
        .ok()
        .says("not watched: ")
        .says("is not UTF-8")
        .says("1 not watched");
}

#[test]
fn while_it_runs_its_sessions_are_its_own() {
    let house = house();
    house.write("in/a.json", "[1]");
    let mut watching = Watching::start(&house);
    watching.wait("saved", "a");
    let pid = format!("(process {})", watching.child.id());
    for second in [&["watch", "in"][..], &["watch", "in", "--once"]] {
        let ran = house.run(second);
        assert_eq!(ran.code, Some(5), "{ran}");
        assert!(
            ran.err.contains("is being watched already, by") && ran.err.contains(&pid),
            "{ran}"
        );
    }
    house.run(&["watch", "in", "--once", "--dry-run"]).ok();
    house.write("b.json", "[2]");
    house
        .run(&["snapshot", "save", "a", "--from", "b.json"])
        .refused(5, &pid);
    house
        .run(&["snapshot", "restore", "a@latest", "--to", "c.json"])
        .ok();
    house
        .run(&["watch", "restore", "a@latest", "--dir", "in"])
        .ok();
    watching.signal(Signal::TERM);
    watching.ended().0.ok();
    house
        .run(&["snapshot", "save", "a", "--from", "b.json"])
        .ok();
    let leases = house.run(&["lease", "list", "--json"]).ok().json();
    let leases = leases["leases"].as_array().unwrap();
    assert_eq!(leases.len(), 1, "of the folder's own nothing is left");
    assert_eq!(leases[0]["standing"], "closed");
}

#[test]
fn the_configuration_says_what_is_watched_where_no_option_does() {
    let house = house();
    house.write(
        "dalsegno.toml",
        "[watch]\nsettle = \"40ms\"\ninclude = [\"*.chat\"]\nexclude = [\"old*\"]\n",
    );
    for name in ["a.chat", "old.chat", "b.json"] {
        house.write(&format!("in/{name}"), "[1]");
    }
    house.run(&["watch", "in", "--once"]).ok();
    let of = |house: &House| {
        let stats = house.run(&["stats", "--json"]).ok().json();
        let by_session = stats["by_session"].as_array().unwrap().clone();
        let mut names: Vec<String> = by_session
            .iter()
            .map(|it| it["session"].as_str().unwrap().to_owned())
            .collect();
        names.sort();
        names
    };
    assert_eq!(of(&house), ["a.chat"]);
    house
        .run(&["watch", "in", "--once", "--include", "*.json"])
        .ok();
    assert_eq!(of(&house), ["a.chat", "b"], "an option comes first");
    let unit = house.run(&["watch", "service", "in"]).ok();
    unit.says("--include=*.chat")
        .says("--exclude=old*")
        .says("--settle=40ms");
    house.write("dalsegno.toml", "[watch]\ninclude = [\"a[\"]\n");
    house
        .run(&["watch", "in", "--once"])
        .refused(2, "dalsegno.toml:2:12: the pattern 'a[' is none");
    house
        .run(&["config", "check"])
        .refused(2, "dalsegno.toml:2:12: ");
}

#[test]
fn once_keeps_what_changed_and_ends() {
    let house = house();
    house.write("in/a.json", "[1]");
    house.write("in/x.jsonl", "1\n");
    let dry = house
        .run(&["watch", "in", "--once", "--dry-run", "--settle", "50ms"])
        .ok();
    dry.says("would be saved as a, a new session")
        .says("2 saved");
    assert_eq!(house.run(&["stats", "--json"]).ok().json()["snapshots"], 0);
    let ran = house
        .run(&[
            "watch",
            "in",
            "--once",
            "--prefix",
            "bot",
            "--exclude",
            "x.*",
        ])
        .ok();
    ran.says("saved bot/a as").says("ended: 1 file, 1 saved");
    let again = house
        .run(&["watch", "in", "--once", "--prefix", "bot", "--json"])
        .ok()
        .text();
    let kinds = again.lines().map(|line| {
        let told: Value = serde_json::from_str(line).unwrap();
        told["event"].as_str().unwrap().to_owned()
    });
    assert_eq!(kinds.collect::<Vec<_>>(), ["watching", "saved", "ended"]);
}

#[test]
fn a_torn_file_is_named_with_the_way_back() {
    let house = house();
    house.write("in/a.json", "[1]");
    house.run(&["watch", "in", "--once"]).ok();
    house.write("in/a.json", "[1, ");
    let ran = house
        .run(&["watch", "in", "--once"])
        .failed(3, "1 file could not be kept");
    ran.says("torn: ").says("the last good state is");
    let text = ran.text();
    let command = text
        .lines()
        .find_map(|line| line.split_once("restore it with: "));
    let words = shlex::split(command.unwrap().1).unwrap();
    let words: Vec<_> = words.iter().skip(1).map(String::as_str).collect();
    house.run(&words).ok().says("reads back as planned");
    assert_eq!(house.read("in/a.json"), b"[1]");
    house.run(&["watch", "in", "--once"]).ok().says("0 saved");
}

#[test]
fn lines_are_restored_as_lines_and_undone() {
    let house = house();
    let (one, two) = (
        "{\"n\": 1}\n\n{\"n\": 2}",
        "{\"n\": 1}\n\n{\"n\": 2}\r\n{\"n\": 3}\n",
    );
    for text in [one, two] {
        house.write("in/log.jsonl", text);
        house
            .run(&["watch", "in", "--once", "--settle", "50ms"])
            .ok();
    }
    let restore = ["watch", "restore", "log.jsonl@-1", "--dir", "in"];
    house
        .run(&[&restore[..], &["--dry-run"]].concat())
        .ok()
        .says("dry run");
    assert_eq!(house.read("in/log.jsonl"), two.as_bytes());
    house.run(&restore).ok().says("to take it back: ");
    assert_eq!(house.read("in/log.jsonl"), one.as_bytes());
    house
        .run(&["watch", "in", "--once"])
        .ok()
        .says("is what `restore` put there");
    house.run(&["undo", "log.jsonl"]).ok();
    assert_eq!(house.read("in/log.jsonl"), two.as_bytes());
    house.run(&["redo", "log.jsonl"]).ok();
    assert_eq!(house.read("in/log.jsonl"), one.as_bytes());
    // A session alone is its latest state, and the file may be another.
    house
        .run(&["watch", "restore", "log.jsonl", "--to", "other.jsonl"])
        .ok();
    assert_eq!(house.read("other.jsonl"), two.as_bytes());
    house
        .run(&["watch", "restore", "nothing", "--dir", "in"])
        .refused(4, "nothing");
    house.save("plain", "1");
    house
        .run(&["watch", "restore", "plain", "--dir", "in"])
        .refused(4, "no watched file");
    house
        .run(&["watch", "restore", "log.jsonl"])
        .refused(2, "--dir");
}

#[test]
fn what_makes_no_sense_is_refused() {
    let house = house();
    house.run(&["watch"]).refused(2, "DIR");
    house.run(&["watch", "nowhere"]).refused(4, "nowhere");
    house
        .run(&["watch", "in", "--dry-run"])
        .refused(2, "--once");
    house
        .run(&["watch", "in", "--once", "--include", "a["])
        .refused(2, "pattern");
    house
        .run(&["watch", "in", "--once", "--settle", "soon"])
        .refused(2, "soon");
    house
        .run(&["watch", "in", "--once", "--prefix", "a/../b"])
        .refused(2, "..");
    house
        .run(&["watch", "in", "--once", "--settle", "19ms"])
        .refused(2, "write 20ms or more");
    for option in ["--include", "--exclude"] {
        house
            .run(&["watch", "in", "--once", option, ""])
            .refused(2, "the pattern '' is empty");
    }
    house
        .run(&["watch", "in", "in", "--once"])
        .refused(2, "/in is named twice");
    let empty = House::empty();
    fs::create_dir(empty.path("in")).unwrap();
    empty.run(&["watch", "in", "--once"]).refused(4, "no store");
}

#[test]
fn the_service_is_one_that_systemd_takes() {
    let house = house();
    let unit = house
        .run(&[
            "watch",
            "service",
            "in",
            "--exclude",
            "a b%$x",
            "--prefix",
            "bot",
        ])
        .ok();
    unit.says("--exclude=a b%%$$x")
        .says("ProtectSystem=strict")
        .says("\"--\"");
    house.write("dalsegno-watch.service", unit.out);
    let checked = Command::new("systemd-analyze")
        .arg("verify")
        .arg(house.path("dalsegno-watch.service"))
        .env("SYSTEMD_LOG_LEVEL", "warning")
        .output();
    let Ok(checked) = checked else {
        return skipped("systemd-analyze is not here");
    };
    let said = String::from_utf8_lossy(&checked.stderr).into_owned();
    let of_it: Vec<_> = said
        .lines()
        .filter(|line| line.contains("dalsegno-watch.service:"))
        .collect();
    assert!(of_it.is_empty(), "{said}");
}

#[test]
fn what_a_file_lost_is_told_and_comes_back_into_the_file() {
    let house = house();
    let chat = |messages: &str| format!("{{\"messages\": [{messages}]}}");
    house.write("in/a.json", chat("1, 2, 3"));
    house.write("in/log.jsonl", "1\n2\n3\n");
    let mut watching = Watching::start(&house);
    watching.wait("saved", "log.jsonl");
    house.write("in/a.json", chat("1, 9"));
    let shrunk = watching.wait("shrunk", "a");
    assert_eq!(shrunk["lost"], "messages: 2 of 3 lost");
    house.write("in/log.jsonl", "3\n");
    assert_eq!(
        watching.wait("shrunk", "log.jsonl")["lost"],
        ".: 2 of 3 lost"
    );
    house
        .run(&["guard", "status"])
        .ok()
        .says("diverged")
        .says("by accident");
    house
        .run(&["guard", "restore", "a"])
        .failed(5, "ask it to do this (`--ask`)");
    // What is in the file and was not kept yet is kept first.
    for session in ["a", "log.jsonl"] {
        house
            .run(&["guard", "restore", session, "--ask"])
            .ok()
            .says("2 items came back")
            .says("it goes on with that state");
    }
    assert_eq!(house.read("in/a.json"), chat("1, 2, 3, 9").into_bytes());
    assert_eq!(house.read("in/log.jsonl"), b"1\n2\n3\n");
    house
        .run(&["undo", "a", "--ask"])
        .ok()
        .says("it goes on with that state");
    assert_eq!(house.read("in/a.json"), chat("1, 9").into_bytes());
    house
        .run(&["rollback", "a", "--steps", "1", "--ask"])
        .ok()
        .says("it goes on with that state");
    assert_eq!(house.read("in/a.json"), chat("1, 2, 3").into_bytes());
    watching.signal(Signal::TERM);
    let (ran, _) = watching.ended();
    ran.ok();
    // What came back is the newest state, and nothing was saved on top of it.
    let latest = house.run(&["snapshot", "info", "a@latest", "--json"]).ok();
    assert_eq!(latest.json()["operation"]["verb"], "rollback");
    let entries = house.run(&["log", "a", "--json"]).ok().json();
    let entries = entries["entries"].as_array().unwrap();
    let saves = entries.iter().filter(|it| it["entry"] == "save");
    assert_eq!(saves.count(), 2, "{entries:?}");
}

#[test]
fn what_a_session_says_leads_to_no_other_file() {
    let house = house();
    house.write("in/a.json", "[1]");
    house.write("other.json", "[7]");
    let mut watching = Watching::start(&house);
    watching.wait("saved", "a");
    let folder = fs::canonicalize(house.path("in")).unwrap();
    let engine = dalsegno::Engine::open(house.store()).unwrap();
    let kept = json!({"folder": folder, "file": "../other.json", "format": "json"});
    let save = engine.save_json("b", "[1,2]").meta("watch", kept.clone());
    save.commit().unwrap();
    engine
        .save_json("b", "[1,2,3]")
        .meta("watch", kept)
        .commit()
        .unwrap();
    drop(engine);
    house.write("in/b.json", "[1,2,3]");
    watching.wait("unchanged", "b");
    house.run(&["rollback", "b", "--ask"]).ok();
    assert_eq!(house.read("other.json"), b"[7]");
    // A torn file is left as it is, for it could not be kept.
    house.write("in/a.json", "[1, 2]");
    watching.wait("saved", "a");
    house.write("in/a.json", "[1, ");
    watching.wait("torn", "a");
    house
        .run(&["rollback", "a", "--ask"])
        .ok()
        .says("could not load it")
        .says("was left as it is");
    assert_eq!(house.read("in/a.json"), b"[1, ");
    watching.signal(Signal::KILL);
    watching.ended();
}
