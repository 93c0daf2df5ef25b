//! Saving a session so that a backup is there before messages go.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use dalsegno::durable::{real, write_like};
use dalsegno::{Error, ErrorKind, Result};

use crate::count::{self, Count, Unreadable};
use crate::displaced::{self, Kept};
use crate::file::{self, Looks};
use crate::lock::Lock;
use crate::name::backup_path;
use crate::recover::is_no_file;

/// What a save did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Saved {
    /// The messages of the file now.
    pub messages: u64,
    /// What the file had before.
    pub before: Count,
    /// Where the file before is kept as the backup, because it had more messages.
    pub backup: Option<PathBuf>,
    /// Where the file before is kept, because it could not be read as a session.
    pub displaced: Option<PathBuf>,
}

/// Writes `text` as the session's file at `path`, whole or not at all; a new file is for its owner only.
///
/// Where the file before has more messages, it is copied to its backup first. A file that is no session
/// (torn, say) never takes a backup's place; it is kept as
/// [displaced](crate::recover), and the backup stays.
///
/// # Errors
/// In each case nothing is changed, but for a backup that was made already: `InvalidInput` where `text` is no
/// session, or where something else than a file stands there; `Denied` where the file before cannot be read, for
/// nobody can tell what would be lost; `Conflict` where a program without the lock wrote the file meanwhile; `Locked` where another process was at work for 20 seconds; `Denied`,
/// `NotFound` or `Storage` as the disk answers, also where the backup cannot be made.
pub fn save(path: &Path, text: &[u8]) -> Result<Saved> {
    let messages = session(text)?;
    let _lock = Lock::of(path)?;
    let looks = Looks::at(path);
    replace(path, text, messages, looks)
}

/// Reads the session's file at `path`, lets `change` make a new text of it, and saves that as [`save`] does,
/// with nobody else in between: what others saved is in what `change` is given. It is given nothing
/// where there is no file, and answers nothing where nothing is to be saved. It must not call this
/// crate for the same folder, which would wait for itself.
///
/// # Errors
/// As [`save`], and what `change` answers.
///
/// ```
/// # fn main() -> dalsegno::Result<()> {
/// # let folder = tempfile::tempdir().unwrap();
/// # let path = folder.path().join("1.json");
/// dalsegno_hermes::update(&path, |before| {
///     let text = before.unwrap_or(br#"{"messages":[]}"#);
///     let mut session: serde_json::Value = serde_json::from_slice(text).unwrap();
///     session["messages"].as_array_mut().unwrap().push("Hello".into());
///     Ok(Some(session.to_string().into_bytes()))
/// })?;
/// # Ok(())
/// # }
/// ```
pub fn update(
    path: &Path,
    change: impl FnOnce(Option<&[u8]>) -> Result<Option<Vec<u8>>>,
) -> Result<Option<Saved>> {
    let _lock = Lock::of(path)?;
    let looks = Looks::at(path);
    let before = match file::open(path).and_then(|mut file| {
        let mut text = Vec::new();
        io::Read::read_to_end(&mut file, &mut text).map(|_| text)
    }) {
        Ok(text) => Some(text),
        Err(error) if error.kind() == io::ErrorKind::NotFound => None,
        Err(error) => return Err(Error::io(format!("reading {}", path.display()), error)),
    };
    let Some(text) = change(before.as_deref())? else {
        return Ok(None);
    };
    drop(before);
    let messages = session(&text)?;
    replace(path, &text, messages, looks).map(Some)
}

/// The messages of a text that is to be saved.
fn session(text: &[u8]) -> Result<u64> {
    match count::of(text) {
        Count::Messages(messages) => Ok(messages),
        Count::Unreadable(why) => {
            let message = format!("what is to be saved is no session: {why}");
            Err(Error::new(ErrorKind::InvalidInput, message))
        }
    }
}

/// Does the save, under the lock, if the file still has these looks: a program that does not ask for the lock
/// may have written it.
fn replace(path: &Path, text: &[u8], messages: u64, looks: Option<Looks>) -> Result<Saved> {
    let before = count::count(path);
    let real = real(path)?;
    let mut saved = Saved {
        messages,
        before,
        backup: None,
        displaced: None,
    };
    let mut kept = None;
    match before {
        Count::Messages(old) if old > messages => {
            let backup = backup_path(path)?;
            back_up(&real, &backup, before)
                .map_err(|error| error.context("nothing was saved, for lack of a backup"))?;
            saved.backup = Some(backup);
        }
        Count::Messages(_) | Count::Unreadable(Unreadable::Missing) => {}
        Count::Unreadable(why @ (Unreadable::Denied | Unreadable::Failed)) => {
            let kind = if why == Unreadable::Denied {
                ErrorKind::Denied
            } else {
                ErrorKind::Storage
            };
            let message = format!(
                "{} is not replaced, because {why}; nobody can tell what would be lost",
                path.display()
            );
            return Err(Error::new(kind, message));
        }
        Count::Unreadable(_) if is_no_file(&real) => {}
        Count::Unreadable(_) => kept = displaced::keep(&real)?,
    }
    let written = write_like(&real, &real, |out| {
        let failed = |e| Error::io(format!("writing {}", real.display()), e);
        out.write_all(text).map_err(failed)?;
        if Looks::at(&real) == looks {
            return Ok(());
        }
        let message = format!(
            "another program changed {} while it was being saved; nothing was replaced, try again",
            path.display()
        );
        Err(Error::new(ErrorKind::Conflict, message))
    });
    match (written, kept) {
        (Ok(()), kept) => saved.displaced = kept.map(|kept| kept.settle(&real)),
        (Err(error), Some(kept)) => {
            if fs::read(&real).is_ok_and(|there| there != text) {
                Kept::forget(kept);
            }
            return Err(error);
        }
        (Err(error), None) => return Err(error),
    }
    Ok(saved)
}

/// Copies the file at `real` to `backup`, and proves that the copy has the messages that were counted.
fn back_up(real: &Path, backup: &Path, counted: Count) -> Result<()> {
    write_like(backup, real, |out| {
        let failed = |e| Error::io(format!("copying {}", real.display()), e);
        let mut file = file::open(real).map_err(failed)?;
        let copied = count::read(&mut file, |piece| out.write_all(piece)).map_err(failed)?;
        if copied == counted {
            return Ok(());
        }
        let message = format!(
            "another program changed {} while it was being copied; try again when it is done",
            real.display()
        );
        Err(Error::new(ErrorKind::Conflict, message))
    })
}
