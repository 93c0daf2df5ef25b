//! What the command of a migration gets and gives, and how it may fail.

use std::fs;
use std::process::Command;
use std::time::Duration;

use dalsegno_config::Migration;
use dalsegno_hooks::{Failure, migrate};

use crate::house::House;

/// The migration that runs a shell with `script`.
fn migration(house: &House, script: &str, rest: &str) -> Migration {
    let text = format!("[[migration]]\nto = '1'\ncommand = ['sh', '-c', '''{script}''']\n{rest}");
    house.migrations(&text).remove(0)
}

#[test]
fn it_gets_the_state_and_gives_what_it_prints() {
    let house = House::new();
    let state = format!("{{\"long\":\"{}\"}}", "x".repeat(1 << 20));
    let copy = migration(&house, "tee got", "");
    assert_eq!(migrate(&copy, state.as_bytes()).unwrap(), state.as_bytes());
    assert_eq!(fs::read_to_string(house.path("got")).unwrap(), state);
    // One that does not read, and is told nothing of hooks.
    let silent = migration(&house, "exec <&-; echo \"[$DALSEGNO_HOOK]\"", "");
    assert_eq!(migrate(&silent, state.as_bytes()).unwrap(), b"[]\n");
}

#[test]
fn how_it_failed_is_told() {
    let house = House::new();
    let failed = migrate(
        &migration(&house, "echo [] ; echo no tracks >&2; exit 3", ""),
        b"{}",
    );
    let failed = failed.unwrap_err();
    assert_eq!(
        failed.to_string(),
        "ended with exit code 3, saying: no tracks"
    );
    let text = "[[migration]]\nto = '1'\ncommand = ['./none']\n";
    let none = migrate(&house.migrations(text)[0], b"{}").unwrap_err();
    assert!(
        none.to_string()
            .starts_with("it could not be run: No such file")
    );
}

/// The child and its child both hold the pipe, and would for ever.
#[test]
fn when_its_time_is_over_all_of_it_is_killed() {
    let house = House::new();
    house.migrations("");
    let pipe = house.path("alive");
    assert!(
        Command::new("mkfifo")
            .arg(&pipe)
            .status()
            .unwrap()
            .success()
    );
    let reader = {
        let pipe = pipe.clone();
        std::thread::spawn(move || fs::read_to_string(pipe))
    };
    for script in [
        "exec 9> alive; echo [] ; sleep 100000 & sleep 100000",
        // It has ended, but something of it could still print.
        "exec 9>&-; echo []; sleep 100000 &",
    ] {
        let slow = migration(&house, script, "timeout = '1s'\n");
        let failed = migrate(&slow, b"{}").unwrap_err();
        let after = Duration::from_secs(1);
        let stderr = String::new();
        assert_eq!(failed, Failure::TimedOut { after, stderr });
    }
    // Where the first was killed before it opened it, this lets the reader in.
    drop(
        fs::OpenOptions::new()
            .read(true)
            .write(true)
            .open(pipe)
            .unwrap(),
    );
    // Nobody has it open any more.
    assert_eq!(reader.join().unwrap().unwrap(), "");
}
