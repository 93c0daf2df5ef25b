//! One compressed file a save.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::Result;

use super::Peer;
use super::files::bytes_below;

/// The key of this contestant.
pub const KEY: &str = "zstd_each";

/// zstd's level, the same for all peers.
pub const LEVEL: i32 = 3;

/// A contestant in an empty folder.
pub fn make(folder: &Path) -> Result<Box<dyn Peer>> {
    Ok(Box::new(ZstdEach {
        folder: folder.to_owned(),
        saves: 0,
    }))
}

struct ZstdEach {
    folder: PathBuf,
    saves: usize,
}

impl ZstdEach {
    fn path(&self, index: usize) -> PathBuf {
        self.folder.join(format!("{index:06}.json.zst"))
    }
}

impl Peer for ZstdEach {
    fn name(&self) -> String {
        "full JSON + zstd-3".to_owned()
    }

    fn save(&mut self, bytes: &[u8]) -> Result<()> {
        fs::write(self.path(self.saves), zstd::bulk::compress(bytes, LEVEL)?)?;
        self.saves += 1;
        Ok(())
    }

    fn finish(&mut self) -> Result<u64> {
        bytes_below(&self.folder)
    }

    fn restore(&mut self, index: usize) -> Result<Vec<u8>> {
        let packed = fs::read(self.path(index))?;
        Ok(zstd::stream::decode_all(packed.as_slice())?)
    }
}
