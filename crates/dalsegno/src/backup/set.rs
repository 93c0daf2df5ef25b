//! A backup with all archives that it needs, open for reading.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::ops::ControlFlow;
use std::path::Path;

use super::archive::{Archive, Unlocked};
use super::blocks::{ArchiveId, Health};
use super::contents::{About, Contents, Segment, Table, cancelled, shown};
use super::folder::{self, no_end};
use super::keys::Keys;
use crate::error::{Error, Result};
use crate::key::Secret;
use crate::model::{SnapshotId, StoreId};
use crate::store::Rows;

/// How far some work on a backup is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct BackupProgress {
    /// What is being done.
    pub step: BackupStep,
    /// Bytes that are done of it.
    pub done: u64,
    /// Bytes that it will be, where that is known.
    pub total: Option<u64>,
}

/// What is being done to a backup.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum BackupStep {
    /// Archives are read and proved.
    Checking,
    /// The store is read, and written to the archive.
    Reading,
    /// The archive is read back, and parity added.
    Parity,
    /// Rows are put into the restored store.
    Restoring,
    /// The restored store is proved.
    Verifying,
}

/// Who is told how far the work is, and may cancel it.
pub(super) type Progress<'a> = &'a mut dyn FnMut(BackupProgress) -> ControlFlow<()>;

/// Says how far a step is; an error where it is cancelled.
pub(super) fn tell(
    progress: Progress<'_>,
    step: BackupStep,
    done: u64,
    total: Option<u64>,
) -> Result<()> {
    match progress(BackupProgress { step, done, total }) {
        ControlFlow::Continue(()) => Ok(()),
        ControlFlow::Break(()) => Err(cancelled()),
    }
}

/// Rows that cannot be had from a backup any more.
#[derive(Debug, Clone, Default, PartialEq, Eq, serde::Serialize)]
#[non_exhaustive]
pub struct LostRows {
    /// What they are, and how many.
    pub what: String,
    /// Sessions of which nothing is left but their snapshots, by name.
    pub sessions: Vec<String>,
    /// Snapshots.
    pub snapshots: Vec<SnapshotId>,
}

impl LostRows {
    /// What was in a segment.
    pub(super) fn of(segment: &Segment, about: Option<&About>, store: &StoreId) -> Self {
        let mut lost = Self {
            what: format!("{} {}", segment.rows, segment.table.rows(segment.rows)),
            ..Self::default()
        };
        let mut seq: i64 = 0;
        if let Some(about) = about {
            lost.sessions = about
                .sessions
                .iter()
                .map(|(_, name)| name.clone())
                .collect();
            for (distance, _) in &about.snapshots {
                seq = seq.wrapping_add(*distance);
                lost.snapshots.push(SnapshotId::new(seq, store));
            }
        }
        lost
    }
}

/// A backup, open with all archives that it needs.
pub(super) struct Set {
    newest: Unlocked,
    others: Vec<Unlocked>,
    pub(super) contents: Contents,
    pub(super) keys: Keys,
    /// The health of each archive, by its file.
    pub(super) health: Vec<(std::path::PathBuf, Health)>,
}

impl Set {
    /// Opens the backup in that archive, finds the others that it needs in the same folder, and looks at every block of them.
    ///
    /// # Errors
    /// `WrongKey` where `secret` does not open it; `NotFound` where an archive that it needs is not there; `Damaged` where its
    /// table of contents is lost; `Storage` where the disk refuses.
    pub(super) fn open(
        path: &Path,
        secret: Option<&Secret>,
        progress: Progress<'_>,
    ) -> Result<Self> {
        let newest = Archive::open(path)?;
        let keys = newest.keys(secret)?;
        Self::open_with(newest, keys, Some(progress))
    }

