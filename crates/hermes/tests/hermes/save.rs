//! Saves, and the backup that is there before messages go.

use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt};

use dalsegno::ErrorKind;
use dalsegno_hermes::{Count, inspect, save, update};

use crate::common::{House, session};

#[test]
fn a_save_that_shrinks_leaves_the_file_before_as_the_backup() {
    let house = House::new();
    let path = house.path("1.json");
    let saved = save(&path, &session(3)).unwrap();
    assert_eq!(
        (saved.messages, saved.before.to_i64(), saved.backup),
        (3, -1, None)
    );
    assert_eq!(fs::metadata(&path).unwrap().mode() & 0o777, 0o600);
    fs::set_permissions(&path, fs::Permissions::from_mode(0o640)).unwrap();

    let mut other = session(3);
    other.push(b'\n');
    save(&path, &other).unwrap();
    save(&path, &session(4)).unwrap();
    assert_eq!(house.names(), ["1.json"], "as many or more need no backup");

    let saved = save(&path, &session(2)).unwrap();
    assert_eq!(saved.before, Count::Messages(4));
    assert_eq!(saved.backup, Some(house.path("1.json.bak")));
    assert_eq!(house.read("1.json"), session(2));
    assert_eq!(house.read("1.json.bak"), session(4));
    for name in ["1.json", "1.json.bak"] {
        assert_eq!(
            fs::metadata(house.path(name)).unwrap().mode() & 0o777,
            0o640,
            "{name}"
        );
    }
    // Growing again leaves the backup as it is.
    save(&path, &session(3)).unwrap();
    assert_eq!(house.read("1.json.bak"), session(4));
    assert_eq!(house.names(), ["1.json", "1.json.bak"]);
}

#[test]
fn what_is_no_session_is_never_written() {
    let house = House::new();
    let path = house.write("1.json", session(2));
    for text in [
        &b""[..],
        b"{\"messages\":[",
        b"[]",
        b"{}",
        b"\xef\xbb\xbf{\"messages\":[]}",
        b"\0",
    ] {
        let error = save(&path, text).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidInput);
        let error = update(&path, |_| Ok(Some(text.to_vec()))).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidInput);
    }
    assert_eq!(house.read("1.json"), session(2));
    assert_eq!(house.names(), ["1.json"]);
}

#[test]
fn a_torn_file_never_takes_the_place_of_a_good_backup() {
    for torn in [&b"{\"messages\":[1,"[..], b"\0\0\0\0", b"[]"] {
        let house = House::new();
        let path = house.write("1.json", torn);
        house.write("1.json.bak", session(9));
        let saved = save(&path, &session(1)).unwrap();
        assert_eq!(saved.backup, None);
        assert_eq!(house.read("1.json.bak"), session(9));
        assert_eq!(house.displaced("1.json"), [torn]);
        assert_eq!(fs::read(saved.displaced.unwrap()).unwrap(), torn);
        let status = serde_json::to_value(inspect(&path).unwrap()).unwrap();
        assert_eq!(status["recommend"], "restore");
    }
}

#[test]
fn without_a_backup_nothing_is_saved() {
    let house = House::new();
    let path = house.write("1.json", session(4));
    // Something is in the backup's place that no file can replace.
    fs::create_dir(house.path("1.json.bak")).unwrap();
    let error = save(&path, &session(1)).unwrap_err();
    assert!(
        error.to_string().contains("for lack of a backup"),
        "{error}"
    );
    assert_eq!(house.read("1.json"), session(4));
    assert_eq!(house.names(), ["1.json", "1.json.bak"]);
    // A save that loses nothing needs none.
    save(&path, &session(5)).unwrap();
}

#[test]
fn an_update_sees_what_is_there_and_may_leave_it() {
    let house = House::new();
    let path = house.path("1.json");
    let none = update(&path, |before| {
        assert_eq!(before, None);
        Ok(None)
    });
    assert_eq!(none.unwrap(), None);
    assert_eq!(house.names(), [""; 0]);
    update(&path, |_| Ok(Some(session(5)))).unwrap();
    let saved = update(&path, |before| {
        assert_eq!(before, Some(&session(5)[..]));
        Ok(Some(session(4)))
    });
    assert_eq!(
        saved.unwrap().unwrap().backup,
        Some(house.path("1.json.bak"))
    );
    let refused = update(&path, |_| {
        Err(dalsegno::Error::new(ErrorKind::Conflict, "not now"))
    });
    assert_eq!(refused.unwrap_err().to_string(), "not now");
    assert_eq!(house.read("1.json"), session(4));
}

#[test]
fn where_something_else_stands_or_no_folder_is() {
    let house = House::new();
    fs::create_dir(house.path("1.json")).unwrap();
    let error = save(&house.path("1.json"), &session(1)).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidInput, "{error}");
    let error = save(&house.path("no/1.json"), &session(1)).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::NotFound, "{error}");
    assert_eq!(house.names(), ["1.json"]);
}
