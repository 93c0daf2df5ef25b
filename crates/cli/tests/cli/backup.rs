//! `backup`: archives that are made, looked at, damaged and restored.

use std::fs;
use std::os::unix::fs::{FileExt, PermissionsExt};

use serde_json::Value;

use crate::common::{House, Ran, id};

fn filled() -> House {
    let house = House::new();
    for n in 0..40 {
        house.save(
            "bot/1",
            &format!("{{\"turn\":{n},\"queue\":[\"track {n}\"]}}"),
        );
        house.save("bot/2", &format!("[{n}]"));
    }
    house
}

fn made(house: &House, options: &[&str]) -> Value {
    let arguments = [&["backup", "create", "kept", "--json"], options].concat();
    house.run(&arguments).ok().json()["backup"].clone()
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap()
}

#[test]
fn a_store_that_is_gone_comes_back() {
    let house = filled();
    let before = house.contents();
    let ran = house.run(&["backup", "create", "kept"]).ok();
    ran.says("made ")
        .says("80 snapshots of 2 sessions")
        .says("may be damaged");
    let names = house.names("kept");
    assert_eq!(names.len(), 1);
    assert!(names[0].ends_with("-full.dalsegno"), "{names:?}");
    let mode = fs::metadata(house.path("kept").join(&names[0]))
        .unwrap()
        .permissions()
        .mode();
    assert_eq!(mode & 0o777, 0o600);
    // Not over one that is there.
    house
        .run(&["backup", "restore", "kept"])
        .refused(5, "exists already");
    fs::remove_file(house.store()).unwrap();
    let dry = house.run(&["backup", "restore", "kept", "--dry-run"]).ok();
    dry.says("would restore").says("nothing was changed");
    assert!(!house.store().exists());
    house
        .run(&["backup", "restore", "kept"])
        .ok()
        .says("restored")
        .says("all is as it was saved");
    assert_eq!(house.contents(), before);
    house
        .run(&["backup", "restore", "nowhere"])
        .refused(5, "exists already");
}

#[test]
fn what_changed_is_little_and_needs_the_rest() {
    let house = filled();
    let full = made(&house, &[]);
    house.save("bot/1", "[\"later\"]");
    let later = made(&house, &["--incremental"]);
    assert_eq!(later["base"], full["id"]);
    let named = &text(&full["id"])[..8];
    let differential = made(&house, &["--differential", named]);
    assert_eq!(differential["kind"], "differential");
    house
        .run(&["backup", "create", "kept", "--differential", "ffffffff"])
        .refused(4, "no backup");
    house
        .run(&["backup", "create", "kept", "--full", "--incremental"])
        .refused(2, "--incremental");
    let list = house.run(&["backup", "list", "kept"]).ok();
    list.says("full").says("incremental on").says(named);
    let listed = house.run(&["backup", "list", "kept", "--json"]).ok().json();
    assert_eq!(listed["complete"].as_array().unwrap().len(), 3);
    fs::remove_file(house.path(text(&full["path"]))).unwrap();
    house
        .run(&["backup", "verify", "kept"])
        .failed(6, "cannot be restored")
        .says("needs the backup");
    house
        .run(&["backup", "drill", "kept"])
        .refused(6, "needs the backup");
    let list = house.run(&["backup", "list", "kept"]).ok();
    list.says(&format!("needs {named}, which is not here"));
    let listed = house.run(&["backup", "list", "kept", "--json"]).ok().json();
    assert_eq!(listed["missing"].as_array().unwrap().len(), 2);
    assert_eq!(listed["missing"][0]["needs"], full["id"]);
    let one = house.path(text(&later["path"]));
    let one = ["backup", "list", one.to_str().unwrap()];
    house.run(&one).ok().says("which is not here");
}

#[test]
fn what_is_no_file_is_no_archive_and_nobody_waits_for_it() {
    let house = House::new();
    house.shell("mkfifo pipe").ok();
    house
        .run(&["backup", "verify", "pipe"])
        .failed(6, "cannot be restored")
        .says("pipe is not a file");
    for verb in ["drill", "restore"] {
        let ran = house.run(&["--store", "new.db", "backup", verb, "pipe"]);
        ran.refused(2, "pipe is not a file");
    }
    let listed = house.run(&["backup", "list", "/dev/zero"]).ok();
    listed.says("/dev/zero is not a file");
}

