//! What a repair had to make up is never said to be as it was saved.

use crate::common::{House, Ran, id};

const ALL: &str = "all is as it was saved";

/// A store of which the second and the third state are lost, and put together of the first.
fn marked() -> (House, Vec<String>) {
    let house = House::new();
    let texts = [
        r#"{"volume":1,"queue":[1,2]}"#,
        r#"{"volume":2,"queue":[1,3,2,4]}"#,
        r#"{"volume":5,"queue":[9]}"#,
    ];
    let ids = texts.map(|text| id(&house.save("s", text)).to_owned());
    let store = rusqlite::Connection::open(house.store()).unwrap();
    let sql = "UPDATE record SET data = x'00' WHERE seq = (SELECT seq FROM snapshot ORDER BY seq LIMIT 1 OFFSET 1)";
    assert_eq!(store.execute(sql, ()).unwrap(), 1);
    drop(store);
    house
        .run(&["repair"])
        .failed(6, "marked")
        .says("2 snapshots marked as repaired");
    (house, ids.to_vec())
}

#[track_caller]
fn not_all(ran: Ran, part: &str) -> Ran {
    let ran = ran.ok();
    assert!(!ran.text().contains(ALL), "{ran}");
    ran.says(part);
    ran
}

#[test]
fn what_proves_the_store_counts_what_is_marked() {
    let (house, ids) = marked();
    let said = "nothing is damaged now, but 2 snapshots are not as saved: marked by a repair: ";
    not_all(house.run(&["verify"]), said).says("3 snapshots of 1 session, ");
    not_all(house.run(&["verify", "--session", "s"]), said);
    not_all(house.run(&["scrub", "--once", "--rate", "0"]), said);
    not_all(house.run(&["stats"]), "2 marked by a repair: not as saved");
    let doctor = house.run(&["doctor"]);
    doctor.says("3, 2 marked by a repair: not as saved");
    let json = house.run(&["verify", "--json"]).ok().json();
    assert_eq!(
        (&json["intact"], &json["repaired"]),
        (&true.into(), &2.into())
    );
    house.run(&["backup", "create", "kept"]).ok();
    not_all(house.run(&["backup", "drill", "kept"]), said);
    let restore = ["--store", "new.db", "backup", "restore", "kept"];
    not_all(house.run(&restore), said);
    // One that is left is one.
    house
        .run(&["snapshot", "delete", &ids[2], "--grace", "1ns"])
        .ok();
    house.run(&["snapshot", "cleanup", "--keep-last", "9"]).ok();
    not_all(house.run(&["verify"]), "but 1 snapshot is not as saved");
}

#[test]
fn nothing_is_not_said_to_be_as_it_was_saved() {
    let house = House::new();
    not_all(
        house.run(&["verify"]),
        "the store is empty: 0 snapshots of 0 sessions",
    );
    not_all(
        house.run(&["scrub", "--once"]),
        "the store is empty: 1 round proved",
    );
    house.save("s", "1");
    house.run(&["verify"]).ok().says(ALL);
    house.run(&["scrub", "--once"]).ok().says(ALL);
}

#[test]
fn who_puts_a_marked_state_back_is_told() {
    let (house, ids) = marked();
    let said = "this is not all as it was saved; repaired ";
    let from = &ids[0][..18];
    house.save("s", "{}");
    let told = |arguments: &[&str]| {
        let ran = house.run(arguments).ok();
        ran.says(said).says(&format!("volume of {from}"));
        ran
    };
    told(&["snapshot", "restore", &ids[1], "--dry-run"]);
    let ran = told(&["snapshot", "restore", &ids[1], "--to", "file.json"]);
    assert_eq!(
        ran.text().matches(said).count(),
        2,
        "of the plan and of what was done: {ran}"
    );
    told(&["rollback", "s", "--dry-run"]);
    told(&["rollback", "s"]);
    told(&["fork", &ids[2], "other", "--dry-run"]);
    told(&["fork", &ids[2], "other"]);
    let whole = house
        .run(&["snapshot", "restore", &ids[0], "--dry-run"])
        .ok();
    assert!(!whole.text().contains(said), "{whole}");
    house.run(&["fork", &ids[0], "whole"]).ok();
    house
        .run(&["export", "--session", "s", "--to", "s.json"])
        .ok();
    house.run(&["init", "--store", "new.db"]).ok();
    house
        .run(&["--store", "new.db", "import", "s.json"])
        .ok()
        .says("added 5 snapshots, 3 marked by a repair: not as saved; 0 were there already");
    house.run(&["backup", "create", "kept"]).ok();
    let one = [
        "--store",
        "new.db",
        "backup",
        "restore",
        "kept",
        "--session",
        "other",
    ];
    house
        .run(&one)
        .ok()
        .says("added 1 snapshot, 1 marked by a repair: not as saved, to other");
}
