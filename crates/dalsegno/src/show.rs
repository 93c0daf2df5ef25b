//! From a row to the metadata that users see.

use jiff::Timestamp;

use crate::codec::checksum::Checksum;
use crate::codec::detail::{self, Mark, Origin};
use crate::error::{Error, Result};
use crate::model::{Kind, Operation, Repaired, RepairedComponent, Snapshot, SnapshotId, StoreId};
use crate::store::{Flow, Row, SessionRow, SnapshotRow, UNCHANGED, View};

/// The metadata in `row`, a snapshot of `session`.
///
/// # Errors
/// `Damaged` where the row is not as it was written.
pub(crate) fn describe(row: &SnapshotRow, session: &str, store: &StoreId) -> Result<Snapshot> {
    check(row, store)?;
    let damaged = |what: &str| Error::damaged(format!("a snapshot's {what} is out of range"));
    let detail = detail::decode(&row.detail)?;
    let id = |seq| SnapshotId::new(seq, store);
    Ok(Snapshot {
        id: id(row.seq),
        session: session.to_owned(),
        name: row.name.clone(),
        label: detail.label,
        description: detail.description,
        tags: detail.tags,
        metadata: detail.metadata,
        kind: Kind::from_code(row.kind).ok_or_else(|| damaged("kind"))?,
        created_at: Timestamp::from_microsecond(row.created_at).map_err(|_| damaged("time"))?,
        turn: detail.turn,
        schema_version: detail.schema_version,
        size: u64::try_from(row.size).map_err(|_| damaged("size"))?,
        stored_size: u64::try_from(row.stored).map_err(|_| damaged("stored size"))?,
        checksum: hex(&detail.checksum),
        parent: row.parent.map(id),
        same_as: row.state.map(id),
        unchanged: row.flags & UNCHANGED != 0,
        pinned: row.is_pinned(),
        operation: detail.origin.map(|origin| match origin {
            Origin::Restore(seq) => Operation::Restore { from: id(seq) },
            Origin::Import(from) => Operation::Import { from },
            Origin::Rollback(seq) => Operation::Rollback { from: id(seq) },
            Origin::Undo(seq) => Operation::Undo { from: id(seq) },
            Origin::Redo(seq) => Operation::Redo { from: id(seq) },
            Origin::Fork(seq) => Operation::Fork { from: id(seq) },
        }),
        intent: detail.intent,
        actor: detail.actor,
        repaired: detail
            .repaired
            .map(|mark| repaired(mark, store))
            .transpose()?,
        epoch: row.epoch,
    })
}

fn repaired(mark: Mark, store: &StoreId) -> Result<Repaired> {
    let out_of_range = |_| Error::damaged("the time of a repair is out of range");
    Ok(Repaired {
        at: Timestamp::from_microsecond(mark.at).map_err(out_of_range)?,
        lost_metadata: mark.metadata,
        lost_state: mark.lost.is_some(),
        lost_checksum: mark.lost.map(|sum| hex(&sum)),
        components: mark
            .components
            .into_iter()
            .enumerate()
            .map(|(at, (component, from, agreed))| RepairedComponent {
                component,
                from: mark.elsewhere.get(at).map_or_else(
                    || SnapshotId::new(from, store),
                    |id| SnapshotId::of_bytes(*id),
                ),
                agreed,
            })
            .collect(),
    })
}

/// The mark that says that of a snapshot in `store`.
///
/// # Errors
/// `InvalidInput` where no repair said it.
pub(crate) fn mark(of: &Repaired, store: &StoreId) -> Result<Mark> {
    let invalid = |what| Error::invalid(format!("what is said of a repair {what}"));
    let lost = of.lost_checksum.as_deref().map(unhex).transpose();
    let lost = lost.map_err(|()| invalid("has a checksum that is none"))?;
    if lost.is_some() != of.lost_state {
        return Err(invalid("does not say which state is lost"));
    }
    let is_own = |it: &RepairedComponent| it.from == SnapshotId::new(it.from.seq(), store);
    let elsewhere = if of.components.iter().all(is_own) {
        Vec::new()
    } else {
        of.components.iter().map(|it| it.from.to_bytes()).collect()
    };
    Ok(Mark {
        at: of.at.as_microsecond(),
        metadata: of.lost_metadata,
        lost,
        components: of
            .components
            .iter()
            .map(|it| (it.component.clone(), it.from.seq(), it.agreed))
            .collect(),
        elsewhere,
    })
}

