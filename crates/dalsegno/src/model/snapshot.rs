//! A snapshot's metadata, as it is listed and shown.

use jiff::Timestamp;
use serde_json::{Map, Value};

use super::{Kind, Operation, Repaired, SnapshotId};

/// What is known of a snapshot without reading its content.
#[derive(Debug, Clone, PartialEq, serde::Serialize)]
#[non_exhaustive]
pub struct Snapshot {
    /// Its id; ids sort as commits do.
    pub id: SnapshotId,
    /// The session it belongs to.
    pub session: String,
    /// Its name, unique within the session.
    pub name: Option<String>,
    /// A short text for people; need not be unique.
    pub label: Option<String>,
    /// A longer text.
    pub description: Option<String>,
    /// Words to filter by, as given.
    pub tags: Vec<String>,
    /// Free metadata.
    pub metadata: Map<String, Value>,
    /// Why it was taken.
    pub kind: Kind,
    /// When it was taken: UTC, in microseconds.
    pub created_at: Timestamp,
    /// The turn of the session: given, else the document's integer `turn_count`, else `turn`.
    pub turn: Option<i64>,
    /// The version of the document's schema, where the program gave one.
    pub schema_version: Option<String>,
    /// The document's size in bytes of text.
    pub size: u64,
    /// The bytes its record took when it was committed, before records were packed into blocks.
    pub stored_size: u64,
    /// XXH3 (128 bits) of the document's text, in hexadecimal.
    pub checksum: String,
    /// The snapshot before it in the session.
    pub parent: Option<SnapshotId>,
    /// The earlier snapshot whose state this is, where none was stored anew.
    pub same_as: Option<SnapshotId>,
    /// Nothing had changed since the snapshot before; `SESSION@-N` does not count it.
    pub unchanged: bool,
    /// No retention deletes it.
    pub pinned: bool,
    /// The deed that made it, if it was no plain save.
    pub operation: Option<Operation>,
    /// What the program said of items that the state has no more: see [`Save::intent`](crate::Save::intent).
    pub intent: Option<String>,
    /// What the program that took it is called, where it said so: see [`Options::program`](crate::Options::program).
    pub actor: Option<String>,
    /// What of it is not as it was saved, because it was damaged and repaired; nothing where all is.
    pub repaired: Option<Repaired>,
    /// The epoch of the writer that took it; 0 without a lease.
    pub epoch: i64,
}
