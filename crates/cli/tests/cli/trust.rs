//! `trust`

use std::fs;
use std::os::unix::fs::PermissionsExt;

use serde_json::json;

use crate::common::House;

const HOOKS: &str = "[[hook]]\nevents = ['restored', 'undone']\nsessions = 'bot/*'\n\
    command = ['notify-send', \"it's back\", \"\\u001b[31m\"]\n\
    [[hook]]\nevents = ['*']\nwebhook = 'https://hooks.example.org/T0/secret'\n";

fn project(text: &str) -> House {
    let house = House::empty();
    house.write("dalsegno.toml", text);
    mode(&house, 0o600);
    house
}

fn mode(house: &House, mode: u32) {
    let file = house.path("dalsegno.toml");
    fs::set_permissions(file, fs::Permissions::from_mode(mode)).unwrap();
}

fn is_trusted(house: &House) -> bool {
    let seen = house.run(&["config", "show", "--json"]).ok().json();
    seen["left_out"] == json!([])
}

#[test]
fn all_that_it_would_run_is_shown() {
    let house = project(HOOKS);
    let ran = house.run(&["trust", "--dry-run"]).ok();
    ran.says("on restored, undone of bot/*: run notify-send \"it's back\" ")
        .says("on *: post to https://hooks.example.org/T0/secret")
        .says("dry run: nothing was changed");
    assert!(!ran.text().contains('\u{1b}'));
    assert!(!is_trusted(&house) && house.names(".") == ["dalsegno.toml"]);
    house
        .run(&["trust"])
        .ok()
        .says("trusted, until it is changed");
    assert!(is_trusted(&house));
    house.run(&["trust"]).ok().says("it was trusted already");
    house.write("dalsegno.toml", format!("{HOOKS}# changed\n"));
    assert!(!is_trusted(&house));
    house
        .run(&["trust", "--list"])
        .ok()
        .says("changed: not trusted any more");
    let seen = house.run(&["trust", "--json"]).ok().json();
    assert_eq!(
        (&seen["already"], &seen["dry_run"]),
        (&json!(false), &json!(false))
    );
    assert_eq!(
        seen["hooks"][1]["webhook"]["url"],
        "https://hooks.example.org/T0/secret"
    );
    assert_eq!(seen["sha256"].as_str().unwrap().len(), 64);
    assert!(is_trusted(&house));
}

#[test]
fn trust_is_taken_back() {
    let house = project(HOOKS);
    house
        .run(&["trust", "--remove"])
        .refused(4, "was not trusted");
    house.run(&["trust", "dalsegno.toml"]).ok();
    house
        .run(&["trust", "--remove", "--dry-run"])
        .ok()
        .says("nothing was changed");
    assert!(is_trusted(&house));
    let listed = house.run(&["trust", "--list", "--json"]).ok().json();
    assert_eq!(listed["trusted"][0]["state"], "same");
    house
        .run(&["trust", "--remove", "dalsegno.toml"])
        .ok()
        .says("not trusted any more");
    assert!(!is_trusted(&house));
    house
        .run(&["trust", "--list"])
        .ok()
        .explains("no file is trusted");
}

#[test]
fn what_cannot_be_trusted_is_refused() {
    let house = project(HOOKS);
    mode(&house, 0o666);
    house
        .run(&["trust"])
        .refused(8, "can be written by others (mode 0666)");
    house.run(&["trust", "none.toml"]).refused(4, "none.toml");
    house
        .run(&["trust", "--list", "--remove"])
        .refused(2, "cannot be used with");
    house.write("odd.toml", "hooks = 1");
    house
        .run(&["trust", "odd.toml"])
        .refused(2, "did you mean 'hook'?");
    fs::remove_file(house.path("dalsegno.toml")).unwrap();
    house
        .run(&["trust"])
        .refused(4, "there is no dalsegno.toml here or above");
}
