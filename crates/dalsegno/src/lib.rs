//! Dalsegno keeps long-running sessions from losing their state.
//!
//! A session is a name and a JSON document. Every state that is saved can be had back, byte for byte,
//! and is proved to be what was saved; what changes little takes little room.
//!
//! [`Engine`] is where to begin; ARCHITECTURE.md shows the way of a save through the code.

mod access;
mod advance;
mod amend;
mod ask;
mod attempt;
mod audit;
mod autosave;
mod backup;
mod batch;
mod chain;
mod cleanup;
pub mod clock;
mod codec;
mod damage;
mod deed;
mod delete;
mod delta;
mod diff;
mod doctor;
mod document;
pub mod durable;
mod duration;
mod encode;
mod encrypt;
mod engine;
mod erase;
mod error;
mod event;
mod events;
mod export;
mod fork;
#[cfg(any(test, feature = "testing"))]
#[doc(hidden)]
pub mod fuzzing;
mod group;
pub mod guard;
mod guarded;
mod guards;
mod head;
mod job;
mod key;
mod keys;
mod lease;
mod list;
mod location;
mod log;
mod migration;
mod model;
mod moved;
mod name_key;
mod open;
mod open_together;
mod options;
mod patch;
mod pattern;
mod places;
mod policy;
mod purge;
mod rebuild;
mod recover;
mod reference;
mod repack;
mod repair;
mod rest;
mod restore;
pub mod retention;
mod rollback;
mod save;
mod scrub;
mod seat;
mod show;
mod shrink;
mod stats;
pub mod store;
mod sweep;
mod trash;
mod undo;
mod verify;
mod walk;
mod writer;

pub use access::{Principal, Rule, Token};
pub use amend::Amendment;
pub use ask::{Answer, Ask, Attendant, Attending, HandedOver, Looking, Peer, Reply, Request};
pub use audit::{AuditBreak, AuditCheck, AuditEntry, AuditOutcome, AuditPage, AuditQuery};
pub use autosave::{AutoSave, AutoSaving, State};
pub use backup::{
    BACKUP_EXTENSION, BackedUp, Backup, BackupCheck, BackupHealth, BackupKind, BackupProgress,
    BackupStep, Backups, DEFAULT_PARITY, Drill, Health, KnownBackup, LostRows, MakeBackup,
    RepairSource, RestoreBackup, RestoreBackupPlan, RestoreSession, RestoreSessionPlan,
    RestoredBackup, RestoredSession, UnreadableBackup, list_backups, verify_backup,
};
pub use cleanup::{Cleaned, Cleanup, CleanupPlan, PlannedSnapshot, SessionPlan};
pub use damage::Damage;
pub use delete::{GRACE, TrashPage, Trashed};
pub use diff::{ComponentDiff, Counts, Diff, Difference, DifferenceKind, Json, Line, Mark};
pub use doctor::{Diagnosis, Finding, Severity};
pub use document::{Document, DocumentBuilder, List, MAX_DEPTH, MAX_ITEMS, MAX_SIZE, pretty};
pub use durable::write_private;
pub use duration::{display_duration, parse_duration};
pub use encrypt::Turned;
pub use engine::Engine;
pub use erase::{Erasure, Tombstone};
pub use error::{Error, ErrorKind, Result};
pub use event::{Event, Happened, Subscription, Went};
pub use events::{FollowPlace, Follower};
pub use export::Imported;
pub use guarded::{GuardReport, GuardRestore};
pub use key::Secret;
pub use list::{Page, Query, Sort};
pub use location::FILE_NAME;
pub use log::LogEntry;
pub use migration::{Migration, Migrations, NotMigrated, Rehearsal, RehearsedStep};
pub use model::{
    Action, AuditHead, Kind, MAX_NAME, Operation, Permission, Repaired, RepairedComponent,
    Snapshot, SnapshotId, Status, Verb, check_session_name, check_snapshot_name,
};
pub use open::{Holder, Holding, Opened};
pub use options::Options;
pub use purge::{Purge, Purged};
pub use rebuild::Rebuilt;
pub use recover::{PassedOver, Recovered};
pub use reference::parse_time;
pub use repair::{
    Gap, How, Lost, Repair, RepairedSnapshot, Repairs, RowOutcome, RowRepair, SessionRepairs,
};
pub use rest::Rested;
pub use restore::{Change, ComponentChange, Destination, Plan, Report, Restore, Restored, Target};
pub use rollback::Back;
pub use save::{MAX_DETAIL, Save, Ticket};
pub use scrub::{Scrub, ScrubProgress, Scrubbing};
pub use stats::{ComponentStats, Components, Day, Intervals, SessionStats, Stats, StatsQuery};
pub use store::{KeyKind, KeySlot};
pub use verify::Verification;
