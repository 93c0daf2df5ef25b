//! Moving snapshots of a session to the trash and back: which rows change by it.
//!
//! Those that stay lead past those that go, so that nothing that reads a session meets the trash. Records
//! stay where they are until the trash is purged: see `sweep`.

use std::collections::{BTreeMap, HashSet};

use crate::error::Result;
use crate::model::StoreId;
use crate::show;
use crate::store::{
    Exchange, Flow, Row, Rows, Scan, SessionRow, SnapshotRow, TrashRow, UNCHANGED, View,
};

/// How many snapshots one transaction moves: others who write wait meanwhile.
pub(crate) const PIECE: usize = 16_384;

/// When something went to the trash, and until when it is kept there: in microseconds since 1970 (UTC).
#[derive(Debug, Clone, Copy)]
pub(crate) struct Term {
    pub(crate) deleted_at: i64,
    pub(crate) keep_until: i64,
}

/// The rows that change when `remove` go to the trash.
///
/// # Errors
/// `Damaged` where a row on the way is not as it was written.
pub(crate) fn bury(
    view: &dyn View,
    store: &StoreId,
    session: &SessionRow,
    remove: &HashSet<i64>,
    term: Term,
) -> Result<Exchange> {
    let mut seam = Seam::new(session, store);
    let oldest = remove.iter().min().copied().unwrap_or(i64::MAX);
    each(view, store, session, &mut |row| {
        let end = row.seq < oldest && row.is_history();
        // Pinned since it was decided, it stays.
        if remove.contains(&row.seq) && !row.is_pinned() {
            seam.leave_out(row, term);
        } else {
            seam.pass(row);
        }
        !end
    })?;
    Ok(seam.finish())
}

/// The rows that change when `insert` come back from the trash.
///
/// # Errors
/// As [`bury`].
pub(crate) fn unearth(
    view: &dyn View,
    store: &StoreId,
    session: &SessionRow,
    mut insert: Vec<TrashRow>,
) -> Result<Exchange> {
    insert.sort_by_key(|row| row.snapshot.seq);
    let mut seam = Seam::new(session, store);
    each(view, store, session, &mut |row| {
        while let Some(next) = insert.pop_if(|next| next.snapshot.seq > row.seq) {
            seam.put_in(next);
        }
        let end = insert.is_empty() && row.is_history();
        seam.pass(row);
        !end
    })?;
    while let Some(next) = insert.pop() {
        seam.put_in(next);
    }
    Ok(seam.finish())
}

/// Visits the session's rows, newest first, each proved; `visit` says whether to go on.
fn each(
    view: &dyn View,
    store: &StoreId,
    session: &SessionRow,
    visit: &mut dyn FnMut(SnapshotRow) -> bool,
) -> Result<()> {
    let scan = Scan {
        session: Some(session.id),
        from: None,
        newest_first: true,
    };
    let mut way = show::Way::from(session);
    let mut all = true;
    view.snapshots(&scan, &mut |row| {
        if let Err(error) = show::check(&row, store).and_then(|()| way.step(&row, store)) {
            return Flow::Break(Err(error));
        }
        if visit(row) {
            Flow::Continue(())
        } else {
            all = false;
            Flow::Break(Ok(()))
        }
    })?;
    if all { way.end(store) } else { Ok(()) }
}

/// The rows of a session in a new order, joined as they pass, newest first.
struct Seam<'a> {
    store: &'a StoreId,
    session: &'a SessionRow,
    exchange: Exchange,
    /// The rows that stay and may change, as they were and as they will be.
    known: BTreeMap<i64, (Option<SnapshotRow>, SnapshotRow)>,
    head: Option<i64>,
    /// The last that stays.
    newer: Option<i64>,
    /// The last of the history that stays.
    newer_in_history: Option<i64>,
    /// Whether something was left out or put in since.
    cut: bool,
    cut_in_history: bool,
    /// Whether something of the history stays above the first that was left out or put in.
    settled_above: bool,
}

impl<'a> Seam<'a> {
    fn new(session: &'a SessionRow, store: &'a StoreId) -> Self {
        Self {
            store,
            session,
            exchange: Exchange::default(),
            known: BTreeMap::new(),
            head: None,
            newer: None,
            newer_in_history: None,
            cut: false,
            cut_in_history: false,
            settled_above: true,
        }
    }

