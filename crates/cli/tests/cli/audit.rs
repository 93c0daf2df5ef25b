//! `audit`: what was done is written down, and whoever changes that is found out.

use std::fs;
use std::sync::Arc;
use std::time::Duration;

use dalsegno::{Action, AutoSaving, Engine, State};
use serde_json::{Value, json};

use crate::common::{House, id};

fn audited() -> House {
    let house = House::new();
    house.run(&["audit", "on"]).ok().says("the audit log is on");
    for n in 0..3 {
        house.save("bot/1", &format!("[{n}]"));
    }
    house
}

fn tamper(house: &House, statement: &str) {
    let store = rusqlite::Connection::open(house.store()).unwrap();
    store.execute_batch(statement).unwrap();
}

/// The numbers of the rows that fit.
fn numbers(house: &House, options: &[&str]) -> Vec<i64> {
    let log = house
        .run(&[&["audit", "log", "--json"], options].concat())
        .ok()
        .json();
    let entries = log["entries"].as_array().unwrap().iter();
    entries.map(|it| it["number"].as_i64().unwrap()).collect()
}

#[test]
fn it_is_turned_on_and_off() {
    let house = House::new();
    let none = "the store has no audit log; `audit on` begins one";
    house.run(&["audit", "log"]).ok().explains(none);
    house.run(&["audit", "verify"]).refused(4, none);
    house.run(&["audit", "head"]).refused(4, none);
    house.run(&["audit", "off"]).refused(5, "off already");
    house
        .run(&["audit", "off", "--dry-run"])
        .refused(5, "off already");
    let before = house.bytes();
    house
        .run(&["audit", "on", "--dry-run"])
        .ok()
        .says("dry run: nothing was changed");
    assert_eq!(house.bytes(), before);
    let ran = house.run(&["audit", "on", "--json"]).ok();
    assert_eq!(ran.json(), json!({"dry_run": false, "on": true}));
    house.run(&["audit", "on"]).refused(5, "on already");
    house
        .run(&["audit", "on", "--dry-run"])
        .refused(5, "on already");
    house.save("bot/1", "[1]");
    house
        .run(&["audit", "off"])
        .ok()
        .says("what stands in it stays");
    house.save("bot/1", "[2]");
    let log = house.run(&["audit", "log"]).ok().text();
    let what: Vec<_> = log
        .lines()
        .skip(1)
        .map(|line| line.split_whitespace().nth(4).unwrap())
        .collect();
    assert_eq!(what, ["audit_off", "save", "audit_on"], "{log}");
}

#[test]
fn the_log_shows_what_was_asked_for() {
    let house = audited();
    let saved = house.save("chat/1", "[7]");
    house.run(&["snapshot", "delete", "chat/1@latest"]).ok();
    let line = house
        .run(&["audit", "log", "--action", "save", "--session", "chat/1"])
        .ok()
        .text();
    let short = &id(&saved)[..18];
    let row = line.lines().nth(1).unwrap();
    let words: Vec<_> = row.split_whitespace().collect();
    assert_eq!(
        (words[0], &words[3..]),
        ("5", &["dalsegno", "save", "done", "chat/1", short][..]),
        "{line}"
    );

    assert_eq!(numbers(&house, &[]), [6, 5, 4, 3, 2, 1]);
    assert_eq!(numbers(&house, &["--limit", "2"]), [6, 5]);
    assert_eq!(numbers(&house, &["--session", "chat/1"]), [6, 5]);
    assert_eq!(
        numbers(&house, &["--action", "audit_on", "--action", "delete"]),
        [6, 1]
    );
    assert_eq!(numbers(&house, &["--outcome", "denied"]), Vec::<i64>::new());
    assert_eq!(numbers(&house, &["--who", "dalsegno", "--all"]).len(), 6);
    assert_eq!(numbers(&house, &["--who", "somebody"]), Vec::<i64>::new());
    assert_eq!(
        numbers(&house, &["--since", "1h", "--until", "2030-01-01"]).len(),
        6
    );
    assert_eq!(numbers(&house, &["--until", "1h"]), Vec::<i64>::new());
    house
        .run(&["audit", "log", "--until", "1h"])
        .ok()
        .explains("nothing of that stands in the audit log");
    house
        .run(&["audit", "log", "--limit", "2"])
        .ok()
        .explains("there are more");
    let entry = house
        .run(&["audit", "log", "--limit", "1", "--json"])
        .ok()
        .json();
    assert_eq!(
        (&entry["more"], &entry["entries"][0]["action"]),
        (&json!(true), &json!("delete"))
    );
    assert_eq!(entry["entries"][0]["snapshots"], json!([id(&saved)]));
    for (option, said) in [
        ("--action", "audit_on"),
        ("--outcome", "rolled_back"),
        ("--since", "not a time"),
        ("--limit", "--limit"),
    ] {
        house
            .run(&["audit", "log", option, "soon"])
            .refused(2, said);
    }
    house
        .run(&["audit", "log", "--all", "--limit", "3"])
        .refused(2, "--limit");
}

