//! Records, alone and in blocks, and putting some in the place of others.
#![allow(clippy::panic)] // a failing test

use super::kit::{Kit, block, head_of};
use crate::store::{RecordRow, SnapshotRow, Store};

/// Two sessions that took turns: their snapshots, and their records, all of them alone.
fn two_sessions(kit: &Kit<'_>, store: &dyn Store) -> [(Vec<SnapshotRow>, Vec<RecordRow>); 2] {
    let mut rows = [Vec::new(), Vec::new()];
    for n in 0..8_u8 {
        for (of, name) in rows.iter_mut().zip(["a", "b"]) {
            let head = of.last().map(head_of);
            of.push(kit.add_one(store, name, head, &[n]));
        }
    }
    let view = kit.view(store);
    rows.map(|of| {
        let records = kit.records(&*view, Some(of[0].session));
        (of, records)
    })
}

pub(super) fn alone(kit: &Kit<'_>) {
    let store = kit.store();
    let [(a, records), (b, _)] = two_sessions(kit, &*store);
    let view = kit.view(&*store);
    for (row, record) in a.iter().zip(&records) {
        let found = kit.ok(view.record(row.session, row.seq));
        assert_eq!(found.as_ref(), Some(record), "{}", kit.name);
        assert_eq!((record.seq, record.count), (row.seq, 1), "{}", kit.name);
    }
    // Another session's record is no answer.
    let foreign = kit.ok(view.record(b[0].session, a[3].seq));
    assert_eq!(foreign, None, "{}", kit.name);
    assert_eq!(kit.ok(view.record(a[0].session, a[3].seq + 1)), None);
    assert_eq!(kit.ok(view.record(99, a[3].seq)), None, "{}", kit.name);
}

pub(super) fn in_a_block(kit: &Kit<'_>) {
    let store = kit.store();
    let [(a, of_a), (b, of_b)] = two_sessions(kit, &*store);
    let blocks = [block(&*store, &of_a[..3]), block(&*store, &of_a[3..6])];
    assert!(kit.replace(&*store, &of_a[..6], &blocks), "{}", kit.name);
    let block_of_b = block(&*store, &of_b[..5]);
    let put = std::slice::from_ref(&block_of_b);
    assert!(kit.replace(&*store, &of_b[..5], put), "{}", kit.name);
    let view = kit.view(&*store);
    let session = a[0].session;
    for (at, row) in a.iter().enumerate() {
        let expected = match at {
            0..3 => &blocks[0],
            3..6 => &blocks[1],
            _ => &of_a[at],
        };
        let found = kit.ok(view.record(session, row.seq));
        assert_eq!(found.as_ref(), Some(expected), "{}: {at}", kit.name);
    }
    let found = kit.ok(view.record(b[0].session, b[2].seq));
    assert_eq!(found, Some(block_of_b), "{}", kit.name);
    // What comes after every block and is not there.
    let beyond = a[7].seq + 1;
    assert_eq!(kit.ok(view.record(session, beyond)), None, "{}", kit.name);
}

/// A large record may stay alone between two blocks.
pub(super) fn between_blocks(kit: &Kit<'_>) {
    let store = kit.store();
    let [(a, of_a), (b, _)] = two_sessions(kit, &*store);
    let put = [block(&*store, &of_a[..2]), block(&*store, &of_a[3..5])];
    let take = [&of_a[..2], &of_a[3..5]].concat();
    assert!(kit.replace(&*store, &take, &put), "{}", kit.name);
    let view = kit.view(&*store);
    let session = a[0].session;
    let newest = kit.ok(view.newest_block(session));
    assert_eq!(newest.as_ref(), Some(&put[1]), "{}", kit.name);
    let between = kit.ok(view.record(session, a[2].seq));
    assert_eq!(between.as_ref(), Some(&of_a[2]), "{}", kit.name);
    assert_eq!(
        kit.ok(view.newest_block(b[0].session)),
        None,
        "{}",
        kit.name
    );
}

pub(super) fn visited_in_order(kit: &Kit<'_>) {
    let store = kit.store();
    let [(a, of_a), (b, of_b)] = two_sessions(kit, &*store);
    let put = block(&*store, &of_a[..4]);
    assert!(kit.replace(&*store, &of_a[..4], std::slice::from_ref(&put)));
    let view = kit.view(&*store);
    let of_session = kit.records(&*view, Some(a[0].session));
    let expected = [&[put][..], &of_a[4..]].concat();
    assert_eq!(of_session, expected, "{}", kit.name);
    assert_eq!(kit.records(&*view, Some(b[0].session)), of_b);
    assert!(kit.records(&*view, Some(99)).is_empty(), "{}", kit.name);
    let mut all = [expected, of_b].concat();
    all.sort_by_key(|row| row.seq);
    assert_eq!(kit.records(&*view, None), all, "{}", kit.name);
}

/// The rows come back as they were put, and nothing else changed.
pub(super) fn replaced_whole(kit: &Kit<'_>) {
    let store = kit.store();
    let [(a, of_a), (_, of_b)] = two_sessions(kit, &*store);
    let before = kit.everything(&*store);
    let first = block(&*store, &of_a[..4]);
    assert!(kit.replace(&*store, &of_a[..4], std::slice::from_ref(&first)));
    // A block that grows takes its own place.
    let grown = RecordRow {
        count: 8,
        ..block(&*store, &[&[first.clone()][..], &of_a[4..]].concat())
    };
    let take = [&[first][..], &of_a[4..]].concat();
    assert!(kit.replace(&*store, &take, std::slice::from_ref(&grown)));
    let after = kit.everything(&*store);
    assert_eq!(after.sessions, before.sessions, "{}", kit.name);
    assert_eq!(after.snapshots, before.snapshots, "{}", kit.name);
    let view = kit.view(&*store);
    let session = a[0].session;
    assert_eq!(kit.records(&*view, Some(session)), [grown], "{}", kit.name);
    assert_eq!(kit.records(&*view, Some(of_b[0].session)), of_b);
    assert!(kit.replace(&*store, &[], &[]), "{}", kit.name);
}

pub(super) fn not_replaced(kit: &Kit<'_>) {
    let store = kit.store();
    let [(_, of_a), _] = two_sessions(kit, &*store);
    let put = [block(&*store, &of_a[..4])];
    let changed = RecordRow {
        checksum: [7; 16],
        ..of_a[3].clone()
    };
    let gone = RecordRow {
        seq: of_a[3].seq + 1,
        ..of_a[3].clone()
    };
    let before = kit.everything(&*store);
    for bad in [changed, gone] {
        for at in [0, 3] {
            let mut take = of_a[..3].to_vec();
            take.insert(at, bad.clone());
            assert!(!kit.replace(&*store, &take, &put), "{}", kit.name);
            assert_eq!(kit.everything(&*store), before, "{}", kit.name);
        }
    }
    // Whoever packs the same records a second later is too late.
    assert!(kit.replace(&*store, &of_a[..4], &put), "{}", kit.name);
    let before = kit.everything(&*store);
    assert!(!kit.replace(&*store, &of_a[..4], &put), "{}", kit.name);
    assert!(!kit.replace(&*store, &of_a[2..6], &put), "{}", kit.name);
    assert_eq!(kit.everything(&*store), before, "{}", kit.name);
}
