//! A store of format 3 that was made once and is committed, in the middle of what programs did to it: leases that are
//! held, closed and broken, requests on their way, guards and what they kept.
//!
//! To make it anew, while format 3 may still change:
//! `cargo test -p dalsegno --test engine -- --ignored write_the_fixture_of_format_3`

use std::fs;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::AtomicI64;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::time::Duration;

use dalsegno::guard::{End, GuardPolicy, GuardRule, GuardStatus, Recommendation};
use dalsegno::retention::{Policy, Rules};
use dalsegno::store::{NoteScan, SqliteOptions, SqliteStore, Store};
use dalsegno::{
    Attendant, Engine, Holding, Kind, Options, Query, Recovered, Reply, Request, Result,
};
use serde_json::{Value, json};

use crate::ask::left;
use crate::format::{BEGIN, Minutes, player};
use crate::format_2::{fill, fixture, goes_on, said, still_says};

/// A chat of these messages.
fn chat(messages: impl IntoIterator<Item = u32>) -> Value {
    let messages = messages
        .into_iter()
        .map(|n| json!({"id": n, "text": format!("Riga {n}")}));
    json!({"messages": messages.collect::<Vec<_>>()})
}

fn messages(engine: &Engine, session: &str) -> Vec<u64> {
    let newest = engine.restore(&format!("{session}@latest")).unwrap();
    let state: Value = newest.to().unwrap();
    let messages = state["messages"].as_array().unwrap().iter();
    messages.map(|m| m["id"].as_u64().unwrap()).collect()
}

