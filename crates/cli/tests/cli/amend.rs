//! `snapshot rename`, `tag`, `untag`, `pin`, `unpin`.

use serde_json::{Value, json};

use crate::common::{House, id};

fn house() -> (House, Vec<String>) {
    let house = House::new();
    let saved = ["1", "2", "3"].map(|text| id(&house.save("s", text)).to_owned());
    (house, saved.to_vec())
}

fn info(house: &House, reference: &str) -> Value {
    house
        .run(&["snapshot", "info", reference, "--json"])
        .ok()
        .json()
}

#[test]
fn a_name_is_given_changed_and_taken_away() {
    let (house, saved) = house();
    let ran = house.run(&["snapshot", "rename", "s@latest", "party"]).ok();
    ran.says(&saved[2][..18]).says("of s  'party'");
    assert_eq!(info(&house, "party")["id"], saved[2]);
    let again = house
        .run(&["snapshot", "rename", "party", "late party", "--json"])
        .ok()
        .json();
    assert_eq!(again["dry_run"], false);
    assert_eq!(again["snapshots"][0]["name"], "late party");
    house
        .run(&["snapshot", "info", "party"])
        .refused(4, "'party'");
    let ran = house
        .run(&["snapshot", "rename", "late party", "--clear"])
        .ok();
    ran.says("without a name");
    assert_eq!(info(&house, &saved[2])["name"], json!(null));
}

#[test]
fn tags_come_and_go() {
    let (house, saved) = house();
    let tag = |verb: &str, tags: &[&str]| {
        house
            .run(&[&["snapshot", verb, &saved[0]], tags].concat())
            .ok();
        info(&house, &saved[0])["tags"].clone()
    };
    assert_eq!(tag("tag", &["loud", "friday"]), json!(["loud", "friday"]));
    assert_eq!(
        tag("tag", &["late", "loud"]),
        json!(["loud", "friday", "late"])
    );
    assert_eq!(
        tag("untag", &["loud", "never there"]),
        json!(["friday", "late"])
    );
    let listed = house
        .run(&["snapshot", "list", "--tag", "late", "--json"])
        .ok()
        .json();
    assert_eq!(listed["snapshots"][0]["id"], saved[0]);
    assert_eq!(listed["snapshots"].as_array().unwrap().len(), 1);
}

#[test]
fn a_pin_is_shown_and_keeps() {
    let (house, saved) = house();
    let ran = house.run(&["snapshot", "pin", &saved[0], "s@-1"]).ok();
    assert_eq!(
        ran.text()
            .lines()
            .filter(|line| line.ends_with("pinned"))
            .count(),
        2
    );
    house
        .run(&["snapshot", "info", &saved[0]])
        .ok()
        .says("pinned    neither delete nor cleanup");
    let list = house.run(&["snapshot", "list"]).ok().text();
    assert_eq!(list.matches("manual, pinned").count(), 2, "{list}");
    assert_eq!(info(&house, &saved[0])["pinned"], true);
    // One that is pinned stops the whole: nothing is deleted.
    let before = house.bytes();
    for dry in [&[][..], &["--dry-run"]] {
        let delete = ["snapshot", "delete", &saved[2], &saved[0]];
        let ran = house.run(&[&delete[..], dry].concat());
        ran.refused(8, &format!("snapshot {} is pinned", saved[0]));
    }
    assert_eq!(house.bytes(), before);
    house
        .run(&["snapshot", "cleanup", "--keep-nothing"])
        .ok()
        .says("1 snapshot moved");
    // The command that the message names helps.
    let refused = house.run(&["snapshot", "delete", &saved[0]]);
    let unpin = refused.err.split('`').nth(1).unwrap();
    house.shell(&format!("dalsegno {unpin}")).ok();
    house.run(&["snapshot", "delete", &saved[0]]).ok();
}

#[test]
fn a_dry_run_says_what_would_be_and_changes_nothing() {
    let (house, saved) = house();
    house.run(&["snapshot", "tag", "s@latest", "t"]).ok();
    let before = house.bytes();
    for (arguments, part) in [
        (&["rename", "s@latest", "n"][..], "'n'"),
        (&["tag", "s@latest", "loud"], "tags: t, loud"),
        (&["untag", "s@latest", "t"], "without a name\n"),
        (&["pin", "s@latest"], "pinned"),
        (&["unpin", "s@latest"], "of s"),
    ] {
        let arguments = [&["snapshot"], arguments, &["--dry-run"]].concat();
        let ran = house.run(&arguments).ok();
        ran.says(part).says("dry run: nothing was changed");
        let json = house
            .run(&[&arguments[..], &["--json"]].concat())
            .ok()
            .json();
        assert_eq!(json["dry_run"], true);
        assert_eq!(json["snapshots"][0]["id"], saved[2]);
    }
    assert_eq!(house.bytes(), before);
}

#[test]
fn refused_and_nothing_changed() {
    let (house, saved) = house();
    house.run(&["snapshot", "rename", &saved[0], "taken"]).ok();
    let long = "y".repeat(70_000);
    let before = house.bytes();
    let cases: [(&[&str], i32, &str); 14] = [
        (
            &["rename", "s@latest", "taken"],
            5,
            "a snapshot named 'taken' already; choose another",
        ),
        (&["rename", "s@latest", "a@b"], 2, "without '@'"),
        (&["rename", "s@latest", ""], 2, "snapshot name"),
        (&["rename", "s@latest", ".."], 2, "snapshot name"),
        (&["rename", "s@latest", "latest"], 2, "snapshot name"),
        (&["rename", "nowhere", "n"], 4, "'nowhere'"),
        (&["tag", "s@latest", " "], 2, "the tag ' ' is empty"),
        (
            &["tag", "s@latest", "fine", "a\nb"],
            2,
            "control characters",
        ),
        (&["tag", "s@latest", &long], 2, "the limit is 65536"),
        (&["tag", "nowhere", "t"], 4, "'nowhere'"),
        (&["untag", "nowhere", "t"], 4, "'nowhere'"),
        (&["pin", "s@latest", "nowhere"], 4, "'nowhere'"),
        (&["unpin", "s@latest", "nowhere"], 4, "'nowhere'"),
        (&["pin", "01"], 4, "'01'"),
    ];
    for (arguments, code, part) in cases {
        for dry in [&[][..], &["--dry-run"]] {
            house
                .run(&[&["snapshot"], arguments, dry].concat())
                .refused(code, part);
        }
    }
    for arguments in [
        &["rename", "s@latest"][..],
        &["rename", "s@latest", "n", "--clear"],
        &["tag", "s@latest"],
        &["pin"],
    ] {
        house
            .run(&[&["snapshot"], arguments].concat())
            .refused(2, "--help");
    }
    assert_eq!(house.bytes(), before);
}
