//! A program that is killed while it makes a backup, or restores one; the tests start it.
//!
//! It says `begin`, and `done` where it did.
#![allow(clippy::panic, clippy::unwrap_used)] // a failing test

use std::io::Write;

use dalsegno::{MakeBackup, Options, RestoreBackup, Secret};
use dalsegno_proof::backups::go_on;

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [verb, store, backups] = [0, 1, 2].map(|at| arguments[at].as_str());
    let options = match arguments.get(3) {
        Some(secret) => Options::default().secret(Secret::parse(secret).unwrap()),
        None => Options::default(),
    };
    let done = match verb {
        "full" | "incremental" => {
            let how = match verb {
                "full" => MakeBackup::full(backups),
                _ => MakeBackup::incremental(backups),
            };
            let engine = options.open(store).unwrap();
            say("begin");
            engine.back_up(&how, &mut go_on).map(drop)
        }
        "restore" => {
            say("begin");
            let how = RestoreBackup::of(backups);
            options.restore_backup(&how, store, &mut go_on).map(drop)
        }
        other => panic!("{other}"),
    };
    match done {
        Ok(()) => say("done"),
        Err(error) => say(&format!("{}: {error}", error.kind())),
    }
}

fn say(line: &str) {
    let mut out = std::io::stdout().lock();
    out.write_all(format!("{line}\n").as_bytes()).unwrap();
    out.flush().unwrap();
}
