//! `snapshot delete`, `undelete` and `list --deleted`.

use serde_json::json;

use crate::common::{House, id};

/// Four states, the first of them named.
fn house() -> (House, Vec<String>) {
    let house = House::new();
    let named = [
        "snapshot", "save", "s", "--name", "party", "--tag", "loud", "--json",
    ];
    let mut saved = vec![id(&house.feed(&named, b"{\"n\":1}").ok().json()).to_owned()];
    for n in 2..=4 {
        saved.push(id(&house.save("s", &format!("{{\"n\":{n}}}"))).to_owned());
    }
    (house, saved)
}

fn listed(house: &House) -> Vec<String> {
    let page = house.run(&["snapshot", "list", "--json"]).ok().json();
    let snapshots = page["snapshots"].as_array().unwrap().iter();
    snapshots.map(|snapshot| id(snapshot).to_owned()).collect()
}

#[test]
fn what_is_deleted_is_in_the_trash_and_comes_back() {
    let (house, saved) = house();
    let whole = house.contents();
    let ran = house.run(&["snapshot", "delete", "party", "s@-1"]).ok();
    ran.says("of s  'party'  tags: loud")
        .says("these are in the trash for 7 days; `snapshot undelete` takes them out");
    assert_eq!(listed(&house), [saved[3].clone(), saved[1].clone()]);
    assert_eq!(
        house.run(&["snapshot", "show", "s@-1"]).ok().text(),
        "{\"n\":2}"
    );
    let text = house.run(&["snapshot", "list", "--deleted"]).ok().text();
    let lines: Vec<_> = text.lines().collect();
    assert_eq!(lines.len(), 3, "{text}");
    assert!(
        lines[0].ends_with("DELETED              KEPT UNTIL"),
        "{text}"
    );
    assert!(lines[1].starts_with(&saved[2][..18]), "{text}");
    assert!(
        lines[2].contains("party") && lines[2].contains("loud"),
        "{text}"
    );
    let back = house
        .run(&["snapshot", "undelete", "party", &saved[2][..18]])
        .ok();
    back.says("2 snapshots back in the history");
    assert_eq!(house.contents(), whole);
    house.run(&["verify"]).ok();
    let empty = house.run(&["snapshot", "list", "--deleted"]).ok();
    assert!(empty.out.is_empty());
    assert_eq!(empty.err, "nothing is in the trash\n");
}

#[test]
fn a_session_that_is_all_in_the_trash() {
    let (house, saved) = house();
    let whole = house.contents();
    let ids: Vec<&str> = saved.iter().map(String::as_str).collect();
    house
        .run(&[&["snapshot", "delete"], &ids[..]].concat())
        .ok();
    for command in [
        &["snapshot", "show", "s@latest"][..],
        &["rollback", "s"],
        &["fork", "s@latest", "t"],
    ] {
        house
            .run(command)
            .refused(4, "the session has no state; `snapshot list --deleted`");
    }
    house
        .run(&["snapshot", "list", "s", "--deleted"])
        .ok()
        .says("party");
    house
        .run(&[&["snapshot", "undelete"], &ids[..]].concat())
        .ok();
    assert_eq!(house.contents(), whole);
    house.run(&["verify"]).ok();
}

#[test]
fn json_has_what_it_was_and_until_when() {
    let (house, saved) = house();
    let was = house
        .run(&["snapshot", "info", "party", "--json"])
        .ok()
        .json();
    let deleted = house.run(&["snapshot", "delete", "party", "--grace", "1d", "--json"]);
    let deleted = deleted.ok().json();
    assert_eq!(deleted, json!({"dry_run": false, "deleted": [was]}));
    let trash = house
        .run(&["snapshot", "list", "s", "--deleted", "--json"])
        .ok()
        .json();
    let trashed = &trash["trash"][0];
    assert_eq!(trashed["snapshot"], was);
    let time = |name: &str| {
        trashed[name]
            .as_str()
            .unwrap()
            .parse::<jiff::Timestamp>()
            .unwrap()
    };
    assert_eq!(
        time("keep_until")
            .duration_since(time("deleted_at"))
            .as_hours(),
        24
    );
    house.save("other", "1");
    let none = house
        .run(&["snapshot", "list", "other", "--deleted", "--json"])
        .ok()
        .json();
    assert_eq!(none, json!({"trash": [], "damage": []}));
    let back = house
        .run(&["snapshot", "undelete", &saved[0], "--json"])
        .ok()
        .json();
    assert_eq!(back, json!({"dry_run": false, "undeleted": [was]}));
}

#[test]
fn dry_runs_change_nothing() {
    let (house, saved) = house();
    house.run(&["snapshot", "delete", "party"]).ok();
    let before = house.bytes();
    for arguments in [&["delete", "s@latest"][..], &["undelete", "party"]] {
        let arguments = [&["snapshot"], arguments, &["--dry-run"]].concat();
        house
            .run(&arguments)
            .ok()
            .says("dry run: nothing was changed");
        let json = house
            .run(&[&arguments[..], &["--json"]].concat())
            .ok()
            .json();
        assert_eq!(json["dry_run"], true);
    }
    assert_eq!(house.bytes(), before);
    assert_eq!(listed(&house).len(), 3);
    assert_eq!(listed(&house)[0], saved[3]);
}

