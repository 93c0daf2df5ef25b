//! States as JSON in memory.

use std::io;

use dalsegno::{Error, ErrorKind, Result};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::ser::Formatter;

use super::{About, Keep, Kept};
use crate::snapshot::StateSnapshot;
use crate::states::{Key, States};

/// Keeps states as compact JSON: the newest whole, each older one as what differs from the next.
///
/// What comes back is what serde makes of the session's JSON. Members that are skipped are not in it, and
/// JSON has no `NaN` or infinity: they are written as `null`.
#[derive(Debug, Default)]
pub struct Texts {
    states: States,
}

impl Texts {
    /// The memory held, in bytes.
    #[must_use]
    pub fn bytes_held(&self) -> usize {
        self.states.bytes_held()
    }
}

impl<S: Serialize + DeserializeOwned> Keep<S> for Texts {
    type Held = Key;

    fn keep(&mut self, session: &S, _about: &About<'_>) -> Result<Kept<Key>> {
        let key = self.states.push_with(|text| write(session, text))?;
        Ok(Kept {
            held: key,
            given: None,
        })
    }

    fn state(&self, _snapshot: &StateSnapshot, held: &Key) -> Result<S> {
        read(&self.states.text(*held)?)
    }

    fn forget(&mut self, held: Key) {
        // The oldest goes without a look at others. Where a neighbour is damaged, the text stays: a little
        // memory, and nothing that could be had back is lost.
        drop(self.states.remove(held));
    }
}

/// serde_json reads no deeper than this.
const MAX_DEPTH: usize = 127;

/// Writes a session as compact JSON that can be read again.
pub(crate) fn write<S: Serialize + ?Sized>(session: &S, text: &mut Vec<u8>) -> Result<()> {
    let mut serializer = serde_json::Serializer::with_formatter(text, Shallow { depth: 0 });
    session.serialize(&mut serializer).map_err(|e| {
        let message = format!("the session cannot be written as JSON: {e}");
        Error::new(ErrorKind::InvalidInput, message).with_source(e)
    })
}

/// Reads a session.
pub(crate) fn read<S: DeserializeOwned>(text: &[u8]) -> Result<S> {
    serde_json::from_slice(text).map_err(|e| {
        let message = format!("its state does not have the session's shape: {e}");
        Error::new(ErrorKind::InvalidInput, message).with_source(e)
    })
}

/// Compact JSON, refused where it is nested deeper than it could be read.
struct Shallow {
    depth: usize,
}

impl Shallow {
    fn deeper<W: io::Write + ?Sized>(&mut self, writer: &mut W, bracket: &[u8]) -> io::Result<()> {
        self.depth += 1;
        if self.depth > MAX_DEPTH {
            let message = format!("it is nested deeper than {MAX_DEPTH} levels");
            return Err(io::Error::new(io::ErrorKind::InvalidInput, message));
        }
        writer.write_all(bracket)
    }

    fn back<W: io::Write + ?Sized>(&mut self, writer: &mut W, bracket: &[u8]) -> io::Result<()> {
        self.depth = self.depth.saturating_sub(1);
        writer.write_all(bracket)
    }
}

impl Formatter for Shallow {
    fn begin_array<W: io::Write + ?Sized>(&mut self, writer: &mut W) -> io::Result<()> {
        self.deeper(writer, b"[")
    }

    fn end_array<W: io::Write + ?Sized>(&mut self, writer: &mut W) -> io::Result<()> {
        self.back(writer, b"]")
    }

    fn begin_object<W: io::Write + ?Sized>(&mut self, writer: &mut W) -> io::Result<()> {
        self.deeper(writer, b"{")
    }

    fn end_object<W: io::Write + ?Sized>(&mut self, writer: &mut W) -> io::Result<()> {
        self.back(writer, b"}")
    }
}
