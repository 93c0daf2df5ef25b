//! A store that was damaged says so, loses nothing more, and goes on.

use crate::common::{House, id};

fn damage(house: &House, statement: &str) {
    let store = rusqlite::Connection::open(house.store()).unwrap();
    store.execute_batch(statement).unwrap();
}

fn three() -> (House, Vec<String>) {
    let house = House::new();
    let saved = [1, 2, 3].map(|n| house.save("bot/1", &format!("{{\"n\":{n}}}")));
    let ids = saved.iter().map(|saved| id(saved).to_owned()).collect();
    (house, ids)
}

#[test]
fn a_state_can_be_restored_over_a_damaged_one_and_saves_go_on() {
    let (house, ids) = three();
    damage(
        &house,
        "UPDATE record SET data = x'00ff' WHERE seq = (SELECT max(seq) FROM record)",
    );
    house
        .run(&["snapshot", "show", "bot/1@latest"])
        .failed(6, "damaged");
    house.run(&["verify"]).failed(6, "damaged").says(&ids[2]);
    house.run(&["snapshot", "restore", &ids[1]]).ok();
    let latest = house.run(&["snapshot", "show", "bot/1@latest"]).ok();
    assert_eq!(latest.text(), "{\"n\":2}");
    house.save("bot/1", "{\"n\":4}");
    let latest = house.run(&["snapshot", "show", "bot/1@latest"]).ok();
    assert_eq!(latest.text(), "{\"n\":4}");
}

#[test]
fn a_snapshot_that_is_gone_is_named_and_no_other_stands_for_it() {
    for lost in [1, 2] {
        let (house, ids) = three();
        damage(
            &house,
            &format!(
                "DELETE FROM snapshot WHERE seq = (SELECT seq FROM snapshot ORDER BY seq LIMIT 1 OFFSET {lost})"
            ),
        );
        house.run(&["verify"]).failed(6, "damaged").says(&ids[lost]);
        house
            .run(&["snapshot", "list", "bot/1"])
            .failed(6, &ids[lost][..18]);
        house
            .run(&["snapshot", "show", "bot/1@-2"])
            .failed(6, &ids[lost]);
        if lost == 2 {
            house
                .run(&["snapshot", "show", "bot/1@latest"])
                .failed(6, &ids[lost]);
        }
        let first = house.run(&["snapshot", "show", &ids[0]]).ok();
        assert_eq!(first.text(), "{\"n\":1}");
    }
}

#[test]
fn what_does_not_belong_to_a_store_is_found() {
    let (house, _) = three();
    damage(&house, "CREATE TABLE mine (a)");
    house
        .run(&["verify"])
        .failed(6, "damaged")
        .says("mine does not belong");
    let trigger = "CREATE TRIGGER t AFTER INSERT ON snapshot BEGIN DELETE FROM record; END";
    damage(&house, trigger);
    house
        .feed(&["snapshot", "save", "bot/1"], b"5")
        .failed(6, "triggers");
}

/// The newest snapshot's row, or its record, is damaged: what stood there cannot be put back.
#[test]
fn a_restore_over_what_is_damaged_promises_no_undo() {
    for statement in [
        "UPDATE snapshot SET size = size + 1 WHERE seq = (SELECT max(seq) FROM snapshot)",
        "UPDATE record SET data = x'00ff' WHERE seq = (SELECT max(seq) FROM record)",
    ] {
        let (house, ids) = three();
        house.run(&["rollback", "bot/1"]).ok();
        house.run(&["undo", "bot/1"]).ok();
        house.save("bot/1", "{\"n\":4}");
        damage(&house, statement);
        let ran = house.run(&["snapshot", "restore", &ids[0]]).ok();
        ran.says("`undo` will not take it back: the state that stood there is damaged");
        assert!(!ran.text().contains("to take it back:"), "{ran}");
        let refused = house.run(&["undo", "bot/1"]);
        assert!([Some(4), Some(6)].contains(&refused.code), "{refused}");
        refused
            .explains("damaged")
            .explains("`undo bot/1 --skip` passes over it");
        house.run(&["undo", "bot/1", "--skip"]).ok();
        let latest = house.run(&["snapshot", "show", "bot/1@latest"]).ok();
        assert_eq!(latest.text(), "{\"n\":1}");
        let nothing = house.run(&["undo", "bot/1"]);
        assert_eq!(nothing.code, Some(4), "{nothing}");
        nothing.explains("nothing to undo in bot/1");
    }
}

