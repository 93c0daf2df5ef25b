//! What a repair takes rows from: a copy of the store, or a backup of it.

use std::fs::{self, File};
use std::io::Read;
use std::ops::{ControlFlow, Deref};
use std::path::Path;

use super::blocks::Blocks;
use super::folder::BACKUP_EXTENSION;
use super::restore::{RestoreBackup, choose};
use super::scratch::Scratch;
use super::set::BackupProgress;
use crate::durable::folder_of;
use crate::engine::Engine;
use crate::error::Result;
use crate::location::{self, FILE_NAME};
use crate::options::Options;

/// A store that is only read: a copy of another, or made of a backup in a scratch folder, which goes with it.
pub struct RepairSource {
    engine: Engine,
    /// After the engine.
    scratch: Option<Scratch>,
}

impl RepairSource {
    /// The folder that a backup was unpacked into: whoever ends the program without dropping this takes it away.
    #[must_use]
    pub fn scratch(&self) -> Option<&Path> {
        self.scratch.as_ref().map(Scratch::path)
    }
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
    /// A backup is unpacked into a folder beside `store`, the store that is to be repaired, or beside the backup where nothing can be
    /// made there: `.NAME.source-…`, for its owner only. It goes with what is returned; one that was left by a program that was
    /// killed goes with the next call.
    ///
    /// # Errors
    /// As [`Engine::open`], and of a backup as [`open_backup`](Self::open_backup).
    pub fn open_source(
        self,
        path: impl AsRef<Path>,
        store: impl AsRef<Path>,
        progress: &mut dyn FnMut(BackupProgress) -> ControlFlow<()>,
    ) -> Result<RepairSource> {
        let path = path.as_ref();
        if !is_backup(path) {
            return Ok(RepairSource {
                engine: self.read_only().open(path)?,
                scratch: None,
            });
        }
        let archive = choose(path, None)?;
        let scratch = beside(&location::place(store.as_ref()), &archive)?;
        let shown = self.shown_as(archive.display().to_string());
        Ok(RepairSource {
            engine: shown.open_backup(&RestoreBackup::of(archive), scratch.path(), progress)?,
            scratch: Some(scratch),
        })
    }
}

/// Whether it is a backup, or a folder of them and no store.
fn is_backup(path: &Path) -> bool {
    let is_named = |path: &Path| path.extension().is_some_and(|it| it == BACKUP_EXTENSION);
    if !path.is_dir() {
        return is_named(path) || is_archive(path);
    }
    let mut entries = fs::read_dir(path).into_iter().flatten().flatten();
    !path.join(FILE_NAME).exists() && entries.any(|it| is_named(&it.path()))
}

/// Whether a file of any name is the archive of a backup, by what is in it.
fn is_archive(path: &Path) -> bool {
    let is_store = path.extension().is_some_and(|it| it == "db") || location::is_open_here(path);
    if is_store || !path.is_file() {
        return false;
    }
    let mut begin = [0; 16];
    let read = File::open(path).and_then(|mut file| file.read_exact(&mut begin));
    read.is_ok() && &begin != b"SQLite format 3\0" && Blocks::open(path).is_ok()
}

fn beside(store: &Path, archive: &Path) -> Result<Scratch> {
    let name = store.file_name().unwrap_or(FILE_NAME.as_ref());
    let begin = format!(".{}.source-", name.to_string_lossy());
    let made = Scratch::make(&folder_of(store), &begin);
    // Where a dry run may not write beside the store.
    made.or_else(|error| Scratch::make(&folder_of(archive), &begin).map_err(|_| error))
}
