//! `export` and `import`.

use std::fs;
use std::os::unix::fs::PermissionsExt;

use serde_json::{Value, json};

use crate::common::{House, skipped};

fn full() -> House {
    let house = House::new();
    house
        .feed(
            &[
                "snapshot", "save", "bot/1", "--name", "one", "--tag", "t", "--meta", "k=v",
            ],
            b" {\"a\":1.50}\n",
        )
        .ok();
    house.save("bot/1", "{\"a\":2}");
    house.save("game/1", "{\"turn\":7}");
    house
}

#[test]
fn an_export_goes_round() {
    let house = full();
    let exported = house.run(&["export"]).ok().out;
    let all: Value = serde_json::from_slice(&exported).unwrap();
    assert_eq!(all["dalsegno_export"], 1);
    assert_eq!(all["snapshots"].as_array().unwrap().len(), 3);
    assert_eq!(all["snapshots"][2]["state"]["turn"], 7);
    let ran = house.run(&["export", "--to", "all.json"]).ok();
    ran.says("wrote 3 snapshots to all.json");
    assert_eq!(house.read("all.json"), exported);
    let wrote = house
        .run(&["export", "--to", "one.json", "--session", "bot/1", "--json"])
        .ok()
        .json();
    let bytes = house.read("one.json").len();
    assert_eq!(
        wrote,
        json!({"path": "one.json", "snapshots": 2, "bytes": bytes})
    );

    let other = House::new();
    other.write("all.json", &exported);
    let planned = other
        .run(&["import", "all.json", "--dry-run", "--json"])
        .ok()
        .json();
    let expected = json!({"dry_run": true, "would_add": 3, "present": 0, "sessions": {"bot/1": 2, "game/1": 1}});
    assert_eq!(planned, expected);
    assert!(other.contents().contains("\"snapshots\":[]"));
    other
        .run(&["import", "all.json"])
        .ok()
        .says("added 3 snapshots; 0 were there already");
    assert_eq!(
        other.run(&["snapshot", "show", "one"]).ok().text(),
        " {\"a\":1.50}\n"
    );
    let one = other
        .run(&["snapshot", "info", "one", "--json"])
        .ok()
        .json();
    assert_eq!(one["kind"], "import");
    assert_eq!(one["operation"]["from"], all["snapshots"][0]["id"]);
    assert_eq!(one["created_at"], all["snapshots"][0]["created_at"]);
    assert_eq!(one["metadata"], json!({"k": "v"}));
    let before = other.contents();
    let again = other
        .feed(&["import", "-", "--json"], &exported)
        .ok()
        .json();
    assert_eq!(again, json!({"added": [], "present": 3}));
    // Where they came from they were never gone.
    house
        .run(&["import", "all.json"])
        .ok()
        .says("added 0 snapshots; 3 were there already");
    assert_eq!(other.contents(), before);
    other.run(&["verify"]).ok();
}

#[test]
fn an_export_replaces_a_file_as_a_whole() {
    let house = full();
    house.write("all.json", "older");
    fs::set_permissions(house.path("all.json"), fs::Permissions::from_mode(0o644)).unwrap();
    house
        .run(&["export", "--session", "nobody", "--to", "all.json"])
        .refused(4, "no session 'nobody'");
    assert_eq!(house.read("all.json"), b"older");
    house.run(&["export", "--to", "all.json"]).ok();
    let mode = fs::metadata(house.path("all.json"))
        .unwrap()
        .permissions()
        .mode();
    assert_eq!(mode & 0o777, 0o600);
    assert_eq!(house.names("."), [".dalsegno", "all.json"]);
    fs::create_dir(house.path("folder")).unwrap();
    house
        .run(&["export", "--to", "folder"])
        .refused(2, "folder");
    house
        .run(&["export", "--to", "missing/all.json"])
        .refused(4, "missing does not exist");
    house
        .run(&["export", "--to", ".dalsegno/store.db"])
        .refused(2, "the store itself");
    house.shell("mkfifo fifo").ok();
    house
        .run(&["export", "--to", "fifo"])
        .refused(2, "not a file");
    assert!(house.names("folder").is_empty());
}

#[test]
fn what_is_no_export_adds_nothing() {
    let house = full();
    let exported = house.run(&["export"]).ok().text();
    let before = house.contents();
    let other = House::new();
    for (text, code, part) in [
        (String::new(), 2, "no export of Dalsegno"),
        ("{}".to_owned(), 2, "no export of Dalsegno"),
        ("\u{0}\u{1}binary".to_owned(), 2, "no export of Dalsegno"),
        (
            exported.replace("\"dalsegno_export\":1", "\"dalsegno_export\":2"),
            2,
            "version 2",
        ),
        (
            exported.replace("\"turn\":7}", "\"turn\":8}"),
            6,
            "checksum",
        ),
        (exported.replace("\"game/1\"", "\"../1\""), 2, "'..'"),
    ] {
        for dry in [&["import", "-", "--dry-run"][..], &["import", "-"]] {
            let ran = other.feed(dry, text.as_bytes());
            ran.refused(code, part);
            assert!(other.contents().contains("\"snapshots\":[]"), "{part}");
        }
    }
    house
        .run(&["import", "missing.json"])
        .refused(4, "missing.json");
    house
        .run(&["import", ".dalsegno/store.db"])
        .refused(2, "the store itself");
    assert_eq!(house.contents(), before);
}

#[test]
fn a_name_that_is_taken_adds_nothing() {
    let house = full();
    let exported = house.run(&["export"]).ok().out;
    let other = House::new();
    other
        .feed(&["snapshot", "save", "bot/1", "--name", "one"], b"0")
        .ok();
    let before = other.contents();
    for arguments in [&["import", "-"][..], &["import", "-", "--dry-run"]] {
        let ran = other.feed(arguments, &exported);
        ran.refused(
            5,
            "session bot/1 would have two snapshots named 'one'; nothing was imported",
        );
    }
    assert_eq!(other.contents(), before);
}

/// A limit on the size of files stands in for a disk that fills up.
#[test]
fn an_import_that_stops_half_way_says_so() {
    let house = House::new();
    let mut random: u64 = 1;
    for n in 0..30 {
        // What does not compress.
        let text: String = (0..20_000)
            .map(|_| {
                random = random
                    .wrapping_mul(6_364_136_223_846_793_005)
                    .wrapping_add(1);
                char::from(b'a' + u8::try_from(random >> 59).unwrap() % 26)
            })
            .collect();
        house.save("s", &format!("{{\"n\":{n},\"text\":\"{text}\"}}"));
    }
    house.run(&["export", "--to", "all.json"]).ok();
    let other = House::new();
    fs::copy(house.path("all.json"), other.path("all.json")).unwrap();
    let ran = other.shell("ulimit -f 200; trap '' XFSZ; dalsegno import all.json");
    if ran.code == Some(0) {
        return skipped("this shell sets no limit on the size of files");
    }
    let ran = ran.refused(
        3,
        "of 30 snapshots were added; run it again to add the rest",
    );
    let added: u64 = ran.err.split(' ').nth(2).unwrap().parse().unwrap();
    assert!((1..30).contains(&added), "{ran}");
    other.run(&["verify"]).ok();
    other
        .run(&["import", "all.json"])
        .ok()
        .says(&format!("added {} snapshots; {added} w", 30 - added));
    assert_eq!(
        other.run(&["snapshot", "list", "s", "--json"]).ok().json()["snapshots"]
            .as_array()
            .unwrap()
            .len(),
        30
    );
}
