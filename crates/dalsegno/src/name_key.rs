//! What stands for a session's name where the name itself is not to stand: in tombstones, and in the audit log.
//!
//! It is a hash by a key of the store's own, which stays the same when encryption is turned on or off, and is sealed while
//! it is on. In a store that is not encrypted, whoever guesses a name can compute its hash.

use zeroize::Zeroizing;

use crate::codec::checksum::Checksum;
use crate::codec::note;
use crate::error::{Error, ErrorKind, Result};
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

    /// The one that the store has; nothing where no name was ever hashed.
    ///
    /// # Errors
    /// `Damaged` where its note is, or is gone while tombstones are there: nobody can say then what a name's hash is.
    pub(crate) fn read(view: &dyn View, store: &StoreId) -> Result<Option<Self>> {
        let row = notes::stands(view, PLACE)?;
        let key = row.as_ref().and_then(|row| Self::of(row, store));
        let is_lost = match row {
            Some(_) => key.is_none(),
            None => view.note_kinds()?.contains(&note::TOMBSTONE),
        };
        if is_lost {
            return Err(Error::damaged(
                "the key of the names' hashes is damaged or lost, so that nobody can say which sessions were erased",
            )
            .hint("a backup or a copy of the store has it: `repair --from`"));
        }
        Ok(key)
    }

    /// The same; where there is none a new one, which `put` brings into the store; so too, with `take`, where it is damaged
    /// and nothing is left that was hashed with it.
    ///
    /// # Errors
    /// As [`read`](Self::read): with another key, what was erased would not be known any more.
    pub(crate) fn ensure(
        view: &dyn View,
        store: &StoreId,
        take: &mut Rows,
        put: &mut Rows,
    ) -> Result<Self> {
        match Self::read(view, store) {
            Ok(Some(key)) => return Ok(key),
            Err(error) if error.kind() == ErrorKind::Damaged => {
                if view.note_kinds()?.contains(&note::TOMBSTONE) {
                    return Err(error);
                }
                take.notes.extend(notes::stands(view, PLACE)?);
            }
            read => drop(read?),
        }
        let key = Key::random()?;
        let detail = note::encode(key.bytes())?;
        put.notes.push(NoteRow::new(PLACE, detail, store));
        Ok(Self(key))
    }

    /// What stands for a name.
    pub(crate) fn sum(&self, name: &str) -> Checksum {
        self.0.sum(name.as_bytes())
    }
}
