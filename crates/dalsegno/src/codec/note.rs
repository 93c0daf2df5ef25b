//! What a note says: of a program that writes, of a lease.

use serde::{Deserialize, Serialize, de::DeserializeOwned};

use super::checksum::Checksum;
use crate::error::{Error, Result};

/// A program that holds leases; of the store.
pub(crate) const WRITER: i64 = 1;
/// Who may write a session; of the session, by the id 0.
pub(crate) const LEASE: i64 = 2;

/// What happened, as JSON; of the store, by a number that counts on without a gap: whoever has seen one has seen all
/// before it.
pub(crate) const EVENT: i64 = 3;

/// Which lists of which sessions are guarded, as JSON; of the store.
pub(crate) const GUARD: i64 = 4;

/// What a program asks of the one that has a session open; of the store, by a random number.
pub(crate) const REQUEST: i64 = 5;
/// The state that goes with a request; of the store, by the number of the request. Packed as a record is.
pub(crate) const PARCEL: i64 = 6;

/// A secret that opens the store: its root key, wrapped; of the store.
pub(crate) const SLOT: i64 = 7;

/// Says that what stood in the file before may still stand in pages that are free; of the store, by the id 1.
pub(crate) const LEFT: i64 = 8;

/// Says that a session was erased; of the store, by the beginning of the hash of its name.
pub(crate) const TOMBSTONE: i64 = 9;

/// How often a session's records were gathered in blocks; of the session, by the id 0.
pub(crate) const MOVED: i64 = 10;

/// A row of the audit log; of the store, by a number that counts on without a gap.
pub(crate) const AUDIT: i64 = 11;

/// Who may do what; of the store, by a number that counts on.
pub(crate) const PRINCIPAL: i64 = 12;

/// The key of the hashes that stand for sessions' names; of the store, by the id 1.
pub(crate) const NAMES: i64 = 13;

/// A backup that was made; of the store, by the beginning of its id.
pub(crate) const BACKUP: i64 = 14;

/// All kinds, with the words for each.
pub(crate) const KINDS: [(i64, &str); 14] = [
    (WRITER, "note of a program that writes"),
    (LEASE, "lease"),
    (EVENT, "note of an event"),
    (GUARD, "guard"),
    (REQUEST, "request"),
    (PARCEL, "state that goes with a request"),
    (SLOT, "key of the store"),
    (LEFT, "mark of what is left in free pages"),
    (TOMBSTONE, "tombstone of a session"),
    (MOVED, "count of how often records were moved"),
    (AUDIT, "row of the audit log"),
    (PRINCIPAL, "principal"),
    (NAMES, "key of what stands for names"),
    (BACKUP, "note of a backup"),
];

/// A program that holds leases.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Writer {
    /// For people.
    pub(crate) name: String,
    pub(crate) process: Process,
    /// When it said last that it is there: milliseconds of the machine's monotonic clock.
    pub(crate) beat: u64,
    /// How long that holds, in milliseconds.
    pub(crate) ttl: u64,
    /// Since when: in microseconds since 1970 (UTC), for people.
    pub(crate) since: i64,
    /// Whether it attends to requests.
    pub(crate) attends: bool,
}

/// Which process of which run of which machine.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Process {
    /// The id of the run of the machine; empty where it is not known.
    pub(crate) boot: String,
    /// The namespace that the number below is of; 0 where it is not known.
    pub(crate) space: u64,
    pub(crate) pid: u32,
    /// When it was started, in ticks since the machine was: numbers are given again.
    pub(crate) started: u64,
}

/// Who may write a session.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Lease {
    /// Rises with every writer.
    pub(crate) epoch: i64,
    /// The id of the writer's note.
    pub(crate) writer: i64,
    pub(crate) state: State,
    /// Since when: in microseconds since 1970 (UTC), for people.
    pub(crate) since: i64,
}

/// How a lease stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum State {
    /// The writer has the session open.
    Held,
    /// The writer closed it: everything was saved.
    Closed,
    /// The writer went without closing it, and somebody else wrote since.
    Broken,
}

/// What a program asks of the one that has a session open.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Request {
    pub(crate) session: String,
    pub(crate) verb: String,
    /// As JSON.
    pub(crate) arguments: String,
    /// Who asks; `beat` is when it asked, `ttl` how long it waits.
    pub(crate) asker: Writer,
    /// The lease whose holder is asked.
    pub(crate) writer: i64,
    pub(crate) epoch: i64,
    /// The last sequence number that was given when it asked: what came of it comes after.
    pub(crate) seen: i64,
    /// The checksum of the row of the state that goes with it, while that is there.
    pub(crate) parcel: Option<Checksum>,
    pub(crate) stage: Stage,
}

/// How far a request came.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Stage {
    /// Nobody looked at it: it may be withdrawn.
    Asked,
    /// The holder is at it. A snapshot that comes of it says so.
    Taken,
    /// It was done, and no snapshot came of it. The answer is to come.
    Done,
    /// As JSON, and why the running program goes on with the state that it has, where it does.
    Answered(String, Option<String>),
    /// It was not done: the kind of the error, what it says, and whether some of it was done all the same.
    Refused(String, String, bool),
    /// Of a handover: the one who asked has the lease, in this epoch, until the old holder takes it back.
    Passed(i64),
    /// It keeps the lease.
    Kept,
    /// It gave the lease back, in this epoch, and says why.
    Returned(i64, String),
}

/// In clear; 1 is kept for a sealed one.
const PLAIN: u8 = 0;

pub(crate) fn encode(value: &impl Serialize) -> Result<Vec<u8>> {
    super::write("writing a note", &(PLAIN, value))
}

pub(crate) fn decode<T: DeserializeOwned>(bytes: &[u8]) -> Result<T> {
    match bytes.split_first() {
        Some((&PLAIN, body)) => super::read("a note", body),
        Some((code, _)) => Err(Error::damaged(format!(
            "a note has the unknown coding {code}"
        ))),
        None => Err(Error::damaged("a note is empty")),
    }
}
