//! The engine, on its embedded store: once open for the whole day, once opened and closed for every
//! save and every restore, as a command is that runs once each time.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use bytes::Bytes;
use dalsegno::{Engine, Kind};

use super::Peer;
use super::files::bytes_below;

/// The key of the engine that stays open.
pub const KEY: &str = "dalsegno";
/// The key of the engine that is opened each time.
pub const KEY_EACH: &str = "dalsegno_each";

const SESSION: &str = "bench/1";

/// A contestant in an empty folder.
pub fn make(folder: &Path) -> Result<Box<dyn Peer>> {
    Ok(Box::new(Dalsegno::create(folder, false)?))
}

/// The same, opened and closed each time.
pub fn make_each(folder: &Path) -> Result<Box<dyn Peer>> {
    Ok(Box::new(Dalsegno::create(folder, true)?))
}

/// One session in a store.
pub struct Dalsegno {
    folder: PathBuf,
    each: bool,
    engine: Option<Engine>,
    ids: Vec<String>,
}

impl Dalsegno {
    /// A new store in an empty folder; with `each`, it is opened and closed each time.
    pub fn create(folder: &Path, each: bool) -> Result<Self> {
        let engine = Engine::create(folder)?;
        let mut peer = Self {
            folder: folder.to_owned(),
            each,
            engine: None,
            ids: Vec::new(),
        };
        peer.done(engine)?;
        Ok(peer)
    }

    /// The open engine, or one that is opened now.
    fn take(&mut self) -> Result<Engine> {
        match self.engine.take() {
            Some(engine) => Ok(engine),
            None => self.open(),
        }
    }

    fn done(&mut self, engine: Engine) -> Result<()> {
        if self.each {
            engine.close()?;
        } else {
            self.engine = Some(engine);
        }
        Ok(())
    }

    /// Another engine on the same store.
    pub fn open(&self) -> Result<Engine> {
        Ok(Engine::open(&self.folder)?)
    }

    /// The id of the snapshot of a state.
    pub fn id(&self, index: usize) -> Result<&str> {
        let id = self.ids.get(index).context("no such state was saved")?;
        Ok(id)
    }
}

impl Peer for Dalsegno {
    fn name(&self) -> String {
        if self.each {
            "Dalsegno, opened and closed each time".to_owned()
        } else {
            "Dalsegno".to_owned()
        }
    }

    fn save(&mut self, bytes: &[u8]) -> Result<()> {
        let engine = self.take()?;
        let save = engine.save_json(SESSION, Bytes::copy_from_slice(bytes));
        let snapshot = save.kind(Kind::Auto).commit()?;
        self.ids.push(snapshot.id.to_string());
        self.done(engine)
    }

    fn finish(&mut self) -> Result<u64> {
        if let Some(engine) = self.engine.take() {
            engine.close()?;
        }
        bytes_below(&self.folder)
    }

    fn restore(&mut self, index: usize) -> Result<Vec<u8>> {
        let engine = self.take()?;
        let text = engine.restore(self.id(index)?)?.into_text();
        self.done(engine)?;
        Ok(text)
    }
}
