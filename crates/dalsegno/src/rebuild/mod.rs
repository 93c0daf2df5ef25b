//! Building a store's file anew from what can be read of it, where its structure is damaged.
//!
//! A new file is made beside, with every row that is proved ([`pages`](crate::store::pages) reads them); the ordinary
//! [repair](crate::repair) does the rest in it, with sources or without, and says what is lost. Then it takes the place of the
//! old one, which is kept.

mod lock;
mod read;
mod swap;

use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};

use serde::Serialize;

use self::read::Read;
use self::swap::{Files, beside};
use crate::damage::Damage;
use crate::engine::Engine;
use crate::error::{Error, ErrorKind, Result};
use crate::location;
use crate::options::Options;
use crate::repair::{Repair, Repairs, RowOutcome, RowRepair};

/// What building a store anew did, or would do.
#[derive(Debug, Clone, Serialize)]
#[non_exhaustive]
pub struct Rebuilt {
    /// How many rows were read from the old file and are proved.
    pub rows: u64,
    /// The tables of which something could not be read.
    pub torn: Vec<String>,
    /// What of the old file's own structure was damaged, beside its tables: its header, the definitions of its tables.
    pub broken: Vec<String>,
    /// What was repaired in the new file, and what is lost.
    pub repairs: Repairs,
    /// What is damaged in it still: each is named in `repairs` too.
    pub damage: Vec<Damage>,
    /// Where the old file is kept; nothing where nothing was replaced.
    pub kept: Option<PathBuf>,
    /// An earlier call had done all but to put the new file there: that is done now, or would be. What that one read,
    /// repaired and lost is not known here any more; of a new file that was put there all that is damaged is in `damage`.
    pub finished: bool,
}

impl Options {
    /// Builds the store at `path` anew, from what can be read of its file and its log, page by page, where SQLite cannot
    /// read it any more; and from `sources`, stores of the same id, in order of preference. Rows are taken where their
    /// checksums prove them; then the new file is [repaired](Engine::repair). It takes the place of the old one, which is
    /// kept beside as `NAME.damaged-TIME`, with its log.
    ///
    /// Nobody may have the store open. After a crash or an error the old file is there, or the new one, or neither is at
    /// the place and whoever opens the store is told to call this again, which finishes it.
    ///
    /// ```
    /// use dalsegno::{Engine, Options};
    ///
    /// # fn main() -> dalsegno::Result<()> {
    /// # let folder = tempfile::tempdir().unwrap();
    /// # let path = folder.path().join("store.db");
    /// let engine = Engine::create(&path)?;
    /// engine.save_json("bot/42", "{\"volume\":75}").commit()?;
    /// engine.close()?;
    ///
    /// let rebuilt = Options::default().rebuild(&path, &[])?;
    /// assert!(rebuilt.repairs.is_nothing(), "nothing was damaged");
    /// assert_eq!(Engine::open(&path)?.restore("bot/42@latest")?.text(), b"{\"volume\":75}");
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// `Locked` where a program has it open; `Damaged` where nothing says which store it is: give a source; `WrongKey`;
    /// `InvalidInput` where a source is another store; `Storage` or `Denied` as the disk answers. The old file is as it was
    /// then.
    pub fn rebuild(self, path: impl AsRef<Path>, sources: &[&Engine]) -> Result<Rebuilt> {
        self.build(path.as_ref(), sources, true)
    }

    /// What [`rebuild`](Options::rebuild) would do: the new file is made beside, and removed. The old one stays as it is.
    ///
    /// # Errors
    /// As [`rebuild`](Options::rebuild).
    pub fn rebuild_plan(self, path: impl AsRef<Path>, sources: &[&Engine]) -> Result<Rebuilt> {
        self.build(path.as_ref(), sources, false)
    }

    fn build(self, path: &Path, sources: &[&Engine], apply: bool) -> Result<Rebuilt> {
        if self.is_virtual() {
            return Err(Error::invalid(
                "only a store in a file of its own can be built anew",
            ));
        }
        let files = Files::of(&location::place(path));
        if files.is_between() {
            return finish(self, &files, apply);
        }
        location::existing(&files.store, false)?;
        let locked = lock::alone(&files.store)?;
        files.clear()?;
        let built = self.fill(&files, locked, sources);
        let (rebuilt, reader) = match built {
            Ok(built) => built,
            Err(error) => {
                // What could not be finished is of no use; what hinders removing it is said by the next call.
                drop(files.clear());
                return Err(error.context(format!("building {} anew", files.store.display())));
            }
        };
        if !apply {
            files.clear()?;
            return Ok(rebuilt);
        }
        like(&files.store, &files.building)?;
        let stamp = self.time().strftime("%Y%m%dT%H%M%S%.6f").to_string();
        let kept = beside(&files.store, &format!(".damaged-{stamp}"));
        files.put_there(&kept)?;
        drop(reader);
        Ok(Rebuilt {
            kept: Some(kept),
            ..rebuilt
        })
    }

