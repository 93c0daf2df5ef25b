//! The rows of a store, as every store keeps them, and the checksum that covers each.

use serde::{Deserialize, Serialize};

use super::row::Row;
use crate::codec::checksum::Checksum;
use crate::codec::note;
use crate::error::Result;
use crate::model::{Kind, StoreId};

/// A session.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SessionRow {
    /// Its number within the store.
    pub id: i64,
    /// Its name. A sealed store keeps a keyed hash here and the name in the detail.
    pub name: String,
    /// The sequence number of its newest snapshot, from which each leads to the one before; 0 where
    /// all are in the trash.
    pub head: i64,
    /// Rises when snapshots of the session are taken away: what a writer knew of it may be gone.
    pub era: i64,
    /// Over all the columns.
    pub checksum: Checksum,
}

/// A snapshot.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SnapshotRow {
    /// The place in the order of commits; ids are made of it.
    pub seq: i64,
    /// The session's number.
    pub session: i64,
    /// In microseconds since 1970 (UTC).
    pub created_at: i64,
    /// The code of its [`Kind`].
    pub kind: i64,
    /// Bit 0: nothing had changed. Bit 1: pinned.
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
    #[serde(with = "serde_bytes")]
    pub detail: Vec<u8>,
    /// Over all the columns.
    pub checksum: Checksum,
}

/// The records of one session, one or many, up to and including `seq`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
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
    #[serde(with = "serde_bytes")]
    pub data: Vec<u8>,
    /// Over all the columns.
    pub checksum: Checksum,
}

/// A snapshot in the trash: until it is purged, it can be taken out again.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TrashRow {
    /// The snapshot as it was when it was deleted.
    pub snapshot: SnapshotRow,
    /// In microseconds since 1970 (UTC).
    pub deleted_at: i64,
    /// From then on it may be purged: in microseconds since 1970 (UTC).
    pub keep_until: i64,
    /// Over all the columns.
    pub checksum: Checksum,
}

/// Something that was done to a session beside saving it: a restore, a rollback, an undo, a redo.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OperationRow {
    /// The place in the order of commits; that of the snapshot that it added, if it added one.
    pub seq: i64,
    /// The session's number.
    pub session: i64,
    /// The code of its verb.
    pub verb: i64,
    /// The code of how far it came.
    pub status: i64,
    /// Everything else, as docs/format.md draws it.
    #[serde(with = "serde_bytes")]
    pub detail: Vec<u8>,
    /// Over all the columns.
    pub checksum: Checksum,
}

/// A rule of retention for the sessions whose names match a pattern.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PolicyRow {
    /// Its number within the store.
    pub id: i64,
    /// Unique.
    pub pattern: String,
    /// The rules, as JSON.
    #[serde(with = "serde_bytes")]
    pub detail: Vec<u8>,
    /// Over all the columns.
    pub checksum: Checksum,
}

/// Something small that is known of the store or of a session: who writes, a lease, a request, an event.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct NoteRow {
    /// The code of what it is about.
    pub kind: i64,
    /// The session's number; 0 for the store.
    pub session: i64,
    /// Unique among those of its kind and session.
    pub id: i64,
    /// As docs/format.md draws it.
    #[serde(with = "serde_bytes")]
    pub detail: Vec<u8>,
    /// Over all the columns.
    pub checksum: Checksum,
}

/// Bit 0 of a snapshot's flags.
pub(crate) const UNCHANGED: i64 = 1;

/// Bit 1 of a snapshot's flags: no retention deletes it.
pub(crate) const PINNED: i64 = 2;

impl SessionRow {
    pub(crate) fn new(id: i64, name: String, head: i64, era: i64, store: &StoreId) -> Self {
        let row = Self {
            id,
            name,
            head,
            era,
            checksum: [0; 16],
        };
        row.summed(store)
    }
}

impl SnapshotRow {
    pub(crate) fn is_pinned(&self) -> bool {
        self.flags & PINNED != 0
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

impl NoteRow {
    pub(crate) fn new(key: (i64, i64, i64), detail: Vec<u8>, store: &StoreId) -> Self {
        let (kind, session, id) = key;
        let row = Self {
            kind,
            session,
            id,
            detail,
            checksum: [0; 16],
        };
        row.summed(store)
    }

    /// The mark that the store's file is to be written anew.
    pub(crate) fn left(store: &StoreId) -> Result<Self> {
        Ok(Self::new((note::LEFT, 0, 1), note::encode(&())?, store))
    }

    /// Where it stands.
    pub(crate) fn key(&self) -> (i64, i64, i64) {
        (self.kind, self.session, self.id)
    }
}
