//! Proving archives without restoring them.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};

use super::archive::Archive;
use super::blocks::{ArchiveId, Health};
use super::contents::Contents;
use super::folder::{self, Backup};
use super::set::{BackupProgress, BackupStep, LostRows, Set, missing, no_contents, tell};
use crate::error::{Error, ErrorKind, Result};
use crate::key::Secret;
use crate::model::StoreId;

/// What was proved of backups.
#[derive(Debug, Clone, Default, serde::Serialize)]
#[non_exhaustive]
pub struct BackupCheck {
    /// Each archive, the oldest first.
    pub archives: Vec<BackupHealth>,
}

impl BackupCheck {
    /// Whether each of them can be restored, all of it.
    #[must_use]
    pub fn is_whole(&self) -> bool {
        self.archives.iter().all(BackupHealth::is_whole)
    }
}

/// What was proved of one archive.
#[derive(Debug, Clone, serde::Serialize)]
#[non_exhaustive]
pub struct BackupHealth {
    /// Its file.
    pub path: PathBuf,
    /// What it says of itself, where that can be read.
    pub backup: Option<Backup>,
    /// Its blocks.
    pub health: Option<Health>,
    /// What of the backup is lost, with this archive or one that it needs.
    pub lost: Vec<LostRows>,
    /// Why it cannot be restored at all.
    pub error: Option<Error>,
}

impl BackupHealth {
    /// Whether all of it can be restored.
    #[must_use]
    pub fn is_whole(&self) -> bool {
        self.error.is_none() && self.lost.is_empty()
    }
}

/// Reads every byte of the backup at `path`, or of all backups in that folder, and proves it, with those that they need: that
/// each can be restored, and what is lost where not. Nothing is changed. `progress` hears how far it is, and may cancel
/// it with `Break`.
///
/// # Errors
/// `NotFound` where there is no backup; `WrongKey` where `secret` opens none of them; `Storage` where the disk refuses. Damage
/// is no error here: it is in the report.
pub fn verify_backup(
    path: impl AsRef<Path>,
    secret: Option<&Secret>,
    progress: &mut dyn FnMut(BackupProgress) -> ControlFlow<()>,
) -> Result<BackupCheck> {
    let path = path.as_ref();
    let there = folder::list_backups(path)?;
    let mut found = BackupCheck::default();
    for unreadable in there.unreadable {
        found.archives.push(BackupHealth {
            path: unreadable.path,
            backup: None,
            health: None,
            lost: Vec::new(),
            error: Some(unreadable.why),
        });
    }
    if there.complete.is_empty() && found.archives.is_empty() {
        let shown = path.display();
        return Err(Error::not_found(format!("there is no backup in {shown}")));
    }
    let beside = if path.is_dir() {
        Vec::new()
    } else {
        folder::beside(path)?.0
    };
    // Each file once, however many need what is in it.
    let mut proved = Proofs::default();
    let mut read = 0;
    let mut tell = |bytes: u64| {
        read += bytes;
        tell(progress, BackupStep::Checking, read, None)
    };
    for backup in &there.complete {
        for id in proved.read(&backup.path, secret, &mut tell)? {
            for file in folder::copies(&beside, &id) {
                proved.read(file, secret, &mut tell)?;
            }
        }
    }
    for backup in there.complete {
        let one = proved.of_file(&backup.path);
        let mut health = BackupHealth {
            path: backup.path.clone(),
            health: one.and_then(|one| one.health),
            backup: Some(backup),
            lost: Vec::new(),
            error: None,
        };
        match one.map(|one| one.lost(&proved)) {
            Some(Ok(Some(lost))) => health.lost = lost,
            // What it needs does not say what it has: that is looked at segment by segment.
            Some(Ok(None)) => {
                let mut set = Set::open(&health.path, secret, progress)?;
                health.lost = set.check(progress)?;
            }
            Some(Err(error)) => health.error = Some(error),
            None => {}
        }
        found.archives.push(health);
    }
    // That opens none of them, it is the secret that is wrong, not a backup.
    let closed = |it: &&BackupHealth| {
        let error = it.error.as_ref();
        error.is_some_and(|error| error.kind() == ErrorKind::WrongKey)
    };
    let first = found.archives.iter().find(closed);
    match first.and_then(|it| it.error.clone()) {
        Some(error) if found.archives.iter().all(|it| closed(&it)) => Err(error),
        _ => Ok(found),
    }
}

