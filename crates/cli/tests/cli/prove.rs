//! `verify` and `doctor`.

use std::fs;
use std::os::unix::fs::PermissionsExt;

use serde_json::json;

use crate::common::{House, id};

fn damage(house: &House, statement: &str) {
    let store = rusqlite::Connection::open(house.store()).unwrap();
    assert!(store.execute(statement, ()).unwrap() > 0);
}

#[test]
fn verify_says_what_it_proved() {
    let house = House::new();
    for text in ["[1]", "[1,2]", "[1,2]"] {
        house.save("a", text);
    }
    house.save("b", "{}");
    let ran = house.run(&["verify"]).ok();
    ran.says(
        "all is as it was saved: 4 snapshots of 2 sessions, 3 states rebuilt and compared (10 B)",
    );
    ran.says("the store's structure");
    let found = house.run(&["verify", "--json"]).ok().json();
    let expected = json!({"intact": true, "sessions": 2, "snapshots": 4, "states": 3, "bytes": 10, "repaired": 0, "damage": []});
    assert_eq!(found, expected);
    let one = house.run(&["verify", "--session", "b"]).ok();
    one.says("1 snapshot of 1 session");
    assert!(!one.text().contains("structure"));
    house
        .run(&["verify", "--session", "c"])
        .refused(4, "no session 'c'");
}

#[test]
fn verify_names_what_is_lost() {
    let house = House::new();
    let first = house.save("a", "[1]");
    house.save("b", "{}");
    damage(
        &house,
        "UPDATE record SET data = x'00' WHERE seq = (SELECT min(seq) FROM record)",
    );
    let ran = house.run(&["verify"]).failed(6, "lost: 1 snapshot");
    ran.says("session a: ")
        .says(&format!("lost: {}", id(&first)));
    let ran = house.run(&["verify", "--json"]);
    assert_eq!(ran.code, Some(6));
    assert_eq!(ran.error().0, "damaged");
    let found = ran.json();
    assert_eq!(found["intact"], false);
    let lost = found["damage"].as_array().unwrap();
    assert!(
        lost.iter()
            .any(|d| d["session"] == "a" && d["snapshots"] == json!([first["id"]])),
        "{found}"
    );
    house.run(&["verify", "--session", "b"]).ok();
    house
        .run(&["snapshot", "show", "a@latest"])
        .refused(6, "cannot be restored");
    assert_eq!(
        house.run(&["snapshot", "show", "b@latest"]).ok().text(),
        "{}"
    );
}

#[test]
fn doctor_says_what_it_sees() {
    let house = House::new();
    house.save("a", "[1]");
    let ran = house.run(&["doctor"]).ok();
    for part in [
        "store.db",
        ".dalsegno in the working directory",
        "survives",
        "journal_mode wal",
        "file 0600, folder 0700",
        "nothing is wrong",
    ] {
        ran.says(part);
    }
    let seen = house.run(&["doctor", "--json"]).ok().json();
    assert_eq!(seen["sessions"], 1);
    assert_eq!(seen["snapshots"], 1);
    assert_eq!(seen["modes"], json!(["0600", "0700"]));
    assert_eq!(seen["settings"]["journal_mode"], "wal");
    assert_eq!(seen["findings"], json!([]));
    assert_eq!(seen["read_only"], false);
    assert!(seen["bytes"].as_u64().unwrap() > 4096);
    assert!(seen["disk_free"].as_u64().unwrap() > 0);
}

#[test]
fn doctor_warns_and_is_content() {
    let house = House::new();
    fs::set_permissions(house.store(), fs::Permissions::from_mode(0o644)).unwrap();
    fs::set_permissions(house.path(".dalsegno"), fs::Permissions::from_mode(0o777)).unwrap();
    let ran = house.run(&["doctor"]).ok();
    ran.says("warning: others than the owner may use the store")
        .says("remedy: chmod 600");
    ran.says("warning: others than the owner may write in the store's folder");
    let seen = house.run(&["doctor", "--json"]).ok().json();
    assert_eq!(seen["findings"].as_array().unwrap().len(), 2);
    assert_eq!(seen["findings"][0]["severity"], "warning");
}
