//! Visiting sessions and snapshots.
#![allow(clippy::panic)] // a failing test

use super::exchanges::every;
use super::kit::{Kit, base, head_of, named, seqs, write};
use crate::codec::note;
use crate::error::{Error, ErrorKind};
use crate::store::{Flow, NoteRow, NoteScan, Rows, Scan};

pub(super) fn nothing_at_first(kit: &Kit<'_>) {
    let store = kit.store();
    let view = kit.view(&*store);
    assert!(kit.sessions(&*view).is_empty(), "{}", kit.name);
    assert_eq!(kit.ok(view.last_session()), 0, "{}", kit.name);
    assert!(kit.snapshots(&*view, None).is_empty(), "{}", kit.name);
    assert!(kit.snapshots(&*view, Some(1)).is_empty(), "{}", kit.name);
    assert!(kit.records(&*view, None).is_empty(), "{}", kit.name);
    assert_eq!(kit.ok(view.session("s")), None, "{}", kit.name);
    assert_eq!(kit.ok(view.session_by_id(1)), None, "{}", kit.name);
    assert_eq!(kit.ok(view.snapshot(1)), None, "{}", kit.name);
    assert_eq!(kit.ok(view.record(1, 1)), None, "{}", kit.name);
    assert_eq!(kit.ok(view.newest_block(1)), None, "{}", kit.name);
    assert!(kit.ok(view.named("n")).is_empty(), "{}", kit.name);
    assert_eq!(kit.ok(view.trashed(1)), None, "{}", kit.name);
    assert!(kit.trash(&*view).is_empty(), "{}", kit.name);
    assert!(kit.operations(&*view, None).is_empty(), "{}", kit.name);
    assert!(kit.ok(view.policies()).is_empty(), "{}", kit.name);
    assert_eq!(kit.ok(view.last()), 0, "{}", kit.name);
    let other = kit.store();
    assert_ne!(store.info().id, other.info().id, "{}", kit.name);
    assert_eq!(store.info().format, 4, "{}", kit.name);
}

pub(super) fn sessions(kit: &Kit<'_>) {
    let store = kit.store();
    let mut rows = Vec::new();
    for name in ["b", "a", "é", "A"] {
        rows.push(kit.add_one(&*store, name, None, b"x"));
    }
    let view = kit.view(&*store);
    let found = kit.sessions(&*view);
    let names: Vec<_> = found.iter().map(|s| s.name.as_str()).collect();
    assert_eq!(names, ["b", "a", "é", "A"], "{}", kit.name);
    assert!(found.is_sorted_by_key(|s| s.id), "{}", kit.name);
    for (session, row) in found.iter().zip(&rows) {
        assert_eq!(session.id, row.session, "{}", kit.name);
        let by_id = kit.ok(view.session_by_id(session.id));
        assert_eq!(by_id.as_ref(), Some(session), "{}", kit.name);
        let by_name = kit.ok(view.session(&session.name));
        assert_eq!(by_name.as_ref(), Some(session), "{}", kit.name);
    }
    assert_eq!(kit.ok(view.session("B")), None, "{}", kit.name);
    assert_eq!(kit.ok(view.session("")), None, "{}", kit.name);
}

pub(super) fn both_ways(kit: &Kit<'_>) {
    let store = kit.store();
    let (mut a, mut all) = (Vec::new(), Vec::new());
    let mut heads = [None, None];
    for n in 0..9_u8 {
        let which = usize::from(n % 3 == 1);
        let row = kit.add_one(&*store, ["a", "b"][which], heads[which], &[n]);
        heads[which] = Some(head_of(&row));
        if which == 0 {
            a.push(row.seq);
        }
        all.push(row.seq);
    }
    let session = heads[0].map(|head| head.session);
    let view = kit.view(&*store);
    let places = all.iter().flat_map(|seq| [seq - 1, *seq, seq + 1]);
    let places = [i64::MIN, 0, i64::MAX].into_iter().chain(places);
    for from in [None].into_iter().chain(places.map(Some)) {
        for (session, of) in [(None, &all), (session, &a)] {
            let forward = of.iter().filter(|seq| from.is_none_or(|from| **seq > from));
            let forward: Vec<i64> = forward.copied().collect();
            let below = of.iter().filter(|seq| from.is_none_or(|from| **seq < from));
            let backward: Vec<i64> = below.rev().copied().collect();
            for (newest_first, expected) in [(false, forward), (true, backward)] {
                let scan = Scan {
                    session,
                    from,
                    newest_first,
                };
                let found = seqs(&kit.scan(&*view, scan));
                assert_eq!(found, expected, "{}: {scan:?}", kit.name);
            }
        }
    }
    assert!(kit.snapshots(&*view, Some(99)).is_empty(), "{}", kit.name);
}

