//! A program that is killed while it saves, or runs beside others on one store; the tests start it.
//!
//! Every line on its standard output is a promise: `ack SESSION WHO N ID`; of one that keeps house, see
//! there.
#![allow(clippy::panic, clippy::unwrap_used)] // a failing test

use std::io::{Read, Write};
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

use dalsegno::{
    Attendant, AutoSaving, Engine, ErrorKind, Happened, Options, Peer, Query, Request, Restored,
    Secret, Snapshot, State,
};
use dalsegno_proof::house::{House, choose};
use dalsegno_proof::state;
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use serde_json::json;

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let number = |at: usize| arguments[at].parse::<u64>().unwrap();
    let path = Path::new(&arguments[1]);
    match &*arguments[0] {
        "until-killed" => until_killed(path, number(2), arguments.get(3)),
        "write" => write(path, number(2), number(3)),
        "read" => read(path),
        "auto-save" => auto_save(path, number(2)),
        "hold" => hold(path, number(2)),
        "attend" => attend(path),
        "ask" => ask(path, number(2), number(3)),
        "succeed" => succeed(path, number(2)),
        "keep-house" => keep_house(path, number(2), number(3)),
        other => panic!("{other}"),
    }
}

fn acknowledge(session: &str, who: u64, n: u64, snapshot: &Snapshot) {
    let line = format!("ack {session} {who} {n} {}\n", snapshot.id);
    // One write, so that lines of threads do not mix and the reader has it at once.
    let mut out = std::io::stdout().lock();
    out.write_all(line.as_bytes()).unwrap();
    out.flush().unwrap();
}

/// Three threads save their sessions; after a while everything is closed, packed and opened again.
fn until_killed(path: &Path, seed: u64, secret: Option<&String>) {
    let mut rng = StdRng::seed_from_u64(seed);
    let secret = secret.map(|text| Secret::parse(text).unwrap());
    loop {
        let options = Options::default();
        let options = match &secret {
            Some(secret) => options.secret(secret.clone()),
            None => options,
        };
        let engine = options.open(path).unwrap();
        thread::scope(|scope| {
            for who in 0..3 {
                let (engine, mut rng) = (&engine, StdRng::seed_from_u64(rng.random()));
                scope.spawn(move || some_saves(engine, who, &mut rng));
            }
        });
        match rng.random_range(0..3) {
            0 => drop(engine),
            _ => engine.close().unwrap(),
        }
    }
}

fn some_saves(engine: &Engine, who: u64, rng: &mut StdRng) {
    let session = format!("s/{who}");
    let newest = engine.info(&format!("{session}@latest"));
    let mut n = newest.map_or(0, |s| s.turn.unwrap().unsigned_abs() + 1);
    for _ in 0..rng.random_range(1..12) {
        // Waited for one by one, or some at a time.
        let burst = if rng.random_bool(0.3) { 5 } else { 1 };
        let tickets: Vec<_> = (n..n + burst)
            .map(|n| {
                let mut save = engine.save_json(&session, state(who, n));
                if n % 10 == 0 {
                    save = save.name(format!("n{n}"));
                }
                save.submit()
            })
            .collect();
        for ticket in tickets {
            acknowledge(&session, who, n, &ticket.wait().unwrap());
            n += 1;
        }
    }
}

/// Finds its sessions again, says which and where they stand, and saves all of them by themselves from then on:
/// `found SESSION N`, `ready`, and `ack SESSION WHO N ID`.
fn auto_save(path: &Path, count: u64) {
    let engine = Arc::new(Engine::open(path).unwrap());
    let listener = engine.subscribe();
    for recovered in engine.recover().unwrap() {
        assert!(recovered.error.is_none(), "{recovered:?}");
        let turn = recovered.snapshot.and_then(|snapshot| snapshot.turn);
        say(&format!(
            "found {} {}",
            recovered.session,
            turn.unwrap_or(-1)
        ));
    }
    let saving = engine.auto_save().unwrap();
    for who in 0..count {
        let session = format!("s/{who}");
        let newest = engine.info(&format!("{session}@latest"));
        let mut n = newest.map_or(0, |s| s.turn.unwrap().unsigned_abs() + 1);
        let how = AutoSaving::every(Duration::from_millis(20)).jitter(0.5);
        let source = move || {
            n += 1;
            Ok(Some(State::json(state(who, n - 1))))
        };
        saving.register(&session, how, source).unwrap();
    }
    say("ready");
    for event in listener {
        match event.what {
            Happened::AutoSaved { snapshot } => {
                let session = event.session.unwrap();
                let snapshot = engine.info(&snapshot.to_string()).unwrap();
                let who = session[2..].parse().unwrap();
                let n = snapshot.turn.unwrap().unsigned_abs();
                acknowledge(&session, who, n, &snapshot);
            }
            Happened::AutoSaveFailed { message } => panic!("{message}"),
            _ => {}
        }
    }
}

