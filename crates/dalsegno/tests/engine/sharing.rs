//! Saves of many share a commit; programs that save the same session take turns.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Condvar, Mutex};
use std::thread;

use dalsegno::store::faulty::{Call, FaultyStore};
use dalsegno::{Engine, ErrorKind, Query};

use crate::common::{Known, all_there, engine_on, memory, state};

#[derive(Default)]
struct Gate {
    submitted: Mutex<usize>,
    changed: Condvar,
}

impl Gate {
    fn pass(&self) {
        *self.submitted.lock().unwrap() += 1;
        self.changed.notify_all();
    }

    fn wait_for(&self, count: usize) {
        let submitted = self.submitted.lock().unwrap();
        drop(self.changed.wait_while(submitted, |n| *n < count).unwrap());
    }
}

/// Sixty-four threads, each with a save that it waits for.
#[test]
fn saves_at_the_same_time_share_a_commit() {
    let gate = Arc::new(Gate::default());
    let open = Arc::clone(&gate);
    let store = Arc::new(FaultyStore::new(memory(), move |call, _| {
        if call == Call::Commit {
            open.wait_for(64);
        }
        None
    }));
    let engine = engine_on(Arc::clone(&store) as _);
    let known = thread::scope(|scope| {
        let savers: Vec<_> = (0..64)
            .map(|n| {
                let (engine, gate) = (&engine, &gate);
                scope.spawn(move || {
                    let session = format!("bot/{}", n % 16);
                    let ticket = engine.save_json(&session, state(n)).submit();
                    gate.pass();
                    let text = state(n);
                    ticket.wait().map(|snapshot| Known { snapshot, text })
                })
            })
            .collect();
        let answers = savers.into_iter().map(|saver| saver.join().unwrap());
        answers.collect::<Result<Vec<_>, _>>().unwrap()
    });
    assert!(
        store.count(Call::Commit) <= 2,
        "{}",
        store.count(Call::Commit)
    );
    all_there(&engine, &known);
    let ids: std::collections::HashSet<_> = known.iter().map(|k| k.snapshot.id).collect();
    assert_eq!(ids.len(), 64);
    assert!(engine.verify(None).unwrap().is_intact());
}

/// One bad save among those that share a commit is the only one that is refused.
#[test]
fn a_refused_save_does_not_hold_up_the_others() {
    let gate = Arc::new(Gate::default());
    let open = Arc::clone(&gate);
    let store = Arc::new(FaultyStore::new(memory(), move |call, n| {
        if call == Call::Commit && n == 0 {
            open.wait_for(1);
        }
        None
    }));
    let engine = engine_on(Arc::clone(&store) as _);
    let first = engine.save_json("a", state(0)).name("boss").submit();
    let good = [
        engine.save_json("a", state(1)).submit(),
        engine.save_json("b", state(2)).name("boss").submit(),
    ];
    let taken = [
        engine.save_json("a", state(3)).name("boss").submit(),
        engine.save_json("b", state(3)).name("boss").submit(),
    ];
    let bad = engine.save_json("a", "{\"not\":json}").submit();
    let last = engine.save_json("a", state(4)).name("other").submit();
    gate.pass();
    let first = first.wait().unwrap();
    let [good, other] = good.map(|ticket| ticket.wait().unwrap());
    for taken in taken {
        let error = taken.wait().unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Conflict);
        assert!(error.to_string().contains("'boss'"), "{error}");
    }
    assert_eq!(bad.wait().unwrap_err().kind(), ErrorKind::InvalidInput);
    let last = last.wait().unwrap();
    assert_eq!((first.parent, other.parent), (None, None));
    assert_eq!((good.parent, last.parent), (Some(first.id), Some(good.id)));
    assert_eq!(engine.list(&Query::default()).unwrap().snapshots.len(), 4);
    assert_eq!(engine.restore("a@other").unwrap().text(), state(4));
}

/// Another program saves the session just before each of the first `times` commits.
fn always_second(times: usize) -> (Engine, Engine) {
    let inner = memory();
    let other = Arc::new(engine_on(Arc::clone(&inner)));
    let count = AtomicUsize::new(0);
    let store = FaultyStore::new(Arc::clone(&inner), move |call, _| {
        if call == Call::Commit && count.fetch_add(1, Ordering::SeqCst) < times {
            let n = count.load(Ordering::SeqCst);
            other.save_json("s", state(1_000 + n)).commit().unwrap();
        }
        None
    });
    (engine_on(Arc::new(store)), engine_on(inner))
}

#[test]
fn a_head_that_moved_is_no_conflict() {
    for times in [1, 2, 15] {
        let (engine, other) = always_second(times);
        let tickets = [1, 2, 3].map(|n| engine.save_json("s", state(n)).submit());
        let saved = tickets.map(|ticket| ticket.wait().unwrap());
        for (snapshot, n) in saved.iter().zip(1..) {
            assert_eq!(
                other.restore(&snapshot.id.to_string()).unwrap().text(),
                state(n)
            );
        }
        assert_eq!(saved[2].parent, Some(saved[1].id));
        assert!(other.verify(None).unwrap().is_intact());
    }
}

/// Who is always second is told so in the end, and nothing of it is there.
#[test]
fn a_head_that_never_stands_still_is_a_conflict() {
    let (engine, other) = always_second(16);
    let error = engine.save_json("s", state(1)).commit().unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Conflict);
    assert!(error.to_string().contains("session s"), "{error}");
    let page = other.list(&Query::default()).unwrap();
    assert!(page.snapshots.iter().all(|s| s.turn > Some(1_000)));
    assert_eq!(page.snapshots.len(), 16);
    engine.save_json("s", state(1)).commit().unwrap();
}

/// A restore is planned on a state; if another save comes in between, it is refused.
#[test]
fn a_restore_that_was_overtaken_is_a_conflict() {
    let (engine, other) = always_second(0);
    for n in 0..3 {
        engine.save_json("s", state(n)).commit().unwrap();
    }
    drop((engine, other));
    let inner = memory();
    let other = Arc::new(engine_on(Arc::clone(&inner)));
    for n in 0..3 {
        other.save_json("s", state(n)).commit().unwrap();
    }
    let overtaking = Arc::clone(&other);
    let store = FaultyStore::new(inner, move |call, n| {
        if call == Call::Commit && n == 0 {
            overtaking.save_json("s", state(77)).commit().unwrap();
        }
        None
    });
    let engine = engine_on(Arc::new(store));
    let error = engine.put_back("s@-1").apply().unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Conflict);
    assert_eq!(other.restore("s@latest").unwrap().text(), state(77));
    assert!(engine.put_back("s@-2").apply().unwrap().head.is_some());
    assert_eq!(other.restore("s@latest").unwrap().text(), state(1));
}
