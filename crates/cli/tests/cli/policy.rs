//! `policy …`: the rules that `snapshot cleanup` goes by when it is given none.

use jiff::SignedDuration;
use serde_json::json;

use crate::common::House;

/// Three sessions with six states each, an hour apart.
fn house() -> House {
    let house = House::new();
    for n in 0..6 {
        for session in ["bot/42", "bot/7", "bot/7/queue", "game/1"] {
            let ago = SignedDuration::from_hours(6 - n);
            house.save_ago(session, ago, &format!("[{n}]"));
        }
    }
    house
}

fn set(house: &House, pattern: &str, keep: &str) {
    house
        .run(&["policy", "set", pattern, "--keep-last", keep])
        .ok();
}

#[test]
fn the_most_specific_one_wins() {
    let house = house();
    set(&house, "**", "5");
    set(&house, "bot/*", "3");
    set(&house, "bot/42", "1");
    let plan = house
        .run(&["snapshot", "cleanup", "--dry-run", "--json"])
        .ok()
        .json();
    let mut sessions: Vec<_> = plan["plan"]["sessions"]
        .as_array()
        .unwrap()
        .iter()
        .map(|session| {
            let kept = session["snapshots"]
                .as_array()
                .unwrap()
                .iter()
                .filter(|s| s["keep"] == true);
            let text = |name: &str| session[name].as_str().unwrap().to_owned();
            (text("session"), text("policy"), kept.count())
        })
        .collect();
    sessions.sort();
    let expected = [
        ("bot/42", "bot/42", 1),
        ("bot/7", "bot/*", 3),
        ("bot/7/queue", "**", 5),
        ("game/1", "**", 5),
    ];
    assert_eq!(
        sessions,
        expected.map(|(s, p, n)| (s.to_owned(), p.to_owned(), n))
    );
    let ran = house.run(&["snapshot", "cleanup", "--dry-run"]).ok();
    ran.says("bot/7 (policy bot/*)")
        .says("10 snapshots would be deleted");
    house
        .run(&["snapshot", "cleanup", "--session", "bot/7"])
        .ok()
        .says("3 snapshots moved");
    // Rules that are given take the place of all policies.
    let one = [
        "snapshot",
        "cleanup",
        "--session",
        "game/1",
        "--keep-last",
        "2",
        "--dry-run",
    ];
    house.run(&one).ok().says("4 snapshots would be deleted");
}

#[test]
fn what_a_policy_says_of_the_trash_holds() {
    let house = house();
    house
        .run(&[
            "policy",
            "set",
            "game/*",
            "--keep-last",
            "1",
            "--grace",
            "36h",
        ])
        .ok();
    house
        .run(&["snapshot", "cleanup"])
        .ok()
        .says("5 snapshots moved to the trash");
    let trash = house
        .run(&["snapshot", "list", "--deleted", "--json"])
        .ok()
        .json();
    let time = |name: &str| {
        trash["trash"][0][name]
            .as_str()
            .unwrap()
            .parse::<jiff::Timestamp>()
            .unwrap()
    };
    assert_eq!(
        time("keep_until")
            .duration_since(time("deleted_at"))
            .as_hours(),
        36
    );
    let untouched = house
        .run(&["snapshot", "list", "bot/42", "--json"])
        .ok()
        .json();
    assert_eq!(untouched["snapshots"].as_array().unwrap().len(), 6);
}

