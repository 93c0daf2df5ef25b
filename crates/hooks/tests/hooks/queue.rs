//! Slow hooks hold up nobody; what they miss is counted.

use std::fs;
use std::net::TcpListener;
use std::process::Command;
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::house::{House, LONG, event, quick};

#[test]
fn a_slow_hook_never_holds_up_whoever_sends_nor_other_hooks() {
    // It takes connections and never answers.
    let deaf = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = deaf.local_addr().unwrap();
    let house = House::new();
    let text = format!(
        "[[hook]]\nevents = ['*']\nwebhook = 'http://{address}/'\ntimeout = '1h'\n\
         [[hook]]\nevents = ['*']\ncommand = ['sleep', '100000']\ntimeout = '1h'\n\
         [[hook]]\nevents = ['*']\nsessions = 'bot/last'\ncommand = ['true']\n"
    );
    let started = house.start_with(&text, quick().queue(10));
    let begun = Instant::now();
    for n in 0..100_000 {
        started.hooks.send(&event(&n.to_string()));
    }
    let mut last = event("last");
    last["session"] = "bot/last".into();
    started.hooks.send(&last);
    let outcome = started.outcome();
    assert_eq!(
        (outcome.event.as_deref(), outcome.result),
        (Some("last"), Ok(()))
    );
    // Waiting for either, it would take hours.
    assert!(begun.elapsed() < LONG);
    // The queues of both are full, and one event of each is under way, once its thread came so far.
    assert!((20..=22).contains(&started.hooks.close(Duration::ZERO)));
}

#[test]
fn the_next_event_says_how_many_were_dropped() {
    let house = House::new();
    house.hooks("");
    let fifo = house.path("go");
    assert!(
        Command::new("mkfifo")
            .arg(&fifo)
            .status()
            .unwrap()
            .success()
    );
    // Each run waits until the test lets it go on, and keeps what it got.
    let text = House::shell("cat >> got; cat go > /dev/null");
    let started = house.start_with(&text, quick().queue(2));
    started.send("e0");
    // Opening it waits until the first one is there.
    let go = fs::OpenOptions::new().write(true).open(&fifo).unwrap();
    for id in ["e1", "e2", "e3", "e4", "e5"] {
        started.send(id);
    }
    drop(go);
    let mut outcomes = vec![started.outcome()];
    for _ in 0..2 {
        drop(fs::OpenOptions::new().write(true).open(&fifo).unwrap());
        outcomes.push(started.outcome());
    }
    let told: Vec<_> = outcomes
        .into_iter()
        .map(|o| (o.event.unwrap(), o.missed))
        .collect();
    let expected = [("e0", 0), ("e4", 3), ("e5", 0)].map(|(id, missed)| (id.to_owned(), missed));
    assert_eq!(told, expected);
    let got = fs::read_to_string(house.path("got")).unwrap();
    let got: Vec<Value> = got
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    let missed: Vec<_> = got
        .iter()
        .map(|event| event.get("missed").cloned())
        .collect();
    assert_eq!(missed, [None, Some(3.into()), None]);
}

#[test]
fn only_what_is_wanted_is_told() {
    let house = House::new();
    let text = "[[hook]]\nevents = ['restored']\nsessions = 'bot/*'\ncommand = ['true']\n";
    let started = house.start(text);
    for (id, word, session) in [
        ("e1", "created", Some("bot/1")),
        ("e2", "restored", Some("chat")),
        ("e3", "restored", None),
        ("e4", "restored", Some("bot/1")),
    ] {
        let mut event = event(id);
        event["event"] = word.into();
        event["session"] = session.into();
        started.hooks.send(&event);
    }
    // What is no event at all reaches nobody, and harms nothing.
    for odd in [Value::Null, Value::from("restored"), Value::from(vec![1])] {
        started.hooks.send(&odd);
    }
    let told: Vec<_> = started.finish().into_iter().map(|o| o.event).collect();
    assert_eq!(told, [Some("e4".to_owned())]);
}

#[test]
fn this_program_is_not_within_a_hook() {
    assert!(!dalsegno_hooks::Hooks::is_within_one());
}
