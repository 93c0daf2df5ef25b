//! A save on its way from whoever asked for it to the writer.

use std::sync::Arc;

use bytes::Bytes;
use jiff::Timestamp;
use serde::Serialize;

use crate::codec::detail::Detail;
use crate::document::Document;
use crate::error::{Error, Result};
use crate::model::{Kind, Snapshot};
use crate::store::{self, By, NewOperation};

/// What a session's new state is.
pub(crate) enum Content {
    Text(Bytes),
    Document(Arc<Document>),
    /// That of an earlier snapshot of the session, by its sequence number.
    Again(i64),
}

impl Content {
    /// A value, as compact JSON.
    pub(crate) fn of<T: Serialize + ?Sized>(value: &T) -> Result<Self> {
        let text = serde_json::to_vec(value)
            .map_err(|e| Error::invalid(format!("the value is no JSON: {e}")).with_source(e))?;
        Ok(Self::Text(text.into()))
    }
}

/// What the session must be like for the save to go on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) enum Expect {
    #[default]
    Anything,
    /// This is its newest snapshot: what was read of it went into the content.
    Newest(i64),
    /// Nothing was saved to it, taken from it or done to it since it was like this.
    As(store::Head),
    /// It does not exist.
    NoSession,
}

/// A save on its way to the writer.
pub(crate) struct Job {
    pub(crate) session: String,
    pub(crate) content: Content,
    pub(crate) kind: Kind,
    pub(crate) name: Option<String>,
    /// When it was asked for.
    pub(crate) now: Timestamp,
    /// When the state was taken.
    pub(crate) created_at: Timestamp,
    /// All but the checksum, which the writer computes.
    pub(crate) detail: Detail,
    pub(crate) pinned: bool,
    pub(crate) expect: Expect,
    /// The deed that it comes from, if it is no plain save.
    pub(crate) operation: Option<NewOperation>,
    /// Left out where what changed would take fewer bytes in the store; 0 for never.
    pub(crate) min_change: u64,
    /// What the audit log says of it.
    pub(crate) by: By,
    pub(crate) reply: oneshot::Sender<Result<Snapshot>>,
}

impl Job {
    /// Nobody may be listening any more; the save happened or not all the same.
    pub(crate) fn answer(self, result: Result<Snapshot>) {
        drop(self.reply.send(result));
    }
}

/// What to say where an undo was decided on what is no longer so.
pub(crate) fn another_turn(session: &str) -> Error {
    Error::conflict(format!(
        "something else was done to {session} in between; nothing was changed, try again"
    ))
}

/// What to say where a session is to be made and is there.
pub(crate) fn exists(session: &str) -> Error {
    Error::conflict(format!(
        "there is a session '{session}' already; choose another name"
    ))
}
