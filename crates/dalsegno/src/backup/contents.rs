//! What an archive says of itself, and which rows it is a backup of.

use std::collections::BTreeMap;
use std::io;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::blocks::ArchiveId;
use super::keys::ContentId;
use crate::error::{Error, Result};
use crate::model::StoreId;
use crate::store::NoteRow;

/// The version of the archive's form.
pub(super) const VERSION: u32 = 1;

/// What a backup has of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum BackupKind {
    /// Everything: it needs no other.
    Full,
    /// What changed since the backup before it, which it needs.
    Incremental,
    /// What changed since a certain backup, which it needs.
    Differential,
}

impl BackupKind {
    /// The kind as one lower-case word.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Full => "full",
            Self::Incremental => "incremental",
            Self::Differential => "differential",
        }
    }
}

impl std::fmt::Display for BackupKind {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.pad(self.as_str())
    }
}

/// What is known of an archive without any key.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Head {
    pub(super) version: u32,
    pub(super) archive: ArchiveId,
    pub(super) store: StoreId,
    /// When the store was made: microseconds since 1970 (UTC).
    pub(super) store_created: i64,
    /// When it was begun: microseconds since 1970 (UTC).
    pub(super) begun_at: i64,
    pub(super) kind: BackupKind,
    /// The backup that it goes on from.
    pub(super) base: Option<ArchiveId>,
    pub(super) is_sealed: bool,
    /// Of the keys that it is sealed by.
    pub(super) mark: [u8; 16],
    /// What secrets open the store, and the backup.
    pub(super) slots: Vec<NoteRow>,
}

/// What an archive says of itself at its end, also without any key: only one that has it is complete.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Summary {
    pub(super) head: Head,
    /// The moment that it shows: microseconds since 1970 (UTC).
    pub(super) taken_at: i64,
    pub(super) sessions: u64,
    /// Those in the trash too.
    pub(super) snapshots: u64,
    /// Bytes of all rows that it is of.
    pub(super) bytes: u64,
    /// Rows that were damaged in the store.
    pub(super) damaged_rows: u64,
    /// Other archives that have some of the rows.
    pub(super) others: Vec<ArchiveId>,
}

/// Which rows a backup is of.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Contents {
    /// The same as at the end, where nobody can change it who has no key.
    pub(super) summary: Summary,
    /// The last sequence number that the store had given.
    pub(super) last: i64,
    pub(super) segments: Vec<Segment>,
    /// What the frames of rows of this archive are about, by their numbers.
    pub(super) about: BTreeMap<u32, About>,
}

/// Rows of one table, in order.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Segment {
    pub(super) table: Table,
    pub(super) id: ContentId,
    pub(super) rows: u32,
    /// Bytes of these rows.
    pub(super) bytes: u32,
    /// 0: this archive; more: of the other ones, counted from 1.
    pub(super) archive: u32,
    /// Where its frame begins, and its number.
    pub(super) at: u64,
    pub(super) number: u32,
}

/// The tables of a store.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub(super) enum Table {
    Session,
    Snapshot,
    Trash,
    Record,
    Operation,
    Policy,
    Note,
}

impl Table {
    /// What its rows are, for people.
    pub(super) fn rows(self, count: u32) -> &'static str {
        let [one, many] = match self {
            Self::Session => ["session", "sessions"],
            Self::Snapshot => ["snapshot", "snapshots"],
            Self::Trash => ["snapshot in the trash", "snapshots in the trash"],
            Self::Record => ["record", "records"],
            Self::Operation => ["entry of a session's log", "entries of sessions' logs"],
            Self::Policy => ["policy", "policies"],
            Self::Note => ["note", "notes"],
        };
        if count == 1 { one } else { many }
    }
}

/// What would be lost with a frame.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct About {
    /// Numbers and names.
    pub(super) sessions: Vec<(i64, String)>,
    /// The distance of each sequence number to the one before, and the session.
    pub(super) snapshots: Vec<(i64, i64)>,
}

impl About {
    pub(super) fn is_empty(&self) -> bool {
        self.sessions.is_empty() && self.snapshots.is_empty()
    }
}

pub(super) fn encode<T: Serialize>(value: &T) -> Result<Vec<u8>> {
    postcard::to_stdvec(value)
        .map_err(|e| Error::storage(format!("writing the backup: {e}")).with_source(e))
}

pub(super) fn decode<T: for<'a> Deserialize<'a>>(bytes: &[u8], what: &str) -> Result<T> {
    postcard::from_bytes(bytes).map_err(|e| {
        Error::damaged(format!("the {what} of the backup cannot be read")).with_source(e)
    })
}

/// A time as it stands in an archive.
pub(super) fn time(micros: i64) -> Result<Timestamp> {
    let out_of_range = |_| Error::damaged("a time in the backup is out of range");
    Timestamp::from_microsecond(micros).map_err(out_of_range)
}

/// An id as people see it.
pub(super) fn shown(id: &ArchiveId) -> String {
    id.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// What cancelled a backup, where its progress did.
pub(super) fn cancelled() -> Error {
    let cancelled = io::Error::new(io::ErrorKind::Interrupted, "cancelled");
    Error::storage("cancelled").with_source(cancelled)
}

pub(super) fn is_cancelled(error: &Error) -> bool {
    let source = std::error::Error::source(error).and_then(|it| it.downcast_ref::<io::Error>());
    source.is_some_and(|it| it.kind() == io::ErrorKind::Interrupted)
}
