//! Sessions that are saved by themselves. What is waited for are events and answers, never time.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Condvar, Mutex};
use std::time::Duration;

use dalsegno::guard::{GuardPolicy, GuardRule};
use dalsegno::retention::Rules;
use dalsegno::store::Store;
use dalsegno::store::faulty::{Call, Failure, FaultyStore};
use dalsegno::{AutoSaving, Engine, ErrorKind, Event, Happened, Kind, Query, State, Subscription};
use serde_json::json;

use crate::common::{Jumps, engine_on, memory};

const LONG: Duration = Duration::from_secs(3_600);
const SHORT: Duration = Duration::from_millis(10);

/// What a program knows of a session.
#[derive(Clone, Default)]
struct Counter(Arc<AtomicUsize>);

impl Counter {
    fn set(&self, n: usize) {
        self.0.store(n, Ordering::SeqCst);
    }

    fn source(&self) -> impl FnMut() -> dalsegno::Result<Option<State>> + Send + 'static {
        let own = self.clone();
        move || State::of(&json!({"n": own.0.load(Ordering::SeqCst)})).map(Some)
    }
}

fn n(engine: &Engine, session: &str) -> u64 {
    let text = engine
        .restore(&format!("{session}@latest"))
        .unwrap()
        .into_text();
    let value: serde_json::Value = serde_json::from_slice(&text).unwrap();
    value["n"].as_u64().unwrap()
}

fn until(listener: &Subscription, wanted: impl Fn(&Event) -> bool) -> Event {
    loop {
        let event = listener.wait(LONG).unwrap();
        if wanted(&event) {
            return event;
        }
    }
}

#[test]
fn all_that_is_due_goes_in_one_commit() {
    let commits = Arc::new(AtomicUsize::new(0));
    let seen = Arc::clone(&commits);
    let counting = FaultyStore::new(memory(), move |call, _| {
        seen.fetch_add(usize::from(call == Call::Commit), Ordering::SeqCst);
        None
    });
    let engine = Arc::new(engine_on(Arc::new(counting)));
    let saving = engine.auto_save().unwrap();
    let counter = Counter::default();
    for n in 0..100 {
        let opened = saving.register(&format!("s{n}"), AutoSaving::every(LONG), counter.source());
        assert!(opened.unwrap().was_closed);
    }
    for n in 1..5 {
        counter.set(n);
        let before = commits.load(Ordering::SeqCst);
        saving.save_now(None).unwrap();
        assert_eq!(commits.load(Ordering::SeqCst) - before, 1);
    }
    counter.set(9);
    saving.save_now(Some("s7")).unwrap();
    assert_eq!((n(&engine, "s7"), n(&engine, "s8")), (9, 4));
    assert_eq!(engine.open_sessions().len(), 100);
    counter.set(10);
    saving.stop().unwrap();
    saving.stop().unwrap();
    assert!(engine.open_sessions().is_empty());
    assert_eq!((n(&engine, "s7"), n(&engine, "s8")), (10, 10));
    let refused = saving.save_now(None).unwrap_err();
    assert_eq!(refused.kind(), ErrorKind::Storage);
}

#[test]
fn each_is_saved_in_its_interval_and_when_something_happens() {
    let engine = Arc::new(engine_on(memory()));
    let listener = engine.subscribe();
    let saving = engine.auto_save().unwrap();
    let (fast, slow) = (Counter::default(), Counter::default());
    saving
        .register("fast", AutoSaving::every(SHORT).jitter(0.5), fast.source())
        .unwrap();
    saving
        .register("slow", AutoSaving::every(LONG), slow.source())
        .unwrap();
    for n in 1..6 {
        fast.set(n);
        until(&listener, |event| event.session.as_deref() == Some("fast"));
    }
    slow.set(3);
    saving.touch("slow");
    let event = until(&listener, |event| event.session.as_deref() == Some("slow"));
    assert!(matches!(event.what, Happened::AutoSaved { .. }));
    assert_eq!(n(&engine, "slow"), 3);
    // Registered anew, and let go.
    saving
        .register("slow", AutoSaving::every(SHORT), slow.source())
        .unwrap();
    until(&listener, |event| event.session.as_deref() == Some("slow"));
    slow.set(8);
    saving.unregister("slow").unwrap();
    assert_eq!(n(&engine, "slow"), 8);
    assert_eq!(saving.sessions(), ["fast"]);
    let unknown = saving.save_now(Some("slow")).unwrap_err();
    assert_eq!(unknown.kind(), ErrorKind::NotFound);
}

