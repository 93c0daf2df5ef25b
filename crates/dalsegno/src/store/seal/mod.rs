//! How the rows of an encrypted store are sealed: each blob and name by a key, each row's checksum by another.
//!
//! The engine knows nothing of it: a store seals rows on their way in and opens them on their way out, in the
//! one place where it reads and writes them. A row that does not open is given back as it stands there, and never
//! counts as intact.

mod rows;
mod slot;

use base64_simd::URL_SAFE_NO_PAD;

pub(crate) use self::rows::{SealedSession, Sealing};
pub use self::slot::{KeyKind, KeySlot};
pub(crate) use self::slot::{Slot, open_any};
use crate::codec::checksum::Checksum;
use crate::error::Result;
use crate::key::{Key, Part, Place};
use crate::model::StoreId;
use crate::store::Row;

/// The keys of an encrypted store.
pub(crate) struct Seal {
    store: StoreId,
    root: Key,
    /// For names, details and notes.
    details: Key,
    /// For checksums.
    rows: Key,
    /// For the keys of sessions.
    sessions: Key,
}

impl Seal {
    /// The keys that are made of a store's root key.
    pub(crate) fn new(root: Key, store: StoreId) -> Result<Self> {
        let derive = |purpose| root.derive(purpose, &store);
        Ok(Self {
            details: derive("dalsegno details")?,
            rows: derive("dalsegno rows")?,
            sessions: derive("dalsegno sessions")?,
            root,
            store,
        })
    }

    /// What slots wrap.
    pub(crate) fn root(&self) -> &Key {
        &self.root
    }

    /// The key of what is of no session.
    pub(crate) fn details(&self) -> &Key {
        &self.details
    }

    /// A new key for a session, and how it is kept in its row.
    pub(crate) fn new_session_key(&self, session: i64) -> Result<(Key, Vec<u8>)> {
        let key = Key::random()?;
        let wrapped = self
            .sessions
            .seal(self.place(Part::SessionKey, session, 0), key.bytes())?;
        Ok((key, wrapped))
    }

    /// The key of a session; nothing, where what is kept of it does not open.
    pub(crate) fn session_key(&self, session: i64, wrapped: &[u8]) -> Option<Key> {
        let opened = self
            .sessions
            .open(self.place(Part::SessionKey, session, 0), wrapped);
        opened
            .map(zeroize::Zeroizing::new)
            .and_then(|key| Key::from_slice(&key))
    }

    /// A name as the store keeps it: the same name is always the same text, so that it can be looked for.
    pub(crate) fn name(&self, part: Part, name: &str) -> Result<String> {
        let sealed = self.details.seal(self.place(part, 0, 0), name.as_bytes())?;
        Ok(URL_SAFE_NO_PAD.encode_to_string(sealed))
    }

    fn open_name(&self, part: Part, sealed: &str) -> Option<String> {
        let sealed = URL_SAFE_NO_PAD.decode_to_vec(sealed).ok()?;
        let name = self.details.open(self.place(part, 0, 0), &sealed)?;
        String::from_utf8(name).ok()
    }

    fn place(&self, part: Part, session: i64, row: i64) -> Place<'_> {
        Place {
            store: &self.store,
            part,
            session,
            row,
        }
    }

    /// Whether a row as the store keeps it is one that was written with the key.
    pub(crate) fn proves(&self, row: &impl Row) -> bool {
        self.sum(row) == row.checksum()
    }

    /// What stands for a name in the store, opened.
    pub(crate) fn session_name(&self, sealed: &str) -> Option<String> {
        self.open_name(Part::SessionName, sealed)
    }

    /// The checksum that a row has in the store.
    fn sum(&self, row: &impl Row) -> Checksum {
        self.rows.sum(row.columns(&self.store).bytes())
    }
}
