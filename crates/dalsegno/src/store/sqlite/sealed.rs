//! Rows on their way into the tables and out of them: as they are, or sealed.

use std::borrow::Cow;
use std::cell::RefCell;
use std::collections::HashMap;

use rusqlite::{Connection, OptionalExtension};

use super::error::translate;
use super::keys;
use crate::codec::checksum;
use crate::error::{Error, ErrorKind, Result};
use crate::key::{Key, Part};
use crate::model::StoreId;
use crate::store::SessionRow;
use crate::store::seal::{Seal, SealedSession, Sealing};

/// What stands between a transaction and its tables.
pub(super) struct Gate<'a> {
    seal: Option<&'a Seal>,
    /// The keys of sessions, as far as this transaction has looked at them.
    keys: RefCell<HashMap<i64, Option<Key>>>,
    /// As they stood in rows that were taken away, for those that come in their place.
    taken: RefCell<HashMap<i64, Vec<u8>>>,
}

impl<'a> Gate<'a> {
    pub(super) fn new(seal: Option<&'a Seal>) -> Self {
        Self {
            seal,
            keys: RefCell::default(),
            taken: RefCell::default(),
        }
    }

    /// A row as its table keeps it.
    pub(super) fn seal<'r, R: Sealing>(
        &self,
        connection: &Connection,
        row: &'r R,
    ) -> Result<Cow<'r, R>> {
        let Some(seal) = self.seal else {
            return Ok(Cow::Borrowed(row));
        };
        let key = match row.session_key() {
            Some(session) => Some(self.key(connection, session)?.ok_or_else(|| {
                Error::damaged(format!("the key of session number {session} is damaged"))
            })?),
            None => None,
        };
        seal.seal(row, key.as_ref()).map(Cow::Owned)
    }

    /// As [`seal`](Self::seal), of a row that may be damaged, or whose session is.
    pub(super) fn cover<R: Sealing>(&self, connection: &Connection, row: R) -> Result<R> {
        let Some(seal) = self.seal else {
            return Ok(row);
        };
        let key = match row.session_key() {
            Some(session) => self.key(connection, session)?,
            None => None,
        };
        seal.cover(&row, key.as_ref())
    }

    /// A row as it was before.
    pub(super) fn open<R: Sealing>(&self, connection: &Connection, row: R) -> Result<R> {
        let Some(seal) = self.seal else {
            return Ok(row);
        };
        let key = match row.session_key() {
            // Without its session's key no record opens, whatever the store's would make of it.
            Some(session) => match self.key(connection, session)? {
                Some(key) => Some(key),
                None => return Ok(seal.refused(row)),
            },
            None => None,
        };
        Ok(seal.open(row, key.as_ref()))
    }

    pub(super) fn seal_session(
        &self,
        connection: &Connection,
        row: &SessionRow,
    ) -> Result<SealedSession> {
        let Some(seal) = self.seal else {
            return Ok(SealedSession {
                row: row.clone(),
                key: Vec::new(),
            });
        };
        let there = match self.taken.borrow().get(&row.id) {
            Some(taken) => Some(taken.clone()),
            None => wrapped(connection, row.id)?,
        };
        // A row of a store in clear has none.
        let key = match there.filter(|key| !key.is_empty()) {
            Some(key) => key,
            None => {
                let (key, wrapped) = seal.new_session_key(row.id)?;
                self.keys.borrow_mut().insert(row.id, Some(key));
                wrapped
            }
        };
        seal.seal_session(row, key)
    }

    pub(super) fn open_session(&self, sealed: SealedSession) -> SessionRow {
        match self.seal {
            Some(seal) => seal.open_session(sealed),
            None if sealed.key.is_empty() => sealed.row,
            // In clear there is none, and no checksum covers it.
            None => SessionRow {
                checksum: checksum::other(sealed.row.checksum),
                ..sealed.row
            },
        }
    }

    /// A name as the tables keep it.
    pub(super) fn name<'n>(&self, part: Part, name: &'n str) -> Result<Cow<'n, str>> {
        match self.seal {
            Some(seal) => seal.name(part, name).map(Cow::Owned),
            None => Ok(Cow::Borrowed(name)),
        }
    }

    /// Whether the key of a session opens; of no importance where nothing is sealed.
    pub(super) fn has_key(&self, connection: &Connection, session: i64) -> Result<bool> {
        Ok(self.seal.is_none() || self.key(connection, session)?.is_some())
    }

    /// Whether rows are sealed at all.
    pub(super) fn seals(&self) -> bool {
        self.seal.is_some()
    }

    /// The key of a session, as a store of the same id keeps it; nothing where it does not open.
    pub(super) fn unwrapped(&self, session: i64, wrapped: &[u8]) -> Option<Key> {
        self.seal?.session_key(session, wrapped)
    }

    /// Whether a row as it stands opens with the key of its session.
    pub(super) fn opens<R: Sealing>(&self, row: R, key: &Key, store: &StoreId) -> bool {
        self.seal
            .is_some_and(|seal| seal.open(row, Some(key)).is_intact(store))
    }

    /// Keeps the key of a session whose row is about to be taken away. One that does not open is of no use to anybody:
    /// the row that comes gets a new one.
    pub(super) fn remember(&self, row: &SealedSession) {
        if let Some(seal) = self.seal {
            let (id, wrapped) = (row.row.id, row.key.clone());
            let key = seal.session_key(id, &wrapped);
            if key.is_some() {
                self.taken.borrow_mut().insert(id, wrapped);
            }
            self.keys.borrow_mut().insert(id, key);
        }
    }

    /// Lets a session that is put have this key, if it opens.
    pub(super) fn give(&self, session: i64, wrapped: &[u8]) {
        if let Some(seal) = self.seal
            && let Some(key) = seal.session_key(session, wrapped)
        {
            self.keys.borrow_mut().insert(session, Some(key));
            self.taken.borrow_mut().insert(session, wrapped.to_vec());
        }
    }

    fn key(&self, connection: &Connection, session: i64) -> Result<Option<Key>> {
        let Some(seal) = self.seal else {
            return Ok(None);
        };
        if let Some(known) = self.keys.borrow().get(&session) {
            return Ok(known.clone());
        }
        let key = match wrapped(connection, session)? {
            Some(wrapped) => seal.session_key(session, &wrapped),
            // What is of no session is of the store.
            None => Some(seal.details().clone()),
        };
        self.keys.borrow_mut().insert(session, key.clone());
        Ok(key)
    }
}

/// The key of a session as its row keeps it.
fn wrapped(connection: &Connection, session: i64) -> Result<Option<Vec<u8>>> {
    let found = connection
        .prepare_cached("SELECT key FROM session WHERE id = ?")
        .and_then(|mut key| key.query_row([session], |row| row.get(0)).optional());
    found.map_err(|e| translate("reading the key of a session", e))
}

/// Refuses to go on where the store was encrypted since, or is not encrypted any more.
pub(super) fn check_unchanged(connection: &Connection, expected: i64) -> Result<()> {
    let now: rusqlite::Result<i64> = connection
        .prepare_cached("SELECT sealing FROM store")
        .and_then(|mut sealing| sealing.query_row((), |row| row.get(0)));
    let now = now.map_err(|e| translate("reading what the store says of itself", e))?;
    if now == expected {
        return Ok(());
    }
    let what = if keys::is_sealed(now) {
        "the store was encrypted"
    } else {
        "the store's encryption was turned off"
    };
    Err(Error::new(
        ErrorKind::WrongKey,
        format!("{what} since it was opened; open it anew"),
    ))
}