#[test]
fn a_log_of_which_a_row_is_damaged_shows_the_others_and_promises_nothing() {
    let (house, ids) = three();
    house.run(&["snapshot", "restore", &ids[0]]).ok();
    let file = ["snapshot", "restore", &ids[1], "--to", "f.json"];
    house.run(&file).ok();
    damage(
        &house,
        "UPDATE operation SET status = 0 WHERE seq = (SELECT max(seq) FROM operation)",
    );
    let log = house
        .run(&["log", "bot/1"])
        .failed(6, "its checksum differs");
    assert_eq!(log.text().lines().count(), 6, "{log}");
    log.says(&format!("restore {}", &ids[0][..18]))
        .says("damaged");
    let json = house.run(&["log", "bot/1", "--json"]);
    assert_eq!(json.code, Some(6));
    let entries = json.json()["entries"].clone();
    assert_eq!(entries[0]["entry"], "damaged");
    assert_eq!(entries.as_array().unwrap().len(), 5);
    let ran = house.run(&["snapshot", "restore", &ids[1]]).ok();
    ran.says("`undo` will not take it back: the row of operation");
    let refused = house.run(&["undo", "bot/1"]).failed(6, "is damaged");
    refused.explains("`log bot/1` shows what can be read");
}

#[test]
fn a_log_shows_what_is_left_of_the_saves() {
    let (house, ids) = three();
    damage(
        &house,
        "UPDATE snapshot SET size = size + 1 WHERE seq = (SELECT seq FROM snapshot ORDER BY seq LIMIT 1 OFFSET 1)",
    );
    let log = house.run(&["log", "bot/1"]).failed(6, &ids[1]);
    log.says(&ids[0][..18]).says(&ids[2][..18]);
    let (house, ids) = three();
    damage(
        &house,
        "DELETE FROM snapshot WHERE seq = (SELECT seq FROM snapshot ORDER BY seq LIMIT 1 OFFSET 1)",
    );
    let log = house.run(&["log", "bot/1"]).failed(6, &ids[1]);
    log.says(&ids[0][..18]).says(&ids[2][..18]);
}

#[test]
fn a_trash_of_which_a_row_is_damaged_shows_the_others_and_is_cleaned_up_around_it() {
    let (house, ids) = three();
    house.save("bot/2", "1");
    let delete = ["snapshot", "delete", &ids[0], &ids[1], "--grace", "1ns"];
    house.run(&delete).ok();
    damage(
        &house,
        "UPDATE trash SET size = size + 1 WHERE seq = (SELECT max(seq) FROM trash)",
    );
    let list = ["snapshot", "list", "--deleted"];
    let listed = house.run(&list).failed(6, &ids[1]);
    assert!(listed.text().contains(&ids[0][..18]), "{listed}");
    assert!(!listed.text().contains(&ids[1][..18]), "{listed}");
    let json = house.run(&[&list[..], &["--json"]].concat()).json();
    assert_eq!(json["trash"].as_array().unwrap().len(), 1);
    assert_eq!(json["damage"].as_array().unwrap().len(), 1);
    let cleanup = ["snapshot", "cleanup", "--keep-last", "1"];
    let ran = house.run(&cleanup).failed(6, &ids[1]);
    assert_eq!(ran.err.matches(&ids[1]).count(), 1, "said once: {ran}");
}

/// Some of the snapshots that are named go, and then a damaged row is in the way.
#[test]
fn what_is_deleted_before_an_error_is_told() {
    let (house, ids) = three();
    let other = house.save("a", "1");
    damage(
        &house,
        "UPDATE snapshot SET size = size + 1 WHERE seq = (SELECT seq FROM snapshot ORDER BY seq LIMIT 1 OFFSET 1)",
    );
    let delete = ["snapshot", "delete", id(&other), &ids[2]];
    house
        .run(&delete)
        .failed(3, "1 snapshot was deleted, then: the row of snapshot");
    let (house, ids) = three();
    house.save("a", "1");
    damage(
        &house,
        "UPDATE snapshot SET size = size + 1 WHERE seq = (SELECT min(seq) FROM snapshot)",
    );
    house
        .run(&["snapshot", "delete", &ids[1]])
        .failed(6, "damaged");
}

