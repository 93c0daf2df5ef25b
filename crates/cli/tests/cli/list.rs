use serde_json::Value;

use crate::common::{House, id};

/// Three sessions, seven snapshots.
fn full() -> (House, Vec<Value>) {
    let house = House::new();
    let mut saved = Vec::new();
    for (session, text, more) in [
        (
            "bot/1",
            "[1]",
            &["--name", "beta", "--tag", "loud", "--tag", "late"][..],
        ),
        ("bot/1", "[1]", &["--kind", "auto"]),
        ("bot/1", "[1,2,3]", &["--name", "alpha", "--tag", "loud"]),
        ("bot/2", "{\"x\":1}", &["--label", "a label"]),
        ("game/1", "{\"turn\":1}", &["--kind", "auto"]),
        ("game/1", "{\"turn\":2}", &["--kind", "auto"]),
        ("game/1", "{\"turn\":3}", &["--name", "gamma"]),
    ] {
        let arguments = [&["snapshot", "save", session, "--json"], more].concat();
        saved.push(house.feed(&arguments, text.as_bytes()).ok().json());
    }
    (house, saved)
}

/// The places, in the order they were saved, of what a listing has.
fn places(house: &House, saved: &[Value], arguments: &[&str]) -> Vec<usize> {
    let page = house
        .run(&[&["snapshot", "list", "--json"], arguments].concat())
        .ok()
        .json();
    let place = |snapshot: &Value| saved.iter().position(|s| s == snapshot).unwrap();
    page["snapshots"]
        .as_array()
        .unwrap()
        .iter()
        .map(place)
        .collect()
}

#[test]
fn the_table_has_a_line_for_each() {
    let (house, saved) = full();
    let text = house.run(&["snapshot", "list"]).ok().text();
    let lines: Vec<_> = text.lines().collect();
    assert_eq!(lines.len(), 8);
    for head in [
        "ID", "SESSION", "TAKEN", "KIND", "SIZE", "STORED", "NAME", "TAGS",
    ] {
        assert!(lines[0].contains(head));
    }
    assert!(lines[1].starts_with(&id(&saved[6])[..18]));
    assert!(lines[4].contains("bot/2") && lines[4].contains("(a label)"));
    assert!(lines[6].contains("unchanged") && lines[6].contains("auto"));
    assert!(lines[7].contains("beta") && lines[7].ends_with("loud, late"));
    assert!(
        !text.contains('\u{1b}'),
        "no colours where nobody sees them"
    );
    let empty = house.run(&["snapshot", "list", "--tag", "no such"]).ok();
    assert!(empty.out.is_empty());
    assert_eq!(empty.err, "no snapshots\n");
}

#[test]
fn filters() {
    let (house, saved) = full();
    let listed = |arguments: &[&str]| places(&house, &saved, arguments);
    assert_eq!(listed(&[]), [6, 5, 4, 3, 2, 1, 0]);
    assert_eq!(listed(&["bot/1"]), [2, 1, 0]);
    assert_eq!(listed(&["--kind", "auto"]), [5, 4, 1]);
    assert_eq!(listed(&["--kind", "auto", "--kind", "manual"]).len(), 7);
    assert_eq!(listed(&["--tag", "loud"]), [2, 0]);
    assert_eq!(listed(&["--tag", "loud", "--tag", "late"]), [0]);
    assert_eq!(listed(&["--name", "alpha"]), [2]);
    assert_eq!(listed(&["--limit", "2"]), [6, 5]);
    house
        .run(&["snapshot", "list", "nobody"])
        .refused(4, "no session 'nobody'");
    house
        .run(&["snapshot", "list", "--kind", "odd"])
        .refused(2, "manual, auto, guard, safety, import");
}

#[test]
fn orders() {
    let (house, saved) = full();
    let listed = |arguments: &[&str]| places(&house, &saved, arguments);
    assert_eq!(listed(&["--reverse"]), [0, 1, 2, 3, 4, 5, 6]);
    assert_eq!(listed(&["--sort", "created"]), [6, 5, 4, 3, 2, 1, 0]);
    assert_eq!(listed(&["--sort", "size"]), [6, 5, 4, 3, 2, 1, 0]);
    assert_eq!(
        listed(&["--sort", "size", "--reverse", "--limit", "2"]),
        [0, 1]
    );
    assert_eq!(listed(&["--sort", "name", "--limit", "3"]), [2, 0, 6]);
    house
        .run(&["snapshot", "list", "--sort", "luck"])
        .refused(2, "possible values: commit");
}

