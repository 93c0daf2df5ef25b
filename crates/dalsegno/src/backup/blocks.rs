//! The outer form of an archive: blocks of one size, each of which proves itself, and blocks of parity behind them.
//!
//! A byte that is damaged costs its block, and of all blocks any may be lost, as many as there is parity.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{self, Read};
use std::ops::ControlFlow;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};

use crate::error::{Error, Result};

/// Before the content of each block.
pub(super) const HEADER: usize = 56;

const MAGIC: [u8; 4] = *b"DsB1";

/// The random number of an archive.
pub(super) type ArchiveId = [u8; 16];

/// How many blocks of content an archive is to have, about: few enough for parity to be made of all of them at once, and
/// enough for small damage to cost little.
const ABOUT: u64 = 8192;

/// No block has less content, or more.
const SMALLEST: u32 = 1 << 10;
pub(super) const LARGEST: u32 = 1 << 26;

/// The code of parity allows no more blocks of either kind.
pub(super) const MOST: u32 = 1 << 15;

/// What the header of a block says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Header {
    pub(super) archive: ArchiveId,
    /// Its place in the file.
    pub(super) index: u32,
    /// Bytes of content of each block.
    pub(super) size: u32,
    pub(super) role: Role,
}

/// What the content of a block is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Role {
    /// What is kept.
    Content,
    /// What says where it is; and parity of that alone. Of that many blocks, the first at that place.
    Directory { count: u32, from: u32 },
    /// Parity of all others: so many there are of these, and of parity.
    Parity { data: u32, parity: u32 },
}

impl Role {
    fn numbers(self) -> [u32; 3] {
        match self {
            Self::Content => [0, 0, 0],
            Self::Directory { count, from } => [1, count, from],
            Self::Parity { data, parity } => [2, data, parity],
        }
    }

    fn of(numbers: [u32; 3]) -> Option<Self> {
        match numbers {
            [0, 0, 0] => Some(Self::Content),
            [1, count, from] => Some(Self::Directory { count, from }),
            [2, data, parity] => Some(Self::Parity { data, parity }),
            _ => None,
        }
    }
}

impl Header {
    /// The block as it stands in the file.
    pub(super) fn block(&self, content: &[u8]) -> Vec<u8> {
        let mut block = Vec::with_capacity(HEADER + content.len());
        block.extend_from_slice(&MAGIC);
        block.extend_from_slice(&self.archive);
        let [role, one, two] = self.role.numbers();
        for number in [self.index, self.size, role, one, two] {
            block.extend_from_slice(&number.to_le_bytes());
        }
        let sum = sum(&block, content);
        block.extend_from_slice(&sum);
        block.extend_from_slice(content);
        block
    }

    /// What the header of a block says, if the block is as it was written.
    fn of(block: &[u8]) -> Option<Self> {
        let header = Self::claimed(block)?;
        let (head, content) = block.split_at_checked(HEADER)?;
        let content = content.get(..header.size as usize)?;
        let (head, there) = head.split_at(HEADER - 16);
        (*there == sum(head, content)).then_some(header)
    }

    /// What it says, not proved.
    fn claimed(block: &[u8]) -> Option<Self> {
        let number = |at: usize| {
            let bytes = block.get(at..at + 4)?;
            bytes.try_into().ok().map(u32::from_le_bytes)
        };
        let header = Self {
            archive: block.get(4..20)?.try_into().ok()?,
            index: number(20)?,
            size: number(24)?,
            role: Role::of([number(28)?, number(32)?, number(36)?])?,
        };
        let [_, one, two] = header.role.numbers();
        let fits = (SMALLEST..=LARGEST).contains(&header.size)
            && one <= MOST
            && two <= MOST
            && header.index < 2 * MOST;
        (block.starts_with(&MAGIC) && fits).then_some(header)
    }
}

/// Whether it is the block of that number of the archive, as it was written.
pub(super) fn is_proved(block: &[u8], archive: ArchiveId, index: u32) -> bool {
    Header::of(block).is_some_and(|it| (it.archive, it.index) == (archive, index))
}

fn sum(head: &[u8], content: &[u8]) -> [u8; 16] {
    let mut hasher = twox_hash::xxhash3_128::Hasher::new();
    hasher.write(head);
    hasher.write(content);
    hasher.finish_128().to_be_bytes()
}

