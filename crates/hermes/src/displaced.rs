//! What a restore or a save displaces is kept beside it.

use std::fs::{self, File};
use std::io::{self, Read, Write};
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use dalsegno::clock::{Clock, SystemClock};
use dalsegno::durable::{folder_of, sync_folder, write_like};
use dalsegno::{Error, Result};

use crate::file;

/// So many displaced files of one session are kept; when more come, the oldest goes.
pub const MAX_DISPLACED: usize = 16;

/// A file that is kept, until it is clear that what it was kept for came about.
#[derive(Debug)]
pub(crate) struct Kept {
    pub(crate) path: PathBuf,
    /// Whether it was there before.
    old: bool,
}

impl Kept {
    /// Takes it away again: nothing was displaced after all.
    pub(crate) fn forget(self) {
        if !self.old {
            // What stays is one file more than needed, and nothing trips over it.
            let _stays = fs::remove_file(&self.path);
        }
    }

    /// Takes the oldest away where there are too many.
    pub(crate) fn settle(self, real: &Path) -> PathBuf {
        if let Ok(all) = of(real) {
            let too_many = all.len().saturating_sub(MAX_DISPLACED);
            for old in all.iter().take(too_many).filter(|old| **old != self.path) {
                let _stays = fs::remove_file(old);
            }
        }
        self.path
    }
}

/// Keeps the file at `real`, which is about to be replaced, under another name beside it. An empty one has
/// nothing to keep, and the same content is not kept twice.
pub(crate) fn keep(real: &Path) -> Result<Option<Kept>> {
    let failed = |e| Error::io(format!("keeping what stands at {}", real.display()), e);
    match fs::metadata(real) {
        Ok(there) if there.len() == 0 => return Ok(None),
        Ok(_) => {}
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(failed(error)),
    }
    for old in of(real).map_err(failed)? {
        if same(real, &old).unwrap_or(false) {
            return Ok(Some(Kept {
                path: old,
                old: true,
            }));
        }
    }
    let path = another_name(real, &folder_of(real)).map_err(failed)?;
    Ok(Some(Kept { path, old: false }))
}

/// Gives the file a second name, which takes no room and no right to read it. Where that cannot be had, it
/// is copied.
fn another_name(real: &Path, folder: &Path) -> io::Result<PathBuf> {
    let time = SystemClock.now().strftime("%Y%m%dT%H%M%S.%6fZ").to_string();
    let mut number = 1;
    loop {
        let mut name = prefix(real);
        name.extend(time.as_bytes());
        if number > 1 {
            name.extend(format!("-{number}").as_bytes());
        }
        let path = folder.join(std::ffi::OsStr::from_bytes(&name));
        match fs::hard_link(real, &path) {
            Ok(()) => {
                sync_folder(folder)?;
                return Ok(path);
            }
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => number += 1,
            Err(_) if !path.is_symlink() && !path.exists() => {
                return copy(real, &path).map(|()| path).map_err(io::Error::other);
            }
            Err(error) => return Err(error),
        }
    }
}

fn copy(real: &Path, path: &Path) -> Result<()> {
    let failed = |e| Error::io("copying it", e);
    let mut from = file::open(real).map_err(failed)?;
    write_like(path, real, |out| {
        io::copy(&mut from, out).map(drop).map_err(failed)
    })
}

/// The displaced files of the session at `real`, the oldest first: their names are times.
fn of(real: &Path) -> io::Result<Vec<PathBuf>> {
    let prefix = prefix(real);
    let mut found = Vec::new();
    for entry in fs::read_dir(folder_of(real))? {
        let entry = entry?;
        if entry.file_name().as_bytes().starts_with(&prefix) && entry.file_type()?.is_file() {
            found.push(entry.path());
        }
    }
    found.sort_unstable();
    Ok(found)
}

fn prefix(real: &Path) -> Vec<u8> {
    let mut name = real.file_name().unwrap_or_default().as_bytes().to_vec();
    name.extend(b".displaced-");
    name
}

/// Whether two files have the same content.
pub(crate) fn same(one: &Path, other: &Path) -> io::Result<bool> {
    let (mut one, mut other) = (file::open(one)?, file::open(other)?);
    if one.metadata()?.len() != other.metadata()?.len() {
        return Ok(false);
    }
    let mut compare = Compare(&mut other);
    match io::copy(&mut one, &mut compare) {
        Ok(_) => Ok(true),
        Err(error) if error.kind() == io::ErrorKind::InvalidData => Ok(false),
        Err(error) => Err(error),
    }
}

/// Takes only what the file gives out.
struct Compare<'a>(&'a mut File);

impl Write for Compare<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let mut there = vec![0; bytes.len()];
        self.0.read_exact(&mut there)?;
        if there == bytes {
            Ok(bytes.len())
        } else {
            Err(io::ErrorKind::InvalidData.into())
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
