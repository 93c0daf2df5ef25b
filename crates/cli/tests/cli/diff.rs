use crate::common::{House, id};

const OLD: &str = "{\"volume\":75,\"queue\":{\"current\":{\"title\":\"Naima\"},\"upcoming\":[{\"title\":\"So What\",\"author\":\"Miles Davis\"},{\"title\":\"Blue Train\"}]},\"filters\":{}}";
const NEW: &str = "{\"volume\":30,\"queue\":{\"current\":{\"title\":\"Naima\"},\"upcoming\":[{\"title\":\"Blue Train\"},{\"title\":\"Footprints\"}]},\"filters\":{}}";

fn house() -> House {
    let house = House::new();
    house.save("bot/1", OLD);
    house.save("bot/1", NEW);
    house
}

fn diff(house: &House, more: &[&str]) -> crate::common::Ran {
    house.run(&[&["snapshot", "diff", "bot/1@-1", "bot/1@latest"], more].concat())
}

#[test]
fn what_came_and_went_is_said_by_name() {
    let text = diff(&house(), &[]).ok().text();
    let lines: Vec<&str> = text.lines().collect();
    assert!(
        lines[0].contains(" of bot/1, taken ") && lines[0].contains(" → "),
        "{text}"
    );
    assert_eq!(
        lines[1..],
        [
            "~ volume 75 → 30",
            "- So What — Miles Davis  queue.upcoming[0]",
            "+ Footprints  queue.upcoming[1]",
        ]
    );
}

#[test]
fn only_some_components() {
    let house = house();
    let text = diff(&house, &["--component", "volume"]).ok().text();
    assert!(
        text.contains("~ volume") && !text.contains("queue"),
        "{text}"
    );
    diff(&house, &["--component", "filters"])
        .ok()
        .says("no difference in filters");
    diff(&house, &["--component", "volume", "--component", "mood"])
        .refused(4, "they have volume, queue, filters");
    diff(&house, &["--component", "mood", "--unified"]).refused(4, "'mood'");
}

#[test]
fn a_line_for_each_component() {
    let text = diff(&house(), &["--stat"]).ok().text();
    let rows: Vec<Vec<&str>> = text
        .lines()
        .skip(2)
        .map(|line| line.split_whitespace().collect())
        .collect();
    assert_eq!(
        rows,
        [
            vec!["volume", "changed", "0", "0", "0", "1", "2", "B", "2", "B"],
            vec!["queue", "changed", "1", "1", "0", "0", "22", "B", "42", "B"],
            vec!["all", "1", "1", "0", "1", "24", "B", "44", "B"],
        ]
    );
}

#[test]
fn json_has_everything() {
    let house = house();
    let json = diff(&house, &["--json"]).ok().json();
    assert_eq!(json["identical"], false);
    assert_eq!(json["from"]["session"], "bot/1");
    let queue = &json["components"][1];
    assert_eq!(queue["counts"]["removed"], 1);
    assert_eq!(queue["differences"][0]["before"]["author"], "Miles Davis");
    assert_eq!(queue["differences"][1]["new_index"], 1);
    let volume = diff(&house, &["--json", "--component", "volume"])
        .ok()
        .json();
    assert_eq!(volume["components"].as_array().unwrap().len(), 1);
    for flag in ["--stat", "--unified"] {
        let ran = diff(&house, &["--json", flag]);
        assert_eq!((ran.code, ran.error().0.as_str()), (Some(2), "usage"));
    }
}

#[test]
fn unified_is_of_lines() {
    let house = house();
    let text = diff(&house, &["--unified"]).ok().text();
    for part in [
        "--- ",
        "+++ ",
        "@@ -1,16 +1,15 @@",
        "-  \"volume\": 75,",
        "+  \"volume\": 30,",
        "   \"queue\": {",
    ] {
        assert!(
            text.contains(&format!("\n{part}")) || text.starts_with(part),
            "{part}: {text}"
        );
    }
    let volume = diff(&house, &["--unified", "--component", "volume"])
        .ok()
        .text();
    assert!(
        volume.contains("+  \"volume\": 30") && !volume.contains("queue"),
        "{volume}"
    );
    diff(&house, &["--unified", "--stat"]).refused(2, "--stat");
}

#[test]
fn the_same_and_nearly_the_same() {
    let house = house();
    house
        .run(&["snapshot", "diff", "bot/1@latest", "bot/1@latest"])
        .ok()
        .says("the same, byte for byte");
    house.save("bot/1", &NEW.replace(":30", ": 30"));
    diff(&house, &[])
        .ok()
        .says("only white space, the order of members or spelling differs");
    let ran = diff(&house, &["--unified"]).ok();
    assert!(
        ran.out.is_empty() && ran.err.contains("only white space"),
        "{ran}"
    );
    house
        .run(&["snapshot", "diff", "bot/1@latest", "nobody"])
        .refused(4, "nobody");
}

#[test]
fn two_sessions_and_odd_names() {
    let house = house();
    let other = house.save("bot/2", "{\"volume\":75,\"\\u001b[31m\":[1]}");
    let ran = house
        .run(&["snapshot", "diff", "bot/1@-1", id(&other)])
        .ok();
    ran.says(" of bot/2, taken ").says("- queue {");
    assert!(
        ran.text().contains("\\u001b[31m") && !ran.text().contains('\u{1b}'),
        "{ran}"
    );
    house.save(
        "deep",
        &format!("{}1{}", "[".repeat(10_000), "]".repeat(10_000)),
    );
    house.save(
        "deep",
        &format!("{}2{}", "[".repeat(10_000), "]".repeat(10_000)),
    );
    for flag in [None, Some("--json"), Some("--stat"), Some("--unified")] {
        let arguments: Vec<&str> = ["snapshot", "diff", "deep@-1", "deep@latest"]
            .into_iter()
            .chain(flag)
            .collect();
        house.run(&arguments).ok();
    }
}

#[test]
fn a_damaged_state_is_exit_code_6() {
    let house = house();
    let store = rusqlite::Connection::open(house.store()).unwrap();
    let last = "UPDATE record SET data = x'00ff' WHERE seq = (SELECT max(seq) FROM record)";
    store.execute_batch(last).unwrap();
    drop(store);
    diff(&house, &[]).refused(6, "damaged");
    diff(&house, &["--unified"]).refused(6, "damaged");
}