/// How much content a block is to have, in an archive of about so many bytes.
pub(super) fn size_for(bytes: u64) -> u32 {
    let even = bytes.div_ceil(ABOUT).next_multiple_of(256);
    u32::try_from(even)
        .unwrap_or(LARGEST)
        .clamp(SMALLEST, LARGEST)
}

/// Where the block of that number begins in the file.
pub(super) fn place(index: u32, size: u32) -> u64 {
    u64::from(index) * (u64::from(size) + HEADER as u64)
}

/// The blocks of an archive, read where they are asked for.
pub(super) struct Blocks {
    pub(super) path: PathBuf,
    pub(super) file: File,
    pub(super) archive: ArchiveId,
    /// Bytes of content of each.
    pub(super) size: u32,
    /// How many have content, as far as that is known.
    pub(super) data: u32,
    /// How many have parity.
    pub(super) parity: u32,
    /// What was made again by parity: the content of these blocks, beside the file.
    pub(super) mended: Option<(File, BTreeMap<u32, u64>)>,
}

/// How the blocks of an archive are.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, serde::Serialize)]
pub struct Health {
    /// How many blocks there are.
    pub blocks: u32,
    /// How many of them are parity: so many may be lost, whichever they are.
    pub parity: u32,
    /// Bytes of content of each.
    pub block_bytes: u32,
    /// How many are damaged or missing.
    pub damaged: u32,
}

impl Health {
    /// Whether parity makes all of it again.
    #[must_use]
    pub fn is_whole(&self) -> bool {
        self.damaged <= self.parity
    }
}

impl Blocks {
    /// Finds blocks that prove themselves, and what they say of all. Of blocks of several archives, those count of which there
    /// are more: others may have been written over some of them.
    ///
    /// # Errors
    /// `InvalidInput` where there is none: it is no archive.
    pub(super) fn open(path: &Path) -> Result<Self> {
        let shown = path.display();
        let failed = |e| Error::io(format!("opening {shown}"), e);
        // Before it is opened: a pipe would wait for somebody who writes.
        if !fs::metadata(path).map_err(failed)?.is_file() {
            return Err(Error::invalid(format!("{shown} is not a file")));
        }
        let file = File::open(path).map_err(failed)?;
        let length = file.metadata().map_err(failed)?.len();
        let Some(first) = first(&file).map_err(failed)? else {
            return Err(Error::invalid(format!(
                "{shown} is no backup of Dalsegno, or nothing of it can be read"
            )));
        };
        let mut blocks = Self {
            path: path.to_owned(),
            file,
            archive: first.archive,
            size: first.size,
            data: 0,
            parity: 0,
            mended: None,
        };
        let last = blocks.fitting(length).saturating_sub(1);
        if blocks.header(last).map_err(failed)?.is_none()
            && let Some(most) = most(&blocks.file).map_err(failed)?
        {
            (blocks.archive, blocks.size) = most;
        }
        let there = blocks.fitting(length);
        blocks.data = there;
        // Every block of parity says how many there are.
        for index in (0..there).rev() {
            match blocks.header(index).map_err(failed)? {
                Some(Header {
                    role: Role::Parity { data, parity },
                    ..
                }) => {
                    (blocks.data, blocks.parity) = (data, parity);
                    break;
                }
                // Behind it there may be parity that cannot be read, which is of no use.
                Some(_) => {
                    (blocks.data, blocks.parity) = (index + 1, 0);
                    break;
                }
                None => {}
            }
        }
        Ok(blocks)
    }

    /// How many blocks there may be in a file of that length.
    fn fitting(&self, length: u64) -> u32 {
        let whole = u64::from(self.size) + HEADER as u64;
        u32::try_from(length / whole)
            .unwrap_or(u32::MAX)
            .min(2 * MOST)
    }

    /// What the block of that number says, where it is as it was written, and of this archive.
    pub(super) fn header(&self, index: u32) -> io::Result<Option<Header>> {
        Ok(self.block(index)?.and_then(|block| self.own(index, &block)))
    }

    fn own(&self, index: u32, block: &[u8]) -> Option<Header> {
        Header::of(block)
            .filter(|it| (it.index, it.size, it.archive) == (index, self.size, self.archive))
    }

    /// The block as it stands in the file; nothing, where the file ends before.
    fn block(&self, index: u32) -> io::Result<Option<Vec<u8>>> {
        let mut block = vec![0; HEADER + self.size as usize];
        match self.file.read_exact_at(&mut block, place(index, self.size)) {
            Ok(()) => Ok(Some(block)),
            Err(e) if e.kind() == io::ErrorKind::UnexpectedEof => Ok(None),
            Err(e) if is_unreadable(&e) => Ok(None),
            Err(e) => Err(e),
        }
    }

