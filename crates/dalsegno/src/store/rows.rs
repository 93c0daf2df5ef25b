//! The rows of a store, as every store keeps them, and the checksum that covers each.

use crate::codec::checksum::{Checksum, RowHasher};
use crate::model::{Kind, StoreId};

/// A session.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SessionRow {
    /// Its number within the store.
    pub id: i64,
    /// Its name. A sealed store keeps a keyed hash here and the name in the detail.
    pub name: String,
    /// The sequence number of its newest snapshot, from which each leads to the one before.
    pub head: i64,
    /// Over all the columns.
    pub checksum: Checksum,
}

/// A snapshot.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SnapshotRow {
    /// The place in the order of commits; ids are made of it.
    pub seq: i64,
    /// The session's number.
    pub session: i64,
    /// In microseconds since 1970 (UTC).
    pub created_at: i64,
    /// The code of its [`Kind`].
    pub kind: i64,
    /// Bit 0: nothing had changed.
    pub flags: i64,
    /// Bytes of the document's text.
    pub size: i64,
    /// Bytes of its record when committed.
    pub stored: i64,
    /// The snapshot before it in the session.
    pub parent: Option<i64>,
    /// The snapshot whose record holds the state; `None`: this one's own.
    pub state: Option<i64>,
    /// The writer's epoch.
    pub epoch: i64,
    /// Unique within the session. A sealed store keeps a keyed hash here.
    pub name: Option<String>,
    /// Everything else, as docs/format.md draws it.
    pub detail: Vec<u8>,
    /// Over all the columns.
    pub checksum: Checksum,
}

/// The records of one session, one or many, up to and including `seq`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RecordRow {
    /// The sequence number of its last record.
    pub seq: i64,
    /// The session's number.
    pub session: i64,
    /// How many records: 1 is a single one, more are a block.
    pub count: i64,
    /// Of a single record: the one it builds on. A block says so itself.
    pub parent: Option<i64>,
    /// As docs/format.md draws it.
    pub data: Vec<u8>,
    /// Over all the columns.
    pub checksum: Checksum,
}

/// Bit 0 of a snapshot's flags.
pub(crate) const UNCHANGED: i64 = 1;

impl SessionRow {
    pub(crate) fn new(id: i64, name: String, head: i64, store: &StoreId) -> Self {
        let mut row = Self {
            id,
            name,
            head,
            checksum: [0; 16],
        };
        row.checksum = row.compute(store);
        row
    }

    /// Whether it is as it was written.
    pub(crate) fn is_intact(&self, store: &StoreId) -> bool {
        self.compute(store) == self.checksum
    }

    pub(crate) fn compute(&self, store: &StoreId) -> Checksum {
        let mut row = RowHasher::new("session", store);
        row.int(self.id).blob(self.name.as_bytes()).int(self.head);
        row.finish()
    }
}

impl SnapshotRow {
    /// Whether it is as it was written.
    pub(crate) fn is_intact(&self, store: &StoreId) -> bool {
        self.compute(store) == self.checksum
    }

    pub(crate) fn compute(&self, store: &StoreId) -> Checksum {
        let mut row = RowHasher::new("snapshot", store);
        row.int(self.seq)
            .int(self.session)
            .int(self.created_at)
            .int(self.kind)
            .int(self.flags);
        row.int(self.size)
            .int(self.stored)
            .optional_int(self.parent)
            .optional_int(self.state);
        row.int(self.epoch)
            .optional_blob(self.name.as_ref().map(String::as_bytes));
        row.blob(&self.detail);
        row.finish()
    }

    /// The snapshot whose record holds the state.
    pub(crate) fn state_seq(&self) -> i64 {
        self.state.unwrap_or(self.seq)
    }

    /// Whether it is of the history, and does not stand beside it as guard and safety snapshots do.
    pub(crate) fn is_history(&self) -> bool {
        Kind::from_code(self.kind).is_some_and(Kind::is_history)
    }

    /// Whether `SESSION@-N` counts it.
    pub(crate) fn counts(&self) -> bool {
        self.flags & UNCHANGED == 0 && self.is_history()
    }
}

impl RecordRow {
    /// Whether it is as it was written.
    pub(crate) fn is_intact(&self, store: &StoreId) -> bool {
        self.compute(store) == self.checksum
    }

    pub(crate) fn compute(&self, store: &StoreId) -> Checksum {
        let mut row = RowHasher::new("record", store);
        row.int(self.seq)
            .int(self.session)
            .int(self.count)
            .optional_int(self.parent);
        row.blob(&self.data);
        row.finish()
    }
}
