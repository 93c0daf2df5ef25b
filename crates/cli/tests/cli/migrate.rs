//! `migrate rehearse`, and states restored and shown in their current shape.

use std::fs;
use std::os::unix::fs::PermissionsExt;

use serde_json::{Value, json};

use crate::common::House;

const SCRIPTS: &str = r#"
[[migration]]
from = "1"
to = "2"
sessions = "bot/*"
command = ["sh", "-c", "sed -e 's/tracks/queue/' | grep queue || { echo 'no tracks' >&2; exit 3; }"]

[[migration]]
from = "2"
to = "3"
sessions = "bot/*"
command = ["sed", "-e", "s/\"75\"/75/"]
"#;

const OLD: &str = "{ \"volume\": \"75\", \"tracks\": [] }";
const NOW: &str = "{ \"volume\": 75, \"queue\": [] }";

/// With the migrations in the user's own configuration.
fn house() -> House {
    let house = House::new();
    let file = house.path(".config/dalsegno/config.toml");
    fs::create_dir_all(file.parent().unwrap()).unwrap();
    fs::write(&file, SCRIPTS).unwrap();
    fs::set_permissions(file, fs::Permissions::from_mode(0o600)).unwrap();
    house
}

fn save(house: &House, session: &str, text: &str, rest: &[&str]) -> Value {
    let words = [&["snapshot", "save", session, "--json"], rest].concat();
    house.feed(&words, text.as_bytes()).ok().json()
}

fn old(house: &House, text: &str) -> String {
    let saved = save(house, "bot/1", text, &["--schema-version", "1"]);
    saved["id"].as_str().unwrap().to_owned()
}

#[test]
fn a_rehearsal_counts_and_names_what_fails() {
    let house = house();
    old(&house, OLD);
    save(&house, "chat/1", "[]", &[]);
    let current = save(&house, "bot/2", NOW, &[]);
    assert_eq!(current["schema_version"], "3");
    let before = house.bytes();
    let ran = house.run(&["migrate", "rehearse"]).ok();
    ran.says(
        "all can be had in the current shape: 2 snapshots of 2 sessions, 1 current, 1 to migrate",
    )
    .says("from 1 to 2 (bot/*): 1 snapshot")
    .says("from 2 to 3 (bot/*): 1 snapshot")
    .says("1 session without migrations");
    assert_eq!(house.bytes(), before);
    let lost = old(&house, "{}");
    let newer = save(&house, "bot/2", "{}", &["--schema-version", "4"]);
    let ran = house.run(&["migrate", "rehearse"]);
    assert_eq!(ran.code, Some(1), "{ran}");
    ran.says(&format!(
        "{lost} of bot/1: the migration from schema version 1 to 2 failed: sh "
    ))
    .says("ended with exit code 3, saying: no tracks")
    .says("it carries schema version 4, from which no migration leads to 3")
    .explains("2 snapshots cannot be had in the current shape; the saved bytes can");
    let ran = house.run(&["migrate", "rehearse", "--session", "bot/1", "--json"]);
    assert_eq!((ran.code, ran.error().0.as_str()), (Some(1), "problem"));
    let found = ran.json();
    assert_eq!(
        (&found["clean"], &found["migrated"]),
        (&json!(false), &json!(1))
    );
    assert_eq!(
        (&found["failed"][0]["id"], &found["failed"][0]["from"]),
        (&json!(lost), &json!("1"))
    );
    assert_eq!(found["unknown"], json!([]));
    let found = house
        .run(&["migrate", "rehearse", "--session", "bot/2", "--json"])
        .json();
    assert_eq!(found["unknown"][0]["id"], newer["id"]);
}

#[test]
fn damage_is_another_exit_code() {
    let house = house();
    let id = old(&house, OLD);
    let database = rusqlite::Connection::open(house.store()).unwrap();
    database
        .execute("UPDATE snapshot SET size = size + 1", ())
        .unwrap();
    drop(database);
    let ran = house.run(&["migrate", "rehearse"]);
    assert_eq!(ran.code, Some(6), "{ran}");
    ran.says(&id).explains("states are damaged");
}

