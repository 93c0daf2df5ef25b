//! How many messages a file has, or why nobody can tell.

use std::fmt;
use std::io::{self, Read};
use std::path::Path;

use serde::{Serialize, Serializer};

use crate::file;
use crate::scan::{MAX_DEPTH, MessageCounter};

/// Pieces in which a file is read: small enough for a processor's own memory.
pub(crate) const PIECE: usize = 32 << 10;

/// What [`count`] found. As a number, and in JSON, it is −1 for whatever is unreadable.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Count {
    /// So many messages.
    Messages(u64),
    /// No session can be read there.
    Unreadable(Unreadable),
}

/// Why no session can be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Unreadable {
    /// Nothing is there.
    Missing,
    /// The operating system does not let us read it.
    Denied,
    /// A folder, a pipe or a device is there.
    NotAFile,
    /// The disk did not give it out.
    Failed,
    /// It is not JSON: torn, empty, or something else altogether.
    Malformed,
    /// It is JSON, but no object with a list `messages`.
    NoMessages,
    /// It is nested deeper than [`MAX_DEPTH`]. It may well be whole.
    TooDeep,
}

impl Count {
    /// The number of messages; −1 where it is unreadable.
    #[must_use]
    pub fn to_i64(self) -> i64 {
        match self {
            Self::Messages(count) => i64::try_from(count).unwrap_or(i64::MAX),
            Self::Unreadable(_) => -1,
        }
    }
}

/// From what a function of another language answers: below zero is unreadable, and taken for malformed.
impl From<i64> for Count {
    fn from(number: i64) -> Self {
        match u64::try_from(number) {
            Ok(count) => Self::Messages(count),
            Err(_) => Self::Unreadable(Unreadable::Malformed),
        }
    }
}

impl Serialize for Count {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_i64(self.to_i64())
    }
}

impl fmt::Display for Count {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Messages(1) => f.write_str("1 message"),
            Self::Messages(count) => write!(f, "{count} messages"),
            Self::Unreadable(why) => write!(f, "unreadable: {why}"),
        }
    }
}

impl fmt::Display for Unreadable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Missing => f.write_str("it is not there"),
            Self::Denied => f.write_str("it may not be read"),
            Self::NotAFile => f.write_str("it is not a file"),
            Self::Failed => f.write_str("the disk does not give it out"),
            Self::Malformed => f.write_str("it is torn, empty or no JSON"),
            Self::NoMessages => f.write_str("it is JSON without a list of messages"),
            Self::TooDeep => write!(f, "it is nested deeper than {MAX_DEPTH} levels"),
        }
    }
}

/// Counts the messages of the session in the file at `path`. Nothing is created or changed. Memory does
/// not grow with the file.
///
/// ```
/// use dalsegno_hermes::{Count, Unreadable, count};
///
/// assert_eq!(count("no/such.json".as_ref()), Count::Unreadable(Unreadable::Missing));
/// ```
#[must_use]
pub fn count(path: &Path) -> Count {
    match file::open(path).and_then(|file| read(file, |_| Ok(()))) {
        Ok(count) => count,
        Err(error) => Count::Unreadable(reason(&error)),
    }
}

/// Why a file could not be read.
fn reason(error: &io::Error) -> Unreadable {
    use io::ErrorKind as Kind;
    match error.kind() {
        Kind::NotFound | Kind::NotADirectory | Kind::InvalidInput => Unreadable::Missing,
        Kind::PermissionDenied => Unreadable::Denied,
        Kind::IsADirectory | Kind::InvalidData => Unreadable::NotAFile,
        _ => Unreadable::Failed,
    }
}

/// Counts what `file` gives out, and shows each piece of it to `also`. It ends early where nothing more
/// can be found.
pub(crate) fn read(
    mut file: impl Read,
    mut also: impl FnMut(&[u8]) -> io::Result<()>,
) -> io::Result<Count> {
    let mut counter = MessageCounter::new();
    let mut buffer = [0; PIECE];
    loop {
        let length = match file.read(&mut buffer) {
            Ok(0) => break,
            Ok(length) => length,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Err(error) => return Err(error),
        };
        let piece = buffer.get(..length).unwrap_or_default();
        also(piece)?;
        if !counter.feed(piece) {
            break;
        }
    }
    Ok(counted(counter))
}

/// Counts a text that is at hand.
pub(crate) fn of(text: &[u8]) -> Count {
    let mut counter = MessageCounter::new();
    counter.feed(text);
    counted(counter)
}

fn counted(counter: MessageCounter) -> Count {
    counter
        .finish()
        .map_or_else(Count::Unreadable, Count::Messages)
}
