//! Hooks are told of what a command did, when it is done.

use std::fs;
use std::os::unix::fs::PermissionsExt;

use serde_json::{Value, json};

use crate::common::House;

fn write(house: &House, name: &str, text: &str) {
    let path = house.path(name);
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    house.write(name, text);
    fs::set_permissions(path, fs::Permissions::from_mode(0o600)).unwrap();
}

const USER: &str = ".config/dalsegno/config.toml";

fn hook(events: &str, script: &str) -> String {
    format!("[[hook]]\nevents = {events}\ncommand = [\"sh\", \"-c\", '{script}']\n")
}

fn told(house: &House) -> Vec<Value> {
    let text = fs::read_to_string(house.path("told.jsonl")).unwrap_or_default();
    text.lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect()
}

#[test]
fn a_command_gets_each_event_as_a_line() {
    let house = House::new();
    let script = format!("cat >> {}", house.path("told.jsonl").display());
    let hook = hook(
        "[\"created\", \"rolled_back\", \"shrink_guarded\"]",
        &script,
    );
    write(&house, USER, &format!("actor = 'ada'\n{hook}"));
    let saved = house.save("s", "{\"n\":1}");
    house.save("s", "{\"n\":2}");
    house.run(&["snapshot", "pin", "s@latest"]).ok();
    house.run(&["snapshot", "list"]).ok();
    house.run(&["rollback", "s"]).ok();
    house.run(&["guard", "set", "l", "."]).ok();
    house.save("l", "[1,2]");
    let saved_less = house.save("l", "[1]");
    let told = told(&house);
    let words: Vec<_> = told.iter().map(|event| event["event"].clone()).collect();
    assert_eq!(
        words,
        [
            "created",
            "created",
            "rolled_back",
            "created",
            "shrink_guarded",
            "created"
        ]
    );
    assert_eq!(told[4]["snapshot"], saved_less["guarded"]["snapshot"]);
    assert!(told.iter().all(|event| event["actor"] == "ada"));
    assert_eq!(
        (&told[0]["session"], &told[0]["snapshot"]),
        (&json!("s"), &saved["id"])
    );
    assert!(told[0]["at"].as_str().unwrap().ends_with('Z'));
}

#[test]
fn a_hook_that_fails_or_saves_harms_nobody() {
    let house = House::new();
    let store = house.store();
    let again = format!(
        "echo 1 | dalsegno --store {} snapshot save by-hook",
        store.display()
    );
    let both = hook("[\"*\"]", "echo it broke >&2; exit 3") + &hook("[\"*\"]", &again);
    write(&house, USER, &both);
    let ran = house.shell("echo 1 | dalsegno snapshot save s --json");
    ran.explains("a hook failed: the command sh")
        .explains("ended with exit code 3, saying: it broke");
    assert_eq!(ran.json()["session"], "s");
    let list = house
        .run(&["snapshot", "list", "by-hook", "--json"])
        .ok()
        .json();
    assert_eq!(list["snapshots"].as_array().unwrap().len(), 1);
}

#[test]
fn a_projects_hooks_are_run_once_it_is_trusted() {
    let house = House::new();
    let script = format!("cat >> {}", house.path("told.jsonl").display());
    write(&house, "dalsegno.toml", &hook("[\"*\"]", &script));
    house
        .feed(&["snapshot", "save", "s"], b"1")
        .explains("dalsegno trust")
        .explains("is not run");
    assert!(told(&house).is_empty());
    house.run(&["trust"]).ok();
    house.save("s", "2");
    assert_eq!(told(&house).len(), 1);
}

/// A watch runs for days: its hooks are told while it does.
#[test]
fn a_watch_tells_its_hooks_while_it_runs() {
    let house = House::new();
    let told = house.path("told");
    // Whoever reads from the pipe waits until the hook has written.
    house.shell(&format!("mkfifo {}", told.display())).ok();
    let script = format!("cat > {}", told.display());
    write(&house, USER, &hook("[\"auto_saved\"]", &script));
    write(&house, "chats/anna.json", "{\"messages\":[1]}");
    let mut watch = house
        .command(&["watch", "chats"])
        .stdout(std::process::Stdio::null())
        .spawn()
        .unwrap();
    let event: Value = serde_json::from_slice(&house.read("told")).unwrap();
    assert_eq!(
        (&event["event"], &event["session"]),
        (&json!("auto_saved"), &json!("anna"))
    );
    assert!(watch.try_wait().unwrap().is_none(), "it runs on");
    watch.kill().unwrap();
    watch.wait().unwrap();
}