    /// The content of a block; nothing, where it is damaged.
    pub(super) fn content(&self, index: u32) -> Result<Option<Vec<u8>>> {
        if let Some((file, places)) = &self.mended
            && let Some(at) = places.get(&index)
        {
            let mut content = vec![0; self.size as usize];
            file.read_exact_at(&mut content, *at)
                .map_err(|e| self.failed(e))?;
            return Ok(Some(content));
        }
        let block = self.block(index).map_err(|e| self.failed(e))?;
        let own = block.filter(|block| self.own(index, block).is_some());
        Ok(own.map(|mut block| block.split_off(HEADER)))
    }

    /// So many bytes of content from there on; nothing, where some of them are lost.
    pub(super) fn read(&self, at: u64, length: usize) -> Result<Option<Vec<u8>>> {
        let size = u64::from(self.size);
        let mut bytes = Vec::with_capacity(length.min(1 << 24));
        while bytes.len() < length {
            let from = at + bytes.len() as u64;
            let Some(index) = u32::try_from(from / size).ok().filter(|it| *it < self.data) else {
                return Ok(None);
            };
            let Some(content) = self.content(index)? else {
                return Ok(None);
            };
            let from = usize::try_from(from % size).unwrap_or_default();
            let rest = content.get(from..).unwrap_or_default();
            bytes.extend_from_slice(&rest[..rest.len().min(length - bytes.len())]);
        }
        Ok(Some(bytes))
    }

    pub(super) fn failed(&self, error: io::Error) -> Error {
        Error::io(format!("reading {}", self.path.display()), error)
    }
}

/// Whether a disk says of a place that it cannot read it: what stood there is lost, and the rest is not.
fn is_unreadable(error: &io::Error) -> bool {
    error.raw_os_error() == Some(rustix::io::Errno::IO.raw_os_error())
}

/// The first block that proves itself.
fn first(file: &File) -> io::Result<Option<Header>> {
    let mut first = None;
    each(file, &mut |header| {
        first = Some(header);
        ControlFlow::Break(())
    })?;
    Ok(first)
}

/// The archive of which there are the most blocks, and their size.
fn most(file: &File) -> io::Result<Option<(ArchiveId, u32)>> {
    let mut counts: BTreeMap<(ArchiveId, u32), u32> = BTreeMap::new();
    each(file, &mut |header| {
        *counts.entry((header.archive, header.size)).or_default() += 1;
        ControlFlow::Continue(())
    })?;
    let most = counts.into_iter().max_by_key(|(_, count)| *count);
    Ok(most.map(|(of, _)| of))
}

/// Visits every block that proves itself.
fn each(file: &File, visit: &mut dyn FnMut(Header) -> ControlFlow<()>) -> io::Result<()> {
    const WINDOW: usize = 1 << 20;
    let mut at = 0;
    let mut window = Vec::new();
    loop {
        window.clear();
        let mut from = At { file, at };
        from.by_ref()
            .take((WINDOW + HEADER) as u64)
            .read_to_end(&mut window)?;
        for found in memchr::memmem::find_iter(&window, &MAGIC).filter(|it| *it < WINDOW) {
            let Some(claimed) = window.get(found..).and_then(Header::claimed) else {
                continue;
            };
            let place_found = at + found as u64;
            if place_found != place(claimed.index, claimed.size) {
                continue;
            }
            let mut block = vec![0; HEADER + claimed.size as usize];
            if file.read_exact_at(&mut block, place_found).is_ok()
                && let Some(header) = Header::of(&block)
                && visit(header).is_break()
            {
                return Ok(());
            }
        }
        if window.len() < WINDOW {
            return Ok(());
        }
        at += WINDOW as u64;
    }
}

/// Reads a file from a place on.
struct At<'a> {
    file: &'a File,
    at: u64,
}

impl Read for At<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        match self.file.read_at(buffer, self.at) {
            Ok(read) => {
                self.at += read as u64;
                Ok(read)
            }
            // What the disk cannot read is passed over, a page at a time.
            Err(e) if is_unreadable(&e) => {
                let skipped = buffer.len().min(4096);
                buffer[..skipped].fill(0);
                self.at += skipped as u64;
                Ok(skipped)
            }
            Err(e) => Err(e),
        }
    }
}
