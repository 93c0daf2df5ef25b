//! How an engine is opened.

use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;

use crate::access::Token;
use crate::clock::{self, Clock};
use crate::guard::GuardPolicy;
use crate::key::Secret;
use crate::migration::Migrations;
use crate::rest::Rested;
use crate::store::SqliteOptions;

/// How an engine is opened.
#[derive(Clone)]
pub struct Options {
    pub(crate) cache_bytes: usize,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) sqlite: SqliteOptions,
    pub(crate) program: Option<String>,
    pub(crate) lease_ttl: Duration,
    pub(crate) guards: Vec<GuardPolicy>,
    pub(crate) migrations: Migrations,
    pub(crate) token: Option<Token>,
    pub(crate) rested: Option<Rested>,
    pub(crate) shown_as: Option<String>,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            cache_bytes: 256 << 20,
            clock: clock::system(),
            sqlite: SqliteOptions::default(),
            program: None,
            lease_ttl: Duration::from_secs(30),
            guards: Vec::new(),
            migrations: Migrations::default(),
            token: None,
            rested: None,
            shown_as: None,
        }
    }
}

impl Options {
    /// How many bytes of newest states the writer keeps in memory, so that the next save of these
    /// sessions need not read the store. 256 MiB by default.
    #[must_use]
    pub fn cache_bytes(mut self, bytes: usize) -> Self {
        self.cache_bytes = bytes;
        self
    }

    /// Where time and randomness come from.
    #[must_use]
    pub fn clock(mut self, clock: Arc<dyn Clock>) -> Self {
        self.clock = clock;
        self
    }

    /// What this program is called where others are told that it has a session open, and by the events of what it
    /// does; by default the name of its file, which does not stand with its snapshots.
    #[must_use]
    pub fn program(mut self, name: impl Into<String>) -> Self {
        self.program = Some(name.into());
        self
    }

    /// How long a session stays open for a program that says nothing, on a machine that cannot tell whether
    /// its process still runs, or where it was stopped. 30 seconds by default; at least one.
    #[must_use]
    pub fn lease_ttl(mut self, ttl: Duration) -> Self {
        self.lease_ttl = ttl.max(Duration::from_secs(1));
        self
    }

    /// Guards lists of sessions while this engine saves them, beside the guards that the
    /// [store keeps](crate::Engine::set_guard); of two for one pattern it is this one.
    #[must_use]
    pub fn guards(mut self, guards: Vec<GuardPolicy>) -> Self {
        self.guards = guards;
        self
    }

    /// How older states of this program's documents become the current shape: [`Restored::to`](crate::Restored::to) gives
    /// that, and saves carry the newest schema version unless they name one.
    #[must_use]
    pub fn migrations(mut self, migrations: Migrations) -> Self {
        self.migrations = migrations;
        self
    }

    /// What opens the store, if it is encrypted; a new store is encrypted with it. A store that is not encrypted is
    /// refused then.
    #[must_use]
    pub fn secret(mut self, secret: Secret) -> Self {
        self.sqlite.secret = Some(secret);
        self
    }

    /// Opens the store for reading, also where it could be written: nothing of it is changed.
    #[must_use]
    pub fn read_only(mut self) -> Self {
        self.sqlite.read_only = true;
        self
    }

    /// Says who uses the store, where that has [principals](crate::Engine::add_principal).
    #[must_use]
    pub fn token(mut self, token: Token) -> Self {
        self.token = Some(token);
        self
    }

    /// What opens the store, where that was given.
    pub(crate) fn secret_given(&self) -> Option<&Secret> {
        self.sqlite.secret.as_ref()
    }

    pub(crate) fn sqlite_options(&self) -> &SqliteOptions {
        &self.sqlite
    }

    pub(crate) fn clock_given(&self) -> &dyn Clock {
        &*self.clock
    }

    /// Whether the store is on a disk of SQLite's own making.
    pub(crate) fn is_virtual(&self) -> bool {
        self.sqlite.vfs.is_some()
    }

    /// The time now.
    pub(crate) fn time(&self) -> Timestamp {
        self.clock.now()
    }

    /// What a repair calls the store where it takes rows from it: by default its file.
    pub(crate) fn shown_as(mut self, what: impl Into<String>) -> Self {
        self.shown_as = Some(what.into());
        self
    }

    pub(crate) fn without_secret(mut self) -> Self {
        self.sqlite.secret = None;
        self
    }

    /// How the embedded store is reached.
    #[must_use]
    pub fn sqlite(mut self, options: SqliteOptions) -> Self {
        self.sqlite = options;
        self
    }
}
