//! Where the key of an encrypted store comes from.

use std::fs;
use std::io::{Read, Write};
use std::os::unix::fs::PermissionsExt;
use std::process::{Command, Stdio};

use rustix::termios::{LocalModes, tcgetattr};

use crate::common::{House, PROGRAM, Ran, skipped};
use crate::progress::{shown, terminal};

const USER: &str = ".config/dalsegno/config.toml";

const LIST: [&str; 2] = ["snapshot", "list"];

fn encrypted() -> House {
    let house = House::new();
    house.save("zephyrine", "1");
    house.run(&["key", "init", "--new-key-file", "key"]).ok();
    house
}

fn with(house: &House, variables: &[(&str, &str)], arguments: &[&str]) -> Ran {
    let mut command = house.command(arguments);
    command.envs(variables.iter().copied());
    Ran::of(command.stdin(Stdio::null()).output().unwrap())
}

fn write(house: &House, name: &str, text: &str, mode: u32) {
    let path = house.path(name);
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    house.write(name, text);
    fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
}

#[test]
fn each_source_opens_the_store_and_the_first_one_counts() {
    let house = encrypted();
    write(&house, "wrong", "battery staple", 0o600);
    let key = String::from_utf8(house.read("key")).unwrap();
    let sources = [
        ("DALSEGNO_KEY_FILE", "key", "wrong"),
        ("DALSEGNO_KEY", key.as_str(), "battery staple"),
        (
            "DALSEGNO_KEY_COMMAND",
            "cat key; echo more",
            "echo battery staple",
        ),
    ];
    for (name, right, wrong) in sources {
        with(&house, &[(name, right)], &LIST).ok().says("zephyrine");
        with(&house, &[(name, wrong)], &LIST).refused(7, &format!("{name}: "));
    }
    // An empty variable is an unset one.
    let empty = sources.map(|(name, ..)| (name, ""));
    with(&house, &empty, &LIST).refused(7, "no key was given");
    for first in 0..sources.len() {
        let set: Vec<_> = sources
            .iter()
            .enumerate()
            .map(|(n, (name, right, wrong))| (*name, if n == first { *right } else { *wrong }))
            .skip(first)
            .collect();
        with(&house, &set, &LIST).ok().says("zephyrine");
    }
    let wrong = sources.map(|(name, _, wrong)| (name, wrong));
    with(
        &house,
        &wrong,
        &[&LIST[..], &["--key-file", "key"]].concat(),
    )
    .ok()
    .says("zephyrine");
}

#[test]
fn a_configuration_names_the_file_or_the_command() {
    let house = encrypted();
    fs::create_dir(house.path("secrets")).unwrap();
    fs::rename(house.path("key"), house.path("secrets/key")).unwrap();
    // Relative to the file that says so.
    write(&house, USER, "[key]\nfile = '../../secrets/key'", 0o600);
    house.run(&LIST).ok().says("zephyrine");
    house
        .run(&["config", "show"])
        .ok()
        .says("key.file")
        .says("config.toml:2");
    write(
        &house,
        USER,
        "[key]\ncommand = 'cat \"$HOME\"/secrets/key'",
        0o600,
    );
    house.run(&LIST).ok().says("zephyrine");
    write(&house, USER, "[key]\ncommand = 'exit 3'", 0o600);
    house
        .run(&LIST)
        .refused(1, "the key's command 'exit 3' failed");
    house
        .run(&[&LIST[..], &["--key-file", "secrets/key"]].concat())
        .ok();
    fs::remove_file(house.path(USER)).unwrap();

    write(
        &house,
        "dalsegno.toml",
        "[key]\nfile = 'secrets/key'",
        0o600,
    );
    house.run(&LIST).ok().says("zephyrine");
    write(
        &house,
        "dalsegno.toml",
        "[key]\nfile = 'secrets/key'",
        0o606,
    );
    house
        .run(&LIST)
        .refused(8, "names the key's file, but can be written by others");
    write(
        &house,
        "dalsegno.toml",
        "[key]\ncommand = 'touch ran; cat secrets/key'",
        0o600,
    );
    house
        .run(&LIST)
        .refused(7, "no key was given")
        .explains("is not run: the file is not trusted")
        .explains("dalsegno trust");
    assert!(!house.path("ran").exists());
    house.run(&["config", "show"]).ok().explains("is not run");
    house
        .run(&["trust"])
        .ok()
        .says("for the key of the store: run sh -c 'touch ran; cat secrets/key'");
    house.run(&LIST).ok().says("zephyrine");
    assert!(house.path("ran").exists());
}

