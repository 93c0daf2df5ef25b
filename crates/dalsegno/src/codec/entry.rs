//! What one row of the audit log says.

use std::str::FromStr;

use serde::{Deserialize, Serialize};

use super::checksum::Checksum;
use crate::error::{Error, Result};
use crate::model::Action;

/// A row of the audit log, as it is kept. It names sessions by number and by keyed hash only, so that erasing one
/// leaves the log as it is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Entry {
    /// In microseconds since 1970 (UTC).
    pub(crate) at: i64,
    /// The principal, or the program.
    pub(crate) who: String,
    /// For whom, where that was said.
    pub(crate) behalf: Option<String>,
    pub(crate) action: Action,
    pub(crate) result: Outcome,
    /// The numbers of the sessions, rising.
    pub(crate) sessions: Runs,
    /// Sessions that have their number from here on.
    pub(crate) begun: Vec<(i64, Checksum)>,
    /// Sessions that are gone from here on.
    pub(crate) ended: Vec<(i64, Checksum)>,
    /// The session that was asked for, where it was refused, or where the store did not see what was done.
    pub(crate) asked: Option<Checksum>,
    pub(crate) snapshots: Snapshots,
    /// For people; it names no session and no snapshot.
    pub(crate) note: Option<String>,
    /// The row before it could not be read when this one was written: the chain begins anew.
    pub(crate) anew: bool,
}

impl Entry {
    /// Whether the log was off from here on; whoever was denied it did not end it.
    pub(crate) fn ends(&self) -> bool {
        self.action == Action::AuditOff && self.result == Outcome::Done
    }
}

/// What came of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Outcome {
    /// It was done.
    Done,
    /// It was not allowed, and nothing was done.
    Denied,
    /// It began, and how it ended is not known.
    Begun,
    /// It failed, and what stood there was put back.
    RolledBack,
}

impl Outcome {
    /// The outcome as one lower-case word.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Done => "done",
            Self::Denied => "denied",
            Self::Begun => "begun",
            Self::RolledBack => "rolled_back",
        }
    }
}

impl FromStr for Outcome {
    type Err = Error;

    /// # Errors
    /// `InvalidInput` for a word that is none.
    fn from_str(word: &str) -> Result<Self> {
        let all = [Self::Done, Self::Denied, Self::Begun, Self::RolledBack];
        let found = all.into_iter().find(|it| it.as_str() == word);
        found.ok_or_else(|| {
            let all = all.map(Self::as_str).join(", ");
            Error::invalid(format!("'{word}' is no outcome; there are {all}"))
        })
    }
}

/// Numbers, rising, as stretches: how many are left out before each, and how many it has.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Runs(Vec<(u64, u64)>);

impl Runs {
    pub(crate) fn of(numbers: impl IntoIterator<Item = i64>) -> Self {
        let mut numbers: Vec<u64> = numbers.into_iter().map(i64::unsigned_abs).collect();
        numbers.sort_unstable();
        numbers.dedup();
        let mut runs: Vec<(u64, u64)> = Vec::new();
        let mut end = 0;
        for number in numbers {
            match runs.last_mut() {
                Some((_, count)) if number == end => *count += 1,
                _ => runs.push((number - end, 1)),
            }
            end = number + 1;
        }
        Self(runs)
    }

    pub(crate) fn numbers(&self) -> impl Iterator<Item = i64> {
        let mut end = 0_u64;
        self.0.iter().flat_map(move |(gap, count)| {
            let first = end.saturating_add(*gap);
            end = first.saturating_add(*count);
            (first..end).map(|number| i64::try_from(number).unwrap_or(i64::MAX))
        })
    }

    pub(crate) fn count(&self) -> u64 {
        self.0
            .iter()
            .fold(0, |sum, (_, count)| sum.saturating_add(*count))
    }
}

/// Snapshots, by sequence number.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Snapshots {
    /// These, in no order.
    These(Vec<i64>),
    /// So many, from one to another: all of that range that were committed then.
    Range { first: i64, last: i64, count: u64 },
}

/// No row names more sessions.
const MOST: u64 = 1 << 24;

/// More than so many that were saved together are named by the first and the last.
const EACH: usize = 16;

impl Snapshots {
    /// Those that one commit added, in order.
    pub(crate) fn saved(seqs: Vec<i64>) -> Self {
        match (seqs.first(), seqs.last()) {
            (Some(first), Some(last)) if seqs.len() > EACH => Self::Range {
                first: *first,
                last: *last,
                count: seqs.len() as u64,
            },
            _ => Self::These(seqs),
        }
    }
}

pub(crate) fn encode(entry: &Entry) -> Result<Vec<u8>> {
    super::write("writing the audit log", entry)
}

/// # Errors
/// `Damaged` where it cannot be one, or names more sessions than any store has.
pub(crate) fn decode(bytes: &[u8]) -> Result<Entry> {
    let entry: Entry = super::read("a row of the audit log", bytes)?;
    if entry.sessions.count() > MOST {
        return Err(Error::damaged(
            "a row of the audit log names too many sessions",
        ));
    }
    Ok(entry)
}

#[cfg(test)]
mod tests {
    use proptest::collection::vec;
    use proptest::option;
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn stretches_of_numbers_are_short_and_come_back() {
        for numbers in [
            vec![],
            vec![1],
            vec![1, 2, 3, 9, 11, 12],
            (5..10_000).collect(),
            vec![i64::MAX - 1],
        ] {
            let runs = Runs::of(numbers.iter().rev().copied());
            assert_eq!(runs.numbers().collect::<Vec<_>>(), numbers);
            assert_eq!(runs.count(), numbers.len() as u64);
        }
        let tick = postcard::to_allocvec(&Runs::of(1..10_000)).unwrap();
        assert!(tick.len() < 8, "{}", tick.len());
    }

    fn entry(sessions: Vec<i64>, seqs: Vec<i64>, note: Option<String>) -> Entry {
        Entry {
            at: 1_790_000_000_000_000,
            who: "a bot".to_owned(),
            behalf: None,
            action: Action::Delete,
            result: Outcome::Done,
            sessions: Runs::of(sessions),
            begun: vec![(7, [3; 16])],
            ended: Vec::new(),
            asked: Some([9; 16]),
            snapshots: Snapshots::saved(seqs),
            note,
            anew: false,
        }
    }

    proptest! {
        #[test]
        fn an_entry_comes_back(
            sessions in vec(1_i64..100, 0..40),
            seqs in vec(1_i64..i64::MAX, 0..40),
            note in option::of("\\PC{0,20}"),
        ) {
            let entry = entry(sessions, seqs, note);
            prop_assert_eq!(decode(&encode(&entry).unwrap()).unwrap(), entry);
        }

        #[test]
        fn any_byte_changed_is_an_error_or_another_entry_but_no_panic(at in any::<prop::sample::Index>(), to: u8) {
            let mut bytes = encode(&entry(vec![1, 2, 9], vec![5, 6], Some("why".to_owned()))).unwrap();
            let at = at.index(bytes.len());
            bytes[at] = to;
            if let Ok(entry) = decode(&bytes) {
                prop_assert!(entry.sessions.numbers().count() as u64 <= MOST);
            }
        }
    }
}
