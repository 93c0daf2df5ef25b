//! What programs do to their files, and what becomes of it.

use std::fs::{self, File};
use std::io::Write;

use dalsegno::Kind;
use dalsegno_watch::Event;

use crate::common::{House, is_of, kept};

#[test]
fn each_settled_state_becomes_a_snapshot_of_the_session_named_after_the_file() {
    let house = House::new();
    let mut watch = house.watch();
    house.write("chats/a.json", "[1]");
    watch.saved("chats/a");
    house.write("chats/a.json", "[1, 2]");
    watch.saved("chats/a");
    house.replace("chats/a.json", "[1, 2, 3]");
    watch.saved("chats/a");
    assert_eq!(house.states("chats/a"), ["[1]", "[1, 2]", "[1, 2, 3]"]);
    let newest = house.history("chats/a").pop().unwrap();
    assert_eq!(newest.kind, Kind::Auto);
    assert_eq!(kept(&newest)["file"], "chats/a.json");
    assert_eq!(kept(&newest)["folder"], house.folder().to_str().unwrap());
    assert_eq!(kept(&newest)["format"], "json");
    let (summary, _) = watch.stop();
    assert_eq!((summary.saved, summary.files, summary.failed), (3, 1, 0));
    assert_eq!(house.engine.sessions().unwrap(), ["chats/a"]);
}

#[test]
fn folders_that_come_are_watched_with_all_that_is_in_them() {
    let house = House::new();
    let mut watch = house.watch();
    house.write("new/deep/er/a.json", "1");
    watch.saved("new/deep/er/a");
    // Moved in from elsewhere, with a file in it already.
    let outside = house.outside().join("ready");
    fs::create_dir(&outside).unwrap();
    fs::write(outside.join("b.json"), "2").unwrap();
    fs::rename(&outside, house.path("ready")).unwrap();
    watch.saved("ready/b");
    house.write("ready/b.json", "3");
    watch.saved("ready/b");
    house.write(".hidden/c.json", "4");
    house.write("d.txt", "5");
    watch.catch_up(&house);
    watch.stop();
    let sessions = house.engine.sessions().unwrap();
    assert_eq!(sessions, ["new/deep/er/a", "ready/b", "sentinel"]);
}

#[test]
fn a_file_that_is_written_in_pieces_is_kept_when_it_is_whole() {
    let house = House::new();
    house.write("a.json", "[0]");
    let mut watch = house.watch();
    watch.saved("a");
    let good = house.history("a").pop().unwrap().id;
    let mut file = File::create(house.path("a.json")).unwrap();
    file.write_all(b"[1, ").unwrap();
    let torn = watch.wait(|event| matches!(event, Event::Torn { .. }));
    let Event::Torn {
        session,
        last_good,
        message,
        ..
    } = torn
    else {
        panic!();
    };
    assert_eq!((session.as_str(), last_good), ("a", Some(good)));
    assert!(!message.starts_with("session"), "{message}");
    file.write_all(b"2]").unwrap();
    watch.saved("a");
    assert_eq!(house.states("a"), ["[0]", "[1, 2]"]);
}

#[test]
fn what_is_no_json_is_told_once_for_each_content_and_the_last_good_state_stays() {
    let house = House::new();
    let mut watch = house.watch();
    house.write("a.json", "[1]");
    watch.saved("a");
    let is_torn = |event: &Event| matches!(event, Event::Torn { .. });
    for text in [&b""[..], &[0; 4096], b"[1", b"[1] [2]"] {
        house.write("a.json", text);
        watch.wait(is_torn);
    }
    // Touched, and written with the same again.
    File::options()
        .write(true)
        .open(house.path("a.json"))
        .unwrap()
        .set_modified(std::time::SystemTime::UNIX_EPOCH)
        .unwrap();
    watch.catch_up(&house);
    house.write("a.json", "[1] [2]");
    watch.catch_up(&house);
    assert_eq!(watch.count(is_torn), 4);
    house.write("a.json", "[1, 2]");
    watch.saved("a");
    assert_eq!(house.states("a"), ["[1]", "[1, 2]"]);
    assert_eq!(watch.stop().0.torn, 4);
}

