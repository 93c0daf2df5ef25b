//! Dalsegno keeps long-running sessions from losing their state.
//!
//! A session is a name and a JSON document. Every state that is saved can be had back, byte for byte,
//! and is proved to be what was saved; what changes little takes little room.
//!
//! [`Engine`] is where to begin; ARCHITECTURE.md shows the way of a save through the code.

mod advance;
mod batch;
mod chain;
pub mod clock;
mod codec;
mod delta;
mod diff;
mod doctor;
mod document;
mod durable;
mod encode;
mod engine;
mod error;
mod export;
#[cfg(any(test, feature = "testing"))]
#[doc(hidden)]
pub mod fuzzing;
mod head;
mod job;
mod list;
mod location;
mod model;
mod places;
mod reference;
mod repack;
mod restore;
mod save;
mod show;
pub mod store;
mod verify;
mod writer;

pub use diff::{ComponentDiff, Counts, Diff, Difference, DifferenceKind, Json, Line, Mark};
pub use doctor::{Diagnosis, Finding, Severity};
pub use document::{Document, DocumentBuilder, List, MAX_DEPTH, MAX_ITEMS, MAX_SIZE, pretty};
pub use durable::write_private;
pub use engine::{Engine, Options};
pub use error::{Error, ErrorKind, Result};
pub use export::Imported;
pub use list::{Page, Query, Sort};
pub use location::FILE_NAME;
pub use model::{
    Kind, MAX_NAME, Operation, Snapshot, SnapshotId, check_session_name, check_snapshot_name,
};
pub use reference::parse_time;
pub use restore::{Change, ComponentChange, Plan, Report, Restore, Restored, Target};
pub use save::{MAX_DETAIL, Save, Ticket};
pub use verify::{Damage, Verification};
