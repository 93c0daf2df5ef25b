//! The engine: the one place that knows all verbs.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use jiff::Timestamp;

use crate::access::{self, Token, TokenHash};
use crate::ask::Gates;
use crate::clock::Clock;
use crate::error::{Error, ErrorKind, Result};
use crate::event::Bus;
use crate::guard::GuardPolicy;
use crate::job::Job;
use crate::lease::{Heart, Leases};
use crate::location;
use crate::migration::Migrations;
use crate::model::{Action, Snapshot};
use crate::options::Options;
use crate::reference;
use crate::show::{self, describe};
use crate::store::{By, Said, SessionRow, SnapshotRow, SqliteStore, Store, View};
use crate::writer::{Teller, Writer};

/// A store of sessions and everything that can be done with it.
///
/// An engine may be shared between threads; saves of all threads go to one writer, which commits
/// them together. Dropping it, or [`close`](Engine::close), finishes what was submitted.
///
/// ```
/// use serde::{Deserialize, Serialize};
///
/// #[derive(Serialize, Deserialize, PartialEq, Debug)]
/// struct Player { volume: u8, upcoming: Vec<String> }
///
/// # fn main() -> dalsegno::Result<()> {
/// # let folder = tempfile::tempdir().unwrap();
/// # let path = folder.path().join("store.db");
/// let engine = dalsegno::Engine::create(&path)?;
/// let player = Player { volume: 75, upcoming: vec!["Blue Train".into()] };
///
/// engine.save("bot/42", &player).name("party").commit()?;
///
/// let again: Player = engine.restore("bot/42@latest")?.to()?;
/// assert_eq!(again, player);
/// # Ok(())
/// # }
/// ```
pub struct Engine {
    store: Arc<dyn Store>,
    sqlite: Option<Arc<SqliteStore>>,
    clock: Arc<dyn Clock>,
    cache_bytes: usize,
    writer: Mutex<Option<Arc<Writer>>>,
    leases: Arc<Leases>,
    bus: Arc<Bus>,
    heart: Mutex<Option<Heart>>,
    gates: Gates,
    program: String,
    /// That, where the program says so itself: it stands with its snapshots then.
    actor: Option<String>,
    /// Who does what is done here, for the audit log.
    who: Arc<str>,
    token: Option<TokenHash>,
    is_principal: bool,
    /// What was denied last, and when: microseconds since 1970 (UTC).
    denied: Mutex<Option<(Action, Option<String>, i64)>>,
    lease_ttl: Duration,
    guards: Arc<[GuardPolicy]>,
    migrations: Migrations,
    shown_as: Option<String>,
    /// After a fork the child has no writer thread, and SQLite's locks are its parent's.
    process: u32,
}

impl Options {
    /// Opens the store at `path`: a file, or a folder that holds `store.db`.
    ///
    /// # Errors
    /// As [`Engine::open`].
    pub fn open(self, path: impl AsRef<Path>) -> Result<Engine> {
        let file = self.existing(path.as_ref())?;
        let store = Arc::new(SqliteStore::open(&file, &self.sqlite)?);
        let engine = Engine::assemble(self, Arc::clone(&store) as _, Some(store));
        engine.go_on()?;
        Ok(engine)
    }

    /// Makes a new store at `path` and opens it.
    ///
    /// # Errors
    /// As [`Engine::create`].
    pub fn create(self, path: impl AsRef<Path>) -> Result<Engine> {
        let file = if self.sqlite.vfs.is_some() {
            path.as_ref().to_owned()
        } else {
            location::new(path.as_ref())?
        };
        let store = Arc::new(SqliteStore::create(&file, &self.sqlite, &*self.clock)?);
        Ok(Engine::assemble(self, Arc::clone(&store) as _, Some(store)))
    }

    /// The file of the store at `path`.
    pub(crate) fn existing(&self, path: &Path) -> Result<PathBuf> {
        location::existing(path, self.sqlite.vfs.is_some())
    }

    /// An engine on a store of any kind.
    #[must_use]
    pub fn on(self, store: Arc<dyn Store>) -> Engine {
        Engine::assemble(self, store, None)
    }
}

