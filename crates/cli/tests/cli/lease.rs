//! Sessions that programs have open, or left: `lease`, `recover`, `events`.

use std::io::{BufRead, BufReader};
use std::sync::Arc;

use dalsegno::clock::{Clock, SystemClock};
use dalsegno::{Engine, Options};
use jiff::Timestamp;
use serde_json::{Value, json};

use crate::common::House;

/// The clock of a program that said its last word a minute ago.
struct Silent;

impl Clock for Silent {
    fn now(&self) -> Timestamp {
        SystemClock.now()
    }
    fn random(&self) -> [u8; 16] {
        SystemClock.random()
    }
    fn uptime(&self) -> u64 {
        SystemClock.uptime() - 60_000
    }
}

fn bot(house: &House) -> Engine {
    let options = Options::default().program("the bot");
    let bot = options.open(house.store()).unwrap();
    bot.open_session("s").unwrap();
    bot
}

fn gone(house: &House, sessions: &[&str]) {
    let options = Options::default()
        .program("the bot")
        .clock(Arc::new(Silent));
    let bot = options.open(house.store()).unwrap();
    for session in sessions {
        bot.open_session(session).unwrap();
        bot.save_json(session, "{\"n\":2}").commit().unwrap();
    }
    bot.flush().unwrap();
    std::mem::forget(bot);
}

#[test]
fn what_a_program_has_open_is_not_changed_and_can_be_read() {
    let house = House::new();
    house.save("s", "{\"n\":1}");
    let bot = bot(&house);
    bot.save_json("s", "{\"n\":2}").commit().unwrap();
    let says = format!(
        "the bot (process {}) has the session s open",
        std::process::id()
    );
    let save = house.feed(&["snapshot", "save", "s"], b"{\"n\":3}");
    save.failed(5, &says).explains("lease release");
    house.run(&["rollback", "s"]).failed(5, &says);
    house.run(&["rollback", "s", "--dry-run"]).ok();
    house.run(&["snapshot", "restore", "s@-1"]).failed(5, &says);
    house
        .run(&["snapshot", "restore", "s@-1", "--to", "s.json"])
        .ok();
    assert_eq!(house.read("s.json"), b"{\"n\":1}");
    house.run(&["snapshot", "pin", "s@latest"]).ok();
    house
        .run(&["snapshot", "show", "s@latest"])
        .ok()
        .says("\"n\":2");
    let list = house.run(&["lease", "list", "--json"]).ok().json();
    let lease = &list["leases"][0];
    assert_eq!(lease["session"], "s");
    assert_eq!(
        (&lease["standing"], &lease["program"]),
        (&json!("open"), &json!("the bot"))
    );
    house.run(&["lease", "list"]).ok().says("the bot (process");
    house.run(&["recover"]).ok().explains("nothing was changed");
    house
        .run(&["lease", "release", "s", "--dry-run"])
        .ok()
        .says("would close s");
    house
        .run(&["lease", "release", "nobody"])
        .failed(4, "nobody has the session");
    assert!(bot.save_json("s", "{\"n\":4}").commit().is_ok());
    house.run(&["lease", "release", "s"]).ok().says("closed s");
    assert!(bot.save_json("s", "{\"n\":5}").commit().is_err());
    house.save("s", "{\"n\":6}");
    house.run(&["lease", "list"]).ok().says("closed");
}

#[test]
fn what_was_left_open_is_recovered_once() {
    let house = House::new();
    gone(&house, &["a", "b"]);
    house.run(&["lease", "list"]).ok().says("gone");
    let plan = house.run(&["recover", "--dry-run"]).ok();
    plan.says("a  left by the bot")
        .explains("2 sessions to recover");
    let done = house.run(&["recover", "--json"]).ok().json();
    let sessions = done["sessions"].as_array().unwrap();
    assert_eq!(sessions.len(), 2);
    assert_eq!(sessions[0]["session"], "a");
    assert_eq!(sessions[0]["passed_over"], json!([]));
    assert_eq!(sessions[0]["snapshot"]["session"], "a");
    assert!(sessions[0].get("error").is_none());
    house.run(&["recover"]).ok().explains("nothing was changed");
    let leases = house.run(&["lease", "list", "--json"]).ok().json();
    assert_eq!(leases["leases"][1]["standing"], "closed");
    // Somebody who saves to what was left is let in, and it is to be recovered all the same.
    gone(&house, &["c"]);
    house.save("c", "{\"n\":9}");
    house.run(&["recover"]).ok().says("c: closed at");
}

#[test]
fn what_happened_is_listed_and_followed() {
    let house = House::new();
    house.save("s", "{\"n\":1}");
    house.save("t", "{\"n\":1}");
    house.save("s", "{\"n\":2}");
    house.run(&["rollback", "s"]).ok();
    house.run(&["snapshot", "delete", "t@latest"]).ok();
    let text = house.run(&["events", "--session", "s"]).ok().text();
    let words: Vec<&str> = text
        .lines()
        .filter_map(|line| line.split("  ").nth(1))
        .collect();
    assert_eq!(words.len(), 3, "{text}");
    assert!(words[2].starts_with("rolled back"), "{text}");
    let ran = house.run(&["events", "--limit", "2", "--json"]).ok().text();
    let events: Vec<Value> = ran
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    assert_eq!(events[0]["event"], "rolled_back");
    assert_eq!(
        (&events[1]["event"], &events[1]["deleted"]),
        (&json!("deleted"), &json!(1))
    );
    // The first line is one that is known: from there on it follows.
    let mut follow = house.command(&["events", "--follow", "--limit", "1", "--json"]);
    let mut child = follow.stdout(std::process::Stdio::piped()).spawn().unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let mut next = || -> Value { serde_json::from_str(&lines.next().unwrap().unwrap()).unwrap() };
    assert_eq!(next()["event"], "deleted");
    for n in 3..6 {
        let saved = house.save("s", &format!("{{\"n\":{n}}}"));
        let event = next();
        assert_eq!(
            (&event["event"], &event["snapshot"]),
            (&json!("created"), &saved["id"])
        );
    }
    child.kill().unwrap();
    child.wait().unwrap();
}
