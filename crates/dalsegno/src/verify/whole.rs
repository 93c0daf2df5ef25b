//! The checks that are not about one session, and what there is of each.

use std::collections::{BTreeMap, BTreeSet};

use super::Verification;
use crate::chain;
use crate::codec::note;
use crate::deed::Deed;
use crate::error::{Error, Result};
use crate::model::{SnapshotId, StoreId};
use crate::show;
use crate::store::{Flow, NoteScan, Row, Scan, SessionRow, TrashRow, View};

/// What there is of a session.
pub(super) struct Kept {
    pub(super) row: SessionRow,
    /// Its snapshots, in commit order.
    pub(super) live: Vec<i64>,
    /// Those in the trash, in commit order.
    pub(super) trash: Vec<TrashRow>,
    /// Other records that snapshots refer to: their own snapshots are purged.
    states: BTreeSet<i64>,
}

impl Kept {
    fn new(row: SessionRow) -> Self {
        Self {
            row,
            live: Vec::new(),
            trash: Vec::new(),
            states: BTreeSet::new(),
        }
    }

    fn has_record(&self, seq: i64) -> bool {
        let in_trash = |seq: &i64| self.trash.binary_search_by_key(seq, |row| row.snapshot.seq);
        self.live.binary_search(&seq).is_ok()
            || in_trash(&seq).is_ok()
            || self.states.contains(&seq)
    }
}

pub(super) fn one_session(
    view: &dyn View,
    store: &StoreId,
    name: &str,
    found: &mut Verification,
) -> Result<Kept> {
    // By its name, the store may have answered from the index alone.
    let by_name = view.session(name)?;
    let row = match &by_name {
        Some(row) => view.session_by_id(row.id)?,
        None => show::session_of_rows(view, name)?,
    };
    let row = row.or_else(|| by_name.clone());
    let row = row.ok_or_else(|| Error::not_found(format!("there is no session '{name}'")))?;
    if by_name.as_ref() != Some(&row) || row.name != name {
        let message = "the row of the session, or the way to it, is damaged".to_owned();
        found.report(Some(name), Vec::new(), message);
    }
    let mut kept = Kept::new(row);
    let scan = Scan {
        session: Some(kept.row.id),
        ..Scan::default()
    };
    view.snapshots(&scan, &mut |snapshot| {
        kept.live.push(snapshot.seq);
        Flow::Continue(())
    })?;
    let read = view.trash(&mut |row| {
        if row.snapshot.session == kept.row.id {
            kept.trash.push(row);
        }
        Flow::Continue(())
    });
    found.unless_damaged(read)?;
    operations(view, store, Some(kept.row.id), found)?;
    Ok(kept)
}

/// Snapshots are found by a look at every row, so that none is passed over because the way to it is
/// lost.
pub(super) fn whole_store(
    view: &dyn View,
    store: &StoreId,
    found: &mut Verification,
) -> Result<Vec<Kept>> {
    let complaints = view.check_structure();
    for complaint in found.unless_damaged(complaints)?.unwrap_or_default() {
        found.report(
            None,
            Vec::new(),
            format!("the store's structure: {complaint}"),
        );
    }
    let mut sessions: BTreeMap<i64, Kept> = BTreeMap::new();
    let read = view.sessions(&mut |row| {
        sessions.insert(row.id, Kept::new(row));
        Flow::Continue(())
    });
    found.unless_damaged(read)?;
    snapshots(view, store, &mut sessions, found)?;
    records(view, store, &sessions, found)?;
    operations(view, store, None, found)?;
    let policies = found.unless_damaged(view.policies())?.unwrap_or_default();
    for policy in policies.iter().filter(|policy| !policy.is_intact(store)) {
        let message = format!("the policy for {} is damaged", policy.pattern);
        found.report(None, Vec::new(), message);
    }
    notes(view, store, found)?;
    Ok(sessions.into_values().collect())
}

