//! Putting a state back into the file it was of, in the file's own format.

use std::fs;
use std::path::{Path, PathBuf};

use dalsegno::{
    Destination, Engine, Error, ErrorKind, Restore, Result, SnapshotId, Target, durable,
};

use crate::keep;
use crate::lines;
use crate::name::Format;

/// What a file of JSON lines is called in a session's log, before its path.
const NAME: &str = "JSON lines ";

/// Prepares to put the state that `reference` means back into `file`: as it is, or as JSON lines where the file's
/// name says that it has these.
///
/// [`undo`] and [`redo`] take it back and do it again.
///
/// # Errors
/// `InvalidInput` where the path is not UTF-8. All else as [`Restore::plan`] and [`Restore::apply`] answer.
pub fn put_back<'a>(engine: &'a Engine, reference: &str, file: &Path) -> Result<Restore<'a>> {
    let restore = engine.put_back(reference);
    Ok(match Format::of(file) {
        Format::Json => restore.to_file(file),
        Format::Jsonl => restore.to(LinesFile::at(engine, file)?),
    })
}

/// As [`Engine::undo`], and reaches files of JSON lines too.
///
/// # Errors
/// As [`Engine::undo`].
pub fn undo<'a>(engine: &'a Engine, session: &str) -> Result<Restore<'a>> {
    reach(engine, engine.undo(session)?)
}

/// As [`Engine::redo`], and reaches files of JSON lines too.
///
/// # Errors
/// As [`Engine::redo`].
pub fn redo<'a>(engine: &'a Engine, session: &str) -> Result<Restore<'a>> {
    reach(engine, engine.redo(session)?)
}

fn reach<'a>(engine: &'a Engine, restore: Restore<'a>) -> Result<Restore<'a>> {
    let Target::Other(name) = restore.target() else {
        return Ok(restore);
    };
    match file_of(&name) {
        Some(path) => Ok(restore.to(LinesFile::at(engine, path)?)),
        None => Ok(restore),
    }
}

/// The file of a session, relative to the folder in which it was watched, as its newest snapshot that came from
/// a watch says.
///
/// # Errors
/// `NotFound` where none of its newest 1,000 snapshots came from a watch; `Damaged` where what is said there leads
/// out of the folder. Others as [`Engine::list`].
pub fn file_of_session(engine: &Engine, session: &str) -> Result<PathBuf> {
    let Some(place) = keep::place(engine, session)? else {
        let message = format!("session {session} is of no watched file; name the file with --to");
        return Err(Error::new(ErrorKind::NotFound, message));
    };
    if place.is_below() {
        return Ok(place.relative);
    }
    let shown = place.relative.display();
    let message =
        format!("session {session} says that its file is {shown}, which is not below a folder");
    Err(Error::new(ErrorKind::Damaged, message))
}

/// The path in the name that a session's log has for a file of JSON lines.
pub(crate) fn file_of(name: &str) -> Option<&Path> {
    name.strip_prefix(NAME).map(Path::new)
}

/// Before bytes that are no JSON lines, so that nobody takes them for the text of some.
const RAW: &[u8] = b"\0raw ";

/// A file of JSON lines that is read and written as the JSON text of them.
struct LinesFile {
    path: PathBuf,
    name: String,
}

impl LinesFile {
    fn at(engine: &Engine, path: &Path) -> Result<Self> {
        let absolute = std::path::absolute(path)
            .map_err(|e| Error::io(format!("naming {}", path.display()), e))?;
        let Some(shown) = absolute.to_str() else {
            let message = format!("the path {} is not UTF-8; use another name", path.display());
            return Err(Error::new(ErrorKind::InvalidInput, message));
        };
        if engine.owns(&absolute) {
            let message = format!("{shown} belongs to the store itself; choose another file");
            return Err(Error::new(ErrorKind::InvalidInput, message));
        }
        Ok(Self {
            name: format!("{NAME}{shown}"),
            path: absolute,
        })
    }

    fn write_bytes(path: &Path, bytes: &[u8]) -> Result<()> {
        durable::write_like(path, path, |out| {
            out.write_all(bytes)
                .map_err(|e| Error::io(format!("writing {}", path.display()), e))
        })
    }
}

impl Destination for LinesFile {
    fn name(&self) -> String {
        self.name.clone()
    }

    fn read(&mut self) -> Result<Option<Vec<u8>>> {
        let failed = |e| Error::io(format!("reading {}", self.path.display()), e);
        let bytes = match fs::metadata(&self.path) {
            Ok(there) if there.is_file() => fs::read(&self.path).map_err(failed)?,
            Ok(_) => {
                let message = format!("{} is not a regular file", self.path.display());
                return Err(Error::new(ErrorKind::InvalidInput, message));
            }
            Err(e) if e.kind() == std::io::ErrorKind::NotFound && !self.path.is_symlink() => {
                return Ok(None);
            }
            Err(e) => return Err(failed(e)),
        };
        Ok(Some(match lines::to_json(&bytes) {
            Ok(text) => text,
            // Torn, but not to be taken for the text of other lines when it is put back.
            Err(_) if lines::from_json(&bytes).is_ok() => [RAW, &bytes].concat(),
            Err(_) => bytes,
        }))
    }

    fn write(&mut self, state: Option<&[u8]>) -> Result<()> {
        match state {
            Some(text) => match text.strip_prefix(RAW) {
                Some(bytes) => Self::write_bytes(&self.path, bytes),
                // What is of no lines stood there as it is.
                None => match lines::from_json(text) {
                    Ok(lines) => Self::write_bytes(&self.path, &lines),
                    Err(_) => Self::write_bytes(&self.path, text),
                },
            },
            None => {
                let failed = |e| Error::io(format!("removing {}", self.path.display()), e);
                fs::remove_file(&self.path).map_err(failed)?;
                durable::sync_folder(&durable::folder_of(&self.path)).map_err(failed)
            }
        }
    }

    fn keep_aside(&mut self, before: &[u8], id: SnapshotId) -> Result<PathBuf> {
        let bytes = before.strip_prefix(RAW).unwrap_or(before);
        let short = id.to_string();
        let mut name = self.path.clone().into_os_string();
        name.push(format!(".before-{}", short.get(..18).unwrap_or(&short)));
        let first = PathBuf::from(&name);
        // What was kept before is not overwritten.
        let mut kept = first.clone();
        let mut count = 1;
        while kept.exists() && !fs::read(&kept).is_ok_and(|there| there == bytes) {
            count += 1;
            let mut next = first.clone().into_os_string();
            next.push(format!("-{count}"));
            kept = next.into();
        }
        Self::write_bytes(&kept, bytes)?;
        Ok(kept)
    }
}