fn say(line: &str) {
    let mut out = std::io::stdout().lock();
    out.write_all(format!("{line}\n").as_bytes()).unwrap();
    out.flush().unwrap();
}

/// Takes the session `s/0` over for each line that it reads, and saves until somebody else has it: `took EPOCH`,
/// `ack`, and `lost`.
fn hold(path: &Path, who: u64) {
    let engine = Engine::open(path).unwrap();
    let mut n = 0;
    for line in std::io::stdin().lines() {
        line.unwrap();
        say(&format!("took {}", engine.take_over("s/0").unwrap().epoch));
        loop {
            match engine.save_json("s/0", state(who, n)).commit() {
                Ok(snapshot) => acknowledge("s/0", who, n, &snapshot),
                Err(error) => {
                    assert_eq!(error.kind(), ErrorKind::Conflict, "{error}");
                    break;
                }
            }
            n += 1;
        }
        drop(engine.close_session("s/0"));
        say("lost");
    }
}

/// Has the session `s/0` open, carries out what others ask for, and saves states of its own: `holds EPOCH`.
fn attend(path: &Path) {
    struct Told;
    impl Attendant for Told {
        fn load(&mut self, _: &Request, _: &Restored) -> dalsegno::Result<bool> {
            Ok(true)
        }
    }
    let engine = Arc::new(Engine::open(path).unwrap());
    let _attending = engine.attend(Told).unwrap();
    let opened = engine.take_over("s/0").unwrap();
    say(&format!("holds {}", opened.epoch));
    for n in 0.. {
        let saved = engine.save_json("s/0", format!("{{\"own\":{n}}}")).commit();
        // Whoever asked counted this program as gone; then it is.
        if saved.is_err_and(|error| error.kind() == ErrorKind::Conflict) {
            return;
        }
        thread::sleep(Duration::from_millis(7));
    }
}

/// Asks for a save, then for a rollback to it, and so on: `begin N`, then `ack N ID`, or `same N` where that was so
/// already, `no N` where it says that nothing was changed, or `perhaps N` where it says that nobody knows. Of a rollback, ID is the snapshot that was gone
/// back to.
fn ask(path: &Path, who: u64, first: u64) {
    let engine = Engine::open(path).unwrap();
    let mut saved = None;
    for n in first.. {
        let back = saved.take();
        say(&format!("begin {n} {}", back.as_deref().unwrap_or("save")));
        let ask = match &back {
            Some(id) => engine.ask("s/0", "rollback").arguments(json!({"to": id})),
            None => engine
                .ask("s/0", "save")
                .state(format!("{{\"who\":{who},\"n\":{n}}}")),
        };
        let answer = ask.timeout(Duration::from_secs(120)).send();
        match answer {
            Ok(answer) if answer.by.is_none() && answer.value["plan"]["changes"] == false => {
                say(&format!("same {n} {}", back.unwrap()));
            }
            Ok(answer) => {
                let id = answer.value["id"].as_str().map(str::to_owned);
                say(&format!("ack {n} {}", id.clone().or(back).unwrap()));
                saved = id;
            }
            Err(error) => {
                let text = error.to_string();
                assert!(
                    matches!(error.kind(), ErrorKind::Conflict | ErrorKind::Locked),
                    "{text}"
                );
                let known = !text.contains("not known") && !text.contains("not answered");
                say(&format!(
                    "{} {n} {text}",
                    if known { "no" } else { "perhaps" }
                ));
            }
        }
    }
}