#[test]
fn set_list_replace_remove() {
    let house = House::new();
    let empty = house.run(&["policy", "list"]).ok();
    assert!(empty.out.is_empty());
    assert!(empty.err.starts_with("no policies"), "{empty}");
    assert_eq!(
        house.run(&["policy", "list", "--json"]).ok().json(),
        json!({"policies": []})
    );
    let ran = house
        .run(&[
            "policy",
            "set",
            "bot/*",
            "--kind",
            "auto",
            "--keep-hourly",
            "48",
            "--grace",
            "1d",
        ])
        .ok();
    ran.says("bot/*  keep hourly 48, kind auto  1 day")
        .says("`snapshot cleanup` goes by it");
    set(&house, "**", "9");
    let list = house.run(&["policy", "list"]).ok();
    list.says("SESSIONS")
        .says("RULES")
        .says("TRASH")
        .says("keep last 9");
    let rules = json!({"pattern": "bot/*", "rules": {"keep_hourly": 48, "kinds": ["auto"]}, "grace": "1 day"});
    assert_eq!(
        house.run(&["policy", "list", "--json"]).ok().json()["policies"][0],
        rules
    );
    // The same pattern again takes its place.
    let replaced = house
        .run(&["policy", "set", "bot/*", "--older-than", "30d", "--json"])
        .ok()
        .json();
    assert_eq!(
        replaced,
        json!({"dry_run": false, "policy": {"pattern": "bot/*", "rules": {"older_than": "30 days"}}})
    );
    let list = house.run(&["policy", "list", "--json"]).ok().json();
    assert_eq!(list["policies"].as_array().unwrap().len(), 2);
    assert_eq!(list["policies"][0], replaced["policy"]);
    let removed = house
        .run(&["policy", "remove", "bot/*", "--json"])
        .ok()
        .json();
    assert_eq!(removed["policy"], replaced["policy"]);
    house
        .run(&["policy", "remove", "**"])
        .ok()
        .says("removed the policy for **");
    assert_eq!(
        house.run(&["policy", "list", "--json"]).ok().json(),
        json!({"policies": []})
    );
}

#[test]
fn refused_and_nothing_changed() {
    let house = house();
    set(&house, "bot/42", "1");
    let before = house.bytes();
    let cases: [(&[&str], i32, &str); 13] = [
        (&["set", "bot/*"], 2, "a policy needs a rule"),
        (
            &["set", "bot/*", "--grace", "1d"],
            2,
            "a policy needs a rule",
        ),
        (
            &["set", "bot/*", "--kind", "auto"],
            2,
            "say nothing about what to keep",
        ),
        (&["set", "bot/*", "--keep-last", "0"], 2, "--keep-last is 0"),
        (
            &["set", "bot/*", "--keep-nothing", "--keep-last", "1"],
            2,
            "contradict each other",
        ),
        (
            &["set", "bot/*", "--older-than", "soon"],
            2,
            "'soon' is not a duration",
        ),
        (
            &["set", "bot/*", "--keep-last", "1", "--grace", "0s"],
            2,
            "--grace",
        ),
        (
            &["set", "", "--keep-last", "1"],
            2,
            "the pattern of a policy",
        ),
        (
            &["set", "../*", "--keep-last", "1"],
            2,
            "the pattern of a policy",
        ),
        (
            &["set", "bot/[", "--keep-last", "1"],
            2,
            "the policy for 'bot/[': the pattern is wrong",
        ),
        (
            &["set", "bot**", "--keep-last", "1"],
            2,
            "the policy for 'bot**': the pattern is wrong",
        ),
        (&["remove", "game/*"], 4, "there is no policy for 'game/*'"),
        (
            &["remove", "game/*", "--dry-run"],
            4,
            "there is no policy for 'game/*'",
        ),
    ];
    for (arguments, code, part) in cases {
        let ran = house
            .run(&[&["policy"], arguments].concat())
            .refused(code, part);
        // The library that reads patterns is quoted once.
        assert!(ran.err.matches("recursive wildcards").count() < 2, "{ran}");
    }
    // Who names a session that no policy is for gets no silent nothing.
    let cleanup = |session: &str| house.run(&["snapshot", "cleanup", "--session", session]);
    cleanup("game/1").refused(2, "no policy is for session game/1");
    cleanup("nobody").refused(4, "no session 'nobody'");
    house
        .run(&["policy", "set", "**", "--keep-last", "2", "--dry-run"])
        .ok()
        .says("**  keep last 2")
        .says("dry run: nothing was changed");
    house
        .run(&["policy", "remove", "bot/42", "--dry-run"])
        .ok()
        .says("dry run");
    assert_eq!(house.bytes(), before);
}
