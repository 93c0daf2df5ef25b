//! `log`: what was done to a session, also what was undone.

use serde_json::{Value, json};

use crate::common::{House, id};

/// A session with a save of each sort and an undone rollback.
fn house() -> House {
    let house = House::new();
    house
        .feed(&["snapshot", "save", "s", "--name", "first"], b"{\"n\":1}")
        .ok();
    house.save("s", "{\"n\":2}");
    house.save("s", "{\"n\":2}");
    house.run(&["rollback", "s"]).ok();
    house.run(&["undo", "s"]).ok();
    house.write("s.json", "{\"n\":9}");
    house
        .run(&[
            "snapshot",
            "restore",
            "first",
            "--to",
            "s.json",
            "--component",
            "n",
        ])
        .ok();
    house
}

#[test]
fn a_line_for_each_deed_the_newest_first() {
    let house = house();
    let text = house.run(&["log", "s"]).ok().text();
    let lines: Vec<_> = text.lines().collect();
    assert_eq!(
        lines.len(),
        6,
        "an unchanged save and a safety snapshot are none: {text}"
    );
    for head in ["ID", "WHEN", "WHAT", "BEFORE"] {
        assert!(lines[0].contains(head), "{text}");
    }
    let path = house.path("s.json");
    let restore = format!(" to {}", path.display());
    for (line, parts) in lines[1..].iter().zip([
        &["restore n of ", restore.as_str()][..],
        &["undo "],
        &["rollback ", "undone"],
        &["save"],
        &["save", "first"],
    ]) {
        for part in parts {
            assert!(line.contains(part), "{part}: {line}");
        }
    }
}

#[test]
fn json_has_every_field() {
    let house = house();
    let log = house.run(&["log", "s", "--json"]).ok().json();
    let entries = log["entries"].as_array().unwrap();
    let said =
        |name: &str| -> Vec<Value> { entries.iter().map(|entry| entry[name].clone()).collect() };
    assert_eq!(
        said("entry"),
        ["operation", "operation", "operation", "save", "save"]
    );
    assert_eq!(said("verb")[..3], ["restore", "undo", "rollback"]);
    assert_eq!(said("undone")[..3], [false, false, true]);
    assert_eq!(said("status")[..3], ["done", "done", "done"]);
    let restore = &entries[0];
    assert_eq!(restore["components"], json!(["n"]));
    assert_eq!(
        restore["target"]["path"],
        house.path("s.json").to_str().unwrap()
    );
    let before = house.run(&["snapshot", "show", restore["before"].as_str().unwrap()]);
    assert_eq!(before.ok().text(), "{\"n\":9}");
    assert_eq!(entries[4]["snapshot"]["name"], "first");
    assert_eq!(entries[2]["from"], entries[4]["snapshot"]["id"]);
}

#[test]
fn a_file_that_was_removed_or_was_no_json_is_named() {
    let house = House::new();
    let saved = house.save("s", "1");
    house
        .run(&["snapshot", "restore", id(&saved), "--to", "new.json"])
        .ok();
    house.run(&["undo", "s"]).ok();
    house.write("torn.json", "torn {");
    house
        .run(&["snapshot", "restore", id(&saved), "--to", "torn.json"])
        .ok();
    let ran = house.run(&["log", "s"]).ok();
    ran.says(&format!("undo at {}", house.path("new.json").display()));
    ran.says("torn.json.before-");
}

#[test]
fn limits_and_sessions_that_cannot_be() {
    let house = house();
    let text = house.run(&["log", "s", "--limit", "2"]).ok().text();
    assert_eq!(text.lines().count(), 3, "{text}");
    house
        .run(&["log", "nobody"])
        .refused(4, "no session 'nobody'");
    for limit in ["0", "-1", "ten", "1000001"] {
        house
            .run(&["log", "s", &format!("--limit={limit}")])
            .refused(2, "--limit");
    }
}

#[test]
fn what_is_left_in_the_trash_is_named() {
    let house = House::new();
    house.save("bot/9", "1");
    house.run(&["snapshot", "delete", "bot/9@latest"]).ok();
    let log = house.run(&["log", "bot/9"]).ok();
    log.explains("`snapshot list bot/9 --deleted`");
    house.run(&["snapshot", "list", "bot/9", "--deleted"]).ok();
}
