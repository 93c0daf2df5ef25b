//! What `commit` adds, and what it refuses.
#![allow(clippy::panic)] // a failing test

use super::kit::{Kit, TIME, base, head_of, named, on, same, seqs, write};
use crate::error::ErrorKind;
use crate::store::{Head, Link, NewSnapshot, NewState, Outcome, Row};

pub(super) fn rows_come_back(kit: &Kit<'_>) {
    let store = kit.store();
    let new = NewSnapshot {
        created_at: TIME + 123_456,
        kind: 3,
        size: 77,
        epoch: 9,
        ..named("party 漢🎵'\"")
    };
    let added = kit.add(&*store, write("bot/42 é", None, vec![new.clone()]));
    let view = kit.view(&*store);
    let row = &added[0];
    assert_eq!(kit.snapshots(&*view, None), added, "{}", kit.name);
    assert_eq!(kit.ok(view.snapshot(row.seq)).as_ref(), Some(row));
    let kept = (row.created_at, row.kind, row.flags, row.size, row.epoch);
    assert_eq!(kept, (TIME + 123_456, 3, 0, 77, 9));
    assert_eq!((row.name.clone(), &row.detail), (new.name, &new.detail));
    assert_eq!((row.parent, row.state), (None, None));
    assert_eq!(row.stored, 5, "the length of its record");
    assert_eq!(row.checksum, row.compute(&store.info().id));

    let session = kit.ok(view.session("bot/42 é"));
    let session = session.unwrap_or_else(|| panic!("{}: no session", kit.name));
    assert_eq!((session.id, session.head), (row.session, row.seq));
    assert_eq!(session.checksum, session.compute(&store.info().id));

    let records = kit.records(&*view, None);
    let record = &records[0];
    assert_eq!((records.len(), record.seq, record.count), (1, row.seq, 1));
    assert_eq!((&record.data[..], record.parent), (&b"named"[..], None));
    assert_eq!(record.session, row.session);
    assert_eq!(record.checksum, record.compute(&store.info().id));
}

pub(super) fn extremes_come_back(kit: &Kit<'_>) {
    let store = kit.store();
    let large: Vec<u8> = (0..100_000_u32).map(|n| (n % 251) as u8).collect();
    let mut news = Vec::new();
    for (time, number) in [(0, 0), (-1, i64::MIN), (TIME, i64::MAX), (i64::MIN, -1)] {
        news.push(NewSnapshot {
            created_at: time,
            kind: number,
            size: number,
            epoch: number,
            detail: Vec::new(),
            ..base(&large)
        });
    }
    news.push(NewSnapshot {
        detail: large.clone(),
        ..base(b"")
    });
    let added = kit.add(&*store, write("s", None, news.clone()));
    let view = kit.view(&*store);
    assert_eq!(kit.snapshots(&*view, None), added, "{}", kit.name);
    for (row, new) in added.iter().zip(&news) {
        let kept = (row.created_at, row.kind, row.size, row.epoch, &row.detail);
        let given = (new.created_at, new.kind, new.size, new.epoch, &new.detail);
        assert_eq!(kept, given, "{}", kit.name);
    }
    let records = kit.records(&*view, None);
    assert_eq!((&records[0].data, &records[4].data[..]), (&large, &b""[..]));
}

/// Whatever the clock says: later, the same, earlier, before 1970, far away.
pub(super) fn sequence_numbers_grow(kit: &Kit<'_>) {
    let store = kit.store();
    let times = [
        TIME,
        TIME,
        TIME - 1_000_000,
        -5,
        0,
        TIME + 7,
        TIME * 2,
        TIME,
    ];
    let mut given: Vec<i64> = Vec::new();
    let mut head = None;
    for (n, time) in times.into_iter().enumerate() {
        let news = [time, time - 1].map(|now| NewSnapshot { now, ..base(b"x") });
        // Other sessions draw from the same numbers.
        let other = format!("other {n}");
        let writes = [
            write("s", head, news.to_vec()),
            write(&other, None, news.to_vec()),
        ];
        for outcome in kit.commit(&*store, &writes) {
            let Outcome::Committed(rows) = outcome else {
                panic!("{}: {outcome:?}", kit.name);
            };
            given.extend(seqs(&rows));
            head = rows.last().filter(|r| r.session == 1).map(head_of).or(head);
        }
    }
    assert!(given.is_sorted_by(|a, b| a < b), "{}: {given:?}", kit.name);
    let view = kit.view(&*store);
    assert_eq!(seqs(&kit.snapshots(&*view, None)), given, "{}", kit.name);
}

