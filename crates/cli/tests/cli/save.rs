use std::fs;

use serde_json::json;

use crate::common::{House, id};

#[test]
fn a_file_or_a_pipe_is_kept_byte_for_byte() {
    let house = House::new();
    let text = b" {\"a\" : 1.50, \"big\": 12345678901234567890123, \"a\": \"\\ud800\"}\r\n\t";
    house.write("state.json", text);
    house
        .run(&["snapshot", "save", "bot/1", "--from", "state.json"])
        .ok()
        .says("saved bot/1 as ");
    assert_eq!(
        house.run(&["snapshot", "show", "bot/1@latest"]).ok().out,
        text
    );
    house.feed(&["snapshot", "save", "bot/2"], text).ok();
    house
        .feed(&["snapshot", "save", "bot/3", "--from", "-"], text)
        .ok();
    house
        .shell("dalsegno snapshot save bot/4 < state.json")
        .ok();
    for session in ["bot/2", "bot/3", "bot/4"] {
        let shown = house
            .run(&["snapshot", "show", &format!("{session}@latest")])
            .ok();
        assert_eq!(shown.out, text);
    }
}

#[test]
fn what_is_given_is_kept() {
    let house = House::new();
    let arguments = [
        "snapshot",
        "save",
        "game/1",
        "--name",
        "before the boss",
        "--label",
        "a label",
        "--description",
        "longer\ntext",
        "--tag",
        "boss",
        "--tag",
        "late night",
        "--meta",
        "chapter=VI",
        "--meta",
        "formula=a=b",
        "--turn",
        "42",
        "--schema-version",
        "2.1",
        "--kind",
        "auto",
        "--json",
    ];
    let saved = house.feed(&arguments, b"{\"turn_count\": 7}").ok().json();
    assert_eq!(saved["session"], "game/1");
    assert_eq!(saved["name"], "before the boss");
    assert_eq!(saved["label"], "a label");
    assert_eq!(saved["description"], "longer\ntext");
    assert_eq!(saved["tags"], json!(["boss", "late night"]));
    assert_eq!(
        saved["metadata"],
        json!({"chapter": "VI", "formula": "a=b"})
    );
    assert_eq!(saved["turn"], 42);
    assert_eq!(saved["schema_version"], "2.1");
    assert_eq!(saved["kind"], "auto");
    assert_eq!(saved["size"], 17);
    assert_eq!(
        house
            .run(&["snapshot", "info", "before the boss", "--json"])
            .ok()
            .json(),
        saved
    );
    let counted = house.save("game/1", "{\"turn_count\": 43}");
    assert_eq!(counted["turn"], 43);
    assert_eq!(counted["kind"], "manual");
    assert_eq!(counted["parent"], saved["id"]);
}

#[test]
fn an_unchanged_state_is_a_reference() {
    let house = House::new();
    let first = house.save("s", "[1]");
    let again = house.feed(&["snapshot", "save", "s"], b"[1]").ok();
    again.says("unchanged");
    let again = house.save("s", "[1]");
    assert_eq!(again["unchanged"], true);
    assert_eq!(again["same_as"], first["id"]);
    assert_eq!(again["stored_size"], 0);
}

#[test]
fn a_rehearsal_says_what_would_be_and_changes_nothing() {
    let house = House::new();
    house
        .feed(&["snapshot", "save", "s", "--name", "one"], b"[1]")
        .ok();
    let before = (house.contents(), fs::read(house.store()).unwrap());
    let dry = |arguments: &[&str], text: &[u8]| {
        house.feed(
            &[&["snapshot", "save", "s", "--dry-run"], arguments].concat(),
            text,
        )
    };
    dry(&[], b"[2]")
        .ok()
        .says("dry run: s would be saved (3 B); nothing was changed");
    dry(&[], b"[1]").ok().says("unchanged since the last state");
    let would = dry(&["--json", "--tag", "t"], b"{\"turn\": 3}").ok().json();
    assert_eq!(would["dry_run"], true);
    let would = &would["would_save"];
    assert_eq!(
        (&would["turn"], &would["size"], &would["unchanged"]),
        (&json!(3), &json!(11), &json!(false))
    );
    assert!(would.get("id").is_none());
    dry(&["--name", "one"], b"[2]").refused(5, "named 'one' already");
    dry(&["--name", "../x"], b"[2]").refused(2, "'..'");
    dry(&[], b"[2").refused(2, "not JSON");
    assert_eq!((house.contents(), fs::read(house.store()).unwrap()), before);
}

#[test]
fn names_are_unique_within_a_session() {
    let house = House::new();
    let save = |session: &str, text: &str| {
        house.feed(
            &["snapshot", "save", session, "--name", "one"],
            text.as_bytes(),
        )
    };
    save("a", "1").ok();
    let before = house.contents();
    save("a", "2").refused(5, "session a has a snapshot named 'one' already");
    assert_eq!(house.contents(), before);
    save("b", "1").ok();
    house
        .run(&["snapshot", "info", "one"])
        .refused(4, "may be any of 2 snapshots");
    house.run(&["snapshot", "info", "a@one"]).ok();
}

#[test]
fn nothing_to_save_is_a_usage_error() {
    let house = House::new();
    // The tests' standard input is /dev/null, as under cron: nothing was piped.
    house
        .run(&["snapshot", "save", "s"])
        .refused(2, "--from FILE");
    house
        .feed(&["snapshot", "save", "s", "--meta", "novalue"], b"1")
        .refused(2, "KEY=VALUE");
    house
        .feed(
            &["snapshot", "save", "s", "--meta", "a=1", "--meta", "a=2"],
            b"1",
        )
        .refused(2, "'a' twice");
    house
        .feed(&["snapshot", "save", "s", "--kind", "safety"], b"1")
        .refused(2, "--kind");
    assert!(house.contents().contains("\"snapshots\":[]"));
}

#[test]
fn an_id_is_found_by_its_beginning() {
    let house = House::new();
    let saved = house.save("s", "1");
    let beginning: String = id(&saved).chars().take(18).collect();
    let found = house
        .run(&["snapshot", "info", &beginning, "--json"])
        .ok()
        .json();
    assert_eq!(found, saved);
    assert!(
        house
            .run(&["snapshot", "list"])
            .ok()
            .text()
            .contains(&beginning)
    );
}
