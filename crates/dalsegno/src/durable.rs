//! The one door through which files outside of the store are written: whole or not at all.

use std::fs;
use std::io::{self, BufWriter, Seek, Write};
use std::os::unix::fs::{DirBuilderExt, MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};

use twox_hash::xxhash3_128::Hasher;

use crate::error::{Error, Result};

/// A new file is for its owner only.
const PRIVATE: u32 = 0o600;
/// So is a new folder.
const PRIVATE_FOLDER: u32 = 0o700;

/// Writes `bytes` to the file at `path`: staged beside it, synced, renamed over it, the folder
/// synced, and read back. A new file is for its owner only; an existing one keeps its mode. A symbolic
/// link stays; the file it leads to is replaced.
///
/// # Errors
/// `Denied`, `NotFound` or `Storage` as the disk answers; then the file is as it was. `Storage` also
/// where it reads back otherwise than written.
pub(crate) fn write(path: &Path, bytes: &[u8]) -> Result<()> {
    let real = real(path)?;
    let failed = |what: &str, e| Error::io(format!("{what} {}", real.display()), e);
    replace(&real, Looks::of(&real), |file| {
        file.write_all(bytes).map_err(|e| failed("writing", e))
    })?;
    let there = fs::read(&real).map_err(|e| failed("reading back", e))?;
    if there == bytes {
        Ok(())
    } else {
        Err(otherwise(&real))
    }
}

/// Writes what `fill` writes to the file at `path`, whole or not at all: staged beside it, synced,
/// renamed over it, the folder synced, and read back. The file is for its owner only, also where one
/// stood there before. A symbolic link stays; the file it leads to is replaced.
///
/// # Errors
/// What `fill` answers; `InvalidInput` where something else than a file stands there; `NotFound`
/// without its folder; `Denied` or `Storage` as the disk answers. Then the file is as it was.
/// `Storage` also where it reads back otherwise than written.
pub fn write_private<T>(path: &Path, fill: impl FnOnce(&mut dyn Write) -> Result<T>) -> Result<T> {
    let real = real(path)?;
    let looks = Looks {
        mode: PRIVATE,
        ..Looks::of(&real)
    };
    write_with(path, &real, looks, fill)
}

/// As [`write_private`], but with the mode and the owner of the file at `like`, which may be `path`
/// itself. Where there is no such file, it is for its owner only.
///
/// # Errors
/// As [`write_private`].
pub fn write_like<T>(
    path: &Path,
    like: &Path,
    fill: impl FnOnce(&mut dyn Write) -> Result<T>,
) -> Result<T> {
    write_with(path, &real(path)?, Looks::of(like), fill)
}

/// Writes `bytes` to a new file at `path`, whole or not at all, for its owner only; whether it did. Where something stands
/// there, also where another process was faster, that stays as it is.
///
/// # Errors
/// `NotFound` without its folder; `Denied` or `Storage` as the disk answers.
pub fn write_new(path: &Path, bytes: &[u8]) -> Result<bool> {
    let failed = |what: &str, e| Error::io(format!("{what} {}", path.display()), e);
    let folder = folder_of(path);
    let mut staged = stage(&folder).map_err(|e| failed("writing", e))?;
    let file = staged.as_file_mut();
    file.write_all(bytes).map_err(|e| failed("writing", e))?;
    file.sync_all().map_err(|e| failed("syncing", e))?;
    match staged.persist_noclobber(path) {
        Ok(_) => {}
        Err(e) if e.error.kind() == io::ErrorKind::AlreadyExists => return Ok(false),
        Err(e) => return Err(failed("writing", e.error)),
    }
    sync_folder(&folder).map_err(|e| failed("syncing the folder of", e))?;
    Ok(true)
}

