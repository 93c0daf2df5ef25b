//! A whole folder, as when a program starts.

use std::fs;
use std::os::unix::fs::symlink;

use dalsegno::{Error, ErrorKind};
use dalsegno_hermes::{Count, MAX_DEPTH, count, preview, recover, recover_all, recover_all_with};

use crate::common::{House, session};

fn folder() -> House {
    let house = House::new();
    for (name, text) in [
        ("b.json", session(1)),
        ("b.json.bak", session(4)),
        ("a.json", b"torn".to_vec()),
        ("a.json.bak", session(2)),
        ("fine.json", session(9)),
        ("fine.json.bak", session(8)),
        ("alone.json", session(3)),
        ("list.json", b"[]".to_vec()),
        (".hidden.json", session(0)),
        (".hidden.json.bak", session(1)),
        ("_index.json", b"[]".to_vec()),
        ("_index.json.bak", session(3)),
        ("orphan.json.bak", session(3)),
        ("CAPITAL.JSON", session(0)),
        ("CAPITAL.json.bak", session(5)),
        ("note.jsonl", b"".to_vec()),
    ] {
        house.write(name, text);
    }
    fs::create_dir(house.path("x.json")).unwrap();
    house
}

#[test]
fn a_folder_is_put_right_and_then_there_is_nothing_to_do() {
    let house = folder();
    let before = house.names();
    let planned = preview(house.folder()).unwrap();
    assert_eq!(house.names(), before);
    let ids = |scan: &dalsegno_hermes::Scan| -> Vec<String> {
        scan.details
            .iter()
            .map(|it| it.status.session_id.clone())
            .collect()
    };
    assert_eq!((planned.scanned, planned.restored), (7, 0));
    assert_eq!(ids(&planned), [".hidden", "a", "b"]);
    assert!(planned.details.iter().all(|it| !it.restored));

    let scan = recover_all(house.folder()).unwrap();
    assert_eq!((scan.scanned, scan.restored), (7, 3));
    assert_eq!(ids(&scan), [".hidden", "a", "b"]);
    assert!(scan.skipped.is_empty(), "{:?}", scan.skipped);
    let shown = serde_json::to_string(&scan).unwrap();
    let expected = r#"{"scanned":7,"restored":3,"details":[{"session_id":".hidden","live_messages":0,"bak_messages":1,"recommend":"restore","restored":true},{"session_id":"a","live_messages":-1,"#;
    assert!(shown.starts_with(expected), "{shown}");
    assert_eq!(house.read("b.json"), session(4));
    assert_eq!(house.read("_index.json"), b"[]");
    assert!(!house.path("orphan.json").exists());

    let names = house.names();
    let again = serde_json::to_string(&recover_all(house.folder()).unwrap()).unwrap();
    assert_eq!(again, r#"{"scanned":7,"restored":0,"details":[]}"#);
    assert_eq!(house.names(), names);
    // What no name leads to is restored when it is asked for.
    assert!(recover(&house.path("orphan.json")).unwrap().restored);
}

#[test]
fn a_folder_that_is_not_there_has_no_sessions() {
    let house = House::new();
    let file = house.write("file", "");
    for path in [house.path("no"), house.path("no/no"), file.join("no")] {
        let shown = serde_json::to_string(&recover_all(&path).unwrap()).unwrap();
        assert_eq!(shown, r#"{"scanned":0,"restored":0,"details":[]}"#);
    }
}

#[test]
fn a_file_in_the_place_of_the_folder_is_refused() {
    let house = House::new();
    let file = house.write("1.json", "");
    for scan in [recover_all(&file), preview(&file)] {
        let error = scan.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidInput);
        assert!(
            error.to_string().contains("1.json is not a folder"),
            "{error}"
        );
    }
}

#[test]
fn what_is_only_too_deep_is_restored_when_asked_and_not_at_the_start() {
    let house = House::new();
    let deep = format!(
        "{{\"messages\":[{}{}]}}",
        "[".repeat(MAX_DEPTH),
        "]".repeat(MAX_DEPTH)
    );
    house.write("deep.json", &deep);
    house.write("deep.json.bak", session(1));
    house.write("other.json", "");
    house.write("other.json.bak", session(1));
    let mut by_number = |path: &std::path::Path| Ok(Count::from(count(path).to_i64()));
    for scan in [
        recover_all(house.folder()).unwrap(),
        recover_all_with(house.folder(), &mut by_number).unwrap(),
    ] {
        assert_eq!(scan.scanned, 2);
        assert_eq!(scan.skipped.len(), 1);
        let why = scan.skipped[0].error.to_string();
        assert!(
            why.contains("deep.json") && why.contains("994 levels"),
            "{why}"
        );
        assert_eq!(house.read("deep.json"), deep.as_bytes());
    }
    assert_eq!(house.read("other.json"), session(1));
    assert!(recover(&house.path("deep.json")).unwrap().restored);
    assert_eq!(house.displaced("deep.json"), [deep.as_bytes()]);
}

#[test]
fn one_bad_one_never_stops_the_rest() {
    let house = House::new();
    fs::create_dir(house.path("a.json")).unwrap();
    symlink("nowhere", house.path("b.json")).unwrap();
    symlink("c.json.bak", house.path("c.json.bak")).unwrap();
    house.write("c.json", "");
    house.write("d.json", session(0));
    for name in ["a.json.bak", "b.json.bak", "d.json.bak"] {
        house.write(name, session(2));
    }
    let scan = recover_all(house.folder()).unwrap();
    assert_eq!((scan.scanned, scan.restored), (4, 1));
    let skipped: Vec<_> = scan
        .skipped
        .iter()
        .map(|it| it.path.file_name().unwrap())
        .collect();
    assert_eq!(skipped, ["a.json", "b.json"]);
    assert_eq!(house.read("d.json"), session(2));
}

#[test]
fn another_may_count() {
    let house = folder();
    let mut asked = Vec::new();
    let mut counter = |path: &std::path::Path| {
        let name = path.file_name().unwrap().to_str().unwrap().to_owned();
        asked.push(name.clone());
        match &*name {
            "alone.json" => Err(Error::new(ErrorKind::Storage, "it says no")),
            "fine.json" => Ok(Count::from(-1)),
            _ => Ok(count(path)),
        }
    };
    let scan = recover_all_with(house.folder(), &mut counter).unwrap();
    assert_eq!((scan.scanned, scan.restored), (7, 4));
    assert_eq!(scan.skipped.len(), 1);
    assert_eq!(scan.skipped[0].error.to_string(), "it says no");
    assert_eq!(house.read("fine.json"), session(8));
    assert!(
        asked.contains(&"list.json".to_owned()),
        "also where there is no backup"
    );
}
