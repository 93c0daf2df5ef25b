//! Links, pipes, names that no session can have, stores that cannot be written.

use std::ffi::OsStr;
use std::fs;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::symlink;

use dalsegno::{Engine, ErrorKind};
use dalsegno_watch::{Event, Settings, Watch};
use rustix::fs::{CWD, FileType, Mode, mknodat};

use crate::common::{House, is_of};

#[test]
fn links_are_not_followed_and_pipes_not_waited_for_and_that_is_told_once() {
    let house = House::new();
    fs::create_dir(house.outside().join("out")).unwrap();
    fs::write(house.outside().join("out/secret.json"), "1").unwrap();
    house.write("real.json", "2");
    symlink(house.outside().join("out"), house.path("folder.json")).unwrap();
    symlink(house.outside().join("out"), house.path("folder")).unwrap();
    symlink(
        house.outside().join("out/secret.json"),
        house.path("link.json"),
    )
    .unwrap();
    symlink(house.path("real.json"), house.path("inner.json")).unwrap();
    let mut watch = house.watch();
    watch.saved("real");
    mknodat(
        CWD,
        house.path("pipe.json"),
        FileType::Fifo,
        Mode::from_raw_mode(0o600),
        0,
    )
    .unwrap();
    watch.wait(|event| {
        matches!(event, Event::Skipped { .. }) && is_of(event, &house.path("pipe.json"))
    });
    watch.catch_up(&house);
    let (summary, events) = watch.stop();
    assert_eq!(summary.skipped, 4, "{events:?}");
    assert_eq!(house.engine.sessions().unwrap(), ["real", "sentinel"]);
}

#[test]
fn what_no_session_can_be_named_after_is_told() {
    let house = House::new();
    let long = format!("{}.json", "d/".repeat(130));
    fs::create_dir_all(house.path(&"d/".repeat(130))).unwrap();
    fs::write(house.path(&format!("{}a.json", "d/".repeat(130))), "1").unwrap();
    house.write("a\nb.json", "1");
    let (summary, events) = house.once(House::settings());
    assert_eq!(
        (summary.saved, summary.skipped),
        (0, 2),
        "{events:?} {long}"
    );
}

#[test]
fn a_name_that_is_not_utf_8_is_told_once_and_the_watch_goes_on() {
    let house = House::new();
    let odd = |name: &[u8]| house.folder().join(OsStr::from_bytes(name));
    fs::write(odd(b"caf\xe9.json"), "{}").unwrap();
    fs::create_dir(odd(b"th\xe9")).unwrap();
    fs::write(odd(b"th\xe9/a.json"), "{}").unwrap();
    let mut watch = house.watch();
    fs::write(odd(b"later\xff.jsonl"), "1\n").unwrap();
    watch.wait(
        |event| matches!(event, Event::Skipped { file, .. } if *file == odd(b"later\xff.jsonl")),
    );
    fs::write(odd(b"caf\xe9.json"), "[]").unwrap();
    watch.catch_up(&house);
    let (summary, events) = watch.stop();
    assert_eq!((summary.files, summary.skipped), (1, 3), "{events:?}");
    let told = events.iter().filter(
        |event| matches!(event, Event::Skipped { message, .. } if message.contains("not UTF-8")),
    );
    assert_eq!(told.count(), 3, "{events:?}");
    assert_eq!(house.engine.sessions().unwrap(), ["sentinel"]);
}

#[test]
fn a_rehearsal_tells_of_a_torn_file_what_the_watch_does() {
    let told = |dry_run| {
        let house = House::new();
        house.write("a.json", "[1, ");
        let settings = Settings {
            dry_run,
            ..House::settings()
        };
        let (_, events) = house.once(settings);
        let message = events.into_iter().find_map(|event| match event {
            Event::Torn { message, .. } => Some(message),
            _ => None,
        });
        message.unwrap()
    };
    assert!(told(true).starts_with("not JSON: "), "{}", told(true));
    assert_eq!(told(true), told(false));
}

#[test]
fn a_file_that_may_not_be_read_is_told_and_read_as_soon_as_it_may() {
    use std::os::unix::fs::PermissionsExt;
    let house = House::new();
    house.write("a.json", "1");
    fs::set_permissions(house.path("a.json"), fs::Permissions::from_mode(0o000)).unwrap();
    if fs::read(house.path("a.json")).is_ok() {
        eprintln!("skipped: this user may read everything");
        return;
    }
    let mut watch = house.watch();
    watch.wait(|event| matches!(event, Event::Unreadable { .. }));
    fs::set_permissions(house.path("a.json"), fs::Permissions::from_mode(0o600)).unwrap();
    watch.saved("a");
}

#[test]
fn folders_that_make_no_sense_are_refused() {
    let house = House::new();
    house.write("x/a/1.json", "1");
    house.write("y/a/1.json", "1");
    house.write("file.json", "1");
    symlink(house.path("x"), house.path("link")).unwrap();
    let refused = |folders: &[&str], prefix: &str| {
        let folders: Vec<_> = folders.iter().map(|name| house.path(name)).collect();
        let settings = Settings {
            prefix: prefix.to_owned(),
            ..Settings::default()
        };
        let error = Watch::new(&house.engine, &folders, settings).err().unwrap();
        (error.kind(), error.to_string())
    };
    for (folders, prefix, kind, said) in [
        (
            &["x/a", "y/a"][..],
            "",
            ErrorKind::InvalidInput,
            "same name",
        ),
        (&["x", "x/a"], "", ErrorKind::InvalidInput, "x/a is within "),
        (&["x/a", "x"], "", ErrorKind::InvalidInput, "x/a is within "),
        (&["x", "x"], "", ErrorKind::InvalidInput, "x is named twice"),
        (
            &["x", "link"],
            "",
            ErrorKind::InvalidInput,
            "x is named twice",
        ),
        (&["file.json"], "", ErrorKind::InvalidInput, "not a folder"),
        (&["nowhere"], "", ErrorKind::NotFound, "nowhere"),
        (&["x"], "a//b", ErrorKind::InvalidInput, "empty part"),
        (&[], "", ErrorKind::InvalidInput, "no folder"),
    ] {
        let (found, message) = refused(folders, prefix);
        assert!(found == kind && message.contains(said), "{message}");
    }
    let folders = [house.path("x"), house.path("y")];
    let settings = Settings {
        prefix: "p".to_owned(),
        ..Settings::default()
    };
    let mut watch = Watch::new(&house.engine, &folders, settings).unwrap();
    watch.once(&mut |_| {}).unwrap();
    assert_eq!(house.engine.sessions().unwrap(), ["p/x/a/1", "p/y/a/1"]);
}

#[test]
fn the_store_in_a_watched_folder_is_left_alone() {
    let house = House::new();
    let engine = Engine::create(house.path("kept.json.db")).unwrap();
    let settings = Settings {
        selection: dalsegno_watch::Selection::new(&["*".to_owned()], &[]).unwrap(),
        ..House::settings()
    };
    house.write("a.json", "1");
    let mut watch = Watch::new(&engine, &[house.folder()], settings).unwrap();
    let summary = watch.once(&mut |_| {}).unwrap();
    assert_eq!((summary.saved, summary.torn), (1, 0));
}