#[test]
fn a_name_that_its_index_lost_is_not_told_to_be_none() {
    let house = House::new();
    house.save("bot/1", "1");
    let named = [
        "snapshot",
        "save",
        "bot/1",
        "--from",
        "-",
        "--name",
        "midsummer",
    ];
    house.feed(&named, b"2").ok();
    house.save("bot/1", "3");
    damage(&house, "PRAGMA wal_checkpoint(TRUNCATE)");
    let mut bytes = std::fs::read(house.store()).unwrap();
    let places: Vec<usize> = (0..bytes.len() - 9)
        .filter(|at| bytes[*at..].starts_with(b"midsummer"))
        // A leaf of an index, where a table's is 13.
        .filter(|at| bytes[at / 4096 * 4096] == 10)
        .collect();
    assert_eq!(places.len(), 1);
    bytes[places[0]] ^= 4;
    std::fs::write(house.store(), bytes).unwrap();
    for reference in ["midsummer", "bot/1@midsummer"] {
        house
            .run(&["snapshot", "show", reference])
            .failed(6, "the index of names is damaged");
    }
    house
        .run(&["snapshot", "show", "midwinter"])
        .refused(4, "no snapshot answers to 'midwinter'");
    house.run(&["verify"]).failed(6, "damaged");
}

#[test]
fn a_policy_that_is_damaged_can_be_removed() {
    let house = House::new();
    for pattern in ["a/*", "b/*"] {
        house
            .run(&["policy", "set", pattern, "--keep-last", "3"])
            .ok();
    }
    damage(
        &house,
        "UPDATE policy SET detail = x'7b7d' WHERE pattern = 'a/*'",
    );
    house.run(&["policy", "list"]).failed(6, "a/*");
    let dry = ["policy", "remove", "a/*", "--dry-run"];
    house.run(&dry).failed(6, "is damaged");
    house.run(&["policy", "remove", "a/*"]).ok();
    let list = house.run(&["policy", "list"]).ok();
    list.says("b/*");
}

#[test]
fn repair_takes_from_a_copy_marks_what_none_has_and_says_so() {
    let (house, ids) = three();
    std::fs::copy(house.store(), house.path("copy.db")).unwrap();
    let later = house.save("bot/1", "{\"n\":4}");
    damage(&house, "UPDATE snapshot SET detail = x'00'");
    house
        .run(&["repair", "--dry-run"])
        .failed(6, "not all is as it was saved");
    house.run(&["verify"]).failed(6, "damaged");
    house
        .run(&["repair", "--from", "nothing.db"])
        .failed(4, "--from nothing.db");
    let ran = house
        .run(&["repair", "--from", "copy.db"])
        .failed(6, "not all is as it was saved");
    ran.says(&format!("back {}", ids[0]))
        .says(&format!("marked {}", id(&later)));
    house.run(&["verify"]).ok();
    house
        .run(&["snapshot", "info", id(&later)])
        .ok()
        .says("repaired");
    house
        .run(&["snapshot", "list", "bot/1"])
        .ok()
        .says("pinned, repaired");
    house.run(&["repair"]).ok().says("nothing is damaged");
}

#[test]
fn a_file_that_cannot_be_read_is_built_anew_and_scrubbed() {
    let (house, ids) = three();
    use std::os::unix::fs::FileExt;
    let file = std::fs::OpenOptions::new()
        .write(true)
        .open(house.store())
        .unwrap();
    file.write_all_at(&[0; 4096], 0).unwrap();
    drop(file);
    house.run(&["repair", "--rebuild", "--dry-run"]).ok();
    assert!(house.run(&["verify"]).code != Some(0));
    house
        .run(&["repair", "--rebuild"])
        .ok()
        .says("the old file is kept as");
    for (n, id) in (1..).zip(&ids) {
        let shown = house.run(&["snapshot", "show", id]).ok();
        assert_eq!(shown.text(), format!("{{\"n\":{n}}}"));
    }
    house
        .run(&["scrub", "--once", "--rate", "0"])
        .ok()
        .says("all is as it was saved");
    damage(&house, "UPDATE record SET data = x'00'");
    house
        .run(&["scrub", "--once", "--rate", "0"])
        .failed(6, "damaged")
        .says(&ids[2]);
}
