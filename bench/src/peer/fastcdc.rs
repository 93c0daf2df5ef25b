//! Content-defined chunks, each kept once: what deduplicating backup programs do.
//!
//! Chunks of 4 KiB on average (1 to 16) by FastCDC, named by their BLAKE3, compressed with zstd-3
//! and appended to one pack; a save is a manifest of 32-byte names, as such programs keep it.

use std::collections::HashMap;
use std::fs::{self, File, OpenOptions};
use std::io::{Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use fastcdc::v2020::FastCDC;

use super::Peer;
use super::files::bytes_below;
use super::zstd_each::LEVEL;

/// The key of this contestant.
pub const KEY: &str = "fastcdc";

const MINIMUM: usize = 1024;
const AVERAGE: usize = 4096;
const MAXIMUM: usize = 16_384;

type Name = [u8; 32];

/// A contestant in an empty folder.
pub fn make(folder: &Path) -> Result<Box<dyn Peer>> {
    let pack = OpenOptions::new()
        .read(true)
        .write(true)
        .create_new(true)
        .open(folder.join("pack"))?;
    Ok(Box::new(Chunks {
        folder: folder.to_owned(),
        pack,
        length: 0,
        places: HashMap::new(),
        saves: 0,
    }))
}

struct Chunks {
    folder: PathBuf,
    pack: File,
    length: u64,
    /// Where a chunk lies in the pack, and its packed and its own length.
    places: HashMap<Name, (u64, u32, u32)>,
    saves: usize,
}

impl Chunks {
    fn manifest(&self, index: usize) -> PathBuf {
        self.folder.join(format!("{index:06}.manifest"))
    }
}

impl Peer for Chunks {
    fn name(&self) -> String {
        "FastCDC 4 K + BLAKE3 + zstd-3".to_owned()
    }

    fn save(&mut self, bytes: &[u8]) -> Result<()> {
        let mut manifest = Vec::new();
        let mut fresh = Vec::new();
        for chunk in FastCDC::new(bytes, MINIMUM, AVERAGE, MAXIMUM) {
            let data = &bytes[chunk.offset..chunk.offset + chunk.length];
            let name: Name = *blake3::hash(data).as_bytes();
            manifest.extend(name);
            if self.places.contains_key(&name) {
                continue;
            }
            let packed = zstd::bulk::compress(data, LEVEL)?;
            // The pack tells by itself what it holds, so the index needs no file of its own.
            fresh.extend(name);
            fresh.extend((packed.len() as u32).to_le_bytes());
            fresh.extend((data.len() as u32).to_le_bytes());
            let place = self.length + fresh.len() as u64;
            fresh.extend(&packed);
            self.places
                .insert(name, (place, packed.len() as u32, data.len() as u32));
        }
        self.pack.seek(SeekFrom::Start(self.length))?;
        self.pack.write_all(&fresh)?;
        self.length += fresh.len() as u64;
        fs::write(self.manifest(self.saves), manifest)?;
        self.saves += 1;
        Ok(())
    }

    fn finish(&mut self) -> Result<u64> {
        bytes_below(&self.folder)
    }

    fn restore(&mut self, index: usize) -> Result<Vec<u8>> {
        let manifest = fs::read(self.manifest(index))?;
        let mut state = Vec::new();
        for name in manifest.chunks_exact(32) {
            let (place, packed, length) = *self.places.get(name).context("a chunk is missing")?;
            self.pack.seek(SeekFrom::Start(place))?;
            let mut data = vec![0; packed as usize];
            self.pack.read_exact(&mut data)?;
            state.extend(zstd::bulk::decompress(&data, length as usize)?);
        }
        Ok(state)
    }
}