/// Takes the session `s/0` from whoever has it, and saves it until somebody else takes it from here: `took EPOCH`,
/// `ack SESSION WHO N ID`, `passed` and `back`. Each state counts one on from the one before.
fn succeed(path: &Path, who: u64) {
    /// The number of the newest state, while the program goes on with it.
    struct Counting(Arc<Mutex<Option<u64>>>, u64);
    impl Attendant for Counting {
        fn freeze(&mut self, _: &str, _: &Peer) -> dalsegno::Result<Option<State>> {
            let n = self.0.lock().unwrap().take().unwrap();
            self.1 = n + 1;
            State::of(&json!({"turn": n + 1})).map(Some)
        }
        fn unfreeze(&mut self, _: &str, _: &str) {
            *self.0.lock().unwrap() = Some(self.1);
            say("back");
        }
        fn handed_over(&mut self, _: &str, _: &Peer) {
            say("passed");
        }
    }
    let engine = Arc::new(Engine::open(path).unwrap());
    let state = Arc::new(Mutex::new(None));
    // Before it is asked for anything: it attends from the moment that it has the session.
    let _attending = engine.attend(Counting(Arc::clone(&state), 0)).unwrap();
    let mut newest = 0;
    let taken = engine.take_handover("s/0", Duration::from_secs(120), |found| {
        newest = found.map_or(0, |it| it.snapshot().turn.unwrap().unsigned_abs());
        Ok(())
    });
    *state.lock().unwrap() = Some(newest);
    say(&format!("took {}", taken.unwrap().epoch));
    loop {
        let mut state = state.lock().unwrap();
        if let Some(n) = *state {
            let saved = engine
                .save("s/0", &json!({"turn": n + 1}))
                .commit()
                .unwrap();
            *state = Some(n + 1);
            acknowledge("s/0", who, n + 1, &saved);
        }
        drop(state);
        thread::sleep(Duration::from_millis(1));
    }
}

/// So many saves to a session of its own and to one that all share, opening the store anew at times.
fn write(path: &Path, who: u64, count: u64) {
    let mut engine = Engine::open(path).unwrap();
    for n in 0..count {
        for session in [format!("own/{who}"), "shared".to_owned()] {
            let saved = engine.save_json(&session, state(who, n)).commit();
            let saved = saved.unwrap_or_else(|error| panic!("{}: {error}", error.kind()));
            acknowledge(&session, who, n, &saved);
        }
        if n % 40 == 39 {
            engine.close().unwrap();
            engine = Engine::open(path).unwrap();
        }
    }
    engine.close().unwrap();
}

/// Looks at everything until its standard input ends. Whatever it sees is whole.
fn read(path: &Path) {
    let end = AtomicBool::new(false);
    let looks = thread::scope(|scope| {
        scope.spawn(|| {
            let ended = std::io::stdin().read_to_end(&mut Vec::new());
            end.store(true, Ordering::Relaxed);
            ended.unwrap();
        });
        let mut engine = Engine::open(path).unwrap();
        let (mut looks, mut most) = (0, std::collections::HashMap::new());
        while !end.load(Ordering::Relaxed) {
            for session in engine.sessions().unwrap() {
                let page = engine.list(&Query {
                    limit: 4,
                    ..Query::session(&session)
                });
                let seen = page.unwrap().snapshots;
                assert!(
                    seen.windows(2)
                        .all(|pair| pair[0].parent == Some(pair[1].id))
                );
                for snapshot in &seen {
                    let restored = engine.restore(&snapshot.id.to_string()).unwrap();
                    let says: serde_json::Value = restored.to().unwrap();
                    let (who, n) = (
                        says["who"].as_u64().unwrap(),
                        says["turn"].as_u64().unwrap(),
                    );
                    assert!(restored.text() == state(who, n), "{session}: half a state");
                }
                let newest = seen.first().map(|s| s.id);
                let before = most.insert(session, newest).flatten();
                assert!(before <= newest, "an older state than before");
            }
            looks += 1;
            if looks % 16 == 15 {
                assert!(engine.verify(None).unwrap().is_intact());
                engine = Engine::open(path).unwrap();
            }
        }
        looks
    });
    let mut out = std::io::stdout().lock();
    out.write_all(format!("looks {looks}\n").as_bytes())
        .unwrap();
}

/// Does one deed after the other, and says so before and after each: `begin N DEED`, `ack N ANSWER`.
fn keep_house(folder: &Path, seed: u64, first: u64) {
    let mut rng = StdRng::seed_from_u64(seed);
    let mut house = House::at(folder);
    let say = |line: String| {
        let mut out = std::io::stdout().lock();
        out.write_all(line.as_bytes()).unwrap();
        out.flush().unwrap();
    };
    for n in first.. {
        let deed = choose(&mut house, n, &mut rng).unwrap();
        say(format!(
            "begin {n} {}\n",
            serde_json::to_string(&deed).unwrap()
        ));
        let answer = house.answer(n, &deed);
        say(format!("ack {n} {answer}\n"));
    }
}
