//! `snapshot cleanup`: a reason for each snapshot, then the trash or the end.

use std::fs;

use jiff::SignedDuration;
use serde_json::{Value, json};

use crate::common::{House, id};

const DAY: SignedDuration = SignedDuration::from_hours(24);

/// A state for each of the last ten days, the one of nine days ago pinned.
fn house() -> (House, Vec<String>) {
    let house = House::new();
    let saved: Vec<String> = (0..10)
        .map(|n| house.save_ago("s", DAY * (9 - n), &format!("{{\"n\":{n}}}")))
        .collect();
    house.run(&["snapshot", "pin", &saved[0]]).ok();
    (house, saved)
}

/// The lines of a plan, without ids and times.
fn told(ran: &str) -> Vec<String> {
    let lines = ran.lines().filter(|line| line.starts_with("  "));
    lines
        .map(|line| {
            let words: Vec<_> = line.split_whitespace().collect();
            format!("{} {}", words[0], words[4..].join(" "))
        })
        .collect()
}

#[test]
fn a_dry_run_gives_the_reason_for_each_and_changes_nothing() {
    let (house, _) = house();
    let before = house.bytes();
    let cleanup = [
        "snapshot",
        "cleanup",
        "--older-than",
        "7d",
        "--keep-last",
        "2",
        "--dry-run",
    ];
    let ran = house.run(&cleanup).ok();
    let mut expected = vec!["keep the newest state", "keep among the last 2"];
    expected.extend(["keep younger than 7 days"; 5]);
    expected.extend(["delete older than 7 days and kept by no rule"; 2]);
    expected.push("keep pinned");
    assert_eq!(told(&ran.text()), expected);
    ran.says("2 snapshots would be deleted, 8 snapshots would stay")
        .says("would be free once they are purged")
        .says("dry run: nothing was changed");
    let json = house.run(&[&cleanup[..], &["--json"]].concat()).ok().json();
    assert_eq!(json["dry_run"], true);
    let plan = &json["plan"];
    assert_eq!((&plan["deleted"], &plan["kept"]), (&json!(2), &json!(8)));
    assert!(plan["frees"].as_u64().unwrap() > 0);
    let first = &plan["sessions"][0]["snapshots"][0];
    assert_eq!(
        (&first["keep"], &first["reason"]),
        (&json!(true), &json!({"rule": "pinned"}))
    );
    assert_eq!(house.bytes(), before);
}

#[test]
fn what_goes_is_in_the_trash_and_what_stays_is_whole() {
    let (house, saved) = house();
    let ran = house
        .run(&["snapshot", "cleanup", "--older-than", "7d", "--verbose"])
        .ok();
    ran.says("2 snapshots moved to the trash, 0 snapshots purged");
    assert_eq!(told(&ran.text()).len(), 10);
    let trash = house
        .run(&["snapshot", "list", "--deleted", "--json"])
        .ok()
        .json();
    let ids: Vec<&str> = trash["trash"]
        .as_array()
        .unwrap()
        .iter()
        .map(|t| id(&t["snapshot"]))
        .collect();
    assert_eq!(ids, [saved[2].as_str(), &saved[1]]);
    house.run(&["verify"]).ok();
    // Deciding again on what stayed deletes nothing.
    let again = house
        .run(&["snapshot", "cleanup", "--older-than", "7d", "--json"])
        .ok()
        .json();
    assert_eq!(again["done"]["deleted"], 0);
    house.run(&["snapshot", "undelete", &saved[1]]).ok();
    assert_eq!(
        house.run(&["snapshot", "show", &saved[1]]).ok().text(),
        "{\"n\":1}"
    );
}

#[test]
fn each_rule_and_filter() {
    let (house, _) = house();
    house
        .feed(
            &["snapshot", "save", "s", "--kind", "auto", "--tag", "t"],
            b"{\"n\":10}",
        )
        .ok();
    house.save("s", "{\"n\":11}");
    house.save("other", "1");
    let deleted = |rules: &[&str]| {
        let cleanup = [
            &[
                "snapshot",
                "cleanup",
                "--session",
                "s",
                "--dry-run",
                "--json",
            ],
            rules,
        ]
        .concat();
        house.run(&cleanup).ok().json()["plan"]["deleted"].clone()
    };
    assert_eq!(deleted(&["--keep-last", "5"]), 6);
    assert_eq!(deleted(&["--older-than", "4 days"]), 5);
    assert_eq!(deleted(&["--keep-daily", "3"]), 8);
    assert_eq!(deleted(&["--keep-hourly", "9999"]), 2);
    assert_eq!(
        deleted(&[
            "--keep-monthly",
            "12",
            "--keep-weekly",
            "60",
            "--keep-last",
            "99"
        ]),
        0
    );
    assert_eq!(deleted(&["--older-than", "1ns", "--kind", "auto"]), 1);
    assert_eq!(
        deleted(&["--older-than", "1ns", "--kind", "auto", "--kind", "manual"]),
        10
    );
    assert_eq!(deleted(&["--older-than", "1ns", "--tag", "t"]), 1);
    assert_eq!(
        deleted(&["--older-than", "1ns", "--tag", "t", "--tag", "u"]),
        0
    );
    assert_eq!(deleted(&["--keep-nothing"]), 11, "all but the pinned one");
    let all = house
        .run(&[
            "snapshot",
            "cleanup",
            "--keep-nothing",
            "--dry-run",
            "--json",
        ])
        .ok()
        .json();
    assert_eq!(all["plan"]["deleted"], 12, "of both sessions");
}

