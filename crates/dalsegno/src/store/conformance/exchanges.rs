//! Rows that make way for others, in every table: all of it, or nothing.
#![allow(clippy::panic)] // a failing test

use super::kit::{Kit, TIME, base, head_of, named, write};
use crate::store::{
    Exchange, Head, NewOperation, NewSnapshot, NoteRow, OperationRow, Outcome, PolicyRow,
    RecordRow, Row, Rows, SessionRow, SnapshotRow, Store, TrashRow,
};

/// One row of each table, told from those of other numbers by every column.
pub(super) fn every(store: &dyn Store, n: i64) -> Rows {
    let id = &store.info().id;
    let snapshot = |seq: i64| SnapshotRow {
        seq,
        session: 50 + n,
        created_at: TIME + n,
        kind: n,
        flags: n,
        size: n * 7,
        stored: n * 5,
        parent: Some(n),
        state: Some(n * 3),
        epoch: n * 2,
        name: Some(format!("name {n}")),
        detail: vec![n as u8; 3],
        checksum: [0; 16],
    };
    let record = RecordRow {
        seq: 3_000 + n,
        session: 50 + n,
        count: 1,
        parent: Some(n),
        data: vec![n as u8; 9],
        checksum: [0; 16],
    };
    let trash = TrashRow {
        snapshot: snapshot(2_000 + n),
        deleted_at: TIME - n,
        keep_until: TIME + 100 * n,
        checksum: [0; 16],
    };
    let operation = OperationRow {
        seq: 4_000 + n,
        session: 50 + n,
        verb: n,
        status: n + 1,
        detail: vec![n as u8],
        checksum: [0; 16],
    };
    let policy = PolicyRow {
        id: n,
        pattern: format!("bot/{n}*"),
        detail: b"{}".to_vec(),
        checksum: [0; 16],
    };
    Rows {
        sessions: vec![SessionRow::new(50 + n, format!("put {n}"), n, n + 4, id)],
        snapshots: vec![snapshot(1_000 + n).summed(id)],
        trash: vec![trash.summed(id)],
        records: vec![RecordRow {
            checksum: record.compute(id),
            ..record
        }],
        operations: vec![operation.summed(id)],
        policies: vec![policy.summed(id)],
        notes: vec![NoteRow::new((n, 50 + n, n), vec![n as u8; 2], id)],
    }
}

