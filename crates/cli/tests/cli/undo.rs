//! `undo` and `redo`: what was put back goes back, wherever it was and wherever one stands.

use std::fs;

use serde_json::json;

use crate::common::{House, id};

const OLD: &str = r#"{"queue":["a","b"]}"#;
const NEW: &str = r#"{"queue":[]}"#;

fn house() -> (House, String) {
    let house = House::new();
    let old = id(&house.save("bot/1", OLD)).to_owned();
    house.save("bot/1", NEW);
    (house, old)
}

fn newest(house: &House) -> String {
    house.run(&["snapshot", "show", "bot/1@latest"]).ok().text()
}

#[test]
fn there_and_back_and_there_again() {
    let (house, old) = house();
    house.run(&["snapshot", "restore", &old]).ok();
    let ran = house.run(&["undo", "bot/1"]).ok();
    ran.says("redo bot/1");
    assert_eq!(newest(&house), NEW);
    house
        .run(&["undo", "bot/1"])
        .refused(4, "there is nothing to undo in bot/1; `log bot/1` shows");
    let report = house.run(&["redo", "bot/1", "--json"]).ok().json();
    assert_eq!(report["plan"]["verb"], "redo");
    assert_eq!(report["head"]["operation"]["verb"], "redo");
    assert_eq!(newest(&house), OLD);
    house
        .run(&["redo", "bot/1"])
        .refused(4, "there is nothing to redo in bot/1");
    let report = house.run(&["undo", "bot/1", "--json"]).ok().json();
    assert_eq!(report["head"]["operation"]["verb"], "undo");
    let info = house.run(&["snapshot", "info", "bot/1@latest"]).ok();
    info.says("undo, back to");
}

#[test]
fn a_state_saved_since_ends_redo_and_not_undo() {
    let (house, old) = house();
    house.run(&["snapshot", "restore", &old]).ok();
    house.run(&["undo", "bot/1"]).ok();
    // The same state again is no new one.
    house.save("bot/1", NEW);
    house.run(&["redo", "bot/1", "--dry-run"]).ok();
    house.save("bot/1", "[1]");
    let before = house.bytes();
    let refused = house.run(&["redo", "bot/1", "--json"]);
    assert_eq!(
        (refused.code, refused.error().0.as_str()),
        (Some(4), "not_found")
    );
    assert_eq!(house.bytes(), before);

    house.run(&["rollback", "bot/1"]).ok();
    house.save("bot/1", "[2]");
    house.run(&["undo", "bot/1"]).ok();
    assert_eq!(newest(&house), "[1]");
    let kept = house
        .run(&["snapshot", "list", "bot/1", "--json"])
        .ok()
        .json();
    let texts: Vec<_> = kept["snapshots"]
        .as_array()
        .unwrap()
        .iter()
        .map(|s| house.run(&["snapshot", "show", id(s)]).ok().text())
        .collect();
    assert!(
        texts.contains(&"[2]".to_owned()),
        "what was saved since stays: {texts:?}"
    );
}

#[test]
fn a_file_by_its_path_from_another_folder() {
    let (house, old) = house();
    house.write("player.json", NEW);
    let to: &[&str] = &["snapshot", "restore", &old, "--to", "player.json"];
    house.run(to).ok();
    fs::create_dir(house.path("elsewhere")).unwrap();
    for (verb, expected) in [("undo", NEW), ("redo", OLD), ("undo", NEW)] {
        let mut command = house.command(&[verb, "bot/1", "--store", "../.dalsegno"]);
        let ran = command
            .current_dir(house.path("elsewhere"))
            .output()
            .unwrap();
        let ran = crate::common::Ran::of(ran).ok();
        ran.says(house.path("player.json").to_str().unwrap());
        assert_eq!(house.read("player.json"), expected.as_bytes());
    }
    assert!(house.names("elsewhere").is_empty());
}

#[test]
fn a_file_that_was_not_there_goes_and_comes() {
    let (house, old) = house();
    house
        .run(&["snapshot", "restore", &old, "--to", "new.json"])
        .ok();
    let dry = house.run(&["undo", "bot/1", "--dry-run"]).ok();
    dry.says("plan: remove").says("which was not there before");
    assert!(house.path("new.json").exists());
    let ran = house.run(&["undo", "bot/1"]).ok();
    ran.says("is gone, as it was before");
    assert!(!house.path("new.json").exists());
    house.run(&["redo", "bot/1"]).ok();
    assert_eq!(house.read("new.json"), OLD.as_bytes());
}