#[test]
fn what_fails_is_told_and_tried_again() {
    let engine = Arc::new(engine_on(memory()));
    let listener = engine.subscribe();
    let saving = engine.auto_save().unwrap();
    let mut asked = 0;
    let source = move || {
        asked += 1;
        match asked {
            1 => Err(dalsegno::Error::new(ErrorKind::Denied, "not now")),
            2 => panic!("oh no"),
            3 => Ok(Some(State::json("torn {"))),
            4 => Ok(None),
            _ => Ok(Some(State::json("{\"n\":5}"))),
        }
    };
    saving
        .register("s", AutoSaving::every(SHORT), source)
        .unwrap();
    let mut told = Vec::new();
    until(&listener, |event| {
        if let Happened::AutoSaveFailed { message } = &event.what {
            assert_eq!(event.session.as_deref(), Some("s"));
            TOLD.lock().unwrap().push(message.clone());
        }
        matches!(event.what, Happened::AutoSaved { .. })
    });
    told.append(&mut TOLD.lock().unwrap());
    assert_eq!(told.len(), 3, "{told:?}");
    assert!(
        told[0].contains("not now") && told[1].contains("oh no"),
        "{told:?}"
    );
    assert_eq!(n(&engine, "s"), 5);
}

static TOLD: Mutex<Vec<String>> = Mutex::new(Vec::new());

#[test]
fn a_condition_is_asked_but_for_the_last_save() {
    let engine = Arc::new(engine_on(memory()));
    let saving = engine.auto_save().unwrap();
    let counter = Counter::default();
    let (asked, told) = std::sync::mpsc::channel();
    let mut times = 0;
    let how = AutoSaving::every(SHORT).when(move || {
        times += 1;
        asked.send(times).unwrap_or_default();
        assert!(times != 2, "it may panic");
        false
    });
    saving.register("s", how, counter.source()).unwrap();
    while told.recv().unwrap() < 4 {}
    assert!(engine.list(&Query::default()).unwrap().snapshots.is_empty());
    saving.stop().unwrap();
    assert_eq!(n(&engine, "s"), 0);
}

#[test]
fn small_changes_add_up() {
    let engine = Arc::new(engine_on(memory()));
    let saving = engine.auto_save().unwrap();
    let parts = Arc::new(Mutex::new((0, String::new())));
    let own = Arc::clone(&parts);
    let (asked, told) = std::sync::mpsc::channel();
    let source = move || {
        asked.send(()).unwrap_or_default();
        let (n, text) = &*own.lock().unwrap();
        State::of(&json!({"n": n, "text": text, "list": [1, 2, 3]})).map(Some)
    };
    let how = AutoSaving::every(SHORT).min_change(200);
    saving.register("s", how, source).unwrap();
    let count = || engine.list(&Query::default()).unwrap().snapshots.len();
    // Each save is of what stood before it: once it was asked again, the one before is done.
    let rounds = |n| {
        while told.try_recv().is_ok() {}
        (0..n).for_each(|_| told.recv().unwrap());
    };
    rounds(3);
    assert_eq!(count(), 1, "the first is saved, and then nothing changed");
    parts.lock().unwrap().0 = 1;
    rounds(3);
    assert_eq!(count(), 1);
    // What cannot be packed any more.
    let digest = |n: u64| format!("{:x}", n.wrapping_mul(0x9e37_79b9_7f4a_7c15));
    parts.lock().unwrap().1.extend((1..40).map(digest));
    rounds(3);
    assert_eq!(count(), 2);
    parts.lock().unwrap().0 = 2;
    rounds(3);
    assert_eq!(count(), 2);
    saving.stop().unwrap();
    assert_eq!(count(), 3, "nothing is left out at the end");
}

