//! `hermes`: sessions that are one JSON file each.

use crate::common::House;

const TWO: &str = r#"{"messages":[1,2]}"#;
const FOUR: &str = r#"{"messages":[1,2,3,4]}"#;

fn house() -> House {
    let house = House::empty();
    std::fs::create_dir(house.path("s")).unwrap();
    for (name, text) in [
        ("s/a.json", TWO),
        ("s/a.json.bak", FOUR),
        ("s/b.json", "torn"),
        ("s/b.json.bak", TWO),
        ("s/c.json", FOUR),
        ("s/c.json.bak", TWO),
        ("s/d.json", FOUR),
        ("s/_index.json", "[]"),
    ] {
        house.write(name, text);
    }
    house
}

#[test]
fn inspect_tells_the_documented_status_and_changes_nothing() {
    let house = house();
    let names = house.names("s");
    let ran = house.run(&["hermes", "inspect", "s/a.json", "--json"]).ok();
    assert_eq!(
        ran.text(),
        "{\"session_id\":\"a\",\"live_messages\":2,\"bak_messages\":4,\"recommend\":\"restore\"}\n"
    );
    let ran = house.shell("dalsegno hermes inspect s/*.json --json").ok();
    assert_eq!(ran.text().lines().count(), 5);
    let ran = house
        .run(&["hermes", "inspect", "s/a.json", "s/b.json", "s/d.json"])
        .ok();
    ran.says("SESSION  LIVE  BACKUP  RECOMMEND")
        .says("b          -1       2  restore    live: it is torn, empty or no JSON")
        .says("d           4      -1  no_backup");
    assert_eq!(house.names("s"), names);
    let ran = house.run(&["hermes", "inspect", "s/none.json", "--json"]);
    assert_eq!(ran.code, Some(4), "{ran}");
    assert_eq!(ran.json()["recommend"], "no_backup");
    assert!(ran.err.contains("no session at s/none.json"), "{ran}");
    house.run(&["hermes", "inspect"]).refused(2, "<PATH>");
}

#[test]
fn recover_restores_and_says_what_it_kept() {
    let house = house();
    let ran = house
        .run(&["hermes", "recover", "s/a.json", "s/c.json", "s/d.json"])
        .ok();
    ran.says("a: restored from the backup: 4 messages, instead of 2 messages")
        .says("what stood there is kept as")
        .says("c: nothing to do: 4 messages, backup 2 messages")
        .says("d: there is no backup");
    assert_eq!(house.read("s/a.json"), FOUR.as_bytes());
    let ran = house.run(&["hermes", "recover", "s/b.json", "--json"]).ok();
    assert_eq!(
        ran.text(),
        "{\"session_id\":\"b\",\"live_messages\":-1,\"bak_messages\":2,\"recommend\":\"restore\",\"restored\":true}\n"
    );
    let ran = house.run(&["hermes", "recover", "s/b.json", "--json"]).ok();
    assert_eq!(ran.json()["restored"], false);
}

#[test]
fn one_that_fails_is_named_and_the_others_are_restored() {
    let house = house();
    std::fs::create_dir(house.path("s/x.json")).unwrap();
    house.write("s/x.json.bak", TWO);
    house
        .run(&["hermes", "recover", "s/x.json"])
        .refused(2, "is not a file");
    let ran = house.run(&["hermes", "recover", "s/none.json", "s/x.json", "s/a.json"]);
    assert_eq!(ran.code, Some(3), "{ran}");
    assert!(
        ran.err.contains("none.json") && ran.err.contains("x.json is not a file"),
        "{ran}"
    );
    let ran = house.run(&["hermes", "recover-all", "s"]);
    assert_eq!(ran.code, Some(3), "{ran}");
    ran.says("restored 1 of 5 sessions");
    assert!(ran.err.contains("1 session left"), "{ran}");
}

#[test]
fn recover_all_shows_first_and_does_it_once() {
    let house = house();
    let names = house.names("s");
    let ran = house.run(&["hermes", "recover-all", "s", "--dry-run"]).ok();
    ran.says("a: 2 messages, the backup 4 messages")
        .says("would restore 2 of 4 sessions");
    let planned = house
        .run(&["hermes", "recover-all", "s", "--dry-run", "--json"])
        .ok()
        .json();
    assert_eq!(planned["dry_run"], true);
    assert_eq!(planned["restored"], 0);
    assert_eq!(planned["details"].as_array().unwrap().len(), 2);
    assert_eq!(house.names("s"), names);

    let done = house.run(&["hermes", "recover-all", "s", "--json"]).ok();
    assert!(
        done.text()
            .starts_with("{\"scanned\":4,\"restored\":2,\"details\":[{\"session_id\":\"a\",")
    );
    let again = house.run(&["hermes", "recover-all", "s", "--json"]).ok();
    assert_eq!(
        again.text(),
        "{\"scanned\":4,\"restored\":0,\"details\":[]}\n"
    );
    let none = house
        .run(&["hermes", "recover-all", "nowhere", "--json"])
        .ok();
    assert_eq!(
        none.text(),
        "{\"scanned\":0,\"restored\":0,\"details\":[]}\n"
    );
    house
        .run(&["hermes", "recover-all", "s"])
        .ok()
        .says("restored 0 of 4 sessions");
}