    /// The same; where nobody is to hear of it, blocks are not looked at before they are read.
    pub(super) fn open_with(
        mut newest: Archive,
        keys: Keys,
        mut progress: Option<Progress<'_>>,
    ) -> Result<Self> {
        let path = newest.path().clone();
        let needed = match &newest.summary {
            Some(summary) => summary.others.clone(),
            None => return Err(no_end(&newest)),
        };
        let among = if needed.is_empty() {
            Vec::new()
        } else {
            folder::beside(&path)?
        };
        let mut done = 0;
        let mut check = |archive: &mut Archive| {
            let Some(progress) = &mut progress else {
                return Ok::<_, Error>(None);
            };
            let found = archive.check(&mut |bytes| {
                done += bytes;
                tell(progress, BackupStep::Checking, done, None)
            })?;
            Ok(Some((archive.path().clone(), found)))
        };
        let mut health = Vec::new();
        health.extend(check(&mut newest)?);
        let mut others = Vec::new();
        for id in &needed {
            let mut taken = None;
            // Of copies one that is whole.
            for file in folder::copies(&among, id) {
                let mut archive = Archive::open(file)?;
                let found = check(&mut archive)?;
                let is_whole = found.as_ref().is_none_or(|(_, it)| it.is_whole());
                if is_whole || taken.is_none() {
                    taken = Some((archive, found));
                }
                if is_whole {
                    break;
                }
            }
            let (archive, found) = taken.ok_or_else(|| missing(&path, id))?;
            health.extend(found);
            others.push(archive.unlock(&keys)?);
        }
        let newest = newest.unlock(&keys)?;
        let Some(contents) = newest.contents(&keys)? else {
            return Err(no_contents(&path));
        };
        Ok(Self {
            newest,
            others,
            contents,
            keys,
            health,
        })
    }

    pub(super) fn newest(&self) -> &Archive {
        &self.newest.archive
    }

    fn archive(&self, of: &Segment) -> Option<&Unlocked> {
        match of.archive {
            0 => Some(&self.newest),
            other => self.others.get(other as usize - 1),
        }
    }

    /// The rows of a segment; nothing, where they are lost.
    ///
    /// # Errors
    /// `Damaged` where they are proved, but no rows.
    pub(super) fn rows(&self, of: &Segment) -> Result<Option<Rows>> {
        match self.archive(of) {
            Some(archive) => archive.rows(of, &self.keys),
            None => Ok(None),
        }
    }

    /// Visits the rows of one table, segment by segment. Returns the segments that are lost.
    pub(super) fn each(
        &self,
        table: Table,
        visit: &mut dyn FnMut(Rows) -> Result<()>,
    ) -> Result<Vec<&Segment>> {
        let mut lost = Vec::new();
        for segment in &self.contents.segments {
            if segment.table == table {
                match self.rows(segment)? {
                    Some(rows) => visit(rows)?,
                    None => lost.push(segment),
                }
            }
        }
        Ok(lost)
    }

    /// Looks at every block, and makes again what can be.
    pub(super) fn mend(&mut self) -> Result<()> {
        for it in std::iter::once(&mut self.newest).chain(&mut self.others) {
            it.archive.check(&mut |_| Ok(()))?;
        }
        Ok(())
    }

    /// Reads and proves every segment; what is lost.
    pub(super) fn check(&self, progress: Progress<'_>) -> Result<Vec<LostRows>> {
        let mut lost: Vec<&Segment> = Vec::new();
        let mut done = 0;
        let total = self.contents.summary.bytes;
        for segment in &self.contents.segments {
            if self.rows(segment)?.is_none() {
                lost.push(segment);
            }
            done += u64::from(segment.bytes);
            tell(progress, BackupStep::Checking, done, Some(total))?;
        }
        self.name(&lost)
    }

    /// What was in segments that are lost.
    fn name(&self, lost: &[&Segment]) -> Result<Vec<LostRows>> {
        let store = &self.newest().head.store;
        let named = lost.iter().zip(self.about(lost)?);
        Ok(named
            .map(|(segment, about)| LostRows::of(segment, about.as_ref(), store))
            .collect())
    }

    /// What segments are about, where their archives still say it.
    pub(super) fn about(&self, of: &[&Segment]) -> Result<Vec<Option<About>>> {
        let mut of_others: BTreeMap<u32, BTreeMap<u32, About>> = BTreeMap::new();
        let mut found = Vec::new();
        for segment in of {
            let about = if segment.archive == 0 {
                &self.contents.about
            } else {
                if let Entry::Vacant(entry) = of_others.entry(segment.archive) {
                    let contents = self.archive(segment).map(|it| it.contents(&self.keys));
                    let contents = contents.transpose()?.flatten();
                    entry.insert(contents.map(|it| it.about).unwrap_or_default());
                }
                &of_others[&segment.archive]
            };
            found.push(about.get(&segment.number).cloned());
        }
        Ok(found)
    }
}

pub(super) fn missing(path: &Path, id: &ArchiveId) -> Error {
    let (path, id) = (path.display(), shown(id));
    Error::not_found(format!(
        "{path} needs the backup {id}, which is not in its folder"
    ))
}

pub(super) fn no_contents(path: &Path) -> Error {
    let path = path.display();
    Error::damaged(format!(
        "{path}: its table of contents is lost, beyond what its parity makes again; restore an earlier backup"
    ))
}
