//! `stats` and `report`.

use std::os::unix::fs::PermissionsExt;

use serde_json::{Value, json};

use crate::common::{House, id};

/// Two sessions; in the first, `queue` changes more often than `volume`.
fn full() -> (House, Vec<Value>) {
    let house = House::new();
    let mut saved = Vec::new();
    for (volume, queue) in [(30, "[1]"), (30, "[1,2]"), (75, "[2]"), (75, "[2]")] {
        let text = format!("{{\"volume\":{volume},\"queue\":{queue},\"version\":1}}");
        saved.push(house.save("bot/1", &text));
    }
    let name = [
        "snapshot", "save", "bot/2", "--name", "n", "--kind", "auto", "--json",
    ];
    saved.push(house.feed(&name, b"[1]").ok().json());
    (house, saved)
}

fn damage(house: &House, statement: &str) {
    let store = rusqlite::Connection::open(house.store()).unwrap();
    assert_eq!(store.execute(statement, ()).unwrap(), 1);
}

/// The second of the first session.
const SECOND: &str = "UPDATE snapshot SET size = size + 1 WHERE seq =
    (SELECT seq FROM snapshot ORDER BY seq LIMIT 1 OFFSET 1)";

#[test]
fn figures_of_the_store() {
    let (house, saved) = full();
    let ran = house.run(&["stats"]).ok();
    ran.says("5 of 2 sessions: 4 manual, 1 auto")
        .says("1 unchanged, 1 with a name")
        .says("store's file")
        .says("bot/1")
        .says("bot/2");
    assert!(!ran.text().contains("most changed"), "content is not read");
    let found = house.run(&["stats", "--json"]).ok().json();
    assert_eq!(found["session"], Value::Null);
    assert_eq!(
        (&found["sessions"], &found["snapshots"]),
        (&json!(2), &json!(5))
    );
    assert_eq!(found["kinds"], json!({"manual": 4, "auto": 1}));
    assert_eq!(
        (&found["unchanged"], &found["named"]),
        (&json!(1), &json!(1))
    );
    let sum = |name: &str| saved.iter().map(|s| s[name].as_u64().unwrap()).sum::<u64>();
    assert_eq!(found["text_bytes"], sum("size"));
    assert_eq!(found["stored_bytes"], sum("stored_size"));
    assert_eq!(found["oldest"], saved[0]);
    assert_eq!(found["newest"], saved[4]);
    assert_eq!(found["intervals"]["count"], 3);
    assert_eq!(found["hours"].as_array().unwrap().len(), 24);
    assert_eq!(found["zone"], "UTC");
    assert_eq!(found["components"], Value::Null);
    assert_eq!(found["damage"], json!([]));
    let on_disk: u64 = house
        .names(".dalsegno")
        .iter()
        .map(|name| house.path(".dalsegno").join(name).metadata().unwrap().len())
        .sum();
    assert_eq!(found["file_bytes"], on_disk);
    let one = house.run(&["stats", "--limit", "1"]).ok();
    one.says("… and 1 more session");
    assert!(!one.text().contains("bot/2"), "{one}");
    house
        .run(&["stats", "nobody"])
        .refused(4, "no session 'nobody'");
}

#[test]
fn components_are_of_a_session_or_asked_for() {
    let (house, _) = full();
    let ran = house.run(&["stats", "bot/1"]).ok();
    ran.says(
        "queue 2, volume 1 (of 3 snapshots compared with the one before, among the newest 100)",
    );
    let found = house.run(&["stats", "bot/1", "--json"]).ok().json();
    let changes: Vec<_> = found["components"]["changes"]
        .as_array()
        .unwrap()
        .iter()
        .map(|c| (c["name"].as_str().unwrap(), c["changed"].as_u64().unwrap()))
        .collect();
    assert_eq!(changes, [("queue", 2), ("volume", 1), ("version", 0)]);
    let ran = house.run(&["stats", "bot/1", "--rebuild", "0"]).ok();
    assert!(!ran.text().contains("most changed"));
    house.run(&["stats", "--rebuild", "2"]).ok().says(
        "nothing (of 1 snapshot compared with the one before, among each session's newest 2)",
    );
    house
        .run(&["stats", "--rebuild", "many"])
        .refused(2, "--rebuild");
}

#[test]
fn what_is_damaged_is_named_and_left_out() {
    let (house, saved) = full();
    damage(&house, SECOND);
    let ran = house.run(&["stats"]).failed(6, "leave out what is damaged");
    ran.says("4 of 2 sessions")
        .says(&format!("lost: {}", id(&saved[1])));
    let ran = house.run(&["stats", "--json"]);
    assert_eq!((ran.code, ran.error().0.as_str()), (Some(6), "damaged"));
    assert_eq!(ran.json()["snapshots"], 4);
    let ran = house
        .run(&["report", "--output", "r.md"])
        .failed(6, "leave out");
    ran.says("wrote r.md");
    let report = String::from_utf8(house.read("r.md")).unwrap();
    assert!(report.contains("Something is damaged") && report.contains(id(&saved[1])));
}

#[test]
fn a_report_is_for_a_person() {
    let (house, _) = full();
    let ran = house.run(&["report"]).ok();
    for part in [
        "# What",
        "## Summary",
        "## Sessions",
        "| bot/1 | 4 |",
        "## Activity by hour",
        "00:00",
        "23:00",
        "█",
        "## Growth by day",
        "## Most changed components",
        "`--rebuild N`",
        "## Damage",
    ] {
        ran.says(part);
    }
    house
        .run(&["report", "bot/1"])
        .ok()
        .says("# Session bot/1")
        .says("| queue | 2 | 3 B |");
    let ran = house
        .run(&["report", "bot/1", "--output", "r.md", "--json"])
        .ok();
    let bytes = house.read("r.md").len();
    assert_eq!(ran.json(), json!({"path": "r.md", "bytes": bytes}));
    let mode = house.path("r.md").metadata().unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    let [stats, report] =
        ["stats", "report"].map(|verb| house.run(&[verb, "bot/1", "--json"]).ok().json());
    assert_eq!(stats, report);
    house
        .run(&["report", "--output", ".dalsegno/store.db"])
        .refused(2, "belongs to the store");
    let empty = House::new();
    empty.run(&["report"]).ok().says("There are none.");
    empty.run(&["stats"]).ok().says("0 of 0 sessions");
}

#[test]
fn names_of_others_steer_neither_terminal_nor_markdown() {
    let house = House::new();
    house.save("a|b <script>", "{\"\\u001b[31m|c\":1}");
    let ran = house.run(&["report", "--rebuild", "5"]).ok();
    ran.says("a\\|b \\<script\\>")
        .says("\\\\u\\{1b\\}\\[31m\\|c");
    assert!(!ran.text().contains('\u{1b}'));
    let ran = house.run(&["stats", "a|b <script>"]).ok();
    assert!(!ran.text().contains('\u{1b}'), "{ran}");
}

/// A small state takes more than its text, and "0.27 times less" is nothing that anybody says.
#[test]
fn what_takes_more_than_its_text_is_said_so() {
    let house = House::new();
    house.save("a", "1");
    let ran = house.run(&["stats"]).ok();
    ran.says(" times the text");
    assert!(!ran.text().contains("times less than the text"), "{ran}");
    let text = format!("[{}]", "\"again\",".repeat(2000) + "1");
    house.save("a", &text);
    house.run(&["stats"]).ok().says("times less than the text");
}
