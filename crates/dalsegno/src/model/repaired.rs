//! What of a snapshot is not as it was saved.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::SnapshotId;

/// What a repair made of a snapshot that was damaged, where not all of it came back.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Repaired {
    /// When: UTC.
    pub at: Timestamp,
    /// Its name, label, description, tags, metadata, kind and flags are lost; it is pinned, so that nothing deletes it
    /// before somebody has looked.
    pub lost_metadata: bool,
    /// The state is not the one that was saved, but what its neighbours have.
    pub lost_state: bool,
    /// The checksum of the state that is lost, in hexadecimal, where it is known: whoever finds a text with it has found
    /// the state.
    pub lost_checksum: Option<String>,
    /// Where each component was taken from.
    pub components: Vec<RepairedComponent>,
}

/// A component of a state that was put together again.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct RepairedComponent {
    /// Its name.
    pub component: String,
    /// The snapshot whose value it has.
    pub from: SnapshotId,
    /// Whether the nearest intact snapshots before and after agree on it; else it is that of the nearer one.
    pub agreed: bool,
}
