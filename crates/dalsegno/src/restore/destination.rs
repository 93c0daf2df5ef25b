//! Where a state can be put back: a file, or whatever a program reads and writes itself.

use std::fs;
use std::path::{Path, PathBuf};

use super::plan::Target;
use crate::durable;
use crate::error::{Error, Result};
use crate::model::SnapshotId;

/// Something that a state can be put back into: a player on a node, an object, a row elsewhere.
///
/// A restore reads it first, keeps what it read, writes, and asks whether it holds. Where a step
/// fails, what stood there is written again and asked for once more.
pub trait Destination {
    /// What it is called, for people and for the log: the same name for the same thing.
    fn name(&self) -> String;

    /// What stands there now, as JSON text; nothing where nothing does.
    ///
    /// # Errors
    /// Where it cannot be read; then nothing is restored.
    fn read(&mut self) -> Result<Option<Vec<u8>>>;

    /// Puts `state` there; with nothing, what stands there is to be removed.
    ///
    /// # Errors
    /// Where it failed, wholly or in part; then what stood there is put back.
    fn write(&mut self, state: Option<&[u8]>) -> Result<()>;

    /// How what stands there now differs from `wanted`, in words; nothing where it holds. Unless a
    /// program knows better, it is read again and must be the same bytes.
    ///
    /// # Errors
    /// Where it cannot be read; that counts as a failure of the restore.
    fn difference(&mut self, wanted: Option<&[u8]>) -> Result<Option<String>> {
        let there = self.read()?;
        let differs = there.as_deref() != wanted;
        Ok(differs.then(|| "it reads back otherwise than it was written".to_owned()))
    }

    /// Keeps what stands there and is no JSON, under a name that `id` makes its own, and says where.
    ///
    /// # Errors
    /// Unless a program knows a place for it: `InvalidInput`, and nothing is restored.
    fn keep_aside(&mut self, before: &[u8], id: SnapshotId) -> Result<PathBuf> {
        let _ = (before, id);
        Err(Error::invalid(format!(
            "what stands at {} is no JSON and cannot be kept; nothing was changed",
            self.name()
        )))
    }
}

impl<D: Destination + ?Sized> Destination for &mut D {
    fn name(&self) -> String {
        (**self).name()
    }

    fn read(&mut self) -> Result<Option<Vec<u8>>> {
        (**self).read()
    }

    fn write(&mut self, state: Option<&[u8]>) -> Result<()> {
        (**self).write(state)
    }

    fn difference(&mut self, wanted: Option<&[u8]>) -> Result<Option<String>> {
        (**self).difference(wanted)
    }

    fn keep_aside(&mut self, before: &[u8], id: SnapshotId) -> Result<PathBuf> {
        (**self).keep_aside(before, id)
    }
}

/// A file.
pub(super) struct File {
    path: PathBuf,
}

impl File {
    pub(super) fn at(path: impl Into<PathBuf>) -> Self {
        Self { path: path.into() }
    }

    /// The path as the log keeps it: whatever the working directory will be then.
    pub(super) fn target(&self) -> Target {
        let absolute = std::path::absolute(&self.path);
        Target::File(absolute.unwrap_or_else(|_| self.path.clone()))
    }
}

impl Destination for File {
    fn name(&self) -> String {
        self.path.display().to_string()
    }

    fn read(&mut self) -> Result<Option<Vec<u8>>> {
        read(&self.path)
    }

    /// Whole or not at all: staged beside it, synced, renamed.
    fn write(&mut self, state: Option<&[u8]>) -> Result<()> {
        match state {
            Some(text) => durable::write(&self.path, text),
            None => durable::remove(&self.path),
        }
    }

    fn keep_aside(&mut self, before: &[u8], id: SnapshotId) -> Result<PathBuf> {
        keep_beside(&self.path, before, id)
    }
}

/// The file's bytes, if it exists.
fn read(path: &Path) -> Result<Option<Vec<u8>>> {
    let shown = path.display();
    if path.to_str().is_none() {
        // The log names it, so that a restore can be undone.
        return Err(Error::invalid(format!(
            "the path {shown} is not UTF-8; use another name"
        )));
    }
    durable::real(path)?;
    match fs::metadata(path) {
        Ok(found) if found.is_file() => {
            let text = fs::read(path).map_err(|e| Error::io(format!("reading {shown}"), e))?;
            Ok(Some(text))
        }
        Ok(found) if found.is_dir() => Err(Error::invalid(format!(
            "{shown} is a folder; give the path of a file"
        ))),
        Ok(_) => Err(Error::invalid(format!("{shown} is not a regular file"))),
        Err(e) if e.kind() == std::io::ErrorKind::NotFound => {
            let folder = durable::folder_of(path);
            if path.is_symlink() {
                Err(Error::not_found(format!(
                    "{shown} is a symbolic link that leads nowhere"
                )))
            } else if folder.is_dir() {
                Ok(None)
            } else {
                Err(Error::not_found(format!(
                    "the folder {} does not exist",
                    folder.display()
                )))
            }
        }
        Err(e) => Err(Error::io(format!("reading {shown}"), e)),
    }
}

fn keep_beside(path: &Path, before: &[u8], id: SnapshotId) -> Result<PathBuf> {
    let id = id.to_string();
    let mut name = path.as_os_str().to_owned();
    name.push(format!(".before-{}", id.get(..18).unwrap_or(&id)));
    let mut kept = PathBuf::from(&name);
    let mut count = 1;
    // What an earlier restore kept is not overwritten, nor what stands there and cannot be read.
    while !is_free(&kept, before) {
        count += 1;
        let mut numbered = name.clone();
        numbered.push(format!("-{count}"));
        kept = numbered.into();
    }
    durable::write(&kept, before)?;
    Ok(kept)
}

/// Whether nothing stands at `path`, or a file that is just that. Nothing but files is opened: a named
/// pipe would be waited for.
fn is_free(path: &Path, before: &[u8]) -> bool {
    match fs::symlink_metadata(path) {
        Ok(there) => there.is_file() && fs::read(path).is_ok_and(|there| there == before),
        // Nothing, or writing there says what is wrong.
        Err(_) => true,
    }
}