#[test]
fn a_file_that_is_no_json_comes_back_too() {
    let (house, old) = house();
    house.write("player.json", "torn {");
    house
        .run(&["snapshot", "restore", &old, "--to", "player.json"])
        .ok();
    let ran = house.run(&["undo", "bot/1"]).ok();
    ran.says("what was kept beside it")
        .says("player.json was written");
    assert!(!ran.text().contains("gone"), "{ran}");
    assert_eq!(house.read("player.json"), b"torn {");
    house.run(&["redo", "bot/1"]).ok();
    assert_eq!(house.read("player.json"), OLD.as_bytes());
}

#[test]
fn an_undo_that_finds_its_work_done_removes_nothing_when_it_is_redone() {
    let (house, old) = house();
    house.write("player.json", NEW);
    house
        .run(&["snapshot", "restore", &old, "--to", "player.json"])
        .ok();
    house.write("player.json", NEW);
    house
        .run(&["undo", "bot/1"])
        .ok()
        .says("nothing had to be done");
    house
        .run(&["redo", "bot/1"])
        .ok()
        .says("nothing had to be done");
    assert_eq!(house.read("player.json"), NEW.as_bytes());
}

#[test]
fn a_dry_run_changes_nothing() {
    let (house, old) = house();
    house.run(&["snapshot", "restore", &old]).ok();
    let before = house.bytes();
    let plan = house
        .run(&["undo", "bot/1", "--dry-run", "--json"])
        .ok()
        .json();
    assert_eq!(plan["dry_run"], true);
    assert_eq!(plan["plan"]["verb"], "undo");
    house
        .run(&["undo", "bot/1", "--dry-run"])
        .ok()
        .says("queue  changed  9 B → 2 B")
        .says("dry run: nothing was changed");
    assert_eq!(house.bytes(), before);
}

#[test]
fn what_cannot_be_undone() {
    let (house, old) = house();
    let before = house.bytes();
    for verb in ["undo", "redo"] {
        house
            .run(&[verb, "bot/1"])
            .refused(4, &format!("nothing to {verb} in bot/1"));
        house
            .run(&[verb, "nobody"])
            .refused(4, "no session 'nobody'");
        house.run(&[verb]).refused(2, "<SESSION>");
        house
            .run(&[verb, "bot/1", "--steps", "2"])
            .refused(2, "--steps");
    }
    assert_eq!(house.bytes(), before);
    // What stood there was deleted: the message says how to have it back, and then it works.
    house.run(&["snapshot", "restore", &old]).ok();
    house.run(&["snapshot", "delete", "bot/1@-1"]).ok();
    let refused = house.run(&["undo", "bot/1"]);
    let refused = refused.refused(4, "what stood there before was deleted: snapshot ");
    let line = refused.err.split('`').nth(1).unwrap();
    house.shell(&format!("dalsegno {line}")).ok();
    house.run(&["undo", "bot/1"]).ok();
    assert_eq!(newest(&house), NEW);
    let log = house.run(&["log", "bot/1", "--json"]).ok().json();
    assert_eq!(log["entries"][0]["verb"], json!("undo"));
    // For good, there is no way back, and that is said.
    house.run(&["redo", "bot/1"]).ok();
    house
        .run(&["snapshot", "cleanup", "--keep-last", "1", "--purge"])
        .ok();
    house
        .run(&["undo", "bot/1"])
        .refused(4, "what stood there before was deleted: no snapshot");
    assert_eq!(newest(&house), OLD);
}

#[test]
fn a_folder_that_is_gone_is_named_and_the_undo_waits_for_it() {
    let (house, old) = house();
    fs::create_dir(house.path("d")).unwrap();
    house.write("d/player.json", NEW);
    house
        .run(&["snapshot", "restore", &old, "--to", "d/player.json"])
        .ok();
    fs::remove_dir_all(house.path("d")).unwrap();
    let before = house.bytes();
    house
        .run(&["undo", "bot/1"])
        .refused(4, "/d does not exist");
    assert_eq!(house.bytes(), before);
    fs::create_dir(house.path("d")).unwrap();
    house.run(&["undo", "bot/1"]).ok();
    assert_eq!(house.read("d/player.json"), NEW.as_bytes());
}
