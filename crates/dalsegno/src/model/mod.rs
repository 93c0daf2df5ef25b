//! What users see: ids, names, kinds, and a snapshot's metadata.

mod id;
mod kind;
mod name;
mod operation;
mod snapshot;

pub use id::SnapshotId;
pub(crate) use id::StoreId;
pub use kind::Kind;
pub use name::{MAX_NAME, check_session_name, check_snapshot_name};
pub use operation::{Operation, Status, Verb};
pub use snapshot::Snapshot;