#[test]
fn a_purge_gives_the_space_back() {
    let house = House::new();
    let mut seed = 1_u64;
    for _ in 0..12 {
        // Text that nothing makes smaller.
        let mut text = String::from("\"");
        for _ in 0..4_000 {
            seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            text.push_str(&format!("{:016x}", seed ^ (seed >> 29)));
        }
        text.push('"');
        house.save("s", &text);
    }
    let newest = house.run(&["snapshot", "show", "s@latest"]).ok().out;
    let size = || fs::metadata(house.store()).unwrap().len();
    let before = size();
    let planned = house.run(&[
        "snapshot",
        "cleanup",
        "--keep-last",
        "1",
        "--purge",
        "--dry-run",
        "--json",
    ]);
    let frees = planned.ok().json()["plan"]["frees"].as_u64().unwrap();
    assert_eq!(size(), before);
    let ran = house
        .run(&["snapshot", "cleanup", "--keep-last", "1", "--purge"])
        .ok();
    ran.says("11 snapshots deleted, 11 snapshots purged")
        .says("the store is ");
    assert!(size() < before / 4, "{before} to {}", size());
    assert!(before - size() > frees / 2, "{frees} were promised");
    assert!(
        house
            .run(&["snapshot", "list", "--deleted"])
            .ok()
            .out
            .is_empty()
    );
    assert_eq!(
        house.run(&["snapshot", "show", "s@latest"]).ok().out,
        newest
    );
    house.run(&["verify"]).ok();
}

#[test]
fn nothing_is_kept_only_where_that_is_said() {
    let (house, saved) = house();
    let before = house.bytes();
    house
        .run(&["snapshot", "cleanup", "--keep-last", "0"])
        .refused(2, "--keep-last is 0 and nothing else is kept")
        .failed(2, "--keep-nothing");
    assert_eq!(house.bytes(), before);
    house
        .run(&["snapshot", "cleanup", "--keep-nothing", "--purge"])
        .ok()
        .says("9 snapshots deleted");
    let left = house.run(&["snapshot", "list", "--json"]).ok().json();
    let left: Vec<&Value> = left["snapshots"].as_array().unwrap().iter().collect();
    assert_eq!(left.len(), 1);
    assert_eq!(id(left[0]), saved[0], "the pinned one");
}

#[test]
fn refused_and_nothing_changed() {
    let (house, _) = house();
    let before = house.bytes();
    let cases: [(&[&str], i32, &str); 14] = [
        (
            &[],
            2,
            "no rules were given, the store has no policy, and nothing in the trash",
        ),
        (&["--dry-run"], 2, "no rules were given"),
        (&["--session", "s", "--purge"], 2, "no rules were given"),
        (
            &["--session", "nobody", "--keep-last", "1"],
            4,
            "no session 'nobody'",
        ),
        (
            &["--kind", "auto"],
            2,
            "say nothing about what to keep; give --older-than",
        ),
        (
            &["--keep-nothing", "--keep-daily", "3"],
            2,
            "--keep-nothing and --keep-daily contradict each other",
        ),
        (
            &["--kind", "safety", "--keep-last", "3"],
            2,
            "use --older-than for these",
        ),
        (
            &["--tag", "", "--keep-last", "3"],
            2,
            "--tag: one of them is empty",
        ),
        (&["--keep-last", "-1"], 2, "'-1' for '--keep-last"),
        (&["--keep-last", "ten"], 2, "'ten' for '--keep-last"),
        (
            &["--kind", "odd", "--keep-last", "1"],
            2,
            "manual, auto, guard, safety, import",
        ),
        (&["--older-than", "0d"], 2, "'0d' for '--older-than"),
        (
            &["--older-than", "next week"],
            2,
            "'next week' is not a duration",
        ),
        (
            &["--older-than", "7d", "--purge", "--grace", "1d"],
            2,
            "cannot be used with",
        ),
    ];
    for (rules, code, part) in cases {
        let arguments = [&["snapshot", "cleanup"], rules].concat();
        house.run(&arguments).refused(code, part);
        let ran = house.run(&[&arguments[..], &["--json"]].concat());
        assert_eq!(ran.code, Some(code), "{ran}");
        assert!(ran.error().1.contains(part), "{ran}");
    }
    assert_eq!(house.bytes(), before);
}
