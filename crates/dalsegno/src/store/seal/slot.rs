//! The root key of a store, wrapped by each secret that opens it.

use argon2::{Algorithm, Argon2, Params, Version};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use crate::clock::{self, Clock};
use crate::codec::checksum::Checksum;
use crate::codec::note;
use crate::error::{Error, ErrorKind, Result};
use crate::key::{Form, Key, Part, Place, Secret};
use crate::model::StoreId;
use crate::store::{NoteRow, Row};

/// The kind of the notes that slots are.
pub(crate) const KIND: i64 = note::SLOT;

/// What Argon2id takes by default: the second choice of RFC 9106, for machines that cannot give 2 GiB.
const COST: Cost = Cost {
    memory: 64 << 10,
    passes: 3,
    lanes: 4,
};

/// A slot that asks for more was not written by this program: it is not tried.
const MOST: Cost = Cost {
    memory: 1 << 20,
    passes: 64,
    lanes: 64,
};

/// A way to open an encrypted store.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct KeySlot {
    /// Its number, by which it is removed.
    pub id: i64,
    /// What opens it.
    pub kind: KeyKind,
    /// What people call it.
    pub label: Option<String>,
    /// Since when.
    pub created_at: Timestamp,
}

/// What opens a slot.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum KeyKind {
    /// A key of 256 random bits.
    Key,
    /// A passphrase, through Argon2id.
    Passphrase,
}

/// A slot as it is stored.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Slot {
    label: Option<String>,
    /// In microseconds since 1970 (UTC).
    created_at: i64,
    /// Of a passphrase: what making a key of it takes.
    cost: Option<Cost>,
    /// Of all the rest, by a key of the root: whoever has none cannot call it something else.
    sum: Checksum,
    salt: [u8; 16],
    /// The root key, sealed.
    root: Vec<u8>,
}

/// What Argon2id takes.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
struct Cost {
    /// In KiB.
    memory: u32,
    passes: u32,
    lanes: u32,
}

impl Slot {
    /// The root key, wrapped so that `secret` opens it; for the slot of that number.
    pub(crate) fn new(
        root: &Key,
        secret: &Secret,
        label: Option<&str>,
        (store, id): (&StoreId, i64),
        clock: &dyn Clock,
    ) -> Result<Self> {
        let mut salt = [0; 16];
        clock::fill_secret(&mut salt)?;
        let cost = matches!(secret.0, Form::Passphrase(_)).then_some(COST);
        let wrapped = wrapping(secret, cost, &salt)?.seal(place(store, id), root.bytes())?;
        let mut slot = Self {
            label: label.map(str::to_owned),
            created_at: clock.now().as_microsecond(),
            cost,
            sum: Checksum::default(),
            salt,
            root: wrapped,
        };
        slot.sum = slot.sum(root, store, id)?;
        Ok(slot)
    }

    /// What [`read`](Self::read) gives, where who wrote it had the root key.
    pub(crate) fn genuine(row: &NoteRow, root: &Key, store: &StoreId) -> Result<Self> {
        let slot = Self::read(row, store)?;
        if slot.sum(root, store, row.id)? == slot.sum {
            return Ok(slot);
        }
        let message = format!("key {} of the store was changed by who has none", row.id);
        Err(Error::damaged(message))
    }

    fn sum(&self, root: &Key, store: &StoreId, id: i64) -> Result<Checksum> {
        let rest = Self {
            sum: Checksum::default(),
            ..self.clone()
        };
        let key = root.derive("dalsegno slots", store)?;
        Ok(key.sum(&note::encode(&(id, rest))?))
    }

    pub(crate) fn read(row: &NoteRow, store: &StoreId) -> Result<Self> {
        let damaged = || Error::damaged(format!("key {} of the store is damaged", row.id));
        if !row.is_intact(store) {
            return Err(damaged());
        }
        note::decode(&row.detail).map_err(|e| damaged().with_source(e))
    }

    pub(crate) fn row(&self, store: &StoreId, id: i64) -> Result<NoteRow> {
        Ok(NoteRow::new((KIND, 0, id), note::encode(self)?, store))
    }

    pub(crate) fn shown(&self, id: i64) -> Result<KeySlot> {
        let out_of_range = |_| Error::damaged(format!("the time of key {id} is out of range"));
        Ok(KeySlot {
            id,
            kind: match self.cost {
                None => KeyKind::Key,
                Some(_) => KeyKind::Passphrase,
            },
            label: self.label.clone(),
            created_at: Timestamp::from_microsecond(self.created_at).map_err(out_of_range)?,
        })
    }

