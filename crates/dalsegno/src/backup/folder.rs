//! The archives in a folder: what they are called, which of them belong together.

use std::fs;
use std::path::{Path, PathBuf};

use jiff::Timestamp;

use super::archive::Archive;
use super::blocks::ArchiveId;
use super::contents::{BackupKind, Head, Summary, shown, time};
use crate::error::{Error, ErrorKind, Result};

/// What the name of an archive ends with.
pub const BACKUP_EXTENSION: &str = "dalsegno";

/// What is added to the name of one that is not complete.
pub(super) const PART: &str = "part";

/// A backup, as its archive tells of it without any key.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
#[non_exhaustive]
pub struct Backup {
    /// Its archive.
    pub path: PathBuf,
    /// Its random number, in hexadecimal.
    pub id: String,
    /// That of the store that it is of.
    pub store: String,
    /// What it has of its own.
    pub kind: BackupKind,
    /// The backup that it goes on from.
    pub base: Option<String>,
    /// The backups without which it cannot be restored.
    pub needs: Vec<String>,
    /// The moment that it shows.
    pub taken_at: Timestamp,
    /// How many sessions it has.
    pub sessions: u64,
    /// How many snapshots, those in the trash too.
    pub snapshots: u64,
    /// Bytes of the archive.
    pub bytes: u64,
    /// Bytes of all rows that it is of, those in other backups too.
    pub row_bytes: u64,
    /// Rows that were damaged in the store when it was made: they are in it as they were.
    pub damaged_rows: u64,
    /// How many blocks the archive has.
    pub blocks: u32,
    /// How many of them are parity: so many may be damaged, whichever they are, and nothing is lost.
    pub parity_blocks: u32,
    /// Whether it is encrypted, as its store was.
    pub encrypted: bool,
}

impl Backup {
    pub(super) fn of(archive: &Archive, summary: &Summary) -> Result<Self> {
        let head = &archive.head;
        let blocks = &archive.blocks;
        let path = archive.path().clone();
        let bytes = fs::metadata(&path).map_err(|e| blocks.failed(e))?.len();
        Ok(Self {
            id: shown(&head.archive),
            store: shown(&head.store),
            kind: head.kind,
            base: head.base.as_ref().map(shown),
            needs: summary.others.iter().map(shown).collect(),
            taken_at: time(summary.taken_at)?,
            sessions: summary.sessions,
            snapshots: summary.snapshots,
            bytes,
            row_bytes: summary.bytes,
            damaged_rows: summary.damaged_rows,
            blocks: blocks.data + blocks.parity,
            parity_blocks: blocks.parity,
            encrypted: head.is_sealed,
            path,
        })
    }
}

/// What lies in a folder of backups.
#[derive(Debug, Default, serde::Serialize)]
#[non_exhaustive]
pub struct Backups {
    /// Those that are complete, the oldest first.
    pub complete: Vec<Backup>,
    /// Those that were begun and not ended: the next backup of the same kind goes on with one.
    pub unfinished: Vec<PathBuf>,
    /// Those that do not say any more what they are, and why.
    pub unreadable: Vec<UnreadableBackup>,
}

/// An archive that cannot be counted as a backup.
#[derive(Debug, Clone, serde::Serialize)]
#[non_exhaustive]
pub struct UnreadableBackup {
    /// Its file.
    pub path: PathBuf,
    /// Why not.
    pub why: Error,
}

/// The backups at `path`: an archive, or a folder of them. What they say of themselves is read, not all of them; the rest
/// [`verify_backup`](crate::verify_backup) does.
///
/// # Errors
/// `NotFound` where there is nothing; `Denied` or `Storage` where the disk refuses.
pub fn list_backups(path: impl AsRef<Path>) -> Result<Backups> {
    let path = path.as_ref();
    let mut found = Backups::default();
    for archive in files(path, &mut found.unfinished)? {
        let read = Archive::open(&archive).and_then(|it| match &it.summary {
            Some(summary) => Backup::of(&it, summary),
            None => Err(no_end(&it)),
        });
        match read {
            Ok(backup) => found.complete.push(backup),
            Err(error) if error.kind() == ErrorKind::Denied => return Err(error),
            Err(why) => found
                .unreadable
                .push(UnreadableBackup { path: archive, why }),
        }
    }
    found
        .complete
        .sort_by(|one, other| (one.taken_at, &one.id).cmp(&(other.taken_at, &other.id)));
    Ok(found)
}

pub(super) fn no_end(archive: &Archive) -> Error {
    let shown = archive.path().display();
    Error::damaged(format!(
        "{shown}: its end is lost, beyond what its parity makes again"
    ))
}

/// The files of archives at `path`, and of those that are not complete.
fn files(path: &Path, unfinished: &mut Vec<PathBuf>) -> Result<Vec<PathBuf>> {
    let failed = |e| Error::io(format!("looking for backups at {}", path.display()), e);
    if !fs::metadata(path).map_err(failed)?.is_dir() {
        return Ok(vec![path.to_owned()]);
    }
    let mut found = Vec::new();
    for entry in fs::read_dir(path).map_err(failed)? {
        let file = entry.map_err(failed)?.path();
        if is_part_name(&file) {
            unfinished.push(file);
        } else if is_archive_name(&file) && file.is_file() {
            found.push(file);
        }
    }
    found.sort();
    unfinished.sort();
    Ok(found)
}

/// Whether an archive that is not complete may be called so.
pub(super) fn is_part_name(path: &Path) -> bool {
    path.extension().is_some_and(|it| it == PART) && is_archive_name(&path.with_extension(""))
}

fn is_archive_name(path: &Path) -> bool {
    path.extension().is_some_and(|it| it == BACKUP_EXTENSION)
}

/// An archive that says whose it is; and what it says at its end, if that is there.
pub(super) type Known = (PathBuf, Head, Option<Summary>);

/// All archives in the folder of `path`, or in it, that say whose they are; and those that do not.
pub(super) fn beside(path: &Path) -> Result<(Vec<Known>, Vec<UnreadableBackup>)> {
    let folder = if path.is_dir() {
        path.to_owned()
    } else {
        crate::durable::folder_of(path)
    };
    let (mut known, mut unreadable) = (Vec::new(), Vec::new());
    for path in files(&folder, &mut Vec::new())? {
        match Archive::open(&path) {
            Ok(archive) => known.push((path, archive.head, archive.summary)),
            Err(why) => unreadable.push(UnreadableBackup { path, why }),
        }
    }
    Ok((known, unreadable))
}

/// The files of the archive of that number among them: there may be copies.
pub(super) fn copies<'a>(among: &'a [Known], id: &ArchiveId) -> impl Iterator<Item = &'a Path> {
    let id = *id;
    let found = among.iter().filter(move |(_, head, _)| head.archive == id);
    found.map(|(path, ..)| path.as_path())
}