#[test]
fn a_row_names_some_sessions_and_counts_the_others() {
    let house = House::new();
    house.run(&["audit", "on"]).ok();
    let engine = Arc::new(Engine::open(house.store()).unwrap());
    let saving = engine.auto_save().unwrap();
    for n in 1..=5 {
        let how = AutoSaving::every(Duration::from_secs(3600));
        let state = || Ok(Some(State::json("[1]")));
        saving.register(&format!("bot/{n}"), how, state).unwrap();
    }
    saving.save_now(None).unwrap();
    saving.stop().unwrap();
    let denied = engine.audit_denied(Action::Restore, Some("bot/1"), "alice");
    denied.unwrap();
    drop((saving, engine));
    let log = house.run(&["audit", "log", "--action", "auto_save"]).ok();
    log.says("bot/1, bot/2, bot/3, and 2 more")
        .says(" and 4 more");
    let log = house.run(&["audit", "log", "--who", "alice"]).ok();
    log.says(" (for alice)  restore  denied   bot/1");
}

#[test]
fn a_head_that_was_kept_is_compared() {
    let house = audited();
    let head = house.run(&["audit", "head"]).ok().text();
    let head = head.trim_end();
    assert!(head.starts_with("4:") && head.len() == 2 + 64, "{head}");
    house
        .run(&["audit", "head", "--to", "head"])
        .ok()
        .says("of row 4, to head");
    assert_eq!(house.read("head"), format!("{head}\n").as_bytes());
    house.save("bot/1", "[9]");
    for kept in [["--head", head], ["--head-file", "head"]] {
        let verify = [&["audit", "verify"], &kept[..]].concat();
        house
            .run(&verify)
            .ok()
            .says("the head that was kept, of row 4, is in its place");
        let found = house.run(&[&verify[..], &["--json"]].concat()).ok().json();
        assert_eq!(
            (&found["compared"], &found["rows"], &found["keyed"]),
            (&json!(true), &json!(5), &json!(false))
        );
    }
    house
        .run(&["audit", "verify"])
        .ok()
        .says("not proved")
        .says("only a head that was kept elsewhere tells");
    // A newer one takes its place; nothing else goes.
    let ran = house.run(&["audit", "head", "--to", "head", "--json"]).ok();
    assert_eq!(ran.json()["number"], 5);
    assert!(house.read("head").starts_with(b"5:"));
    house.write("state.json", "{}");
    house
        .run(&["audit", "head", "--to", "state.json"])
        .refused(5, "holds no head of an audit log");
    assert_eq!(house.read("state.json"), b"{}");
    house
        .run(&["audit", "head", "--to", ".dalsegno/store.db"])
        .refused(2, "belongs to the store");
    house
        .run(&["audit", "verify", "--head-file", "state.json"])
        .refused(2, "state.json: ");
    house
        .run(&["audit", "verify", "--head-file", "none"])
        .refused(4, "none");
    house
        .run(&["audit", "verify", "--head", "5:12"])
        .refused(2, "no head of an audit log");
}