#[test]
fn what_is_newer_stays_and_what_went_on_purpose_stays_away() {
    let house = House::empty();
    std::fs::create_dir(house.path("s")).unwrap();
    house.write("s/a.json", r#"{"messages":[1,"new"]}"#);
    house.write("s/a.json.bak", FOUR);
    let ran = house.run(&["hermes", "recover-all", "s"]).ok();
    ran.says("a: restored, with all that is newer: 5 messages, instead of 2 messages");
    assert_eq!(house.read("s/a.json"), br#"{"messages":[1,2,3,4,"new"]}"#);

    let path = house.path("s/b.json");
    dalsegno_hermes::save(&path, FOUR.as_bytes()).unwrap();
    let clear = dalsegno_hermes::Saving::new().intent("clear it all");
    clear.save(&path, br#"{"messages":[]}"#).unwrap();
    house
        .run(&["hermes", "recover", "s/b.json"])
        .ok()
        .says("b: nothing to do: 0 messages, backup 0 messages");
    let ran = house.run(&["hermes", "generations", "s/b.json"]).ok();
    ran.says("FILE").says("clear it all");
    let ran = house
        .run(&["hermes", "generations", "s/a.json", "s/b.json", "--json"])
        .ok();
    let kept = ran.json();
    assert_eq!(kept["messages"], 4);
    assert_eq!(kept["intent"], "clear it all");
    let kept = kept["path"].as_str().unwrap();
    let ran = house
        .run(&["hermes", "recover", "s/b.json", "--from", kept])
        .ok();
    ran.says("b: restored from s/b.json.kept-")
        .says("4 messages, instead of 0 messages");
    assert_eq!(house.read("s/b.json"), FOUR.as_bytes());
    house
        .run(&["hermes", "recover", "s/b.json", "--from", "s/a.json"])
        .refused(2, "is no kept state of s/b.json");
    house
        .run(&["hermes", "recover", "s/a.json", "s/b.json", "--from", kept])
        .refused(2, "one PATH");
    house
        .run(&["hermes", "generations", "s/none.json"])
        .refused(4, "no session at s/none.json");
}

#[test]
fn recover_shows_first_and_changes_nothing() {
    let house = house();
    let names = house.names("s");
    let ran = house
        .run(&["hermes", "recover", "s/a.json", "s/c.json", "--dry-run"])
        .ok();
    ran.says("a: would be restored from the backup: 4 messages, instead of 2 messages")
        .says("c: nothing to do")
        .says("dry run: nothing was changed");
    let seen = house
        .run(&["hermes", "recover", "s/a.json", "--dry-run", "--json"])
        .ok();
    assert_eq!(
        seen.text(),
        "{\"dry_run\":true,\"session_id\":\"a\",\"live_messages\":2,\"bak_messages\":4,\
         \"recommend\":\"restore\",\"restored\":false,\
         \"would_restore\":{\"from\":\"s/a.json.bak\",\"messages\":4}}\n"
    );
    let seen = house
        .run(&["hermes", "recover", "s/d.json", "--dry-run", "--json"])
        .ok();
    assert!(seen.json()["would_restore"].is_null());
    let from = ["--from", "s/c.json.bak", "--dry-run"];
    house
        .run(&[&["hermes", "recover", "s/c.json"], &from[..]].concat())
        .ok()
        .says("c: would be restored from the backup: 2 messages, instead of 4 messages")
        .says("dry run: nothing was changed");
    house
        .run(&["hermes", "recover", "s/none.json", "--dry-run"])
        .refused(4, "no session at s/none.json");
    assert_eq!(house.names("s"), names);
    assert_eq!(house.read("s/a.json"), TWO.as_bytes());
}

#[test]
fn a_kept_state_in_the_folder_itself_needs_no_dot() {
    let house = House::empty();
    let path = house.path("s.json");
    dalsegno_hermes::save(&path, FOUR.as_bytes()).unwrap();
    dalsegno_hermes::Saving::new().delete(&path).unwrap();
    let kept = house.names(".");
    let kept = kept.iter().find(|name| name.contains("~deleted")).unwrap();
    for from in [kept, &format!("./{kept}")] {
        house
            .run(&["hermes", "recover", "s.json", "--from", from])
            .ok()
            .says("s: restored from");
        assert_eq!(house.read("s.json"), FOUR.as_bytes());
        std::fs::remove_file(&path).unwrap();
    }
}

#[test]
fn recover_all_of_a_file_is_refused() {
    let house = house();
    for dry_run in [&[][..], &["--dry-run"]] {
        house
            .run(&[&["hermes", "recover-all", "s/a.json"], dry_run].concat())
            .refused(2, "s/a.json is not a folder");
    }
}
