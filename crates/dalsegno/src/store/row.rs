//! What all rows have in common, and the columns that the checksum of each covers.

use super::rows::{NoteRow, OperationRow, PolicyRow, RecordRow, SessionRow, SnapshotRow, TrashRow};
use crate::codec::checksum::{Checksum, RowHasher};
use crate::model::StoreId;

/// A row of any table.
pub(crate) trait Row: Sized {
    /// All columns but the checksum.
    fn columns(&self, store: &StoreId) -> RowHasher;

    fn checksum(&self) -> Checksum;

    fn set_checksum(&mut self, checksum: Checksum);

    /// The checksum that it should have.
    fn compute(&self, store: &StoreId) -> Checksum {
        self.columns(store).finish()
    }

    /// The same row with the checksum that it should have.
    fn summed(mut self, store: &StoreId) -> Self {
        self.set_checksum(self.compute(store));
        self
    }

    /// Whether it is as it was written.
    fn is_intact(&self, store: &StoreId) -> bool {
        self.compute(store) == self.checksum()
    }
}

impl Row for SessionRow {
    fn columns(&self, store: &StoreId) -> RowHasher {
        let mut row = RowHasher::new("session", store);
        row.int(self.id).blob(self.name.as_bytes()).int(self.head);
        // Rows of format 1 have no era.
        if self.era != 0 {
            row.int(self.era);
        }
        row
    }

    fn checksum(&self) -> Checksum {
        self.checksum
    }

    fn set_checksum(&mut self, checksum: Checksum) {
        self.checksum = checksum;
    }
}

impl Row for SnapshotRow {
    fn columns(&self, store: &StoreId) -> RowHasher {
        let mut row = RowHasher::new("snapshot", store);
        add_snapshot(self, &mut row);
        row
    }

    fn checksum(&self) -> Checksum {
        self.checksum
    }

    fn set_checksum(&mut self, checksum: Checksum) {
        self.checksum = checksum;
    }
}

impl Row for RecordRow {
    fn columns(&self, store: &StoreId) -> RowHasher {
        let mut row = RowHasher::new("record", store);
        row.int(self.seq)
            .int(self.session)
            .int(self.count)
            .optional_int(self.parent);
        row.blob(&self.data);
        row
    }

    fn checksum(&self) -> Checksum {
        self.checksum
    }

    fn set_checksum(&mut self, checksum: Checksum) {
        self.checksum = checksum;
    }
}

impl Row for TrashRow {
    fn columns(&self, store: &StoreId) -> RowHasher {
        let mut row = RowHasher::new("trash", store);
        add_snapshot(&self.snapshot, &mut row);
        row.int(self.deleted_at).int(self.keep_until);
        row
    }

    fn checksum(&self) -> Checksum {
        self.checksum
    }

    fn set_checksum(&mut self, checksum: Checksum) {
        self.checksum = checksum;
    }
}

impl Row for OperationRow {
    fn columns(&self, store: &StoreId) -> RowHasher {
        let mut row = RowHasher::new("operation", store);
        row.int(self.seq)
            .int(self.session)
            .int(self.verb)
            .int(self.status);
        row.blob(&self.detail);
        row
    }

    fn checksum(&self) -> Checksum {
        self.checksum
    }

    fn set_checksum(&mut self, checksum: Checksum) {
        self.checksum = checksum;
    }
}

impl Row for PolicyRow {
    fn columns(&self, store: &StoreId) -> RowHasher {
        let mut row = RowHasher::new("policy", store);
        row.int(self.id)
            .blob(self.pattern.as_bytes())
            .blob(&self.detail);
        row
    }

    fn checksum(&self) -> Checksum {
        self.checksum
    }

    fn set_checksum(&mut self, checksum: Checksum) {
        self.checksum = checksum;
    }
}

impl Row for NoteRow {
    fn columns(&self, store: &StoreId) -> RowHasher {
        let mut row = RowHasher::new("note", store);
        row.int(self.kind).int(self.session).int(self.id);
        row.blob(&self.detail);
        row
    }

    fn checksum(&self) -> Checksum {
        self.checksum
    }

    fn set_checksum(&mut self, checksum: Checksum) {
        self.checksum = checksum;
    }
}

fn add_snapshot(snapshot: &SnapshotRow, row: &mut RowHasher) {
    row.int(snapshot.seq)
        .int(snapshot.session)
        .int(snapshot.created_at)
        .int(snapshot.kind)
        .int(snapshot.flags);
    row.int(snapshot.size)
        .int(snapshot.stored)
        .optional_int(snapshot.parent)
        .optional_int(snapshot.state);
    row.int(snapshot.epoch)
        .optional_blob(snapshot.name.as_ref().map(String::as_bytes));
    row.blob(&snapshot.detail);
}
