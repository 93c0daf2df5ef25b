//! What outlives a handle, and what two handles see of each other.
#![allow(clippy::panic)] // a failing test

use std::thread;

use super::kit::{Kit, TIME, base, block, head_of, named, write};
use super::views::add_somehow;
use crate::store::{NewSnapshot, Outcome, Store};

fn some(kit: &Kit<'_>, store: &dyn Store) {
    let rows = kit.fill(store, "s", 5);
    kit.add(store, write("t", None, vec![named("n"), base(b"")]));
    let view = kit.view(store);
    let loose = kit.records(&*view, Some(rows[0].session));
    drop(view);
    let put = [block(store, &loose[..3])];
    assert!(kit.replace(store, &loose[..3], &put), "{}", kit.name);
}

pub(super) fn settling_loses_nothing(kit: &Kit<'_>) {
    let store = kit.store();
    kit.ok(store.tidy());
    kit.ok(store.settle());
    some(kit, &*store);
    let before = kit.everything(&*store);
    for _ in 0..2 {
        kit.ok(store.tidy());
        assert_eq!(kit.everything(&*store), before, "{}", kit.name);
        kit.ok(store.settle());
        assert_eq!(kit.everything(&*store), before, "{}", kit.name);
    }
    kit.fill(&*store, "u", 2);
    assert_eq!(kit.everything(&*store).snapshots.len(), 9, "{}", kit.name);
}

pub(super) fn structure_is_sound(kit: &Kit<'_>) {
    let store = kit.store();
    some(kit, &*store);
    let view = kit.view(&*store);
    let complaints = kit.ok(view.check_structure());
    assert!(complaints.is_empty(), "{}: {complaints:?}", kit.name);
}

pub(super) fn rows_outlive_the_handle(kit: &Kit<'_>) {
    let Some(reopen) = kit.capabilities.reopen else {
        return;
    };
    for settled in [false, true] {
        let store = kit.store();
        some(kit, &*store);
        if settled {
            kit.ok(store.settle());
        }
        let (info, before) = (store.info().clone(), kit.everything(&*store));
        drop(store);
        let store = reopen();
        assert_eq!(store.info(), &info, "{}", kit.name);
        assert_eq!(kit.everything(&*store), before, "{}", kit.name);
        // The numbers go on from the last one, though the clock is an hour behind.
        let head = before.snapshots.iter().rfind(|row| row.session == 1);
        let late = NewSnapshot {
            now: TIME - 3_600_000_000,
            ..base(b"x")
        };
        let rows = kit.add(&*store, write("s", head.map(head_of), vec![late]));
        let newest = before.snapshots.iter().map(|row| row.seq).max();
        assert!(Some(rows[0].seq) > newest, "{}", kit.name);
        drop(store);
        let after = kit.everything(&*reopen());
        assert_eq!(after.snapshots.len(), before.snapshots.len() + 1);
    }
}

pub(super) fn two_handles(kit: &Kit<'_>) {
    let Some(reopen) = kit.capabilities.reopen.filter(|_| kit.capabilities.shared) else {
        return;
    };
    let first = kit.store();
    let second = reopen();
    let row = kit.add_one(&*first, "s", None, b"1");
    let then = kit.add_one(&*second, "s", Some(head_of(&row)), b"2");
    let outcomes = kit.commit(
        &*first,
        &[write("s", Some(head_of(&row)), vec![base(b"3")])],
    );
    assert_eq!(outcomes, [Outcome::HeadMoved], "{}", kit.name);
    assert_eq!(kit.everything(&*first), kit.everything(&*second));
    let view = kit.view(&*first);
    let loose = kit.records(&*view, Some(row.session));
    drop(view);
    let put = [block(&*first, &loose)];
    assert!(kit.replace(&*second, &loose, &put), "{}", kit.name);
    assert!(!kit.replace(&*first, &loose, &put), "{}", kit.name);
    let found = kit.ok(kit.view(&*first).record(then.session, then.seq));
    assert_eq!(found.as_ref(), Some(&put[0]), "{}", kit.name);

    const EACH: usize = 15;
    thread::scope(|scope| {
        for store in [&first, &second] {
            for _ in 0..2 {
                scope.spawn(|| {
                    for _ in 0..EACH {
                        add_somehow(&**store, "both");
                    }
                });
            }
        }
    });
    let view = kit.view(&*second);
    let session = kit.ok(view.session("both")).map(|s| s.id);
    let rows = kit.snapshots(&*view, session);
    assert_eq!(rows.len(), 4 * EACH, "{}", kit.name);
    let parents: Vec<_> = rows.iter().skip(1).map(|row| row.parent).collect();
    let before: Vec<_> = rows.iter().map(|row| Some(row.seq)).collect();
    assert_eq!(parents, before[..before.len() - 1], "{}: a fork", kit.name);
}