#[test]
fn a_configuration_that_cannot_be_read_is_no_reason_to_go_on_in_clear() {
    let house = encrypted();
    write(&house, "dalsegno.toml", "[keys]", 0o600);
    let store = ["--store", ".dalsegno"];
    house
        .run(&[&LIST[..], &store].concat())
        .refused(2, "did you mean 'key'?");
    house
        .run(&[&LIST[..], &store, &["--key-file", "key"]].concat())
        .ok()
        .says("zephyrine");
    house
        .run(&["init", "new"])
        .refused(2, "did you mean 'key'?");
    assert!(!house.path("new").exists());
}

#[test]
fn a_file_that_all_can_read_is_refused() {
    let house = encrypted();
    fs::set_permissions(house.path("key"), fs::Permissions::from_mode(0o644)).unwrap();
    let list = [&LIST[..], &["--key-file", "key"]].concat();
    house
        .run(&list)
        .refused(2, "everybody on this machine can read the key in key");
    house
        .run(&["key", "init", "--new-key-file", "key", "--store", "none"])
        .refused(4, "none");
    fs::remove_file(house.path("key")).unwrap();
    house.run(&list).refused(4, "reading the key in key");
}

#[test]
fn a_command_is_run_once_however_often_the_store_is_opened() {
    let house = encrypted();
    let counted = [("DALSEGNO_KEY_COMMAND", "echo >> runs; cat key")];
    fs::create_dir(house.path("chats")).unwrap();
    house.write("chats/anna.json", "{\"messages\":[1]}");
    with(&house, &counted, &["watch", "chats", "--once"]).ok();
    assert_eq!(house.read("runs"), b"\n");
    with(&house, &counted, &["key", "list"]).ok();
    assert_eq!(house.read("runs"), b"\n\n");
}

#[test]
fn nobody_is_asked_where_there_is_no_terminal() {
    let house = encrypted();
    house.run(&LIST).refused(7, "no key was given");
    // What is piped in is a state, and no answer.
    house
        .feed(&["snapshot", "save", "s"], b"\"correct horse\"")
        .refused(7, "no key was given");
    for verb in ["add", "rotate"] {
        let ran = house.run(&["key", verb, "--new-passphrase", "--key-file", "key"]);
        ran.refused(
            2,
            "there is no terminal to ask for a passphrase at: set DALSEGNO_NEW_KEY",
        );
    }
    // Standard error is no terminal.
    let (outside, inside) = terminal();
    let child = house
        .command(&LIST)
        .stdin(inside)
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn();
    Ran::of(child.unwrap().wait_with_output().unwrap()).refused(7, "no key was given");
    drop(outside);
}

#[test]
fn a_service_is_told_where_the_key_is_or_not_made() {
    let house = encrypted();
    fs::create_dir(house.path("chats")).unwrap();
    let service = ["watch", "service", "chats"];
    let unit = house
        .run(&[&service[..], &["--key-file", "key"]].concat())
        .ok()
        .text();
    let key = house.path("key").canonicalize().unwrap();
    assert!(
        unit.contains(&format!("\"--key-file\" \"{}\"", key.display())),
        "{unit}"
    );
    with(&house, &[("DALSEGNO_KEY_COMMAND", "cat key")], &service).refused(2, "--key-file");
}

