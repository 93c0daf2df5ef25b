//! The audit log: what was done stands in it, and nothing else.

use super::kit::{Kit, TIME, base, by, head_of, write};
use crate::codec::entry::{Entry, Snapshots};
use crate::model::Action;
use crate::store::ledger::{self, Ledger};
use crate::store::{
    Exchange, Flow, Head, NewSnapshot, NoteRow, NoteScan, Outcome, Said, SnapshotRow, Store,
};

fn said(action: Action) -> Said {
    Said::new(by(action), TIME)
}

/// The log as it stands, each row chained to the one before.
fn log(kit: &Kit<'_>, store: &dyn Store) -> Vec<Entry> {
    let mut rows = Vec::new();
    let scan = NoteScan {
        kind: Ledger::KIND,
        session: Some(0),
        ..NoteScan::default()
    };
    kit.ok(kit.view(store).notes(&scan, &mut |row| {
        rows.push(row);
        Flow::Continue(())
    }));
    for (at, row) in rows.iter().enumerate() {
        assert_eq!(row.id, at as i64 + 1, "{}", kit.name);
    }
    let entries = rows
        .iter()
        .map(|row| kit.ok(ledger::read(row, &store.info().id)).1);
    entries.collect()
}

pub(super) fn deeds_are_told(kit: &Kit<'_>) {
    let store = kit.store();
    kit.add(&*store, write("before", None, vec![base(b"1")]));
    assert!(kit.ok(store.exchange(&Exchange::default().say(said(Action::Policy)))));
    assert_eq!(log(kit, &*store), [], "{}: there is no log yet", kit.name);
    assert!(kit.ok(store.exchange(&Exchange::default().say(said(Action::AuditOn)))));
    let automatic = NewSnapshot {
        by: by(Action::AutoSave),
        ..base(b"2")
    };
    let writes = [
        write("a", None, vec![base(b"1"), automatic.clone()]),
        write("b", None, vec![automatic; 20]),
        write("b", None, vec![base(b"refused")]),
    ];
    let outcomes = kit.ok(store.commit(&writes));
    let of_b: &[SnapshotRow] = match &outcomes[1] {
        Outcome::Committed(rows) => rows,
        _ => &[],
    };
    assert_eq!(of_b.len(), 20, "{}", kit.name);
    assert!(kit.ok(store.exchange(&Exchange::default().say(said(Action::AuditOff)))));
    kit.add(
        &*store,
        write("b", Some(head_of(&of_b[19])), vec![base(b"not told")]),
    );
    assert!(kit.ok(store.exchange(&Exchange::default().say(said(Action::AuditOn)))));

    let log = log(kit, &*store);
    let actions: Vec<Action> = log.iter().map(|entry| entry.action).collect();
    let wanted = [
        Action::AuditOn,
        Action::Save,
        Action::AutoSave,
        Action::AuditOff,
        Action::AuditOn,
    ];
    assert_eq!(actions, wanted, "{}", kit.name);
    assert_eq!(log[1].sessions.numbers().collect::<Vec<_>>(), [2]);
    assert_eq!(log[2].sessions.numbers().collect::<Vec<_>>(), [2, 3]);
    let begun: Vec<i64> = log[1]
        .begun
        .iter()
        .chain(&log[2].begun)
        .map(|it| it.0)
        .collect();
    assert_eq!(begun, [2, 3], "{}", kit.name);
    assert!(matches!(&log[1].snapshots, Snapshots::These(seqs) if seqs.len() == 1));
    let last = of_b[19].seq;
    assert!(
        matches!(&log[2].snapshots, Snapshots::Range { last: it, count: 21, .. } if *it == last),
        "{}: {:?}",
        kit.name,
        log[2].snapshots
    );
    assert!(
        log.iter()
            .all(|entry| entry.who == "somebody" && !entry.anew)
    );
}

pub(super) fn what_was_refused_is_not_told(kit: &Kit<'_>) {
    let store = kit.store();
    assert!(kit.ok(store.exchange(&Exchange::default().say(said(Action::AuditOn)))));
    let taken = NoteRow::new((9, 0, 1), b"taken".to_vec(), &store.info().id);
    assert!(kit.ok(store.exchange(&Exchange::of_notes(vec![], vec![taken.clone()]))));
    let again = Exchange::of_notes(vec![], vec![taken]).say(said(Action::Policy));
    assert!(!kit.ok(store.exchange(&again)), "{}", kit.name);
    let mut missing = write("s", None, vec![base(b"1")]);
    missing.head = Some(Head {
        session: 1,
        seq: 7,
        era: 0,
    });
    kit.ok(store.commit(&[missing]));
    assert_eq!(log(kit, &*store).len(), 1, "{}", kit.name);
}
