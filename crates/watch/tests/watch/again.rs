//! Started again: it catches up with what happened while nobody watched.

use std::fs;

use dalsegno_watch::Event;

use crate::common::House;

fn to_read(events: &[Event]) -> usize {
    let told = events.iter().find_map(|event| match event {
        Event::Watching { to_read, .. } => Some(*to_read),
        _ => None,
    });
    told.unwrap()
}

#[test]
fn what_changed_is_kept_and_what_did_not_is_not_even_read() {
    let house = House::new();
    for name in ["a", "b", "c"] {
        house.write(&format!("{name}.json"), "[1]");
    }
    let (first, events) = house.once(House::settings());
    assert_eq!((first.saved, first.files, to_read(&events)), (3, 3, 3));
    let (none, events) = house.once(House::settings());
    assert_eq!((none.saved, none.unchanged, to_read(&events)), (0, 0, 0));
    house.write("b.json", "[2]");
    house.replace("c.json", "[1]");
    let (second, events) = house.once(House::settings());
    assert_eq!(
        (second.saved, second.unchanged, to_read(&events)),
        (1, 1, 2)
    );
    assert_eq!(house.states("b"), ["[1]", "[2]"]);
    assert_eq!(house.states("c"), ["[1]"]);
}

#[test]
fn a_file_that_differs_from_its_session_is_kept_also_where_it_did_not_change() {
    let house = House::new();
    house.write("a.json", "[1]");
    house.once(House::settings());
    house.engine.save_json("a", "[9]").commit().unwrap();
    let (summary, _) = house.once(House::settings());
    assert_eq!(summary.saved, 1);
    assert_eq!(house.states("a"), ["[1]", "[9]", "[1]"]);
}

#[test]
fn a_file_that_was_renamed_meanwhile_says_so() {
    let house = House::new();
    house.write("a.json", "[1]");
    house.write("x.json", "[7]");
    house.once(House::settings());
    fs::rename(house.path("a.json"), house.path("b.json")).unwrap();
    fs::remove_file(house.path("x.json")).unwrap();
    house.write("y.json", "[8]");
    let (_, events) = house.once(House::settings());
    let renamed = |event: &&Event| matches!(event, Event::Renamed { .. });
    assert_eq!(events.iter().filter(renamed).count(), 1, "{events:?}");
    assert_eq!(house.history("b")[0].metadata["renamed_from"], "a");
    assert!(!house.history("y")[0].metadata.contains_key("renamed_from"));
}

#[test]
fn a_rehearsal_tells_all_and_keeps_nothing() {
    let house = House::new();
    house.write("a.json", "[1]");
    house.once(House::settings());
    house.write("a.json", "[2]");
    house.write("b.jsonl", "1\n2\n");
    house.write("c.json", "[");
    let mut settings = House::settings();
    settings.dry_run = true;
    let (summary, events) = house.once(settings);
    assert_eq!((summary.saved, summary.torn), (2, 1), "{events:?}");
    let new = events.iter().filter_map(|event| match event {
        Event::WouldSave { session, new, .. } => Some((session.as_str(), *new)),
        _ => None,
    });
    let mut new: Vec<_> = new.collect();
    new.sort_unstable();
    assert_eq!(new, [("a", false), ("b.jsonl", true)]);
    assert_eq!(house.engine.sessions().unwrap(), ["a"]);
    assert_eq!(house.states("a"), ["[1]"]);
}

#[test]
fn thousands_of_files_are_caught_up_with_in_a_few_commits() {
    let house = House::new();
    for number in 0..2000 {
        house.write(
            &format!("{}/{number}.json", number % 7),
            format!("[{number}]"),
        );
    }
    // Longer than this it waits only for files that change.
    let mut settings = House::settings();
    settings.patience = std::time::Duration::from_millis(200);
    let (summary, _) = house.once(settings);
    assert_eq!(
        (summary.saved, summary.files, summary.failed),
        (2000, 2000, 0)
    );
    assert_eq!(house.latest("3/1998"), b"[1998]");
    let (summary, events) = house.once(House::settings());
    assert_eq!((summary.saved, to_read(&events)), (0, 0));
}
