//! A rebuilt file in the place of the damaged one, and the way back from a crash in between.
//!
//! SQLite would lay a log that stands beside a file over it, whatever file it is. So the damaged file goes first, then its
//! log, and only then the new one comes. In between there is no store at its place, and a complete one beside; whoever opens
//! or makes one there is told to run the command again, which finishes.

use std::fs;
use std::path::{Path, PathBuf};

use crate::durable::{folder_of, sync_folder};
use crate::error::{Error, Result};
use crate::location;

/// The files of a rebuild, beside the store.
pub(super) struct Files {
    pub(super) store: PathBuf,
    /// The new file while it is built.
    pub(super) building: PathBuf,
    /// Rows of which nobody can say whether they were in use.
    pub(super) loose: PathBuf,
    /// The new file, when it is complete.
    pub(super) rebuilt: PathBuf,
}

impl Files {
    pub(super) fn of(store: &Path) -> Self {
        Self {
            store: store.to_owned(),
            building: beside(store, ".rebuilding"),
            loose: beside(store, ".rebuilding-loose"),
            rebuilt: location::rebuilt(store),
        }
    }

    /// Whether an earlier rebuild ended while it put the new file there.
    pub(super) fn is_between(&self) -> bool {
        location::refuse_between(&self.store).is_err()
    }

    /// Takes away what an earlier one left before it was complete, or that is not needed any more.
    pub(super) fn clear(&self) -> Result<()> {
        for file in [&self.building, &self.loose, &self.rebuilt] {
            for end in ["", "-wal", "-shm", "-journal"] {
                remove(&beside(file, end))?;
            }
        }
        Ok(())
    }

    /// Puts the new file, which is complete, in the place of the old one, which is kept under another name.
    pub(super) fn put_there(&self, kept: &Path) -> Result<()> {
        if beside(&self.building, "-wal").exists() {
            return Err(Error::storage(
                "the new file was not closed; nothing was changed, run it again",
            ));
        }
        rename(&self.building, &self.rebuilt)?;
        rename(&self.store, kept)?;
        self.finish(kept)
    }

    /// The rest of it, once the old file has gone.
    pub(super) fn finish(&self, kept: &Path) -> Result<()> {
        for end in ["-wal", "-journal"] {
            let log = beside(&self.store, end);
            if log.exists() {
                rename(&log, &beside(kept, end))?;
            }
        }
        remove(&beside(&self.store, "-shm"))?;
        rename(&self.rebuilt, &self.store)
    }

    /// Where the old file went, of a rebuild that ended in between.
    pub(super) fn kept(&self) -> Result<PathBuf> {
        let folder = folder_of(&self.store);
        let prefix = beside(&self.store, ".damaged-");
        let failed = |e| Error::io(format!("reading {}", folder.display()), e);
        let mut found: Vec<PathBuf> = Vec::new();
        for entry in fs::read_dir(&folder).map_err(failed)? {
            let path = folder.join(entry.map_err(failed)?.file_name());
            let name = path.as_os_str().to_string_lossy().into_owned();
            let is_one = name.starts_with(&*prefix.as_os_str().to_string_lossy());
            if is_one
                && !["-wal", "-journal", "-shm"]
                    .iter()
                    .any(|end| name.ends_with(end))
            {
                found.push(path);
            }
        }
        found.sort();
        found.pop().ok_or_else(|| {
            Error::not_found(format!(
                "{} is complete, but the file that it is to replace is not there, nor where it would be kept; if all is \
                 well with it, rename it to {}",
                self.rebuilt.display(),
                self.store.display()
            ))
        })
    }
}

pub(super) fn beside(path: &Path, end: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(end);
    name.into()
}

fn rename(from: &Path, to: &Path) -> Result<()> {
    let failed = |e| {
        Error::io(
            format!("renaming {} to {}", from.display(), to.display()),
            e,
        )
    };
    fs::rename(from, to).map_err(failed)?;
    sync_folder(&folder_of(to)).map_err(failed)
}

fn remove(path: &Path) -> Result<()> {
    match fs::remove_file(path) {
        Err(e) if e.kind() != std::io::ErrorKind::NotFound => {
            Err(Error::io(format!("removing {}", path.display()), e))
        }
        _ => Ok(()),
    }
}
