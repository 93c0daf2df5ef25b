//! A snapshot's metadata, as it is listed and shown.

use jiff::Timestamp;
use serde_json::{Map, Value};

use super::{Kind, SnapshotId};

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
    /// The restore that made it, if one did.
    pub operation: Option<Operation>,
    /// The epoch of the writer that took it; 0 without a lease.
    pub epoch: i64,
}

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
    /// It was imported.
    Import {
        /// Its id where it came from.
        from: String,
    },
}
