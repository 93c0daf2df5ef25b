//! The embedded store: one SQLite file, open in several processes at once.
//!
//! The file is never opened except through SQLite: closing any other descriptor of it would drop
//! SQLite's locks of the whole process.

mod aside;
mod commit;
mod error;
mod exchange;
mod insert;
mod keys;
mod ledger;
mod open;
pub(crate) mod pages;
mod rows;
mod schema;
mod sealed;
mod tidy;
mod turn;
mod view;

use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};

use rusqlite::Connection;

use self::error::translate;
pub use self::open::SqliteOptions;
pub(crate) use self::schema::{Begin, Keys};
use self::sealed::Gate;
pub(crate) use self::turn::Progress;
use super::seal::Seal;
use super::{Exchange, Outcome, Said, Store, StoreInfo, View, Write};
use crate::clock::Clock;
use crate::error::{Error, ErrorKind, Result};
use crate::key::{Key, Secret};

/// A store in one SQLite file, in WAL mode with `synchronous=EXTRA`: what was committed survives a
/// power loss, if the disk keeps what it says it synced.
pub struct SqliteStore {
    path: PathBuf,
    options: SqliteOptions,
    own: Own,
    /// Empty in a store that is opened for reading only.
    writer: Mutex<Option<Connection>>,
    idle: Mutex<Vec<Connection>>,
    /// Sees what others commit, because it commits nothing itself.
    lookout: Mutex<Option<Connection>>,
    read_only: bool,
    /// Device and number of the file: what is written after it was moved away would be lost.
    identity: Option<(u64, u64)>,
    /// A forked child must not use SQLite's handles: the locks are its parent's.
    process: u32,
}

/// What the file says of itself, and what opens it.
struct Own {
    info: StoreInfo,
    /// How often its encryption was turned on or off.
    sealing: i64,
    seal: Option<Seal>,
}

impl Own {
    /// What slots wrap, where it is encrypted.
    fn root(&self) -> Option<&Key> {
        self.seal.as_ref().map(Seal::root)
    }

    /// What one transaction's rows go through.
    fn gate(&self) -> Gate<'_> {
        Gate::new(self.seal.as_ref())
    }
}

/// How many idle reading connections are kept.
const IDLE: usize = 8;

impl SqliteStore {
    /// Makes a new store file at `path`, mode 0600.
    ///
    /// # Errors
    /// `Conflict` where a store or another file stands there; `NotFound` where the folder does not
    /// exist; `Denied` or `Storage` where the disk refuses.
    pub fn create(path: &Path, options: &SqliteOptions, clock: &dyn Clock) -> Result<Self> {
        let begin = Begin::anew(clock, options.secret.as_ref());
        Self::create_as(path, options, clock, &begin)
    }

    /// Makes a new store file that begins as `begin` says; otherwise as [`create`](Self::create).
    pub(crate) fn create_as(
        path: &Path,
        options: &SqliteOptions,
        clock: &dyn Clock,
        begin: &Begin<'_>,
    ) -> Result<Self> {
        open::create_file(path, options)?;
        let made = open::connect(path, options, open::Mode::Create)
            .and_then(|mut connection| schema::create(&mut connection, clock, begin));
        if let Err(error) = made {
            // Nothing is left of it, unless another program is making a store here.
            let others = [ErrorKind::Conflict, ErrorKind::Locked].contains(&error.kind());
            if !others && open::is_unfinished(path, options) {
                for end in ["", "-journal", "-wal", "-shm"] {
                    drop(std::fs::remove_file(open::beside(path, end)));
                }
            }
            return Err(error);
        }
        Self::open(path, options)
    }

