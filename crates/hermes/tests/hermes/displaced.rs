//! What a restore displaces is kept, once, and not without end.

use std::fs;

use dalsegno_hermes::{MAX_DISPLACED, inspect, recover, recover_all, save};

use crate::common::{House, session};

#[test]
fn the_same_is_not_kept_twice() {
    let house = House::new();
    let path = house.path("1.json");
    house.write("1.json.bak", session(4));
    for _ in 0..5 {
        house.write("1.json", "torn {");
        assert!(recover(&path).unwrap().restored);
    }
    assert_eq!(house.displaced("1.json"), [b"torn {"]);
    // Of the same length, but another.
    house.write("1.json", "torn [");
    assert!(recover(&path).unwrap().restored);
    assert_eq!(house.displaced("1.json"), [b"torn {", b"torn ["]);
}

#[test]
fn the_oldest_go_when_there_are_too_many() {
    let house = House::new();
    let path = house.path("1.json");
    house.write("1.json.bak", session(4));
    let texts: Vec<Vec<u8>> = (0..MAX_DISPLACED + 3)
        .map(|n| format!("torn {n}").into_bytes())
        .collect();
    for text in &texts {
        house.write("1.json", text);
        assert!(recover(&path).unwrap().restored);
    }
    assert_eq!(house.displaced("1.json"), texts[3..]);
    // Those of another session are its own.
    house.write("2.json.bak", session(4));
    house.write("2.json", "torn");
    assert!(recover(&house.path("2.json")).unwrap().restored);
    assert_eq!(house.displaced("1.json").len(), MAX_DISPLACED);
}

#[test]
fn nothing_trips_over_what_is_kept() {
    let house = House::new();
    house.write("1.json", session(1));
    house.write("1.json.bak", session(4));
    assert_eq!(recover_all(house.folder()).unwrap().restored, 1);
    let names = house.names();
    assert_eq!(names.len(), 3, "{names:?}");
    let scan = recover_all(house.folder()).unwrap();
    assert_eq!((scan.scanned, scan.restored), (1, 0));
    assert!(
        !names
            .iter()
            .any(|name| name.contains("displaced") && name.ends_with(".json"))
    );
    assert_eq!(
        inspect(&house.path("1.json"))
            .unwrap()
            .live_messages
            .to_i64(),
        4
    );
    assert_eq!(house.names(), names);
}

#[test]
fn it_keeps_its_content_when_others_write_into_the_new_file() {
    let house = House::new();
    let path = house.path("1.json");
    house.write("1.json", session(2));
    house.write("1.json.bak", session(4));
    assert!(recover(&path).unwrap().restored);
    // As programs do that do not replace files.
    fs::write(&path, "{}").unwrap();
    assert_eq!(house.displaced("1.json"), [session(2)]);
    assert_eq!(house.read("1.json.bak"), session(4));
    // A save keeps what is no session in the same way, and never as the backup.
    save(&path, &session(3)).unwrap();
    assert_eq!(house.displaced("1.json"), [session(2), b"{}".to_vec()]);
    assert_eq!(house.read("1.json.bak"), session(4));
}
