//! `config`, what `doctor` says of it, and the store that a configuration names.

use std::fs;

use serde_json::{Value, json};

use crate::common::House;

const USER: &str = ".config/dalsegno/config.toml";

fn user(house: &House, text: &str) {
    fs::create_dir_all(house.path(".config/dalsegno")).unwrap();
    house.write(USER, text);
    mode(house, USER, 0o600);
}

fn project(house: &House, text: &str) {
    house.write("dalsegno.toml", text);
    mode(house, "dalsegno.toml", 0o600);
}

fn mode(house: &House, name: &str, mode: u32) {
    use std::os::unix::fs::PermissionsExt;
    fs::set_permissions(house.path(name), fs::Permissions::from_mode(mode)).unwrap();
}

const HOOK: &str =
    "[[hook]]\nevents = ['restored']\nsessions = 'bot/*'\ncommand = ['sh', '-c', 'exit 0']\n";

#[test]
fn values_are_shown_with_where_they_came_from() {
    let house = House::empty();
    user(&house, "actor = 'ada'\n[watch]\nsettle = '2s'\n");
    project(&house, &format!("[watch]\nsettle = '1s'\n{HOOK}"));
    let ran = house.run(&["config", "show"]).ok();
    ran.says("KEY")
        .says("autosave.interval    5 minutes  default");
    let text = ran.text();
    let line = |key: &str| text.lines().find(|line| line.starts_with(key)).unwrap();
    assert!(line("actor").contains("ada"), "{text}");
    assert!(
        line("actor").ends_with("/.config/dalsegno/config.toml:1"),
        "{text}"
    );
    assert!(line("watch.settle").contains("1 second "), "{text}");
    assert!(line("watch.settle").ends_with("/dalsegno.toml:2"), "{text}");
    assert!(!text.contains("hook"), "{text}");
    ran.explains("is not run: the file is not trusted")
        .explains("dalsegno trust");

    let seen = house
        .run(&["config", "show", "--json", "--store", "s"])
        .ok()
        .json();
    let settings = seen["settings"].as_array().unwrap();
    assert_eq!(
        settings[0],
        json!({"key": "store", "value": "s", "origin": {"layer": "flag"}})
    );
    assert_eq!(settings[1]["origin"]["layer"], "user");
    assert_eq!(settings[1]["origin"]["line"], 1);
    let left_out = &seen["left_out"][0];
    assert_eq!(left_out["hook"], "the command sh -c exit 0");

    house.run(&["trust"]).ok();
    let ran = house.run(&["config", "show"]).ok();
    ran.says("hook.command")
        .says("restored of bot/*: the command sh -c exit 0");
    assert_eq!(ran.err, "");
}

#[test]
fn an_unknown_key_is_named_by_every_verb_that_needs_the_configuration() {
    let house = House::new();
    project(&house, "[autosave]\nintervall = '1s'");
    let said = "dalsegno.toml:2:1: unknown key 'intervall': did you mean 'interval'?";
    for arguments in [
        &["config", "show"][..],
        &["config", "check"],
        &["trust"],
        &["snapshot", "list"],
        &["doctor"],
        &["init"],
    ] {
        house.run(arguments).refused(2, said);
    }
    let (kind, message) = house.run(&["config", "check", "--json"]).error();
    assert_eq!(kind, "invalid_input");
    assert!(message.contains(said), "{message}");
    // Others can do without it, and the doctor says what is wrong.
    house
        .run(&["snapshot", "list", "--store", ".dalsegno"])
        .ok();
    house.run(&["config", "path"]).ok().says("dalsegno.toml");
    let ran = house.run(&["doctor", "--store", ".dalsegno"]);
    ran.says("problem: ")
        .says(said)
        .says("configuration  cannot be read");
    assert_eq!(ran.code, Some(1));
}