#[test]
fn a_session_that_was_lost_is_let_go_and_the_others_go_on() {
    let store = memory();
    let engine = Arc::new(engine_on(Arc::clone(&store)));
    let listener = engine.subscribe();
    let saving = engine.auto_save().unwrap();
    let counter = Counter::default();
    for session in ["a", "b"] {
        saving
            .register(session, AutoSaving::every(SHORT), counter.source())
            .unwrap();
        until(&listener, |event| event.session.as_deref() == Some(session));
    }
    let other = engine_on(store);
    other.take_over("a").unwrap();
    until(&listener, |event| {
        matches!(event.what, Happened::LeaseLost { .. })
    });
    counter.set(7);
    other.save_json("a", "{\"n\":1}").commit().unwrap();
    for _ in 0..3 {
        let event = listener.wait(LONG).unwrap();
        assert_eq!(event.session.as_deref(), Some("b"), "{event:?}");
    }
    assert_eq!(n(&engine, "a"), 1);
    assert_eq!(saving.stop().unwrap_err().kind(), ErrorKind::Conflict);
    assert_eq!(n(&engine, "b"), 7);
}

#[test]
fn what_was_lost_to_nobody_is_taken_back_and_what_somebody_has_is_not() {
    let store = memory();
    let engine = Arc::new(engine_on(Arc::clone(&store)));
    let listener = engine.subscribe();
    let saving = engine.auto_save().unwrap();
    let counter = Counter::default();
    for session in ["a", "b", "c"] {
        let mut how = AutoSaving::every(LONG);
        if session != "b" {
            how = how.take_back();
        }
        saving.register(session, how, counter.source()).unwrap();
    }
    saving.save_now(None).unwrap();
    // This one stands still: another one saves, and a third one takes a session over.
    let clock = Jumps::default();
    clock.jump(Duration::from_secs(60));
    let other = clock.on(&store);
    for session in ["a", "b"] {
        other.save_json(session, "{\"n\":1}").commit().unwrap();
    }
    let third = engine_on(Arc::clone(&store));
    third.take_over("c").unwrap();
    third.save_json("c", "{\"n\":1}").commit().unwrap();
    counter.set(7);
    saving.save_now(Some("a")).unwrap();
    assert_eq!(n(&engine, "a"), 7);
    assert_eq!(engine.restore("a@-1").unwrap().text(), b"{\"n\":1}");
    until(&listener, |event| {
        matches!(event.what, Happened::LeaseLost { .. })
    });
    let event = until(&listener, |event| {
        matches!(event.what, Happened::Recovered { .. })
    });
    assert_eq!(event.session.as_deref(), Some("a"));
    for session in ["b", "c"] {
        let lost = saving.save_now(Some(session)).unwrap_err();
        assert_eq!(lost.kind(), ErrorKind::Conflict, "{session}: {lost}");
        assert_eq!(n(&engine, session), 1);
    }
    let open: Vec<_> = engine.open_sessions();
    assert!(matches!(&open[..], [(name, 3)] if name == "a"), "{open:?}");
}

/// Opens and closes; saves wait before it.
#[derive(Default)]
struct Gate {
    open: Mutex<bool>,
    moved: Condvar,
    waiting: AtomicUsize,
}

impl Gate {
    fn set(&self, open: bool) {
        *self.open.lock().unwrap() = open;
        self.moved.notify_all();
    }

    fn pass(&self) {
        self.waiting.fetch_add(1, Ordering::SeqCst);
        let open = self.open.lock().unwrap();
        drop(self.moved.wait_while(open, |open| !*open).unwrap());
        self.waiting.fetch_sub(1, Ordering::SeqCst);
    }
}

#[test]
fn while_the_disk_is_slow_ticks_become_one() {
    let gate = Arc::new(Gate::default());
    gate.set(true);
    let own = Arc::clone(&gate);
    let slow: Arc<dyn Store> = Arc::new(FaultyStore::new(memory(), move |call, _| {
        if call == Call::Commit {
            own.pass();
        }
        None
    }));
    let engine = Arc::new(engine_on(slow));
    let listener = engine.subscribe();
    let saving = engine.auto_save().unwrap();
    let counter = Counter::default();
    let asked = Arc::new(AtomicUsize::new(0));
    let (own, mut source) = (Arc::clone(&asked), counter.source());
    let counted = move || {
        own.fetch_add(1, Ordering::SeqCst);
        source()
    };
    saving
        .register("s", AutoSaving::every(SHORT), counted)
        .unwrap();
    until(&listener, |_| true);
    gate.set(false);
    while gate.waiting.load(Ordering::SeqCst) == 0 {
        std::thread::yield_now();
    }
    // The disk is at work on one; whatever happens meanwhile, nothing queues up, and nobody waits.
    let before = asked.load(Ordering::SeqCst);
    for n in 0..1_000 {
        counter.set(n);
        saving.touch("s");
    }
    assert_eq!(asked.load(Ordering::SeqCst), before);
    gate.set(true);
    while n(&engine, "s") != 999 {
        until(&listener, |_| true);
    }
}