    /// Opens the store file at `path`; for reading only, where it cannot be written.
    ///
    /// # Errors
    /// `NotFound` where there is none; `InvalidInput` where it is something else, or on a network
    /// file system; `Storage` where its format is newer; `Damaged` where it cannot be read. A store of an
    /// older format is upgraded, where it can be written.
    pub fn open(path: &Path, options: &SqliteOptions) -> Result<Self> {
        let mode = open::mode(path, options)?;
        let read_only = mode != open::Mode::Write;
        let context = |e: Error| e.context(path.display());
        let opened = open::connect(path, options, mode).and_then(|connection| {
            let read = schema::read(&connection).map_err(context)?;
            Ok((connection, read))
        });
        let (mut connection, (mut info, mut sealing)) =
            opened.map_err(|error| of_a_damaged_header(path, options, error))?;
        if !read_only && info.format != schema::FORMAT {
            schema::upgrade(&mut connection).map_err(context)?;
            (info, sealing) = schema::read(&connection).map_err(context)?;
        }
        let seal = keys::open(&connection, &info, sealing, options.secret.as_ref());
        let seal = seal.map_err(context)?;
        let (writer, idle) = if read_only {
            (None, vec![connection])
        } else {
            (Some(connection), Vec::new())
        };
        Ok(Self {
            path: path.to_owned(),
            options: options.clone(),
            own: Own {
                info,
                sealing,
                seal,
            },
            writer: Mutex::new(writer),
            idle: Mutex::new(idle),
            lookout: Mutex::new(None),
            read_only,
            identity: options
                .vfs
                .is_none()
                .then(|| open::identity(path))
                .flatten(),
            process: std::process::id(),
        })
    }

    /// Whether it is encrypted.
    #[must_use]
    pub fn is_encrypted(&self) -> bool {
        self.own.seal.is_some()
    }

    /// What slots wrap, where it is encrypted.
    pub(crate) fn root(&self) -> Option<&Key> {
        self.own.root()
    }

    /// Seals every row under new keys, which `secret` opens. This store is not to be used any more; [`wipe`] comes
    /// next, once it is opened anew.
    ///
    /// [`wipe`]: Self::wipe
    pub(crate) fn turn_on(
        &self,
        secret: &Secret,
        label: Option<&str>,
        clock: &dyn Clock,
        said: Said,
        progress: Progress<'_>,
    ) -> Result<()> {
        self.write(|connection| {
            turn::on(
                connection,
                &self.own,
                (secret, label),
                clock,
                said,
                progress,
            )
        })
    }

    /// Puts every row in clear; otherwise as [`turn_on`](Self::turn_on).
    pub(crate) fn turn_off(&self, said: Said, progress: Progress<'_>) -> Result<()> {
        self.write(|connection| turn::off(connection, &self.own, said, progress))
    }

    /// Leaves nothing in the file that no row has.
    pub(crate) fn wipe(&self) -> Result<()> {
        // Connections that only look would hold the log.
        self.idle
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clear();
        self.write(|connection| turn::wipe(connection, self.options.busy_timeout))
    }

    fn write<T>(&self, work: impl FnOnce(&mut Connection) -> Result<T>) -> Result<T> {
        let mut writer = self.writer()?;
        let connection = writer
            .as_mut()
            .ok_or_else(|| Error::storage("the store is closed"))?;
        work(connection)
    }

    /// Whether it is open for reading only.
    #[must_use]
    pub fn is_read_only(&self) -> bool {
        self.read_only
    }

