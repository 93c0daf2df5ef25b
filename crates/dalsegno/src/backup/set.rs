//! A backup with all archives that it needs, open for reading.

use std::collections::btree_map::Entry;
use std::collections::{BTreeMap, BTreeSet};
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};

use super::archive::{Archive, Unlocked};
use super::blocks::{ArchiveId, Health};
use super::contents::{About, Contents, Segment, Table, cancelled, shown};
use super::folder::{self, Known, no_end};
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
    /// The sessions that they are of, by name, or by number where the names are lost too.
    pub sessions: Vec<String>,
    /// The snapshots whose rows they are: names, times and where their states are found, not the states.
    pub snapshots: Vec<SnapshotId>,
}

impl LostRows {
    /// What was in a segment; `names` are those of sessions that are left.
    pub(super) fn of(
        segment: &Segment,
        about: Option<&About>,
        store: &StoreId,
        names: &BTreeMap<i64, String>,
    ) -> Self {
        let word = if segment.rows == 1 { "row" } else { "rows" };
        let mut lost = Self {
            what: format!("{} {word} of {}", segment.rows, segment.table.rows()),
            ..Self::default()
        };
        let mut seq: i64 = 0;
        let mut sessions = BTreeMap::new();
        if let Some(about) = about {
            sessions.extend(about.sessions.iter().map(|(id, name)| (*id, name.clone())));
            for (distance, session) in &about.snapshots {
                seq = seq.wrapping_add(*distance);
                lost.snapshots.push(SnapshotId::new(seq, store));
                sessions.entry(*session).or_default();
            }
        }
        lost.sessions = sessions
            .into_iter()
            .map(|(id, name)| match names.get(&id) {
                Some(known) if name.is_empty() => known.clone(),
                None if name.is_empty() => format!("number {id}"),
                _ => name,
            })
            .collect();
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
    pub(super) health: Vec<(PathBuf, Health)>,
    /// Which segments are lost, once all of them were read.
    lost: Option<BTreeSet<(u32, u32)>>,
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
        newest: Archive,
        keys: Keys,
        mut progress: Option<Progress<'_>>,
    ) -> Result<Self> {
        let path = newest.path().clone();
        let needed = match &newest.summary {
            Some(summary) => summary.others.clone(),
            None => return Err(no_end(&newest)),
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
        let mut whole = |first: Option<Archive>, among: &[Known], id: &ArchiveId| {
            let mut copies = folder::copies(among, id);
            let mut next =
                first.map_or_else(|| copies.next().map(Archive::open), |it| Some(Ok(it)));
            let mut taken = None;
            // Of copies one that is whole.
            while let Some(archive) = next {
                let mut archive = archive?;
                let health = check(&mut archive)?;
                let is_whole = health.as_ref().is_none_or(|(_, it)| it.is_whole());
                if is_whole || taken.is_none() {
                    taken = Some((archive, health));
                }
                if is_whole {
                    break;
                }
                next = copies.next().map(Archive::open);
            }
            Ok::<_, Error>(taken)
        };
        let (among, _) = folder::beside(&path)?;
        let id = newest.head.archive;
        let found = whole(Some(newest), &among, &id)?;
        let (newest, found) = found.ok_or_else(|| missing(&path, &id))?;
        let mut health: Vec<_> = found.into_iter().collect();
        let mut others = Vec::new();
        for id in &needed {
            let found = whole(None, &among, id)?;
            let (archive, found) = found.ok_or_else(|| missing(&path, id))?;
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
            lost: None,
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
    /// `Damaged` where they are proved, but no rows; and where they could be read before.
    pub(super) fn rows(&self, of: &Segment) -> Result<Option<Rows>> {
        let rows = match self.archive(of) {
            Some(archive) => archive.rows(of, &self.keys)?,
            None => None,
        };
        if rows.is_none()
            && let Some(lost) = &self.lost
            && !lost.contains(&(of.archive, of.number))
        {
            let path = self.newest().path().display();
            return Err(Error::damaged(format!(
                "{path}, or one that it needs, was read a moment ago, and cannot be read any more: its disk fails"
            )));
        }
        Ok(rows)
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
    pub(super) fn check(&mut self, progress: Progress<'_>) -> Result<Vec<LostRows>> {
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
        let named = self.name(&lost)?;
        let lost = lost.iter().map(|it| (it.archive, it.number)).collect();
        self.lost = Some(lost);
        Ok(named)
    }

    /// The names of sessions whose rows are lost, by their numbers; and whether all of them are known.
    pub(super) fn lost_sessions(&self) -> Result<(BTreeMap<i64, String>, bool)> {
        let lost = self.lost.as_ref();
        let of = |it: &&Segment| {
            it.table == Table::Session
                && lost.is_some_and(|lost| lost.contains(&(it.archive, it.number)))
        };
        let lost: Vec<&Segment> = self.contents.segments.iter().filter(of).collect();
        let (mut names, mut all) = (BTreeMap::new(), true);
        for about in self.about(&lost)? {
            all &= about.is_some();
            names.extend(about.into_iter().flat_map(|it| it.sessions));
        }
        Ok((names, all))
    }

    /// What was in segments that are lost.
    fn name(&self, lost: &[&Segment]) -> Result<Vec<LostRows>> {
        let store = &self.newest().head.store;
        let mut names = BTreeMap::new();
        if !lost.is_empty() {
            self.each(Table::Session, &mut |rows| {
                names.extend(rows.sessions.into_iter().map(|row| (row.id, row.name)));
                Ok(())
            })?;
        }
        let named = lost.iter().zip(self.about(lost)?);
        Ok(named
            .map(|(segment, about)| LostRows::of(segment, about.as_ref(), store, &names))
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
