//! The store fails: everybody who waits hears of it, nothing is acknowledged that is not there, and
//! the engine goes on.

use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex};

use dalsegno::store::Store;
use dalsegno::store::faulty::{Call, Failure, FaultyStore};
use dalsegno::{Engine, Error, ErrorKind, Kind};

use crate::common::{Known, all_there, effort, engine_on, memory, state};

/// The first commit waits until it is told to go on, then fails or not.
fn gate(fault: Option<Failure>) -> (Arc<FaultyStore>, Arc<dyn Store>, Receiver<()>, Sender<()>) {
    let inner = memory();
    let ((arrived, arrival), (go, wait)) = (channel(), channel::<()>());
    let wait = Mutex::new(wait);
    let store = FaultyStore::new(Arc::clone(&inner), move |call, n| {
        if call != Call::Commit {
            return None;
        }
        if n == 0 {
            arrived.send(()).unwrap();
            wait.lock().unwrap().recv().unwrap();
        }
        (n == 1).then_some(fault).flatten()
    });
    (Arc::new(store), inner, arrival, go)
}

/// Sixty-four saves of eight sessions, of which the first commits and the others share a commit.
fn sixty_four(fault: Failure) -> (Engine, Arc<dyn Store>, Vec<Result<Known, Error>>) {
    let (store, inner, arrival, go) = gate(Some(fault));
    let engine = engine_on(Arc::clone(&store) as _);
    let mut tickets = Vec::new();
    for n in 0..64 {
        let session = format!("s/{}", n % 8);
        tickets.push(engine.save_json(&session, state(n)).submit());
        if n == 0 {
            arrival.recv().unwrap();
        }
    }
    go.send(()).unwrap();
    let answers = tickets.into_iter().enumerate();
    let answers = answers.map(|(n, ticket)| {
        let text = state(n);
        ticket.wait().map(|snapshot| Known { snapshot, text })
    });
    let answers = answers.collect();
    assert_eq!(store.count(Call::Commit), 2);
    (engine, inner, answers)
}

#[test]
fn every_save_that_waits_hears_the_error() {
    for kind in [ErrorKind::Storage, ErrorKind::Locked, ErrorKind::Denied] {
        let (engine, _, answers) = sixty_four(Failure::Before(kind));
        let (there, refused): (Vec<_>, Vec<_>) = answers.into_iter().partition(Result::is_ok);
        assert_eq!((there.len(), refused.len()), (1, 63));
        for error in refused.into_iter().map(Result::unwrap_err) {
            assert_eq!(
                (error.kind(), &*error.to_string()),
                (kind, "injected: Commit")
            );
        }
        let mut known: Vec<Known> = there.into_iter().map(Result::unwrap).collect();
        all_there(&engine, &known);
        assert_eq!(
            engine
                .list(&dalsegno::Query::default())
                .unwrap()
                .snapshots
                .len(),
            1
        );
        // The same saves again, which work.
        for n in 1..64 {
            let snapshot = engine
                .save_json(&format!("s/{}", n % 8), state(n))
                .commit()
                .unwrap();
            known.push(Known {
                snapshot,
                text: state(n),
            });
        }
        all_there(&engine, &known);
        assert!(engine.verify(None).unwrap().is_intact());
    }
}

/// The commit happened, and nobody was told: the next saves build on what is there.
#[test]
fn a_lost_answer_leads_to_no_wrong_state() {
    let (engine, inner, answers) = sixty_four(Failure::After(ErrorKind::Storage));
    assert_eq!(answers.iter().filter(|answer| answer.is_err()).count(), 63);
    let all = dalsegno::Query {
        limit: 1_000,
        reverse: true,
        ..Default::default()
    };
    let there = engine.list(&all).unwrap().snapshots;
    assert_eq!(there.len(), 64);
    for session in 0..8 {
        let session = format!("s/{session}");
        let newest = engine.info(&format!("{session}@latest")).unwrap();
        let saved = engine.save_json(&session, state(100)).commit().unwrap();
        assert_eq!(saved.parent, Some(newest.id));
        let again = engine.save_json(&session, state(100)).commit().unwrap();
        assert!(again.unchanged);
    }
    // Each of the lost ones is the state it was to be, in this engine and another.
    for engine in [&engine, &engine_on(inner)] {
        for snapshot in &there {
            let n = usize::try_from(snapshot.turn.unwrap()).unwrap();
            assert_eq!(snapshot.session, format!("s/{}", n % 8));
            assert_eq!(
                engine.restore(&snapshot.id.to_string()).unwrap().text(),
                state(n)
            );
        }
        assert!(engine.verify(None).unwrap().is_intact());
    }
}

#[test]
fn a_name_whose_answer_was_lost_is_taken() {
    let failure = Failure::After(ErrorKind::Storage);
    let store = FaultyStore::failing(memory(), Call::Commit, 1, failure);
    let engine = engine_on(Arc::new(store));
    engine.save_json("s", state(1)).commit().unwrap();
    let save = || engine.save_json("s", state(2)).name("boss");
    assert_eq!(save().commit().unwrap_err().kind(), ErrorKind::Storage);
    assert_eq!(save().commit().unwrap_err().kind(), ErrorKind::Conflict);
    assert_eq!(engine.restore("boss").unwrap().text(), state(2));
}

