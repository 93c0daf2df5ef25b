//! What a repair takes rows from: a copy of the store, or a backup of it.

use std::ops::{ControlFlow, Deref};
use std::path::Path;

use super::folder::BACKUP_EXTENSION;
use super::restore::RestoreBackup;
use super::set::BackupProgress;
use crate::engine::Engine;
use crate::error::{Error, Result};
use crate::location::FILE_NAME;
use crate::options::Options;

/// A store that is only read: a copy of another, or made of a backup in a scratch folder, which goes with it.
pub struct RepairSource {
    engine: Engine,
    /// After the engine.
    _scratch: Option<tempfile::TempDir>,
}

impl Deref for RepairSource {
    type Target = Engine;

    fn deref(&self) -> &Engine {
        &self.engine
    }
}

impl Options {
    /// Opens what a [repair](Engine::repair) takes rows from: the store at `path`, for reading only, or the backup there, or the newest
    /// backup in the folder `path`. These options say what opens it, if it is encrypted.
    ///
    /// # Errors
    /// As [`Engine::open`], and of a backup as [`open_backup`](Self::open_backup).
    pub fn open_source(
        self,
        path: impl AsRef<Path>,
        progress: &mut dyn FnMut(BackupProgress) -> ControlFlow<()>,
    ) -> Result<RepairSource> {
        let path = path.as_ref();
        if !is_backup(path) {
            return Ok(RepairSource {
                engine: self.read_only().open(path)?,
                _scratch: None,
            });
        }
        let scratch = tempfile::Builder::new()
            .prefix(".dalsegno-source-")
            .tempdir()
            .map_err(|e| Error::io("making a scratch folder", e))?;
        Ok(RepairSource {
            engine: self.open_backup(&RestoreBackup::of(path), scratch.path(), progress)?,
            _scratch: Some(scratch),
        })
    }
}

/// Whether it is a backup, or a folder of them and no store.
fn is_backup(path: &Path) -> bool {
    let is_archive = |path: &Path| path.extension().is_some_and(|it| it == BACKUP_EXTENSION);
    if !path.is_dir() {
        return is_archive(path);
    }
    let mut entries = std::fs::read_dir(path).into_iter().flatten().flatten();
    !path.join(FILE_NAME).exists() && entries.any(|it| is_archive(&it.path()))
}
