//! Turning the encryption of a store on and off.

use std::path::Path;

use crate::codec::note::{self, Writer};
use crate::engine::Engine;
use crate::error::{Error, ErrorKind, Result};
use crate::key::Secret;
use crate::location;
use crate::model::Action;
use crate::options::Options;
use crate::store::{Exchange, NoteRow, Row, notes};

/// What turning encryption on or off did.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, serde::Serialize)]
#[non_exhaustive]
pub struct Turned {
    /// How many rows were written anew; none where an earlier call had come so far.
    pub rows: u64,
    /// Bytes of the store's files before.
    pub bytes_before: u64,
    /// Bytes of them now.
    pub bytes_after: u64,
}

impl Options {
    /// Encrypts the store at `path`: from now on only `secret` opens it (more can be [added](Engine::add_key)).
    /// Every row is sealed in one transaction; then the file is written anew and the log beside it emptied, so that
    /// nothing of what stood there in clear is left in them. `progress` hears how many rows are done.
    ///
    /// What other copies of the store hold, the disk's free blocks, and backups, it does not reach.
    ///
    /// # Errors
    /// `Conflict` where it is encrypted already; `Locked` where a program has sessions open, which it could not save
    /// any more: end it first. After an error [that did some of it](Error::is_partly_done) the store is encrypted, and
    /// the same call writes the file anew. After any other, or a crash, it is as it was, or encrypted.
    pub fn encrypt(
        self,
        path: impl AsRef<Path>,
        secret: &Secret,
        label: Option<&str>,
        progress: &mut dyn FnMut(u64),
    ) -> Result<Turned> {
        let path = path.as_ref();
        let mut turned = Turned {
            bytes_before: self.bytes_at(path)?,
            ..Turned::default()
        };
        let sealed = match self.clone().open(path) {
            Ok(engine) => {
                engine.allow(Action::Encrypt, None)?;
                engine.refuse_company("encrypt")?;
                let sqlite = engine.file()?;
                let clock = engine.clock();
                let said = engine.said(Action::Encrypt);
                sqlite.turn_on(secret, label, clock, said, &mut |rows| {
                    turned.rows = rows;
                    progress(rows);
                })?;
                self.secret(secret.clone())
            }
            Err(error) if error.kind() == ErrorKind::WrongKey => {
                let sealed = self.secret(secret.clone());
                if !sealed.clone().open(path)?.has_left()? {
                    return Err(Error::conflict(
                        "the store is encrypted already; nothing was changed",
                    ));
                }
                sealed
            }
            Err(error) => return Err(error),
        };
        sealed.finish(path, "encrypted", turned)
    }

    /// Turns the encryption of the store at `path` off, which these options open; otherwise as
    /// [`encrypt`](Self::encrypt). After a crash in the middle it may be encrypted still while the log beside it has
    /// rows in clear, until a program that opens the store closes it.
    ///
    /// # Errors
    /// `WrongKey` where its key is not given; otherwise as [`encrypt`](Self::encrypt).
    pub fn decrypt(
        mut self,
        path: impl AsRef<Path>,
        progress: &mut dyn FnMut(u64),
    ) -> Result<Turned> {
        let path = path.as_ref();
        let mut turned = Turned {
            bytes_before: self.bytes_at(path)?,
            ..Turned::default()
        };
        let in_clear = self.clone().without_secret();
        match in_clear.clone().open(path) {
            Ok(engine) if engine.has_left()? => {}
            Ok(_) => {
                return Err(Error::conflict(
                    "the store is not encrypted; nothing was changed",
                ));
            }
            Err(error) if error.kind() == ErrorKind::WrongKey => {
                let engine = std::mem::take(&mut self).open(path)?;
                engine.allow(Action::Decrypt, None)?;
                engine.refuse_company("decrypt")?;
                let said = engine.said(Action::Decrypt);
                engine.file()?.turn_off(said, &mut |rows| {
                    turned.rows = rows;
                    progress(rows);
                })?;
            }
            Err(error) => return Err(error),
        }
        in_clear.finish(path, "decrypted", turned)
    }

    /// Leaves nothing of what stood there before.
    fn finish(self, path: &Path, done: &str, turned: Turned) -> Result<Turned> {
        let finished = self.clone().open(path).and_then(|engine| {
            engine.wipe()?;
            engine.close()
        });
        finished.map_err(|error| {
            error
                .context(format!(
                    "the store is {done}, but what stood there before may still be found in its files"
                ))
                .hint("run it again")
                .partly(true)
        })?;
        Ok(Turned {
            bytes_after: self.bytes_at(path)?,
            ..turned
        })
    }

    fn bytes_at(&self, path: &Path) -> Result<u64> {
        let file = self.existing(path)?;
        Ok(location::bytes(&file, &["", "-wal"]))
    }
}

impl Engine {
    /// Whether the store is encrypted.
    #[must_use]
    pub fn is_encrypted(&self) -> bool {
        self.sqlite()
            .is_some_and(crate::store::SqliteStore::is_encrypted)
    }

    /// Whether the file is still to be [written anew](Self::wipe), because encryption was turned on or off, or a key or
    /// session taken away, and the program ended before.
    ///
    /// # Errors
    /// `Storage` where the store cannot be read.
    pub fn has_left(&self) -> Result<bool> {
        Ok(self.left()?.is_some())
    }

    /// Writes the file anew, empties the log beside it, and takes the mark away that this is to be done: nothing is left
    /// in them of what was sealed, opened or taken away. It takes as much space again for the time.
    ///
    /// # Errors
    /// `Locked` where another program reads the store: end it, and try again; `Denied` or `Storage` as the disk answers.
    /// The mark stays then.
    pub fn wipe(&self) -> Result<()> {
        self.allow(Action::Key, None)?;
        if let Some(sqlite) = self.sqlite() {
            sqlite.wipe()?;
        }
        if let Some(mark) = self.left()? {
            let done = Exchange::of_notes(vec![mark], Vec::new());
            self.store().exchange(&done)?;
            self.store().settle()?;
        }
        Ok(())
    }

    fn left(&self) -> Result<Option<NoteRow>> {
        let mut found = None;
        notes::each(&*self.view()?, note::LEFT, &mut |row| {
            found = Some(row);
            Ok(())
        })?;
        Ok(found)
    }

    /// The file that the store is.
    pub(crate) fn file(&self) -> Result<&crate::store::SqliteStore> {
        self.sqlite()
            .ok_or_else(|| Error::invalid("only a store that is a file can be encrypted"))
    }

    /// Refuses where programs have sessions open, which they could not save any more.
    fn refuse_company(&self, what: &str) -> Result<()> {
        let id = &self.store().info().id;
        let mut names = Vec::new();
        notes::each(&*self.view()?, note::WRITER, &mut |row| {
            if let Ok(writer) = note::decode::<Writer>(&row.detail)
                && row.is_intact(id)
                && writer.is_alive(self.clock())
            {
                names.push(format!("{} (process {})", writer.name, writer.process.pid));
            }
            Ok(())
        })?;
        if names.is_empty() {
            return Ok(());
        }
        Err(Error::locked(format!(
            "{} has sessions open, which it could not save any more: end it, then {what} the store; nothing was changed",
            names.join(", ")
        )))
    }
}
