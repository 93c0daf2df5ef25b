//! What one restore would do, and which state it takes.

use std::fs;
use std::os::unix::fs::symlink;

use dalsegno_hermes::{
    Saving, generations, preview_recover, preview_recover_from, recover, recover_from, save,
};

use crate::common::{House, session};

/// A session of these messages.
fn of(messages: &[&str]) -> Vec<u8> {
    serde_json::to_vec(&serde_json::json!({"title": "t", "messages": messages})).unwrap()
}

#[test]
fn a_kept_state_is_known_by_what_its_path_leads_to() {
    let house = House::new();
    let path = house.write("1.json", session(3));
    save(&path, &session(1)).unwrap();
    Saving::new().delete(&path).unwrap();
    fs::create_dir(house.path("sub")).unwrap();
    symlink(house.folder(), house.path("link")).unwrap();
    let kept = generations(&path).unwrap().remove(0).path;
    let (name, text) = (kept.file_name().unwrap(), fs::read(&kept).unwrap());
    for other in ["link", "sub/..", "."] {
        let other = house.path(other).join(name);
        let seen = preview_recover_from(&path, &other).unwrap();
        assert!(!seen.restored && seen.from.is_some());
        assert!(!path.exists());
        assert!(recover_from(&path, &other).unwrap().restored);
        assert_eq!(house.read("1.json"), text);
        fs::remove_file(&path).unwrap();
    }
}

/// The file, its backup, and what a restore makes of them, if anything.
type Case<'a> = (&'a [u8], &'a [u8], Option<&'a [u8]>);

#[test]
fn a_preview_says_what_a_restore_does_and_changes_nothing() {
    let merged = of(&["a", "b", "c", "new"]);
    let cases: [Case<'_>; 5] = [
        (&session(1), &session(3), Some(&session(3))),
        (&of(&["a", "new"]), &of(&["a", "b", "c"]), Some(&merged)),
        (b"torn", &session(2), Some(&session(2))),
        (&session(3), &session(2), None),
        (&session(2), b"torn", None),
    ];
    for (live, backup, wanted) in cases {
        let house = House::new();
        let path = house.write("1.json", live);
        house.write("1.json.bak", backup);
        let seen = preview_recover(&path).unwrap();
        assert_eq!(house.names(), ["1.json", "1.json.bak"]);
        assert_eq!(house.read("1.json"), live);
        let done = recover(&path).unwrap();
        assert!(!seen.restored);
        assert_eq!((&seen.from, &seen.status), (&done.from, &done.status));
        assert_eq!(done.restored, wanted.is_some());
        assert_eq!(house.read("1.json"), wanted.unwrap_or(live));
    }
    let house = House::new();
    let path = house.path("1.json");
    fs::create_dir(&path).unwrap();
    house.write("1.json.bak", session(2));
    let error = |it: dalsegno_hermes::Recovery| it.error.map(|error| error.to_string());
    let seen = error(preview_recover(&path).unwrap()).unwrap();
    assert_eq!(Some(seen), error(recover(&path).unwrap()));
}
