//! `rollback`: to which state it goes, and what it refuses.

use serde_json::{Value, json};

use crate::common::{House, id};

/// A game of three turns, and their snapshots.
fn game() -> (House, Vec<Value>) {
    let house = House::new();
    let saved = (1..=3).map(|turn| house.save("game/1", &state(turn)));
    let saved = saved.collect();
    (house, saved)
}

fn state(turn: u8) -> String {
    format!("{{\"turn\":{turn}}}")
}

fn newest(house: &House) -> String {
    let shown = house.run(&["snapshot", "show", "game/1@latest"]);
    shown.ok().text()
}

#[test]
fn two_rollbacks_of_one_step_are_two_steps() {
    let (house, saved) = game();
    let ran = house.run(&["rollback", "game/1"]).ok();
    ran.says(&format!("plan: {} of game/1", &id(&saved[1])[..18]))
        .says("the newest stored state of game/1 is now")
        .says("no running program was told");
    assert_eq!(newest(&house), state(2));
    house.run(&["rollback", "game/1", "--last"]).ok();
    assert_eq!(newest(&house), state(1));
    let before = house.bytes();
    house.run(&["rollback", "game/1"]).refused(
        4,
        "there is nothing to go back to: game/1 has no state before",
    );
    assert_eq!(house.bytes(), before);
    // A state that is saved now stands on the first: one step leads there.
    house.save("game/1", &state(9));
    house.run(&["rollback", "game/1"]).ok();
    assert_eq!(newest(&house), state(1));
}

#[test]
fn every_way_to_say_where_to() {
    for (to, expected) in [
        (&["--last"][..], 2),
        (&["--steps", "1"], 2),
        (&["--steps", "2"], 1),
        (&["--to", "game/1@-2"], 1),
        (&["--turn", "2"], 2),
        (&["--at", "SECOND"], 2),
    ] {
        let (house, saved) = game();
        let second = saved[1]["created_at"].as_str().unwrap();
        let to = to.iter().map(|word| word.replace("SECOND", second));
        let words: Vec<String> = to.collect();
        let words: Vec<&str> = words.iter().map(String::as_str).collect();
        let report = house
            .run(&[&["rollback", "game/1", "--json"], &words[..]].concat())
            .ok()
            .json();
        assert_eq!(newest(&house), state(expected), "{words:?}");
        let from = id(&saved[usize::from(expected) - 1]);
        let operation = json!({"verb": "rollback", "from": from});
        assert_eq!(report["head"]["operation"], operation);
        assert_eq!(report["dry_run"], false);
        assert_eq!(report["plan"]["verb"], "rollback");
        assert_eq!(report["plan"]["target"], json!({"kind": "head"}));
        house
            .run(&["snapshot", "info", "game/1@latest"])
            .ok()
            .says(&format!("rollback to {from}"));
    }
}

#[test]
fn with_a_file_the_newest_snapshot_is_the_first_step() {
    let (house, saved) = game();
    let live = "{\"turn\":4,\"dead\":true}";
    house.write("game.json", live);
    let back: &[&str] = &["rollback", "game/1", "--to-file", "game.json"];
    house.run(back).ok().says("game.json was written");
    assert_eq!(house.read("game.json"), state(3).as_bytes());
    assert_eq!(newest(&house), state(3), "the stored head stays");
    // The file is the newest snapshot now: that is said, and how to go further.
    let before = house.bytes();
    house
        .run(back)
        .ok()
        .says("nothing had to be done")
        .says("--steps 2");
    assert_eq!(house.bytes(), before);
    house.run(&[back, &["--steps", "2"]].concat()).ok();
    assert_eq!(house.read("game.json"), state(2).as_bytes());
    house.run(&[back, &["--to", id(&saved[0])]].concat()).ok();
    assert_eq!(house.read("game.json"), state(1).as_bytes());
    for expected in [state(2), state(3), live.to_owned()] {
        house.run(&["undo", "game/1"]).ok();
        assert_eq!(house.read("game.json"), expected.as_bytes());
    }
    house
        .run(&[back, &["--steps", "4"]].concat())
        .refused(4, "only 2 states before");
    assert_eq!(house.read("game.json"), live.as_bytes());
}

#[test]
fn a_dry_run_shows_the_plan_and_changes_nothing() {
    let (house, saved) = game();
    house.write("game.json", "{\"turn\":7}");
    let before = house.bytes();
    for file in [&[][..], &["--to-file", "game.json"]] {
        let arguments = [&["rollback", "game/1", "--steps", "2", "--dry-run"], file].concat();
        let ran = house.run(&arguments).ok();
        ran.says("turn  changed  1 B → 1 B")
            .says("dry run: nothing was changed");
        let plan = house
            .run(&[&arguments[..], &["--json"]].concat())
            .ok()
            .json();
        assert_eq!(plan["dry_run"], true);
        let to = if file.is_empty() { 0 } else { 1 };
        assert_eq!(plan["plan"]["snapshot"]["id"], saved[to]["id"]);
    }
    assert_eq!(house.bytes(), before);
    assert_eq!(house.read("game.json"), b"{\"turn\":7}");
}

#[test]
fn what_cannot_be_gone_back_to() {
    let (house, _) = game();
    let other = house.save("game/2", "{}");
    let before = house.bytes();
    let cases: [(&[&str], i32, &str); 15] = [
        (
            &["game/2"],
            4,
            "there is nothing to go back to: game/2 has no state",
        ),
        (&["game/1", "--steps", "3"], 4, "only 2 states before"),
        (&["nobody"], 4, "no session 'nobody'"),
        (&["game/1", "--turn", "77"], 4, "no snapshot is of turn 77"),
        (
            &["game/1", "--at", "2020-01-01"],
            4,
            "no snapshot is as old as",
        ),
        (&["game/1", "--to", "nowhere"], 4, "'nowhere'"),
        (
            &["game/1", "--to", id(&other)],
            2,
            "is of session game/2, not of game/1",
        ),
        (
            &["game/1", "--at", "-yesterday"],
            2,
            "'-yesterday' is not a time",
        ),
        (
            &["game/1", "--at", "yesterdayish"],
            2,
            "'yesterdayish' is not a time",
        ),
        (&["game/1", "--steps", "0"], 2, "'0' for '--steps"),
        (&["game/1", "--steps", "-1"], 2, "'-1' for '--steps"),
        (&["game/1", "--turn", "two"], 2, "'two' for '--turn"),
        (
            &["game/1", "--last", "--turn", "1"],
            2,
            "cannot be used with",
        ),
        (&["game/1", "--to-file", "-"], 2, "snapshot show"),
        (
            &["game/1", "--to-file", ".dalsegno/store.db"],
            2,
            "belongs to the store",
        ),
    ];
    for (arguments, code, part) in cases {
        let arguments = [&["rollback"], arguments].concat();
        house.run(&arguments).refused(code, part);
        let ran = house.run(&[&arguments[..], &["--json"]].concat());
        assert_eq!(ran.code, Some(code), "{ran}");
        assert!(ran.error().1.contains(part), "{ran}");
    }
    assert_eq!(house.bytes(), before);
}

#[test]
fn where_no_program_has_it_open_none_goes_on_with_another_state() {
    let (house, _) = game();
    let engine = dalsegno::Engine::open(house.store()).unwrap();
    engine.open_session("game/1").unwrap();
    engine.close_session("game/1").unwrap();
    engine.close().unwrap();
    let ran = house.run(&["rollback", "game/1"]).ok();
    ran.says("no program has it open: the next one that opens it goes on with this");
    assert!(!ran.text().contains("no running program was told"), "{ran}");
}
