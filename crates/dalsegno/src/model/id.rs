//! Snapshot ids: UUIDs of version 7 whose order is the order of commits.

use std::fmt;
use std::str::FromStr;

use crate::codec::checksum;
use crate::error::{Error, Result};

/// The random id of a store, which its snapshots' ids are derived from.
pub(crate) type StoreId = [u8; 16];

/// A snapshot's id: a UUID of version 7 ([RFC 9562](https://www.rfc-editor.org/rfc/rfc9562)).
///
/// Its first 60 free bits are the sequence number that the store gave at commit: the time in
/// milliseconds and 12 bits for the order within one. Ids therefore sort as commits do, even where
/// the clock went backwards, and an id is looked up without an index. The other 62 bits come from
/// the store's random id, so that ids of different stores differ.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct SnapshotId(uuid::Uuid);

impl SnapshotId {
    pub(crate) fn new(seq: i64, store: &StoreId) -> Self {
        let seq = u128::from(seq.unsigned_abs()) & ((1 << 60) - 1);
        let mut seed = [0; 32];
        let (head, tail) = seed.split_at_mut(16);
        head.copy_from_slice(store);
        tail.copy_from_slice(&seq.to_be_bytes());
        let random = u128::from_be_bytes(checksum::of(&seed)) & ((1 << 62) - 1);
        let time = seq >> 12;
        let order = seq & 0xfff;
        Self(uuid::Uuid::from_u128(
            time << 80 | 7 << 76 | order << 64 | 2 << 62 | random,
        ))
    }

    /// The place in the order of commits.
    pub(crate) fn seq(self) -> i64 {
        let bits = self.0.as_u128();
        let seq = (bits >> 80) << 12 | (bits >> 64) & 0xfff;
        i64::try_from(seq).unwrap_or(i64::MAX)
    }

    /// The sequence numbers of all ids that begin with `prefix`: hexadecimal digits, with or without
    /// the hyphens. `None` where it is no such prefix.
    pub(crate) fn seqs_of_prefix(prefix: &str) -> Option<(i64, i64)> {
        let digits: String = prefix.chars().filter(|c| *c != '-').collect();
        if digits.is_empty() || digits.len() > 32 || !digits.bytes().all(|b| b.is_ascii_hexdigit())
        {
            return None;
        }
        let id = |fill: char| {
            let full: String = digits
                .chars()
                .chain(std::iter::repeat(fill))
                .take(32)
                .collect();
            Some(Self(uuid::Uuid::from_u128(
                u128::from_str_radix(&full, 16).ok()?,
            )))
        };
        Some((id('0')?.seq(), id('f')?.seq()))
    }

    /// Whether the id, written without hyphens or with them, begins with `prefix`.
    pub(crate) fn begins_with(self, prefix: &str) -> bool {
        let digits: String = prefix.chars().filter(|c| *c != '-').collect();
        self.0
            .simple()
            .to_string()
            .starts_with(&digits.to_ascii_lowercase())
    }
}

impl SnapshotId {
    /// When it was committed, by the clock of who did: UTC, in milliseconds.
    #[must_use]
    pub fn time(&self) -> jiff::Timestamp {
        // 48 bits are within what a timestamp has.
        jiff::Timestamp::from_millisecond(self.seq() >> 12).unwrap_or(jiff::Timestamp::MAX)
    }
}

impl SnapshotId {
    pub(crate) fn to_bytes(self) -> [u8; 16] {
        self.0.into_bytes()
    }

    pub(crate) fn of_bytes(bytes: [u8; 16]) -> Self {
        Self(uuid::Uuid::from_bytes(bytes))
    }
}

impl From<SnapshotId> for uuid::Uuid {
    fn from(id: SnapshotId) -> Self {
        id.0
    }
}

impl fmt::Display for SnapshotId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.hyphenated().fmt(f)
    }
}

impl fmt::Debug for SnapshotId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl FromStr for SnapshotId {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        let id = uuid::Uuid::try_parse(text)
            .map_err(|e| Error::invalid(format!("'{text}' is not a snapshot id")).with_source(e))?;
        Ok(Self(id))
    }
}

impl<'de> serde::Deserialize<'de> for SnapshotId {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

impl serde::Serialize for SnapshotId {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_sort_as_sequence_numbers_and_lead_back_to_them() {
        let seqs = [0, 1, 4095, 4096, (1 << 59) + 7, (1 << 60) - 1];
        let ids: Vec<SnapshotId> = seqs
            .iter()
            .map(|seq| SnapshotId::new(*seq, &[7; 16]))
            .collect();
        assert!(ids.is_sorted());
        for (id, seq) in ids.iter().zip(seqs) {
            assert_eq!(id.seq(), seq);
            assert_eq!(
                (id.0.get_version_num(), id.0.get_variant()),
                (7, uuid::Variant::RFC4122)
            );
            assert_eq!(id.to_string().parse::<SnapshotId>().unwrap(), *id);
        }
        assert_ne!(
            ids[3],
            SnapshotId::new(4096, &[8; 16]),
            "other stores give other ids"
        );
    }

    #[test]
    fn prefixes_cover_the_ids_that_begin_with_them() {
        let id = SnapshotId::new((1_790_000_000_123 << 12) | 77, &[7; 16]);
        for len in 1..=36 {
            let prefix = &id.to_string()[..len];
            let (first, last) = SnapshotId::seqs_of_prefix(prefix).unwrap();
            assert!((first..=last).contains(&id.seq()), "{prefix}");
            assert!(id.begins_with(&prefix.to_uppercase()));
        }
        assert_eq!(SnapshotId::seqs_of_prefix("party"), None);
        assert_eq!(SnapshotId::seqs_of_prefix(""), None);
        assert!(!id.begins_with("0123"));
    }
}
