//! One file of JSON a save: what the three programs do today.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::Result;

use super::Peer;
use super::files::bytes_below;

/// The key of this contestant.
pub const KEY: &str = "full_json";

/// A contestant in an empty folder.
pub fn make(folder: &Path) -> Result<Box<dyn Peer>> {
    Ok(Box::new(FullJson {
        folder: folder.to_owned(),
        saves: 0,
    }))
}

struct FullJson {
    folder: PathBuf,
    saves: usize,
}

impl FullJson {
    fn path(&self, index: usize) -> PathBuf {
        self.folder.join(format!("{index:06}.json"))
    }
}

impl Peer for FullJson {
    fn name(&self) -> String {
        "full JSON, one file each".to_owned()
    }

    fn save(&mut self, bytes: &[u8]) -> Result<()> {
        fs::write(self.path(self.saves), bytes)?;
        self.saves += 1;
        Ok(())
    }

    fn finish(&mut self) -> Result<u64> {
        bytes_below(&self.folder)
    }

    fn restore(&mut self, index: usize) -> Result<Vec<u8>> {
        Ok(fs::read(self.path(index))?)
    }
}
