//! What happened, for whoever wants to know: one typed list.

mod bus;
pub(crate) mod notes;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::model::{Kind, Operation, Snapshot, SnapshotId};

pub(crate) use bus::Bus;
pub use bus::Subscription;

/// Something that happened.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Event {
    /// When: UTC.
    pub at: Timestamp,
    /// What.
    #[serde(flatten)]
    pub what: Happened,
    /// To which session; nothing where it concerns the store, or several.
    pub session: Option<String>,
    /// Who did it, where that is known: the program, or whom it named.
    pub actor: Option<String>,
}

/// What happened.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "event", rename_all = "snake_case")]
#[non_exhaustive]
pub enum Happened {
    /// A state was saved.
    Created {
        /// The new snapshot.
        snapshot: SnapshotId,
    },
    /// A state was saved by itself.
    AutoSaved {
        /// The new snapshot.
        snapshot: SnapshotId,
    },
    /// A session could not be saved by itself; it is tried again.
    AutoSaveFailed {
        /// Why.
        message: String,
    },
    /// A snapshot came in from elsewhere.
    Imported {
        /// The new snapshot.
        snapshot: SnapshotId,
    },
    /// A session began with a state of another one.
    Forked {
        /// The new snapshot.
        snapshot: SnapshotId,
        /// The snapshot that has the same state in the other session.
        from: SnapshotId,
    },
    /// A state was put back.
    Restored(Went),
    /// A session went back.
    RolledBack(Went),
    /// A restore or rollback was taken back.
    Undone(Went),
    /// It was done again.
    Redone(Went),
    /// A save lost items that nobody said would go; the fuller state is kept.
    ShrinkGuarded {
        /// The guard snapshot that has it.
        snapshot: SnapshotId,
    },
    /// Old snapshots were deleted.
    CleanedUp {
        /// How many.
        deleted: u64,
        /// Only automatic ones, by themselves.
        automatic: bool,
    },
    /// Snapshots were deleted.
    Deleted {
        /// How many.
        deleted: u64,
    },
    /// Stored bytes are not what was written.
    CorruptionDetected {
        /// What.
        message: String,
        /// The snapshots that are lost by it.
        snapshots: Vec<SnapshotId>,
    },
    /// What was damaged was repaired, as far as it could be.
    Repaired {
        /// What was done.
        message: String,
        /// The snapshots that are back, or marked as repaired.
        snapshots: Vec<SnapshotId>,
        /// The snapshots that are lost.
        lost: Vec<SnapshotId>,
    },
    /// A session was erased for good; which one, nobody is told.
    Erased,
    /// A session that was not closed was opened again, and stands at its newest intact state.
    Recovered {
        /// That state; nothing where it has none.
        snapshot: Option<SnapshotId>,
        /// How many newer ones are damaged.
        passed_over: u64,
    },
    /// Another program took a session over; nothing more of this one is stored.
    LeaseLost {
        /// Who.
        message: String,
    },
}

/// Where a session, or something outside, went back to.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Went {
    /// The new newest snapshot of the session; nothing where something else was written.
    pub snapshot: Option<SnapshotId>,
    /// The snapshot whose state it is; nothing where something was removed, or put back as it stood beside.
    pub from: Option<SnapshotId>,
    /// What was written: `head`, or the path or name of something outside.
    pub target: String,
}

impl Happened {
    /// The word for it, as in JSON.
    #[must_use]
    pub fn word(&self) -> &'static str {
        match self {
            Self::Created { .. } => "created",
            Self::AutoSaved { .. } => "auto_saved",
            Self::AutoSaveFailed { .. } => "auto_save_failed",
            Self::Imported { .. } => "imported",
            Self::Forked { .. } => "forked",
            Self::Restored(_) => "restored",
            Self::RolledBack(_) => "rolled_back",
            Self::Undone(_) => "undone",
            Self::Redone(_) => "redone",
            Self::ShrinkGuarded { .. } => "shrink_guarded",
            Self::CleanedUp { .. } => "cleaned_up",
            Self::Deleted { .. } => "deleted",
            Self::CorruptionDetected { .. } => "corruption_detected",
            Self::Repaired { .. } => "repaired",
            Self::Erased => "erased",
            Self::Recovered { .. } => "recovered",
            Self::LeaseLost { .. } => "lease_lost",
        }
    }
}

impl Event {
    /// What a new snapshot tells; nothing where it stands beside the history and was made for safety.
    pub(crate) fn of(snapshot: &Snapshot, actor: Option<String>) -> Option<Self> {
        let id = snapshot.id;
        let went = |from: &SnapshotId| Went {
            snapshot: Some(id),
            from: Some(*from),
            target: "head".to_owned(),
        };
        let what = match (snapshot.kind, &snapshot.operation) {
            (Kind::Safety, _) => return None,
            (Kind::Guard, _) => Happened::ShrinkGuarded { snapshot: id },
            (_, Some(Operation::Restore { from })) => Happened::Restored(went(from)),
            (_, Some(Operation::Rollback { from })) => Happened::RolledBack(went(from)),
            (_, Some(Operation::Undo { from })) => Happened::Undone(went(from)),
            (_, Some(Operation::Redo { from })) => Happened::Redone(went(from)),
            (_, Some(Operation::Fork { from })) => Happened::Forked {
                snapshot: id,
                from: *from,
            },
            (_, Some(Operation::Import { .. })) | (Kind::Import, _) => {
                Happened::Imported { snapshot: id }
            }
            (Kind::Auto, None) => Happened::AutoSaved { snapshot: id },
            (_, None) => Happened::Created { snapshot: id },
        };
        // What is imported was taken long ago.
        let at = match what {
            Happened::Imported { .. } => id.time(),
            _ => snapshot.created_at,
        };
        Some(Self {
            at,
            what,
            session: Some(snapshot.session.clone()),
            actor,
        })
    }
}