/// What is not known of the newest state is not built upon.
#[test]
fn a_head_that_cannot_be_read_refuses_the_save() {
    let inner = memory();
    let first = engine_on(Arc::clone(&inner));
    let snapshot = first.save_json("s", state(9)).commit().unwrap();
    let known = [Known {
        snapshot,
        text: state(9),
    }];
    let reads = FaultyStore::new(Arc::clone(&inner), |_, _| None);
    let reads = Arc::new(reads);
    let engine = engine_on(Arc::clone(&reads) as _);
    engine.save_json("s", state(10)).commit().unwrap();
    let (views, reads) = (reads.count(Call::View), reads.count(Call::Read));
    assert!(views > 0 && reads > 3);
    for (call, count) in [(Call::View, views), (Call::Read, reads)] {
        for nth in 0..count {
            let failure = Failure::Before(ErrorKind::Storage);
            let store = FaultyStore::failing(Arc::clone(&inner), call, nth, failure);
            let engine = engine_on(Arc::new(store));
            let error = engine.save_json("s", state(11)).commit().unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Storage);
            let text = error.to_string();
            assert!(
                ["session s", "which lists are guarded", "who may do what"]
                    .iter()
                    .any(|doing| text.contains(doing)),
                "{text}"
            );
            engine.save_json("s", state(11)).commit().unwrap();
            all_there(&engine, &known);
        }
    }
}

#[test]
fn an_error_while_packing_loses_nothing() {
    let faults = [
        (Call::Exchange, Failure::Before(ErrorKind::Storage), 1, 0),
        (Call::Exchange, Failure::After(ErrorKind::Storage), 1, 1),
        (Call::Settle, Failure::Before(ErrorKind::Storage), 1, 1),
    ];
    for (call, failure, errors, blocks) in faults {
        let inner = memory();
        let store = FaultyStore::failing(Arc::clone(&inner), call, 0, failure);
        let engine = engine_on(Arc::new(store));
        let save = |n| {
            let snapshot = engine.save_json("s", state(n)).commit().unwrap();
            Known {
                snapshot,
                text: state(n),
            }
        };
        let known: Vec<Known> = (0..40).map(save).collect();
        let closed = engine.close();
        assert_eq!(usize::from(closed.is_err()), errors, "{call:?}");
        let view = inner.view().unwrap();
        let block = view.newest_block(1).unwrap();
        assert_eq!(usize::from(block.is_some()), blocks, "{call:?} {failure:?}");
        drop(view);
        let engine = engine_on(inner);
        all_there(&engine, &known);
        assert!(engine.verify(None).unwrap().is_intact());
        engine.save_json("s", state(41)).commit().unwrap();
        engine.close().unwrap();
    }
}

/// An evening with two sessions; what failed is tried once more. Returns what was acknowledged.
fn evening(engine: &Engine) -> Vec<Known> {
    let mut known = Vec::new();
    for n in 0..70 {
        let session = if n % 7 == 3 { "other" } else { "s" };
        // Now and then nothing changed.
        let text = state(n - usize::from(n % 9 == 8));
        for _ in 0..2 {
            let mut save = engine.save_json(session, text.clone());
            if n % 10 == 0 {
                save = save.name(format!("at {n}")).kind(Kind::Auto);
            }
            match save.commit() {
                Ok(snapshot) => {
                    known.push(Known { snapshot, text });
                    break;
                }
                Err(error) => {
                    let kinds = [ErrorKind::Locked, ErrorKind::Conflict];
                    assert!(kinds.contains(&error.kind()), "{error}");
                }
            }
        }
    }
    let restored = engine.put_back("other@-2").apply();
    if let Ok(Some(snapshot)) = restored.map(|report| report.head) {
        let text = engine
            .restore("other@-3")
            .map(dalsegno::Restored::into_text);
        known.extend(text.ok().map(|text| Known { snapshot, text }));
    }
    known
}

/// One failure at every single call: what was acknowledged is there, and everything else is whole.
#[test]
fn one_failure_anywhere() {
    let counting = Arc::new(FaultyStore::new(memory(), |_, _| None));
    let engine = engine_on(Arc::clone(&counting) as _);
    assert_eq!(evening(&engine).len(), 71);
    engine.close().unwrap();
    let mut failures = 0;
    for call in Call::ALL {
        let count = counting.count(call);
        assert!(count > 0, "{call:?}");
        let step = match call {
            Call::Exchange | Call::Settle => 1,
            Call::Commit | Call::View | Call::Tidy => effort(5, 1),
            Call::Read => effort(17, 1),
        };
        for nth in (0..count).step_by(step as usize) {
            for failure in [
                Failure::Before(ErrorKind::Locked),
                Failure::After(ErrorKind::Locked),
            ] {
                let inner = memory();
                let store = FaultyStore::failing(Arc::clone(&inner), call, nth, failure);
                let engine = engine_on(Arc::new(store));
                let known = evening(&engine);
                drop(engine.close());
                assert!(known.len() >= 69, "{call:?} {nth}");
                let engine = engine_on(inner);
                all_there(&engine, &known);
                let found = engine.verify(None).unwrap();
                assert!(
                    found.is_intact(),
                    "{call:?} {nth} {failure:?}: {:?}",
                    found.damage
                );
                failures += 1;
            }
        }
    }
    assert!(failures > 50);
}
