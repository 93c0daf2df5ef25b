//! Where rows are kept: the trait every store implements, and its contract.

#[cfg(any(test, feature = "testing"))]
pub mod conformance;
mod exchange;
#[cfg(any(test, feature = "testing"))]
pub mod faulty;
pub(crate) mod ledger;
mod memory;
pub(crate) mod notes;
mod row;
mod rows;
pub(crate) mod seal;
pub(crate) mod sequence;
pub(crate) mod sqlite;

use std::ops::ControlFlow;

use crate::error::Result;
use crate::model::StoreId;

pub use exchange::{Exchange, Rows};
pub use ledger::{By, Said};
pub use memory::MemoryStore;
pub(crate) use row::Row;
pub use rows::{NoteRow, OperationRow, PolicyRow, RecordRow, SessionRow, SnapshotRow, TrashRow};
pub(crate) use rows::{PINNED, UNCHANGED};
pub use seal::{KeyKind, KeySlot};
pub(crate) use sqlite::{Begin, Keys, pages};
pub use sqlite::{SqliteOptions, SqliteStore};

/// What a store says of itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoreInfo {
    /// Random; made when the store was.
    pub id: StoreId,
    /// The version of the format.
    pub format: u32,
    /// In microseconds since 1970 (UTC).
    pub created_at: i64,
}

/// A place for sessions, snapshots and records.
///
/// # Contract
/// - [`commit`](Store::commit) and [`exchange`](Store::exchange) are atomic and, once they return
///   `Ok`, durable as far as the store promises durability at all. After an error nothing of the
///   call is visible, now or after a crash. After a crash in the middle, all of it is there or nothing.
/// - Sequence numbers grow with every commit, whatever the clock does, and are never given twice.
/// - A [`view`](Store::view) sees one committed state, however long it is kept.
/// - A store gives back the rows it was given; it does not judge their content. Who reads a row
///   checks its checksum.
/// - Every method may be called from several threads, and several processes if the store says so.
pub trait Store: Send + Sync {
    /// The store's id, format and age; read once when it was opened.
    fn info(&self) -> &StoreInfo;

    /// Adds snapshots to sessions, in one transaction; each session has its own outcome, and one that
    /// is refused does not hold up the others. A session that does not exist is made. Where there is an audit log,
    /// what was added stands in it.
    ///
    /// # Errors
    /// `Locked` where another process holds the store for longer than the store waits; `Storage`
    /// or `Denied` where the disk refuses; then nothing was added.
    fn commit(&self, writes: &[Write]) -> Result<Vec<Outcome>>;

    /// Takes rows away and puts others there. Returns false, and changes nothing, where one of those
    /// to take is no longer there as it was, one to put would stand where another stands: its key,
    /// or a name that must be unique, is taken; or a session to raise has another era or a damaged row.
    ///
    /// # Errors
    /// As [`commit`](Store::commit).
    fn exchange(&self, exchange: &Exchange) -> Result<bool>;

    /// A number that is another one after any change, by this process or another: so that whoever waits
    /// for news need not read anything.
    ///
    /// # Errors
    /// As [`view`](Store::view).
    fn version(&self) -> Result<i64>;

    /// A consistent view of all rows.
    ///
    /// # Errors
    /// `Locked`, `Storage`, or `Damaged` where the store cannot be read.
    fn view(&self) -> Result<Box<dyn View + '_>>;

    /// Does what commits left for later: called when they have been answered.
    ///
    /// # Errors
    /// As [`commit`](Store::commit); nothing is lost by it.
    fn tidy(&self) -> Result<()>;

    /// Gives space that is no longer used back to the file system, and ends pending work.
    ///
    /// # Errors
    /// As [`commit`](Store::commit); nothing is lost by it.
    fn settle(&self) -> Result<()>;
}

/// What one moment's rows say.
pub trait View {
    /// The session of that name.
    ///
    /// # Errors
    /// `Storage`, or `Damaged` where the store cannot be read; so for all methods here.
    fn session(&self, name: &str) -> Result<Option<SessionRow>>;

