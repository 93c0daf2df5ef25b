//! Opening the file: with which rights, on which file systems, with which settings.

use std::fs;
use std::os::unix::fs::{MetadataExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::time::Duration;

use rusqlite::{Connection, OpenFlags};

use super::error::translate;
use crate::durable::sync_folder;
use crate::error::{Error, ErrorKind, Result};
use crate::key::Secret;

/// How the file is reached.
#[derive(Debug, Clone)]
pub struct SqliteOptions {
    /// How long to wait for another process that is writing. 10 seconds by default.
    pub busy_timeout: Duration,
    /// Opened for reading, also where it could be written: a store of an older format stays as it is.
    pub read_only: bool,
    /// A virtual file system registered with SQLite, by name; tests inject faults with one.
    pub vfs: Option<String>,
    /// What opens the store, if it is encrypted; a new one is encrypted with it. A store in clear is refused where
    /// this is given: somebody may have put it in the place of an encrypted one.
    pub secret: Option<Secret>,
}

impl Default for SqliteOptions {
    fn default() -> Self {
        Self {
            busy_timeout: Duration::from_secs(10),
            read_only: false,
            vfs: None,
            secret: None,
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Mode {
    /// The file was just made by [`create_file`].
    Create,
    Write,
    Read,
    /// In a folder where nothing can be written and no WAL stands: nobody else can write either.
    Immutable,
}

/// Makes an empty file that only its owner can read, so that SQLite does not make it for all.
pub(super) fn create_file(path: &Path, options: &SqliteOptions) -> Result<()> {
    if options.vfs.is_some() {
        return Ok(());
    }
    let folder = path
        .parent()
        .filter(|p| !p.as_os_str().is_empty())
        .unwrap_or(Path::new("."));
    refuse_network(folder)?;
    let made = fs::OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(path);
    match made {
        Ok(_) => {
            sync_folder(folder).map_err(|e| Error::io(format!("making {}", path.display()), e))
        }
        Err(e) if e.kind() == std::io::ErrorKind::AlreadyExists => {
            if is_unfinished(path, options) {
                let private = fs::Permissions::from_mode(0o600);
                return fs::set_permissions(path, private)
                    .map_err(|e| Error::io(format!("making {}", path.display()), e));
            }
            let path = path.display();
            Err(Error::new(
                ErrorKind::Conflict,
                format!("{path} exists already; nothing was changed"),
            ))
        }
        Err(e) => Err(Error::io(format!("making {}", path.display()), e)),
    }
}

/// Whether it is what an interrupted `init` leaves: an empty file, or the one page that is there before
/// the tables are. Nothing is in it that could be lost.
pub(super) fn is_unfinished(path: &Path, options: &SqliteOptions) -> bool {
    if options.vfs.is_some() {
        return false;
    }
    let size = fs::metadata(path).map(|m| (m.is_file(), m.size()));
    match size {
        Ok((true, 0)) => true,
        Ok((true, ..=4096)) => {
            let sql = "SELECT (SELECT count(*) FROM sqlite_schema), application_id, auto_vacuum
                       FROM pragma_application_id, pragma_auto_vacuum";
            let found = connect(path, options, Mode::Write)
                .ok()
                .and_then(|connection| {
                    let row = connection.query_row(sql, (), |row| {
                        Ok::<[i64; 3], _>([row.get(0)?, row.get(1)?, row.get(2)?])
                    });
                    row.ok()
                });
            found == Some([0, 0, 2])
        }
        _ => false,
    }
}

/// With which rights the file at `path` can be opened.
pub(super) fn mode(path: &Path, options: &SqliteOptions) -> Result<Mode> {
    if options.vfs.is_some() {
        return Ok(Mode::Write);
    }
    let found =
        fs::metadata(path).map_err(|e| Error::io(format!("opening {}", path.display()), e))?;
    if !found.is_file() {
        return Err(Error::invalid(format!("{} is not a file", path.display())));
    }
    if found.nlink() > 1 {
        return Err(Error::invalid(format!(
            "{} has {} names (hard links); under each of them SQLite would keep a log of its own, and \
             saves would be lost: copy the store instead, and keep one name",
            path.display(),
            found.nlink()
        )));
    }
    refuse_network(path)?;
    let may = |path: &Path| rustix::fs::access(path, rustix::fs::Access::WRITE_OK).is_ok();
    let folder = path
        .parent()
        .filter(|p| !p.as_os_str().is_empty())
        .unwrap_or(Path::new("."));
    let wal = beside(path, "-wal");
    Ok(match (may(path), may(folder)) {
        (true, true) if !options.read_only => Mode::Write,
        (_, false) if !wal.exists() => Mode::Immutable,
        _ => Mode::Read,
    })
}

/// The file's device and number.
pub(super) fn identity(path: &Path) -> Option<(u64, u64)> {
    fs::metadata(path).ok().map(|m| (m.dev(), m.ino()))
}

/// The file that SQLite keeps beside the store, such as `store.db-wal`.
pub(super) fn beside(path: &Path, suffix: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(suffix);
    name.into()
}

pub(super) fn connect(path: &Path, options: &SqliteOptions, mode: Mode) -> Result<Connection> {
    let failed = |e| translate(&format!("opening {}", path.display()), e);
    let rights = match mode {
        Mode::Create => OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_CREATE,
        Mode::Write => OpenFlags::SQLITE_OPEN_READ_WRITE,
        Mode::Read | Mode::Immutable => OpenFlags::SQLITE_OPEN_READ_ONLY,
    };
    let flags = rights | OpenFlags::SQLITE_OPEN_NO_MUTEX | OpenFlags::SQLITE_OPEN_URI;
    let target = match mode {
        Mode::Immutable => PathBuf::from(immutable_uri(path)?),
        _ if path.to_string_lossy().starts_with("file:") => Path::new(".").join(path),
        _ => path.to_owned(),
    };
    let connection = match &options.vfs {
        Some(vfs) => Connection::open_with_flags_and_vfs(target, flags, vfs.as_str()),
        None => Connection::open_with_flags(target, flags),
    }
    .map_err(failed)?;
    connection
        .busy_timeout(options.busy_timeout)
        .map_err(failed)?;
    connection.set_prepared_statement_cache_capacity(64);
    // FULL syncs the WAL at every commit. EXTRA does that too, and also makes the end of the journal
    // durable under which a new file is switched to WAL: were it to come back after a power loss, it
    // would undo everything since. Folding the WAL into the file is not left to the commit that
    // happens to fill it: see `tidy`.
    connection
        .execute_batch(
            "PRAGMA synchronous=EXTRA; PRAGMA trusted_schema=OFF; PRAGMA cell_size_check=ON;
             PRAGMA temp_store=MEMORY; PRAGMA cache_size=-16384;
             PRAGMA wal_autocheckpoint=0; PRAGMA journal_size_limit=67108864",
        )
        .map_err(failed)?;
    Ok(connection)
}

fn immutable_uri(path: &Path) -> Result<String> {
    let absolute = std::path::absolute(path)
        .map_err(|e| Error::io(format!("opening {}", path.display()), e))?;
    let mut uri = String::from("file:");
    for byte in absolute.to_string_lossy().bytes() {
        if byte.is_ascii_alphanumeric() || b"/._-".contains(&byte) {
            uri.push(char::from(byte));
        } else {
            uri.push_str(&format!("%{byte:02X}"));
        }
    }
    Ok(uri + "?immutable=1")
}

/// On network file systems, locks and shared memory do not work as SQLite needs them.
fn refuse_network(path: &Path) -> Result<()> {
    const NETWORK: [(u64, &str); 8] = [
        (0x6969, "NFS"),
        (0xff53_4d42, "CIFS"),
        (0xfe53_4d42, "SMB2"),
        (0x517b, "SMB"),
        (0x5346_414f, "AFS"),
        (0x7375_7245, "Coda"),
        (0x0102_1997, "9P"),
        (0x00c3_6400, "Ceph"),
    ];
    let Ok(found) = rustix::fs::statfs(path) else {
        return Ok(());
    };
    let magic = u64::try_from(found.f_type).unwrap_or_default() & 0xffff_ffff;
    match NETWORK.iter().find(|(code, _)| *code == magic) {
        Some((_, name)) => Err(Error::invalid(format!(
            "{} is on a network file system ({name}), where a store would be damaged; \
             keep it on a local disk",
            path.display()
        ))),
        None => Ok(()),
    }
}