/// Makes the folder at `path` if need be, and those above it, for their owner only.
///
/// # Errors
/// `Denied`, `InvalidInput` or `Storage` as the disk answers.
pub(crate) fn make_folder(path: &Path) -> Result<()> {
    let there = path
        .ancestors()
        .find(|folder| folder.is_dir())
        .unwrap_or(Path::new("."));
    let made = fs::DirBuilder::new()
        .recursive(true)
        .mode(PRIVATE_FOLDER)
        .create(path);
    made.map_err(|e| Error::io(format!("making the folder {}", path.display()), e))?;
    // Each new folder is durable once the folder above it is.
    for new in path
        .ancestors()
        .take_while(|folder| *folder != there && !folder.as_os_str().is_empty())
    {
        let above = folder_of(new);
        sync_folder(&above)
            .map_err(|e| Error::io(format!("syncing the folder {}", above.display()), e))?;
    }
    Ok(())
}

fn write_with<T>(
    path: &Path,
    real: &Path,
    looks: Looks,
    fill: impl FnOnce(&mut dyn Write) -> Result<T>,
) -> Result<T> {
    let failed = |what: &str, e| Error::io(format!("{what} {}", real.display()), e);
    if fs::metadata(real).is_ok_and(|there| !there.is_file()) {
        let shown = path.display();
        return Err(Error::invalid(format!(
            "{shown} is not a file; give the path of one"
        )));
    }
    let folder = folder_of(real);
    if !folder.is_dir() {
        let folder = folder.display();
        return Err(Error::not_found(format!(
            "the folder {folder} does not exist"
        )));
    }
    let mut written = Hasher::new();
    let (answer, mut file) = replace(real, looks, |file| {
        let mut out = BufWriter::with_capacity(1 << 16, Hashed(file, &mut written));
        let answer = fill(&mut out)?;
        out.flush().map_err(|e| failed("writing", e))?;
        Ok(answer)
    })?;
    let mut there = Hasher::new();
    // By the handle: whoever may not read the file that was there may not open this one either.
    file.rewind().map_err(|e| failed("reading back", e))?;
    io::copy(&mut file, &mut Hashed(io::sink(), &mut there))
        .map_err(|e| failed("reading back", e))?;
    if there.finish_128() == written.finish_128() {
        Ok(answer)
    } else {
        Err(otherwise(real))
    }
}

/// Gives a file that is complete the name `path`, under which nothing stands; its folder is synced. Of the file, all that was
/// written must be durable already.
///
/// # Errors
/// `Conflict` where something stands there; `Denied` or `Storage` as the disk answers.
pub(crate) fn name(complete: &Path, path: &Path) -> Result<()> {
    use rustix::fs::{CWD, RenameFlags, renameat_with};
    use rustix::io::Errno;
    let failed = |e| Error::io(format!("naming {}", path.display()), e);
    let named = match renameat_with(CWD, complete, CWD, path, RenameFlags::NOREPLACE) {
        // A file system that cannot do both at once.
        Err(Errno::INVAL | Errno::NOSYS) if fs::symlink_metadata(path).is_err() => {
            fs::rename(complete, path)
        }
        Err(Errno::EXIST | Errno::INVAL | Errno::NOSYS) => {
            let shown = path.display();
            return Err(Error::conflict(format!(
                "{shown} exists already; it was left as it is"
            )));
        }
        named => named.map_err(io::Error::from),
    };
    named.map_err(failed)?;
    sync_folder(&folder_of(path)).map_err(failed)
}

/// Removes the file at `path`; its folder is synced.
///
/// # Errors
/// `Denied`, `NotFound` or `Storage` as the disk answers; `InvalidInput` where it is a symbolic link.
pub(crate) fn remove(path: &Path) -> Result<()> {
    if path.is_symlink() {
        // What it leads to was made by somebody else.
        let shown = path.display();
        return Err(Error::invalid(format!(
            "{shown} is a symbolic link now; remove it, or what it leads to, by hand"
        )));
    }
    let real = real(path)?;
    let failed = |what: &str, e| Error::io(format!("{what} {}", real.display()), e);
    fs::remove_file(&real).map_err(|e| failed("removing", e))?;
    sync_folder(&folder_of(&real)).map_err(|e| failed("syncing the folder of", e))
}

