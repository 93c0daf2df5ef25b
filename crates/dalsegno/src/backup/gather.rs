//! All rows of a store that a backup is to have, of one moment.

use super::contents::Table;
use super::segment::{Cut, Cutter, Kept};
use crate::codec::note;
use crate::error::Result;
use crate::model::StoreId;
use crate::store::{Flow, NoteScan, Scan, View};

/// Notes that say how things stand with running programs, or with the file itself: in a backup they would say what is not so.
/// Slots stand in what the archive says of itself.
pub(super) const PASSING: [i64; 6] = [
    note::WRITER,
    note::LEASE,
    note::REQUEST,
    note::PARCEL,
    note::SLOT,
    note::LEFT,
];

/// Gives each segment of rows to `keep`. What changes least comes first, so that a backup that goes on where one was
/// interrupted finds as much of it as can be.
///
/// # Errors
/// `Damaged` where the store's structure is; what `keep` answers.
pub(super) fn segments(
    view: &dyn View,
    store: &StoreId,
    keep: &mut dyn FnMut(Cut) -> Result<()>,
) -> Result<()> {
    let scan = Scan::default();
    each(store, keep, Table::Record, &mut |cutter| {
        view.records(&mut |row| flow(cutter.push(&row)))
    })?;
    each(store, keep, Table::Snapshot, &mut |cutter| {
        view.snapshots(&scan, &mut |row| flow(cutter.push(&row)))
    })?;
    each(store, keep, Table::Trash, &mut |cutter| {
        view.trash(&mut |row| flow(cutter.push(&row)))
    })?;
    each(store, keep, Table::Operation, &mut |cutter| {
        view.operations(None, &mut |row| flow(cutter.push(&row)))
    })?;
    each(store, keep, Table::Note, &mut |cutter| {
        for kind in view.note_kinds()? {
            if PASSING.contains(&kind) {
                continue;
            }
            let scan = NoteScan {
                kind,
                ..NoteScan::default()
            };
            view.notes(&scan, &mut |row| flow(cutter.push(&row)))?;
        }
        Ok(())
    })?;
    each(store, keep, Table::Policy, &mut |cutter| {
        push_all(cutter, &view.policies()?)
    })?;
    each(store, keep, Table::Session, &mut |cutter| {
        view.sessions(&mut |row| flow(cutter.push(&row)))
    })
}

fn each(
    store: &StoreId,
    keep: &mut dyn FnMut(Cut) -> Result<()>,
    table: Table,
    read: &mut dyn FnMut(&mut Cutter<'_>) -> Result<()>,
) -> Result<()> {
    let mut cutter = Cutter::new(table, store, keep);
    read(&mut cutter)?;
    cutter.end()
}

fn push_all<R: Kept>(cutter: &mut Cutter<'_>, rows: &[R]) -> Result<()> {
    rows.iter().try_for_each(|row| cutter.push(row))
}

fn flow(done: Result<()>) -> Flow {
    match done {
        Ok(()) => Flow::Continue(()),
        Err(error) => Flow::Break(Err(error)),
    }
}
