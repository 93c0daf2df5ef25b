//! The documented statuses, and what a restore makes of each.

use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt, symlink};

use dalsegno_hermes::{inspect, recover};

use crate::common::{House, session};

/// What stands there: the live file, the backup.
type Found = Option<Vec<u8>>;

fn torn(messages: usize) -> Vec<u8> {
    let mut text = session(messages);
    text.truncate(text.len() - 3);
    text
}

type Line = (&'static str, Found, Found, (i64, i64, &'static str));

/// Each line: what it is called, the two files, the three documented figures.
fn table() -> Vec<Line> {
    let some = |messages| Some(session(messages));
    vec![
        ("no backup", some(3), None, (3, -1, "no_backup")),
        ("nothing at all", None, None, (-1, -1, "no_backup")),
        (
            "torn, no backup",
            Some(torn(3)),
            None,
            (-1, -1, "no_backup"),
        ),
        ("equal", some(3), some(3), (3, 3, "no_action")),
        ("fewer in the backup", some(3), some(2), (3, 2, "no_action")),
        ("more in the backup", some(3), some(4), (3, 4, "restore")),
        ("cleared", some(0), some(1), (0, 1, "restore")),
        (
            "both without messages",
            some(0),
            some(0),
            (0, 0, "no_action"),
        ),
        ("live missing", None, some(2), (-1, 2, "restore")),
        (
            "live missing, backup without messages",
            None,
            some(0),
            (-1, 0, "restore"),
        ),
        ("live empty", Some(vec![]), some(2), (-1, 2, "restore")),
        ("live torn", Some(torn(9)), some(2), (-1, 2, "restore")),
        (
            "live of NULs",
            Some(vec![0; 4096]),
            some(2),
            (-1, 2, "restore"),
        ),
        (
            "live a list",
            Some(b"[1,2,3,4]".to_vec()),
            some(2),
            (-1, 2, "restore"),
        ),
        (
            "live bad UTF-8",
            Some(b"{\"messages\":[\"\xe9\"]}".to_vec()),
            some(2),
            (-1, 2, "restore"),
        ),
        (
            "live with a mark",
            Some([b"\xef\xbb\xbf".to_vec(), session(5)].concat()),
            some(2),
            (-1, 2, "restore"),
        ),
        (
            "messages no list",
            Some(b"{\"messages\":{}}".to_vec()),
            some(0),
            (-1, 0, "restore"),
        ),
        ("backup torn", some(3), Some(torn(9)), (3, -1, "no_action")),
        ("backup empty", some(0), Some(vec![]), (0, -1, "no_action")),
        (
            "both torn",
            Some(torn(3)),
            Some(torn(9)),
            (-1, -1, "no_action"),
        ),
        (
            "live missing, backup torn",
            None,
            Some(torn(9)),
            (-1, -1, "no_action"),
        ),
    ]
}

#[test]
fn every_status_and_what_recover_makes_of_it() {
    for (what, live, bak, (live_messages, bak_messages, recommend)) in table() {
        let house = House::new();
        let path = house.path("a.b.json");
        for (name, text) in [("a.b.json", &live), ("a.b.json.bak", &bak)] {
            if let Some(text) = text {
                house.write(name, text);
            }
        }
        let before = house.names();
        let status = format!(
            "{{\"session_id\":\"a.b\",\"live_messages\":{live_messages},\
             \"bak_messages\":{bak_messages},\"recommend\":\"{recommend}\""
        );
        let inspected = serde_json::to_string(&inspect(&path).unwrap()).unwrap();
        assert_eq!(inspected, format!("{status}}}"), "{what}");
        assert_eq!(
            house.names(),
            before,
            "{what}: an inspection leaves nothing"
        );

        let recovery = recover(&path).unwrap();
        let restored = recommend == "restore";
        let shown = serde_json::to_string(&recovery).unwrap();
        assert_eq!(
            shown,
            format!("{status},\"restored\":{restored}}}"),
            "{what}"
        );
        assert_eq!(
            recovery.displaced.is_some(),
            !house.displaced("a.b.json").is_empty()
        );
        if restored {
            assert_eq!(Some(house.read("a.b.json")), bak, "{what}");
            let kept = live.filter(|text| !text.is_empty());
            assert_eq!(house.displaced("a.b.json"), Vec::from_iter(kept), "{what}");
        } else {
            assert_eq!(house.names(), before, "{what}");
            assert_eq!(fs::read(&path).ok(), live, "{what}");
        }
        assert_eq!(
            fs::read(house.path("a.b.json.bak")).ok(),
            bak,
            "{what}: the backup stays"
        );

        let names = house.names();
        let again = recover(&path).unwrap();
        assert!(
            !again.restored && again.error.is_none(),
            "{what}: once is enough"
        );
        assert_eq!(house.names(), names, "{what}");
    }
}