/// Guards, what was lost without a word, and what was meant.
fn lose(engine: &Engine) {
    let list = GuardRule::new("messages").key("id");
    engine
        .set_guard(&GuardPolicy::new("chat/*").list(list).generations(3))
        .unwrap();
    let upcoming = GuardRule::new("upcoming").consumed(End::Front);
    let played = GuardRule::new("played").trimmed(End::Front).bound(2);
    engine
        .set_guard(&GuardPolicy::new("bot/*").list(upcoming).list(played))
        .unwrap();
    let save = |session: &str, messages: &[u32]| {
        let state = chat(messages.iter().copied());
        engine.save(session, &state).commit().unwrap();
    };
    let said = |session: &str, messages: &[u32], intent: &str| {
        let state = chat(messages.iter().copied());
        engine
            .save(session, &state)
            .intent(intent)
            .commit()
            .unwrap();
    };
    // Twice by accident, and on since.
    save("chat/lost", &[0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
    save("chat/lost", &[0, 1, 2, 3, 4, 5, 6, 7]);
    save("chat/lost", &[0, 1, 2, 3, 4, 5]);
    save("chat/lost", &[0, 1, 2, 3, 4, 5, 20]);
    // By accident, and then on purpose.
    save("chat/both", &[0, 1, 2, 3, 4, 5]);
    save("chat/both", &[0, 1, 2, 3]);
    said("chat/both", &[0, 1], "undo");
    // On purpose only: each way.
    save("chat/meant", &[0, 1, 2, 3]);
    said("chat/meant", &[100, 3], "compress");
    said("chat/meant", &[], "clear: the user asked for it");
    said("chat/meant", &[200], "a word of its own");
}

/// Says that it was asked, and answers when it may.
struct Slow(Sender<()>, Receiver<()>);

impl Attendant for Slow {
    fn asked(&mut self, _: &Request) -> Result<Reply> {
        self.0.send(()).unwrap();
        let _ = self.1.recv();
        Ok(Reply::Answer(Value::Null))
    }
}

#[test]
#[ignore = "writes tests/fixtures/format-3.db and format-3.json"]
fn write_the_fixture_of_format_3() {
    let folder = tempfile::tempdir().unwrap();
    let (path, copy) = (
        folder.path().join("store.db"),
        folder.path().join("copy.db"),
    );
    let clock = Arc::new(Minutes(AtomicI64::new(BEGIN)));
    let bot = Options::default().program("bot").clock(clock);
    let bot = Arc::new(bot.create(&path).unwrap());
    let rules = Rules::new().keep_last(40);
    bot.set_policy(&Policy::new("**", rules)).unwrap();
    fill(&bot);
    lose(&bot);
    for session in ["closed", "broken", "open"] {
        bot.open_session(session).unwrap();
        bot.save_json(session, player(1)).commit().unwrap();
    }
    bot.open_session("empty").unwrap();
    bot.close_session("closed").unwrap();
    bot.open_session("closed").unwrap();
    bot.close_session("closed").unwrap();
    bot.abandon("broken").unwrap();
    // One request is taken, with its state; one waits.
    let ((asked, is_asked), (go_on, may_go_on)) = (channel(), channel());
    let attending = bot.attend(Slow(asked, may_go_on)).unwrap();
    let others = [0, 1].map(|_| Options::default().program("asker").open(&path).unwrap());
    let store = SqliteStore::open(&path, &SqliteOptions::default()).unwrap();
    let store: Arc<dyn Store> = Arc::new(store);
    let long = Duration::from_secs(3_600);
    std::thread::scope(|scope| {
        let [one, two] = &others;
        scope.spawn(|| {
            let ask = one.ask("open", "save").state(player(2)).timeout(long);
            ask.send().unwrap();
        });
        is_asked.recv().unwrap();
        scope.spawn(|| two.ask("open", "echo").timeout(long).send().unwrap());
        while left(&store) < 3 {
            std::thread::yield_now();
        }
        fs::copy(&path, &copy).unwrap();
        let log = |path: &PathBuf| path.with_extension("db-wal");
        fs::copy(log(&path), log(&copy)).unwrap();
        drop(go_on);
        is_asked.recv().unwrap();
    });
    attending.stop();
    let engine = Engine::open(&copy).unwrap();
    let said = all_said(&engine);
    engine.close().unwrap();
    fs::copy(&copy, fixture("format-3.db")).unwrap();
    let text = serde_json::to_string_pretty(&said).unwrap() + "\n";
    fs::write(fixture("format-3.json"), text).unwrap();
}

/// What the store says, all of it but for what changes when a program ends.
fn all_said(engine: &Engine) -> Value {
    let mut all = said(engine);
    let guarded = engine.guarded_sessions().unwrap();
    let reports = guarded
        .iter()
        .map(|session| engine.guard_status(session).unwrap());
    let holders = engine.holders().unwrap();
    let epochs = holders
        .iter()
        .map(|it| (&it.session, it.epoch, it.since, &it.program));
    all["reports"] = json!(reports.collect::<Vec<_>>());
    all["guards"] = json!(engine.guards().unwrap());
    all["holders"] = json!(epochs.collect::<Vec<_>>());
    all["events"] = json!(engine.events(1_000).unwrap());
    all["policies"] = json!(engine.policies().unwrap());
    all
}

fn copied() -> (tempfile::TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("store.db");
    fs::copy(fixture("format-3.db"), &path).unwrap();
    (folder, path)
}

fn intact(engine: &Engine) {
    let found = engine.verify(None).unwrap();
    assert!(found.is_intact(), "{:?}", found.damage);
}

#[test]
fn a_store_of_format_3_says_what_it_said() {
    let (_folder, path) = copied();
    let engine = Engine::open(&path).unwrap();
    intact(&engine);
    let was = fs::read(fixture("format-3.json")).unwrap();
    let was: Value = serde_json::from_slice(&was).unwrap();
    still_says(&was, &all_said(&engine), "");
    let query = Query {
        limit: 1_000,
        ..Query::default()
    };
    let snapshots = engine.list(&query).unwrap().snapshots;
    for snapshot in &snapshots {
        engine.restore(&snapshot.id.to_string()).unwrap();
    }
    let of = |kind| snapshots.iter().filter(|s| s.kind == kind).count();
    assert_eq!(of(Kind::Guard), 3);
    assert_eq!(engine.restore("bot/1@third").unwrap().text(), player(2));
    goes_on(&engine, "bot/1");
    intact(&engine);
}

/// There is some of every kind of note, and of what a detail may end with.
#[test]
fn the_fixture_has_what_format_3_has() {
    let (_folder, path) = copied();
    let store = SqliteStore::open(&path, &SqliteOptions::default()).unwrap();
    assert_eq!(store.info().format, 4);
    let view = store.view().unwrap();
    assert!(view.check_structure().unwrap().is_empty());
    let counts = [1, 2, 3, 4, 5, 6].map(|kind| {
        let scan = NoteScan {
            kind,
            ..NoteScan::default()
        };
        let mut count = 0;
        view.notes(&scan, &mut |_| {
            count += 1;
            std::ops::ControlFlow::Continue(())
        })
        .unwrap();
        count
    });
    let [writers, leases, events, guards, requests, parcels] = counts;
    assert_eq!(
        (writers, leases, guards, requests, parcels),
        (1, 4, 2, 2, 1)
    );
    assert!(events > 3, "{events}");
}

#[test]
fn leases_of_a_program_that_ended_long_ago_hold_nobody_up() {
    let (_folder, path) = copied();
    let engine = Engine::open(&path).unwrap();
    let holders = engine.holders().unwrap();
    let standing = holders
        .iter()
        .map(|it| (&*it.session, it.epoch, it.standing));
    assert_eq!(
        standing.collect::<Vec<_>>(),
        [
            ("broken", 2, Holding::Gone),
            ("closed", 2, Holding::Closed),
            ("empty", 1, Holding::Gone),
            ("open", 1, Holding::Gone),
        ]
    );
    assert!(
        holders
            .iter()
            .all(|it| it.program.as_deref() == Some("bot"))
    );
    // Without a lease.
    engine.save_json("open", player(5)).commit().unwrap();
    engine.save_json("closed", player(5)).commit().unwrap();
    intact(&engine);
    drop(engine);
    // With one.
    let (_folder, path) = copied();
    let engine = Arc::new(Engine::open(&path).unwrap());
    let recovered = engine.recover().unwrap();
    let which = |it: &Recovered| (it.session.clone(), it.snapshot.is_some());
    assert_eq!(
        recovered.iter().map(which).collect::<Vec<_>>(),
        [("broken", true), ("empty", false), ("open", true)].map(|(s, has)| (s.to_owned(), has))
    );
    assert!(
        recovered
            .iter()
            .all(|it| it.error.is_none() && it.passed_over.is_empty())
    );
    assert!(engine.recover().unwrap().is_empty());
    let epochs = [("broken", 3), ("empty", 2), ("open", 2)].map(|(s, epoch)| (s.to_owned(), epoch));
    assert_eq!(engine.open_sessions(), epochs);
    assert_eq!(
        engine.save_json("open", player(5)).commit().unwrap().epoch,
        2
    );
    intact(&engine);
}

/// Whoever asked is gone, and so is the one who was asked: nothing is done, and nothing of it stays.
#[test]
fn requests_of_programs_that_ended_long_ago_are_swept_away() {
    let (_folder, path) = copied();
    let engine = Arc::new(Engine::open(&path).unwrap());
    let store = SqliteStore::open(&path, &SqliteOptions::default()).unwrap();
    let store: Arc<dyn Store> = Arc::new(store);
    assert_eq!(left(&store), 3);
    engine.open_session("open").unwrap();
    let attending = engine.attend(()).unwrap();
    let other = Engine::open(&path).unwrap();
    other.ask("open", "save").state(player(7)).send().unwrap();
    attending.stop();
    assert_eq!(left(&store), 0);
    let states = other.list(&Query::session("open")).unwrap().snapshots;
    let turns: Vec<_> = states.iter().map(|it| it.turn).collect();
    assert_eq!(turns, [Some(7), Some(1)]);
    intact(&other);
}

#[test]
fn what_was_lost_comes_back_and_what_was_meant_does_not() {
    let (_folder, path) = copied();
    let engine = Engine::open(&path).unwrap();
    let judged = |session: &str| engine.guard_status(session).unwrap().judgement;
    let back = |session: &str| {
        engine
            .guard_restore(session, None)
            .unwrap()
            .apply()
            .unwrap();
        messages(&engine, session)
    };
    let lost = judged("chat/lost");
    assert!(matches!(
        lost.status,
        GuardStatus::Diverged { newer: 1, .. }
    ));
    assert_eq!(lost.recommendation, Recommendation::Merge);
    assert_eq!(back("chat/lost"), [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 20]);
    // 2 and 3 were taken back.
    assert!(matches!(
        judged("chat/both").status,
        GuardStatus::ShrunkByAccident { .. }
    ));
    assert_eq!(back("chat/both"), [0, 1, 4, 5]);
    assert!(matches!(
        judged("chat/meant").status,
        GuardStatus::ShrunkOnPurpose { .. }
    ));
    assert_eq!(back("chat/meant"), [200]);
    let intent = |reference: &str| engine.info(reference).unwrap().intent;
    assert_eq!(
        intent("chat/meant@latest").as_deref(),
        Some("a word of its own")
    );
    assert_eq!(intent("chat/meant@-2").as_deref(), Some("compress"));
    assert_eq!(intent("chat/lost@-1"), None);
    // The guards hold for what comes.
    engine.save("chat/lost", &chat([20])).commit().unwrap();
    assert_eq!(back("chat/lost"), [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 20]);
    intact(&engine);
}
