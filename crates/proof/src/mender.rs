//! A program that is killed, or whose disk is full, while it repairs a store or builds it anew; the tests start it.
#![allow(clippy::panic, clippy::unwrap_used)] // a failing test

use std::io::Write;

use dalsegno::{Engine, Options, Repair};

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let (verb, path, mirror) = (&*arguments[0], &*arguments[1], &*arguments[2]);
    let mirror = Engine::open(mirror).unwrap();
    say("begin");
    let done = match verb {
        "repair" => Engine::open(path)
            .and_then(|engine| engine.repair(&Repair::default().from(&mirror)))
            .map(drop),
        "rebuild" => Options::default().rebuild(path, &[&mirror]).map(drop),
        other => panic!("{other}"),
    };
    if let Err(error) = done {
        say(&format!("failed: {error}"));
        std::process::exit(1);
    }
    say("done");
}

fn say(line: &str) {
    let mut out = std::io::stdout().lock();
    // Whoever reads may be gone.
    drop(out.write_all(format!("{line}\n").as_bytes()));
    drop(out.flush());
}