/// What stands beside the sessions. Where the kind itself is damaged, nobody else looks at the row.
fn notes(view: &dyn View, store: &StoreId, found: &mut Verification) -> Result<()> {
    let kinds = found.unless_damaged(view.note_kinds())?;
    for kind in kinds.unwrap_or_default() {
        let known = note::KINDS.iter().find(|(known, _)| *known == kind);
        let word = known.map_or("note", |(_, word)| word);
        let mut damaged = Vec::new();
        let scan = NoteScan {
            kind,
            ..NoteScan::default()
        };
        let read = view.notes(&scan, &mut |row| {
            if !row.is_intact(store) {
                damaged.push(row.session);
            }
            Flow::Continue(())
        });
        found.unless_damaged(read)?;
        for session in damaged {
            let whose = match view.session_by_id(session) {
                Ok(Some(row)) if row.is_intact(store) => format!(" of session {}", row.name),
                _ => String::new(),
            };
            found.report(None, Vec::new(), format!("the {word}{whose} is damaged"));
        }
    }
    Ok(())
}

/// The snapshots of every session, and those in the trash.
fn snapshots(
    view: &dyn View,
    store: &StoreId,
    sessions: &mut BTreeMap<i64, Kept>,
    found: &mut Verification,
) -> Result<()> {
    let mut strays = Vec::new();
    let read = view.snapshots(&Scan::default(), &mut |row| {
        match sessions.get_mut(&row.session) {
            // Damaged pages may give a row twice.
            Some(kept) if kept.live.last().is_some_and(|last| *last >= row.seq) => {}
            Some(kept) => {
                kept.live.push(row.seq);
                kept.states.extend(row.state);
            }
            None => strays.push(SnapshotId::new(row.seq, store)),
        }
        Flow::Continue(())
    });
    found.unless_damaged(read)?;
    let read = view.trash(&mut |row| {
        let seq = row.snapshot.seq;
        match sessions.get_mut(&row.snapshot.session) {
            Some(kept) if kept.trash.last().is_some_and(|l| l.snapshot.seq >= seq) => {}
            Some(kept) => {
                kept.states.extend(row.snapshot.state);
                kept.trash.push(row);
            }
            None => strays.push(SnapshotId::new(seq, store)),
        }
        Flow::Continue(())
    });
    found.unless_damaged(read)?;
    if !strays.is_empty() {
        found.report(
            None,
            strays,
            "snapshots of a session that does not exist".to_owned(),
        );
    }
    Ok(())
}

/// The rows of records, each of which some snapshot must need.
fn records(
    view: &dyn View,
    store: &StoreId,
    sessions: &BTreeMap<i64, Kept>,
    found: &mut Verification,
) -> Result<()> {
    let mut damaged = Vec::new();
    let mut lost = Vec::new();
    let read = view.records(&mut |row| {
        let known = sessions.get(&row.session).filter(|_| row.is_intact(store));
        let entries = known.map(|_| chain::entries(&row, store, row.session));
        match (known, entries) {
            // A record without its snapshot: the row that led to it is gone.
            (Some(kept), Some(Ok(entries))) => {
                let gone = entries.iter().filter(|e| !kept.has_record(e.seq));
                lost.extend(gone.map(|e| (kept.row.name.clone(), SnapshotId::new(e.seq, store))));
            }
            _ => damaged.push(row.seq),
        }
        Flow::Continue(())
    });
    found.unless_damaged(read)?;
    for (session, id) in lost {
        found.report(
            Some(&session),
            vec![id],
            "the snapshot's row is missing".to_owned(),
        );
    }
    for seq in damaged {
        found.report(
            None,
            Vec::new(),
            format!("the row of record {seq} is damaged"),
        );
    }
    Ok(())
}

fn operations(
    view: &dyn View,
    store: &StoreId,
    session: Option<i64>,
    found: &mut Verification,
) -> Result<()> {
    let mut damaged = Vec::new();
    let read = view.operations(session, &mut |row| {
        let known = session.map_or_else(
            || show::session_name(view, store, row.session).map(|_| ()),
            |_| Ok(()),
        );
        if let Err(error) = known.and_then(|()| Deed::read(&row, store)) {
            damaged.push(error.to_string());
        }
        Flow::Continue(())
    });
    found.unless_damaged(read)?;
    for message in damaged {
        found.report(None, Vec::new(), message);
    }
    Ok(())
}
