//! Each state compressed against the one before, in chains of 96.

use std::fs;
use std::io::{Read, Write};
use std::path::{Path, PathBuf};

use anyhow::Result;
use zstd::stream::{read::Decoder, write::Encoder};

use super::Peer;
use super::files::bytes_below;
use super::zstd_each::LEVEL;

/// The key of this contestant.
pub const KEY: &str = "zstd_prefix";
/// The key of this contestant with matches over long distances.
pub const KEY_LONG: &str = "zstd_prefix_long";

/// Saves from one state that stands alone to the next.
const CHAIN: usize = 96;

/// 128 MiB: more than two states of every workload.
const WINDOW_LOG: u32 = 27;

/// A contestant in an empty folder.
pub fn make(folder: &Path) -> Result<Box<dyn Peer>> {
    Ok(Box::new(ZstdPrefix::new(folder, false)))
}

/// The same with matches over long distances, which find more in large states.
pub fn make_long(folder: &Path) -> Result<Box<dyn Peer>> {
    Ok(Box::new(ZstdPrefix::new(folder, true)))
}

struct ZstdPrefix {
    folder: PathBuf,
    long: bool,
    before: Vec<u8>,
    saves: usize,
}

impl ZstdPrefix {
    fn new(folder: &Path, long: bool) -> Self {
        Self {
            folder: folder.to_owned(),
            long,
            before: Vec::new(),
            saves: 0,
        }
    }

    fn path(&self, index: usize) -> PathBuf {
        self.folder.join(format!("{index:06}.zst"))
    }
}

impl Peer for ZstdPrefix {
    fn name(&self) -> String {
        let name = "zstd-3, previous state as prefix, chain of 96";
        if self.long {
            format!("{name}, long matches")
        } else {
            name.to_owned()
        }
    }

    fn save(&mut self, bytes: &[u8]) -> Result<()> {
        if self.saves.is_multiple_of(CHAIN) {
            self.before.clear();
        }
        let mut encoder = Encoder::with_ref_prefix(Vec::new(), LEVEL, &self.before)?;
        encoder.set_pledged_src_size(Some(bytes.len() as u64))?;
        if self.long {
            encoder.window_log(WINDOW_LOG)?;
            encoder.long_distance_matching(true)?;
        }
        encoder.write_all(bytes)?;
        fs::write(self.path(self.saves), encoder.finish()?)?;
        self.before = bytes.to_vec();
        self.saves += 1;
        Ok(())
    }

    fn finish(&mut self) -> Result<u64> {
        bytes_below(&self.folder)
    }

    fn restore(&mut self, index: usize) -> Result<Vec<u8>> {
        let mut state = Vec::new();
        for index in index - index % CHAIN..=index {
            let packed = fs::read(self.path(index))?;
            let mut next = Vec::new();
            let mut decoder = Decoder::with_ref_prefix(packed.as_slice(), &state)?;
            decoder.window_log_max(WINDOW_LOG)?;
            decoder.read_to_end(&mut next)?;
            drop(decoder);
            state = next;
        }
        Ok(state)
    }
}