/// Whose a file is, and who may do what with it.
struct Looks {
    mode: u32,
    owner: Option<(u32, u32)>,
}

impl Looks {
    /// Those of the file at `path`, if there is one.
    fn of(path: &Path) -> Self {
        let there = fs::metadata(path).ok();
        Self {
            mode: there
                .as_ref()
                .map_or(PRIVATE, |there| there.permissions().mode() & 0o7777),
            owner: there.map(|there| (there.uid(), there.gid())),
        }
    }
}

/// Stages a file beside `real`, fills it, puts it there once it is durable, and gives it back, open.
fn replace<T>(
    real: &Path,
    looks: Looks,
    fill: impl FnOnce(&mut fs::File) -> Result<T>,
) -> Result<(T, fs::File)> {
    let folder = folder_of(real);
    let failed = |what: &str, e| Error::io(format!("{what} {}", real.display()), e);
    let mut staged = stage(&folder).map_err(|e| failed("writing", e))?;
    let answer = fill(staged.as_file_mut())?;
    let file = staged.as_file();
    if let Some((user, group)) = looks.owner {
        let own = file.metadata().map_err(|e| failed("writing", e))?;
        if (user, group) != (own.uid(), own.gid()) {
            std::os::unix::fs::fchown(file, Some(user), Some(group))
                .map_err(|e| failed("keeping the owner of", e))?;
        }
    }
    file.set_permissions(fs::Permissions::from_mode(looks.mode))
        .map_err(|e| failed("writing", e))?;
    file.sync_all().map_err(|e| failed("syncing", e))?;
    let file = staged
        .persist(real)
        .map_err(|e| failed("replacing", e.error))?;
    sync_folder(&folder).map_err(|e| failed("syncing the folder of", e))?;
    Ok((answer, file))
}

/// A file for its owner only, in the folder where it is to be put in place.
fn stage(folder: &Path) -> io::Result<tempfile::NamedTempFile> {
    tempfile::Builder::new()
        .prefix(".dalsegno-")
        .suffix(".tmp")
        .tempfile_in(folder)
}

/// Where `path` leads, if it is a symbolic link.
///
/// # Errors
/// `InvalidInput` below `/dev` and `/proc`; `NotFound` where it is a symbolic link that leads nowhere.
pub fn real(path: &Path) -> Result<PathBuf> {
    if path.starts_with("/dev") || path.starts_with("/proc") {
        let shown = path.display();
        return Err(Error::invalid(format!(
            "{shown} stands for what is open there, which cannot be replaced as a whole; \
             give a file, or send the output there"
        )));
    }
    match fs::canonicalize(path) {
        Ok(real) => Ok(real),
        Err(e) if path.is_symlink() => {
            let shown = path.display();
            Err(Error::io(
                format!("{shown} is a symbolic link that leads nowhere"),
                e,
            ))
        }
        Err(_) => Ok(path.to_owned()),
    }
}

fn otherwise(real: &Path) -> Error {
    Error::storage(format!(
        "{} reads back otherwise than it was written",
        real.display()
    ))
}

/// Passes bytes on and hashes them.
struct Hashed<'a, W>(W, &'a mut Hasher);

impl<W: Write> Write for Hashed<'_, W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let written = self.0.write(bytes)?;
        self.1.write(bytes.get(..written).unwrap_or_default());
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.0.flush()
    }
}

/// The folder that holds `path`.
#[must_use]
pub fn folder_of(path: &Path) -> PathBuf {
    let parent = path.parent().filter(|p| !p.as_os_str().is_empty());
    parent.unwrap_or(Path::new(".")).to_owned()
}

/// Makes what was done to the names in a folder durable.
///
/// # Errors
/// As the operating system answers.
pub fn sync_folder(folder: &Path) -> std::io::Result<()> {
    fs::File::open(folder)?.sync_all()
}