#[test]
fn times() {
    let (house, saved) = full();
    let listed = |arguments: &[&str]| places(&house, &saved, arguments);
    let third = saved[2]["created_at"].as_str().unwrap();
    assert_eq!(listed(&["--since", third]), [6, 5, 4, 3, 2]);
    assert_eq!(listed(&["--until", third]), [2, 1, 0]);
    assert_eq!(listed(&["--since", third, "--until", third]), [2]);
    assert_eq!(listed(&["--since", "1h"]).len(), 7);
    assert_eq!(listed(&["--since", "2 weeks ago"]).len(), 7);
    assert_eq!(listed(&["--until", "7d"]), [0; 0]);
    for odd in ["yesterdayish", "7", "2026-13-40", ""] {
        house
            .run(&["snapshot", "list", "--since", odd])
            .refused(2, "--since");
    }
    house
        .run(&["snapshot", "list", "--since", "1h", "--until", "2h"])
        .refused(2, "later than --until");
}

#[test]
fn the_printed_command_continues() {
    let (house, saved) = full();
    let ids = |text: &str| -> Vec<String> {
        let lines = text.lines().filter(|line| line.starts_with("0"));
        lines.map(|line| line.chars().take(18).collect()).collect()
    };
    for more in [
        &[][..],
        &["--sort", "size"],
        &["--sort", "name", "--reverse"],
        &["--since", "1h", "bot/1"],
    ] {
        let whole = house
            .run(&[&["snapshot", "list"], more].concat())
            .ok()
            .text();
        let mut ran = house
            .run(&[&["snapshot", "list", "--limit", "2"], more].concat())
            .ok();
        let mut listed = ids(&ran.text());
        while let Some(command) = ran.err.strip_prefix("there are more: ") {
            ran = house.shell(command).ok();
            listed.extend(ids(&ran.text()));
        }
        assert_eq!(listed, ids(&whole), "{more:?}");
    }
    let page = house
        .run(&["snapshot", "list", "--limit", "6", "--json"])
        .ok()
        .json();
    let next = page["next"].as_str().unwrap();
    assert_eq!(places(&house, &saved, &["--cursor", next]), [0]);
    house
        .run(&["snapshot", "list", "--cursor", next, "--reverse"])
        .refused(2, "no cursor of this listing");
    house
        .run(&["snapshot", "list", "--cursor", "?"])
        .refused(2, "no cursor");
}

#[test]
fn limits_that_make_no_sense() {
    let house = House::new();
    for limit in ["0", "-1", "10001", "99999999999999999999", "ten"] {
        let limit = format!("--limit={limit}");
        house
            .run(&["snapshot", "list", &limit])
            .refused(2, "--limit");
    }
}

#[test]
fn damaged_rows_do_not_hide_the_others() {
    let (house, saved) = full();
    let store = rusqlite::Connection::open(house.store()).unwrap();
    let newest = "UPDATE snapshot SET size = size + 1 WHERE seq = (SELECT max(seq) FROM snapshot)";
    assert_eq!(store.execute(newest, ()).unwrap(), 1);
    drop(store);
    let ran = house.run(&["snapshot", "list"]).failed(6, id(&saved[6]));
    assert_eq!(ran.text().lines().count(), 7);
    let ran = house.run(&["snapshot", "list", "--json"]);
    assert_eq!(ran.code, Some(6));
    assert_eq!(ran.error().0, "damaged");
    let page = ran.json();
    assert_eq!(page["damaged"][0], saved[6]["id"]);
    assert_eq!(page["snapshots"].as_array().unwrap().len(), 6);
}

#[test]
fn text_of_others_cannot_steer_the_terminal() {
    let house = House::new();
    house
        .feed(
            &[
                "snapshot",
                "save",
                "s",
                "--label",
                "red \u{1b}[31m\nnew line",
            ],
            b"1",
        )
        .ok();
    let text = house.run(&["snapshot", "list"]).ok().text();
    assert!(text.contains("(red \\u{1b}[31m\\nnew line)"), "{text}");
    let ran = house.run(&["snapshot", "info", "\u{1b}[31m"]);
    assert!(!ran.err.contains('\u{1b}'), "{ran}");
}