    /// The file.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// What SQLite is set to, as it reports it: for `doctor`.
    ///
    /// # Errors
    /// As [`Store::view`].
    pub fn settings(&self) -> Result<Vec<(&'static str, String)>> {
        let connection = self.reader()?;
        let names = [
            "journal_mode",
            "synchronous",
            "page_size",
            "page_count",
            "freelist_count",
            "auto_vacuum",
            "application_id",
            "user_version",
        ];
        let read = |name: &'static str| {
            let value = connection.pragma_query_value(None, name, |row| {
                Ok(match row.get_ref(0)? {
                    rusqlite::types::ValueRef::Integer(n) => n.to_string(),
                    other => other.as_str().unwrap_or_default().to_owned(),
                })
            });
            Ok((
                name,
                value.map_err(|e| translate("reading the store's settings", e))?,
            ))
        };
        let settings = names.into_iter().map(read).collect();
        self.give_back(connection);
        settings
    }

    /// Whether it is on a disk of SQLite's own making.
    pub(crate) fn is_virtual(&self) -> bool {
        self.options.vfs.is_some()
    }

    /// What is read of the file at `path` without SQLite; `file` is that file, locked.
    pub(crate) fn pages(file: std::fs::File, path: &Path) -> Result<pages::Reader> {
        Ok(pages::Reader::of(pages::Pages::of(file, path)?))
    }

    /// The rows as they stand in the tables, a line of JSON for each; none of those that are not there.
    pub(crate) fn as_they_stand<'r>(
        &self,
        rows: impl Iterator<Item = &'r super::Rows>,
    ) -> Result<Vec<u8>> {
        let connection = self.reader()?;
        let lines = aside::lines(&connection, rows);
        self.give_back(connection);
        lines
    }

    fn check_process(&self) -> Result<()> {
        if self.process == std::process::id() {
            Ok(())
        } else {
            Err(Error::storage(
                "the store was opened before a fork; open it anew in this process",
            ))
        }
    }

    /// Refuses to go on where the file is no longer at its place.
    fn check_place(&self) -> Result<()> {
        if self.identity.is_none() || self.identity == open::identity(&self.path) {
            return Ok(());
        }
        let path = self.path.display();
        Err(Error::storage(format!(
            "{path} was moved, deleted or replaced while it was open; open it anew"
        )))
    }

    /// The writing connection. Transactions roll back when dropped, so a panic leaves none behind.
    fn writer(&self) -> Result<MutexGuard<'_, Option<Connection>>> {
        self.check_process()?;
        self.check_place()?;
        let writer = self.writer.lock().unwrap_or_else(PoisonError::into_inner);
        if writer.is_some() {
            Ok(writer)
        } else {
            let path = self.path.display();
            let why = if self.options.read_only {
                "it was opened for reading only"
            } else {
                "the file, its folder or the disk is read-only"
            };
            let message = format!("{path} cannot be written: {why}");
            Err(Error::new(ErrorKind::Denied, message))
        }
    }

    fn reader(&self) -> Result<Connection> {
        self.check_process()?;
        self.check_place()?;
        let idle = self
            .idle
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .pop();
        match idle {
            Some(connection) => Ok(connection),
            None => open::connect(
                &self.path,
                &self.options,
                open::mode(&self.path, &self.options)?,
            ),
        }
    }

    fn give_back(&self, connection: Connection) {
        let mut idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner);
        if idle.len() < IDLE {
            idle.push(connection);
        }
    }
}

/// What SQLite takes for no database, or another program's, may be a store whose header is damaged.
fn of_a_damaged_header(path: &Path, options: &SqliteOptions, error: Error) -> Error {
    let may_be = error.kind() == ErrorKind::InvalidInput
        && options.vfs.is_none()
        && !crate::location::is_open_here(path);
    let is_a_store = || {
        let file = std::fs::File::open(path).ok()?;
        let pages = pages::Pages::of(file, path).ok()?;
        Some(pages::is_a_store(&pages))
    };
    if !may_be || is_a_store() != Some(true) {
        return error;
    }
    Error::damaged(format!(
        "{}: the header of the file is damaged, but its pages are those of a store",
        path.display()
    ))
    .with_source(error)
    .hint("build it anew from them: `repair --rebuild`")
}

impl Drop for SqliteStore {
    fn drop(&mut self) {
        // In a forked child the handles are the parent's: closing them would drop its locks.
        if self.process != std::process::id() {
            let writer = self
                .writer
                .get_mut()
                .unwrap_or_else(PoisonError::into_inner);
            let idle = self.idle.get_mut().unwrap_or_else(PoisonError::into_inner);
            std::mem::forget((writer.take(), std::mem::take(idle)));
        }
    }
}

impl Store for SqliteStore {
    fn info(&self) -> &StoreInfo {
        &self.own.info
    }

    fn commit(&self, writes: &[Write]) -> Result<Vec<Outcome>> {
        self.write(|connection| commit::commit(connection, &self.own, writes))
    }

    fn exchange(&self, exchange: &Exchange) -> Result<bool> {
        self.write(|connection| exchange::exchange(connection, &self.own, exchange))
    }

    fn version(&self) -> Result<i64> {
        let mut lookout = self.lookout.lock().unwrap_or_else(PoisonError::into_inner);
        let connection = match lookout.take() {
            Some(connection) => {
                self.check_process()?;
                connection
            }
            None => self.reader()?,
        };
        let version = connection.pragma_query_value(None, "data_version", |row| row.get(0));
        *lookout = Some(connection);
        version.map_err(|e| translate("looking for changes of the store", e))
    }

    fn view(&self) -> Result<Box<dyn View + '_>> {
        Ok(Box::new(view::SqliteView::begin(self, self.reader()?)?))
    }

    fn tidy(&self) -> Result<()> {
        self.write(tidy::tidy)
    }

    fn settle(&self) -> Result<()> {
        self.write(|connection| tidy::settle(connection, self.options.busy_timeout))
    }
}
