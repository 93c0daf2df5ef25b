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
        .run(&["snapshot", "delete", "bot/1@-1", "--grace", "1ms"])
        .ok();
    house.run(&["snapshot", "cleanup", "--keep-last", "9"]).ok();
    house
        .run(&["undo", "bot/1"])
        .refused(4, "what stood there before was deleted: no snapshot")
        .explains("`undo bot/1 --skip` passes over it");
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

/// What stood in one file is gone: what is older can be undone all the same.
#[test]
fn what_cannot_be_undone_any_more_is_passed_over() {
    let (house, old) = house();
    let restore = |to: &str| house.run(&["snapshot", "restore", &old, "--to", to]).ok();
    restore("first.json");
    house.write("second.json", "torn {");
    restore("second.json");
    let kept = format!("second.json.before-{}", &old[..18]);
    assert_eq!(house.read(&kept), b"torn {");
    house.write(&kept, "torn [");
    house
        .run(&["undo", "bot/1"])
        .failed(6, "which was changed since; `undo bot/1 --skip`")
        .explains(&kept);
    fs::remove_file(house.path(&kept)).unwrap();
    house
        .run(&["undo", "bot/1"])
        .failed(4, "what stood there was kept in")
        .explains("`undo bot/1 --skip`");
    let before = house.bytes();
    let dry = ["undo", "bot/1", "--skip", "--dry-run"];
    let dry = house.run(&dry).ok();
    dry.says("would be passed over");
    assert_eq!(house.bytes(), before);
    let log = house.run(&["log", "bot/1", "--json"]).ok().json();
    let passed = house
        .run(&["undo", "bot/1", "--skip", "--json"])
        .ok()
        .json();
    assert_eq!(passed["passed_over"], log["entries"][0]["id"]);
    assert_eq!(house.read("second.json"), OLD.as_bytes());
    house.run(&["log", "bot/1"]).ok().says("passed over");
    // What was passed over was not undone, and is not done again.
    let log = house.run(&["log", "bot/1", "--json"]).ok().json();
    assert_eq!(log["entries"][1]["undone"], false);
    house.run(&["redo", "bot/1"]).refused(4, "nothing to redo");
    house
        .run(&["undo", "bot/1"])
        .ok()
        .says("first.json is gone");
    assert!(!house.path("first.json").exists());
    house
        .run(&["undo", "bot/1", "--skip"])
        .refused(4, "nothing to undo");
    house.run(&["redo", "bot/1", "--skip"]).refused(2, "--skip");
}

/// A kept file that comes back as it was is as good as ever.
#[test]
fn what_is_kept_beside_is_proved() {
    let (house, old) = house();
    house.write("player.json", "torn {");
    house
        .run(&["snapshot", "restore", &old, "--to", "player.json"])
        .ok();
    let kept = format!("player.json.before-{}", &old[..18]);
    house.write(&kept, "torn { and more");
    house.run(&["undo", "bot/1"]).failed(6, "changed since");
    assert_eq!(house.read("player.json"), OLD.as_bytes());
    house.write(&kept, "torn {");
    house.run(&["undo", "bot/1"]).ok();
    assert_eq!(house.read("player.json"), b"torn {");
}

/// Where nothing is to stand, and there is not even a folder, nothing is left to be done.
#[test]
fn a_file_that_went_with_its_folder_is_undone() {
    let (house, old) = house();
    fs::create_dir(house.path("d")).unwrap();
    house
        .run(&["snapshot", "restore", &old, "--to", "d/new.json"])
        .ok();
    fs::remove_dir_all(house.path("d")).unwrap();
    house
        .run(&["undo", "bot/1"])
        .ok()
        .says("nothing had to be done");
    house.run(&["undo", "bot/1"]).refused(4, "nothing to undo");
    assert!(!house.path("d").exists());
}

/// Whatever stands where a file would be kept is left alone, and not waited for.
#[test]
fn nothing_is_kept_in_the_place_of_something_else() {
    let (house, old) = house();
    let kept = format!("player.json.before-{}", &old[..18]);
    house
        .shell(&format!("mkfifo {kept}; ln -s nowhere {kept}-2"))
        .ok();
    house.write("player.json", "torn {");
    let ran = house.run(&["snapshot", "restore", &old, "--to", "player.json"]);
    ran.ok()
        .says(&format!("is kept as player.json.before-{}-3", &old[..18]));
    assert_eq!(house.read(&format!("{kept}-3")), b"torn {");
    assert!(!house.path("nowhere").exists());
}
