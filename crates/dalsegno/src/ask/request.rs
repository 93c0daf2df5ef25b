//! What is asked, by whom, and what came of it.

use bytes::Bytes;
use serde_json::{Value, json};

use crate::codec::note::{self, Stage, Writer};
use crate::error::{Error, Result};
use crate::save::Save;
use crate::store::NoteRow;

/// The key of the metadata by which a snapshot tells of the request that it comes from.
pub(crate) const MARK: &str = "asked";

/// A program on the other side.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct Peer {
    /// What it is called.
    pub program: String,
    /// Its process's number.
    pub pid: u32,
}

impl Peer {
    pub(super) fn of(writer: &Writer) -> Self {
        Self {
            program: writer.name.clone(),
            pid: writer.process.pid,
        }
    }
}

impl std::fmt::Display for Peer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} (process {})", self.program, self.pid)
    }
}

/// What another program asks of this one.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Request {
    /// Of which session: this program has it open.
    pub session: String,
    /// What is to be done.
    pub verb: String,
    /// With what.
    pub arguments: Value,
    /// The state that goes with it, as text; of `save`, JSON that is checked when it is saved.
    pub state: Option<Bytes>,
    /// Who asks.
    pub by: Peer,
}

impl Request {
    pub(super) fn read(request: &note::Request, state: Option<Bytes>) -> Result<Self> {
        let arguments = serde_json::from_str(&request.arguments)
            .map_err(|e| Error::damaged("the arguments of a request are no JSON").with_source(e))?;
        Ok(Self {
            session: request.session.clone(),
            verb: request.verb.clone(),
            arguments,
            state,
            by: Peer::of(&request.asker),
        })
    }
}

/// What came of a request.
#[derive(Debug, Clone, PartialEq, serde::Serialize)]
#[non_exhaustive]
pub struct Answer {
    /// Who carried it out; nothing where no program had the session open, so that it was done here.
    pub by: Option<Peer>,
    /// What it answered: of `save` the snapshot, of the other four the [report](crate::Report).
    pub value: Value,
    /// Why the program that has the session open goes on with the state that it has, where it does: what it saves
    /// next then goes on top of what was asked for.
    pub not_told: Option<String>,
}

/// The request that a deed comes from, while it is carried out.
#[derive(Debug, Clone)]
pub(crate) struct Asked {
    /// Who asked.
    pub(crate) by: String,
    /// What the snapshot says of it.
    pub(super) mark: Value,
    /// Its note, as it stands.
    pub(crate) taken: NoteRow,
    /// Its note where the deed leaves no snapshot, to be exchanged with it.
    pub(crate) done: NoteRow,
}

impl Asked {
    pub(super) fn of(found: &super::rows::Found, store: &crate::model::StoreId) -> Result<Self> {
        let by = Peer::of(&found.request.asker).to_string();
        Ok(Self {
            mark: json!({"by": by, "request": number(found.row.id)}),
            by,
            taken: found.row.clone(),
            done: found.staged(Stage::Done, store)?,
        })
    }

    /// The snapshot says where it comes from: should this program end before it answers, that is the answer.
    pub(crate) fn mark<'a>(&self, save: Save<'a>) -> Save<'a> {
        save.meta(MARK, self.mark.clone()).behalf(&self.by)
    }
}

/// A request's number, as snapshots have it.
pub(super) fn number(id: i64) -> String {
    format!("{id:016x}")
}
