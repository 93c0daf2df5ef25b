//! Rows that make way for others, in one transaction.

use super::ledger::Said;
use super::rows::{NoteRow, OperationRow, PolicyRow, RecordRow, SessionRow, SnapshotRow, TrashRow};

/// Rows of every table.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Rows {
    /// By number.
    pub sessions: Vec<SessionRow>,
    /// By sequence number.
    pub snapshots: Vec<SnapshotRow>,
    /// By the snapshot's sequence number.
    pub trash: Vec<TrashRow>,
    /// By sequence number.
    pub records: Vec<RecordRow>,
    /// By sequence number.
    pub operations: Vec<OperationRow>,
    /// By number.
    pub policies: Vec<PolicyRow>,
    /// By kind, session and id.
    pub notes: Vec<NoteRow>,
}

/// What is to take the place of what: the rows `take`, as they are known, and the rows `put`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Exchange {
    /// Rows that must be there as they are here; only keys and checksums are looked at.
    pub take: Rows,
    /// Rows that stand there afterwards.
    pub put: Rows,
    /// Sessions whose era rises by one, by number and the era that they must have; their heads stay as
    /// they are, wherever they are.
    pub raise: Vec<(i64, i64)>,
    /// The keys, as another store of the same id keeps them, that sessions get which are put; a store that is not
    /// encrypted has none.
    pub keys: Vec<(i64, Vec<u8>)>,
    /// What the audit log says of it.
    pub say: Vec<Said>,
}

impl Exchange {
    /// `put` in the place of `take`.
    #[must_use]
    pub fn of(take: Rows, put: Rows) -> Self {
        Self {
            take,
            put,
            raise: Vec::new(),
            keys: Vec::new(),
            say: Vec::new(),
        }
    }

    /// The same, with what the audit log says of it.
    #[must_use]
    pub fn say(mut self, said: Said) -> Self {
        self.say.push(said);
        self
    }

    /// Notes in the place of notes.
    #[must_use]
    pub fn of_notes(take: Vec<NoteRow>, put: Vec<NoteRow>) -> Self {
        let of = |notes| Rows {
            notes,
            ..Rows::default()
        };
        Self::of(of(take), of(put))
    }
}