#[test]
fn a_file_that_is_deleted_is_told_and_its_session_stays() {
    let house = House::new();
    let mut watch = house.watch();
    house.write("a.json", "[1]");
    watch.saved("a");
    let id = house.history("a").pop().unwrap().id;
    fs::remove_file(house.path("a.json")).unwrap();
    let deleted = watch.wait(|event| matches!(event, Event::Deleted { .. }));
    let expected = Event::Deleted {
        file: house.path("a.json"),
        session: "a".to_owned(),
        last: Some(id),
    };
    assert_eq!(deleted, expected);
    assert_eq!(house.states("a"), ["[1]"]);
    // Where a file of that name comes again, its session goes on.
    house.write("a.json", "[2]");
    watch.saved("a");
    assert_eq!(house.states("a"), ["[1]", "[2]"]);
}

#[test]
fn a_file_that_is_renamed_goes_on_under_its_new_name() {
    let house = House::new();
    let mut watch = house.watch();
    house.write("a.json", "[1]");
    watch.saved("a");
    fs::rename(house.path("a.json"), house.path("b.json")).unwrap();
    let renamed = watch.wait(|event| matches!(event, Event::Renamed { .. }));
    let expected = Event::Renamed {
        file: house.path("b.json"),
        session: "b".to_owned(),
        renamed_from: "a".to_owned(),
    };
    assert_eq!(renamed, expected);
    watch.saved("b");
    assert_eq!(house.history("b")[0].metadata["renamed_from"], "a");
    // Only its first snapshot says so.
    house.write("b.json", "[1, 2]");
    watch.saved("b");
    assert!(!house.history("b")[1].metadata.contains_key("renamed_from"));
    // Renamed and written at once: the system's word tells.
    fs::rename(house.path("b.json"), house.path("c.json")).unwrap();
    house.write("c.json", "[1, 2, 3]");
    watch.saved("c");
    assert_eq!(house.history("c")[0].metadata["renamed_from"], "b");
    watch.catch_up(&house);
    watch.catch_up(&house);
    assert_eq!(
        watch.count(|event| matches!(event, Event::Deleted { .. })),
        0
    );
}

#[test]
fn a_folder_that_is_renamed_takes_its_files_along() {
    let house = House::new();
    let mut watch = house.watch();
    house.write("old/in/a.json", "[1]");
    watch.saved("old/in/a");
    fs::rename(house.path("old"), house.path("new")).unwrap();
    watch.saved("new/in/a");
    assert_eq!(
        house.history("new/in/a")[0].metadata["renamed_from"],
        "old/in/a"
    );
    house.write("new/in/a.json", "[2]");
    watch.saved("new/in/a");
    // Moved out, they are gone.
    fs::rename(house.path("new"), house.outside().join("gone")).unwrap();
    let deleted = watch.wait(|event| matches!(event, Event::Deleted { .. }));
    assert!(is_of(&deleted, &house.path("new/in/a.json")));
}

#[test]
fn a_name_that_is_used_again_is_not_taken_for_a_rename() {
    let house = House::new();
    let mut watch = house.watch();
    house.write("a.json", "[1]");
    watch.saved("a");
    fs::remove_file(house.path("a.json")).unwrap();
    // Often this has the inode that has just become free.
    house.write("b.json", "[1, 2]");
    watch.saved("b");
    assert!(!house.history("b")[0].metadata.contains_key("renamed_from"));
}

#[test]
fn what_is_touched_is_told_unchanged_and_adds_nothing() {
    let house = House::new();
    let mut watch = house.watch();
    house.write("a.json", "[1]");
    watch.saved("a");
    house.write("a.json", "[1]");
    watch.wait(|event| matches!(event, Event::Unchanged { session, .. } if session == "a"));
    assert_eq!(house.history("a").len(), 1);
}

#[test]
fn a_file_that_never_rests_is_kept_all_the_same() {
    let house = House::new();
    house.write("a.json", "0");
    let mut settings = House::settings();
    settings.settle = std::time::Duration::from_secs(3600);
    settings.patience = std::time::Duration::from_secs(3600);
    let slow = settings.clone();
    let watch = house.watch_with(slow);
    // It ends before anything has settled.
    house.write("b.json", "[1]");
    let (summary, events) = watch.stop();
    assert_eq!(summary.saved, 2, "{events:?}");
    assert_eq!(
        (house.states("a"), house.states("b")),
        (vec!["0".to_owned()], vec!["[1]".to_owned()])
    );
    let hasty = |event: &&Event| matches!(event, Event::Saved { hasty: true, .. });
    assert_eq!(events.iter().filter(hasty).count(), 2);
    // What was not settled is not believed to be known: it is read again.
    assert!(kept(&house.history("b")[0]).get("inode").is_none());
}