    /// Makes the new file, and repairs it. The reader holds the lock of the old one.
    fn fill(
        &self,
        files: &Files,
        locked: fs::File,
        sources: &[&Engine],
    ) -> Result<(Rebuilt, Read)> {
        let read = Read::of(locked, &files.store, sources, self)?;
        let filled = read.fill(&files.building, &files.loose, sources)?;
        let engine = self.clone().open(&files.building)?;
        let loose = match filled.loose {
            true => Some(
                self.clone()
                    .shown_as("what may have been free")
                    .open(&files.loose)?,
            ),
            false => None,
        };
        let mut repair = Repair::in_a_new_file(filled.holes);
        for source in sources {
            repair = repair.from(source);
        }
        if let Some(loose) = &loose {
            repair = repair.from(loose);
        }
        let mut repairs = engine.repair(&repair)?;
        repairs.rows.extend(without_a_trace(&filled.torn));
        drop(repair);
        let damage = engine.verify(None)?.damage;
        engine.close()?;
        if let Some(loose) = loose {
            loose.close()?;
        }
        for end in ["", "-wal", "-shm"] {
            let gone = fs::remove_file(beside(&files.loose, end));
            if let Err(e) = gone
                && e.kind() != std::io::ErrorKind::NotFound
            {
                return Err(Error::io(format!("removing {}", files.loose.display()), e));
            }
        }
        let rebuilt = Rebuilt {
            rows: filled.rows,
            torn: filled.torn,
            broken: filled.broken,
            repairs,
            damage,
            kept: None,
            finished: false,
        };
        Ok((rebuilt, read))
    }
}

/// What an earlier call left to do.
fn finish(options: Options, files: &Files, apply: bool) -> Result<Rebuilt> {
    let locked = lock::alone(&files.rebuilt)?;
    let kept = files.kept()?;
    if apply {
        files.finish(&kept)?;
    }
    drop(locked);
    let damage = if apply {
        prove(options, files)?
    } else {
        Vec::new()
    };
    Ok(Rebuilt {
        rows: 0,
        torn: Vec::new(),
        broken: Vec::new(),
        repairs: Repairs::default(),
        damage,
        kept: apply.then_some(kept),
        finished: true,
    })
}

/// What is damaged in a store that was put in its place.
fn prove(options: Options, files: &Files) -> Result<Vec<Damage>> {
    let prove = || {
        let engine = options.open(&files.store)?;
        let damage = engine.verify(None)?.damage;
        engine.close()?;
        Ok(damage)
    };
    prove().map_err(|error: Error| {
        error
            .context("the new file is in its place, but it could not be proved")
            .partly(true)
    })
}

/// Tables of which nothing leads from one row to another: what is gone is gone without a trace. So are sessions of which
/// no row is left.
fn without_a_trace(torn: &[String]) -> impl Iterator<Item = RowRepair> {
    let is_torn = |table: &str| torn.iter().any(|torn| torn == table);
    let sessions = ["session", "snapshot", "record"].into_iter().all(is_torn);
    let sessions = sessions.then(|| "sessions of which no row could be read".to_owned());
    let tables = ["trash", "operation", "policy", "note"]
        .into_iter()
        .filter(|table| is_torn(table))
        .map(|table| format!("rows of the table {table} that could not be read"));
    let all: Vec<String> = sessions.into_iter().chain(tables).collect();
    all.into_iter().map(|what| RowRepair {
        what: format!("{what}; nobody can say which"),
        outcome: RowOutcome::Lost,
    })
}

/// Gives the new file the mode and the owner of the old one.
fn like(old: &Path, new: &Path) -> Result<()> {
    let failed = |e| Error::io(format!("making {}", new.display()), e);
    let there = fs::metadata(old).map_err(failed)?;
    let own = fs::metadata(new).map_err(failed)?;
    if (there.uid(), there.gid()) != (own.uid(), own.gid()) {
        std::os::unix::fs::chown(new, Some(there.uid()), Some(there.gid())).map_err(|e| {
            Error::new(
                ErrorKind::Denied,
                format!("giving {} its owner: {e}", new.display()),
            )
        })?;
    }
    fs::set_permissions(new, fs::Permissions::from_mode(there.mode() & 0o7777)).map_err(failed)
}
