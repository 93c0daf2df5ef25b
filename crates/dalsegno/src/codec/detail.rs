//! The part of a snapshot's metadata that a sealed store hides: one blob in each row.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::checksum::Checksum;
use crate::error::{Error, Result};

/// What a snapshot's row says besides its clear columns.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Detail {
    /// Of the state's text.
    pub(crate) checksum: Checksum,
    pub(crate) turn: Option<i64>,
    pub(crate) label: Option<String>,
    pub(crate) description: Option<String>,
    pub(crate) tags: Vec<String>,
    pub(crate) metadata: Map<String, Value>,
    pub(crate) schema_version: Option<String>,
    pub(crate) origin: Option<Origin>,
    /// What the program said of items that this state has no more: `clear`, `undo`, its own words.
    pub(crate) intent: Option<String>,
    /// The checksum of the state before, of which items were taken away on purpose.
    pub(crate) displaced: Option<Checksum>,
    /// What the program that took it is called, where it said so.
    pub(crate) actor: Option<String>,
    /// What a repair made of it, where it is not all as it was saved.
    pub(crate) repaired: Option<Mark>,
}

/// What of a snapshot is not as it was saved.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Mark {
    /// When it was repaired: microseconds since 1970 (UTC).
    pub(crate) at: i64,
    /// Its name, texts, tags and kind are lost.
    pub(crate) metadata: bool,
    /// The checksum of the state that is lost; nothing where that is as it was saved, or nobody knows.
    pub(crate) lost: Option<Checksum>,
    /// Where the components of the state were taken from: name, snapshot, and whether those before and after agree.
    pub(crate) components: Vec<(String, i64, bool)>,
    /// Where it came from another store with its snapshot: the ids that those snapshots have there, in the same order.
    /// Follows behind, where there are any.
    #[serde(skip)]
    pub(crate) elsewhere: Vec<[u8; 16]>,
}

impl Mark {
    /// What of it goes for the state alone: nothing, where that is as it was saved.
    pub(crate) fn of_state(self) -> Option<Self> {
        let is_made = self.lost.is_some() || !self.components.is_empty();
        is_made.then_some(Self {
            metadata: false,
            ..self
        })
    }
}

/// What made a snapshot, where it was not a plain save.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Origin {
    /// The restore of the snapshot with this sequence number.
    Restore(i64),
    /// The import of a snapshot that had this id where it came from.
    Import(String),
    /// The rollback to the snapshot with this sequence number.
    Rollback(i64),
    /// The undo that went back to it.
    Undo(i64),
    /// The redo that went back to it.
    Redo(i64),
    /// A fork of it, in another session.
    Fork(i64),
}

/// In clear; 1 is kept for a sealed one.
const PLAIN: u8 = 0;

#[derive(Serialize, Deserialize)]
struct Wire<'a> {
    checksum: Checksum,
    turn: Option<i64>,
    label: Option<&'a str>,
    description: Option<&'a str>,
    tags: Vec<&'a str>,
    /// JSON, or nothing.
    metadata: &'a str,
    schema_version: Option<&'a str>,
    origin: Option<Origin>,
}

/// Follows where any of it is there; behind it stands the actor, if there is one, and behind that, which may be empty
/// then, the mark of a repair.
#[derive(Serialize, Deserialize)]
struct Tail<'a> {
    intent: Option<&'a str>,
    displaced: Option<Checksum>,
}

pub(crate) fn encode(detail: &Detail) -> Result<Vec<u8>> {
    let metadata = if detail.metadata.is_empty() {
        String::new()
    } else {
        serde_json::to_string(&detail.metadata)
            .map_err(|e| Error::invalid("the metadata cannot be written as JSON").with_source(e))?
    };
    let wire = Wire {
        checksum: detail.checksum,
        turn: detail.turn,
        label: detail.label.as_deref(),
        description: detail.description.as_deref(),
        tags: detail.tags.iter().map(String::as_str).collect(),
        metadata: &metadata,
        schema_version: detail.schema_version.as_deref(),
        origin: detail.origin.clone(),
    };
    const WHAT: &str = "writing a snapshot's detail";
    let mut bytes = super::write(WHAT, &(PLAIN, wire))?;
    if detail.intent.is_some()
        || detail.displaced.is_some()
        || detail.actor.is_some()
        || detail.repaired.is_some()
    {
        let tail = Tail {
            intent: detail.intent.as_deref(),
            displaced: detail.displaced,
        };
        bytes.extend(super::write(WHAT, &tail)?);
        match (&detail.actor, &detail.repaired) {
            (actor, Some(mark)) => {
                let actor = actor.as_deref().unwrap_or_default();
                bytes.extend(super::write(WHAT, &(actor, mark))?);
                if !mark.elsewhere.is_empty() {
                    bytes.extend(super::write(WHAT, &mark.elsewhere)?);
                }
            }
            (Some(actor), None) => bytes.extend(super::write(WHAT, actor)?),
            (None, None) => {}
        }
    }
    bytes.shrink_to_fit();
    Ok(bytes)
}

