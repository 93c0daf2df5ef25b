//! What users see: ids, names, kinds, and a snapshot's metadata.

mod action;
mod audit_head;
mod id;
mod kind;
mod name;
mod operation;
mod repaired;
mod snapshot;

pub use action::{Action, Permission};
pub use audit_head::AuditHead;
pub use id::SnapshotId;
pub(crate) use id::StoreId;
pub use kind::Kind;
pub use name::{MAX_NAME, check_session_name, check_snapshot_name};
pub use operation::{Operation, Status, Verb};
pub use repaired::{Repaired, RepairedComponent};
pub use snapshot::Snapshot;
