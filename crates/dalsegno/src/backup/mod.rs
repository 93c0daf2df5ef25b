//! Backups: archives of all that a store keeps, from which it can be restored where its disk is lost.
//!
//! ```text
//! archive   block block … directory … parity …   each proves itself; as many as there is parity may be lost (blocks, parity)
//! content   head rows rows rows …                frames; rows of one table each, sealed where the store is (frame, keys)
//! directory summary contents                     what it is of, and where that is; with parity of its own (directory)
//! ```
//!
//! `gather` reads a view of the store and `segment` cuts its rows, so that what stays the same is known again: an incremental
//! backup names the segments that others have. `part` is an archive that is being written, `archive` one that is read, `set`
//! all that one backup needs. `base` is what a backup goes on from. `create`, `verify`, `restore`, `session` and `drill` are the verbs; `staging` and `scratch`
//! are where they work.

#[cfg(any(test, feature = "testing"))]
pub(crate) mod arbitrary;
mod archive;
mod base;
mod blocks;
mod contents;
mod create;
mod directory;
mod drill;
mod folder;
mod frame;
mod gather;
mod graves;
mod keys;
mod known;
mod parity;
mod part;
mod restore;
mod scratch;
mod segment;
mod session;
mod set;
mod source;
mod staging;
mod stream;
mod verify;

pub use self::blocks::Health;
pub use self::contents::BackupKind;
pub use self::create::{BackedUp, DEFAULT_PARITY, MakeBackup};
pub use self::drill::Drill;
pub use self::folder::{BACKUP_EXTENSION, Backup, Backups, UnreadableBackup, list_backups};
pub use self::known::KnownBackup;
pub use self::restore::{RestoreBackup, RestoreBackupPlan, RestoredBackup};
pub use self::session::{RestoreSession, RestoreSessionPlan, RestoredSession};
pub use self::set::{BackupProgress, BackupStep, LostRows};
pub use self::source::RepairSource;
pub use self::verify::{BackupCheck, BackupHealth, verify_backup};