impl Engine {
    /// Opens the store at `path`: a file, or a folder that holds `store.db`. Where nothing can be
    /// written it is opened for reading.
    ///
    /// # Errors
    /// `NotFound` where there is no store; `InvalidInput` where something else stands there, or the
    /// file system is a network's; `WrongKey` where it is encrypted, or is not and a key was given; `Storage` where
    /// the format is newer; `Damaged`; `Denied`.
    pub fn open(path: impl AsRef<Path>) -> Result<Self> {
        Options::default().open(path)
    }

    /// Makes a new store at `path`, for its owner only, and opens it. A path that ends with `.db` is
    /// the file; any other is a folder, in which `store.db` is made.
    ///
    /// # Errors
    /// `Conflict` where there is one already; `Denied` or `Storage` where the disk refuses.
    pub fn create(path: impl AsRef<Path>) -> Result<Self> {
        Options::default().create(path)
    }

    fn assemble(options: Options, store: Arc<dyn Store>, sqlite: Option<Arc<SqliteStore>>) -> Self {
        let (leases, bus, gates) = options
            .rested
            .map(|rested| (rested.leases, rested.bus, rested.gates))
            .unwrap_or_default();
        let program = options.program.clone().unwrap_or_else(own_name);
        let token = options.token.as_ref().map(Token::hash);
        let principal = access::name(&*store, token.as_ref());
        Self {
            store,
            sqlite,
            clock: options.clock,
            cache_bytes: options.cache_bytes,
            writer: Mutex::new(None),
            leases,
            bus,
            heart: Mutex::new(None),
            gates,
            actor: options
                .program
                .as_deref()
                .map(short)
                .filter(|it| !it.is_empty()),
            is_principal: principal.is_some(),
            denied: Mutex::new(None),
            who: principal.unwrap_or_else(|| short(&program)).into(),
            token,
            program,
            lease_ttl: options.lease_ttl,
            guards: options.guards.into(),
            migrations: options.migrations,
            shown_as: options.shown_as,
            process: std::process::id(),
        }
    }

    /// The metadata of the snapshot that `reference` means: an id or the beginning of one, a name,
    /// `SESSION@latest`, `SESSION@-2`, `SESSION@2026-11-20T10:00`, `SESSION@turn:42` or
    /// `SESSION@NAME`.
    ///
    /// # Errors
    /// `NotFound`, or `Ambiguous` with the candidates in the message.
    pub fn info(&self, reference: &str) -> Result<Snapshot> {
        let view = self.view()?;
        let row = self.resolve(&*view, reference)?;
        self.describe(&*view, &row)
    }

    /// Waits until everything submitted before is committed or refused.
    ///
    /// # Errors
    /// `Storage` where the writer has stopped. What became of each save, its ticket tells.
    pub fn flush(&self) -> Result<()> {
        self.check_process()?;
        // Not with the lock held: others go on saving.
        let writer = self.writer().clone();
        writer.map_or(Ok(()), |writer| writer.flush())
    }

    /// Finishes what was submitted, closes the sessions that are open, packs records, gives space back and stops
    /// the writer.
    ///
    /// # Errors
    /// `Conflict` where another program had taken over a session. Where packing or giving space back failed; every
    /// acknowledged snapshot is safe all the same.
    pub fn close(self) -> Result<()> {
        let sessions = self.close_sessions();
        sessions.and(self.stop())
    }

    fn close_sessions(&self) -> Result<()> {
        if self.process != std::process::id() {
            return Ok(());
        }
        let mut closed = Ok(());
        for session in self.leases.names() {
            closed = closed.and(self.close_session(&session));
        }
        self.stop_beating();
        closed
    }

    /// As long as it has sessions open, what it last said of itself stays.
    pub(crate) fn stop_beating(&self) {
        drop(self.heart().take());
    }

    /// The sessions that are open and those who listen, which are no concern of this engine any more.
    pub(crate) fn give_up(&mut self) -> (Arc<Leases>, Arc<Bus>, Gates) {
        (
            std::mem::take(&mut self.leases),
            std::mem::take(&mut self.bus),
            std::mem::take(&mut self.gates),
        )
    }

