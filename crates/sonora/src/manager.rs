//! A folder of snapshots' files, named by guild and time where nobody names them.

use std::io::ErrorKind as Io;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};
use std::time::UNIX_EPOCH;

use dalsegno::{Error, ErrorKind, Result};

use crate::file::{SnapshotFile, default_name};

/// A folder of snapshots. Files that others add or delete there are as welcome as its own.
///
/// ```
/// use dalsegno_sonora::{Folder, SnapshotFile};
///
/// # fn main() -> dalsegno::Result<()> {
/// # let temporary = tempfile::tempdir().unwrap();
/// let folder = Folder::new(temporary.path());
/// let first = folder.save(&SnapshotFile::new(7, 1_732_200_000.0))?;
/// folder.save(&SnapshotFile::new(7, 1_732_200_000.5))?;
/// assert_eq!(folder.list(Some(7))?, ["guild_7_1732200000_2.json", "guild_7_1732200000.json"]);
/// assert_eq!(folder.prune(7, 1)?, 1);
/// assert!(!first.exists());
/// # Ok(())
/// # }
/// ```
#[derive(Debug)]
pub struct Folder {
    path: PathBuf,
    /// Two that are saved at once do not choose the same name.
    naming: Mutex<()>,
}

impl Folder {
    /// The folder at `path`, which is made where it is first saved to.
    pub fn new(path: impl Into<PathBuf>) -> Self {
        Self {
            path: path.into(),
            naming: Mutex::default(),
        }
    }

    /// Where it is.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Writes a file named by its guild and time; of a second one in the same second the name has a number behind that.
    /// The file's path.
    ///
    /// # Errors
    /// As [`SnapshotFile::save`].
    pub fn save(&self, file: &SnapshotFile) -> Result<PathBuf> {
        let _one = self.naming.lock().unwrap_or_else(PoisonError::into_inner);
        #[expect(clippy::cast_possible_truncation, reason = "seconds since 1970")]
        let second = file.timestamp.floor() as i64;
        let mut nth = 1;
        loop {
            let path = self.path.join(default_name(file.guild_id, second, nth));
            if path.symlink_metadata().is_err() {
                file.save(&path)?;
                return Ok(path);
            }
            nth += 1;
        }
    }

    /// Reads the file at `path`; where there is none, that of this name in the folder.
    ///
    /// # Errors
    /// As [`SnapshotFile::load`].
    pub fn load(&self, path: &Path) -> Result<SnapshotFile> {
        match SnapshotFile::load(path) {
            Err(missing) if missing.kind() == ErrorKind::NotFound => {
                match SnapshotFile::load(&self.path.join(path)) {
                    Err(error) if error.kind() == ErrorKind::NotFound => Err(missing),
                    loaded => loaded,
                }
            }
            loaded => loaded,
        }
    }

    /// The names of all snapshots' files, or of those of a guild that were named by it; the newest first.
    ///
    /// # Errors
    /// `Denied` or `Storage` where the folder cannot be read. That there is none is no error.
    pub fn list(&self, guild: Option<u64>) -> Result<Vec<String>> {
        let failed = |e| Error::io(format!("reading the folder {}", self.path.display()), e);
        let entries = match std::fs::read_dir(&self.path) {
            Err(e) if e.kind() == Io::NotFound => return Ok(Vec::new()),
            entries => entries.map_err(failed)?,
        };
        let mut found = Vec::new();
        for entry in entries {
            let entry = entry.map_err(failed)?;
            let Ok(name) = entry.file_name().into_string() else {
                continue;
            };
            // Others may delete it at any moment.
            let Some(about) = entry.metadata().ok().filter(std::fs::Metadata::is_file) else {
                continue;
            };
            let named = named(&name);
            let wanted = guild.is_none_or(|guild| named.is_some_and(|(of, ..)| of == guild));
            if !name.ends_with(".json") || !wanted {
                continue;
            }
            let changed = || {
                let since = about.modified().ok()?.duration_since(UNIX_EPOCH).ok()?;
                i64::try_from(since.as_secs()).ok()
            };
            let time = match named {
                Some((_, time, nth)) => (time, nth),
                None => (changed().unwrap_or(0), 0),
            };
            found.push((time, name));
        }
        found.sort_unstable_by(|one, two| two.cmp(one));
        Ok(found.into_iter().map(|(_, name)| name).collect())
    }