pub(crate) fn decode(bytes: &[u8]) -> Result<Detail> {
    let body = match bytes.split_first() {
        Some((&PLAIN, body)) => body,
        Some((code, _)) => {
            return Err(Error::damaged(format!(
                "a snapshot's detail has the unknown coding {code}"
            )));
        }
        None => return Err(Error::damaged("a snapshot's detail is empty")),
    };
    let (wire, rest): (Wire<'_>, _) = super::read_first("a snapshot's detail", body)?;
    const END: &str = "the end of a snapshot's detail";
    let (tail, rest): (Option<Tail<'_>>, _) = match rest {
        [] => (None, rest),
        rest => super::read_first(END, rest).map(|(tail, rest)| (Some(tail), rest))?,
    };
    let (actor, rest): (Option<String>, _) = match rest {
        [] => (None, rest),
        rest => super::read_first(END, rest).map(|(actor, rest)| (Some(actor), rest))?,
    };
    let repaired: Option<Mark> = match rest {
        [] if actor.as_deref() == Some("") => {
            return Err(Error::damaged(format!("{END} names nobody")));
        }
        [] => None,
        rest => {
            let (mut mark, rest): (Mark, _) = super::read_first(END, rest)?;
            if !rest.is_empty() {
                mark.elsewhere = super::read(END, rest)?;
                if mark.elsewhere.is_empty() || mark.elsewhere.len() != mark.components.len() {
                    return Err(Error::damaged(format!(
                        "{END} names other snapshots than it has"
                    )));
                }
            }
            Some(mark)
        }
    };
    let metadata = if wire.metadata.is_empty() {
        Map::new()
    } else {
        serde_json::from_str(wire.metadata)
            .map_err(|e| Error::damaged("a snapshot's metadata is not JSON").with_source(e))?
    };
    Ok(Detail {
        checksum: wire.checksum,
        turn: wire.turn,
        label: wire.label.map(str::to_owned),
        description: wire.description.map(str::to_owned),
        tags: wire.tags.into_iter().map(str::to_owned).collect(),
        metadata,
        schema_version: wire.schema_version.map(str::to_owned),
        origin: wire.origin,
        intent: tail
            .as_ref()
            .and_then(|tail| tail.intent)
            .map(str::to_owned),
        displaced: tail.and_then(|tail| tail.displaced),
        actor: actor.filter(|actor| !actor.is_empty()),
        repaired,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_plain_save_takes_little_and_everything_comes_back() {
        let plain = Detail {
            checksum: [9; 16],
            ..Detail::default()
        };
        assert_eq!(encode(&plain).unwrap().len(), 24);
        let full = Detail {
            checksum: [1; 16],
            turn: Some(-4),
            label: Some("auto".into()),
            description: Some(String::new()),
            tags: vec!["a".into(), "b c".into()],
            metadata: serde_json::from_str("{\"z\":1,\"a\":[null,1.5]}").unwrap(),
            schema_version: Some("2".into()),
            origin: Some(Origin::Fork(3)),
            intent: Some("clear".into()),
            displaced: Some([7; 16]),
            actor: Some("the bot".into()),
            repaired: Some(Mark {
                at: 5,
                metadata: true,
                lost: Some([3; 16]),
                components: vec![("queue".into(), 9, false)],
                elsewhere: Vec::new(),
            }),
        };
        let marked = Detail {
            repaired: full.repaired.clone(),
            ..plain.clone()
        };
        let carried = Detail {
            repaired: full.repaired.clone().map(|mark| Mark {
                elsewhere: vec![[4; 16]],
                ..mark
            }),
            ..plain.clone()
        };
        let said = Detail {
            intent: Some("undo".into()),
            ..plain.clone()
        };
        let by = Detail {
            actor: Some("a".into()),
            ..plain.clone()
        };
        for detail in [plain, full, marked, carried, said, by] {
            assert_eq!(decode(&encode(&detail).unwrap()).unwrap(), detail);
        }
    }

    #[test]
    fn what_is_cut_off_or_of_another_coding_is_damage() {
        let bytes = encode(&Detail {
            turn: Some(7),
            ..Detail::default()
        })
        .unwrap();
        for at in 0..bytes.len() {
            assert!(decode(&bytes[..at]).is_err());
        }
        let sealed = [&[1], &bytes[1..]].concat();
        assert!(
            decode(&sealed)
                .unwrap_err()
                .to_string()
                .contains("unknown coding 1")
        );
    }
}