#[test]
fn a_backup_of_a_damaged_store_says_so() {
    let house = filled();
    let made = house
        .run(&["backup", "create", "whole", "--parity", "0"])
        .ok();
    made.says("blocks may be damaged: it has no parity");
    let whole = house.run(&["backup", "list", "whole"]).ok();
    assert!(!whole.text().contains("needs"), "{whole}");
    let store = rusqlite::Connection::open(house.store()).unwrap();
    let one = "UPDATE snapshot SET detail = x'00' WHERE seq = (SELECT max(seq) FROM snapshot)";
    assert_eq!(store.execute(one, ()).unwrap(), 1);
    drop(store);
    let made = house.run(&["backup", "create", "kept"]).ok();
    made.says("the store is damaged: 1 row is in the backup as it is");
    let found = house.run(&["backup", "verify", "kept"]).ok();
    found
        .says("whole: ")
        .says("but 1 row was damaged in the store");
    let found = house.run(&["backup", "verify", "whole"]).ok();
    assert!(!found.text().contains("but"), "{found}");
    let new = ["--store", "new.db", "backup", "restore", "kept"];
    house
        .run(&[&new[..], &["--dry-run"]].concat())
        .failed(6, "1 row that the store had damaged");
    assert!(!house.path("new.db").exists());
    let restored = house.run(&new);
    restored.failed(6, "all of the backup is there, and what was damaged");
    assert!(house.path("new.db").exists());
}

#[test]
fn damage_is_made_good_or_named() {
    let house = filled();
    let backup = made(&house, &["--parity", "20"]);
    let (blocks, parity) = (
        backup["blocks"].as_u64().unwrap(),
        backup["parity_blocks"].as_u64().unwrap(),
    );
    let path = text(&backup["path"]);
    let path = house.path(path);
    let block = fs::metadata(&path).unwrap().len() / blocks;
    let file = fs::OpenOptions::new().write(true).open(&path).unwrap();
    house.run(&["backup", "verify", "kept"]).ok().says("whole");
    for index in 0..parity {
        file.write_all_at(b"damage", index * block + 60).unwrap();
    }
    house
        .run(&["backup", "verify", "kept"])
        .ok()
        .says("which parity makes again");
    house
        .run(&["backup", "drill", "kept"])
        .ok()
        .says("all is as it was saved")
        .says("old");
    for index in 0..blocks / 2 {
        file.write_all_at(b"damage", index * block + 60).unwrap();
    }
    let ran = house.run(&["backup", "verify", "kept"]);
    ran.failed(6, "cannot be restored as a whole")
        .says("lost: ");
    let new = ["--store", "other.db"];
    house
        .run(&[&["backup", "restore", "kept"], &new[..]].concat())
        .refused(6, "nothing was restored")
        .explains("what is left of this one (`backup restore --salvage`)");
    assert!(!house.path("other.db").exists());
    let rest = house.run(&[&["backup", "restore", "kept", "--salvage"], &new[..]].concat());
    rest.failed(6, "not all of what").says("lost: ");
}

