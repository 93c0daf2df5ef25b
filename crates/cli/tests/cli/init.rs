use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use crate::common::House;

fn mode(path: &Path) -> u32 {
    fs::metadata(path).unwrap().permissions().mode() & 0o7777
}

#[test]
fn a_store_is_made_here_for_its_owner_only() {
    let house = House::empty();
    // Even where the user's mask would leave it open to all.
    let ran = house.shell("umask 000 && dalsegno init").ok();
    ran.says("made the store")
        .says("dalsegno snapshot save SESSION --from FILE");
    assert_eq!(mode(&house.path(".dalsegno")), 0o700);
    assert_eq!(mode(&house.store()), 0o600);
    // What stands beside the store while it is open is for its owner only as well.
    let script = "umask 000 && echo 1 | dalsegno snapshot save s && echo '{}' > p.json \
                  && dalsegno snapshot restore s@latest --to fresh.json && dalsegno export --to out.json";
    house.shell(script).ok();
    assert_eq!(mode(&house.path("fresh.json")), 0o600);
    assert_eq!(mode(&house.path("out.json")), 0o600);
}

#[test]
fn the_wal_is_for_its_owner_only() {
    let house = House::new();
    house.save("s", "1");
    // A reader keeps the WAL open while a save writes it.
    let reader = rusqlite::Connection::open(house.store()).unwrap();
    reader
        .query_row("SELECT count(*) FROM snapshot", (), |row| {
            row.get::<_, i64>(0)
        })
        .unwrap();
    house.save("s", "2");
    for end in ["db-wal", "db-shm"] {
        assert_eq!(mode(&house.store().with_extension(end)), 0o600, "{end}");
    }
}

#[test]
fn a_path_is_a_file_or_a_folder() {
    let house = House::empty();
    house.run(&["init", "deep/er/states"]).ok();
    assert!(house.path("deep/er/states/store.db").is_file());
    house.run(&["init", "single.db"]).ok();
    assert!(house.path("single.db").is_file());
    house.run(&["init", "--store", "third"]).ok();
    assert!(house.path("third/store.db").is_file());
    let ran = house
        .command(&["init", "--json"])
        .env("DALSEGNO_STORE", "fourth")
        .output()
        .unwrap();
    assert!(ran.status.success());
    let made: serde_json::Value = serde_json::from_slice(&ran.stdout).unwrap();
    assert_eq!(
        made["path"],
        house.path("fourth/store.db").to_str().unwrap()
    );
    assert_eq!(made["format"], 4);
    assert_eq!(made["encrypted"], false);
    assert_eq!(made["id"].as_str().unwrap().len(), 32);
}

#[test]
fn what_is_there_stays() {
    let house = House::new();
    house.save("s", "1");
    let before = house.contents();
    let bytes = fs::read(house.store()).unwrap();
    house
        .run(&["init"])
        .refused(5, "exists already; nothing was changed");
    house
        .run(&["init", ".dalsegno/store.db"])
        .refused(5, "exists already");
    assert_eq!(fs::read(house.store()).unwrap(), bytes);
    assert_eq!(house.contents(), before);
    house.write("note", "mine");
    house.run(&["init", "note"]).refused(5, "note is a file");
    house.run(&["init", "note/deeper"]).failed(2, "note");
    assert_eq!(house.read("note"), b"mine");
    let (kind, message) = house.run(&["init", "--json"]).error();
    assert_eq!(kind, "conflict");
    assert!(message.contains("exists already"));
}

#[test]
fn the_path_is_given_once() {
    let house = House::empty();
    house
        .run(&["init", "a", "--store", "b"])
        .refused(2, "give the path once");
    house.run(&["init", ""]).refused(2, "value is required");
    assert!(house.names(".").is_empty());
}

#[test]
fn the_store_is_found_in_this_order() {
    let house = House::empty();
    for (store, session) in [
        ("flag", "f"),
        ("env", "e"),
        (".dalsegno", "h"),
        (".local/share/dalsegno", "u"),
    ] {
        house.run(&["init", store]).ok();
        house
            .feed(&["snapshot", "save", session, "--store", store], b"1")
            .ok();
    }
    let sessions = |arguments: &[&str], variable: &str| {
        let mut command = house.command(&[&["snapshot", "list", "--json"], arguments].concat());
        let ran = command.env("DALSEGNO_STORE", variable).output().unwrap();
        let page: serde_json::Value = serde_json::from_slice(&ran.stdout).unwrap();
        page["snapshots"][0]["session"].as_str().unwrap().to_owned()
    };
    assert_eq!(sessions(&["--store", "flag"], "env"), "f");
    assert_eq!(sessions(&["--store", "flag/store.db"], "env"), "f");
    assert_eq!(sessions(&[], "env"), "e");
    // An empty variable is none.
    assert_eq!(sessions(&[], ""), "h");
    fs::remove_dir_all(house.path(".dalsegno")).unwrap();
    assert_eq!(sessions(&[], ""), "u");
    // A folder that holds no store is no store.
    fs::create_dir(house.path(".dalsegno")).unwrap();
    assert_eq!(sessions(&[], ""), "u");
    fs::remove_dir_all(house.path(".local")).unwrap();
    house.run(&["snapshot", "list"]).refused(4, "dalsegno init");
}
