//! What the checks are written with.
#![allow(clippy::panic)] // a failing test

use std::ops::ControlFlow;
use std::sync::Arc;

use super::Capabilities;
use crate::error::Result;
use crate::model::Action;
use crate::store::{
    By, Exchange, Head, Link, NewSnapshot, NewState, NoteRow, NoteScan, OperationRow, Outcome,
    PolicyRow, RecordRow, Row, Rows, Scan, SessionRow, SnapshotRow, Store, TrashRow, View, Write,
};

pub(super) struct Kit<'a> {
    pub(super) name: &'a str,
    pub(super) fresh: &'a dyn Fn() -> Arc<dyn Store>,
    pub(super) capabilities: Capabilities<'a>,
}

impl Kit<'_> {
    pub(super) fn store(&self) -> Arc<dyn Store> {
        (self.fresh)()
    }

    /// What a call answered that must not fail.
    pub(super) fn ok<T>(&self, result: Result<T>) -> T {
        match result {
            Ok(value) => value,
            Err(error) => panic!("{}: {} ({})", self.name, error, error.kind()),
        }
    }

    pub(super) fn view<'a>(&self, store: &'a dyn Store) -> Box<dyn View + 'a> {
        self.ok(store.view())
    }

    pub(super) fn commit(&self, store: &dyn Store, writes: &[Write]) -> Vec<Outcome> {
        let outcomes = self.ok(store.commit(writes));
        assert_eq!(outcomes.len(), writes.len(), "{}", self.name);
        outcomes
    }

    /// Puts records in the place of others.
    pub(super) fn replace(&self, store: &dyn Store, take: &[RecordRow], put: &[RecordRow]) -> bool {
        let of = |records: &[RecordRow]| Rows {
            records: records.to_vec(),
            ..Rows::default()
        };
        self.exchange(store, of(take), of(put))
    }

    /// Puts rows in the place of others.
    pub(super) fn exchange(&self, store: &dyn Store, take: Rows, put: Rows) -> bool {
        self.ok(store.exchange(&Exchange::of(take, put)))
    }

    /// Commits one write that must not be refused.
    pub(super) fn add(&self, store: &dyn Store, write: Write) -> Vec<SnapshotRow> {
        match self.commit(store, &[write]).pop() {
            Some(Outcome::Committed(rows)) => rows,
            other => panic!("{}: {other:?}", self.name),
        }
    }

    /// As [`add`](Kit::add), a single base whose record is `data`.
    pub(super) fn add_one(
        &self,
        store: &dyn Store,
        session: &str,
        head: Option<Head>,
        data: &[u8],
    ) -> SnapshotRow {
        let rows = self.add(store, write(session, head, vec![base(data)]));
        match <[SnapshotRow; 1]>::try_from(rows) {
            Ok([row]) => row,
            Err(rows) => panic!("{}: one snapshot became {}", self.name, rows.len()),
        }
    }

    /// A session with so many snapshots, each a base, one commit each.
    pub(super) fn fill(&self, store: &dyn Store, session: &str, count: u8) -> Vec<SnapshotRow> {
        let mut rows: Vec<SnapshotRow> = Vec::new();
        for n in 0..count {
            let head = rows.last().map(head_of);
            rows.push(self.add_one(store, session, head, &[n]));
        }
        rows
    }

    /// All snapshots that a view has, oldest first.
    pub(super) fn snapshots(&self, view: &dyn View, session: Option<i64>) -> Vec<SnapshotRow> {
        self.scan(
            view,
            Scan {
                session,
                ..Scan::default()
            },
        )
    }

    pub(super) fn scan(&self, view: &dyn View, scan: Scan) -> Vec<SnapshotRow> {
        let mut rows = Vec::new();
        self.ok(view.snapshots(&scan, &mut |row| {
            rows.push(row);
            ControlFlow::Continue(())
        }));
        rows
    }

    pub(super) fn sessions(&self, view: &dyn View) -> Vec<SessionRow> {
        let mut rows = Vec::new();
        self.ok(view.sessions(&mut |row| {
            rows.push(row);
            ControlFlow::Continue(())
        }));
        rows
    }

    /// The rows of records of a session, or all.
    pub(super) fn records(&self, view: &dyn View, session: Option<i64>) -> Vec<RecordRow> {
        let mut rows = Vec::new();
        self.ok(view.records(&mut |row| {
            rows.push(row);
            ControlFlow::Continue(())
        }));
        rows.retain(|row| session.is_none_or(|id| row.session == id));
        rows
    }

    pub(super) fn trash(&self, view: &dyn View) -> Vec<TrashRow> {
        let mut rows = Vec::new();
        self.ok(view.trash(&mut |row| {
            rows.push(row);
            ControlFlow::Continue(())
        }));
        rows
    }

    /// The operations of a session, or all, as they are visited.
    pub(super) fn operations(&self, view: &dyn View, session: Option<i64>) -> Vec<OperationRow> {
        let mut rows = Vec::new();
        self.ok(view.operations(session, &mut |row| {
            rows.push(row);
            ControlFlow::Continue(())
        }));
        rows
    }

    pub(super) fn note_scan(&self, view: &dyn View, scan: NoteScan) -> Vec<NoteRow> {
        let mut rows = Vec::new();
        self.ok(view.notes(&scan, &mut |row| {
            rows.push(row);
            ControlFlow::Continue(())
        }));
        rows
    }

    fn notes(&self, view: &dyn View) -> Vec<NoteRow> {
        let of = |kind| NoteScan {
            kind,
            ..NoteScan::default()
        };
        let kinds = [0, 1, 2, 3, 4, 5, 6, 9_001];
        kinds
            .into_iter()
            .flat_map(|kind| self.note_scan(view, of(kind)))
            .collect()
    }

    /// Everything in the store, for saying that nothing changed.
    pub(super) fn everything(&self, store: &dyn Store) -> Everything {
        self.seen(&*self.view(store))
    }

    /// Everything that a view sees.
    pub(super) fn seen(&self, view: &dyn View) -> Everything {
        Everything {
            sessions: self.sessions(view),
            snapshots: self.snapshots(view, None),
            records: self.records(view, None),
            trash: self.trash(view),
            operations: self.operations(view, None),
            policies: self.ok(view.policies()),
            notes: self.notes(view),
            last: self.ok(view.last()),
        }
    }
}

