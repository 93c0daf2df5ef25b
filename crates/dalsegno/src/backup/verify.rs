//! Proving archives without restoring them.

use std::ops::ControlFlow;
use std::path::{Path, PathBuf};

use super::blocks::Health;
use super::contents::is_cancelled;
use super::folder::{self, Backup};
use super::set::{BackupProgress, LostRows, Set};
use crate::error::{Error, Result};
use crate::key::Secret;

/// What was proved of backups.
#[derive(Debug, Clone, Default, serde::Serialize)]
#[non_exhaustive]
pub struct BackupCheck {
    /// Each archive, the oldest first.
    pub archives: Vec<BackupHealth>,
}

impl BackupCheck {
    /// Whether each of them can be restored, all of it.
    #[must_use]
    pub fn is_whole(&self) -> bool {
        self.archives.iter().all(BackupHealth::is_whole)
    }
}

/// What was proved of one archive.
#[derive(Debug, Clone, serde::Serialize)]
#[non_exhaustive]
pub struct BackupHealth {
    /// Its file.
    pub path: PathBuf,
    /// What it says of itself, where that can be read.
    pub backup: Option<Backup>,
    /// Its blocks.
    pub health: Option<Health>,
    /// What of the backup is lost, with this archive or one that it needs.
    pub lost: Vec<LostRows>,
    /// Why it cannot be restored at all.
    pub error: Option<Error>,
}

impl BackupHealth {
    /// Whether all of it can be restored.
    #[must_use]
    pub fn is_whole(&self) -> bool {
        self.error.is_none() && self.lost.is_empty()
    }
}

/// Reads every byte of the backup at `path`, or of all backups in that folder, and proves it, with those that they need: that
/// each can be restored, and what is lost where not. Nothing is changed. `progress` hears how far it is, and may cancel
/// it with `Break`.
///
/// # Errors
/// `NotFound` where there is no backup; `WrongKey` where `secret` does not open one; `Storage` where the disk refuses. Damage
/// is no error here: it is in the report.
pub fn verify_backup(
    path: impl AsRef<Path>,
    secret: Option<&Secret>,
    progress: &mut dyn FnMut(BackupProgress) -> ControlFlow<()>,
) -> Result<BackupCheck> {
    let path = path.as_ref();
    let there = folder::list_backups(path)?;
    let mut found = BackupCheck::default();
    for unreadable in there.unreadable {
        found.archives.push(BackupHealth {
            path: unreadable.path,
            backup: None,
            health: None,
            lost: Vec::new(),
            error: Some(unreadable.why),
        });
    }
    if there.complete.is_empty() && found.archives.is_empty() {
        let shown = path.display();
        return Err(Error::not_found(format!("there is no backup in {shown}")));
    }
    for backup in there.complete {
        let file = backup.path.clone();
        let mut health = BackupHealth {
            path: file.clone(),
            backup: Some(backup),
            health: None,
            lost: Vec::new(),
            error: None,
        };
        match Set::open(&file, secret, progress) {
            Ok(set) => {
                health.lost = set.check(progress)?;
                health.health = set.health.first().map(|(_, health)| *health);
            }
            Err(error) if is_final(&error) => return Err(error),
            Err(error) => health.error = Some(error),
        }
        found.archives.push(health);
    }
    Ok(found)
}

/// Whether it says nothing of the backup.
fn is_final(error: &Error) -> bool {
    use crate::error::ErrorKind::{Damaged, NotFound};
    is_cancelled(error) || ![Damaged, NotFound].contains(&error.kind())
}
