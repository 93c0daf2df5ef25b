//! Keys: 32 secret bytes each, and what they seal; secrets, as people keep them.
//!
//! What is sealed where is the store's to say (`store/seal/`).

pub(crate) mod file;
mod secret;

use aes_gcm_siv::aead::{Aead, Payload};
use aes_gcm_siv::{Aes256GcmSiv, KeyInit};
use hkdf::Hkdf;
use hmac::{Hmac, Mac};
use sha2::Sha256;
use zeroize::Zeroizing;

pub(crate) use self::secret::Form;
pub use self::secret::Secret;
use crate::clock;
use crate::codec::checksum::Checksum;
use crate::error::{Error, Result};
use crate::model::StoreId;

/// 32 secret bytes, wiped from memory when they are dropped.
#[derive(Clone)]
pub(crate) struct Key(Zeroizing<[u8; 32]>);

/// Where something sealed stands: it opens nowhere else.
#[derive(Clone, Copy)]
pub(crate) struct Place<'a> {
    pub(crate) store: &'a StoreId,
    /// What it is.
    pub(crate) part: Part,
    /// The session's number; 0 for the store.
    pub(crate) session: i64,
    /// The number of its row.
    pub(crate) row: i64,
}

/// What is sealed. The numbers are the format's.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u32)]
pub(crate) enum Part {
    Root = 1,
    SessionKey = 2,
    SessionName = 3,
    SnapshotName = 4,
    Pattern = 5,
    Snapshot = 6,
    Record = 7,
    Trash = 8,
    Operation = 9,
    Policy = 10,
    Note = 11,
    Backup = 12,
}

impl Key {
    pub(crate) fn random() -> Result<Self> {
        let mut bytes = Zeroizing::new([0; 32]);
        clock::fill_secret(&mut *bytes)?;
        Ok(Self(bytes))
    }

    pub(crate) fn of(bytes: Zeroizing<[u8; 32]>) -> Self {
        Self(bytes)
    }

    pub(crate) fn from_slice(bytes: &[u8]) -> Option<Self> {
        let mut key = Zeroizing::new([0; 32]);
        if bytes.len() != key.len() {
            return None;
        }
        key.copy_from_slice(bytes);
        Some(Self(key))
    }

    pub(crate) fn bytes(&self) -> &[u8; 32] {
        &self.0
    }

    /// The key for one purpose within what `salt` names.
    pub(crate) fn derive(&self, purpose: &str, salt: &[u8]) -> Result<Self> {
        let mut bytes = Zeroizing::new([0; 32]);
        let failed = |_| Error::storage("a key cannot be derived");
        Hkdf::<Sha256>::new(Some(salt), &*self.0)
            .expand(purpose.as_bytes(), &mut *bytes)
            .map_err(failed)?;
        Ok(Self(bytes))
    }

    /// Seals `plain`: the same bytes at the same place are sealed to the same bytes (the nonce is the place), so that
    /// what is sealed can be looked for.
    pub(crate) fn seal(&self, place: Place<'_>, plain: &[u8]) -> Result<Vec<u8>> {
        let aad = place.aad();
        let payload = Payload {
            msg: plain,
            aad: &aad,
        };
        self.cipher()
            .encrypt(&place.nonce().into(), payload)
            .map_err(|_| Error::invalid("this is too large to be encrypted"))
    }

    /// What [`seal`](Self::seal) was given there; nothing, where it was sealed by another key, elsewhere, or changed.
    pub(crate) fn open(&self, place: Place<'_>, sealed: &[u8]) -> Option<Vec<u8>> {
        let aad = place.aad();
        let payload = Payload {
            msg: sealed,
            aad: &aad,
        };
        self.cipher().decrypt(&place.nonce().into(), payload).ok()
    }

    /// HMAC-SHA-256.
    pub(crate) fn mac(&self, bytes: &[u8]) -> [u8; 32] {
        // A key of any length will do, so this has no way to fail.
        <Hmac<Sha256> as KeyInit>::new_from_slice(&*self.0)
            .map(|mac| mac.chain_update(bytes).finalize().into_bytes().into())
            .unwrap_or_default()
    }

    /// 128 bits of it.
    pub(crate) fn sum(&self, bytes: &[u8]) -> Checksum {
        let mut sum = [0; 16];
        sum.copy_from_slice(&self.mac(bytes)[..16]);
        sum
    }

    fn cipher(&self) -> Aes256GcmSiv {
        Aes256GcmSiv::new((&*self.0).into())
    }
}

/// The root key of a store; of one that is not encrypted, one that everybody knows.
pub(crate) fn or_known(root: Option<&Key>) -> Key {
    root.cloned()
        .unwrap_or_else(|| Key::of(Zeroizing::new([0; 32])))
}

impl Place<'_> {
    fn nonce(self) -> [u8; 12] {
        let mut nonce = [0; 12];
        nonce[..4].copy_from_slice(&(self.part as u32).to_le_bytes());
        nonce[4..].copy_from_slice(&self.row.to_le_bytes());
        nonce
    }

    fn aad(self) -> [u8; 36] {
        let mut aad = [0; 36];
        aad[..16].copy_from_slice(self.store);
        aad[16..20].copy_from_slice(&(self.part as u32).to_le_bytes());
        aad[20..28].copy_from_slice(&self.session.to_le_bytes());
        aad[28..].copy_from_slice(&self.row.to_le_bytes());
        aad
    }
}

impl std::fmt::Debug for Key {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Key(…)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PLACE: Place<'_> = Place {
        store: &[7; 16],
        part: Part::Record,
        session: 3,
        row: 99,
    };

    #[test]
    fn what_is_sealed_opens_at_its_place_and_nowhere_else() {
        let key = Key::random().unwrap();
        let sealed = key.seal(PLACE, b"a queue").unwrap();
        assert_eq!(key.open(PLACE, &sealed).unwrap(), b"a queue");
        let elsewhere = [
            Place {
                store: &[8; 16],
                ..PLACE
            },
            Place {
                part: Part::Snapshot,
                ..PLACE
            },
            Place {
                session: 4,
                ..PLACE
            },
            Place { row: 98, ..PLACE },
        ];
        for place in elsewhere {
            assert!(key.open(place, &sealed).is_none());
        }
        assert!(Key::random().unwrap().open(PLACE, &sealed).is_none());
        for at in 0..sealed.len() {
            let mut other = sealed.clone();
            other[at] ^= 1;
            assert!(key.open(PLACE, &other).is_none(), "byte {at}");
            assert!(key.open(PLACE, &sealed[..at]).is_none(), "{at} bytes");
        }
    }

    #[test]
    fn derived_keys_differ_by_purpose_and_salt_and_are_never_shown() {
        let key = Key::of(Zeroizing::new([5; 32]));
        let keys = [
            key.derive("a", &[1]).unwrap(),
            key.derive("b", &[1]).unwrap(),
            key.derive("a", &[2]).unwrap(),
        ];
        for (n, one) in keys.iter().enumerate() {
            for other in &keys[n + 1..] {
                assert_ne!(one.bytes(), other.bytes());
            }
        }
        assert_eq!(keys[0].bytes(), key.derive("a", &[1]).unwrap().bytes());
        assert_eq!(format!("{key:?}"), "Key(…)");
    }
}