#[test]
fn one_session_comes_back() {
    let house = filled();
    let backup = made(&house, &[]);
    house
        .run(&["session", "erase", "bot/2"])
        .ok()
        .says(text(&backup["path"]).rsplit('/').next().unwrap())
        .says("a restore of it brings it back, unless a later backup lies in the same folder: make one with `")
        .says("backup create ");
    // So it is.
    let anew = ["--store", "anew.db", "backup", "restore", "kept"];
    house.run(&anew).ok();
    let there = ["--store", "anew.db", "snapshot", "list", "bot/2"];
    house.run(&there).ok();
    fs::remove_file(house.path("anew.db")).unwrap();
    made(&house, &["--full"]);
    let first = text(&backup["path"]);
    let anew = ["--store", "anew.db", "backup", "restore", first];
    house.run(&anew).ok().says("1 session stayed away");
    house
        .run(&["backup", "restore", first, "--session", "bot/2"])
        .refused(5, "was erased");
    let first = house
        .run(&[
            "backup",
            "restore",
            "kept",
            "--session",
            "bot/1",
            "--as",
            "mine",
            "--dry-run",
        ])
        .ok();
    first
        .says("would add 40 snapshots to mine")
        .says("nothing was changed");
    house
        .run(&["snapshot", "info", "mine@latest"])
        .refused(4, "mine");
    house
        .run(&[
            "backup",
            "restore",
            "kept",
            "--session",
            "bot/1",
            "--as",
            "mine",
        ])
        .ok()
        .says("added 40 snapshots");
    let shown = house.run(&["snapshot", "show", "mine@latest"]).ok();
    assert_eq!(shown.text(), "{\"turn\":39,\"queue\":[\"track 39\"]}");
    house.save("bot/1", "[\"wrecked\"]");
    let at = house
        .run(&["snapshot", "info", "bot/1@-5", "--json"])
        .ok()
        .json();
    let back = house
        .run(&["backup", "restore", "kept", "--session", "bot/1", "--json"])
        .ok()
        .json();
    assert_eq!(back["restored"]["added"].as_array().unwrap().len(), 0);
    assert!(!id(&at).is_empty());
    let shown = house.run(&["snapshot", "show", "bot/1@latest"]).ok();
    assert_eq!(shown.text(), "{\"turn\":39,\"queue\":[\"track 39\"]}");
    house
        .run(&["backup", "restore", "kept", "--as", "x"])
        .refused(2, "--session");
    house
        .run(&["backup", "restore", "kept", "--session", "none"])
        .refused(4, "no session 'none'");
}

#[test]
fn a_drill_says_how_old_it_is() {
    let house = filled();
    house.run(&["backup", "drill", "kept"]).refused(4, "kept");
    made(&house, &[]);
    let drill = house
        .run(&["backup", "drill", "kept", "--json"])
        .ok()
        .json();
    assert_eq!(drill["passed"], true);
    assert_eq!(drill["drill"]["verification"]["snapshots"], 80);
    let ran = house.run(&["backup", "drill", "kept", "--max-age", "1h"]);
    assert!(!ran.ok().says("it is ").text().contains("it is 0 ms"));
    let ran = house
        .run(&[
            "backup",
            "timer",
            "drill",
            "kept",
            "--on-calendar",
            "Mon 03:00",
        ])
        .ok();
    ran.says("ExecStart=")
        .says("\"backup\" \"drill\"")
        .says("OnCalendar=Mon 03:00")
        .says("PrivateNetwork=yes")
        // It lies there, so that a folder of its own would hide it.
        .says("ReadWritePaths=/tmp")
        .says("ReadWritePaths=/var/tmp");
    assert!(!ran.text().contains("PrivateTmp"), "{ran}");
    assert!(!ran.text().contains("KEY_FILE"), "{ran}");
    fs::create_dir(house.path("units")).unwrap();
    let timer = ["backup", "timer", "create", "kept", "--to", "units"];
    house.run(&timer).ok().says("systemctl");
    assert_eq!(
        house.names("units"),
        [
            "dalsegno-backup-create.service",
            "dalsegno-backup-create.timer"
        ]
    );
    house.run(&timer).refused(5, "exists already");
}

#[test]
fn a_timer_takes_only_what_is_a_time() {
    let house = House::new();
    fs::create_dir(house.path("kept")).unwrap();
    let timer =
        |when: &str| house.run(&["backup", "timer", "drill", "kept", "--on-calendar", when]);
    for when in [
        "daily",
        "Weekly",
        "Mon..Fri,Sun *-*-* 02:30",
        "*-*-01 04:00:00 UTC",
        "*:0/15",
        "2026-11-22T03:00:00Z",
        "*-02~01 12:00 Europe/Berlin",
        "Thu, *-1..6-1",
        "@1395716396",
    ] {
        timer(when).ok().says(&format!("OnCalendar={when}\n"));
    }
    for when in [
        "",
        " ",
        "nonsense!!",
        "nonsense",
        "UTC",
        "daily\nExecStart=/bin/sh",
        "Mon\t03:00",
        "daily; rm",
        "%H",
        "03:00 $HOME",
    ] {
        timer(when).refused(2, "no time of systemd's");
    }
}