/// The row of each table alone, with the table's name.
fn alone(rows: &Rows) -> [(&'static str, Rows); 7] {
    let Rows {
        sessions,
        snapshots,
        trash,
        records,
        operations,
        policies,
        notes,
    } = rows.clone();
    let none = Rows::default;
    [
        ("sessions", Rows { sessions, ..none() }),
        (
            "snapshots",
            Rows {
                snapshots,
                ..none()
            },
        ),
        ("trash", Rows { trash, ..none() }),
        ("records", Rows { records, ..none() }),
        (
            "operations",
            Rows {
                operations,
                ..none()
            },
        ),
        ("policies", Rows { policies, ..none() }),
        ("notes", Rows { notes, ..none() }),
    ]
}

/// The rows of both.
fn both(a: &Rows, b: &Rows) -> Rows {
    Rows {
        sessions: [&a.sessions[..], &b.sessions].concat(),
        snapshots: [&a.snapshots[..], &b.snapshots].concat(),
        trash: [&a.trash[..], &b.trash].concat(),
        records: [&a.records[..], &b.records].concat(),
        operations: [&a.operations[..], &b.operations].concat(),
        policies: [&a.policies[..], &b.policies].concat(),
        notes: [&a.notes[..], &b.notes].concat(),
    }
}

/// Each row with another checksum.
fn otherwise(mut rows: Rows) -> Rows {
    let wrong = [7; 16];
    rows.sessions.iter_mut().for_each(|r| r.checksum = wrong);
    rows.snapshots.iter_mut().for_each(|r| r.checksum = wrong);
    rows.trash.iter_mut().for_each(|r| r.checksum = wrong);
    rows.records.iter_mut().for_each(|r| r.checksum = wrong);
    rows.operations.iter_mut().for_each(|r| r.checksum = wrong);
    rows.policies.iter_mut().for_each(|r| r.checksum = wrong);
    rows.notes.iter_mut().for_each(|r| r.checksum = wrong);
    rows
}

/// Each row with another key.
fn elsewhere(mut rows: Rows) -> Rows {
    let far = 9_000;
    rows.sessions.iter_mut().for_each(|r| r.id += far);
    rows.snapshots.iter_mut().for_each(|r| r.seq += far);
    rows.trash.iter_mut().for_each(|r| r.snapshot.seq += far);
    rows.records.iter_mut().for_each(|r| r.seq += far);
    rows.operations.iter_mut().for_each(|r| r.seq += far);
    rows.policies.iter_mut().for_each(|r| r.id += far);
    rows.notes.iter_mut().for_each(|r| r.id += far);
    rows
}

pub(super) fn come_back(kit: &Kit<'_>) {
    let store = kit.store();
    let (a, b) = (every(&*store, 1), every(&*store, 2));
    assert!(
        kit.exchange(&*store, Rows::default(), both(&b, &a)),
        "{}",
        kit.name
    );
    let there = kit.everything(&*store);
    assert_eq!(there.sessions, both(&a, &b).sessions, "{}", kit.name);
    assert_eq!(there.snapshots, both(&a, &b).snapshots, "{}", kit.name);
    assert_eq!(there.trash, both(&a, &b).trash, "{}", kit.name);
    assert_eq!(there.records, both(&a, &b).records, "{}", kit.name);
    assert_eq!(there.operations, both(&b, &a).operations, "{}", kit.name);
    assert_eq!(there.policies, both(&a, &b).policies, "{}", kit.name);
    assert_eq!(there.notes, both(&a, &b).notes, "{}", kit.name);
    let view = kit.view(&*store);
    for rows in [&a, &b] {
        let (session, snapshot) = (&rows.sessions[0], &rows.snapshots[0]);
        let found = kit.ok(view.session(&session.name));
        assert_eq!(found.as_ref(), Some(session), "{}", kit.name);
        let found = kit.ok(view.session_by_id(session.id));
        assert_eq!(found.as_ref(), Some(session), "{}", kit.name);
        let found = kit.ok(view.snapshot(snapshot.seq));
        assert_eq!(found.as_ref(), Some(snapshot), "{}", kit.name);
        let trash = &rows.trash[0];
        let found = kit.ok(view.trashed(trash.snapshot.seq));
        assert_eq!(found.as_ref(), Some(trash), "{}", kit.name);
        // What is in the trash is no snapshot, and its name leads nowhere.
        assert_eq!(kit.ok(view.snapshot(trash.snapshot.seq)), None);
        assert_eq!(kit.ok(view.trashed(snapshot.seq)), None, "{}", kit.name);
        let name = snapshot.name.as_deref().unwrap_or_default();
        assert_eq!(kit.ok(view.named(name)), [snapshot.seq], "{}", kit.name);
        let found = kit.ok(view.record(session.id, rows.records[0].seq));
        assert_eq!(found.as_ref(), rows.records.first(), "{}", kit.name);
        let found = kit.operations(&*view, Some(session.id));
        assert_eq!(found, rows.operations, "{}", kit.name);
    }
    drop(view);
    assert!(kit.exchange(&*store, both(&a, &b), Rows::default()));
    let there = kit.everything(&*store);
    let empty = kit.everything(&*kit.store());
    assert_eq!(there.last, 4_002, "{}: a number is forgotten", kit.name);
    assert_eq!(
        super::kit::Everything { last: 0, ..there },
        empty,
        "{}",
        kit.name
    );
}

pub(super) fn extremes_come_back(kit: &Kit<'_>) {
    let store = kit.store();
    let id = &store.info().id;
    let mut rows = every(&*store, 1);
    for (snapshot, number) in [(0, i64::MIN), (1, i64::MAX)] {
        let row = SnapshotRow {
            seq: 7_000 + snapshot,
            created_at: number,
            kind: number,
            flags: number,
            size: number,
            stored: number,
            parent: None,
            state: None,
            epoch: number,
            name: None,
            detail: Vec::new(),
            ..rows.snapshots[0].clone()
        };
        rows.trash.push(
            TrashRow {
                snapshot: SnapshotRow {
                    checksum: [0; 16],
                    ..row.clone()
                },
                deleted_at: number,
                keep_until: number,
                checksum: [0; 16],
            }
            .summed(id),
        );
        rows.snapshots.push(row.summed(id));
        let operation = OperationRow {
            seq: 7_010 + snapshot,
            verb: number,
            status: number,
            detail: Vec::new(),
            ..rows.operations[0].clone()
        };
        rows.operations.push(operation.summed(id));
    }
    assert!(kit.exchange(&*store, Rows::default(), rows.clone()));
    let there = kit.everything(&*store);
    assert_eq!(there.snapshots, rows.snapshots, "{}", kit.name);
    assert_eq!(there.trash, rows.trash, "{}", kit.name);
    rows.operations.reverse();
    assert_eq!(there.operations, rows.operations, "{}", kit.name);
}

pub(super) fn what_is_taken_must_be_there(kit: &Kit<'_>) {
    let store = kit.store();
    let (a, b) = (every(&*store, 1), every(&*store, 2));
    assert!(kit.exchange(&*store, Rows::default(), a.clone()));
    kit.fill(&*store, "s", 2);
    let before = kit.everything(&*store);
    let others = alone(&a);
    for (table, row) in alone(&a) {
        for bad in [otherwise(row.clone()), elsewhere(row.clone())] {
            // The others may go, and something could take their place.
            let rest = others.iter().filter(|(name, _)| *name != table);
            let rest = rest.fold(Rows::default(), |all, (_, row)| both(&all, row));
            for take in [both(&rest, &bad), bad.clone()] {
                assert!(!kit.exchange(&*store, take, b.clone()), "{table}");
                assert_eq!(kit.everything(&*store), before, "{}: {table}", kit.name);
            }
        }
        // A row can be taken once.
        assert!(!kit.exchange(&*store, both(&row, &row), Rows::default()));
        assert_eq!(kit.everything(&*store), before, "{}: {table}", kit.name);
    }
}

pub(super) fn where_it_is_put_must_be_free(kit: &Kit<'_>) {
    let store = kit.store();
    let (a, b) = (every(&*store, 1), every(&*store, 2));
    let id = &store.info().id;
    assert!(kit.exchange(&*store, Rows::default(), a.clone()));
    let before = kit.everything(&*store);
    let mut taken: Vec<(&str, Rows)> = alone(&a).to_vec();
    // Free places, but names that are not.
    let mut same_names = elsewhere(a.clone());
    same_names.sessions[0] = same_names.sessions[0].clone().summed(id);
    same_names.snapshots[0] = same_names.snapshots[0].clone().summed(id);
    same_names.policies[0] = same_names.policies[0].clone().summed(id);
    for (table, row) in alone(&same_names) {
        if ["sessions", "snapshots", "policies"].contains(&table) {
            taken.push((table, row));
        }
    }
    for (table, put) in taken {
        let others = alone(&b).into_iter().filter(|(name, _)| *name != table);
        let others = others.fold(Rows::default(), |all, (_, row)| both(&all, &row));
        for put in [put.clone(), both(&others, &put)] {
            assert!(!kit.exchange(&*store, Rows::default(), put.clone()));
            assert_eq!(kit.everything(&*store), before, "{}: {table}", kit.name);
            // With something that could go.
            let take = alone(&a).into_iter().find(|(name, _)| *name != table);
            let take = take.map(|(_, row)| row).unwrap_or_default();
            assert!(!kit.exchange(&*store, take, put), "{}: {table}", kit.name);
            assert_eq!(kit.everything(&*store), before, "{}: {table}", kit.name);
        }
    }
    // Two that come together may not be in each other's place either.
    for (table, row) in alone(&b) {
        assert!(!kit.exchange(&*store, Rows::default(), both(&row, &row)));
        assert_eq!(kit.everything(&*store), before, "{}: {table}", kit.name);
    }
    // A name belongs to its session, and what is in the trash has none.
    let other = SnapshotRow {
        session: 99,
        ..same_names.snapshots[0].clone()
    };
    let put = Rows {
        snapshots: vec![other.summed(id)],
        trash: elsewhere(a).trash,
        ..Rows::default()
    };
    assert!(kit.exchange(&*store, Rows::default(), put), "{}", kit.name);
}

/// The same key, or the same name, goes from one row to another.
pub(super) fn places_change_hands(kit: &Kit<'_>) {
    let store = kit.store();
    let id = &store.info().id;
    let (a, b) = (every(&*store, 1), every(&*store, 2));
    assert!(kit.exchange(&*store, Rows::default(), a.clone()));
    let mut put = b.clone();
    put.sessions[0].id = a.sessions[0].id;
    put.snapshots[0].seq = a.snapshots[0].seq;
    put.trash[0].snapshot.seq = a.trash[0].snapshot.seq;
    put.records[0].seq = a.records[0].seq;
    put.operations[0].seq = a.operations[0].seq;
    put.policies[0].id = a.policies[0].id;
    put.sessions[0] = put.sessions[0].clone().summed(id);
    put.snapshots[0] = put.snapshots[0].clone().summed(id);
    put.trash[0] = put.trash[0].clone().summed(id);
    put.records[0].checksum = put.records[0].compute(id);
    put.operations[0] = put.operations[0].clone().summed(id);
    put.policies[0] = put.policies[0].clone().summed(id);
    assert!(
        kit.exchange(&*store, a.clone(), put.clone()),
        "{}",
        kit.name
    );
    let there = kit.everything(&*store);
    assert_eq!(there.snapshots, put.snapshots, "{}", kit.name);
    assert_eq!(there.policies, put.policies, "{}", kit.name);
    // The same rows again: too late, and the other way round.
    assert!(!kit.exchange(&*store, a.clone(), put.clone()));
    assert_eq!(kit.everything(&*store), there, "{}", kit.name);
    assert!(kit.exchange(&*store, put, a.clone()), "{}", kit.name);
    // A name goes over to a row that was not there.
    let mut named = elsewhere(a.clone());
    named.sessions[0] = named.sessions[0].clone().summed(id);
    named.snapshots[0] = named.snapshots[0].clone().summed(id);
    named.policies[0] = named.policies[0].clone().summed(id);
    assert!(kit.exchange(&*store, a, named.clone()), "{}", kit.name);
    assert_eq!(kit.everything(&*store).sessions, named.sessions);
    // What goes and comes back as it was is no change.
    let before = kit.everything(&*store);
    assert!(kit.exchange(&*store, named.clone(), named), "{}", kit.name);
    assert_eq!(kit.everything(&*store), before, "{}", kit.name);
}

/// What a store of rows has that are gone: their numbers stay given.
pub(super) fn numbers_stay_given(kit: &Kit<'_>) {
    // What holds the newest number: a snapshot, one in the trash, an operation.
    for newest in 0..3 {
        for reopened in [false, true] {
            let Some(reopen) = kit.capabilities.reopen.or(Some(&kit.fresh)) else {
                return;
            };
            if reopened && kit.capabilities.reopen.is_none() {
                continue;
            }
            let mut store = kit.store();
            let rows = kit.fill(&*store, "s", 4);
            let far = rows[3].seq + (1 << 20);
            let all = every(&*store, 1);
            let mut put = match newest {
                0 => Rows {
                    snapshots: all.snapshots,
                    ..Rows::default()
                },
                1 => Rows {
                    trash: all.trash,
                    ..Rows::default()
                },
                _ => Rows {
                    operations: all.operations,
                    ..Rows::default()
                },
            };
            put.snapshots.iter_mut().for_each(|row| row.seq = far);
            put.trash.iter_mut().for_each(|r| r.snapshot.seq = far);
            put.operations.iter_mut().for_each(|row| row.seq = far);
            let here = kit.everything(&*store);
            assert_eq!(here.last, rows[3].seq, "{}", kit.name);
            assert!(kit.exchange(&*store, Rows::default(), put.clone()));
            assert_eq!(kit.everything(&*store).last, far, "{}", kit.name);
            // It goes, with the two newest of the session.
            let session = here.sessions[0].clone();
            let head = SessionRow {
                head: rows[1].seq,
                era: 1,
                ..session.clone()
            };
            let take = Rows {
                sessions: vec![session],
                snapshots: [&put.snapshots[..], &rows[2..]].concat(),
                records: here.records[2..].to_vec(),
                ..put
            };
            let put = Rows {
                sessions: vec![head.summed(&store.info().id)],
                ..Rows::default()
            };
            assert!(kit.exchange(&*store, take, put), "{}", kit.name);
            assert_eq!(kit.everything(&*store).last, far, "{}", kit.name);
            // The store's own row says so, and is as it should be.
            if reopened {
                drop(store);
                store = reopen();
                assert_eq!(kit.everything(&*store).last, far, "{}", kit.name);
            }
            // The clock stands still, or goes back.
            let mut head = Head {
                era: 1,
                ..head_of(&rows[1])
            };
            let mut given = far;
            for now in [TIME, TIME, TIME - 3_600_000_000, 0] {
                let new = NewSnapshot { now, ..base(b"x") };
                let row = kit.add(&*store, write("s", Some(head), vec![new]));
                assert!(row[0].seq > given, "{}: given twice", kit.name);
                given = row[0].seq;
                assert_eq!(kit.everything(&*store).last, given, "{}", kit.name);
                head.seq = given;
            }
        }
    }
}

/// Where rows of a session were taken away, what a writer knows of it may be gone.
pub(super) fn an_era_that_rose(kit: &Kit<'_>) {
    let store = kit.store();
    let rows = kit.fill(&*store, "s", 2);
    let session = kit.everything(&*store).sessions[0].clone();
    let next = SessionRow {
        era: session.era + 3,
        ..session.clone()
    };
    let next = next.summed(&store.info().id);
    let of = |row: &SessionRow| Rows {
        sessions: vec![row.clone()],
        ..Rows::default()
    };
    assert!(kit.exchange(&*store, of(&session), of(&next)));
    let before = kit.everything(&*store);
    let known = head_of(&rows[1]);
    for era in [0, 2, 4] {
        let head = Some(Head { era, ..known });
        let outcomes = kit.commit(&*store, &[write("s", head, vec![base(b"no")])]);
        assert_eq!(outcomes, [Outcome::HeadMoved], "{}: {era}", kit.name);
    }
    assert_eq!(kit.everything(&*store), before, "{}", kit.name);
    let head = Some(Head { era: 3, ..known });
    let row = kit.add_one(&*store, "s", head, b"yes");
    let after = kit.everything(&*store).sessions[0].clone();
    assert_eq!((after.head, after.era), (row.seq, 3), "{}", kit.name);
    let sum = after.compute(&store.info().id);
    assert_eq!(after.checksum, sum, "{}", kit.name);
}

/// All of it is in the trash.
pub(super) fn a_session_without_snapshots(kit: &Kit<'_>) {
    let store = kit.store();
    let rows = kit.fill(&*store, "s", 1);
    let there = kit.everything(&*store);
    let session = there.sessions[0].clone();
    let empty = SessionRow {
        head: 0,
        era: 1,
        ..session.clone()
    };
    let take = Rows {
        sessions: vec![session.clone()],
        snapshots: rows.clone(),
        ..Rows::default()
    };
    let put = Rows {
        sessions: vec![empty.summed(&store.info().id)],
        ..Rows::default()
    };
    assert!(kit.exchange(&*store, take, put), "{}", kit.name);
    let view = kit.view(&*store);
    assert!(kit.snapshots(&*view, Some(session.id)).is_empty());
    drop(view);
    let nothing = Head {
        session: session.id,
        seq: 0,
        era: 1,
    };
    for head in [
        None,
        Some(head_of(&rows[0])),
        Some(Head { era: 0, ..nothing }),
    ] {
        let outcomes = kit.commit(&*store, &[write("s", head, vec![base(b"no")])]);
        assert_eq!(outcomes, [Outcome::HeadMoved], "{}", kit.name);
    }
    // A session of another name that is as empty.
    let outcomes = kit.commit(&*store, &[write("t", Some(nothing), vec![base(b"no")])]);
    assert_eq!(outcomes, [Outcome::HeadMoved], "{}: another's", kit.name);
    let new = kit.add(
        &*store,
        write("s", Some(nothing), vec![base(b"1"), base(b"2")]),
    );
    assert_eq!(new[0].parent, None, "{}", kit.name);
    assert_eq!(new[1].parent, Some(new[0].seq), "{}", kit.name);
    assert!(new[0].seq > rows[0].seq, "{}", kit.name);
    let view = kit.view(&*store);
    assert_eq!(kit.snapshots(&*view, Some(session.id)), new, "{}", kit.name);
    let after = kit.ok(view.session("s")).map(|s| (s.id, s.head, s.era));
    assert_eq!(after, Some((session.id, new[1].seq, 1)), "{}", kit.name);
}

pub(super) fn operations_come_with_snapshots(kit: &Kit<'_>) {
    let store = kit.store();
    let deed = |verb| NewOperation {
        verb,
        status: verb + 10,
        detail: vec![verb as u8; 4],
    };
    let with = |verb| NewSnapshot {
        operation: Some(deed(verb)),
        ..base(b"x")
    };
    let a = kit.add(
        &*store,
        write("a", None, vec![base(b"1"), with(1), base(b"2"), with(2)]),
    );
    let b = kit.add(&*store, write("b", None, vec![with(3)]));
    let head = a.last().map(head_of);
    let refused = NewSnapshot {
        operation: Some(deed(4)),
        ..named("n")
    };
    let first = kit.add(&*store, write("a", head, vec![named("n")]));
    let head = first.last().map(head_of);
    let outcomes = kit.commit(&*store, &[write("a", head, vec![with(5), refused])]);
    assert!(matches!(outcomes[0], Outcome::NameTaken { index: 1, .. }));
    let outcomes = kit.commit(&*store, &[write("a", None, vec![with(6)])]);
    assert_eq!(outcomes, [Outcome::HeadMoved], "{}", kit.name);

    let view = kit.view(&*store);
    let told = |rows: Vec<OperationRow>| -> Vec<_> {
        let told = rows.into_iter().map(|row| {
            assert_eq!(row.checksum, row.compute(&store.info().id));
            assert_eq!(row.detail, vec![row.verb as u8; 4]);
            (row.seq, row.session, row.verb, row.status)
        });
        told.collect()
    };
    let of_a = [
        (a[3].seq, a[3].session, 2, 12),
        (a[1].seq, a[1].session, 1, 11),
    ];
    let of_b = [(b[0].seq, b[0].session, 3, 13)];
    let found = told(kit.operations(&*view, Some(a[0].session)));
    assert_eq!(found, of_a, "{}: newest first", kit.name);
    assert_eq!(told(kit.operations(&*view, Some(b[0].session))), of_b);
    assert_eq!(
        told(kit.operations(&*view, None)),
        [&of_b[..], &of_a].concat(),
        "{}",
        kit.name
    );
    assert!(kit.operations(&*view, Some(99)).is_empty(), "{}", kit.name);
}

pub(super) fn a_view_stays(kit: &Kit<'_>) {
    let store = kit.store();
    let (a, b) = (every(&*store, 1), every(&*store, 2));
    let rows = kit.fill(&*store, "s", 3);
    assert!(kit.exchange(&*store, Rows::default(), a.clone()));
    let view = kit.view(&*store);
    let before = kit.seen(&*view);
    assert!(kit.exchange(&*store, a.clone(), b.clone()), "{}", kit.name);
    assert_eq!(kit.seen(&*view), before, "{}", kit.name);
    let take = Rows {
        snapshots: rows.clone(),
        records: kit.records(&*view, Some(rows[0].session)),
        ..Rows::default()
    };
    assert!(kit.exchange(&*store, take, Rows::default()), "{}", kit.name);
    kit.ok(store.settle());
    assert_eq!(kit.seen(&*view), before, "{}", kit.name);
    let seq = a.trash[0].snapshot.seq;
    assert_eq!(kit.ok(view.trashed(seq)).as_ref(), a.trash.first());
    assert_eq!(
        kit.ok(view.snapshot(rows[0].seq)).as_ref(),
        rows.first(),
        "{}",
        kit.name
    );
    let newer = kit.everything(&*store);
    assert_eq!(newer.trash, b.trash, "{}", kit.name);
    assert_eq!(newer.snapshots, b.snapshots, "{}", kit.name);
    assert_eq!(kit.seen(&*view), before, "{}", kit.name);
}

/// Of many who want the same row one gets it.
pub(super) fn one_of_many_takes_it(kit: &Kit<'_>) {
    let store = kit.store();
    let rows = every(&*store, 1);
    let policy = |n| Rows {
        policies: every(&*store, n).policies,
        ..Rows::default()
    };
    for _ in 0..5 {
        let take = Rows {
            trash: rows.trash.clone(),
            ..Rows::default()
        };
        assert!(kit.exchange(&*store, Rows::default(), take.clone()));
        let got = std::thread::scope(|scope| {
            let threads = [2, 3, 4, 5].map(|n| {
                let exchange = Exchange::of(take.clone(), policy(n));
                let store = &store;
                scope.spawn(move || store.exchange(&exchange).unwrap_or_default())
            });
            let done = threads.into_iter().map(|thread| thread.join());
            done.filter(|done| matches!(done, Ok(true))).count()
        });
        assert_eq!(got, 1, "{}", kit.name);
        let there = kit.everything(&*store).policies;
        assert_eq!(there.len(), 1, "{}", kit.name);
        let take = Rows {
            policies: there,
            ..Rows::default()
        };
        assert!(kit.exchange(&*store, take, Rows::default()));
    }
}

/// The era rises wherever the head is, and only from where it is known to be.
pub(super) fn eras_are_raised(kit: &Kit<'_>) {
    let store = kit.store();
    let first = kit.add_one(&*store, "s", None, b"1");
    let raise = |era| Exchange {
        raise: vec![(first.session, era)],
        ..Exchange::default()
    };
    // A head that moved meanwhile does not matter.
    kit.add_one(&*store, "s", Some(head_of(&first)), b"2");
    let before = kit.everything(&*store);
    assert!(!kit.ok(store.exchange(&raise(1))), "{}", kit.name);
    let nobody = Exchange {
        raise: vec![(first.session + 1, 0)],
        ..Exchange::default()
    };
    assert!(!kit.ok(store.exchange(&nobody)), "{}", kit.name);
    assert_eq!(kit.everything(&*store), before, "{}", kit.name);
    assert!(kit.ok(store.exchange(&raise(0))), "{}", kit.name);
    assert!(!kit.ok(store.exchange(&raise(0))), "{}", kit.name);
    let sessions = kit.everything(&*store).sessions;
    assert_eq!(sessions[0].era, 1, "{}", kit.name);
    assert_eq!(sessions[0].head, before.sessions[0].head, "{}", kit.name);
    assert!(sessions[0].is_intact(&store.info().id), "{}", kit.name);
}

/// Whoever waits for news need only look at a number.
pub(super) fn changes_show(kit: &Kit<'_>) {
    let store = kit.store();
    let version = || kit.ok(store.version());
    let empty = version();
    assert_eq!(version(), empty, "{}", kit.name);
    let row = kit.add_one(&*store, "s", None, b"1");
    let saved = version();
    assert_ne!(saved, empty, "{}", kit.name);
    let raise = Exchange {
        raise: vec![(row.session, 0)],
        ..Exchange::default()
    };
    assert!(kit.ok(store.exchange(&raise)), "{}", kit.name);
    let raised = version();
    assert_ne!(raised, saved, "{}", kit.name);
    assert!(!kit.ok(store.exchange(&raise)), "{}", kit.name);
    assert_eq!(version(), raised, "{}", kit.name);
    let note = NoteRow::new((5, 0, 1), vec![0], &store.info().id);
    let asked = Exchange::of_notes(Vec::new(), vec![note.clone()]);
    assert!(kit.ok(store.exchange(&asked)), "{}", kit.name);
    let noted = version();
    assert_ne!(noted, raised, "{}", kit.name);
    let gone = Exchange::of_notes(vec![note], Vec::new());
    assert!(kit.ok(store.exchange(&gone)), "{}", kit.name);
    assert_ne!(version(), noted, "{}", kit.name);
}

/// Notes go on together with an era, and with an entry of the log: all of it, or nothing.
pub(super) fn notes_go_on_together(kit: &Kit<'_>) {
    let store = kit.store();
    let id = &store.info().id;
    let row = kit.add_one(&*store, "s", None, b"1");
    let note = |kind, said: &[u8]| NoteRow::new((kind, row.session, 7), said.to_vec(), id);
    let large = vec![0xa5; 3 << 20];
    let first = vec![note(2, b"held"), note(5, b"asked"), note(6, &large)];
    let begin = Exchange::of_notes(Vec::new(), first.clone());
    assert!(kit.ok(store.exchange(&begin)), "{}", kit.name);
    // It is too large to be shown.
    let came = kit.everything(&*store).notes == first;
    assert!(came, "{}: other notes", kit.name);
    // Of what is taken away, only the key and the checksum need be known.
    let known = |row: &NoteRow| NoteRow {
        detail: Vec::new(),
        ..row.clone()
    };
    let next = vec![note(2, b"given"), note(5, b"passed")];
    let pass = |take: &[NoteRow], era| {
        let take = take.iter().map(known).collect();
        let raise = vec![(row.session, era)];
        let notes = Exchange::of_notes(take, next.clone());
        kit.ok(store.exchange(&Exchange { raise, ..notes }))
    };
    let before = kit.everything(&*store);
    assert!(!pass(&first, 1), "{}: another era", kit.name);
    for place in 0..first.len() {
        let mut wrong = first.clone();
        wrong[place].checksum = [7; 16];
        assert!(!pass(&wrong, 0), "{}: another note", kit.name);
    }
    let stayed = kit.everything(&*store) == before;
    assert!(stayed, "{}: half of it", kit.name);
    assert!(pass(&first, 0), "{}", kit.name);
    assert!(!pass(&first, 1), "{}: twice", kit.name);
    let there = kit.everything(&*store);
    assert_eq!(there.notes, next, "{}", kit.name);
    assert_eq!(there.sessions[0].era, 1, "{}", kit.name);
    // The log says what was done in the moment in which the note does.
    let operation = every(&*store, 1).operations;
    let done = |take: &NoteRow| {
        let take = Rows {
            notes: vec![take.clone()],
            ..Rows::default()
        };
        let put = Rows {
            notes: vec![note(5, b"done")],
            operations: operation.clone(),
            ..Rows::default()
        };
        kit.ok(store.exchange(&Exchange::of(take, put)))
    };
    assert!(!done(&first[1]), "{}", kit.name);
    assert_eq!(kit.everything(&*store), there, "{}", kit.name);
    assert!(done(&next[1]), "{}", kit.name);
    let there = kit.everything(&*store);
    assert_eq!(there.operations, operation, "{}", kit.name);
    assert_eq!(there.notes, [next[0].clone(), note(5, b"done")]);
}