#[test]
fn whoever_changes_the_log_is_found_out() {
    let row = "WHERE kind = 11 AND id";
    for (statement, number, said) in [
        (format!("DELETE FROM note {row} = 2"), 2, "row 2 is missing"),
        (
            format!("UPDATE note SET detail = x'00ff' {row} = 3"),
            3,
            "it was changed",
        ),
        (
            format!("UPDATE note SET id = 9 {row} = 4"),
            4,
            "rows 4 to 8 are missing",
        ),
    ] {
        let house = audited();
        tamper(&house, &statement);
        let ran = house
            .run(&["audit", "verify"])
            .failed(6, &format!("row {number} of the audit log: "));
        ran.explains(said).says("damaged: looked at");
        let ran = house.run(&["audit", "verify", "--json"]);
        assert_eq!(
            (ran.code, &ran.json()["broken"]["number"]),
            (Some(6), &json!(number)),
            "{ran}"
        );
        assert_eq!(
            (ran.json()["intact"].clone(), ran.error().0.as_str()),
            (json!(false), "damaged")
        );
        house.run(&["verify"]).failed(6, "damaged");
    }
}

#[test]
fn what_was_cut_off_or_written_anew_only_a_kept_head_tells() {
    let house = audited();
    house.run(&["audit", "head", "--to", "head"]).ok();
    tamper(&house, "DELETE FROM note WHERE kind = 11 AND id > 2");
    house.run(&["audit", "verify"]).ok().says("not proved");
    let kept = ["audit", "verify", "--head-file", "head"];
    house.run(&kept).failed(
        6,
        "row 3 of the audit log: rows 3 to 4 are missing: they were cut off its end",
    );
    tamper(&house, "DELETE FROM note WHERE kind = 11");
    house.run(&kept).failed(6, "rows 1 to 4 are missing");

    // Of the same store, with another history.
    let house = House::new();
    fs::copy(house.store(), house.path("copy.db")).unwrap();
    house.run(&["audit", "on"]).ok();
    house.run(&["audit", "head", "--to", "head"]).ok();
    fs::rename(house.path("copy.db"), house.store()).unwrap();
    house.run(&["audit", "on"]).ok();
    house.run(&["audit", "verify"]).ok();
    house.run(&kept).failed(
        6,
        "row 1 of the audit log: it is not the one that was kept: the log was written anew",
    );
}

#[test]
fn with_a_key_the_rest_is_proved_without_a_head() {
    let house = audited();
    house.run(&["key", "init", "--new-key-file", "key"]).ok();
    let key = ["--key-file", "key"];
    let ran = house.run(&[&["audit", "verify"], &key[..]].concat()).ok();
    ran.says("all is as it was written: 5 rows")
        .says("not proved: that none was cut off its end");
    assert!(!ran.text().contains("written anew"), "{ran}");
    let log: Value = house
        .run(&[&["audit", "log", "--json"], &key[..]].concat())
        .ok()
        .json();
    assert_eq!(log["entries"][0]["action"], "encrypt");
}

#[test]
fn what_cannot_be_read_of_the_log_is_said_beside_the_rest() {
    let house = audited();
    tamper(
        &house,
        "UPDATE note SET detail = x'00' WHERE kind = 11 AND id = 2",
    );
    let ran = house
        .run(&["audit", "log"])
        .failed(6, "not all of it can be read");
    ran.explains("audit verify").says("audit_on");
    let ran = house.run(&["audit", "log", "--json"]);
    assert_eq!(
        (ran.code, ran.json()["damage"].as_array().unwrap().len()),
        (Some(6), 1),
        "{ran}"
    );
}
