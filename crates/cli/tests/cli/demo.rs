use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use serde_json::Value;

use crate::common::House;

/// Runs the demo with its temporary folder here.
fn demo(house: &House, arguments: &[&str]) -> String {
    fs::create_dir_all(house.path("tmp")).unwrap();
    let mut command = house.command(&[&["demo"], arguments].concat());
    let output = command.env("TMPDIR", house.path("tmp")).output().unwrap();
    let ran = crate::common::Ran::of(output).ok();
    assert_eq!(ran.err, "");
    ran.text()
}

#[test]
fn the_demo_says_what_it_did_and_its_commands_work() {
    let house = House::empty();
    let text = demo(&house, &[]);
    for part in [
        "223 saves",
        "What is kept",
        "What played then? bot/jazz-club@",
        "queue           changed",
        "same",
        "has its 200 tracks again",
        "killed with SIGKILL",
        "acknowledged snapshots read back",
        "all is as it was saved",
        "differ so",
        "which was undone: it is as it was, byte for byte",
        "A cleanup that keeps the last 20 states",
        "times smaller",
        "Try on it",
    ] {
        assert!(text.contains(part), "{part}: {text}");
    }
    let commands: Vec<_> = text.lines().rev().take(3).collect();
    assert!(commands.iter().all(|command| command.contains(" --store ")));
    let list = house.shell(commands[2]).ok();
    assert_eq!(list.text().lines().count(), 6);
    let player: Value = serde_json::from_slice(&house.shell(commands[1]).ok().out).unwrap();
    assert!(player["position"].is_u64());
    house.shell(commands[0]).ok().says("all is as it was saved");
    // It leaves one folder, for its owner only, and touches nothing else.
    assert_eq!(house.names("."), ["tmp"]);
    let folders = house.names("tmp");
    assert_eq!(folders.len(), 1);
    let mode = fs::metadata(house.path("tmp").join(&folders[0]))
        .unwrap()
        .permissions()
        .mode();
    assert_eq!(mode & 0o777, 0o700);
    assert_eq!(
        house.names(&format!("tmp/{}", folders[0])),
        ["player.json", "store.db"]
    );
}

#[test]
fn the_facts_as_json() {
    let house = House::empty();
    let facts: Value = serde_json::from_str(&demo(&house, &["--json", "--store", "here"])).unwrap();
    assert_eq!(facts["evening"]["saves"], 223);
    assert_eq!(facts["restore"]["upcoming_before"], 0);
    assert_eq!(facts["restore"]["upcoming_after"], 200);
    assert_eq!(facts["restore"]["checked"], true);
    assert!(facts["crash"]["acknowledged"].as_u64().unwrap() >= 20);
    assert_eq!(facts["verification"]["intact"], true);
    let snapshots = facts["cost"]["snapshots"].as_u64().unwrap();
    let verified = facts["verification"]["snapshots"].as_u64().unwrap();
    assert_eq!(
        verified + 2,
        snapshots,
        "a rollback and its undo came after"
    );
    assert!(facts["verification"]["compared"].as_u64().unwrap() >= verified - 1);
    assert_eq!(facts["travel"]["undone"], true);
    let turn = |of: &str| facts["travel"][of].as_i64().unwrap();
    assert!(turn("back_to_turn") < turn("from_turn"));
    assert!(facts["cleanup_plan"]["deleted"].as_u64().unwrap() > 0);
    assert!(facts["cost"]["times_smaller"].as_f64().unwrap() > 50.0);
    let store = facts["store"].as_str().unwrap();
    assert!(Path::new(store).join("store.db").is_file());
    let size = fs::metadata(Path::new(store).join("store.db"))
        .unwrap()
        .len();
    assert_eq!(facts["cost"]["store_bytes"], size);
    // A second time there is something already.
    house
        .run(&["demo", "--store", "here"])
        .refused(5, "exists already");
}

#[test]
fn fifty_guilds_outlive_their_bot_and_their_node() {
    let house = House::empty();
    let json: Value = serde_json::from_str(&demo(&house, &["sonora", "--json"])).unwrap();
    assert_eq!(json["nodes"], "scripted");
    let guilds = json["guilds"].as_array().unwrap();
    assert_eq!(guilds.len(), 50);
    for guild in guilds {
        let (cut, after) = (&guild["cut"], &guild["after"]);
        for what in ["identifier", "volume", "paused", "filters", "upcoming"] {
            assert_eq!(cut[what], after[what], "{guild}");
        }
        assert_eq!(
            (&guild["heard_of_the_bot"], &after["node"]),
            (&0.into(), &"other".into())
        );
    }
    let store = json["store"].as_str().unwrap();
    house
        .run(&["verify", "--store", store])
        .ok()
        .says("all is as it was saved");
}