#[test]
fn the_doctor_and_check_find_the_same() {
    let house = House::new();
    let found = |arguments: &[&str]| house.run(arguments).json()["findings"].clone();
    house
        .run(&["config", "check"])
        .ok()
        .says("there is no configuration");
    project(&house, HOOK);
    let ran = house.run(&["config", "check"]).ok();
    ran.says("warning: ")
        .says("is not run: the file is not trusted")
        .says("remedy: ");
    house.run(&["doctor"]).ok().says("the file is not trusted");
    assert_eq!(
        found(&["config", "check", "--json"]),
        found(&["doctor", "--json"])
    );

    house.run(&["trust"]).ok();
    house
        .run(&["config", "check"])
        .ok()
        .says("nothing is wrong");
    assert_eq!(found(&["doctor", "--json"]), json!([]));
    let seen = house.run(&["doctor", "--json"]).ok().json();
    let file = house.path("dalsegno.toml").canonicalize().unwrap();
    assert_eq!(
        seen["configuration"]["project_file"],
        file.to_str().unwrap()
    );

    user(
        &house,
        "[[hook]]\nevents = ['*']\ncommand = ['/no/such/program']",
    );
    house.run(&["config", "check"]).failed(1, "found 1 problem");
    house.run(&["doctor"]).failed(1, "found 1 problem");
}

#[test]
fn the_files_are_named() {
    let house = House::empty();
    let ran = house.run(&["config", "path"]).ok();
    ran.says("no dalsegno.toml here or above")
        .says("not there")
        .says(USER);
    project(&house, "");
    let seen = house.run(&["config", "path", "--json"]).ok().json();
    assert_eq!(seen["project"]["exists"], true);
    assert_eq!(seen["user"]["exists"], false);
    let trusted = seen["trusted"]["path"].as_str().unwrap();
    assert!(trusted.ends_with(".local/state/dalsegno/trusted.json"));
}

#[test]
fn a_project_may_name_the_store() {
    let house = House::empty();
    for (store, session) in [
        ("flag", "flag"),
        ("env", "env"),
        ("states", "project"),
        (".dalsegno", "here"),
        ("mine", "user"),
        (".local/share/dalsegno", "data"),
    ] {
        house.run(&["init", store]).ok();
        house
            .feed(&["snapshot", "save", session, "--store", store], b"1")
            .ok();
    }
    fs::create_dir(house.path("deep")).unwrap();
    project(&house, "store = 'states'");
    user(&house, "store = '~/mine'");
    let session = |arguments: &[&str], variable: &str, folder: &str| {
        let mut command = house.command(&[&["snapshot", "list", "--json"], arguments].concat());
        command
            .current_dir(house.path(folder))
            .env("DALSEGNO_STORE", variable);
        let page: Value = serde_json::from_slice(&command.output().unwrap().stdout).unwrap();
        page["snapshots"][0]["session"].as_str().unwrap().to_owned()
    };
    assert_eq!(session(&["--store", "flag"], "env", "."), "flag");
    assert_eq!(session(&[], "env", "."), "env");
    assert_eq!(session(&[], "", "."), "project");
    // The path is the file's, not the working folder's.
    assert_eq!(session(&[], "", "deep"), "project");
    let ran = house.run(&["doctor"]).ok();
    ran.says("dalsegno.toml:1\n");
    fs::remove_file(house.path("dalsegno.toml")).unwrap();
    assert_eq!(session(&[], "", "."), "here");
    assert_eq!(session(&[], "", "deep"), "user");
    fs::remove_file(house.path(USER)).unwrap();
    assert_eq!(session(&[], "", "deep"), "data");
}

#[test]
fn init_makes_the_store_that_the_project_names() {
    let house = House::empty();
    project(&house, "store = 'states'");
    house
        .run(&["snapshot", "list"])
        .refused(4, "dalsegno.toml:1 names the store");
    house.run(&["init"]).ok();
    assert!(house.path("states/store.db").is_file());
    house.run(&["snapshot", "list"]).ok();
    // That of the user is none of a folder's own.
    let house = House::empty();
    user(&house, "store = '~/mine'");
    house.run(&["init"]).ok();
    assert!(house.store().is_file());
}