#[test]
fn a_timer_says_where_the_key_goes() {
    let house = filled();
    house.run(&["key", "generate", "key"]).ok();
    house.run(&["key", "init", "--new-key-file", "key"]).ok();
    let create = ["backup", "create", "kept", "--key-file", "key"];
    house.run(&create).ok();
    let key = String::from_utf8(house.read("key")).unwrap();
    for what in ["create", "drill"] {
        let timer = ["backup", "timer", what, "kept"];
        let mut command = house.command(&timer);
        let ran = Ran::of(command.env("DALSEGNO_KEY", key.trim()).output().unwrap()).ok();
        ran.says("\n#Environment=DALSEGNO_KEY_FILE=/path/of/the/file\n")
            .explains("the service needs a key");
        assert!(!ran.text().contains(key.trim()) && !ran.err.contains(key.trim()));
        let ran = house
            .run(&[&timer[..], &["--key-file", "key"]].concat())
            .ok();
        ran.says("\"--key-file\"");
        assert!(
            !ran.text().contains("Environment") && ran.err.is_empty(),
            "{ran}"
        );
    }
    // Nobody needs one to see that one is needed.
    let drill = house.run(&["backup", "timer", "drill", "kept"]).ok();
    drill.says("#Environment=DALSEGNO_KEY_FILE=");
}

#[test]
fn an_encrypted_store_has_encrypted_backups() {
    let house = filled();
    house.run(&["backup", "create", "both"]).ok();
    house.run(&["key", "generate", "key"]).ok();
    let with = |arguments: &[&str]| house.run(&[arguments, &["--key-file", "key"]].concat());
    house.run(&["key", "init", "--new-key-file", "key"]).ok();
    with(&["backup", "create", "kept"]).ok();
    with(&["backup", "create", "both"]).ok();
    house.run(&["backup", "list", "kept"]).ok().says("full");
    house
        .run(&["backup", "verify", "both"])
        .failed(7, "1 of 2 backups cannot be opened");
    with(&["backup", "verify", "both"]).ok();
    house
        .run(&["backup", "verify", "kept"])
        .refused(7, "encrypted");
    house
        .run(&["backup", "drill", "kept"])
        .refused(7, "encrypted");
    with(&["backup", "verify", "kept"]).ok().says("whole");
    with(&["backup", "drill", "kept"])
        .ok()
        .says("all is as it was saved");
    let name = &house.names("kept")[0];
    let bytes = house.read(&format!("kept/{name}"));
    assert!(!bytes.windows(5).any(|it| it == b"bot/1"));
    fs::remove_file(house.store()).unwrap();
    house
        .run(&["backup", "restore", "kept"])
        .refused(7, "encrypted");
    with(&["backup", "restore", "kept"]).ok();
    house.run(&["snapshot", "list"]).refused(7, "encrypted");
    with(&["snapshot", "list"]).ok().says("bot/1");
}

#[test]
fn a_repair_takes_what_it_needs_from_a_backup() {
    let house = filled();
    made(&house, &[]);
    let store = rusqlite::Connection::open(house.store()).unwrap();
    let damaged = store
        .execute(
            "UPDATE snapshot SET detail = x'00' WHERE session = 1 AND seq % 2 = 0",
            (),
        )
        .unwrap();
    drop(store);
    assert!(damaged > 0);
    house.run(&["verify"]).failed(6, "damaged");
    house.run(&["repair", "--from", "kept", "--dry-run"]).ok();
    house.run(&["verify"]).failed(6, "damaged");
    house.run(&["repair", "--from", "kept"]).ok().says("back");
    house.run(&["verify"]).ok();
}
