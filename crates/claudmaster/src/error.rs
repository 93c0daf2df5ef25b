//! What can go wrong with a rollback, with what the caller needs to go on.

use dalsegno::ErrorKind;
use serde_json::{Map, Value, json};
use uuid::Uuid;

use crate::guard::PassedOver;

/// The result of what a rollback manager does.
pub type Result<T, E = RollbackError> = std::result::Result<T, E>;

/// Why there was no rollback, or no snapshot. The session is as it was.
#[derive(Debug, Clone, thiserror::Error)]
#[non_exhaustive]
pub enum RollbackError {
    /// No snapshot has this id: choose one of those there are.
    #[error("Snapshot {snapshot} not found")]
    NotFound {
        /// The id that was asked for.
        snapshot: Uuid,
        /// The ids there are, oldest first.
        available_snapshots: Vec<Uuid>,
    },
    /// There is no snapshot at all: take one first.
    #[error("No snapshots available for rollback")]
    NoSnapshots,
    /// The snapshot's state is damaged, does not fit the session any more, or the store failed: the
    /// error's kind tells which.
    #[error("Failed to restore snapshot {snapshot}: {error}")]
    NotRestored {
        /// The snapshot that was to be restored.
        snapshot: Uuid,
        /// Why it could not be.
        #[source]
        error: dalsegno::Error,
    },
    /// The session's state is broken, and no snapshot of it is sound.
    #[error("The session's state is broken ({why}) and none of its {} snapshots is sound", passed_over.len())]
    NoneSound {
        /// What the check found in the session.
        why: String,
        /// What was found in each snapshot, newest first.
        passed_over: Vec<PassedOver>,
    },
    /// The snapshot could not be taken; those there were are all there.
    #[error("Failed to take a snapshot: {0}")]
    NotTaken(#[source] dalsegno::Error),
    /// The store could not tell which snapshots there are.
    #[error("Failed to read the session's snapshots: {0}")]
    NotOpened(#[source] dalsegno::Error),
}

impl RollbackError {
    /// What the caller can do about it.
    #[must_use]
    pub fn kind(&self) -> ErrorKind {
        match self {
            Self::NotFound { .. } | Self::NoSnapshots => ErrorKind::NotFound,
            Self::NoneSound { .. } => ErrorKind::Damaged,
            Self::NotRestored { error, .. } | Self::NotTaken(error) | Self::NotOpened(error) => {
                error.kind()
            }
        }
    }

    /// The figures of the error by name, as programs read them: `available_snapshots`, `snapshot_count`,
    /// `snapshot` and `error`.
    #[must_use]
    pub fn details(&self) -> Map<String, Value> {
        let details = match self {
            Self::NotFound {
                available_snapshots,
                ..
            } => json!({ "available_snapshots": available_snapshots }),
            Self::NoSnapshots => json!({ "snapshot_count": 0 }),
            Self::NotRestored { snapshot, error } => {
                json!({ "snapshot": snapshot, "error": error.to_string() })
            }
            Self::NoneSound { why, passed_over } => {
                json!({ "error": why, "passed_over": passed_over })
            }
            Self::NotTaken(error) | Self::NotOpened(error) => json!({ "error": error.to_string() }),
        };
        match details {
            Value::Object(details) => details,
            _ => Map::new(),
        }
    }
}
