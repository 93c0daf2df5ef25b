//! What stands for a session's name where the name itself is not to stand: in tombstones, and in the audit log.
//!
//! It is a hash by a key of the store's own, which stays the same when encryption is turned on or off, and is sealed while
//! it is on. In a store that is not encrypted, whoever guesses a name can compute its hash.

use zeroize::Zeroizing;

use crate::codec::checksum::Checksum;
use crate::codec::note;
use crate::error::Result;
use crate::key::Key;
use crate::model::StoreId;
use crate::store::{NoteRow, Row, Rows, View, notes};

/// Where its note stands.
pub(crate) const PLACE: (i64, i64, i64) = (note::NAMES, 0, 1);

/// The key of a store's hashes of names.
#[derive(Debug, Clone)]
pub(crate) struct NameKey(Key);

impl NameKey {
    /// The one in its note; nothing where that is damaged.
    pub(crate) fn of(row: &NoteRow, store: &StoreId) -> Option<Self> {
        if !row.is_intact(store) {
            return None;
        }
        let bytes = note::decode::<[u8; 32]>(&row.detail).ok()?;
        Some(Self(Key::of(Zeroizing::new(bytes))))
    }

    pub(crate) fn read(view: &dyn View, store: &StoreId) -> Result<Option<Self>> {
        let row = notes::stands(view, PLACE)?;
        Ok(row.and_then(|row| Self::of(&row, store)))
    }

    /// The same; where there is none, or a damaged one, a new one, which `take` and `put` bring into the store.
    pub(crate) fn ensure(
        view: &dyn View,
        store: &StoreId,
        take: &mut Rows,
        put: &mut Rows,
    ) -> Result<Self> {
        let row = notes::stands(view, PLACE)?;
        if let Some(key) = row.as_ref().and_then(|row| Self::of(row, store)) {
            return Ok(key);
        }
        let key = Key::random()?;
        take.notes.extend(row);
        let detail = note::encode(key.bytes())?;
        put.notes.push(NoteRow::new(PLACE, detail, store));
        Ok(Self(key))
    }

    /// What stands for a name.
    pub(crate) fn sum(&self, name: &str) -> Checksum {
        self.0.sum(name.as_bytes())
    }
}
