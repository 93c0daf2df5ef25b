//! What a row of the operations says besides its clear columns.

use serde::{Deserialize, Serialize};

use super::checksum::Checksum;
use crate::error::{Error, Result};

/// The part of an operation that a sealed store hides.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Detail {
    /// In microseconds since 1970 (UTC).
    pub(crate) at: i64,
    /// The snapshot whose state was put back; nothing where something was removed or put back as it
    /// stood beside.
    pub(crate) from: Option<i64>,
    /// Only these components; empty means all.
    pub(crate) components: Vec<String>,
    pub(crate) target: Target,
    /// What stood at the target.
    pub(crate) before: Before,
    /// The newest state of the session when it began.
    pub(crate) head: Option<i64>,
    /// Why it was not done, where it was not.
    pub(crate) failure: Option<String>,
}

/// Where a state was put.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Target {
    /// It became the newest state of the session.
    Head,
    /// A file, by its path.
    File(String),
    /// Something that a program knows, by the name it gave.
    Other(String),
}

/// What stood at a target, and how to have it again.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Before {
    Nothing,
    /// The state of this snapshot.
    Snapshot(i64),
    /// What is no JSON, kept in this file. Written before there was [`Kept`](Before::Kept).
    Beside(String),
    /// What an operation that was cut off left there, and is no JSON: it was not kept.
    Torn,
    /// What is no JSON, kept in this file, of this length and checksum.
    Kept(String, u64, Checksum),
    /// Nothing was put there: of an undo that only passes over an operation, and of what was rolled back where what stood
    /// there could not be put back either.
    Passed,
}

impl Before {
    /// The file that has it.
    pub(crate) fn file(&self) -> Option<&str> {
        match self {
            Self::Beside(path) | Self::Kept(path, ..) => Some(path),
            _ => None,
        }
    }
}

/// In clear; 1 is kept for a sealed one.
const PLAIN: u8 = 0;

pub(crate) fn encode(detail: &Detail) -> Result<Vec<u8>> {
    super::write("writing an operation's detail", &(PLAIN, detail))
}

pub(crate) fn decode(bytes: &[u8]) -> Result<Detail> {
    match bytes.split_first() {
        Some((&PLAIN, body)) => super::read("an operation's detail", body),
        Some((code, _)) => Err(Error::damaged(format!(
            "an operation's detail has the unknown coding {code}"
        ))),
        None => Err(Error::damaged("an operation's detail is empty")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn comes_back_and_what_is_cut_off_is_damage() {
        let detail = Detail {
            at: 5,
            from: Some(7),
            components: vec!["queue".into()],
            target: Target::File("a/b.json".into()),
            before: Before::Beside("a/b.json.before".into()),
            head: None,
            failure: Some("disk".into()),
        };
        // Written once, and to be read for ever.
        let before = [
            (Before::Nothing, "00"),
            (Before::Snapshot(-2), "0103"),
            (Before::Beside("a".into()), "020161"),
            (Before::Torn, "03"),
            (
                Before::Kept("a".into(), 2, [7; 16]),
                "0401610207070707070707070707070707070707",
            ),
            (Before::Passed, "05"),
        ];
        for (before, bytes) in before {
            let found = crate::codec::write("", &before).unwrap();
            let found: String = found.iter().map(|byte| format!("{byte:02x}")).collect();
            assert_eq!(found, bytes, "{before:?}");
        }
        let bytes = encode(&detail).unwrap();
        assert_eq!(decode(&bytes).unwrap(), detail);
        for at in 0..bytes.len() {
            assert!(decode(&bytes[..at]).is_err());
        }
        assert!(decode(&[&[1], &bytes[1..]].concat()).is_err());
    }
}
