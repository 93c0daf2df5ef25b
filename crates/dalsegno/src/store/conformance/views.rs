//! One committed state, however long it is looked at.
#![allow(clippy::panic)] // a failing test

use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

use super::kit::{Kit, base, block, head_of, named, write};
use crate::store::{Head, Outcome, Store, View};

pub(super) fn a_view_stays(kit: &Kit<'_>) {
    let store = kit.store();
    let rows = kit.fill(&*store, "s", 3);
    let view = kit.view(&*store);
    let before = kit.snapshots(&*view, None);
    assert_eq!(before, rows, "{}", kit.name);

    let head = rows.last().map(head_of);
    let more = kit.add(&*store, write("s", head, vec![named("later"), base(b"")]));
    kit.fill(&*store, "t", 2);
    for _ in 0..2 {
        assert_eq!(kit.snapshots(&*view, None), before, "{}", kit.name);
        assert_eq!(kit.sessions(&*view).len(), 1, "{}", kit.name);
        assert_eq!(kit.records(&*view, None).len(), 3, "{}", kit.name);
        assert_eq!(kit.ok(view.session("t")), None, "{}", kit.name);
        assert_eq!(kit.ok(view.snapshot(more[0].seq)), None, "{}", kit.name);
        assert!(kit.ok(view.named("later")).is_empty(), "{}", kit.name);
        let newer = kit.view(&*store);
        assert_eq!(kit.snapshots(&*newer, None).len(), 7, "{}", kit.name);
        kit.ok(store.settle());
    }
}

pub(super) fn a_view_stays_while_records_move(kit: &Kit<'_>) {
    let store = kit.store();
    let rows = kit.fill(&*store, "s", 4);
    let session = rows[0].session;
    let view = kit.view(&*store);
    let loose = kit.records(&*view, Some(session));
    assert_eq!(loose.len(), 4, "{}", kit.name);
    let put = [block(&*store, &loose)];
    assert!(kit.replace(&*store, &loose, &put), "{}", kit.name);
    assert_eq!(kit.records(&*view, None), loose, "{}", kit.name);
    assert_eq!(kit.ok(view.newest_block(session)), None, "{}", kit.name);
    let alone = kit.ok(view.record(session, rows[1].seq));
    assert_eq!(alone.as_ref(), Some(&loose[1]), "{}", kit.name);
    let newer = kit.view(&*store);
    let there = kit.ok(newer.newest_block(session));
    assert_eq!(there.as_ref(), Some(&put[0]), "{}", kit.name);
}

/// Every commit adds to two sessions; whoever looks sees as many of one as of the other.
pub(super) fn never_half_a_commit(kit: &Kit<'_>) {
    const COMMITS: usize = 60;
    let store = kit.store();
    let done = AtomicBool::new(false);
    let count = |view: &dyn View, name: &str| {
        let session = must(view.session(name));
        session.map_or(0, |s| snapshots(view, s.id))
    };
    thread::scope(|scope| {
        let looking = [0, 1].map(|_| {
            scope.spawn(|| {
                let (mut looks, mut most) = (0, 0);
                while !done.load(Ordering::Relaxed) || looks == 0 {
                    let view = must(store.view());
                    // In the order against that of the commit, so that a view that moves shows.
                    let (b, a) = (count(&*view, "b"), count(&*view, "a"));
                    assert_eq!(a, b, "half a commit is visible");
                    assert!(a >= most, "a commit is gone");
                    (looks, most) = (looks + 1, a);
                }
            })
        });
        let mut heads = [None, None];
        for _ in 0..COMMITS {
            let writes = [("a", heads[0]), ("b", heads[1])]
                .map(|(name, head)| write(name, head, vec![base(b"x")]));
            for (head, outcome) in heads.iter_mut().zip(kit.commit(&*store, &writes)) {
                *head = newest(outcome);
            }
        }
        done.store(true, Ordering::Relaxed);
        for reader in looking {
            if let Err(panic) = reader.join() {
                std::panic::resume_unwind(panic);
            }
        }
    });
    let view = kit.view(&*store);
    assert_eq!(count(&*view, "a"), COMMITS, "{}", kit.name);
}

/// Threads that save the same session: who was first wins, the others look again.
pub(super) fn writers_do_not_get_lost(kit: &Kit<'_>) {
    const EACH: usize = 12;
    let store = kit.store();
    thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                for _ in 0..EACH {
                    add_somehow(&*store, "s");
                }
            });
        }
    });
    let view = kit.view(&*store);
    let rows = kit.snapshots(&*view, None);
    assert_eq!(rows.len(), 4 * EACH, "{}", kit.name);
    let mut parent = None;
    for row in rows {
        assert_eq!(row.parent, parent, "{}: a fork", kit.name);
        parent = Some(row.seq);
    }
}

/// Adds a snapshot on top of whatever the newest is.
pub(super) fn add_somehow(store: &dyn Store, session: &str) {
    loop {
        let head = {
            let view = must(store.view());
            let session = must(view.session(session));
            session.and_then(|session| newest_of(&*view, session.id))
        };
        let outcomes = must(store.commit(&[write(session, head, vec![base(b"x")])]));
        match &outcomes[0] {
            Outcome::Committed(_) => return,
            Outcome::HeadMoved => {}
            other @ Outcome::NameTaken { .. } => panic!("{other:?}"),
        }
    }
}

fn newest_of(view: &dyn View, session: i64) -> Option<Head> {
    let scan = crate::store::Scan {
        session: Some(session),
        from: None,
        newest_first: true,
    };
    let mut head = None;
    must(view.snapshots(&scan, &mut |row| {
        head = Some(head_of(&row));
        std::ops::ControlFlow::Break(Ok(()))
    }));
    head
}

fn newest(outcome: Outcome) -> Option<Head> {
    match outcome {
        Outcome::Committed(rows) => rows.last().map(head_of),
        other => panic!("{other:?}"),
    }
}

fn snapshots(view: &dyn View, session: i64) -> usize {
    let scan = crate::store::Scan {
        session: Some(session),
        ..crate::store::Scan::default()
    };
    let mut count = 0;
    must(view.snapshots(&scan, &mut |_| {
        count += 1;
        std::ops::ControlFlow::Continue(())
    }));
    count
}

/// The kit itself cannot go to other threads.
fn must<T>(result: crate::error::Result<T>) -> T {
    result.unwrap_or_else(|error| panic!("{error}"))
}
