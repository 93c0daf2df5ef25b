//! Sessions that were not closed are found again, and stand at their newest intact state.

use std::sync::Arc;

use dalsegno::store::{Exchange, Rows, Scan, Store};
use dalsegno::{Engine, ErrorKind};

use crate::common::{engine_on, memory, state};
use crate::leases::Later;

/// A program that ended without a word.
fn crash(store: &Arc<dyn Store>, sessions: &[&str]) {
    let bot = engine_on(Arc::clone(store));
    for session in sessions {
        bot.open_session(session).unwrap();
        for n in 1..4 {
            bot.save_json(session, state(n)).commit().unwrap();
        }
    }
    bot.flush().unwrap();
    // Neither closed nor dropped.
    std::mem::forget(bot);
}

fn names(engine: &Engine) -> Vec<String> {
    let recovered = engine.recover().unwrap();
    recovered.into_iter().map(|it| it.session).collect()
}

#[test]
fn each_is_found_once_and_again_after_another_crash() {
    let store = memory();
    crash(&store, &["a", "b", "c"]);
    assert!(
        names(&engine_on(Arc::clone(&store))).is_empty(),
        "it may be there yet"
    );
    let next = Later::on(&store);
    next.save_json("d", state(1)).commit().unwrap();
    let left: Vec<_> = next
        .left_open()
        .unwrap()
        .into_iter()
        .map(|it| it.0)
        .collect();
    assert_eq!(left, ["a", "b", "c"]);
    let recovered = next.recover().unwrap();
    assert_eq!(recovered.len(), 3);
    for it in &recovered {
        assert!(it.error.is_none() && it.passed_over.is_empty());
        assert!(it.program.as_ref().unwrap().contains("process"));
        let newest = next.info(&format!("{}@latest", it.session)).unwrap();
        assert_eq!(it.snapshot.as_ref(), Some(&newest));
        assert_eq!(
            next.restore(&newest.id.to_string()).unwrap().text(),
            state(3)
        );
    }
    assert!(names(&next).is_empty());
    next.close_session("a").unwrap();
    std::mem::forget(next);
    // The second crash: what was closed is not found.
    struct Latest;
    impl dalsegno::clock::Clock for Latest {
        fn now(&self) -> jiff::Timestamp {
            jiff::Timestamp::MAX
        }
        fn random(&self) -> [u8; 16] {
            [5; 16]
        }
        fn uptime(&self) -> u64 {
            dalsegno::clock::SystemClock.uptime() + 90_000
        }
    }
    let options = dalsegno::Options::default().clock(Arc::new(Latest));
    assert_eq!(names(&options.on(store)), ["b", "c"]);
}

#[test]
fn of_many_who_recover_each_session_goes_to_one() {
    let store = memory();
    let sessions: Vec<String> = (0..20).map(|n| format!("s{n}")).collect();
    crash(
        &store,
        &sessions.iter().map(String::as_str).collect::<Vec<_>>(),
    );
    let engines = [(); 4].map(|()| Later::on(&store));
    let mut found: Vec<String> = std::thread::scope(|scope| {
        let threads = engines
            .each_ref()
            .map(|engine| scope.spawn(|| names(engine)));
        threads
            .into_iter()
            .flat_map(|thread| thread.join().unwrap())
            .collect()
    });
    found.sort();
    let mut sessions = sessions;
    sessions.sort();
    assert_eq!(found, sessions);
    let epochs = engines.iter().map(|engine| engine.open_sessions().len());
    assert_eq!(epochs.sum::<usize>(), 20);
}

/// Bends the records of the newest `count` snapshots of a session.
fn damage(store: &Arc<dyn Store>, session: &str, count: usize) {
    let view = store.view().unwrap();
    let id = view.session(session).unwrap().unwrap().id;
    let mut seqs = Vec::new();
    let scan = Scan {
        session: Some(id),
        from: None,
        newest_first: true,
    };
    view.snapshots(&scan, &mut |row| {
        seqs.push(row.seq);
        std::ops::ControlFlow::Continue(())
    })
    .unwrap();
    let rows: Vec<_> = seqs[..count]
        .iter()
        .map(|seq| view.record(id, *seq).unwrap().unwrap())
        .collect();
    drop(view);
    let bent = rows.iter().cloned().map(|mut row| {
        row.data.reverse();
        row
    });
    let of = |records| Rows {
        records,
        ..Rows::default()
    };
    let exchange = Exchange::of(of(rows.clone()), of(bent.collect()));
    assert!(store.exchange(&exchange).unwrap());
}

#[test]
fn an_older_state_is_put_back_where_newer_ones_are_damaged() {
    let store = memory();
    crash(&store, &["bad", "good", "worst"]);
    damage(&store, "bad", 2);
    damage(&store, "worst", 3);
    let next = Later::on(&store);
    let recovered = next.recover().unwrap();
    let [bad, good, worst] = &recovered[..] else {
        panic!("{recovered:?}")
    };
    assert_eq!((good.passed_over.len(), good.error.is_none()), (0, true));
    assert_eq!(bad.passed_over.len(), 2);
    assert!(bad.passed_over[0].why.contains("damaged"), "{bad:?}");
    assert!(bad.error.is_none());
    let head = next.info("bad@latest").unwrap();
    assert_eq!(bad.snapshot.as_ref(), Some(&head));
    assert_eq!(next.restore("bad@latest").unwrap().text(), state(1));
    let error = worst.error.as_ref().unwrap();
    assert_eq!(error.kind(), ErrorKind::Damaged);
    assert_eq!(worst.passed_over.len(), 3);
    // It goes on with what it can, and the damaged one is named again.
    next.save_json("bad", state(5)).commit().unwrap();
    let again = next.recover().unwrap();
    assert_eq!(again.len(), 1);
    assert_eq!(again[0].session, "worst");
}