    fn leave_out(&mut self, row: SnapshotRow, term: Term) {
        self.settled_above &= self.newer_in_history.is_some();
        self.cut = true;
        self.cut_in_history |= row.is_history();
        let trash = TrashRow {
            snapshot: SnapshotRow {
                checksum: [0; 16],
                ..row.clone()
            },
            deleted_at: term.deleted_at,
            keep_until: term.keep_until,
            checksum: [0; 16],
        };
        self.exchange.put.trash.push(trash.summed(self.store));
        self.exchange.take.snapshots.push(row);
    }

    fn put_in(&mut self, trash: TrashRow) {
        self.settled_above &= self.newer_in_history.is_some();
        self.cut = true;
        self.cut_in_history |= trash.snapshot.is_history();
        self.join(None, trash.snapshot.clone());
        self.cut = true;
        self.cut_in_history |= trash.snapshot.is_history();
        self.exchange.take.trash.push(trash);
    }

    fn pass(&mut self, row: SnapshotRow) {
        self.join(Some(row.clone()), row);
    }

    fn join(&mut self, was: Option<SnapshotRow>, row: SnapshotRow) {
        match self.newer.and_then(|seq| self.known.get_mut(&seq)) {
            Some((_, newer)) if self.cut => newer.parent = Some(row.seq),
            Some(_) => {}
            None => self.head = Some(row.seq),
        }
        if row.is_history() {
            if self.cut_in_history {
                self.compare_history(row.state_seq());
            }
            self.cut_in_history = false;
            let before = self.newer_in_history.replace(row.seq);
            self.forget_but(before, row.seq);
        }
        let before = self.newer.replace(row.seq);
        self.forget_but(before, row.seq);
        self.cut = false;
        self.known.insert(row.seq, (was, row));
    }

    /// The next older state of the history is `state`, so that the newer one is unchanged or not.
    fn compare_history(&mut self, state: i64) {
        let newer = self.newer_in_history;
        if let Some((_, newer)) = newer.and_then(|seq| self.known.get_mut(&seq)) {
            let unchanged = newer.state_seq() == state;
            newer.flags = newer.flags & !UNCHANGED | if unchanged { UNCHANGED } else { 0 };
        }
    }

    /// A row that nothing older can change any more is done with.
    fn forget_but(&mut self, seq: Option<i64>, now: i64) {
        let keep = [self.newer, self.newer_in_history, Some(now)];
        if let Some(seq) = seq.filter(|seq| !keep.contains(&Some(*seq)))
            && let Some((was, row)) = self.known.remove(&seq)
        {
            self.settle(was, row);
        }
    }

    fn settle(&mut self, was: Option<SnapshotRow>, row: SnapshotRow) {
        let row = row.summed(self.store);
        if was.as_ref() != Some(&row) {
            self.exchange.take.snapshots.extend(was);
            self.exchange.put.snapshots.push(row);
        }
    }

    fn finish(mut self) -> Exchange {
        if let Some((_, oldest)) = self.newer.and_then(|seq| self.known.get_mut(&seq))
            && self.cut
        {
            oldest.parent = None;
        }
        if self.cut_in_history {
            // Nothing of the history is before it.
            self.compare_history(-1);
        }
        for (was, row) in std::mem::take(&mut self.known).into_values() {
            self.settle(was, row);
        }
        if self.settled_above && self.head == Some(self.session.head) {
            // Whatever is saved meanwhile comes on top of what stays, and is none of this.
            self.exchange.raise = vec![(self.session.id, self.session.era)];
            return self.exchange;
        }
        let session = SessionRow {
            head: self.head.unwrap_or(0),
            era: self.session.era + 1,
            ..self.session.clone()
        };
        let (take, put) = (&mut self.exchange.take, &mut self.exchange.put);
        let of = |session| Rows {
            sessions: vec![session],
            ..Rows::default()
        };
        take.sessions = of(self.session.clone()).sessions;
        put.sessions = of(session.summed(self.store)).sessions;
        self.exchange
    }
}
