//! Saving a session so that a backup is there before messages go.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use dalsegno::durable::{real, write_like};
use dalsegno::{Error, ErrorKind, Result};

use crate::before;
use crate::count::{self, Count, Unreadable};
use crate::displaced::{self, Kept};
use crate::file::{self, Looks};
use crate::generations::{self, DELETED, Limits};
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
    /// The backup that has what went, where messages went without an intent: it is the file before, or has still more.
    pub backup: Option<PathBuf>,
    /// Where the file before is kept, because it could not be read as a session.
    pub displaced: Option<PathBuf>,
    /// Where the file before is kept, because it was made shorter on purpose, or because the backup has still more.
    pub generation: Option<PathBuf>,
}

/// How saves are done: with which intent, and what is kept because of them.
///
/// ```
/// use dalsegno_hermes::Saving;
///
/// # fn main() -> dalsegno::Result<()> {
/// # let folder = tempfile::tempdir().unwrap();
/// # let path = folder.path().join("1.json");
/// dalsegno_hermes::save(&path, br#"{"messages": ["Hello", "Hi"]}"#)?;
/// Saving::new().intent("clear").save(&path, br#"{"messages": []}"#)?;
///
/// assert_eq!(dalsegno_hermes::recover_all(folder.path())?.restored, 0); // it stays clear
/// assert_eq!(dalsegno_hermes::generations(&path)?[0].intent.as_deref(), Some("clear"));
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone, Default)]
pub struct Saving {
    intent: Option<String>,
    limits: Limits,
}

impl Saving {
    /// Without an intent, keeping five generations for 30 days.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Messages go on purpose: `clear`, `undo`, `compress`, or the program's own words. The file before is kept as a
    /// generation, and neither the backup nor a start of the program brings back what went. Where the first word is `clear`,
    /// what had been lost by accident before is gone on purpose too.
    #[must_use]
    pub fn intent(mut self, words: impl Into<String>) -> Self {
        self.intent = Some(words.into());
        self
    }

    /// Keeps so many generations, and no older ones.
    #[must_use]
    pub fn limits(mut self, limits: Limits) -> Self {
        self.limits = limits;
        self
    }

    /// Saves as [`save()`] does.
    ///
    /// # Errors
    /// As [`save()`]; `InvalidInput` where the intent has no words.
    pub fn save(&self, path: &Path, text: &[u8]) -> Result<Saved> {
        self.check()?;
        let messages = session(text)?;
        let _lock = Lock::of(path)?;
        let looks = Looks::at(path);
        self.replace(path, text, messages, looks)
    }

    /// Updates as [`update`] does.
    ///
    /// # Errors
    /// As [`update`]; `InvalidInput` where the intent has no words.
    pub fn update(
        &self,
        path: &Path,
        change: impl FnOnce(Option<&[u8]>) -> Result<Option<Vec<u8>>>,
    ) -> Result<Option<Saved>> {
        self.check()?;
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
        self.replace(path, &text, messages, looks).map(Some)
    }

    /// Deletes the session: its file and its backup become generations, from which nothing comes back unasked, also
    /// where a new session has the same name. Answers whether there was anything.
    ///
    /// # Errors
    /// `Locked` where another process was at work for 20 seconds; `Denied`, `NotFound` or `Storage` as the disk
    /// answers. Where only the file could be removed, the session is deleted, and calling again sees to the backup.
    pub fn delete(&self, path: &Path) -> Result<bool> {
        let _lock = Lock::of(path)?;
        let mut any = false;
        for file in [path.to_owned(), backup_path(path)?] {
            let now = generations::now(path)?;
            if file.is_symlink() {
                // What it leads to was made by somebody else.
                if file.exists() {
                    generations::keep(path, &file, now, Some(DELETED))?;
                }
                let failed = |e| Error::io(format!("removing {}", file.display()), e);
                fs::remove_file(&file).map_err(failed)?;
            } else if file.is_file() {
                generations::rename(path, &file, now, DELETED)?;
            } else {
                continue;
            }
            any = true;
        }
        before::tidy(path, &self.limits);
        Ok(any)
    }

    fn check(&self) -> Result<()> {
        match &self.intent {
            Some(words) if words.trim().is_empty() => {
                let message = "the intent has no words; say why messages go, or leave it out";
                Err(Error::new(ErrorKind::InvalidInput, message))
            }
            _ => Ok(()),
        }
    }
}

/// Writes `text` as the session's file at `path`, whole or not at all; a new file is for its owner only.
///
/// Where the file before has more messages, it is copied to its backup first. A backup that has still more stays, and the
/// file before becomes a [generation](crate::generations()) beside it if it has anything of its own. A file that is no session
/// (torn, say) never takes a backup's place; it is kept as
/// [displaced](crate::recover), and the backup stays.
///
/// # Errors
/// In each case nothing is changed, but for a backup that was made already: `InvalidInput` where `text` is no
/// session, or where something else than a file stands there; `Denied` where the file before cannot be read, for
/// nobody can tell what would be lost; `Conflict` where a program without the lock wrote the file meanwhile; `Locked` where another process was at work for 20 seconds; `Denied`,
/// `NotFound` or `Storage` as the disk answers, also where the backup cannot be made.
pub fn save(path: &Path, text: &[u8]) -> Result<Saved> {
    Saving::new().save(path, text)
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
    Saving::new().update(path, change)
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

impl Saving {
    /// Does the save, under the lock, if the file still has these looks: a program that does not ask for the lock
    /// may have written it.
    fn replace(
        &self,
        path: &Path,
        text: &[u8],
        messages: u64,
        looks: Option<Looks>,
    ) -> Result<Saved> {
        let before = count::count(path);
        let real = real(path)?;
        let mut saved = Saved {
            messages,
            before,
            backup: None,
            displaced: None,
            generation: None,
        };
        let mut kept = None;
        let refused = |error: Error| error.context("nothing was saved, for lack of a backup");
        match before {
            Count::Messages(old) if old > messages && self.intent.is_none() => {
                before::keep_shrunk(path, &real, &mut saved).map_err(refused)?;
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
        if let Some(intent) = &self.intent {
            before::keep_meant(path, &real, text, intent, &mut saved).map_err(refused)?;
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
        if saved.generation.is_some() || saved.backup.is_some() {
            before::tidy(path, &self.limits);
        }
        Ok(saved)
    }
}
