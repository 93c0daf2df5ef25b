//! `key`: a store is encrypted, its keys change, and it is in clear again.

use std::fs;
use std::os::unix::fs::PermissionsExt;

use dalsegno::store::SqliteOptions;
use dalsegno::{Options, Secret};
use serde_json::json;

use crate::common::{House, Ran};

/// What is only in the store.
const STATE: &str = "{\"queue\":[\"zephyrine\"]}";

fn text(house: &House, name: &str) -> String {
    String::from_utf8(house.read(name))
        .unwrap()
        .trim()
        .to_owned()
}

fn with(house: &House, variables: &[(&str, &str)], arguments: &[&str]) -> Ran {
    let mut command = house.command(arguments);
    command.envs(variables.iter().copied());
    Ran::of(command.stdin(std::process::Stdio::null()).output().unwrap())
}

/// With a state in it, and encrypted with the key in `key`.
fn encrypted() -> House {
    let house = House::new();
    house.save("bot/zephyrine", STATE);
    house.run(&["key", "init", "--new-key-file", "key"]).ok();
    house
}

#[test]
fn a_store_is_encrypted_its_keys_change_and_it_is_in_clear_again() {
    let house = House::new();
    house.save("bot/zephyrine", STATE);
    let before = house.contents();
    let new = [("DALSEGNO_NEW_KEY", "correct horse")];

    let ran = house.run(&["key", "generate", "key"]).ok();
    ran.says("made a key in key")
        .says("away from the store and its backups");
    let mode = fs::metadata(house.path("key"))
        .unwrap()
        .permissions()
        .mode();
    assert_eq!(mode & 0o7777, 0o600);
    let key = text(&house, "key");
    house
        .run(&["key", "generate", "key"])
        .refused(5, "key is there already; nothing was changed");
    assert_eq!(text(&house, "key"), key);

    let ran = house
        .run(&["key", "init", "--new-key-file", "key", "--label", "server"])
        .ok();
    ran.says("rows sealed")
        .says("the key in key opens it from now on")
        .says("not reached");
    assert!(
        !fs::read(house.store())
            .unwrap()
            .windows(9)
            .any(|it| it == b"zephyrine")
    );
    let list = ["snapshot", "list", "--json", "--limit", "10000"];
    let refused = house.run(&list);
    assert_eq!(
        (refused.code, refused.error().0.as_str()),
        (Some(7), "wrong_key")
    );
    house
        .run(&["snapshot", "list"])
        .refused(7, "--key-file, or set DALSEGNO_KEY");
    let opened = [&list[..], &["--key-file", "key"]].concat();
    assert_eq!(house.run(&opened).ok().text(), before);
    house
        .run(&[
            "snapshot",
            "show",
            "bot/zephyrine@latest",
            "--key-file",
            "key",
        ])
        .ok()
        .says(STATE);

    let ran = with(
        &house,
        &new,
        &[
            "key",
            "add",
            "--new-passphrase",
            "--label",
            "paper",
            "--key-file",
            "key",
        ],
    )
    .ok();
    ran.says("key 2 (passphrase, 'paper') opens the store too: what DALSEGNO_NEW_KEY holds");
    let typed = [("DALSEGNO_KEY", "correct horse")];
    let listed = with(&house, &typed, &["key", "list"]).ok().text();
    let lines: Vec<_> = listed.lines().collect();
    assert!(
        lines[1].starts_with("1   key ") && lines[1].ends_with("server"),
        "{listed}"
    );
    assert!(
        lines[2].starts_with("2   passphrase ") && lines[2].contains("paper"),
        "{listed}"
    );
    assert!(lines[2].ends_with("in use now"), "{listed}");

    let ran = house
        .run(&[
            "key",
            "rotate",
            "--new-key-file",
            "next",
            "--key-file",
            "key",
        ])
        .ok();
    ran.says("key 3 (key) opens the store in the place of key 1");
    let opens = ["snapshot", "list", "--key-file", "key"];
    house
        .run(&opens)
        .refused(7, "--key-file key: ")
        .explains("the key does not open this store");
    let next = ["--key-file", "next"];
    assert_eq!(house.run(&[&list[..], &next].concat()).ok().text(), before);

    house
        .run(&[&["key", "remove", "9"], &next[..]].concat())
        .refused(4, "no key 9");
    house
        .run(&[&["key", "remove", "2"], &next[..]].concat())
        .ok()
        .says("key 2 (passphrase, 'paper')");
    with(&house, &typed, &["snapshot", "list"])
        .refused(7, "the passphrase does not open this store");
    house
        .run(&[&["key", "remove", "3"], &next[..]].concat())
        .refused(5, "--all");
    let keys = house
        .run(&[&["key", "list", "--json"], &next[..]].concat())
        .ok()
        .json();
    assert_eq!(
        (&keys["encrypted"], &keys["keys"][0]["id"]),
        (&json!(true), &json!(3))
    );
    assert_eq!(
        (&keys["keys"][0]["in_use"], &keys["keys"][1]),
        (&json!(true), &json!(null))
    );

    let off = house
        .run(&[&["key", "remove", "--all"], &next[..]].concat())
        .ok();
    off.says("the store is in clear");
    assert_eq!(house.contents(), before);
    house
        .run(&["key", "remove", "--all"])
        .refused(5, "the store is not encrypted");
    house.run(&["key", "list"]).ok().explains("not encrypted");
    house
        .run(&["key", "add", "--new-key-file", "key"])
        .refused(5, "`dalsegno key init`");
    // It was asked for a store that only this key opens: that is another one.
    house
        .run(&opens)
        .refused(7, "--key-file key: ")
        .explains("the store is not encrypted");
    house.run(&["verify"]).ok();
}

