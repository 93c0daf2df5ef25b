//! A house that is kept: a store with its files, the verbs done to it one by one, and what it looks like
//! after each.
//!
//! Each deed has a time of its own, so that the same deeds on a copy give the same ids: what a deed that was
//! cut off should have come to is found by doing it again where nothing cuts it off.

mod choose;
mod deed;
mod halfway;
mod left;
mod picture;

pub use choose::choose;
pub use deed::{Deed, furnish};
pub use halfway::{Found, judge};
pub use left::leave;
pub use picture::Picture;

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use dalsegno::clock::Clock;
use dalsegno::store::SqliteOptions;
use dalsegno::{Engine, Options, Result, Secret};
use dalsegno_faults::Disk;
use jiff::Timestamp;

use crate::STORE;

/// The name of a session that loses items.
pub fn guarded(who: u64) -> String {
    format!("g/{who}")
}

/// How many files there are to restore to.
const FILES: usize = 2;

/// A clock that is set by hand.
#[derive(Default)]
struct Hands(AtomicI64);

impl Clock for Hands {
    fn now(&self) -> Timestamp {
        Timestamp::from_second(self.0.load(Ordering::Relaxed)).unwrap()
    }

    fn random(&self) -> [u8; 16] {
        [7; 16]
    }
}

/// A store, and the folder with the files that it restores to.
pub struct House {
    folder: PathBuf,
    store: PathBuf,
    hands: Arc<Hands>,
    options: Options,
    engine: Option<Engine>,
}

impl House {
    /// The store stands in the folder too.
    pub fn at(folder: &Path) -> Self {
        Self::with(folder, folder.join(STORE), SqliteOptions::default())
    }

    /// The store stands on a simulated disk; files are real, and no power loss takes them.
    pub fn on(disk: &Disk, folder: &Path) -> Self {
        let sqlite = SqliteOptions {
            vfs: Some(disk.vfs_name().to_owned()),
            ..SqliteOptions::default()
        };
        Self::with(folder, STORE.into(), sqlite)
    }

    fn with(folder: &Path, store: PathBuf, sqlite: SqliteOptions) -> Self {
        let hands = Arc::new(Hands::default());
        let options = Options::default()
            .clock(Arc::clone(&hands) as _)
            .sqlite(sqlite);
        let folder = folder.to_owned();
        let house = Self {
            folder,
            store,
            hands,
            options,
            engine: None,
        };
        house.set_clock(0);
        house
    }

    /// The store is, or is to be, encrypted.
    #[must_use]
    pub fn sealed(mut self, secret: Secret) -> Self {
        self.options = self.options.secret(secret);
        self
    }

    /// When a deed is done: it is a minute later with each.
    pub fn time(n: u64) -> Timestamp {
        let second = 1_790_000_000 + 60 * i64::try_from(n).unwrap();
        Timestamp::from_second(second).unwrap()
    }

    fn set_clock(&self, n: u64) {
        let second = Self::time(n).as_second();
        self.hands.0.store(second, Ordering::Relaxed);
    }

    /// # Errors
    /// As [`Engine::create`].
    pub fn create(&mut self) -> Result<()> {
        self.engine = Some(self.options.clone().create(&self.store)?);
        Ok(())
    }

    /// # Errors
    /// As [`Engine::open`], if it is not open.
    pub fn engine(&mut self) -> Result<&Engine> {
        if self.engine.is_none() {
            self.engine = Some(self.options.clone().open(&self.store)?);
        }
        Ok(self.engine.as_ref().unwrap())
    }

    /// # Errors
    /// As [`Engine::close`].
    pub fn close(&mut self) -> Result<()> {
        self.engine.take().map_or(Ok(()), Engine::close)
    }

    /// The `n`-th file that can be restored to.
    fn file(&self, n: usize) -> PathBuf {
        self.folder.join(format!("out-{}.json", n % FILES))
    }

    /// Does one deed, at its time; what it answered.
    ///
    /// # Errors
    /// The deed's.
    pub fn run(&mut self, n: u64, deed: &Deed) -> Result<String> {
        self.set_clock(n);
        deed.run(self)
    }

    /// As [`run`](Self::run), with errors as words too.
    pub fn answer(&mut self, n: u64, deed: &Deed) -> String {
        match self.run(n, deed) {
            Ok(answer) => answer,
            Err(error) => format!("error: {}", error.kind()),
        }
    }

    /// What stands in the files now.
    pub fn files(&self) -> Vec<Option<Vec<u8>>> {
        let files = (0..FILES).map(|n| std::fs::read(self.file(n)).ok());
        files.collect()
    }

    /// Everything that can be seen of it, proved.
    ///
    /// # Errors
    /// What is not whole.
    pub fn picture(&mut self) -> std::result::Result<Picture, String> {
        let files = self.files();
        let engine = self.engine().map_err(|e| format!("does not open: {e}"))?;
        Picture::of(engine, files)
    }

    /// Puts the files back as they are in a picture.
    pub fn put_files(&self, picture: &Picture) {
        self.write_files(&picture.files);
    }

    /// Puts these into the files.
    pub fn write_files(&self, files: &[Option<Vec<u8>>]) {
        for (n, text) in files.iter().enumerate() {
            match text {
                Some(text) => std::fs::write(self.file(n), text).unwrap(),
                None => drop(std::fs::remove_file(self.file(n))),
            }
        }
    }
}