    fn heart(&self) -> MutexGuard<'_, Option<Heart>> {
        self.heart.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The id of the note that says that this program is there, and goes on saying so.
    pub(crate) fn beating(&self) -> Result<i64> {
        self.check_process()?;
        let mut heart = self.heart();
        if heart.is_none() {
            *heart = Some(self.start_heart()?);
        }
        let writer = self.leases.writer();
        writer.ok_or_else(|| Error::storage("this program has no note in the store"))
    }

    fn start_heart(&self) -> Result<Heart> {
        Heart::start(
            Arc::clone(&self.store),
            Arc::clone(&self.clock),
            Arc::clone(&self.leases),
            &self.program,
            self.lease_ttl,
        )
    }

    /// Says that this program is there, where it has sessions open from the beginning.
    fn go_on(&self) -> Result<()> {
        if !self.leases.sessions().is_empty() {
            *self.heart() = Some(self.start_heart()?);
        }
        Ok(())
    }

    /// Says now, to all who look at the store, how this program is; where it has opened nothing, nobody looks.
    pub(crate) fn beat(&self) -> Result<()> {
        self.check_process()?;
        self.heart().as_ref().map_or(Ok(()), Heart::beat)
    }

    pub(crate) fn gates(&self) -> &Gates {
        &self.gates
    }

    pub(crate) fn bus(&self) -> &Bus {
        &self.bus
    }

    /// What this program is called.
    pub(crate) fn program(&self) -> &str {
        &self.program
    }

    /// What it says that it is called.
    pub(crate) fn actor(&self) -> Option<&str> {
        self.actor.as_deref()
    }

    /// Who does what is done here.
    pub(crate) fn who(&self) -> Arc<str> {
        Arc::clone(&self.who)
    }

    /// Whether that is the name of a principal.
    pub(crate) fn is_principal(&self) -> bool {
        self.is_principal
    }

    /// Whether the same was denied a moment ago: a program that asks again and again is written down once a minute.
    pub(crate) fn was_denied(&self, action: Action, session: Option<&str>) -> bool {
        let now = self.now().as_microsecond();
        let mut last = self.denied.lock().unwrap_or_else(PoisonError::into_inner);
        let again = last.as_ref().is_some_and(|(before, of, at)| {
            *before == action && of.as_deref() == session && (0..AGAIN).contains(&(now - at))
        });
        if !again {
            *last = Some((action, session.map(str::to_owned), now));
        }
        again
    }

    /// What the audit log says of something that is done now.
    pub(crate) fn said(&self, action: Action) -> Said {
        let by = By {
            action,
            who: self.who(),
            behalf: None,
        };
        Said::new(by, self.now().as_microsecond())
    }

    /// The guards that this program gives itself.
    pub(crate) fn own_guards(&self) -> &[GuardPolicy] {
        &self.guards
    }

    /// The migrations of this program's documents: see [`Options::migrations`].
    #[must_use]
    pub fn migrations(&self) -> &Migrations {
        &self.migrations
    }

    pub(crate) fn leases(&self) -> &Leases {
        &self.leases
    }

    pub(crate) fn clock(&self) -> &dyn Clock {
        &*self.clock
    }

    pub(crate) fn stop(&self) -> Result<()> {
        match self.writer().take() {
            Some(writer) if self.process == std::process::id() => match writer.close() {
                // It refused what it was given; there is nothing to pack.
                Err(_) if self.is_read_only() => Ok(()),
                closed => closed,
            },
            // The thread is the parent's; waiting for it would be for ever.
            Some(writer) => {
                std::mem::forget(writer);
                Ok(())
            }
            None => Ok(()),
        }
    }