    /// The root key; nothing, where `secret` is not what this slot was made for.
    fn open(&self, secret: &Secret, store: &StoreId, id: i64) -> Result<Option<Key>> {
        if self.cost.is_some() != matches!(secret.0, Form::Passphrase(_)) {
            return Ok(None);
        }
        let root = wrapping(secret, self.cost, &self.salt)?.open(place(store, id), &self.root);
        let root = root.map(Zeroizing::new);
        Ok(root.and_then(|root| Key::from_slice(&root)))
    }
}

/// The root key, and the number of the slot that `secret` opens.
///
/// # Errors
/// `WrongKey` where it opens none; `Damaged` where a slot that it may have opened is damaged.
pub(crate) fn open_any(rows: &[NoteRow], secret: &Secret, store: &StoreId) -> Result<(Key, i64)> {
    let mut damaged = None;
    for row in rows {
        let opened = Slot::read(row, store).and_then(|slot| slot.open(secret, store, row.id));
        match opened {
            Ok(Some(root)) => return Ok((root, row.id)),
            Ok(None) => {}
            Err(error) => damaged = Some(error),
        }
    }
    Err(damaged.unwrap_or_else(|| {
        let what = match secret.0 {
            Form::Key(_) => "key",
            Form::Passphrase(_) => "passphrase",
        };
        Error::new(
            ErrorKind::WrongKey,
            format!("the {what} does not open this store; nothing was read"),
        )
    }))
}

/// The key that wraps the root.
fn wrapping(secret: &Secret, cost: Option<Cost>, salt: &[u8; 16]) -> Result<Key> {
    let passphrase = match (&secret.0, cost) {
        (Form::Key(key), _) => return key.derive("dalsegno slot", salt),
        (Form::Passphrase(text), cost) => (text, cost.unwrap_or(COST)),
    };
    let (
        text,
        Cost {
            memory,
            passes,
            lanes,
        },
    ) = passphrase;
    let excessive = memory > MOST.memory || passes > MOST.passes || lanes > MOST.lanes;
    let params = Params::new(memory, passes, lanes, Some(32))
        .ok()
        .filter(|_| !excessive)
        .ok_or_else(|| Error::damaged("a slot asks for more than a passphrase should take"))?;
    let mut bytes = Zeroizing::new([0; 32]);
    Argon2::new(Algorithm::Argon2id, Version::V0x13, params)
        .hash_password_into(text.as_bytes(), salt, &mut *bytes)
        .map_err(|e| Error::storage(format!("making a key of a passphrase: {e}")))?;
    Ok(Key::of(bytes))
}

fn place(store: &StoreId, id: i64) -> Place<'_> {
    Place {
        store,
        part: Part::Root,
        session: 0,
        row: id,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::SystemClock;

    const STORE: StoreId = [3; 16];

    fn row(root: &Key, secret: &Secret, id: i64) -> NoteRow {
        let slot = Slot::new(root, secret, Some("mine"), (&STORE, id), &SystemClock).unwrap();
        slot.row(&STORE, id).unwrap()
    }

    #[test]
    fn each_secret_opens_its_own_slot_and_no_other_does() {
        let root = Key::random().unwrap();
        let key = Secret::generate().unwrap();
        let passphrase = Secret::parse("correct horse").unwrap();
        let rows = [row(&root, &key, 1), row(&root, &passphrase, 2)];
        for (secret, slot) in [(&key, 1), (&passphrase, 2)] {
            let (found, id) = open_any(&rows, secret, &STORE).unwrap();
            assert_eq!((found.bytes(), id), (root.bytes(), slot));
        }
        let others = [
            Secret::generate().unwrap(),
            Secret::parse("correct horse ").unwrap(),
            Secret::parse("Correct horse").unwrap(),
        ];
        assert!(open_any(&rows, &others[1], &STORE).is_ok(), "white space");
        for other in [&others[0], &others[2]] {
            let error = open_any(&rows, other, &STORE).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::WrongKey);
        }
        let elsewhere = open_any(&rows, &key, &[4; 16]).unwrap_err();
        assert_eq!(elsewhere.kind(), ErrorKind::Damaged, "of another store");
    }

    #[test]
    fn a_slot_that_was_changed_opens_nothing_and_takes_no_endless_time() {
        let root = Key::random().unwrap();
        let secret = Secret::parse("x").unwrap();
        let good = row(&root, &secret, 1);
        let mut slot: Slot = note::decode(&good.detail).unwrap();
        slot.cost = Some(Cost {
            memory: u32::MAX,
            ..COST
        });
        let costly = slot.row(&STORE, 1).unwrap();
        let moved = NoteRow { id: 2, ..good }.summed(&STORE);
        let damaged = open_any(&[costly], &secret, &STORE).unwrap_err();
        assert_eq!(damaged.kind(), ErrorKind::Damaged);
        let moved = open_any(&[moved], &secret, &STORE).unwrap_err();
        assert_eq!(moved.kind(), ErrorKind::WrongKey);
    }
}
