//! Reading notes: one, or all of the store's own of one kind.

use super::row::Row;
use super::{Flow, NoteRow, NoteScan, View};
use crate::error::{Error, Result};
use crate::model::StoreId;

/// Visits the store's own notes of one kind; an error ends it.
pub(crate) fn each(
    view: &dyn View,
    kind: i64,
    visit: &mut dyn FnMut(NoteRow) -> Result<()>,
) -> Result<()> {
    let scan = NoteScan {
        kind,
        session: Some(0),
        ..NoteScan::default()
    };
    view.notes(&scan, &mut |row| match visit(row) {
        Ok(()) => Flow::Continue(()),
        Err(error) => Flow::Break(Err(error)),
    })
}

/// The one note of that kind, session and id, as it stands: it may be damaged.
pub(crate) fn stands(view: &dyn View, key: (i64, i64, i64)) -> Result<Option<NoteRow>> {
    let (kind, session, id) = key;
    let scan = NoteScan {
        kind,
        session: Some(session),
        above: Some(id - 1),
        backwards: false,
    };
    let mut found = None;
    view.notes(&scan, &mut |row| {
        found = Some(row).filter(|row| row.id == id);
        Flow::Break(Ok(()))
    })?;
    Ok(found)
}

/// The same, proved.
///
/// # Errors
/// `Damaged` where it is not as it was written.
pub(crate) fn proved(
    view: &dyn View,
    store: &StoreId,
    key: (i64, i64, i64),
) -> Result<Option<NoteRow>> {
    match stands(view, key)? {
        Some(row) if !row.is_intact(store) || row.key() != key => Err(Error::damaged(
            "a note is damaged: its checksum differs; `verify` says which",
        )),
        found => Ok(found),
    }
}
