//! `sonoractl` and files: what is written, what is kept, what is read without a store.

use std::fs::File;
use std::path::Path;
use std::process::{Command, Stdio};

use dalsegno_sonora::SnapshotFile;
use serde_json::json;

use crate::common::{House, Ran};
use crate::stage::{Stage, ctl, refused};

#[test]
fn what_is_saved_is_said_also_where_a_file_cannot_be_written() {
    let stage = Stage::playing(&[1, 2]);
    stage.house.write("taken", "a file, not a folder");
    let save = ["snapshot", "save", "--name"];
    let ran = stage.ctl(&[&save[..], &["one", "--output", "taken/s.json"]].concat());
    refused(&ran, 3, "guild 1 was not saved as asked: it is stored as ");
    ran.explains("guild 2 was not saved as asked")
        .explains("'one', but the file was not written")
        .says("partly guild 1: 4 tracks");
    let json = ["two", "--output", "taken/s.json", "--json"];
    let ran = stage.ctl(&[&save[..], &json].concat());
    assert_eq!(ran.code, Some(3), "{ran}");
    let told = ran.json();
    for (place, guild) in [1, 2].into_iter().enumerate() {
        let saved = &told["saved"][place];
        assert_eq!(
            (&saved["guild"], &saved["snapshot"]["name"], &saved["file"]),
            (&json!(guild), &json!("two"), &json!(null)),
            "{told}"
        );
        assert_eq!(told["failed"][place]["guild"], guild, "{told}");
    }
}

/// With nowhere to tell of it.
fn to_full(stage: &Stage, arguments: &[&str]) -> Ran {
    let mut command = Command::new(env!("CARGO_BIN_EXE_sonoractl"));
    command.args(arguments);
    stage.house.settle(&mut command);
    let full = File::options().write(true).open("/dev/full").unwrap();
    let output = command.stdin(Stdio::null()).stdout(full).output();
    Ran::of(output.unwrap())
}

fn untold(stage: &Stage, arguments: &[&str]) -> Ran {
    let ran = to_full(stage, arguments);
    refused(&ran, 3, "it is done, but could not be told: ");
    ran
}

#[test]
fn what_is_done_is_said_also_where_nobody_can_be_told() {
    let mut stage = Stage::playing(&[1, 2]);
    for name in ["one", "two"] {
        let ran = untold(&stage, &["snapshot", "save", "--name", name]);
        for guild in [1, 2] {
            ran.explains(&format!("guild {guild}: 4 tracks"));
            let session = format!("sonora/{guild}@{name}");
            stage.ctl(&["snapshot", "info", &session]).ok();
        }
    }
    let restore = ["snapshot", "restore", "sonora/1@one"];
    stage.silence(1);
    let ran = untold(&stage, &restore);
    ran.explains("its node holds it")
        .explains("undo --ask sonora/1");
    assert_eq!(stage.plays(1).as_deref(), Some("track-0"));
    stage.stop();
    untold(&stage, &restore).explains("undo --ask sonora/1");
    untold(&stage, &["snapshot", "delete", "sonora/2@one"]).explains("in the trash");
    let info = ["snapshot", "info", "sonora/2@one"];
    refused(&stage.ctl(&info), 4, "in the trash");
    let cleanup = ["snapshot", "cleanup", "--older-than", "1ms"];
    untold(&stage, &cleanup).explains("moved to the trash");
}

#[test]
fn what_is_done_is_said_as_json_also_where_nobody_can_be_told() {
    let stage = Stage::playing(&[1]);
    let save = ["snapshot", "save", "--name", "one"];
    stage.ctl(&save).ok();
    stage.silence(1);
    let ran = to_full(&stage, &["snapshot", "restore", "one", "--json"]);
    let (kind, message) = ran.error();
    assert_eq!((ran.code, kind.as_str()), (Some(3), "partly_done"), "{ran}");
    assert!(message.contains("undo --ask sonora/1"), "{ran}");
}

#[test]
fn a_file_that_is_there_is_not_replaced() {
    let stage = Stage::playing(&[1, 2]);
    stage.house.write("s_guild_2.json", "precious");
    let save = ["snapshot", "save", "--name", "one", "--output", "s.json"];
    let ran = stage.ctl(&save);
    refused(&ran, 5, "s_guild_2.json is there already");
    assert_eq!(stage.house.read("s_guild_2.json"), b"precious");
    // Nothing was begun.
    assert!(!stage.house.path("s_guild_1.json").exists());
    refused(&stage.ctl(&["snapshot", "info", "one"]), 4, "one");
    std::fs::remove_file(stage.house.path("s_guild_2.json")).unwrap();
    stage.ctl(&save).ok().says("written to s_guild_1.json");
}

/// A file of a player, with an upcoming track and no filters.
fn file(path: &Path) {
    let mut file = SnapshotFile::new(7, 1_732_200_000.5);
    let track =
        json!({"encoded": "t", "info": {"identifier": "t", "title": "So What", "length": 1000}});
    file.data
        .insert("queue".to_owned(), json!({"upcoming": [track]}));
    file.save(path).unwrap();
}

#[test]
fn a_file_is_looked_at_without_a_store() {
    let house = House::empty();
    file(&house.path("s.json"));
    let ran = ctl(&house, &["snapshot", "info", "s.json"]).ok();
    ran.says("taken     2024-11-21 14:40:00")
        .says("upcoming  1 track");
    let restore = ["snapshot", "restore", "s.json"];
    let dry = [&restore[..], &["--dry-run"]].concat();
    let ran = ctl(&house, &dry).ok();
    ran.says("guild 7 would have: nothing plays, 1 track upcoming")
        .says("restored would be: queue, current\n")
        .says("it could not be done, only the file was looked at: there is no store");
    let ran = ctl(&house, &[&dry[..], &["--json"]].concat()).ok().json();
    assert_eq!(ran["components"], json!(["queue", "current"]));
    assert!(
        ran["no_store"].as_str().unwrap().contains("no store"),
        "{ran}"
    );
    // To do it, one is needed; and it is not made by looking.
    refused(&ctl(&house, &restore), 4, "there is no store");
    assert_eq!(house.names("."), ["s.json"]);
}

#[test]
fn a_file_that_is_not_there_is_named() {
    for (house, other) in [
        (House::empty(), "there is no store"),
        (House::new(), "no snapshot answers to 'old/s.json'"),
    ] {
        for verb in [&["info"][..], &["restore", "--dry-run"], &["restore"]] {
            let ran = ctl(&house, &[&["snapshot"], verb, &["old/s.json"]].concat());
            refused(&ran, 4, other);
            if verb != ["restore"] {
                let path = std::fs::canonicalize(house.path(".")).unwrap();
                let path = path.join("old/s.json").display().to_string();
                ran.explains(&format!("nor is there a file {path}"));
            }
        }
    }
}
