//! The blocks at the end of an archive that say what is where. They have parity of their own, three times as much as there is
//! of them, because without them nothing of the rest can be found.

use reed_solomon_simd::{ReedSolomonDecoder, ReedSolomonEncoder};

use super::blocks::{Blocks, Header, MOST, Role};
use super::frame::{self, Kind};
use super::parity::refused;
use crate::error::Result;

/// How many blocks of parity there are for each block of the directory.
const TIMES: u32 = 3;

/// The directory in blocks, and their parity.
pub(super) fn shards(directory: &[u8], size: u32) -> Result<Vec<Vec<u8>>> {
    let size = size as usize;
    let mut shards: Vec<Vec<u8>> = directory.chunks(size).map(<[u8]>::to_vec).collect();
    let count = shards.len();
    let mut encoder =
        ReedSolomonEncoder::new(count, count * TIMES as usize, size).map_err(refused)?;
    for shard in &mut shards {
        shard.resize(size, 0);
        encoder.add_original_shard(shard).map_err(refused)?;
    }
    let parity = encoder.encode().map_err(refused)?;
    shards.extend(parity.recovery_iter().map(<[u8]>::to_vec));
    Ok(shards)
}

/// The directory of an archive, with zeroes behind it, and the number of the block behind it and its parity; nothing, where
/// too much of it is lost.
pub(super) fn read(blocks: &Blocks) -> Result<Option<(Vec<u8>, u32)>> {
    let Some((count, from)) = find(blocks)? else {
        return Ok(None);
    };
    let size = blocks.size as usize;
    let mut whole: Vec<Option<Vec<u8>>> = Vec::new();
    for index in from..from.saturating_add(count) {
        whole.push(blocks.content(index)?);
    }
    if whole.iter().any(Option::is_none) {
        let parity = count as usize * TIMES as usize;
        let mut more = Vec::new();
        for (at, index) in (0..parity).zip(from.saturating_add(count)..) {
            more.extend(blocks.content(index)?.map(|shard| (at, shard)));
        }
        // Before there is room made for all of them: what says how many there are may be wrong.
        if whole.iter().flatten().count() + more.len() < whole.len() {
            return Ok(None);
        }
        let mut decoder = ReedSolomonDecoder::new(whole.len(), parity, size).map_err(refused)?;
        for (at, shard) in whole.iter().enumerate() {
            if let Some(shard) = shard {
                decoder.add_original_shard(at, shard).map_err(refused)?;
            }
        }
        for (at, shard) in &more {
            decoder.add_recovery_shard(*at, shard).map_err(refused)?;
        }
        let made = decoder.decode().map_err(refused)?;
        for (at, shard) in whole.iter_mut().enumerate() {
            if shard.is_none() {
                *shard = made.restored_original(at).map(<[u8]>::to_vec);
            }
        }
    }
    let whole: Option<Vec<Vec<u8>>> = whole.into_iter().collect();
    let end = from.saturating_add(count.saturating_mul(1 + TIMES));
    Ok(whole.map(|shards| (shards.concat(), end)))
}

/// How many blocks the directory has, and the first of them, as the last of them that can be read says.
fn find(blocks: &Blocks) -> Result<Option<(u32, u32)>> {
    for index in (0..blocks.data).rev() {
        let header = blocks.header(index).map_err(|e| blocks.failed(e))?;
        match header.map(|Header { role, .. }| role) {
            Some(Role::Directory { count, from }) if count > 0 => return Ok(Some((count, from))),
            // What stands before it says nothing of it.
            Some(_) => break,
            None => {}
        }
    }
    find_made_again(blocks)
}

/// The same, of blocks that parity made again: of these there is no more than their content, and the directory begins with what
/// the archive says of itself.
fn find_made_again(blocks: &Blocks) -> Result<Option<(u32, u32)>> {
    let mended = blocks.mended.iter().flat_map(|(_, places)| places.keys());
    for index in mended.rev().copied() {
        let at = u64::from(index) * u64::from(blocks.size);
        let Some(summary) = frame::header(blocks, at)?.filter(|it| it.kind == Kind::Summary) else {
            continue;
        };
        let Some(contents) = frame::header(blocks, at + summary.length())? else {
            continue;
        };
        let bytes = summary.length() + contents.length();
        let count = u32::try_from(bytes.div_ceil(u64::from(blocks.size))).unwrap_or(MOST);
        return Ok(Some((count.min(MOST), index)));
    }
    Ok(None)
}