/// What was proved of each file.
#[derive(Default)]
struct Proofs(Vec<Proved>);

impl Proofs {
    /// Proves the archive in a file, if that is not done yet. Returns which others it needs.
    fn read(
        &mut self,
        path: &Path,
        secret: Option<&Secret>,
        progress: &mut dyn FnMut(u64) -> Result<()>,
    ) -> Result<Vec<ArchiveId>> {
        if self.of_file(path).is_some() {
            return Ok(Vec::new());
        }
        let one = Proved::read(path, secret, progress)?;
        let needed = one.needed().to_vec();
        self.0.push(one);
        Ok(needed)
    }

    fn of_file(&self, path: &Path) -> Option<&Proved> {
        self.0.iter().find(|one| one.path == path)
    }

    /// An archive may lie there several times: a whole one is what a restore takes too.
    fn of(&self, id: &ArchiveId) -> Option<&Proved> {
        let copies = || self.0.iter().filter(|one| one.archive == *id);
        copies().find(|one| one.is_whole()).or(copies().next())
    }
}

/// What an archive proved to have of its own.
struct Proved {
    path: PathBuf,
    store: StoreId,
    archive: ArchiveId,
    health: Option<Health>,
    contents: Result<Contents>,
    /// The numbers of frames of rows that are lost.
    lost: BTreeSet<u32>,
    /// The names of sessions that its rows have.
    names: BTreeMap<i64, String>,
}

impl Proved {
    fn read(
        path: &Path,
        secret: Option<&Secret>,
        progress: &mut dyn FnMut(u64) -> Result<()>,
    ) -> Result<Self> {
        let mut archive = Archive::open(path)?;
        let mut one = Self {
            path: path.to_owned(),
            store: archive.head.store,
            archive: archive.head.archive,
            health: Some(archive.check(progress)?),
            contents: Err(no_contents(path)),
            lost: BTreeSet::new(),
            names: BTreeMap::new(),
        };
        // One in clear is from before the store was encrypted.
        let keys = archive.keys(secret.filter(|_| archive.head.is_sealed));
        let (keys, archive) = match keys.and_then(|keys| Ok((archive.unlock(&keys)?, keys))) {
            Ok((archive, keys)) => (keys, archive),
            Err(error) => {
                one.contents = Err(error);
                return Ok(one);
            }
        };
        match archive.contents(&keys) {
            Ok(Some(contents)) => {
                for segment in contents.segments.iter().filter(|it| it.archive == 0) {
                    match archive.rows(segment, &keys)? {
                        Some(rows) => {
                            let sessions = rows.sessions.into_iter();
                            one.names.extend(sessions.map(|row| (row.id, row.name)));
                        }
                        None => {
                            one.lost.insert(segment.number);
                        }
                    }
                }
                one.contents = Ok(contents);
            }
            Ok(None) => {}
            Err(error) => one.contents = Err(error),
        }
        Ok(one)
    }

    fn is_whole(&self) -> bool {
        self.contents.is_ok() && self.lost.is_empty()
    }

    fn needed(&self) -> &[ArchiveId] {
        let contents = self.contents.as_ref();
        contents.map_or(&[], |contents| &contents.summary.others)
    }

    /// What of the backup is lost with any of these; nothing, where one that it needs does not say what it has.
    fn lost(&self, among: &Proofs) -> Result<Option<Vec<LostRows>>> {
        let contents = self.contents.as_ref().map_err(Clone::clone)?;
        let mut owners = vec![(self, contents)];
        for id in &contents.summary.others {
            let owner = among.of(id).ok_or_else(|| missing(&self.path, id))?;
            let Ok(contents) = &owner.contents else {
                return Ok(None);
            };
            owners.push((owner, contents));
        }
        let names = owners.iter().rev().flat_map(|(owner, _)| &owner.names);
        let names = names.map(|(id, name)| (*id, name.clone())).collect();
        let mut lost = Vec::new();
        for segment in &contents.segments {
            if let Some((owner, contents)) = owners.get(segment.archive as usize)
                && owner.lost.contains(&segment.number)
            {
                let about = contents.about.get(&segment.number);
                lost.push(LostRows::of(segment, about, &self.store, &names));
            }
        }
        Ok(Some(lost))
    }
}
