//! The backups that a store knows were made of it: so that an erase can say which it does not reach.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::blocks::ArchiveId;
use super::contents::{BackupKind, shown, time};
use super::folder::{self, Backup};
use crate::attempt::until_done;
use crate::codec::note;
use crate::durable::folder_of;
use crate::engine::Engine;
use crate::error::{Error, Result};
use crate::store::{Exchange, NoteRow, Row, Said, notes};

/// A backup that was made of the store.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct KnownBackup {
    /// Its random number, in hexadecimal.
    pub id: String,
    /// What it has of its own.
    pub kind: BackupKind,
    /// The moment that it shows.
    pub taken_at: Timestamp,
    /// Where its archive was written.
    pub path: PathBuf,
    /// Whether something stands there now.
    pub is_there: bool,
}

/// That, as it is stored.
#[derive(Serialize, Deserialize)]
struct Kept {
    archive: ArchiveId,
    kind: BackupKind,
    taken_at: i64,
    path: String,
}

impl Engine {
    /// The backups that were made of the store, the oldest first, but those whose archives were taken out of the folder of a
    /// later one.
    ///
    /// # Errors
    /// `Damaged` where a note of one cannot be read.
    pub fn known_backups(&self) -> Result<Vec<KnownBackup>> {
        let mut found = Vec::new();
        for (_, kept) in self.kept_backups()? {
            let path = PathBuf::from(kept.path);
            found.push(KnownBackup {
                id: shown(&kept.archive),
                kind: kept.kind,
                taken_at: time(kept.taken_at)?,
                is_there: std::fs::symlink_metadata(&path).is_ok(),
                path,
            });
        }
        found.sort_by_key(|backup| backup.taken_at);
        Ok(found)
    }

    fn kept_backups(&self) -> Result<Vec<(NoteRow, Kept)>> {
        let id = &self.store().info().id;
        let mut found = Vec::new();
        notes::each(&*self.view()?, note::BACKUP, &mut |row| {
            if !row.is_intact(id) {
                return Err(Error::damaged("the note of a backup is damaged"));
            }
            let kept = note::decode(&row.detail)?;
            found.push((row, kept));
            Ok(())
        })?;
        Ok(found)
    }

    /// Notes that there is a backup, which the audit log says too, and those beside it of which an interrupted call could not say that it made them; of a
    /// store that can only be read nothing is noted. Those whose archives are gone from the same folder are forgotten.
    pub(super) fn remember(&self, backup: &Backup, said: &Said) -> Result<()> {
        if self.is_read_only() {
            return Ok(());
        }
        let absolute = std::path::absolute(&backup.path)
            .map_err(|e| Error::io(format!("finding {}", backup.path.display()), e))?;
        let folder = folder_of(&absolute);
        let there = self.complete_in(&folder)?;
        until_done("the notes of backups", || {
            let (mut gone, mut new) = (Vec::new(), there.clone());
            for (row, kept) in self.kept_backups()? {
                let path = Path::new(&kept.path);
                if std::fs::symlink_metadata(path).is_ok() {
                    new.remove(&row.key());
                } else if folder_of(path) == folder || new.contains_key(&row.key()) {
                    gone.push(row);
                }
            }
            let new = new.into_values().collect();
            let exchange = Exchange::of_notes(gone, new).say(said.clone());
            let done = self.store().exchange(&exchange)?;
            Ok(done.then_some(()))
        })
    }

    /// The notes of all backups of the store in that folder.
    fn complete_in(&self, folder: &Path) -> Result<BTreeMap<(i64, i64, i64), NoteRow>> {
        let store = &self.store().info().id;
        let mut notes = BTreeMap::new();
        for (path, head, summary) in folder::beside(folder)?.0 {
            let Some(summary) = summary.filter(|_| head.store == *store) else {
                continue;
            };
            let kept = Kept {
                archive: head.archive,
                kind: head.kind,
                taken_at: summary.taken_at,
                path: path.to_string_lossy().into_owned(),
            };
            let mut id = [0; 8];
            id.copy_from_slice(&kept.archive[..8]);
            let key = (note::BACKUP, 0, i64::from_le_bytes(id) & i64::MAX);
            notes.insert(key, NoteRow::new(key, note::encode(&kept)?, store));
        }
        Ok(notes)
    }
}
