//! Columns as rows of the tables, where they fit.

use super::columns::Column::{self, Blob, Int, Null, Text};
use super::tree::Cell;
use crate::codec::checksum::Checksum;
use crate::codec::note;
use crate::model::StoreId;
use crate::store::seal::{Seal, SealedSession, Sealing};
use crate::store::{
    NoteRow, OperationRow, PolicyRow, RecordRow, Row, SessionRow, SnapshotRow, TrashRow,
};

/// What the store says of itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Own {
    pub(crate) id: StoreId,
    pub(crate) created_at: i64,
    pub(crate) checksum: Checksum,
    pub(crate) last: i64,
    pub(crate) sealing: i64,
}

/// A row of any table, as it stands there.
pub(crate) enum Any {
    Store(Own),
    Session(SealedSession),
    Snapshot(SnapshotRow),
    Record(RecordRow),
    Trash(TrashRow),
    Operation(OperationRow),
    Policy(PolicyRow),
    Note(NoteRow),
}

/// Its tables, by their names.
pub(super) const TABLES: [&str; 8] = [
    "store",
    "session",
    "snapshot",
    "record",
    "trash",
    "operation",
    "policy",
    "note",
];

impl Any {
    /// The cell as a row of that table; nothing where its columns are not those.
    pub(super) fn read(table: &str, cell: &Cell, columns: &[Column]) -> Option<Self> {
        let number = cell.row;
        Some(match (table, columns) {
            ("store", [Blob(id), Int(created_at), Blob(sum), rest @ ..]) => {
                let (last, sealing) = match rest {
                    [] => (0, 0),
                    [Int(last)] => (*last, 0),
                    [Int(last), Int(sealing)] => (*last, *sealing),
                    _ => return None,
                };
                Self::Store(Own {
                    id: id[..].try_into().ok()?,
                    created_at: *created_at,
                    checksum: checksum(sum),
                    last,
                    sealing,
                })
            }
            ("session", [Null, Text(name), Int(head), Blob(sum), rest @ ..]) => {
                let (era, key) = match rest {
                    [] => (0, Vec::new()),
                    [Int(era)] => (*era, Vec::new()),
                    [Int(era), Blob(key)] => (*era, key.clone()),
                    _ => return None,
                };
                let row = SessionRow {
                    id: number,
                    name: name.clone(),
                    head: *head,
                    era,
                    checksum: checksum(sum),
                };
                Self::Session(SealedSession { row, key })
            }
            ("snapshot", [Null, rest @ .., Blob(sum)]) => {
                let mut row = snapshot(number, rest)?;
                row.checksum = checksum(sum);
                Self::Snapshot(row)
            }
            ("trash", [Null, rest @ .., Int(deleted_at), Int(keep_until), Blob(sum)]) => {
                Self::Trash(TrashRow {
                    snapshot: snapshot(number, rest)?,
                    deleted_at: *deleted_at,
                    keep_until: *keep_until,
                    checksum: checksum(sum),
                })
            }
            (
                "record",
                [
                    Null,
                    Int(session),
                    Int(count),
                    parent,
                    Blob(data),
                    Blob(sum),
                ],
            ) => Self::Record(RecordRow {
                seq: number,
                session: *session,
                count: *count,
                parent: optional(parent)?,
                data: data.clone(),
                checksum: checksum(sum),
            }),
            (
                "operation",
                [
                    Null,
                    Int(session),
                    Int(verb),
                    Int(status),
                    Blob(detail),
                    Blob(sum),
                ],
            ) => Self::Operation(OperationRow {
                seq: number,
                session: *session,
                verb: *verb,
                status: *status,
                detail: detail.clone(),
                checksum: checksum(sum),
            }),
            ("policy", [Null, Text(pattern), Blob(detail), Blob(sum)]) => Self::Policy(PolicyRow {
                id: number,
                pattern: pattern.clone(),
                detail: detail.clone(),
                checksum: checksum(sum),
            }),
            ("note", [Int(kind), Int(session), Int(id), Blob(detail), Blob(sum)]) => {
                Self::Note(NoteRow {
                    kind: *kind,
                    session: *session,
                    id: *id,
                    detail: detail.clone(),
                    checksum: checksum(sum),
                })
            }
            _ => return None,
        })
    }

    /// Whether its checksum says that it is a row of this store, as it was written.
    pub(super) fn is_proved(&self, store: &StoreId, seal: Option<&Seal>) -> bool {
        fn proved<R: Sealing>(row: &R, store: &StoreId, seal: Option<&Seal>) -> bool {
            match seal {
                Some(seal) => seal.proves(row),
                None => row.is_intact(store),
            }
        }
        match self {
            Self::Store(own) => own.id == *store && own.is_proved(),
            Self::Session(row) => match seal {
                Some(seal) => seal.proves(row),
                None => row.row.is_intact(store) && row.key.is_empty(),
            },
            Self::Snapshot(row) => proved(row, store, seal),
            Self::Record(row) => proved(row, store, seal),
            Self::Trash(row) => proved(row, store, seal),
            Self::Operation(row) => proved(row, store, seal),
            Self::Policy(row) => proved(row, store, seal),
            // What opens the store is not sealed by it.
            Self::Note(row) if row.kind == note::SLOT => row.is_intact(store),
            Self::Note(row) => proved(row, store, seal),
        }
    }
}

fn snapshot(seq: i64, columns: &[Column]) -> Option<SnapshotRow> {
    let [
        Int(session),
        Int(created_at),
        Int(kind),
        Int(flags),
        Int(size),
        Int(stored),
        parent,
        state,
        Int(epoch),
        name,
        Blob(detail),
    ] = columns
    else {
        return None;
    };
    Some(SnapshotRow {
        seq,
        session: *session,
        created_at: *created_at,
        kind: *kind,
        flags: *flags,
        size: *size,
        stored: *stored,
        parent: optional(parent)?,
        state: optional(state)?,
        epoch: *epoch,
        name: match name {
            Null => None,
            Text(name) => Some(name.clone()),
            _ => return None,
        },
        detail: detail.clone(),
        checksum: [0; 16],
    })
}

fn optional(column: &Column) -> Option<Option<i64>> {
    match column {
        Null => Some(None),
        Int(number) => Some(Some(*number)),
        _ => None,
    }
}

/// One of another length fits nothing.
fn checksum(bytes: &[u8]) -> Checksum {
    bytes.try_into().unwrap_or([0; 16])
}