    /// The session of that number.
    ///
    /// # Errors
    /// As [`session`](View::session).
    fn session_by_id(&self, id: i64) -> Result<Option<SessionRow>>;

    /// The key of a session, as an encrypted store keeps it: other stores of the same id open it with the same root
    /// key.
    ///
    /// # Errors
    /// As [`session`](View::session).
    fn session_key(&self, _id: i64) -> Result<Option<Vec<u8>>> {
        Ok(None)
    }

    /// Whether a record of the session opens with that key, as a store of the same id keeps it.
    ///
    /// # Errors
    /// As [`session`](View::session).
    fn opens(&self, _session: i64, _key: &[u8]) -> Result<bool> {
        Ok(false)
    }

    /// Every session, by number.
    ///
    /// # Errors
    /// As [`session`](View::session).
    fn sessions(&self, visit: &mut dyn FnMut(SessionRow) -> Flow) -> Result<()>;

    /// The largest number of a session; 0 where there is none.
    ///
    /// # Errors
    /// As [`session`](View::session).
    fn last_session(&self) -> Result<i64>;

    /// One snapshot.
    ///
    /// # Errors
    /// As [`session`](View::session).
    fn snapshot(&self, seq: i64) -> Result<Option<SnapshotRow>>;

    /// The snapshots of that name, in any session.
    ///
    /// # Errors
    /// As [`session`](View::session).
    fn named(&self, name: &str) -> Result<Vec<i64>>;

    /// Snapshots of one session, or of all, in commit order or against it, beyond `from`. A damaged
    /// row is visited like any other and hides none.
    ///
    /// # Errors
    /// As [`session`](View::session), and what `visit` breaks with.
    fn snapshots(&self, scan: &Scan, visit: &mut dyn FnMut(SnapshotRow) -> Flow) -> Result<()>;

    /// The row that holds the record `seq` of `session`, alone or in a block. Where there is no such
    /// record: nothing, or a later block of the session; never another session's row.
    ///
    /// # Errors
    /// As [`session`](View::session).
    fn record(&self, session: i64, seq: i64) -> Result<Option<RecordRow>>;

    /// The newest block of a session.
    ///
    /// # Errors
    /// As [`session`](View::session).
    fn newest_block(&self, session: i64) -> Result<Option<RecordRow>>;

    /// Every row of records, in order.
    ///
    /// # Errors
    /// As [`session`](View::session), and what `visit` breaks with.
    fn records(&self, visit: &mut dyn FnMut(RecordRow) -> Flow) -> Result<()>;

    /// A snapshot in the trash.
    ///
    /// # Errors
    /// As [`session`](View::session).
    fn trashed(&self, seq: i64) -> Result<Option<TrashRow>>;

    /// Every snapshot in the trash, in commit order.
    ///
    /// # Errors
    /// As [`session`](View::session), and what `visit` breaks with.
    fn trash(&self, visit: &mut dyn FnMut(TrashRow) -> Flow) -> Result<()>;

    /// The operations of one session, or of all, newest first.
    ///
    /// # Errors
    /// As [`session`](View::session), and what `visit` breaks with.
    fn operations(
        &self,
        session: Option<i64>,
        visit: &mut dyn FnMut(OperationRow) -> Flow,
    ) -> Result<()>;

    /// Every policy, by number.
    ///
    /// # Errors
    /// As [`session`](View::session).
    fn policies(&self) -> Result<Vec<PolicyRow>>;

    /// Notes of one kind, by session and id.
    ///
    /// # Errors
    /// As [`session`](View::session), and what `visit` breaks with.
    fn notes(&self, scan: &NoteScan, visit: &mut dyn FnMut(NoteRow) -> Flow) -> Result<()>;

    /// The kinds of notes that there are, rising.
    ///
    /// # Errors
    /// As [`session`](View::session).
    fn note_kinds(&self) -> Result<Vec<i64>>;

