//! Rows gathered into segments, so that what stays the same from one backup to the next is kept once.
//!
//! Where a segment ends, its last row says by its key, not by how many came before: rows that come or go change the segment
//! that they are in, and none after it.

use serde::Serialize;
use serde::de::DeserializeOwned;
use twox_hash::XxHash3_64;

use super::contents::{About, Table};
use crate::error::{Error, Result};
use crate::model::StoreId;
use crate::store::{
    NoteRow, OperationRow, PolicyRow, RecordRow, Row, Rows, SessionRow, SnapshotRow, TrashRow,
};

/// A segment has so many bytes, about.
const ABOUT: u64 = 128 << 10;
/// It has no less, but the last of a table.
const LEAST: usize = 16 << 10;
/// Beyond it, it ends with the next row.
const MOST: usize = 1 << 20;

/// A row that backups have.
pub(super) trait Kept: Row + Serialize + DeserializeOwned {
    fn key(&self) -> (i64, i64, i64);

    /// Adds what would be lost with it; `before` is the last sequence number that stands there.
    fn add_to(&self, _about: &mut About, _before: &mut i64) {}
}

/// Rows of one table that make up a segment.
pub(super) struct Cut {
    pub(super) table: Table,
    pub(super) bytes: Vec<u8>,
    pub(super) rows: u32,
    pub(super) about: About,
    /// How many of them are not as they were written.
    pub(super) damaged: u64,
}

/// Gathers the rows of one table, in the order of their keys.
pub(super) struct Cutter<'a> {
    store: &'a StoreId,
    keep: &'a mut dyn FnMut(Cut) -> Result<()>,
    cut: Cut,
    before: i64,
}

impl<'a> Cutter<'a> {
    pub(super) fn new(
        table: Table,
        store: &'a StoreId,
        keep: &'a mut dyn FnMut(Cut) -> Result<()>,
    ) -> Self {
        Self {
            store,
            keep,
            cut: Cut::empty(table),
            before: 0,
        }
    }

    pub(super) fn push<R: Kept>(&mut self, row: &R) -> Result<()> {
        let before = self.cut.bytes.len();
        let bytes = std::mem::take(&mut self.cut.bytes);
        let failed = |e| Error::storage(format!("writing a row to the backup: {e}"));
        self.cut.bytes = postcard::to_extend(row, bytes).map_err(failed)?;
        self.cut.rows += 1;
        self.cut.damaged += u64::from(!row.is_intact(self.store));
        row.add_to(&mut self.cut.about, &mut self.before);
        let length = self.cut.bytes.len();
        if length > MOST || (length >= LEAST && ends(row.key(), (length - before) as u64)) {
            self.end()?;
        }
        Ok(())
    }

    /// Ends the segment that was begun.
    pub(super) fn end(&mut self) -> Result<()> {
        self.before = 0;
        let table = self.cut.table;
        let mut cut = std::mem::replace(&mut self.cut, Cut::empty(table));
        cut.about.sessions.sort_unstable();
        cut.about.sessions.dedup();
        if cut.rows == 0 {
            return Ok(());
        }
        (self.keep)(cut)
    }
}

impl Cut {
    fn empty(table: Table) -> Self {
        Self {
            table,
            bytes: Vec::new(),
            rows: 0,
            about: About::default(),
            damaged: 0,
        }
    }
}

/// Whether a segment ends with the row of that key: the more often, the larger the row is.
fn ends(key: (i64, i64, i64), bytes: u64) -> bool {
    let mut text = [0; 24];
    for (part, number) in text.chunks_exact_mut(8).zip([key.0, key.1, key.2]) {
        part.copy_from_slice(&number.to_le_bytes());
    }
    let share = u64::MAX / ABOUT;
    XxHash3_64::oneshot(&text) < share.saturating_mul(bytes)
}

/// The rows of a segment.
///
/// # Errors
/// `Damaged` where it is none of that table, or has another number of rows.
pub(super) fn rows(table: Table, bytes: &[u8], count: u32) -> Result<Rows> {
    let mut rows = Rows::default();
    match table {
        Table::Session => rows.sessions = all(bytes, count)?,
        Table::Snapshot => rows.snapshots = all(bytes, count)?,
        Table::Trash => rows.trash = all(bytes, count)?,
        Table::Record => rows.records = all(bytes, count)?,
        Table::Operation => rows.operations = all(bytes, count)?,
        Table::Policy => rows.policies = all(bytes, count)?,
        Table::Note => rows.notes = all(bytes, count)?,
    }
    Ok(rows)
}

fn all<R: Kept>(mut bytes: &[u8], count: u32) -> Result<Vec<R>> {
    let mut rows = Vec::new();
    while !bytes.is_empty() {
        let (row, rest) = postcard::take_from_bytes(bytes)
            .map_err(|e| Error::damaged("rows of the backup cannot be read").with_source(e))?;
        rows.push(row);
        bytes = rest;
    }
    if rows.len() == count as usize {
        Ok(rows)
    } else {
        Err(Error::damaged("rows of the backup are missing"))
    }
}

fn add_snapshot(row: &SnapshotRow, about: &mut About, before: &mut i64) {
    let distance = row.seq.wrapping_sub(std::mem::replace(before, row.seq));
    about.snapshots.push((distance, row.session));
}

impl Kept for SessionRow {
    fn key(&self) -> (i64, i64, i64) {
        (self.id, 0, 0)
    }

    fn add_to(&self, about: &mut About, _before: &mut i64) {
        about.sessions.push((self.id, self.name.clone()));
    }
}

impl Kept for SnapshotRow {
    fn key(&self) -> (i64, i64, i64) {
        (self.seq, 0, 0)
    }

    fn add_to(&self, about: &mut About, before: &mut i64) {
        add_snapshot(self, about, before);
    }
}

impl Kept for TrashRow {
    fn key(&self) -> (i64, i64, i64) {
        (self.snapshot.seq, 0, 0)
    }

    fn add_to(&self, about: &mut About, before: &mut i64) {
        add_snapshot(&self.snapshot, about, before);
    }
}

impl Kept for RecordRow {
    fn key(&self) -> (i64, i64, i64) {
        (self.seq, 0, 0)
    }

    fn add_to(&self, about: &mut About, _before: &mut i64) {
        about.sessions.push((self.session, String::new()));
    }
}

impl Kept for OperationRow {
    fn key(&self) -> (i64, i64, i64) {
        (self.seq, 0, 0)
    }

    fn add_to(&self, about: &mut About, _before: &mut i64) {
        about.sessions.push((self.session, String::new()));
    }
}

impl Kept for PolicyRow {
    fn key(&self) -> (i64, i64, i64) {
        (self.id, 0, 0)
    }
}

impl Kept for NoteRow {
    fn key(&self) -> (i64, i64, i64) {
        self.key()
    }
}
