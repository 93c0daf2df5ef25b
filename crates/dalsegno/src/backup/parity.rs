//! Parity: blocks made of all blocks of content, by which as many as there are of them are made again.
//!
//! The code is Reed and Solomon's over 2¹⁶ (the crate `reed-solomon-simd`). It goes through all blocks at once, a stripe of
//! each at a time, so that memory follows the number of blocks, not the size of the archive.

use std::collections::BTreeMap;
use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;

use reed_solomon_simd::{ReedSolomonDecoder, ReedSolomonEncoder};

use super::blocks::{ArchiveId, Blocks, HEADER, Header, Health, MOST, Role, is_proved, place};
use crate::error::{Error, Result};

/// Bytes of a stripe of all blocks together, about.
const STRIPES: usize = 32 << 20;

/// How many blocks of parity there are for so many of content, where `percent` of all are to be parity.
pub(super) fn count(data: u32, percent: u8) -> u32 {
    let share = u64::from(percent.min(50));
    let count = (u64::from(data) * share).div_ceil(100 - share);
    u32::try_from(count).unwrap_or(MOST).min(MOST)
}

/// Adds so many blocks of parity behind the blocks of content of an archive that is being written; each of these is read
/// back and proved before. `progress` hears how many bytes are done.
///
/// # Errors
/// `Storage` where the disk refuses, or reads back otherwise than was written.
pub(super) fn add(
    file: &File,
    archive: ArchiveId,
    size: u32,
    (data, parity): (u32, u32),
    progress: &mut dyn FnMut(u64) -> Result<()>,
) -> Result<()> {
    let failed = |e: io::Error| Error::io("writing the parity of the backup", e);
    let whole = HEADER + size as usize;
    let mut block = vec![0; whole];
    for index in 0..data {
        file.read_exact_at(&mut block, place(index, size))
            .map_err(|e| Error::io("reading the backup back", e))?;
        if !is_proved(&block, archive, index) {
            return Err(Error::storage(
                "the backup reads back otherwise than it was written",
            ));
        }
        progress(whole as u64)?;
    }
    if parity == 0 {
        return Ok(());
    }
    let width = stripe(size, data);
    let mut encoder =
        ReedSolomonEncoder::new(data as usize, parity as usize, width).map_err(refused)?;
    let mut part = vec![0; width];
    for from in (0..size as usize).step_by(width) {
        let width = width.min(size as usize - from);
        encoder
            .reset(data as usize, parity as usize, width)
            .map_err(refused)?;
        for index in 0..data {
            let at = place(index, size) + (HEADER + from) as u64;
            file.read_exact_at(&mut part[..width], at).map_err(failed)?;
            encoder
                .add_original_shard(&part[..width])
                .map_err(refused)?;
            progress(0)?;
        }
        let made = encoder.encode().map_err(refused)?;
        for (index, made) in (data..).zip(made.recovery_iter()) {
            let at = place(index, size) + (HEADER + from) as u64;
            file.write_all_at(made, at).map_err(failed)?;
        }
    }
    for index in data..data + parity {
        let at = place(index, size);
        file.read_exact_at(&mut block[HEADER..], at + HEADER as u64)
            .map_err(failed)?;
        let header = Header {
            archive,
            index,
            size,
            role: Role::Parity { data, parity },
        };
        let block = header.block(&block[HEADER..]);
        file.write_all_at(&block[..HEADER], at).map_err(failed)?;
        progress(whole as u64)?;
    }
    Ok(())
}

impl Blocks {
    /// Looks at every block, and makes those again that are damaged, beside the file, where there is parity enough.
    /// `progress` hears how many bytes are done.
    ///
    /// # Errors
    /// `Storage` where the disk refuses.
    pub(super) fn check(&mut self, progress: &mut dyn FnMut(u64) -> Result<()>) -> Result<Health> {
        self.mended = None;
        let mut lost = Vec::new();
        for index in 0..self.data + self.parity {
            if self.content(index)?.is_none() {
                lost.push(index);
            }
            progress(u64::from(self.size) + HEADER as u64)?;
        }
        let health = Health {
            blocks: self.data + self.parity,
            parity: self.parity,
            block_bytes: self.size,
            damaged: u32::try_from(lost.len()).unwrap_or(u32::MAX),
        };
        let content: Vec<u32> = lost.iter().copied().filter(|it| *it < self.data).collect();
        if health.is_whole() && !content.is_empty() {
            self.mended = Some(self.make_again(&lost, &content)?);
        }
        Ok(health)
    }

    fn make_again(&self, lost: &[u32], content: &[u32]) -> Result<(File, BTreeMap<u32, u64>)> {
        let failed = |e: io::Error| Error::io("mending the backup beside it", e);
        let beside = tempfile::tempfile().map_err(failed)?;
        let size = u64::from(self.size);
        let places: BTreeMap<u32, u64> = content
            .iter()
            .copied()
            .zip((0..).step_by(self.size as usize))
            .collect();
        beside.set_len(places.len() as u64 * size).map_err(failed)?;
        let width = stripe(self.size, self.data);
        let mut decoder = ReedSolomonDecoder::new(self.data as usize, self.parity as usize, width)
            .map_err(refused)?;
        let mut part = vec![0; width];
        for from in (0..self.size as usize).step_by(width) {
            let width = width.min(self.size as usize - from);
            decoder
                .reset(self.data as usize, self.parity as usize, width)
                .map_err(refused)?;
            for index in 0..self.data + self.parity {
                if lost.binary_search(&index).is_ok() {
                    continue;
                }
                let at = place(index, self.size) + (HEADER + from) as u64;
                self.file
                    .read_exact_at(&mut part[..width], at)
                    .map_err(|e| self.failed(e))?;
                if index < self.data {
                    decoder.add_original_shard(index as usize, &part[..width])
                } else {
                    decoder.add_recovery_shard((index - self.data) as usize, &part[..width])
                }
                .map_err(refused)?;
            }
            let made = decoder.decode().map_err(refused)?;
            for (index, place) in &places {
                let again = made
                    .restored_original(*index as usize)
                    .ok_or_else(|| Error::storage("a block of the backup was not made again"))?;
                beside
                    .write_all_at(again, place + from as u64)
                    .map_err(failed)?;
            }
        }
        Ok((beside, places))
    }
}

/// Bytes of each block that are worked on at a time: an even number, which the code asks for.
fn stripe(size: u32, data: u32) -> usize {
    let each = STRIPES / (data as usize).max(1);
    (each - each % 64).clamp(64, size as usize)
}

pub(super) fn refused(error: reed_solomon_simd::Error) -> Error {
    Error::storage(format!("the code of parity refuses: {error}")).with_source(error)
}
