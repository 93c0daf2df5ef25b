//! A program that is killed while it turns encryption on or off, changes keys, erases a session, or upgrades a store;
//! the tests start it.
#![allow(clippy::panic, clippy::unwrap_used)] // a failing test

use std::io::Write;

use dalsegno::{Engine, Options, Secret};

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let (verb, path) = (&*arguments[0], &*arguments[1]);
    let secret = |at: usize| Secret::parse(&arguments[at]).unwrap();
    let open = |at: usize| -> Engine { Options::default().secret(secret(at)).open(path).unwrap() };
    say("begin");
    match verb {
        "encrypt" => {
            let options = Options::default();
            options
                .encrypt(path, &secret(2), None, &mut |_| {})
                .unwrap();
        }
        "decrypt" => {
            let options = Options::default().secret(secret(2));
            options.decrypt(path, &mut |_| {}).unwrap();
        }
        "rotate" => {
            let engine = open(2);
            engine.rotate_key(&secret(2), &secret(3), None).unwrap();
        }
        "remove" => {
            let engine = open(2);
            let id = engine.key_of(&secret(3)).unwrap();
            engine.remove_key(id).unwrap();
        }
        "erase" => {
            open(2).erase_session(&arguments[3]).unwrap();
        }
        "erase-clear" => {
            let engine = Engine::open(path).unwrap();
            engine.erase_session(&arguments[3]).unwrap();
        }
        "upgrade" => Engine::open(path).unwrap().close().unwrap(),
        other => panic!("{other}"),
    }
    say("done");
}

fn say(line: &str) {
    let mut out = std::io::stdout().lock();
    out.write_all(format!("{line}\n").as_bytes()).unwrap();
    out.flush().unwrap();
}
