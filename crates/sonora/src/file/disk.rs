//! Snapshots' files on the disk.

use std::fs::{DirBuilder, File};
use std::io::Read;
use std::os::unix::fs::DirBuilderExt;
use std::path::Path;

use dalsegno::{Error, ErrorKind, Result, durable};

use super::{MAX_FILE_SIZE, SnapshotFile};

impl SnapshotFile {
    /// Writes it to `path`, whole or not at all. Missing folders are made; they and the file are for their owner only.
    /// No other file whose name ends in `.json` stands beside it meanwhile.
    ///
    /// # Errors
    /// As [`write`](Self::write); `Denied` or `Storage` as the disk answers. Then a file that stood there is as it was.
    pub fn save(&self, path: &Path) -> Result<()> {
        write_file(path, self.write()?.as_bytes())
    }

    /// Reads the file at `path`.
    ///
    /// # Errors
    /// `NotFound` where there is none; `Denied` or `Storage` as the disk answers; as [`read`](Self::read).
    pub fn load(path: &Path) -> Result<Self> {
        let text = read_file(path, MAX_FILE_SIZE)?;
        Self::read(&text).map_err(|e| e.context(path.display()))
    }
}

/// Writes a file and the folders that are missing, for their owner only; whole or not at all.
///
/// # Errors
/// `Denied` or `Storage` as the disk answers. Then a file that stood there is as it was.
pub fn write_file(path: &Path, content: &[u8]) -> Result<()> {
    let folder = durable::folder_of(path);
    let made = DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(&folder);
    made.map_err(|e| Error::io(format!("making the folder {}", folder.display()), e))?;
    durable::write_private(path, |out| {
        let written = out.write_all(content);
        written.map_err(|e| Error::io(format!("writing {}", path.display()), e))
    })
}

/// Reads a file, one byte more than `most` of it at most, so that a larger one is noticed.
///
/// # Errors
/// `NotFound` where there is none; `InvalidInput` where something else stands there; `Denied` or `Storage` as the disk answers.
pub fn read_file(path: &Path, most: usize) -> Result<Vec<u8>> {
    let shown = path.display();
    let failed = |e| Error::io(format!("reading {shown}"), e);
    // What is no file might never end, or never begin.
    if !std::fs::metadata(path).map_err(failed)?.is_file() {
        let message = format!("{shown} is not a file; give the path of one");
        return Err(Error::new(ErrorKind::InvalidInput, message));
    }
    let mut text = Vec::new();
    let file = File::open(path).map_err(failed)?;
    file.take(most as u64 + 1)
        .read_to_end(&mut text)
        .map_err(failed)?;
    Ok(text)
}

/// The name of a file that was given none: of the `nth` one (1 is the first) of a guild in that second.
#[must_use]
pub fn default_name(guild_id: u64, unix_time: i64, nth: u32) -> String {
    match nth {
        0 | 1 => format!("guild_{guild_id}_{unix_time}.json"),
        _ => format!("guild_{guild_id}_{unix_time}_{nth}.json"),
    }
}