    /// Deletes the oldest files of a guild, so that `keep` are left. Only those that were named by it count, and only
    /// those go. How many went.
    ///
    /// # Errors
    /// As [`list`](Folder::list). What cannot be deleted stays, and is tried again the next time.
    pub fn prune(&self, guild: u64, keep: usize) -> Result<usize> {
        let names = self.list(Some(guild))?;
        let old = names.iter().skip(keep);
        Ok(old
            .filter(|name| std::fs::remove_file(self.path.join(name)).is_ok())
            .count())
    }
}

/// The guild, the second, and which one of that second, where a file was named by them.
fn named(name: &str) -> Option<(u64, i64, u32)> {
    let stem = name.strip_prefix("guild_")?.strip_suffix(".json")?;
    let mut parts = stem.split('_');
    let (guild, time) = (parts.next()?.parse().ok()?, parts.next()?.parse().ok()?);
    let nth = match parts.next() {
        Some(nth) => nth.parse().ok()?,
        None => 1,
    };
    // Nothing that only looks like it.
    (default_name(guild, time, nth) == name).then_some((guild, time, nth))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    fn file(guild: u64, timestamp: f64) -> SnapshotFile {
        SnapshotFile::new(guild, timestamp)
    }

    #[test]
    fn only_what_it_named_is_pruned_and_the_oldest_first() {
        let temporary = tempfile::tempdir().unwrap();
        let folder = Folder::new(temporary.path().join("snapshots"));
        assert!(folder.list(None).unwrap().is_empty());
        // As a text, the ninth second comes after the eleventh.
        for timestamp in [9.0, 11.0, 11.5, 10.2] {
            folder.save(&file(1, timestamp)).unwrap();
        }
        folder.save(&file(12, 5.0)).unwrap();
        let own = folder.path().join("guild_1_party.json");
        file(1, 8.0).save(&own).unwrap();
        std::fs::create_dir(folder.path().join("guild_1_3.json")).unwrap();
        std::fs::write(folder.path().join("notes.txt"), "").unwrap();

        let ours = [
            "guild_1_11_2.json",
            "guild_1_11.json",
            "guild_1_10.json",
            "guild_1_9.json",
        ];
        assert_eq!(folder.list(Some(1)).unwrap(), ours);
        let all = folder.list(None).unwrap();
        assert_eq!(all.len(), 6);
        assert_eq!(all[0], "guild_1_party.json", "by the time of its change");

        assert_eq!(folder.prune(1, 2).unwrap(), 2);
        assert_eq!(folder.list(Some(1)).unwrap(), &ours[..2]);
        assert!(own.exists());
        assert_eq!(folder.list(Some(12)).unwrap().len(), 1);
    }

    #[test]
    fn a_path_is_one_from_here_or_a_name_in_the_folder() {
        let temporary = tempfile::tempdir().unwrap();
        let folder = Folder::new(temporary.path());
        let path = folder.save(&file(3, 20.0)).unwrap();
        assert_eq!(folder.load(&path).unwrap().guild_id, 3);
        let name = Path::new("guild_3_20.json");
        assert_eq!(folder.load(name).unwrap().guild_id, 3);
        let error = folder.load(Path::new("gone.json")).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::NotFound);
    }

    #[test]
    fn two_at_once_get_two_names() {
        let temporary = tempfile::tempdir().unwrap();
        let folder = Folder::new(temporary.path());
        std::thread::scope(|scope| {
            for _ in 0..8 {
                scope.spawn(|| folder.save(&file(1, 1.0)).unwrap());
            }
        });
        assert_eq!(folder.list(Some(1)).unwrap().len(), 8);
    }
}