#[test]
fn old_automatic_snapshots_are_cleaned_up_and_others_stay() {
    let engine = Arc::new(engine_on(memory()));
    let listener = engine.subscribe();
    let saving = engine.auto_save().unwrap();
    let counter = Counter::default();
    let how = AutoSaving::every(LONG).keep(Rules::new().keep_last(3));
    saving.register("s", how, counter.source()).unwrap();
    engine.save_json("s", "{\"by\":\"hand\"}").commit().unwrap();
    for n in 1..=16 {
        counter.set(n);
        saving.save_now(None).unwrap();
    }
    let event = until(&listener, |event| {
        matches!(event.what, Happened::CleanedUp { .. })
    });
    let expected = Happened::CleanedUp {
        deleted: 13,
        automatic: true,
    };
    assert_eq!(event.what, expected);
    let left = engine.list(&Query::default()).unwrap().snapshots;
    assert_eq!(left.len(), 4);
    assert!(engine.trash(None).unwrap().is_empty());
    assert_eq!(n(&engine, "s"), 16);
}

/// What lost items may be few bytes.
#[test]
fn a_loss_is_no_small_change() {
    let engine = Arc::new(engine_on(memory()));
    let guard = GuardPolicy::new("s").list(GuardRule::new("list"));
    engine.set_guard(&guard).unwrap();
    let saving = engine.auto_save().unwrap();
    let list = Arc::new(Mutex::new(vec![1, 2, 3]));
    let own = Arc::clone(&list);
    let (asked, told) = std::sync::mpsc::channel();
    let source = move || {
        asked.send(()).unwrap_or_default();
        State::of(&json!({"list": *own.lock().unwrap()})).map(Some)
    };
    let how = AutoSaving::every(SHORT).min_change(1_000_000);
    saving.register("s", how, source).unwrap();
    let kinds = || {
        // Each save is of what stood before it: once it was asked again, the one before is done.
        while told.try_recv().is_ok() {}
        (0..3).for_each(|_| told.recv().unwrap());
        let page = engine.list(&Query::session("s")).unwrap();
        page.snapshots.iter().map(|s| s.kind).collect::<Vec<_>>()
    };
    assert_eq!(kinds(), [Kind::Auto]);
    list.lock().unwrap().push(4);
    assert_eq!(kinds(), [Kind::Auto]);
    // The state with four is nowhere yet, so that it lost what is in the store.
    list.lock().unwrap().remove(0);
    assert_eq!(kinds(), [Kind::Auto, Kind::Guard, Kind::Auto]);
    saving.stop().unwrap();
}

#[test]
fn what_was_said_of_a_state_that_could_not_be_saved_goes_with_the_next() {
    let fails = Arc::new(AtomicUsize::new(2));
    let left = Arc::clone(&fails);
    let store = FaultyStore::new(memory(), move |call, _| {
        let down = |n: usize| n.checked_sub(1);
        let fails = call == Call::Commit
            && left
                .fetch_update(Ordering::SeqCst, Ordering::SeqCst, down)
                .is_ok();
        fails.then_some(Failure::Before(ErrorKind::Storage))
    });
    let engine = Arc::new(engine_on(Arc::new(store)));
    let saving = engine.auto_save().unwrap();
    let mut said = ["undo", "clear", "undo"].into_iter();
    let mut n = 0;
    let source = move || {
        n += 1;
        let state = State::of(&json!({ "n": n }))?;
        Ok(Some(match said.next() {
            Some(words) => state.intent(words),
            None => state,
        }))
    };
    saving
        .register("s", AutoSaving::every(LONG).min_change(1_000), source)
        .unwrap();
    for _ in 0..2 {
        let error = saving.save_now(None).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Storage);
    }
    saving.save_now(None).unwrap();
    let saved = engine.info("s@latest").unwrap();
    assert_eq!(saved.intent.as_deref(), Some("clear; undo"));
    saving.stop().unwrap();
    assert_eq!(engine.info("s@latest").unwrap().intent, None);
}
