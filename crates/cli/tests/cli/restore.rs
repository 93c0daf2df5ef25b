use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};

use serde_json::json;

use crate::common::{House, id};

const OLD: &str = r#"{"queue":["a","b","c"],"volume":75,"filters":{}}"#;
const NEW: &str = r#"{"queue":[],"volume":30,"extra":true}"#;

fn house() -> (House, String) {
    let house = House::new();
    let old = id(&house.save("bot/1", OLD)).to_owned();
    house.save("bot/1", NEW);
    (house, old)
}

#[test]
fn the_plan_comes_first_and_changes_nothing() {
    let (house, old) = house();
    house.write("player.json", NEW);
    let before = house.contents();
    let ran = house
        .run(&[
            "snapshot",
            "restore",
            "bot/1@-1",
            "--to",
            "player.json",
            "--dry-run",
        ])
        .ok();
    ran.says(&format!("plan: {} of bot/1", &old[..18]));
    let text = ran.text();
    let row = |name: &str| {
        let line = text
            .lines()
            .find(|line| line.trim().starts_with(name))
            .unwrap();
        line.split_whitespace()
            .skip(1)
            .collect::<Vec<_>>()
            .join(" ")
    };
    assert_eq!(row("queue"), "changed 2 B → 13 B");
    assert_eq!(row("volume"), "changed 2 B → 2 B");
    assert_eq!(row("filters"), "added 2 B");
    assert_eq!(row("extra"), "removed 4 B → nothing");
    ran.says("dry run: nothing was changed");
    let json = house
        .run(&[
            "snapshot",
            "restore",
            &old,
            "--to",
            "player.json",
            "--dry-run",
            "--json",
        ])
        .ok()
        .json();
    assert_eq!(json["dry_run"], true);
    assert_eq!(
        json["plan"]["target"],
        json!({"kind": "file", "path": house.path("player.json").to_str().unwrap()})
    );
    let queue = json!({"name": "queue", "change": "changed", "before": 2, "after": 13});
    assert_eq!(json["plan"]["components"][0], queue);
    assert_eq!(house.read("player.json"), NEW.as_bytes());
    assert_eq!(house.contents(), before);
}

#[test]
fn a_file_is_replaced_and_what_stood_there_kept() {
    let (house, old) = house();
    let live = r#"{ "queue": ["live"] }"#;
    house.write("player.json", live);
    fs::set_permissions(house.path("player.json"), fs::Permissions::from_mode(0o640)).unwrap();
    symlink("player.json", house.path("link.json")).unwrap();
    let ran = house
        .run(&["snapshot", "restore", &old, "--to", "link.json"])
        .ok();
    ran.says("reads back as planned");
    assert_eq!(house.read("player.json"), OLD.as_bytes());
    assert!(
        fs::symlink_metadata(house.path("link.json"))
            .unwrap()
            .is_symlink()
    );
    let mode = fs::metadata(house.path("player.json"))
        .unwrap()
        .permissions()
        .mode();
    assert_eq!(mode & 0o777, 0o640);
    assert_eq!(house.names("."), [".dalsegno", "link.json", "player.json"]);
    // It says where that is, and the command that it prints takes it back.
    let text = ran.text();
    let after = |part: &str| {
        let found = text.lines().find_map(|line| line.strip_prefix(part));
        found.unwrap().to_owned()
    };
    let kept = after("what stood there is kept as snapshot ");
    let shown = house.run(&["snapshot", "show", &kept]).ok();
    assert_eq!(shown.text(), live);
    assert_eq!(
        after("to take it back: "),
        "dalsegno undo bot/1".replace("dalsegno", crate::common::PROGRAM)
    );
    house.shell(&after("to take it back: ")).ok();
    assert_eq!(house.read("player.json"), live.as_bytes());
}

