//! One file that is only appended to, made durable with one `fdatasync` a save: the floor of what
//! a durable store can cost.

use std::fs::{File, OpenOptions};
use std::io::{Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

use super::Peer;
use super::files::bytes_below;

/// The key of this contestant.
pub const KEY: &str = "plain_log";

/// A contestant in an empty folder.
pub fn make(folder: &Path) -> Result<Box<dyn Peer>> {
    Ok(Box::new(PlainLog {
        log: Log::create(&folder.join("log"))?,
        folder: folder.to_owned(),
        places: Vec::new(),
    }))
}

/// A file of records, each after its length in four bytes.
#[derive(Debug)]
pub struct Log {
    file: File,
    length: u64,
    /// What is about to be written; kept, because fresh memory costs more than writing to it.
    batch: Vec<u8>,
}

impl Log {
    /// A new, empty log.
    pub fn create(path: &Path) -> Result<Self> {
        let file = OpenOptions::new()
            .read(true)
            .write(true)
            .create_new(true)
            .open(path)
            .with_context(|| path.display().to_string())?;
        Ok(Self {
            file,
            length: 0,
            batch: Vec::new(),
        })
    }

    /// Appends the records with one write and makes them durable with one `fdatasync`; gives the
    /// place of the first.
    pub fn commit<'a>(&mut self, records: impl IntoIterator<Item = &'a [u8]>) -> Result<u64> {
        let batch = &mut self.batch;
        batch.clear();
        for record in records {
            batch.extend((record.len() as u32).to_le_bytes());
            batch.extend(record);
        }
        self.file.write_all(batch)?;
        self.file.sync_data()?;
        let place = self.length;
        self.length += batch.len() as u64;
        Ok(place)
    }

    /// The record at a place.
    pub fn read(&mut self, place: u64) -> Result<Vec<u8>> {
        let mut length = [0; 4];
        self.file.seek(SeekFrom::Start(place))?;
        self.file.read_exact(&mut length)?;
        let mut record = vec![0; u32::from_le_bytes(length) as usize];
        self.file.read_exact(&mut record)?;
        Ok(record)
    }
}

struct PlainLog {
    folder: PathBuf,
    log: Log,
    places: Vec<u64>,
}

impl Peer for PlainLog {
    fn name(&self) -> String {
        "plain log, one fdatasync".to_owned()
    }

    fn save(&mut self, bytes: &[u8]) -> Result<()> {
        self.places.push(self.log.commit([bytes])?);
        Ok(())
    }

    fn finish(&mut self) -> Result<u64> {
        bytes_below(&self.folder)
    }

    fn restore(&mut self, index: usize) -> Result<Vec<u8>> {
        self.log.read(self.places[index])
    }
}
