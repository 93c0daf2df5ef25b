//! Each kind of row, sealed and opened.

use super::Seal;
use crate::codec::checksum::{self, Checksum, RowHasher};
use crate::codec::note;
use crate::error::Result;
use crate::key::{Key, Part};
use crate::model::StoreId;
use crate::store::{
    NoteRow, OperationRow, PolicyRow, RecordRow, Row, SessionRow, SnapshotRow, TrashRow,
};

/// The first byte of a sealed blob: in clear, details begin with 0, records with 0 or 1.
const SEALED: u8 = 2;

/// A row with a blob, and perhaps a name, which an encrypted store seals.
pub(crate) trait Sealing: Row + Clone {
    /// The session whose key seals the blob; none, where it is the store's.
    fn session_key(&self) -> Option<i64> {
        None
    }

    /// What it is, its session, and its number; nothing, where it is kept in clear.
    fn place(&self) -> Option<(Part, i64, i64)>;

    fn blob(&mut self) -> &mut Vec<u8>;

    fn name(&mut self) -> Option<(Part, &mut String)> {
        None
    }
}

impl Seal {
    /// The row as the store keeps it; `key` is that of its session, where it has one. A row that is not intact is
    /// one that was read so, and stays as it is.
    pub(crate) fn seal<R: Sealing>(&self, row: &R, key: Option<&Key>) -> Result<R> {
        if row.is_intact(&self.store) {
            self.cover(row, key)
        } else {
            Ok(row.clone())
        }
    }

    /// As [`seal`](Self::seal), of a row that may be damaged: it stays so, and nothing of it stays in clear.
    pub(crate) fn cover<R: Sealing>(&self, row: &R, key: Option<&Key>) -> Result<R> {
        let mut sealed = row.clone();
        let Some((part, session, number)) = row.place() else {
            return Ok(sealed);
        };
        if let Some((part, name)) = sealed.name() {
            *name = self.name(part, name)?;
        }
        let place = self.place(part, session, number);
        let blob = sealed.blob();
        let opaque = key.unwrap_or(&self.details).seal(place, blob)?;
        blob.clear();
        blob.push(SEALED);
        blob.extend_from_slice(&opaque);
        let sum = self.sum(&sealed);
        sealed.set_checksum(if row.is_intact(&self.store) {
            sum
        } else {
            checksum::other(sum)
        });
        Ok(sealed)
    }

    /// The row as it was given to the store. One that does not open, because it was changed, or is another's, comes
    /// as it stands there, and is not intact.
    pub(crate) fn open<R: Sealing>(&self, row: R, key: Option<&Key>) -> R {
        let Some((part, session, number)) = row.place() else {
            return row;
        };
        self.opened(&row, key.unwrap_or(&self.details), (part, session, number))
            .unwrap_or_else(|| self.refused(row))
    }

    fn opened<R: Sealing>(&self, row: &R, key: &Key, place: (Part, i64, i64)) -> Option<R> {
        if self.sum(row) != row.checksum() {
            return None;
        }
        let mut opened = row.clone();
        let (part, session, number) = place;
        let place = self.place(part, session, number);
        let blob = opened.blob();
        let opaque = blob.strip_prefix(&[SEALED])?;
        *blob = key.open(place, opaque)?;
        if let Some((part, name)) = opened.name() {
            *name = self.open_name(part, name)?;
        }
        Some(opened.summed(&self.store))
    }

    /// A row that somebody wrote without the key may have a checksum that would do for one in clear.
    pub(crate) fn refused<R: Row>(&self, mut row: R) -> R {
        if row.is_intact(&self.store) {
            row.set_checksum(checksum::other(row.checksum()));
        }
        row
    }

    /// A session's row as the store keeps it, with its key. One that is damaged stays so.
    pub(crate) fn seal_session(&self, row: &SessionRow, key: Vec<u8>) -> Result<SealedSession> {
        let intact = row.is_intact(&self.store);
        let name = self.name(Part::SessionName, &row.name)?;
        let row = SessionRow {
            name,
            ..row.clone()
        };
        let mut sealed = SealedSession { row, key };
        let sum = self.sum(&sealed);
        sealed.row.checksum = if intact { sum } else { checksum::other(sum) };
        Ok(sealed)
    }

    pub(crate) fn open_session(&self, sealed: SealedSession) -> SessionRow {
        let intact = self.sum(&sealed) == sealed.row.checksum;
        let name = self.open_name(Part::SessionName, &sealed.row.name);
        match name {
            Some(name) if intact => SessionRow { name, ..sealed.row }.summed(&self.store),
            // What opens is its name, whatever else of the row is damaged.
            Some(name) => self.refused(SessionRow { name, ..sealed.row }),
            None => self.refused(sealed.row),
        }
    }
}

/// A session as an encrypted store keeps it.
#[derive(Debug, Clone)]
pub(crate) struct SealedSession {
    pub(crate) row: SessionRow,
    /// Its key, wrapped.
    pub(crate) key: Vec<u8>,
}

impl Row for SealedSession {
    fn columns(&self, store: &StoreId) -> RowHasher {
        let mut row = self.row.columns(store);
        row.blob(&self.key);
        row
    }

    fn checksum(&self) -> Checksum {
        self.row.checksum
    }

    fn set_checksum(&mut self, checksum: Checksum) {
        self.row.checksum = checksum;
    }
}

impl Sealing for SnapshotRow {
    fn place(&self) -> Option<(Part, i64, i64)> {
        Some((Part::Snapshot, self.session, self.seq))
    }

    fn blob(&mut self) -> &mut Vec<u8> {
        &mut self.detail
    }

    fn name(&mut self) -> Option<(Part, &mut String)> {
        let name = self.name.as_mut()?;
        Some((Part::SnapshotName, name))
    }
}

impl Sealing for TrashRow {
    fn place(&self) -> Option<(Part, i64, i64)> {
        Some((Part::Trash, self.snapshot.session, self.snapshot.seq))
    }

    fn blob(&mut self) -> &mut Vec<u8> {
        &mut self.snapshot.detail
    }

    fn name(&mut self) -> Option<(Part, &mut String)> {
        self.snapshot.name()
    }
}

impl Sealing for RecordRow {
    fn session_key(&self) -> Option<i64> {
        Some(self.session)
    }

    fn place(&self) -> Option<(Part, i64, i64)> {
        Some((Part::Record, self.session, self.seq))
    }

    fn blob(&mut self) -> &mut Vec<u8> {
        &mut self.data
    }
}

impl Sealing for OperationRow {
    fn place(&self) -> Option<(Part, i64, i64)> {
        Some((Part::Operation, self.session, self.seq))
    }

    fn blob(&mut self) -> &mut Vec<u8> {
        &mut self.detail
    }
}

impl Sealing for PolicyRow {
    fn place(&self) -> Option<(Part, i64, i64)> {
        Some((Part::Policy, 0, self.id))
    }

    fn blob(&mut self) -> &mut Vec<u8> {
        &mut self.detail
    }

    fn name(&mut self) -> Option<(Part, &mut String)> {
        Some((Part::Pattern, &mut self.pattern))
    }
}

impl Sealing for NoteRow {
    /// What opens the store cannot be sealed by what it opens.
    fn place(&self) -> Option<(Part, i64, i64)> {
        (self.kind != note::SLOT).then_some((Part::Note, self.session, self.id))
    }

    fn blob(&mut self) -> &mut Vec<u8> {
        &mut self.detail
    }
}