#[test]
fn one_component_and_the_rest_stays() {
    let (house, old) = house();
    let live = "{\n  \"volume\": 10,\n  \"queue\": [],\n  \"own\": 1e3\n}\n";
    house.write("player.json", live);
    let arguments = [
        "snapshot",
        "restore",
        &old,
        "--to",
        "player.json",
        "--component",
        "queue",
        "--component",
        "filters",
        "--json",
    ];
    let report = house.run(&arguments).ok().json();
    assert_eq!(report["dry_run"], false);
    assert_eq!(report["safety"]["kind"], "safety");
    assert_eq!(report["kept_beside"], json!(null));
    let expected = "{\n  \"volume\": 10,\n  \"queue\": [\"a\",\"b\",\"c\"],\n  \"own\": 1e3,\n  \"filters\": {}\n}\n";
    assert_eq!(
        String::from_utf8(house.read("player.json")).unwrap(),
        expected
    );
    let safety = house.run(&["snapshot", "show", id(&report["safety"])]).ok();
    assert_eq!(safety.text(), live);
    house
        .run(&[
            "snapshot",
            "restore",
            &old,
            "--to",
            "none.json",
            "--component",
            "queue",
        ])
        .failed(4, "does not exist");
    house
        .run(&[
            "snapshot",
            "restore",
            &old,
            "--to",
            "player.json",
            "--component",
            "nope",
        ])
        .failed(4, "'nope'");
    assert!(!house.path("none.json").exists());
}

#[test]
fn what_is_no_json_is_kept_beside() {
    let (house, old) = house();
    house.write("player.json", "torn {");
    let ran = house
        .run(&["snapshot", "restore", &old, "--to", "player.json"])
        .ok();
    let kept = format!("player.json.before-{}", &old[..18]);
    ran.says(&kept);
    assert_eq!(house.read(&kept), b"torn {");
    assert_eq!(house.read("player.json"), OLD.as_bytes());
}

#[test]
fn without_a_target_the_stored_head_is_set() {
    let (house, old) = house();
    let ran = house.run(&["snapshot", "restore", &old]).ok();
    ran.says("the newest stored state of bot/1 is now")
        .says("no running program was told");
    assert_eq!(
        house.run(&["snapshot", "show", "bot/1@latest"]).ok().text(),
        OLD
    );
    let newest = house
        .run(&["snapshot", "info", "bot/1@latest", "--json"])
        .ok()
        .json();
    assert_eq!(newest["operation"], json!({"verb": "restore", "from": old}));
    let before = house.contents();
    house
        .run(&["snapshot", "restore", &old])
        .ok()
        .says("nothing had to be done");
    let report = house
        .run(&["snapshot", "restore", &old, "--json"])
        .ok()
        .json();
    assert_eq!(report["plan"]["changes"], false);
    assert_eq!(report["head"], json!(null));
    assert_eq!(house.contents(), before);
    let report = house
        .run(&[
            "snapshot",
            "restore",
            "bot/1@-1",
            "--json",
            "--component",
            "volume",
        ])
        .ok()
        .json();
    assert_eq!(report["plan"]["target"], json!({"kind": "head"}));
    let shown = house.run(&["snapshot", "show", "bot/1@latest"]).ok().text();
    assert_eq!(shown, OLD.replace("75", "30"));
}

#[test]
fn targets_that_cannot_be() {
    let (house, old) = house();
    fs::create_dir(house.path("folder")).unwrap();
    house.shell("mkfifo fifo").ok();
    house.write("list.json", "[1]");
    let before = house.contents();
    let to = |target: &str| house.run(&["snapshot", "restore", &old, "--to", target]);
    to("folder").refused(2, "is a folder");
    to("fifo").refused(2, "not a regular file");
    to("missing/player.json").refused(4, "the folder missing does not exist");
    to("list.json/player.json").refused(2, "list.json");
    to("-").refused(2, "snapshot show");
    to(".dalsegno/store.db").refused(2, "belongs to the store itself");
    to(".dalsegno/../.dalsegno/store.db-wal").refused(2, "belongs to the store itself");
    fs::hard_link(house.store(), house.path("hard.db")).unwrap();
    // Under two names it would have two logs: it is not even opened.
    to("player.json").refused(2, "hard links");
    fs::remove_file(house.path("hard.db")).unwrap();
    let part = house.run(&[
        "snapshot",
        "restore",
        &old,
        "--to",
        "list.json",
        "--component",
        "queue",
    ]);
    part.refused(2, "no JSON object");
    assert_eq!(house.read("list.json"), b"[1]");
    assert_eq!(house.contents(), before);
    assert!(house.names("folder").is_empty());
}
