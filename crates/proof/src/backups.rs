//! A store that is backed up in proofs, and what is asked of what was restored of it.

use std::fs;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};

use dalsegno::{
    BackedUp, BackupProgress, Engine, MakeBackup, Options, Query, RestoreBackup, Secret,
};
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use tempfile::TempDir;

use crate::Known;
use crate::truth::all_there;

/// For work whose progress nobody looks at.
pub fn go_on(_: BackupProgress) -> ControlFlow<()> {
    ControlFlow::Continue(())
}

/// A folder with a store, and one for its backups.
pub struct Kept {
    pub folder: TempDir,
    pub secret: Option<Secret>,
    /// What is in the store.
    pub known: Vec<Known>,
    random: StdRng,
}

impl Kept {
    /// An empty store, encrypted where there is a secret.
    pub fn new(secret: Option<Secret>, seed: u64) -> Self {
        let kept = Self {
            folder: tempfile::tempdir().unwrap(),
            secret,
            known: Vec::new(),
            random: StdRng::seed_from_u64(seed),
        };
        let engine = kept.options().create(kept.store()).unwrap();
        engine.close().unwrap();
        kept
    }

    /// The same, in another folder.
    pub fn copy(&self) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let copy = |from: &Path, to: &Path| assert!(fs::copy(from, to).is_ok());
        copy(&self.store(), &folder.path().join("store.db"));
        if self.backups().is_dir() {
            let backups = folder.path().join("backups");
            fs::create_dir(&backups).unwrap();
            for entry in fs::read_dir(self.backups()).unwrap() {
                let entry = entry.unwrap();
                copy(&entry.path(), &backups.join(entry.file_name()));
            }
        }
        Self {
            folder,
            secret: self.secret.clone(),
            known: self.known.clone(),
            random: StdRng::seed_from_u64(self.known.len() as u64),
        }
    }

    pub fn store(&self) -> PathBuf {
        self.folder.path().join("store.db")
    }

    pub fn backups(&self) -> PathBuf {
        self.folder.path().join("backups")
    }

    pub fn options(&self) -> Options {
        match &self.secret {
            Some(secret) => Options::default().secret(secret.clone()),
            None => Options::default(),
        }
    }

    pub fn open(&self) -> Engine {
        self.options().open(self.store()).unwrap()
    }

    /// Saves so many states of about so many bytes, which no compression makes much smaller, to five sessions, and closes the
    /// store.
    pub fn save(&mut self, count: usize, bytes: usize) {
        let engine = self.open();
        let mut submitted = Vec::new();
        for n in 0..count {
            let noise: String = (0..bytes).map(|_| self.random.sample(Base64)).collect();
            let text = format!("{{\"n\":{n},\"noise\":\"{noise}\"}}").into_bytes();
            let save = engine.save_json(&format!("noise/{}", n % 5), text.clone());
            submitted.push((save.submit(), text));
        }
        for (ticket, text) in submitted {
            let snapshot = ticket.wait().unwrap();
            self.known.push(Known { snapshot, text });
        }
        engine.close().unwrap();
    }

    /// Makes a backup.
    ///
    /// # Errors
    /// As [`Engine::back_up`].
    pub fn back_up(&self, how: &MakeBackup) -> dalsegno::Result<BackedUp> {
        let engine = self.open();
        let made = engine.back_up(how, &mut go_on);
        engine.close()?;
        made
    }

    /// Restores the backup in that archive, or the newest in that folder, to a place of its own.
    pub fn restored(&self, from: &Path) -> Engine {
        let into = tempfile::tempdir_in(self.folder.path()).unwrap().keep();
        let into = into.join("again.db");
        let restored = self
            .options()
            .restore_backup(&RestoreBackup::of(from), &into, &mut go_on)
            .unwrap();
        assert!(restored.verification.is_intact() && restored.lost.is_empty());
        self.options().open(into).unwrap()
    }

    /// What is in `engine` is what is known, and nothing else.
    ///
    /// # Errors
    /// What is not so.
    pub fn is_exactly(&self, engine: &Engine) -> Result<(), String> {
        all_there(engine, &self.known)?;
        let all = Query {
            limit: usize::MAX,
            ..Query::default()
        };
        let page = engine.list(&all).map_err(|e| e.to_string())?;
        let (found, known) = (page.snapshots.len(), self.known.len());
        if found != known {
            return Err(format!("{found} snapshots, not {known}"));
        }
        let verified = engine.verify(None).map_err(|e| e.to_string())?;
        if !verified.is_intact() {
            return Err(format!("{:?}", verified.damage));
        }
        Ok(())
    }
}

/// Characters that carry six bits each.
struct Base64;

impl rand::distr::Distribution<char> for Base64 {
    fn sample<R: rand::Rng + ?Sized>(&self, random: &mut R) -> char {
        const ALL: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-";
        char::from(ALL[random.random_range(0..64)])
    }
}