#[test]
fn sonoractl_is_given_the_key_in_the_same_ways() {
    let house = House::new();
    house.save("sonora/7", "{}");
    house.run(&["key", "init", "--new-key-file", "key"]).ok();
    let run = |arguments: &[&str], variables: &[(&str, &str)]| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_sonoractl"));
        command.args(["snapshot", "list"]).args(arguments);
        house.settle(&mut command);
        command.envs(variables.iter().copied());
        Ran::of(command.stdin(Stdio::null()).output().unwrap())
    };
    let refused = run(&[], &[]);
    assert_eq!((refused.code, refused.out.len()), (Some(7), 0), "{refused}");
    assert_eq!(run(&["--key-file", "key"], &[]).code, Some(0));
    run(&[], &[("DALSEGNO_KEY_COMMAND", "cat key")]).says("sonora/7");
}

/// Types at a terminal of the program's own, each answer once it is asked for and not echoed any more.
fn typing(
    house: &House,
    arguments: &[&str],
    answers: &[(&str, &str)],
) -> Option<(Option<i32>, String)> {
    if Command::new("setsid").arg("--version").output().is_err() {
        skipped("setsid is not here");
        return None;
    }
    let (mut outside, inside) = terminal();
    let mut command = Command::new("setsid");
    command.args(["--ctty", "--wait", PROGRAM]).args(arguments);
    house.settle(&mut command);
    command.env("TERM", "xterm");
    command
        .stdin(inside.try_clone().unwrap())
        .stdout(inside.try_clone().unwrap());
    let mut child = command.stderr(inside).spawn().unwrap();
    drop(command);
    let mut seen = String::new();
    for (prompt, answer) in answers {
        let mut part = [0; 256];
        while !seen.ends_with(prompt) {
            let count = outside.read(&mut part).unwrap();
            seen.push_str(&String::from_utf8_lossy(&part[..count]));
        }
        while tcgetattr(&outside)
            .unwrap()
            .local_modes
            .contains(LocalModes::ECHO)
        {
            std::thread::yield_now();
        }
        outside.write_all(answer.as_bytes()).unwrap();
    }
    seen.push_str(&shown(outside));
    Some((child.wait().unwrap().code(), seen))
}

#[test]
fn a_passphrase_is_typed_unseen() {
    let house = House::new();
    house.save("zephyrine", "1");
    let prompts = ["new passphrase: ", "once more: "];
    let init = ["key", "init", "--new-passphrase"];
    let differ = [
        (prompts[0], "correct horse\r"),
        (prompts[1], "correct hose\r"),
    ];
    let Some((code, seen)) = typing(&house, &init, &differ) else {
        return;
    };
    assert!(
        code == Some(2) && seen.contains("not the same; nothing was changed"),
        "{seen}"
    );
    house.run(&LIST).ok();
    let same = [
        (prompts[0], "correct horse\r"),
        (prompts[1], "correct horse\r"),
    ];
    let (code, seen) = typing(&house, &init, &same).unwrap();
    assert!(
        code == Some(0) && seen.contains("the passphrase opens it from now on"),
        "{seen}"
    );
    assert!(!seen.contains("horse"), "{seen}");

    let asked = "passphrase of .dalsegno: ";
    let (code, seen) = typing(&house, &LIST, &[(asked, "correct horse\r")]).unwrap();
    assert!(
        code == Some(0) && seen.contains("zephyrine") && !seen.contains("horse"),
        "{seen}"
    );
    let (code, seen) = typing(&house, &LIST, &[(asked, "battery staple\r")]).unwrap();
    assert!(
        code == Some(7) && seen.contains("the passphrase that was typed: "),
        "{seen}"
    );
    assert!(
        !seen.contains("zephyrine") && !seen.contains("staple"),
        "{seen}"
    );
    // Ctrl-C.
    let (code, seen) = typing(&house, &LIST, &[(asked, "\u{3}")]).unwrap();
    assert!(code == Some(130) && seen.contains("interrupted"), "{seen}");
    // A watch opens the store twice and asks once.
    fs::create_dir(house.path("chats")).unwrap();
    let watch = ["watch", "chats", "--once"];
    let (code, seen) = typing(&house, &watch, &[(asked, "correct horse\r")]).unwrap();
    assert_eq!((code, seen.matches(asked).count()), (Some(0), 1), "{seen}");
}