#[test]
fn a_state_is_shown_and_restored_in_its_current_shape_when_that_is_asked_for() {
    let house = house();
    let id = old(&house, OLD);
    let shown = |more: &[&str]| {
        let words = [&["snapshot", "show", &id], more].concat();
        house.run(&words).ok().text()
    };
    assert_eq!(shown(&[]), OLD);
    assert_eq!(shown(&["--migrate"]).trim_end(), NOW);
    assert_eq!(shown(&["--migrate", "--component", "volume"]), "75");
    let seen = house
        .run(&["snapshot", "show", &id, "--migrate", "--json"])
        .ok()
        .json();
    assert_eq!(
        (
            &seen["state"]["volume"],
            &seen["snapshot"]["schema_version"]
        ),
        (&json!(75), &json!("1"))
    );
    house
        .run(&["snapshot", "restore", &id, "--to", "old.json"])
        .ok();
    assert_eq!(house.read("old.json"), OLD.as_bytes());
    let to = ["snapshot", "restore", &id, "--to", "now.json", "--migrate"];
    house.run(&[&to[..], &["--dry-run"]].concat()).ok();
    assert!(!house.path("now.json").exists());
    house.run(&to).ok();
    assert_eq!(
        String::from_utf8(house.read("now.json"))
            .unwrap()
            .trim_end(),
        NOW
    );
    let done = house
        .run(&["snapshot", "restore", &id, "--migrate", "--json"])
        .ok()
        .json();
    assert_eq!(done["head"]["schema_version"], "3");
    house.run(&["undo", "bot/1"]).ok();
    assert_eq!(
        house.run(&["snapshot", "show", "bot/1@latest"]).ok().text(),
        OLD
    );
    // A step that fails leaves the target as it is.
    let lost = old(&house, "{}");
    let failed = house.run(&[
        "snapshot",
        "restore",
        &lost,
        "--to",
        "now.json",
        "--migrate",
    ]);
    failed.refused(2, "no tracks");
    assert_eq!(
        String::from_utf8(house.read("now.json"))
            .unwrap()
            .trim_end(),
        NOW
    );
}

#[test]
fn a_save_says_which_version_it_will_carry() {
    let house = house();
    let would = |more: &[&str]| {
        let words = [&["--dry-run"], more].concat();
        save(&house, "bot/1", NOW, &words)["would_save"]["schema_version"].clone()
    };
    assert_eq!(would(&[]), json!("3"));
    assert_eq!(would(&["--schema-version", "1"]), json!("1"));
    assert_eq!(save(&house, "bot/1", NOW, &[])["schema_version"], "3");
    assert_eq!(
        save(&house, "chat/1", "[]", &[])["schema_version"],
        Value::Null
    );
}

#[test]
fn without_migrations_or_trust_nothing_is_run() {
    let plain = House::new();
    plain.save("bot/1", OLD);
    for words in [
        &["migrate", "rehearse"][..],
        &["snapshot", "show", "bot/1@latest", "--migrate"],
        &["snapshot", "restore", "bot/1@latest", "--migrate"],
    ] {
        plain
            .run(words)
            .refused(2, "the configuration has no migrations");
    }
    let script = "[[migration]]\nto = '1'\ncommand = ['sh', '-c', 'touch ran; cat']\n";
    plain.write("dalsegno.toml", script);
    fs::set_permissions(
        plain.path("dalsegno.toml"),
        fs::Permissions::from_mode(0o600),
    )
    .unwrap();
    plain
        .run(&["migrate", "rehearse"])
        .refused(8, "the file is not trusted");
    assert!(!plain.path("ran").exists());
    let shown = plain.run(&["trust"]).ok();
    shown.says("to migrate states from no version to 1: run sh -c 'touch ran; cat'");
    plain
        .run(&["migrate", "rehearse"])
        .ok()
        .says("1 to migrate");
    assert!(plain.path("ran").exists());
    let asked = ["snapshot", "restore", "bot/1@latest", "--migrate", "--ask"];
    plain.run(&asked).refused(2, "leave --migrate out");
}