#[test]
fn a_new_store_is_encrypted_where_a_key_is_given() {
    let house = House::empty();
    house.run(&["key", "generate", "key"]).ok();
    let made = house
        .run(&["init", "--key-file", "key", "--json"])
        .ok()
        .json();
    assert_eq!(made["encrypted"], true);
    house.run(&["snapshot", "list"]).refused(7, "is encrypted");
    let ran = house.run(&["init", "other", "--key-file", "key"]).ok();
    ran.says("made the encrypted store")
        .says("--store other --key-file key");
    // A key that is named and not there is no reason to make a store in clear.
    house
        .run(&["init", "third", "--key-file", "none"])
        .refused(4, "reading the key in none");
    assert_eq!(house.names("."), [".dalsegno", "key", "other"]);
}

#[test]
fn a_rehearsal_changes_nothing() {
    let house = House::new();
    house.save("s", STATE);
    let before = (house.bytes(), house.names("."));
    let refused = house.run(&["key", "init", "--dry-run"]);
    refused.refused(2, "--new-key-file FILE or --new-passphrase");
    let ran = house
        .run(&["key", "init", "--new-key-file", "key", "--dry-run"])
        .ok();
    ran.says("dry run: nothing was changed");
    assert_eq!((house.bytes(), house.names(".")), before);

    let house = encrypted();
    let new = [("DALSEGNO_NEW_KEY", "correct horse")];
    with(
        &house,
        &new,
        &["key", "add", "--new-passphrase", "--key-file", "key"],
    )
    .ok();
    let before = (house.bytes(), house.names("."));
    for verb in [
        &["key", "add", "--new-key-file", "other"][..],
        &["key", "rotate", "--new-key-file", "other"],
        &["key", "remove", "2"],
        &["key", "remove", "--all"],
        &["key", "wipe"],
    ] {
        let rehearsal = [verb, &["--dry-run", "--key-file", "key"]].concat();
        house.run(&rehearsal).ok();
        assert_eq!(
            house
                .run(&[&rehearsal[..], &["--json"]].concat())
                .ok()
                .json()["dry_run"],
            true
        );
        assert_eq!((house.bytes(), house.names(".")), before, "{verb:?}");
    }
    house
        .run(&["key", "init", "--new-key-file", "other"])
        .refused(5, "encrypted already");
    let again = ["key", "init", "--new-key-file", "key"];
    house.run(&again).refused(5, "encrypted already");
    house
        .run(&[&again[..], &["--dry-run"]].concat())
        .refused(5, "encrypted already");
    let last = ["key", "remove", "3", "--dry-run", "--key-file", "key"];
    house.run(&last).refused(4, "no key 3");
    assert_eq!((house.bytes(), house.names(".")), before);
}

/// Somebody reads while the file is to be written anew, so that the log beside it stays.
fn interrupted(house: &House, work: impl FnOnce(Options) -> dalsegno::Result<dalsegno::Turned>) {
    let reader = rusqlite::Connection::open(house.store()).unwrap();
    reader
        .execute_batch("BEGIN; SELECT count(*) FROM snapshot")
        .unwrap();
    let hasty = SqliteOptions {
        busy_timeout: std::time::Duration::from_millis(1),
        ..SqliteOptions::default()
    };
    let error = work(Options::default().sqlite(hasty)).unwrap_err();
    assert!(error.is_partly_done(), "{error}");
}

