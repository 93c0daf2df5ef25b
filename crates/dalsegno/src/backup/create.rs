//! Making a backup of a store while it goes on being used.

use std::collections::BTreeMap;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};

use super::archive::Archive;
use super::base::{Base, Known};
use super::blocks::size_for;
use super::contents::{About, Contents, Head, Segment, Summary, Table, VERSION};
use super::folder::{self, Backup, UnreadableBackup};
use super::gather;
use super::keys::Keys;
use super::part::{Part, Target};
use super::segment::Cut;
use super::set::{BackupProgress, BackupStep, tell};
use crate::engine::Engine;
use crate::error::{Error, Result};
use crate::location;
use crate::model::Action;
use crate::store::SqliteStore;

/// How a backup is to be made.
#[derive(Debug, Clone)]
pub struct MakeBackup {
    into: PathBuf,
    since: Since,
    parity: u8,
}

/// What a backup goes on from.
#[derive(Debug, Clone)]
pub(super) enum Since {
    Nothing,
    Last,
    Base(String),
}

/// The share of parity where none is given, in percent.
pub const DEFAULT_PARITY: u8 = 10;

impl MakeBackup {
    /// A backup of everything. `into` is a folder, where the archive gets a name of its own, or the archive's file, which ends
    /// with `.dalsegno`.
    #[must_use]
    pub fn full(into: impl Into<PathBuf>) -> Self {
        Self {
            into: into.into(),
            since: Since::Nothing,
            parity: DEFAULT_PARITY,
        }
    }

    /// Of what changed since the newest backup in the same folder that is whole; of everything, where there is none.
    #[must_use]
    pub fn incremental(into: impl Into<PathBuf>) -> Self {
        Self {
            since: Since::Last,
            ..Self::full(into)
        }
    }

    /// Of what changed since the backup `base`: its file, or the beginning of its id, in the same folder.
    #[must_use]
    pub fn differential(into: impl Into<PathBuf>, base: impl Into<String>) -> Self {
        Self {
            since: Since::Base(base.into()),
            ..Self::full(into)
        }
    }

    /// How much of the archive is parity, in percent of its blocks: as much of it may be damaged, wherever, and everything is
    /// restored all the same. [`DEFAULT_PARITY`] where this is not called; at most 50.
    #[must_use]
    pub fn parity(mut self, percent: u8) -> Self {
        self.parity = percent;
        self
    }
}

/// What became of making a backup.
#[derive(Debug, Clone, serde::Serialize)]
#[non_exhaustive]
pub struct BackedUp {
    /// The backup.
    pub backup: Backup,
    /// Bytes of the archive that an earlier call had written before it was interrupted.
    pub found_bytes: u64,
    /// Backups that this one could have gone on from, were they whole; and why not.
    pub passed_over: Vec<UnreadableBackup>,
}

impl Engine {
    /// Makes a backup of the whole store, of one moment, while it goes on being used: every session, snapshot, log, rule,
    /// principal and row of the audit log; no leases and requests, which are of running programs. It is written under a name that ends with `.part`,
    /// read back, and gets its own name only when it is complete and durable. Where an earlier call was interrupted, what it
    /// had written is used. `progress` hears how far it is, and may cancel it with `Break`: then it can be gone on with.
    ///
    /// Of an encrypted store the backup is encrypted too, and opened by the secrets that open the store now.
    ///
    /// ```
    /// use std::ops::ControlFlow;
    /// use dalsegno::{MakeBackup, Engine, Options};
    ///
    /// # fn main() -> dalsegno::Result<()> {
    /// # let folder = tempfile::tempdir().unwrap();
    /// # let path = folder.path().join("store.db");
    /// # let backups = folder.path().join("backups");
    /// let engine = Engine::create(&path)?;
    /// engine.save_json("bot/42", r#"{"volume":75}"#).commit()?;
    /// let made = engine.back_up(&MakeBackup::full(&backups), &mut |_| ControlFlow::Continue(()))?;
    /// assert_eq!(made.backup.snapshots, 1);
    ///
    /// let again = folder.path().join("again.db");
    /// let how = dalsegno::RestoreBackup::of(&backups);
    /// Options::default().restore_backup(&how, &again, &mut |_| ControlFlow::Continue(()))?;
    /// assert_eq!(Engine::open(&again)?.restore("bot/42@latest")?.text(), br#"{"volume":75}"#);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// `Conflict` where a file of that name exists; `NotFound` or `Ambiguous` where there is no such base, or several;
    /// `Damaged` where the base is, or the store's structure; `Locked` where another program writes the same backup;
    /// `Denied` or `Storage` where the disk refuses. Then there is no new backup.
    pub fn back_up(
        &self,
        how: &MakeBackup,
        progress: &mut dyn FnMut(BackupProgress) -> ControlFlow<()>,
    ) -> Result<BackedUp> {
        self.allow(Action::Backup, None)?;
        if how.parity > 50 {
            let percent = how.parity;
            return Err(Error::invalid(format!(
                "parity of {percent} percent is more than half; give 0 to 50"
            )));
        }
        self.flush()?;
        let root = self.sqlite().and_then(SqliteStore::root);
        let info = self.store().info();
        let keys = Keys::new(info.id, root)?;
        let target = Target::of(&how.into)?;
        let Base {
            kind,
            known,
            passed_over,
        } = self.base(&how.since, target.path(), &keys, progress)?;
        let archive = self.clock().random();
        let head = Head {
            version: VERSION,
            archive,
            store: info.id,
            store_created: info.created_at,
            begun_at: self.now().as_microsecond(),
            kind,
            base: known.base(),
            is_sealed: keys.is_sealed(),
            mark: keys.mark()?,
            slots: self.slots()?,
        };
        let about = self.bytes();
        let part = Part::begin(&target, &self.stem(), head, size_for(about), &keys)?;
        let view = self.raw_view()?;
        let taken_at = self.now().as_microsecond();
        let mut writing = Writing::new(part, &keys, known);
        gather::segments(&*view, &info.id, &mut |cut| {
            writing.keep(&cut)?;
            let done = writing.bytes;
            tell(progress, BackupStep::Reading, done, None)
        })?;
        let last = view.last()?;
        drop(view);
        let (path, found_bytes) =
            writing.complete((taken_at, last), how.parity, &mut |done, total| {
                tell(progress, BackupStep::Parity, done, Some(total))
            })?;
        let archive = Archive::open(&path)?;
        let summary = archive.summary.as_ref();
        let summary = summary.ok_or_else(|| folder::no_end(&archive))?;
        let backup = Backup::of(&archive, summary)?;
        let said = self
            .said(Action::Backup)
            .note(format!("{kind} {}", backup.id));
        self.remember(&backup, &said)
            .map_err(|e| e.context(format!("{} is complete, but", path.display())))?;
        Ok(BackedUp {
            backup,
            found_bytes,
            passed_over,
        })
    }

