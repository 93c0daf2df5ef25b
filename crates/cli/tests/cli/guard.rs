//! `guard …`: lists that lose no items without a word.

use serde_json::{Value, json};

use crate::common::{House, Ran};

fn chat(messages: impl IntoIterator<Item = u32>) -> String {
    let messages: Vec<Value> = messages.into_iter().map(|n| json!({"n": n})).collect();
    json!({"messages": messages}).to_string()
}

fn house() -> House {
    let house = House::new();
    house.run(&["guard", "set", "chat/*", "messages"]).ok();
    house
}

fn save(house: &House, messages: impl IntoIterator<Item = u32>, more: &[&str]) -> Ran {
    house.write("chat.json", chat(messages));
    let save = ["snapshot", "save", "chat/1", "--from", "chat.json"];
    house.run(&[&save[..], more].concat()).ok()
}

fn latest(house: &House) -> String {
    house
        .run(&["snapshot", "show", "chat/1@latest"])
        .ok()
        .text()
        .trim_end()
        .to_owned()
}

/// The answer is empty, and why is told beside it.
fn notes(house: &House, arguments: &[&str], part: &str) {
    let ran = house.run(arguments).ok();
    assert!(ran.out.is_empty() && ran.err.contains(part), "{ran}");
}

#[test]
fn what_was_lost_is_told_and_comes_back() {
    let house = house();
    save(&house, 0..1000, &[]);
    let dry = save(&house, 0..50, &["--dry-run"]);
    dry.says("messages: 950 of 1000 lost: the fuller state would be kept");
    save(&house, 0..50, &[])
        .says("messages: 950 of 1000 lost: the fuller state is kept as")
        .says("`guard restore chat/1`");
    let saved = save(&house, 0..30, &["--json"]).json();
    assert_eq!(saved["guarded"]["lost"], "messages: 20 of 50 lost");
    house
        .run(&["guard", "status"])
        .ok()
        .says("chat/1")
        .says("by accident")
        .says("messages: 970 of 1000 lost; nothing is newer");
    let status = house.run(&["guard", "status", "chat/1", "--json"]).ok();
    let status = &status.json()["sessions"][0];
    assert_eq!(status["status"], "shrunk_by_accident");
    assert_eq!(status["recommendation"], "restore");
    assert_eq!(status["generations"].as_array().unwrap().len(), 2);
    assert_eq!(status["fullest"], status["generations"][1]["id"]);
    house
        .run(&["guard", "status", "chat/1"])
        .ok()
        .says("kept before a save that lost items:")
        .says("messages: 950 of 1000 lost");
    let dry = house.run(&["guard", "restore", "chat/1", "--dry-run"]).ok();
    dry.says("messages: 970 items to come back")
        .says("dry run: nothing was changed");
    assert_eq!(latest(&house), chat(0..30));
    house
        .run(&["guard", "restore", "chat/1"])
        .ok()
        .says("reads back as planned");
    assert_eq!(latest(&house), chat(0..1000));
    house
        .run(&["guard", "restore", "chat/1"])
        .ok()
        .says("nothing is to come back");
    house.run(&["undo", "chat/1"]).ok();
    assert_eq!(latest(&house), chat(0..30));
}

#[test]
fn what_is_meant_is_recorded_and_stays() {
    let house = house();
    save(&house, 0..10, &[]);
    let saved = save(&house, 0..8, &["--intent", "undo"]);
    assert!(!saved.text().contains("lost"), "{}", saved.text());
    house
        .run(&["guard", "status"])
        .ok()
        .says("on purpose")
        .says("what is missing was taken away on purpose: undo");
    house
        .run(&["snapshot", "info", "chat/1@latest"])
        .ok()
        .says("undo");
    house.run(&["guard", "restore", "chat/1"]).ok();
    assert_eq!(latest(&house), chat(0..8));
    house
        .run(&[
            "snapshot",
            "save",
            "chat/1",
            "--from",
            "chat.json",
            "--intent",
            " ",
        ])
        .refused(2, "the intent is empty");
}

#[test]
fn where_rules_cannot_decide_both_are_kept() {
    let house = house();
    save(&house, 0..3, &[]);
    save(&house, [2, 1], &[]);
    let before = latest(&house);
    house
        .run(&["guard", "restore", "chat/1"])
        .failed(5, "cannot be decided by rules")
        .failed(5, "snapshot diff");
    assert_eq!(latest(&house), before);
    house.run(&["guard", "status"]).ok().says("by hand");
}

#[test]
fn guards_are_listed_removed_and_found_in_the_configuration() {
    let house = House::new();
    notes(&house, &["guard", "list"], "no guards");
    notes(&house, &["guard", "status"], "no session is guarded");
    let set = [
        "guard",
        "set",
        "bot/*",
        "queue,consumed=front",
        "played,bound=3,trimmed=front",
    ];
    house
        .run(&[&set[..], &["--dry-run"]].concat())
        .ok()
        .says("dry run");
    notes(&house, &["guard", "list"], "no guards");
    house
        .run(&set)
        .ok()
        .says("saves are held to it from now on");
    house
        .run(&["guard", "list"])
        .ok()
        .says("queue,consumed=front")
        .says("played,trimmed=front,bound=3")
        .says("5 generations, 30 days");
    for (odd, said) in [
        (&["guard", "set", "bot/*", "a..b"][..], "'a..b' is no path"),
        (&["guard", "set", "bot/*", "a,b"], "'b' is none of"),
        (
            &["guard", "set", "bot/*", "a", "--generations", "0"],
            "generations is 0",
        ),
    ] {
        house.run(odd).refused(2, said);
    }
    house
        .run(&["guard", "remove", "bot/*", "--dry-run"])
        .ok()
        .says("would be removed");
    house
        .run(&["guard", "remove", "bot/*"])
        .ok()
        .says("removed");
    house
        .run(&["guard", "remove", "bot/*"])
        .failed(4, "no guard for 'bot/*'");
    house.write("dalsegno.toml", "[guard.\"chat/*\"]\nlist = \"messages\"\n");
    house.run(&["guard", "list"]).ok().says("configuration");
    save(&house, 0..9, &[]);
    save(&house, 0..4, &[]).says("messages: 5 of 9 lost");
    house.run(&["guard", "status"]).ok().says("by accident");
    house.write("dalsegno.toml", "[guard.\"chat/*\"]\nlist = \"a..b\"\n");
    house.write("chat.json", chat(0..1));
    house
        .run(&["snapshot", "save", "chat/1", "--from", "chat.json"])
        .refused(2, "dalsegno.toml");
}

#[test]
fn old_generations_are_cleaned_up_with_a_reason() {
    let house = House::new();
    house
        .run(&["guard", "set", "chat/*", "messages", "--generations", "9"])
        .ok();
    for n in (0..6).rev() {
        save(&house, 0..n, &[]);
    }
    house
        .run(&["guard", "set", "chat/*", "messages", "--generations", "1"])
        .ok();
    house
        .run(&["snapshot", "cleanup", "--dry-run"])
        .ok()
        .says("a guard snapshot beyond 1, and another has all of it");
    house.run(&["snapshot", "cleanup"]).ok();
    let status = house.run(&["guard", "status", "chat/1", "--json"]).ok();
    let kept = &status.json()["sessions"][0]["generations"];
    assert_eq!(kept.as_array().unwrap().len(), 1);
    house.run(&["guard", "restore", "chat/1"]).ok();
    assert_eq!(latest(&house), chat(0..5));
}