/// With what they are told to end with.
pub(super) fn visits_end(kit: &Kit<'_>) {
    let store = kit.store();
    kit.fill(&*store, "a", 3);
    kit.fill(&*store, "b", 3);
    for n in 1..3 {
        assert!(kit.exchange(&*store, Rows::default(), every(&*store, n)));
    }
    let view = kit.view(&*store);
    let scan = Scan::default();
    for error in [None, Some(Error::new(ErrorKind::Damaged, "enough"))] {
        let end = || Flow::Break(error.clone().map_or(Ok(()), Err));
        let mut seen = [0; 5];
        let ends = [
            view.sessions(&mut |_| {
                seen[0] += 1;
                end()
            }),
            view.snapshots(&scan, &mut |_| {
                seen[1] += 1;
                end()
            }),
            view.records(&mut |_| {
                seen[2] += 1;
                end()
            }),
            view.trash(&mut |_| {
                seen[3] += 1;
                end()
            }),
            view.operations(None, &mut |_| {
                seen[4] += 1;
                end()
            }),
        ];
        assert_eq!(seen, [1; 5], "{}", kit.name);
        for ended in ends {
            let told = ended.err().map(|e| e.to_string());
            let expected = error.as_ref().map(ToString::to_string);
            assert_eq!(told, expected, "{}", kit.name);
        }
    }
    // And the view goes on working.
    assert_eq!(kit.snapshots(&*view, None).len(), 8, "{}", kit.name);
}

pub(super) fn names(kit: &Kit<'_>) {
    let store = kit.store();
    let a = kit.add(
        &*store,
        write("a", None, vec![named("x"), base(b""), named("y")]),
    );
    let b = kit.add(&*store, write("b", None, vec![named("x")]));
    let view = kit.view(&*store);
    assert_eq!(
        kit.ok(view.named("x")),
        [a[0].seq, b[0].seq],
        "{}",
        kit.name
    );
    assert_eq!(kit.ok(view.named("y")), [a[2].seq], "{}", kit.name);
    for none in ["X", "", "x ", "z"] {
        assert!(kit.ok(view.named(none)).is_empty(), "{}", kit.name);
    }
}

pub(super) fn notes(kit: &Kit<'_>) {
    let store = kit.store();
    let id = &store.info().id;
    let keys = [
        (1, 0, 1),
        (2, 0, -7),
        (2, 0, 5),
        (2, 3, 4),
        (2, 3, i64::MAX),
        (2, i64::MAX, 0),
        (3, 3, 4),
    ];
    let notes = keys.map(|key| NoteRow::new(key, vec![1; key.2.clamp(0, 9) as usize], id));
    let put = Rows {
        notes: notes.iter().rev().cloned().collect(),
        ..Rows::default()
    };
    assert!(kit.exchange(&*store, Rows::default(), put));
    let view = kit.view(&*store);
    let found = |session, above, backwards| {
        let scan = NoteScan {
            kind: 2,
            session,
            above,
            backwards,
        };
        let rows = kit.note_scan(&*view, scan);
        let at = |row: &NoteRow| notes.iter().position(|note| note == row);
        rows.iter()
            .map(|row| at(row).unwrap_or(99))
            .collect::<Vec<_>>()
    };
    // An encrypted store has keys before it has anything else.
    let mut kinds = kit.ok(view.note_kinds());
    kinds.retain(|kind| *kind != note::SLOT);
    assert_eq!(kinds, [1, 2, 3], "{}", kit.name);
    let empty = kit.store();
    let mut none = kit.ok(kit.view(&*empty).note_kinds());
    none.retain(|kind| *kind != note::SLOT);
    assert!(none.is_empty(), "{}", kit.name);
    assert_eq!(found(None, None, false), [1, 2, 3, 4, 5], "{}", kit.name);
    assert_eq!(found(None, None, true), [5, 4, 3, 2, 1], "{}", kit.name);
    assert_eq!(found(Some(0), None, false), [1, 2], "{}", kit.name);
    assert_eq!(found(Some(0), Some(-7), false), [2], "{}", kit.name);
    assert_eq!(found(Some(3), Some(4), true), [4], "{}", kit.name);
    assert_eq!(found(Some(3), Some(3), true), [4, 3], "{}", kit.name);
    assert!(found(Some(4), None, false).is_empty(), "{}", kit.name);
    assert_eq!(found(None, Some(4), false), [2, 4], "{}", kit.name);
}