#[test]
fn a_link_stays_and_what_it_leads_to_is_replaced() {
    let house = House::new();
    fs::create_dir(house.path("elsewhere")).unwrap();
    house.write("elsewhere/real.json", session(1));
    house.write("1.json.bak", session(4));
    symlink("elsewhere/real.json", house.path("1.json")).unwrap();
    assert_eq!(
        inspect(&house.path("1.json"))
            .unwrap()
            .live_messages
            .to_i64(),
        1
    );
    assert!(recover(&house.path("1.json")).unwrap().restored);
    assert_eq!(
        fs::read_link(house.path("1.json")).unwrap().to_str(),
        Some("elsewhere/real.json")
    );
    assert_eq!(house.read("elsewhere/real.json"), session(4));
    assert_eq!(house.names(), ["1.json", "1.json.bak", "elsewhere"]);
    let beside = crate::common::names(&house.path("elsewhere"));
    assert_eq!(beside.len(), 2, "{beside:?}");
}

#[test]
fn a_link_that_leads_nowhere_is_left() {
    let house = House::new();
    house.write("1.json.bak", session(4));
    symlink("unmounted/1.json", house.path("1.json")).unwrap();
    let recovery = recover(&house.path("1.json")).unwrap();
    assert!(!recovery.restored);
    let error = recovery.error.unwrap().to_string();
    assert!(error.contains("leads nowhere"), "{error}");
    assert_eq!(house.names(), ["1.json", "1.json.bak"]);
}

#[test]
fn a_folder_of_that_name_is_left() {
    let house = House::new();
    fs::create_dir(house.path("x.json")).unwrap();
    house.write("x.json.bak", session(4));
    let recovery = recover(&house.path("x.json")).unwrap();
    let shown = serde_json::to_value(&recovery).unwrap();
    assert_eq!(shown["live_messages"], -1);
    assert_eq!(shown["recommend"], "restore");
    assert_eq!(shown["restored"], false);
    assert!(
        shown["error"].as_str().unwrap().contains("is not a file"),
        "{shown}"
    );
    assert_eq!(house.names(), ["x.json", "x.json.bak"]);
    // As a backup it is no session.
    house.write("y.json", session(0));
    fs::create_dir(house.path("y.json.bak")).unwrap();
    let status = inspect(&house.path("y.json")).unwrap();
    assert_eq!(
        serde_json::to_value(status).unwrap()["recommend"],
        "no_action"
    );
}

#[test]
fn mode_and_owner_are_those_of_the_file_that_was_there() {
    let house = House::new();
    let mode = |name: &str| fs::metadata(house.path(name)).unwrap().mode() & 0o7777;
    let give = |name: &str, mode| {
        fs::set_permissions(house.path(name), fs::Permissions::from_mode(mode)).unwrap();
    };
    house.write("1.json", session(1));
    house.write("1.json.bak", session(4));
    give("1.json", 0o640);
    give("1.json.bak", 0o604);
    if crate::common::is_root() {
        std::os::unix::fs::chown(house.path("1.json"), Some(1234), Some(2345)).unwrap();
    }
    let owner = |name: &str| {
        let there = fs::metadata(house.path(name)).unwrap();
        (there.uid(), there.gid())
    };
    let before = owner("1.json");
    assert!(recover(&house.path("1.json")).unwrap().restored);
    assert_eq!((mode("1.json"), owner("1.json")), (0o640, before));
    // Without one, those of the backup.
    fs::remove_file(house.path("1.json")).unwrap();
    assert!(recover(&house.path("1.json")).unwrap().restored);
    assert_eq!(mode("1.json"), 0o604);
    assert_eq!(mode("1.json.bak"), 0o604);
}

#[test]
fn a_path_that_names_no_file_is_refused() {
    for path in ["/", ".", "..", ""] {
        let error = inspect(path.as_ref()).unwrap_err();
        assert_eq!(error.kind(), dalsegno::ErrorKind::InvalidInput, "{path}");
    }
}

#[test]
fn files_that_change_under_our_hands_are_left() {
    for changed in ["1.json", "1.json.bak"] {
        let house = House::new();
        house.write("1.json", session(1));
        house.write("1.json.bak", session(4));
        let mut asked = 0;
        let mut counter = |path: &std::path::Path| {
            asked += 1;
            // The last look, under the lock, is the fourth.
            if asked == 4 {
                house.write(changed, session(9));
            }
            Ok(dalsegno_hermes::count(path))
        };
        let recovery = dalsegno_hermes::recover_with(&house.path("1.json"), &mut counter).unwrap();
        assert!(!recovery.restored);
        let error = recovery.error.unwrap();
        assert_eq!(error.kind(), dalsegno::ErrorKind::Conflict, "{error}");
        assert!(error.to_string().contains(changed), "{error}");
        assert_eq!(house.names(), ["1.json", "1.json.bak"]);
        assert_eq!(house.read(changed), session(9));
    }
}