#[test]
fn what_was_interrupted_is_finished() {
    let house = House::new();
    house.save("s", STATE);
    house.run(&["key", "generate", "key"]).ok();
    let secret = Secret::from_file(house.path("key")).unwrap();
    let encrypt = |options: Options| options.encrypt(house.store(), &secret, None, &mut |_| ());
    let decrypt = |options: Options| {
        options
            .secret(secret.clone())
            .decrypt(house.store(), &mut |_| ())
    };
    let key = ["--key-file", "key"];
    let doctor = [&["doctor"], &key[..]].concat();

    interrupted(&house, encrypt);
    house
        .run(&doctor)
        .ok()
        .says("may still be found")
        .says("`key wipe` writes them anew");
    let init = ["key", "init", "--new-key-file", "key"];
    house
        .run(&[&init[..], &["--dry-run"]].concat())
        .ok()
        .says("would be written anew");
    house
        .run(&["key", "init", "--new-key-file", "other"])
        .refused(5, "encrypted already");
    house.run(&init).ok().says("finished encrypting");
    assert!(
        !house
            .run(&doctor)
            .ok()
            .text()
            .contains("may still be found")
    );

    interrupted(&house, decrypt);
    house.run(&["key", "remove", "--all"]).ok();
    house
        .run(&["key", "wipe"])
        .ok()
        .says("nothing is left to be done");

    interrupted(&house, encrypt);
    let wipe = [&["key", "wipe"], &key[..]].concat();
    house
        .run(&[&wipe[..], &["--dry-run"]].concat())
        .ok()
        .says("would be written anew");
    house.run(&wipe).ok().says("were written anew");
    house.run(&wipe).ok().says("nothing is left to be done");
}

#[test]
fn the_doctor_looks_where_the_key_lies() {
    let house = encrypted();
    let ran = house.run(&["doctor", "--key-file", "key"]).ok();
    ran.says("encryption     on, opened by --key-file key")
        .says("nothing is wrong");
    assert!(!ran.text().contains("beside the store"));
    fs::rename(house.path("key"), house.path(".dalsegno/key")).unwrap();
    let key = ["--key-file", ".dalsegno/key"];
    house
        .run(&[&["doctor"], &key[..]].concat())
        .ok()
        .says("the key lies beside the store");
    let seen = house
        .run(&[&["doctor", "--json"], &key[..]].concat())
        .ok()
        .json();
    assert_eq!(
        (&seen["encrypted"], &seen["key_by"]),
        (&json!(true), &json!("--key-file .dalsegno/key"))
    );
    let seen = House::new().run(&["doctor", "--json"]).ok().json();
    assert_eq!(
        (&seen["encrypted"], &seen["key_by"]),
        (&json!(false), &json!(null))
    );
}

/// Whatever is said, in whatever way: never the secret.
#[test]
fn no_secret_is_ever_said() {
    let house = House::new();
    house.save("s", STATE);
    house.run(&["key", "generate", "key"]).ok();
    house.run(&["key", "generate", "other"]).ok();
    let key = text(&house, "key");
    let secrets = [
        key.clone(),
        text(&house, "other"),
        "correct horse".to_owned(),
        "battery staple".to_owned(),
    ];
    let half = &key[..key.len() - 2];
    let given = [
        ("DALSEGNO_KEY", key.as_str()),
        ("DALSEGNO_NEW_KEY", "correct horse"),
    ];
    let mut said = String::new();
    let mut run = |variables: &[(&str, &str)], arguments: &[&str]| {
        for json in [&[][..], &["--json"]] {
            let ran = with(&house, variables, &[arguments, json].concat());
            said.push_str(&ran.to_string());
        }
    };
    run(&given[..1], &["snapshot", "list"]);
    run(&given, &["config", "show"]);
    run(&[("DALSEGNO_NEW_KEY", &key)], &["key", "init", "--dry-run"]);
    run(&[("DALSEGNO_NEW_KEY", half)], &["key", "init"]);
    run(&[("DALSEGNO_NEW_KEY", &key)], &["key", "init"]);
    run(&[("DALSEGNO_KEY", half)], &["snapshot", "list"]);
    run(&[("DALSEGNO_KEY", "battery staple")], &["snapshot", "list"]);
    run(&given, &["key", "add"]);
    run(&given, &["key", "add"]);
    run(&given, &["key", "list"]);
    run(&given, &["doctor"]);
    run(&given, &["config", "check"]);
    run(
        &[("DALSEGNO_KEY_COMMAND", "cat key; cat key >&2; exit 1")],
        &["key", "list"],
    );
    run(
        &[("DALSEGNO_KEY_COMMAND", "cat key | head -c 40")],
        &["key", "list"],
    );
    run(&given, &["key", "rotate", "--new-key-file", "other"]);
    run(&given, &["key", "remove", "--all"]);
    run(
        &[("DALSEGNO_KEY", "correct horse")],
        &["key", "remove", "--all"],
    );
    for secret in &secrets {
        // Not even the beginning of a key.
        let telling = secret
            .strip_prefix("dalsegno-key-")
            .map_or(secret.as_str(), |it| &it[..12]);
        assert!(!said.contains(telling), "{said}");
    }
    assert!(said.contains("DALSEGNO_KEY: "), "{said}");
}
