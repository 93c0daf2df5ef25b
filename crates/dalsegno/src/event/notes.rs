//! Events that no snapshot tells of, as notes in the store.

use super::Event;
use crate::attempt::until_done;
use crate::codec::note;
use crate::error::{Error, Result};
use crate::model::StoreId;
use crate::store::{Exchange, Flow, NoteRow, NoteScan, Row, Store};

/// As many are kept.
const KEPT: i64 = 10_000;

/// Writes a note of an event, behind all others.
pub(crate) fn keep(store: &dyn Store, event: &Event) -> Result<()> {
    until_done("the list of events", || {
        let view = store.view()?;
        let mut last = 0;
        view.notes(&newest_first(), &mut |row| {
            last = row.id;
            Flow::Break(Ok(()))
        })?;
        let mut old = Vec::new();
        view.notes(&above(0), &mut |row| {
            let over = row.id <= last + 1 - KEPT;
            if over {
                old.push(row);
                return Flow::Continue(());
            }
            Flow::Break(Ok(()))
        })?;
        drop(view);
        let row = row(event, last + 1, &store.info().id)?;
        let done = store.exchange(&Exchange::of_notes(old, vec![row]))?;
        Ok(done.then_some(()))
    })
}

/// The note of an event, of that number.
pub(crate) fn row(event: &Event, id: i64, store: &StoreId) -> Result<NoteRow> {
    let text = serde_json::to_string(event)
        .map_err(|e| Error::storage("an event cannot be written as JSON").with_source(e))?;
    Ok(NoteRow::new(
        (note::EVENT, 0, id),
        note::encode(&text)?,
        store,
    ))
}

/// The event in a note; nothing where it is damaged, which is for `verify` to say.
pub(crate) fn read(row: &NoteRow, store: &StoreId) -> Option<Event> {
    let text: String = note::decode(&row.detail).ok()?;
    let event = serde_json::from_str(&text).ok();
    event.filter(|_| row.is_intact(store))
}

/// The session that an event is of, where the note is one and names any.
pub(crate) fn session(row: &NoteRow, store: &StoreId) -> Option<String> {
    if row.kind != note::EVENT {
        return None;
    }
    read(row, store)?.session
}

/// Those of larger numbers, oldest first.
pub(crate) fn above(id: i64) -> NoteScan {
    NoteScan {
        kind: note::EVENT,
        session: Some(0),
        above: Some(id),
        backwards: false,
    }
}

/// All of them.
pub(crate) fn newest_first() -> NoteScan {
    NoteScan {
        backwards: true,
        ..above(0)
    }
}