pub(super) fn parents_follow(kit: &Kit<'_>) {
    let store = kit.store();
    let first = kit.add(&*store, write("s", None, vec![base(b"1"), base(b"2")]));
    kit.add_one(&*store, "other", None, b"3");
    let head = head_of(&first[1]);
    let then = kit.add(
        &*store,
        write("s", Some(head), vec![base(b"4"), base(b"5")]),
    );
    let parents: Vec<_> = first.iter().chain(&then).map(|row| row.parent).collect();
    let expected = [
        None,
        Some(first[0].seq),
        Some(first[1].seq),
        Some(then[0].seq),
    ];
    assert_eq!(parents, expected, "{}", kit.name);
}

pub(super) fn links_are_resolved(kit: &Kit<'_>) {
    let store = kit.store();
    let news = vec![
        base(b"base"),
        same(Link::Here(0)),
        on(Link::Here(0)),
        // By way of a snapshot that has no record of its own.
        on(Link::Here(1)),
        same(Link::Here(3)),
    ];
    let rows = kit.add(&*store, write("s", None, news));
    let head = Some(head_of(&rows[4]));
    let more = vec![same(Link::Seq(rows[2].seq)), on(Link::Seq(rows[3].seq))];
    let rows = [rows, kit.add(&*store, write("s", head, more))].concat();
    let seq = seqs(&rows);
    let states: Vec<_> = rows.iter().map(|row| row.state).collect();
    let expected = [
        None,
        Some(seq[0]),
        None,
        None,
        Some(seq[3]),
        Some(seq[2]),
        None,
    ];
    assert_eq!(states, expected, "{}", kit.name);
    let flags: Vec<_> = rows.iter().map(|row| (row.flags, row.stored)).collect();
    assert_eq!(flags[..3], [(0, 4), (1, 0), (0, 5)], "{}", kit.name);
    let view = kit.view(&*store);
    let records = kit.records(&*view, None);
    let parents: Vec<_> = records.iter().map(|r| (r.seq, r.parent)).collect();
    let expected = [
        (seq[0], None),
        (seq[2], Some(seq[0])),
        (seq[3], Some(seq[0])),
        (seq[6], Some(seq[3])),
    ];
    assert_eq!(parents, expected, "{}", kit.name);
}

/// From the head, parents lead back to the first: that is how a session is read.
pub(super) fn the_head_is_the_newest(kit: &Kit<'_>) {
    let store = kit.store();
    let mut head = None;
    for count in [1, 3, 1] {
        let news = vec![base(b"x"); count];
        let rows = kit.add(&*store, write("s", head, news));
        kit.add_one(&*store, &format!("other {count} {head:?}"), None, b"y");
        head = rows.last().map(head_of);
        let view = kit.view(&*store);
        let session = kit
            .ok(view.session("s"))
            .map(|s| (s.id, s.head, s.compute(&store.info().id) == s.checksum));
        let expected = head.map(|head| (head.session, head.seq, true));
        assert_eq!(session, expected, "{}", kit.name);
    }
}

/// The whole call fails, with what came before it.
pub(super) fn a_bad_link_adds_nothing(kit: &Kit<'_>) {
    for bad in [on(Link::Here(0)), same(Link::Here(0)), same(Link::Here(7))] {
        let store = kit.store();
        kit.fill(&*store, "s", 1);
        let before = kit.everything(&*store);
        let writes = [
            write("fine", None, vec![base(b"1")]),
            write("bad", None, vec![bad]),
        ];
        let error = store.commit(&writes).err().map(|e| e.kind());
        assert_eq!(error, Some(ErrorKind::InvalidInput), "{}", kit.name);
        assert_eq!(kit.everything(&*store), before, "{}", kit.name);
    }
}

pub(super) fn each_session_has_its_outcome(kit: &Kit<'_>) {
    let store = kit.store();
    let a = kit.add(&*store, write("a", None, vec![named("taken")]));
    let b = kit.add_one(&*store, "b", None, b"b");
    let writes = [
        write("a", Some(head_of(&a[0])), vec![base(b"1"), named("taken")]),
        write("b", Some(head_of(&b)), vec![base(b"2"), base(b"3")]),
        write("b", Some(head_of(&b)), vec![base(b"4")]),
        write("c", None, vec![named("taken")]),
    ];
    let outcomes = kit.commit(&*store, &writes);
    let taken = Outcome::NameTaken {
        index: 1,
        by: a[0].seq,
    };
    assert_eq!(outcomes[0], taken, "{}", kit.name);
    assert_eq!(outcomes[2], Outcome::HeadMoved, "{}", kit.name);
    let (Outcome::Committed(b2), Outcome::Committed(c)) = (&outcomes[1], &outcomes[3]) else {
        panic!("{}: {outcomes:?}", kit.name);
    };
    let view = kit.view(&*store);
    let expected = [&a[..], &[b], &b2[..], &c[..]].concat();
    assert_eq!(kit.snapshots(&*view, None), expected, "{}", kit.name);
    assert_eq!(kit.records(&*view, None).len(), expected.len());
}