#[derive(Debug, PartialEq, Eq)]
pub(super) struct Everything {
    pub(super) sessions: Vec<SessionRow>,
    pub(super) snapshots: Vec<SnapshotRow>,
    pub(super) records: Vec<RecordRow>,
    pub(super) trash: Vec<TrashRow>,
    /// Newest first.
    pub(super) operations: Vec<OperationRow>,
    pub(super) policies: Vec<PolicyRow>,
    /// Of the kinds that the tests use.
    pub(super) notes: Vec<NoteRow>,
    pub(super) last: i64,
}

/// 2026-11-20T10:00:00Z.
pub(super) const TIME: i64 = 1_795_168_800_000_000;

/// A snapshot with a state of its own.
pub(super) fn base(data: &[u8]) -> NewSnapshot {
    NewSnapshot {
        now: TIME,
        created_at: TIME,
        kind: 0,
        flags: 0,
        size: 2,
        state: NewState::Record {
            parent: None,
            data: data.to_vec(),
        },
        epoch: 0,
        name: None,
        detail: b"detail".to_vec(),
        operation: None,
        by: by(Action::Save),
    }
}

pub(super) fn by(action: Action) -> By {
    By {
        action,
        who: "somebody".into(),
        behalf: None,
    }
}

pub(super) fn named(name: &str) -> NewSnapshot {
    NewSnapshot {
        name: Some(name.to_owned()),
        ..base(b"named")
    }
}

pub(super) fn same(link: Link) -> NewSnapshot {
    NewSnapshot {
        state: NewState::Same(link),
        flags: 1,
        ..base(b"")
    }
}

pub(super) fn on(parent: Link) -> NewSnapshot {
    NewSnapshot {
        state: NewState::Record {
            parent: Some(parent),
            data: b"delta".to_vec(),
        },
        ..base(b"")
    }
}

pub(super) fn write(session: &str, head: Option<Head>, snapshots: Vec<NewSnapshot>) -> Write {
    Write {
        session: session.to_owned(),
        head,
        snapshots,
    }
}

pub(super) fn head_of(row: &SnapshotRow) -> Head {
    Head {
        session: row.session,
        seq: row.seq,
        era: 0,
    }
}

pub(super) fn seqs(rows: &[SnapshotRow]) -> Vec<i64> {
    rows.iter().map(|row| row.seq).collect()
}

/// A row that holds the records of `rows` together, as packing makes them.
pub(super) fn block(store: &dyn Store, rows: &[RecordRow]) -> RecordRow {
    let last = rows.last();
    let mut row = RecordRow {
        seq: last.map_or(0, |row| row.seq),
        session: last.map_or(0, |row| row.session),
        count: rows.len() as i64,
        parent: None,
        data: rows.iter().flat_map(|row| row.data.clone()).collect(),
        checksum: [0; 16],
    };
    row.checksum = row.compute(&store.info().id);
    row
}