    /// How large the store is, about.
    fn bytes(&self) -> u64 {
        let Some(path) = self.path() else {
            return 16 << 20;
        };
        location::bytes(&path, &["", "-wal"])
    }

    /// What archives in a folder are called, before the time.
    fn stem(&self) -> String {
        let path = self.path();
        let stem = path.as_deref().and_then(Path::file_stem);
        stem.map_or_else(
            || "store".to_owned(),
            |it| it.to_string_lossy().into_owned(),
        )
    }
}

/// A backup on its way into its archive.
struct Writing<'a> {
    part: Part,
    keys: &'a Keys,
    known: Known,
    segments: Vec<Segment>,
    about: BTreeMap<u32, About>,
    /// Bytes of rows so far.
    bytes: u64,
    sessions: u64,
    snapshots: u64,
    damaged: u64,
}

impl<'a> Writing<'a> {
    fn new(part: Part, keys: &'a Keys, known: Known) -> Self {
        Self {
            part,
            keys,
            known,
            segments: Vec::new(),
            about: BTreeMap::new(),
            bytes: 0,
            sessions: 0,
            snapshots: 0,
            damaged: 0,
        }
    }

    fn keep(&mut self, cut: &Cut) -> Result<()> {
        self.bytes += cut.bytes.len() as u64;
        self.damaged += cut.damaged;
        match cut.table {
            Table::Session => self.sessions += u64::from(cut.rows),
            Table::Snapshot | Table::Trash => self.snapshots += u64::from(cut.rows),
            _ => {}
        }
        let id = self.keys.content_id(&cut.bytes);
        if let Some(known) = self.known.get(&id) {
            self.segments.push(known.clone());
            return Ok(());
        }
        let (at, number) = self.part.rows(cut.table, id, &cut.bytes)?;
        if !cut.about.is_empty() {
            self.about.insert(number, cut.about.clone());
        }
        self.segments.push(Segment {
            table: cut.table,
            id,
            rows: cut.rows,
            bytes: u32::try_from(cut.bytes.len()).unwrap_or(u32::MAX),
            archive: 0,
            at,
            number,
        });
        Ok(())
    }

    /// Ends the archive. Returns its file, and how much of it was there already.
    fn complete(
        mut self,
        (taken_at, last): (i64, i64),
        parity: u8,
        progress: &mut dyn FnMut(u64, u64) -> Result<()>,
    ) -> Result<(PathBuf, u64)> {
        let others = self.known.only_needed(&mut self.segments);
        let contents = Contents {
            summary: Summary {
                head: self.part.head.clone(),
                taken_at,
                sessions: self.sessions,
                snapshots: self.snapshots,
                bytes: self.bytes,
                damaged_rows: self.damaged,
                parity,
                others,
            },
            last,
            segments: self.segments,
            about: self.about,
        };
        let found = self.part.found;
        let path = self.part.complete(&contents, self.keys, parity, progress)?;
        Ok((path, found))
    }
}