    /// The last sequence number that was given; 0 where none was.
    ///
    /// # Errors
    /// As [`session`](View::session).
    fn last(&self) -> Result<i64>;

    /// What the store's own check of its structure complains of: nothing, if all is well.
    ///
    /// # Errors
    /// As [`session`](View::session).
    fn check_structure(&self) -> Result<Vec<String>>;
}

/// Whether a visit goes on; it may end with an error.
pub type Flow = ControlFlow<Result<()>>;

/// Which snapshots to visit.
#[derive(Debug, Clone, Copy, Default)]
pub struct Scan {
    /// Of this session only.
    pub session: Option<i64>,
    /// Only those beyond it, in the direction of the scan.
    pub from: Option<i64>,
    /// Against the order of commits.
    pub newest_first: bool,
}

/// Which notes to visit.
#[derive(Debug, Clone, Copy, Default)]
pub struct NoteScan {
    /// The code of their kind.
    pub kind: i64,
    /// Of this session only; 0 for those of the store itself.
    pub session: Option<i64>,
    /// Only those of larger ids.
    pub above: Option<i64>,
    /// From the largest key down.
    pub backwards: bool,
}

/// Snapshots to add to one session.
#[derive(Debug, Clone)]
pub struct Write {
    /// The session's name; it is made if it is not there.
    pub session: String,
    /// The session's number and newest snapshot, as far as the writer knows.
    pub head: Option<Head>,
    /// In order, each on top of the one before.
    pub snapshots: Vec<NewSnapshot>,
}

/// The newest snapshot of a session.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Head {
    /// The session's number.
    pub session: i64,
    /// The snapshot's sequence number; 0 where the session has none.
    pub seq: i64,
    /// The session's era: where it has risen, what the writer knows may be gone.
    pub era: i64,
}

/// A snapshot to add; the store gives it its sequence number and parent.
#[derive(Debug, Clone)]
pub struct NewSnapshot {
    /// The writer's clock, which sequence numbers follow: in microseconds since 1970 (UTC).
    pub now: i64,
    /// When the state was taken; of an import, long ago. In microseconds since 1970 (UTC).
    pub created_at: i64,
    /// The code of its kind.
    pub kind: i64,
    /// Bit 0: nothing had changed. Bit 1: pinned.
    pub flags: i64,
    /// Bytes of the document's text.
    pub size: i64,
    /// Its state.
    pub state: NewState,
    /// The writer's epoch.
    pub epoch: i64,
    /// Unique within the session.
    pub name: Option<String>,
    /// The rest of its metadata.
    pub detail: Vec<u8>,
    /// The deed that it comes from, if it is no plain save.
    pub operation: Option<NewOperation>,
    /// What the audit log says of it.
    pub by: By,
}

/// An operation to add with its snapshot.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewOperation {
    /// The code of its verb.
    pub verb: i64,
    /// The code of how far it came.
    pub status: i64,
    /// The rest.
    pub detail: Vec<u8>,
}

/// The state of a snapshot to add.
#[derive(Debug, Clone)]
pub enum NewState {
    /// That of another snapshot.
    Same(Link),
    /// A new record, and the one it builds on.
    Record {
        /// `None` for a base.
        parent: Option<Link>,
        /// As it goes into the row.
        data: Vec<u8>,
    },
}

/// A snapshot that another one refers to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Link {
    /// One that is committed.
    Seq(i64),
    /// One of the same [`Write`], by its place there.
    Here(usize),
}

/// What became of a [`Write`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// All its snapshots were added, as these rows.
    Committed(Vec<SnapshotRow>),
    /// The session has another newest snapshot than the writer thought, or snapshots of it were taken
    /// away: read it, encode anew.
    HeadMoved,
    /// The session has a snapshot of that name.
    NameTaken {
        /// Which of the snapshots.
        index: usize,
        /// The snapshot that has the name.
        by: i64,
    },
}
