//! What a session's rows say of what it lost, and of what was taken away on purpose.

use jiff::{SignedDuration, Timestamp};

use crate::codec::checksum::Checksum;
use crate::codec::detail::{self, Detail, Origin};
use crate::error::{Error, Result};
use crate::model::{Kind, SnapshotId, StoreId};
use crate::show;
use crate::store::{Flow, Scan, SessionRow, SnapshotRow, UNCHANGED, View};

/// A session's history, as far as the guard needs it.
#[derive(Debug, Default)]
pub(crate) struct Past {
    /// What `SESSION@latest` means.
    pub(crate) newest: Option<SnapshotRow>,
    /// The fuller states that are kept, newest first.
    pub(crate) generations: Vec<Kept>,
    /// Saves and deeds that took items away on purpose, newest first.
    pub(crate) purposes: Vec<Purpose>,
    /// The snapshots at which anything was taken away on purpose, or the session went back.
    pub(crate) turns: Vec<i64>,
    /// Snapshots that cannot be read, or are missing, newest first.
    pub(crate) damaged: Vec<SnapshotId>,
}

/// A fuller state that is kept.
#[derive(Debug)]
pub(crate) struct Kept {
    pub(crate) row: SnapshotRow,
    /// It was kept on the way to the newest state. What was left by going back to before it is owed nothing.
    pub(crate) counts: bool,
}

/// Items were taken away on purpose.
#[derive(Debug)]
pub(crate) struct Purpose {
    /// The snapshot from which on they are gone.
    pub(crate) row: SnapshotRow,
    /// What was said: the intent, or the deed.
    pub(crate) words: String,
    /// The state that had them, if it is still there.
    pub(crate) before: Option<SnapshotRow>,
}

impl Past {
    /// # Errors
    /// As [`View::snapshots`].
    pub(crate) fn read(view: &dyn View, store: &StoreId, session: &SessionRow) -> Result<Self> {
        let mut past = Self::default();
        let scan = Scan {
            session: Some(session.id),
            from: None,
            newest_first: true,
        };
        let mut walk = Walk::default();
        // Each row names the one before it; of one that is damaged, nobody knows.
        let mut next = Some(session.head);
        view.snapshots(&scan, &mut |row| {
            if let Some(missing) = next.filter(|next| *next != row.seq) {
                past.damaged.push(SnapshotId::new(missing, store));
            }
            match show::check(&row, store).and_then(|()| detail::decode(&row.detail)) {
                Ok(detail) => {
                    next = Some(row.parent.unwrap_or_default());
                    past.take(row, detail, &mut walk);
                }
                Err(_) => {
                    next = None;
                    past.damaged.push(SnapshotId::new(row.seq, store));
                }
            }
            Flow::Continue(())
        })?;
        if let Some(missing) = next.filter(|next| *next != 0) {
            past.damaged.push(SnapshotId::new(missing, store));
        }
        let oldest = past.generations.last().map(|kept| kept.row.seq);
        past.purposes
            .retain(|purpose| oldest.is_none_or(|seq| purpose.row.seq > seq));
        Ok(past)
    }

    /// How many of the snapshots since the oldest fuller state cannot be read: what they took away on purpose, and
    /// whether the session went back there, is not known.
    pub(crate) fn unknown(&self) -> usize {
        let oldest = self.generations.last().map(|kept| kept.row.seq);
        let since = |id: &&SnapshotId| oldest.is_some_and(|seq| id.seq() > seq);
        self.damaged.iter().filter(since).count()
    }

    fn take(&mut self, row: SnapshotRow, detail: Detail, walk: &mut Walk) {
        let counts = walk.back_to.is_none_or(|seq| row.seq <= seq);
        if row.kind == Kind::Guard.code() {
            self.generations.push(Kept { row, counts });
            return;
        }
        if !row.is_history() {
            return;
        }
        // Where the snapshot that was displaced is deleted, another one stands there.
        if walk.awaited.take() == Some(detail.checksum)
            && let Some(purpose) = self.purposes.last_mut()
        {
            purpose.before = Some(row.clone());
        }
        let went_back = went_back(&row, &detail);
        if went_back.is_some() || detail.displaced.is_some() {
            self.turns.push(row.seq);
        }
        if !counts {
            walk.pass(row, detail);
            return;
        }
        self.purposes.append(&mut walk.beside);
        match went_back {
            Some(seq) => walk.back_to = Some(seq),
            None if detail.displaced.is_some() => {
                walk.awaited = detail.displaced;
                self.purposes.push(Purpose::of(row.clone(), detail));
            }
            None => {}
        }
        self.newest.get_or_insert(row);
    }
}

impl Purpose {
    fn of(row: SnapshotRow, detail: Detail) -> Self {
        Self {
            row,
            words: words(detail),
            before: None,
        }
    }
}

/// What is known on the way from the newest snapshot back.
#[derive(Default)]
struct Walk {
    /// The state that the last save with a purpose displaced: it comes next.
    awaited: Option<Checksum>,
    /// The session went back to this snapshot: what is newer did not happen.
    back_to: Option<i64>,
    /// But what was said of that very state, behind it, was said of where the session went back to.
    beside: Vec<Purpose>,
}

impl Walk {
    /// Passes a snapshot that was left by going back.
    fn pass(&mut self, row: SnapshotRow, detail: Detail) {
        if row.flags & UNCHANGED == 0 {
            self.beside.clear();
        } else if detail.displaced.is_some() {
            self.beside.push(Purpose::of(row, detail));
        }
    }
}

/// The earlier snapshot whose whole state became the newest.
fn went_back(row: &SnapshotRow, detail: &Detail) -> Option<i64> {
    match detail.origin {
        Some(
            Origin::Restore(from)
            | Origin::Rollback(from)
            | Origin::Undo(from)
            | Origin::Redo(from),
        ) if row.state.is_some() && from < row.seq => Some(from),
        _ => None,
    }
}

fn words(detail: Detail) -> String {
    let deed = match detail.origin {
        Some(Origin::Rollback(_)) => "rollback",
        Some(Origin::Undo(_)) => "undo",
        Some(Origin::Redo(_)) => "redo",
        _ => "restore",
    };
    detail.intent.unwrap_or_else(|| deed.to_owned())
}

/// When a snapshot was committed, to the nanosecond: no two of a store are of one moment.
///
/// # Errors
/// `Damaged` where that is out of range.
pub(crate) fn moment(seq: i64) -> Result<Timestamp> {
    let millis = Timestamp::from_millisecond(seq >> 12);
    let parts = SignedDuration::from_nanos((seq & 4095) * 1_000_000 / 4096);
    let moment = millis.and_then(|time| time.checked_add(parts));
    moment.map_err(|e| Error::damaged("a snapshot's time is out of range").with_source(e))
}