#[test]
fn what_is_in_the_trash_is_named_where_it_is_asked_for() {
    let (house, saved) = house();
    house.run(&["snapshot", "delete", "party"]).ok();
    let before = house.bytes();
    let part = format!(
        "snapshot {} is in the trash; take it out first with `snapshot undelete",
        saved[0]
    );
    for reference in ["party", "s@party", &saved[0], &saved[0][..18]] {
        for verb in [
            &["snapshot", "info"][..],
            &["snapshot", "show"],
            &["snapshot", "restore"],
            &["snapshot", "delete"],
            &["snapshot", "pin"],
            &["rollback", "s", "--to"],
        ] {
            house.run(&[verb, &[reference]].concat()).refused(4, &part);
        }
        house
            .run(&["snapshot", "tag", reference, "t"])
            .refused(4, &part);
        house.run(&["fork", reference, "new"]).refused(4, &part);
    }
    assert_eq!(house.bytes(), before);
}

#[test]
fn a_name_that_is_taken_meanwhile() {
    let (house, saved) = house();
    house.run(&["snapshot", "delete", "party"]).ok();
    house.run(&["snapshot", "rename", "s@latest", "party"]).ok();
    assert_eq!(
        house.run(&["snapshot", "show", "party"]).ok().text(),
        "{\"n\":4}"
    );
    let before = house.bytes();
    for dry in [&[][..], &["--dry-run"]] {
        let ran = house.run(&[&["snapshot", "undelete", &saved[0]], dry].concat());
        ran.refused(
            5,
            "session s has another snapshot named 'party' now; rename that one first",
        );
    }
    assert_eq!(house.bytes(), before);
    house.run(&["snapshot", "rename", "party", "--clear"]).ok();
    house.run(&["snapshot", "undelete", &saved[0]]).ok();
    assert_eq!(
        house.run(&["snapshot", "show", "party"]).ok().text(),
        "{\"n\":1}"
    );
}

#[test]
fn what_was_there_for_its_time_goes_with_the_next_cleanup() {
    let (house, saved) = house();
    // Times are kept in microseconds, so this is over at once.
    house
        .run(&["snapshot", "delete", "party", "--grace", "1ns"])
        .ok();
    house.run(&["snapshot", "delete", &saved[1]]).ok();
    let text = house.run(&["snapshot", "list", "--deleted"]).ok().text();
    assert_eq!(text.matches("the next cleanup").count(), 1, "{text}");
    let before = house.bytes();
    let cleanup = ["snapshot", "cleanup", "--keep-last", "9"];
    let ran = house.run(&[&cleanup[..], &["--dry-run"]].concat()).ok();
    ran.says("1 snapshot in the trash would be purged now");
    assert_eq!(house.bytes(), before);
    let done = house.run(&[&cleanup[..], &["--json"]].concat()).ok().json();
    assert_eq!(done["plan"]["expired"]["snapshots"], 1);
    assert_eq!(done["done"]["purged"]["snapshots"], 1);
    assert_eq!(done["done"]["deleted"], 0);
    house
        .run(&["snapshot", "undelete", "party"])
        .refused(4, "nothing in the trash answers to 'party'");
    house
        .run(&["snapshot", "info", "party"])
        .refused(4, "no snapshot answers to 'party'");
    house.run(&["snapshot", "undelete", &saved[1]]).ok();
    house.run(&["verify"]).ok();
    assert_eq!(listed(&house).len(), 3);
}

#[test]
fn input_that_cannot_be() {
    let (house, saved) = house();
    house
        .run(&["snapshot", "delete", &saved[1], &saved[2]])
        .ok();
    let before = house.bytes();
    let cases: [(&[&str], i32, &str); 13] = [
        (&["delete", "nowhere"], 4, "'nowhere'"),
        (&["delete", "party", "nowhere"], 4, "'nowhere'"),
        (&["delete", "s@-7"], 4, "s@-7"),
        (
            &["delete", "party", "--grace", "0s"],
            2,
            "'0s' for '--grace",
        ),
        (&["delete", "party", "--grace=-1d"], 2, "negative"),
        (
            &["delete", "party", "--grace", "soon"],
            2,
            "'soon' is not a duration",
        ),
        (
            &["delete", "party", "--grace", "7"],
            2,
            "'7' is not a duration",
        ),
        (
            &["delete", "party", "--grace", "400000d"],
            2,
            "longer than 365000 days",
        ),
        (
            &["undelete", "party"],
            4,
            "nothing in the trash answers to 'party'",
        ),
        (&["undelete", "0"], 4, "nothing in the trash answers to '0'"),
        (
            &["undelete", &saved[1][..4]],
            4,
            "may be any of 2 snapshots in the trash",
        ),
        (&["list", "nobody", "--deleted"], 4, "no session 'nobody'"),
        (
            &["list", "--deleted", "--reverse"],
            2,
            "cannot be used with",
        ),
    ];
    for (arguments, code, part) in cases {
        house
            .run(&[&["snapshot"], arguments].concat())
            .refused(code, part);
    }
    for option in [
        &["--since", "1h"][..],
        &["--until", "1h"],
        &["--kind", "auto"],
        &["--tag", "t"],
        &["--name", "n"],
        &["--sort", "size"],
        &["--limit", "2"],
        &["--cursor", "c"],
    ] {
        let ran = house.run(&[&["snapshot", "list", "--deleted"], option].concat());
        ran.refused(2, "cannot be used with");
    }
    for verb in ["delete", "undelete"] {
        house.run(&["snapshot", verb]).refused(2, "<REF>");
    }
    assert_eq!(house.bytes(), before);
}
