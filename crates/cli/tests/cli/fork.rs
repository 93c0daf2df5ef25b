//! `fork`: a session that begins with another's state.

use serde_json::json;

use crate::common::{House, id};

fn house() -> (House, String) {
    let house = House::new();
    let first = id(&house.save("game/1", "{\"turn\":1}")).to_owned();
    house.save("game/1", "{\"turn\":2}");
    (house, first)
}

#[test]
fn the_two_have_nothing_in_common() {
    let (house, first) = house();
    let ran = house.run(&["fork", "game/1@turn:1", "game/what-if"]).ok();
    ran.says("game/what-if begins as");
    let shown = |reference: &str| house.run(&["snapshot", "show", reference]).ok().text();
    assert_eq!(shown("game/what-if@latest"), "{\"turn\":1}");
    let info = house.run(&["snapshot", "info", "game/what-if@latest"]).ok();
    info.says(&format!("fork of {first}")).says("turn      1");
    let log = house.run(&["log", "game/what-if"]).ok();
    log.says(&format!("fork of {}", &first[..18]));
    // What the one began with may go for good.
    let purge = [
        "snapshot",
        "cleanup",
        "--session",
        "game/1",
        "--keep-nothing",
        "--purge",
    ];
    house.run(&purge).ok();
    assert_eq!(shown("game/what-if@latest"), "{\"turn\":1}");
    house.run(&["verify"]).ok();
}

#[test]
fn json_is_the_new_snapshot() {
    let (house, first) = house();
    let dry = house
        .run(&["fork", &first, "new", "--dry-run", "--json"])
        .ok()
        .json();
    assert_eq!(
        (&dry["dry_run"], &dry["session"]),
        (&json!(true), &json!("new"))
    );
    assert_eq!(dry["from"]["id"], first);
    let made = house.run(&["fork", &first, "new", "--json"]).ok().json();
    assert_eq!(made["session"], "new");
    assert_eq!(made["operation"], json!({"verb": "fork", "from": first}));
    assert_eq!(made["parent"], json!(null));
}

#[test]
fn refused_and_nothing_changed() {
    let (house, first) = house();
    let long = "x".repeat(300);
    let before = house.bytes();
    for (reference, session, code, part) in [
        (
            first.as_str(),
            "game/1",
            5,
            "dalsegno: there is a session 'game/1' already; choose another name",
        ),
        ("game/1@turn:9", "new", 4, "no snapshot is of turn 9"),
        ("nowhere", "new", 4, "'nowhere'"),
        (&first, "../up", 2, "session name"),
        (&first, "", 2, "session name"),
        (&first, &long, 2, "session name"),
    ] {
        for dry in [&[][..], &["--dry-run"]] {
            house
                .run(&[&["fork", reference, session], dry].concat())
                .refused(code, part);
        }
    }
    house.run(&["fork", &first]).refused(2, "<NEW_SESSION>");
    house
        .run(&["fork", &first, "new", "--dry-run"])
        .ok()
        .says("new would begin with")
        .says("dry run: nothing was changed");
    assert_eq!(house.bytes(), before);
}
