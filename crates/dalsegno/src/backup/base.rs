//! What a backup goes on from: which segments of rows other archives have already.

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use super::archive::Archive;
use super::blocks::ArchiveId;
use super::contents::{BackupKind, Segment, is_cancelled, shown};
use super::create::Since;
use super::folder::{self, UnreadableBackup};
use super::keys::{ContentId, Keys};
use super::set::{Progress, Set};
use crate::engine::Engine;
use crate::error::{Error, ErrorKind, Result};

impl Engine {
    /// What the backup goes on from.
    pub(super) fn base(
        &self,
        since: &Since,
        folder: &Path,
        keys: &Keys,
        progress: Progress<'_>,
    ) -> Result<Base> {
        let mut passed_over = Vec::new();
        match since {
            Since::Nothing => {}
            Since::Last => {
                let (store, mark) = (self.store().info().id, keys.mark()?);
                let (mut there, unreadable) = folder::beside(folder)?;
                passed_over.extend(unreadable);
                there.retain(|(_, head, _)| (head.store, head.mark) == (store, mark));
                there.sort_by_key(|(_, _, summary)| summary.as_ref().map(|it| it.taken_at));
                for (path, ..) in there.into_iter().rev() {
                    match self.known(&path, keys, progress) {
                        Ok(known) => {
                            return Ok(known.into_base(BackupKind::Incremental, passed_over));
                        }
                        Err(error) if is_cancelled(&error) => return Err(error),
                        Err(why) => passed_over.push(UnreadableBackup { path, why }),
                    }
                }
            }
            Since::Base(base) => {
                let mut why = None;
                for path in named(base, folder)? {
                    match self.known(&path, keys, progress) {
                        Ok(known) => {
                            return Ok(known.into_base(BackupKind::Differential, passed_over));
                        }
                        Err(error) if is_cancelled(&error) => return Err(error),
                        Err(error) => why = Some(error),
                    }
                }
                return Err(why.unwrap_or_else(|| no_base(base)));
            }
        }
        Ok(Base {
            kind: BackupKind::Full,
            known: Known::default(),
            passed_over,
        })
    }

    /// What a backup has, if all of it is there.
    fn known(&self, path: &Path, keys: &Keys, progress: Progress<'_>) -> Result<Known> {
        let archive = Archive::open(path)?;
        let shown_path = path.display();
        if archive.head.store != self.store().info().id {
            return Err(Error::invalid(format!(
                "{shown_path} is a backup of another store"
            )));
        }
        if archive.head.mark != keys.mark()? {
            return Err(Error::invalid(format!(
                "{shown_path} was made before encryption was turned on or off; make a full backup"
            )));
        }
        let set = Set::open_with(archive, keys.clone(), Some(progress))?;
        for (file, health) in &set.health {
            if !health.is_whole() {
                let file = file.display();
                return Err(Error::damaged(format!(
                    "{file} is damaged beyond what its parity makes again"
                )));
            }
        }
        Ok(Known::of(&set))
    }
}

/// The archive that `base` names, a file or the beginning of an id in that folder, and its copies there.
fn named(base: &str, folder: &Path) -> Result<Vec<PathBuf>> {
    let path = Path::new(base);
    if path.is_file() {
        return Ok(vec![path.to_owned()]);
    }
    let (mut found, _) = folder::beside(folder)?;
    found.retain(|(path, head, _)| {
        let named = path.file_name().is_some_and(|it| it == base);
        named || (base.len() >= 4 && shown(&head.archive).starts_with(base))
    });
    let first = found.first().map(|(_, head, _)| head.archive);
    if let Some((other, ..)) = found
        .iter()
        .find(|(_, head, _)| Some(head.archive) != first)
    {
        let (one, other) = (found[0].0.display(), other.display());
        return Err(Error::new(
            ErrorKind::Ambiguous,
            format!("'{base}' is {one} and {other}; give more of the id"),
        ));
    }
    Ok(found.into_iter().map(|(path, ..)| path).collect())
}

fn no_base(base: &str) -> Error {
    Error::not_found(format!(
        "there is no backup '{base}': give its file, or the beginning of its id"
    ))
}

/// What a backup goes on from.
pub(super) struct Base {
    pub(super) kind: BackupKind,
    pub(super) known: Known,
    /// Backups that this one could have gone on from, were they whole.
    pub(super) passed_over: Vec<UnreadableBackup>,
}

/// Segments that other archives have.
#[derive(Default)]
pub(super) struct Known {
    /// Those that have some, the base first.
    others: Vec<ArchiveId>,
    segments: HashMap<ContentId, Segment>,
}

impl Known {
    fn of(set: &Set) -> Self {
        let base = set.newest().head.archive;
        let mut others = vec![base];
        others.extend(&set.contents.summary.others);
        let own = |segment: &Segment| Segment {
            archive: segment.archive + 1,
            ..segment.clone()
        };
        let segments = &set.contents.segments;
        Self {
            others,
            segments: segments.iter().map(|it| (it.id, own(it))).collect(),
        }
    }

    pub(super) fn base(&self) -> Option<ArchiveId> {
        self.others.first().copied()
    }

    pub(super) fn get(&self, id: &ContentId) -> Option<&Segment> {
        self.segments.get(id)
    }

    /// The archives that have segments of a backup, and these segments counted by them. The base is always one.
    pub(super) fn only_needed(&self, segments: &mut [Segment]) -> Vec<ArchiveId> {
        let mut needed: Vec<u32> = segments.iter().map(|it| it.archive).collect();
        needed.extend(self.base().map(|_| 1));
        needed.retain(|it| *it > 0);
        needed.sort_unstable();
        needed.dedup();
        for segment in segments {
            if let Ok(at) = needed.binary_search(&segment.archive) {
                segment.archive = u32::try_from(at).unwrap_or_default() + 1;
            }
        }
        let id = |at: &u32| self.others.get(*at as usize - 1).copied();
        needed.iter().filter_map(id).collect()
    }

    fn into_base(self, kind: BackupKind, passed_over: Vec<UnreadableBackup>) -> Base {
        Base {
            kind,
            known: self,
            passed_over,
        }
    }
}