fn hex(checksum: &Checksum) -> String {
    checksum.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn unhex(text: &str) -> Result<Checksum, ()> {
    let digits = text.len() == 32 && text.bytes().all(|it| it.is_ascii_hexdigit());
    let number = u128::from_str_radix(text, 16).ok().filter(|_| digits);
    number.map(u128::to_be_bytes).ok_or(())
}

/// The session of that name, its row proved: an index whose pages are damaged may lead to another.
///
/// # Errors
/// `Damaged` where the row is not as it was written, or not the one asked for.
pub(crate) fn session(view: &dyn View, store: &StoreId, name: &str) -> Result<Option<SessionRow>> {
    // By its name, the store may have answered from the index alone.
    let itself = match view.session(name)? {
        Some(row) => view.session_by_id(row.id)?.filter(|itself| *itself == row),
        None if session_of_rows(view, name)?.is_none() => return Ok(None),
        None => None,
    };
    if let Some(row) = itself
        && row.name == name
        && row.is_intact(store)
    {
        return Ok(Some(row));
    }
    Err(Error::damaged(format!(
        "the row of session {name}, or the way to it, is damaged"
    )))
}

/// The session that has that name in its row: where the index of names is damaged, it may be there all the same.
pub(crate) fn session_of_rows(view: &dyn View, name: &str) -> Result<Option<SessionRow>> {
    let mut found = None;
    view.sessions(&mut |row| {
        if row.name == name {
            found = Some(row);
            return Flow::Break(Ok(()));
        }
        Flow::Continue(())
    })?;
    Ok(found)
}

/// As [`session`], where there must be one.
///
/// # Errors
/// As [`session`]; `NotFound` where there is none.
pub(crate) fn known_session(view: &dyn View, store: &StoreId, name: &str) -> Result<SessionRow> {
    session(view, store, name)?
        .ok_or_else(|| Error::not_found(format!("there is no session '{name}'")))
}

/// The name of the session of that number, its row proved.
///
/// # Errors
/// `Damaged` where the row is not as it was written, or not there.
pub(crate) fn session_name(view: &dyn View, store: &StoreId, id: i64) -> Result<String> {
    let row = view
        .session_by_id(id)?
        .filter(|row| row.id == id && row.is_intact(store));
    row.map(|row| row.name)
        .ok_or_else(|| Error::damaged("the row of its session is damaged"))
}

/// The way from a session's head along its snapshots: where one is passed over, it is lost.
pub(crate) struct Way(Option<i64>);

impl Way {
    pub(crate) fn from(session: &SessionRow) -> Self {
        Self(Some(session.head).filter(|head| *head != 0))
    }

    /// No way: whatever comes next is taken.
    pub(crate) fn nowhere() -> Self {
        Self(None)
    }

    /// The way on from a snapshot.
    pub(crate) fn after(row: &SnapshotRow) -> Self {
        Self(row.parent)
    }

    /// Takes the next snapshot on the way.
    ///
    /// # Errors
    /// `Damaged` where it is not the one that the last led to; the message names the lost one.
    pub(crate) fn step(&mut self, row: &SnapshotRow, store: &StoreId) -> Result<()> {
        let expected = std::mem::replace(&mut self.0, row.parent);
        match expected {
            Some(seq) if seq != row.seq => Err(missing(seq, store)),
            _ => Ok(()),
        }
    }

    /// Ends the way, where no snapshot is left.
    ///
    /// # Errors
    /// `Damaged` where there should be one; the message names it.
    pub(crate) fn end(&self, store: &StoreId) -> Result<()> {
        self.0.map_or(Ok(()), |seq| Err(missing(seq, store)))
    }

    /// The snapshot that should come next.
    pub(crate) fn expected(&self) -> Option<i64> {
        self.0
    }
}

fn missing(seq: i64, store: &StoreId) -> Error {
    let lost = SnapshotId::new(seq, store);
    Error::damaged(format!("snapshot {lost} is missing; run `verify`"))
}

/// Refuses a row that is not as it was written.
pub(crate) fn check(row: &SnapshotRow, store: &StoreId) -> Result<()> {
    if row.is_intact(store) {
        Ok(())
    } else {
        let id = SnapshotId::new(row.seq, store);
        Err(Error::damaged(format!(
            "the row of snapshot {id} is damaged: its checksum differs"
        )))
    }
}