    /// Hands jobs to the writer, which commits them together.
    pub(crate) fn send(&self, jobs: Vec<Job>) -> Result<()> {
        self.check_process()?;
        let mut current = self.writer();
        let jobs = match &*current {
            Some(writer) => match writer.send(jobs) {
                Ok(()) => return Ok(()),
                // It has ended, by a mistake in this program; those it answered to know. Others go on.
                Err(jobs) => jobs,
            },
            None => jobs,
        };
        let writer = Arc::new(Writer::start(
            Arc::clone(&self.store),
            Arc::clone(&self.clock),
            Arc::clone(&self.leases),
            Teller {
                bus: Arc::clone(&self.bus),
                program: self.program.clone(),
                who: self.who(),
                token: self.token,
            },
            Arc::clone(&self.guards),
            self.cache_bytes,
        )?);
        let sent = writer.send(jobs);
        *current = Some(writer);
        sent.map_err(|_| Error::storage("the store's writer has stopped"))
    }

    /// This program raised the era of a session and did nothing else to it: what the writer remembers
    /// of it holds, and need not be read again.
    pub(crate) fn raised(&self, row: &SessionRow) {
        if let Some(writer) = &*self.writer() {
            writer.raised(row);
        }
    }

    fn check_process(&self) -> Result<()> {
        if self.process == std::process::id() {
            return Ok(());
        }
        Err(Error::storage(
            "the store was opened before a fork; open it anew in this process",
        ))
    }

    fn writer(&self) -> MutexGuard<'_, Option<Arc<Writer>>> {
        self.writer.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn now(&self) -> Timestamp {
        self.clock.now()
    }

    /// Of everything, whoever asks: only for what is no answer to anybody.
    pub(crate) fn raw_view(&self) -> Result<Box<dyn View + '_>> {
        self.store.view()
    }

    /// What stands for who uses the store.
    pub(crate) fn token(&self) -> Option<&TokenHash> {
        self.token.as_ref()
    }

    pub(crate) fn store(&self) -> &dyn Store {
        &*self.store
    }

    pub(crate) fn sqlite(&self) -> Option<&SqliteStore> {
        self.sqlite.as_deref()
    }

    /// The store's file, where it is one.
    #[must_use]
    pub fn path(&self) -> Option<PathBuf> {
        self.sqlite.as_ref().map(|sqlite| sqlite.path().to_owned())
    }

    /// What a repair calls it where it takes rows from it.
    pub(crate) fn shown(&self) -> String {
        let path = || self.path().map(|it| it.display().to_string());
        let shown = self.shown_as.clone().or_else(path);
        shown.unwrap_or_else(|| "a store".to_owned())
    }

    /// Whether the store can only be read: saves are refused.
    #[must_use]
    pub fn is_read_only(&self) -> bool {
        self.sqlite().is_some_and(SqliteStore::is_read_only)
    }

    /// Whether `path` is a file of the store itself. Such files are never read or written but through
    /// the store: replacing one would end it, and even opening and closing it drops SQLite's locks.
    #[must_use]
    pub fn owns(&self, path: &Path) -> bool {
        self.path()
            .is_some_and(|store| location::belongs_to_store(&store, path))
    }

    pub(crate) fn resolve(&self, view: &dyn View, reference: &str) -> Result<SnapshotRow> {
        let id = &self.store.info().id;
        match reference::resolve(view, id, reference) {
            Err(error) if error.kind() == ErrorKind::NotFound => {
                Err(reference::hint(view, id, reference, error))
            }
            other => other,
        }
    }

    pub(crate) fn describe(&self, view: &dyn View, row: &SnapshotRow) -> Result<Snapshot> {
        let id = &self.store.info().id;
        let session = show::session_name(view, id, row.session)?;
        describe(row, &session, id)
    }
}

impl Drop for Engine {
    fn drop(&mut self) {
        // Whoever wants to know calls close(); acknowledged snapshots are durable either way. After a panic nobody
        // can say that all of the sessions is saved.
        if !std::thread::panicking() {
            drop(self.close_sessions());
        }
        drop(self.stop());
    }
}

/// How long the same denial is not written down again: microseconds.
const AGAIN: i64 = 60_000_000;

/// As much of a name as stands with a snapshot.
fn short(name: &str) -> String {
    name.chars().take(255).collect()
}

/// The name of the program's file.
fn own_name() -> String {
    let path = std::env::current_exe().ok();
    let name = path.as_deref().and_then(Path::file_name);
    name.map_or_else(
        || "a program".to_owned(),
        |name| name.to_string_lossy().into_owned(),
    )
}
