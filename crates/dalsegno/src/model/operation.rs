//! What can be done to a session beside saving it.

use std::fmt;

use super::SnapshotId;

/// A deed that added a snapshot to the history.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "snake_case", tag = "verb")]
#[non_exhaustive]
pub enum Operation {
    /// An earlier state, or some of its components, became the newest again.
    Restore {
        /// The snapshot that was restored.
        from: SnapshotId,
    },
    /// The session went back to an earlier state.
    Rollback {
        /// The snapshot it went back to.
        from: SnapshotId,
    },
    /// A restore or rollback was undone.
    Undo {
        /// The snapshot that was the newest before it.
        from: SnapshotId,
    },
    /// What was undone was done again.
    Redo {
        /// The snapshot that was the newest before the undo.
        from: SnapshotId,
    },
    /// The session was begun from a snapshot of another one.
    Fork {
        /// The snapshot.
        from: SnapshotId,
    },
    /// It was imported.
    Import {
        /// Its id where it came from.
        from: String,
    },
}

/// What an operation on a session did.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, serde::Serialize)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum Verb {
    /// Put a state back.
    Restore,
    /// Went back to an earlier state.
    Rollback,
    /// Took a restore or rollback back.
    Undo,
    /// Did again what was undone.
    Redo,
}

impl Verb {
    const ALL: [Self; 4] = [Self::Restore, Self::Rollback, Self::Undo, Self::Redo];

    pub(crate) fn code(self) -> i64 {
        match self {
            Self::Restore => 0,
            Self::Rollback => 1,
            Self::Undo => 2,
            Self::Redo => 3,
        }
    }

    pub(crate) fn from_code(code: i64) -> Option<Self> {
        Self::ALL.into_iter().find(|verb| verb.code() == code)
    }

    /// The verb as users type it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Restore => "restore",
            Self::Rollback => "rollback",
            Self::Undo => "undo",
            Self::Redo => "redo",
        }
    }
}

impl fmt::Display for Verb {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// How far an operation came.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, serde::Serialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Status {
    /// It began, and nobody knows how it ended: the program was interrupted, or could not put back
    /// what stood there. It can be undone.
    Begun,
    /// It was done, and read back as planned.
    Done,
    /// It failed, and is not to be undone: what stood there was put back, unless its entry in the log says that this
    /// failed as well.
    RolledBack,
}

impl Status {
    const ALL: [Self; 3] = [Self::Begun, Self::Done, Self::RolledBack];

    pub(crate) fn code(self) -> i64 {
        match self {
            Self::Begun => 0,
            Self::Done => 1,
            Self::RolledBack => 2,
        }
    }

    pub(crate) fn from_code(code: i64) -> Option<Self> {
        Self::ALL.into_iter().find(|status| status.code() == code)
    }
}
