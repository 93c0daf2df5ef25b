//! Writing the content of an archive as it comes, in blocks that are full.

use std::fs::File;
use std::os::unix::fs::FileExt;

use super::blocks::{ArchiveId, Blocks, Header, MOST, Role, place};
use super::directory;
use crate::error::{Error, Result};

/// The content of an archive on its way into blocks.
pub(super) struct Stream {
    file: File,
    archive: ArchiveId,
    size: u32,
    /// The number of the next block.
    index: u32,
    /// What it has so far.
    content: Vec<u8>,
}

impl Stream {
    /// Begins an archive in an empty file.
    pub(super) fn begin(file: File, archive: ArchiveId, size: u32) -> Self {
        Self {
            file,
            archive,
            size,
            index: 0,
            content: Vec::with_capacity(size as usize),
        }
    }

    /// Goes on with one that was left, of which so many bytes of content stay.
    ///
    /// # Errors
    /// `Damaged` where the block where it is to go on cannot be read.
    pub(super) fn go_on(blocks: Blocks, file: File, at: u64) -> Result<Self> {
        let size = u64::from(blocks.size);
        let index = u32::try_from(at / size).unwrap_or(MOST);
        let rest = usize::try_from(at % size).unwrap_or_default();
        let content = blocks.read(at - rest as u64, rest)?;
        let mut stream = Self::begin(file, blocks.archive, blocks.size);
        stream.index = index;
        let content =
            content.ok_or_else(|| Error::damaged("what was left of a backup is damaged"))?;
        stream.content.extend_from_slice(&content);
        stream
            .file
            .set_len(place(index, stream.size))
            .map_err(failed)?;
        Ok(stream)
    }

    /// How many bytes of content there are.
    pub(super) fn at(&self) -> u64 {
        u64::from(self.index) * u64::from(self.size) + self.content.len() as u64
    }

    pub(super) fn write(&mut self, mut bytes: &[u8]) -> Result<()> {
        while !bytes.is_empty() {
            let room = self.size as usize - self.content.len();
            let (now, later) = bytes.split_at(room.min(bytes.len()));
            self.content.extend_from_slice(now);
            bytes = later;
            if self.content.len() == self.size as usize {
                self.put(Role::Content)?;
            }
        }
        Ok(())
    }

    /// Ends the content with the directory, which begins with a block of its own. Returns how many blocks there are.
    pub(super) fn end(mut self, directory: &[u8]) -> Result<(File, u32)> {
        if !self.content.is_empty() {
            self.content.resize(self.size as usize, 0);
            self.put(Role::Content)?;
        }
        let shards = directory::shards(directory, self.size)?;
        let count = u32::try_from(directory.len().div_ceil(self.size as usize)).unwrap_or(MOST);
        let role = Role::Directory {
            count,
            from: self.index,
        };
        for shard in shards {
            self.content = shard;
            self.put(role)?;
        }
        Ok((self.file, self.index))
    }

    fn put(&mut self, role: Role) -> Result<()> {
        if self.index == MOST {
            return Err(Error::storage(
                "the backup has more blocks than one can have; the store grew too much meanwhile: begin again",
            ));
        }
        let header = Header {
            archive: self.archive,
            index: self.index,
            size: self.size,
            role,
        };
        let block = header.block(&self.content);
        self.file
            .write_all_at(&block, place(self.index, self.size))
            .map_err(failed)?;
        self.index += 1;
        self.content.clear();
        Ok(())
    }
}

fn failed(error: std::io::Error) -> Error {
    Error::io("writing the backup", error)
}
