//! The inner form of an archive: frames, one after the other, each of which says what it is, how long, and what its content
//! is known by.

use super::blocks::Blocks;
use super::keys::{ContentId, Keys, Lock};
use crate::codec::pack::{Effort, pack, unpack};
use crate::error::{Error, Result};

/// Before the content of each frame.
const HEADER: usize = 48;

const MAGIC: [u8; 4] = *b"DsF1";

/// No frame is larger: the list of contents of the largest store there may be.
const MOST: u32 = 1 << 30;

/// What is in a frame.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub(super) enum Kind {
    /// What the archive says of itself, in clear.
    Head = 0,
    /// Rows of one table.
    Rows = 1,
    /// What the archive says of itself at its end, in clear.
    Summary = 2,
    /// Which rows the backup is of, and where they are.
    Contents = 3,
}

impl Kind {
    fn of(code: u8) -> Option<Self> {
        let all = [Self::Head, Self::Rows, Self::Summary, Self::Contents];
        all.into_iter().find(|kind| *kind as u8 == code)
    }

    /// Whether it is sealed where the store is encrypted.
    fn is_sealed(self) -> bool {
        !matches!(self, Self::Head | Self::Summary)
    }
}

/// What stands before the content of a frame.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Header {
    pub(super) kind: Kind,
    is_sealed: bool,
    /// Of rows, the number of their table.
    pub(super) table: u8,
    /// The number of the frame within the archive.
    pub(super) number: u32,
    /// Bytes of its content as they stand there.
    stored: u32,
    pub(super) id: ContentId,
}

impl Header {
    fn bytes(&self) -> [u8; HEADER] {
        let mut bytes = [0; HEADER];
        bytes[..4].copy_from_slice(&MAGIC);
        bytes[4] = self.kind as u8;
        bytes[5] = u8::from(self.is_sealed);
        bytes[6] = self.table;
        bytes[8..12].copy_from_slice(&self.number.to_le_bytes());
        bytes[12..16].copy_from_slice(&self.stored.to_le_bytes());
        bytes[16..].copy_from_slice(&self.id);
        bytes
    }

    /// Nothing, where these bytes begin no frame.
    pub(super) fn of(bytes: &[u8]) -> Option<Self> {
        let bytes: &[u8; HEADER] = bytes.get(..HEADER)?.try_into().ok()?;
        let number = |at: usize| {
            let bytes = bytes.get(at..at + 4)?;
            bytes.try_into().ok().map(u32::from_le_bytes)
        };
        let header = Self {
            kind: Kind::of(bytes[4])?,
            is_sealed: bytes[5] == 1,
            table: bytes[6],
            number: number(8)?,
            stored: number(12)?,
            id: bytes[16..].try_into().ok()?,
        };
        let fits = header.stored <= MOST && bytes[5] <= 1 && bytes[7] == 0;
        (bytes.starts_with(&MAGIC) && fits).then_some(header)
    }

    /// Bytes of the whole frame.
    pub(super) fn length(&self) -> u64 {
        HEADER as u64 + u64::from(self.stored)
    }
}

/// A frame. What an archive says of itself is not sealed.
pub(super) fn bytes(
    (kind, table, number): (Kind, u8, u32),
    (id, content): (ContentId, &[u8]),
    lock: Option<&Lock>,
) -> Result<Vec<u8>> {
    let mut stored = pack(content, Effort::Record)?;
    let lock = lock.filter(|_| kind.is_sealed());
    if let Some(lock) = lock {
        stored = lock.seal(kind as u8, number, &stored)?;
    }
    let header = Header {
        kind,
        is_sealed: lock.is_some(),
        table,
        number,
        stored: u32::try_from(stored.len())
            .ok()
            .filter(|it| *it <= MOST)
            .ok_or_else(|| Error::storage("the store is too large for one backup"))?,
        id,
    };
    Ok([&header.bytes()[..], &stored].concat())
}

/// The header of the frame there; nothing, where it is lost or there is none.
pub(super) fn header(blocks: &Blocks, at: u64) -> Result<Option<Header>> {
    let bytes = blocks.read(at, HEADER)?;
    Ok(bytes.and_then(|bytes| Header::of(&bytes)))
}

/// The frame there, as it stands; nothing, where it is lost.
pub(super) fn whole(blocks: &Blocks, at: u64) -> Result<Option<Vec<u8>>> {
    let Some(header) = header(blocks, at)? else {
        return Ok(None);
    };
    blocks.read(at, HEADER + header.stored as usize)
}

/// The content of the frame that begins there, proved; nothing, where it is another, or not as it was written.
pub(super) fn content(
    frame: &[u8],
    kind: Kind,
    (keys, lock): (&Keys, Option<&Lock>),
) -> Option<Vec<u8>> {
    let header = Header::of(frame).filter(|it| it.kind == kind)?;
    let lock = lock.filter(|_| kind.is_sealed());
    if header.is_sealed != lock.is_some() {
        return None;
    }
    let stored = frame.get(HEADER..)?.get(..header.stored as usize)?;
    let content = match lock {
        Some(lock) => unpack(&lock.open(kind as u8, header.number, stored)?),
        None => unpack(stored),
    };
    let content = content.ok()?.to_vec();
    (keys.content_id(&content) == header.id).then_some(content)
}

/// What stands behind the frame that begins there.
pub(super) fn behind(frame: &[u8]) -> Option<&[u8]> {
    let header = Header::of(frame)?;
    frame.get(HEADER..)?.get(header.stored as usize..)
}