pub(super) fn a_moved_head_is_refused(kit: &Kit<'_>) {
    let store = kit.store();
    let rows = kit.fill(&*store, "s", 3);
    let before = kit.everything(&*store);
    let old = head_of(&rows[1]);
    let later = Head {
        seq: old.seq + 1_000_000,
        ..old
    };
    for head in [None, Some(old), Some(later)] {
        let outcomes = kit.commit(&*store, &[write("s", head, vec![base(b"no")])]);
        assert_eq!(outcomes, [Outcome::HeadMoved], "{}: {head:?}", kit.name);
    }
    // A head of a session that is not there.
    let gone = Head {
        session: 1_000,
        seq: old.seq,
        era: 0,
    };
    let outcomes = kit.commit(&*store, &[write("new", Some(gone), vec![base(b"no")])]);
    assert_eq!(outcomes, [Outcome::HeadMoved], "{}", kit.name);
    assert_eq!(kit.everything(&*store), before, "{}", kit.name);
    let last = kit.add_one(&*store, "s", rows.last().map(head_of), b"yes");
    // The number of a session that is gone may be another's by now, which has such a name.
    let last = kit.add(&*store, write("s", Some(head_of(&last)), vec![named("a")]));
    for head in [head_of(&last[0]), old] {
        let outcomes = kit.commit(&*store, &[write("new", Some(head), vec![named("a")])]);
        assert_eq!(outcomes, [Outcome::HeadMoved], "{}", kit.name);
    }
}

pub(super) fn a_new_session_is_made_once(kit: &Kit<'_>) {
    let store = kit.store();
    let writes = [
        write("s", None, vec![base(b"first")]),
        write("s", None, vec![base(b"second")]),
        write("t", None, vec![base(b"third")]),
    ];
    let outcomes = kit.commit(&*store, &writes);
    assert!(matches!(outcomes[0], Outcome::Committed(_)), "{}", kit.name);
    assert_eq!(outcomes[1], Outcome::HeadMoved, "{}", kit.name);
    let view = kit.view(&*store);
    let sessions = kit.sessions(&*view);
    let names: Vec<_> = sessions.iter().map(|s| s.name.as_str()).collect();
    assert_eq!(names, ["s", "t"], "{}", kit.name);
    assert_ne!(sessions[0].id, sessions[1].id, "{}", kit.name);
}

pub(super) fn a_taken_name_is_refused(kit: &Kit<'_>) {
    let store = kit.store();
    let first = kit.add(&*store, write("s", None, vec![named("a"), named("b")]));
    let head = Some(head_of(&first[1]));
    let before = kit.everything(&*store);
    let refused = |news: Vec<NewSnapshot>| kit.commit(&*store, &[write("s", head, news)]);
    let taken = |index, by| vec![Outcome::NameTaken { index, by }];
    let by = first[1].seq;
    let outcomes = refused(vec![base(b"1"), named("c"), named("b")]);
    assert_eq!(outcomes, taken(2, by), "{}", kit.name);
    // By one of the same write, which has no number.
    let outcomes = refused(vec![named("c"), base(b"1"), named("c")]);
    assert_eq!(outcomes, taken(2, 0), "{}", kit.name);
    let outcomes = kit.commit(&*store, &[write("new", None, vec![named("c"), named("c")])]);
    assert_eq!(outcomes, taken(1, 0), "{}", kit.name);
    assert_eq!(kit.everything(&*store), before, "{}", kit.name);
    // Names are compared exactly, and belong to their session.
    let news = vec![named("A"), named("a "), named("á")];
    kit.add(&*store, write("s", head, news));
    kit.add(&*store, write("t", None, vec![named("a")]));
}

pub(super) fn nothing_to_commit(kit: &Kit<'_>) {
    let store = kit.store();
    assert!(kit.commit(&*store, &[]).is_empty());
    let row = kit.fill(&*store, "s", 1);
    let before = kit.everything(&*store);
    assert!(kit.commit(&*store, &[]).is_empty());
    assert_eq!(kit.everything(&*store), before, "{}", kit.name);
    let again = NewSnapshot {
        state: NewState::Same(Link::Seq(row[0].seq)),
        ..base(b"")
    };
    kit.add(&*store, write("s", row.last().map(head_of), vec![again]));
}
