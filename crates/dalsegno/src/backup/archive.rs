//! One archive, open for reading.

use std::path::{Path, PathBuf};

use super::blocks::{Blocks, Health, MOST};
use super::contents::{Contents, Head, Segment, Summary, VERSION, decode};
use super::directory;
use super::frame::{self, Kind};
use super::keys::{Keys, Lock};
use super::parity;
use super::segment;
use crate::error::{Error, ErrorKind, Result};
use crate::key::Secret;
use crate::store::Rows;
use crate::store::seal::open_any;

/// An archive whose blocks and frames are read where they are asked for.
pub(super) struct Archive {
    pub(super) blocks: Blocks,
    pub(super) head: Head,
    /// Nothing, where its directory is lost.
    pub(super) summary: Option<Summary>,
    /// The frame of its contents.
    contents: Vec<u8>,
}

/// An archive with what opens it.
pub(super) struct Unlocked {
    pub(super) archive: Archive,
    lock: Option<Lock>,
}

impl Archive {
    /// Reads what an archive says of itself; what is damaged of that is made again first.
    ///
    /// # Errors
    /// `InvalidInput` where it is none, or of a later version; `Damaged` where it does not say whose it is any more.
    pub(super) fn open(path: &Path) -> Result<Self> {
        let mut blocks = Blocks::open(path)?;
        let (mut head, mut end) = (head(&blocks)?, end(&blocks)?);
        if end.is_none() {
            // All of it may have parity enough where the directory alone has not.
            blocks.check(&mut |_| Ok(()))?;
            (head, end) = (self::head(&blocks)?, self::end(&blocks)?);
        }
        let shown = path.display();
        let of_end = end.as_ref().map(|(summary, ..)| summary.head.clone());
        // What stands at the end is proved by the table of contents, also where there are keys.
        let Some(head) = of_end.or(head) else {
            return Err(Error::damaged(format!(
                "{shown}: neither its beginning nor its end can be read; nothing of it can be restored"
            )));
        };
        if head.version != VERSION {
            let version = head.version;
            return Err(Error::invalid(format!(
                "{shown} has version {version}; this program reads version {VERSION} (use a newer one)"
            )));
        }
        let (summary, contents) = end
            .map(|(summary, contents, data)| {
                // Where all of it was cut off, no block is left to say that there was parity.
                if blocks.parity == 0 && summary.parity > 0 && data <= MOST {
                    blocks.data = data;
                    blocks.parity = parity::count(data, summary.parity);
                }
                (summary, contents)
            })
            .unzip();
        Ok(Self {
            blocks,
            head,
            summary,
            contents: contents.unwrap_or_default(),
        })
    }

    pub(super) fn path(&self) -> &PathBuf {
        &self.blocks.path
    }

    /// The keys of the store that it is of.
    ///
    /// # Errors
    /// `WrongKey` where `secret` does not open it, or none is given and it is encrypted.
    pub(super) fn keys(&self, secret: Option<&Secret>) -> Result<Keys> {
        let head = &self.head;
        let shown = self.path().display();
        let wrong = |message: String| Err(Error::new(ErrorKind::WrongKey, message));
        let root = match secret {
            None if head.is_sealed => {
                return wrong(format!("{shown} is encrypted and no key was given"));
            }
            Some(_) if !head.is_sealed => {
                return wrong(format!(
                    "a key was given, but {shown} is not encrypted: it may not be the one that you mean"
                ));
            }
            None => None,
            Some(secret) => Some(open_any(&head.slots, secret, &head.store)?.0),
        };
        let keys = Keys::new(head.store, root.as_ref())?;
        if keys.mark()? != head.mark {
            return Err(Error::damaged(format!(
                "{shown} says that it has other keys than it has"
            )));
        }
        Ok(keys)
    }

    /// With what opens it.
    ///
    /// # Errors
    /// `WrongKey` where it is sealed by other keys.
    pub(super) fn unlock(self, keys: &Keys) -> Result<Unlocked> {
        if self.head.mark != keys.mark()? {
            let shown = self.path().display();
            return Err(Error::new(
                ErrorKind::WrongKey,
                format!("{shown} is encrypted by other keys than the backup that needs it"),
            ));
        }
        let lock = keys.of(&self.head.archive)?;
        Ok(Unlocked {
            archive: self,
            lock,
        })
    }

    /// Looks at every block, and makes again what can be.
    ///
    /// # Errors
    /// `Storage` where the disk refuses; what `progress` answers.
    pub(super) fn check(&mut self, progress: &mut dyn FnMut(u64) -> Result<()>) -> Result<Health> {
        self.blocks.check(progress)
    }
}

impl Unlocked {
    /// Which rows the backup is of; nothing, where that is lost.
    ///
    /// # Errors
    /// `Damaged` where it says another thing than the archive's end.
    pub(super) fn contents(&self, keys: &Keys) -> Result<Option<Contents>> {
        let frame = &self.archive.contents;
        let Some(bytes) = frame::content(frame, Kind::Contents, (keys, self.lock.as_ref())) else {
            return Ok(None);
        };
        let contents: Contents = decode(&bytes, "table of contents")?;
        if Some(&contents.summary) == self.archive.summary.as_ref() {
            return Ok(Some(contents));
        }
        let shown = self.archive.path().display();
        Err(Error::damaged(format!(
            "{shown}: its end says another thing than its table of contents"
        )))
    }

    /// The rows of a segment; nothing, where they are lost.
    ///
    /// # Errors
    /// `Damaged` where they are proved, but no rows.
    pub(super) fn rows(&self, of: &Segment, keys: &Keys) -> Result<Option<Rows>> {
        let Some(frame) = frame::whole(&self.archive.blocks, of.at)? else {
            return Ok(None);
        };
        match frame::content(&frame, Kind::Rows, (keys, self.lock.as_ref())) {
            Some(bytes) if keys.content_id(&bytes) == of.id => {
                segment::rows(of.table, &bytes, of.rows).map(Some)
            }
            _ => Ok(None),
        }
    }
}

/// What opens what is in clear.
pub(super) fn in_clear() -> Result<Keys> {
    Keys::new([0; 16], None)
}

pub(super) fn head(blocks: &Blocks) -> Result<Option<Head>> {
    let Some(frame) = frame::whole(blocks, 0)? else {
        return Ok(None);
    };
    let read = frame::content(&frame, Kind::Head, (&in_clear()?, None));
    read.map(|bytes| decode(&bytes, "beginning")).transpose()
}

/// What the directory has, what the archive says of itself and the frame of its contents; and how many blocks there are up
/// to its end.
fn end(blocks: &Blocks) -> Result<Option<(Summary, Vec<u8>, u32)>> {
    let Some((directory, data)) = directory::read(blocks)? else {
        return Ok(None);
    };
    let read = frame::content(&directory, Kind::Summary, (&in_clear()?, None));
    let Some((bytes, contents)) = read.zip(frame::behind(&directory)) else {
        return Ok(None);
    };
    let summary: Summary = decode(&bytes, "directory")?;
    let is_own = summary.head.archive == blocks.archive;
    Ok(is_own.then(|| (summary, contents.to_vec(), data)))
}
