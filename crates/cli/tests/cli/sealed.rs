//! Exports sealed as age files, and imported again.

use std::io::Read;

use age::secrecy::ExposeSecret;
use serde_json::json;

use crate::common::{House, Ran};

const PASSPHRASE: &str = "DALSEGNO_EXPORT_PASSPHRASE";

fn with(house: &House, passphrase: &str, arguments: &[&str]) -> Ran {
    let mut command = house.command(arguments);
    command.env(PASSPHRASE, passphrase);
    Ran::of(command.stdin(std::process::Stdio::null()).output().unwrap())
}

fn house() -> House {
    let house = House::new();
    house.save("bot/1", "{\"queue\":[\"quixotry\"]}");
    house
}

#[test]
fn an_export_for_a_recipient_is_opened_by_the_identity_and_by_any_age_program() {
    let house = house();
    let identity = age::x25519::Identity::generate();
    let recipient = identity.to_public().to_string();
    let secret = identity.to_string();
    house.write(
        "age.txt",
        format!("# a comment\n{}\n", secret.expose_secret()),
    );
    let export = ["export", "--to", "all.age", "--recipient", &recipient];
    house.run(&export).ok().says("wrote 1 snapshot to all.age");
    let sealed = house.read("all.age");
    assert!(sealed.starts_with(b"age-encryption.org/v1\n"));
    assert!(!sealed.windows(8).any(|part| part == b"quixotry"));
    let other = age::Decryptor::new(&sealed[..]).unwrap();
    let mut opened = other.decrypt(std::iter::once(&identity as _)).unwrap();
    let mut text = String::new();
    opened.read_to_string(&mut text).unwrap();
    assert!(text.contains("quixotry"));
    // To standard output as well.
    let piped = house.run(&["export", "--recipient", &recipient]).ok();
    assert!(piped.out.starts_with(b"age-encryption.org/v1\n"));

    let into = House::new();
    let file = house.path("all.age").display().to_string();
    let key = house.path("age.txt").display().to_string();
    let import = ["import", &file, "--identity", &key];
    let planned = into
        .run(&[&import[..], &["--dry-run", "--json"]].concat())
        .ok();
    assert_eq!(planned.json()["would_add"], json!(1));
    into.run(&import).ok().says("added 1 snapshot");
    into.run(&["snapshot", "show", "bot/1@latest"])
        .ok()
        .says("quixotry");

    into.run(&["import", &file])
        .refused(2, "is sealed: give --identity FILE");
    let wrong = age::x25519::Identity::generate().to_string();
    into.write("wrong.txt", wrong.expose_secret());
    let ran = into.run(&["import", &file, "--identity", "wrong.txt"]);
    ran.refused(7, "the key does not open it");
    let ran = into.run(&["import", &file, "--identity", "nowhere.txt"]);
    ran.refused(4, "nowhere.txt");
    let mut bent = sealed;
    let end = bent.len() - 1;
    bent[end] ^= 1;
    std::fs::write(into.path("bent.age"), bent).unwrap();
    let ran = into.run(&["import", "bent.age", "--identity", &key]);
    ran.refused(6, "changed or cut off");
    house
        .run(&["export", "--recipient", "age1nobody"])
        .refused(2, "'age1nobody' is no age recipient");
}

#[test]
fn an_export_with_a_passphrase_is_opened_by_it_alone() {
    let house = house();
    let export = ["export", "--to", "all.age", "--passphrase"];
    house.run(&export).refused(2, PASSPHRASE);
    with(&house, "correct horse", &export).ok();
    let import = ["import", "all.age", "--dry-run"];
    with(&house, "correct horse", &import)
        .ok()
        .says("1 was there already");
    with(&house, "wrong horse", &import).refused(7, "the key does not open it");
    house.run(&["export", "--to", "clear.json"]).ok();
    house.write("age.txt", "AGE-SECRET-KEY-1");
    house
        .run(&["import", "clear.json", "--identity", "age.txt"])
        .refused(2, "clear.json is not sealed");
}
