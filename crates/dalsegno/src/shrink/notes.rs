//! Which lists of which sessions are guarded: notes of the store, and what the program itself says.

use crate::codec::note;
use crate::error::{Error, Result};
use crate::guard::{GuardPolicy, choose};
use crate::model::StoreId;
use crate::store::{Flow, NoteRow, NoteScan, Row, View};

/// The guards that hold for a program.
#[derive(Debug, Default)]
pub(crate) struct Guards(Vec<GuardPolicy>);

impl Guards {
    /// Those that the program gives itself, before those of the store for the same pattern.
    ///
    /// A note that is damaged guards nothing: nobody's save is to wait for its repair, and `verify` tells of it.
    pub(crate) fn read(view: &dyn View, store: &StoreId, own: &[GuardPolicy]) -> Result<Self> {
        let mut guards = own.to_vec();
        for row in rows(view)? {
            guards.extend(read(&row, store).ok());
        }
        Ok(Self(guards))
    }

    /// The guard for a session; nothing where none guards a list of it.
    pub(crate) fn of(&self, session: &str) -> Option<&GuardPolicy> {
        choose(&self.0, session).filter(|guard| !guard.lists.is_empty())
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

/// All notes of guards, in the order in which they were made.
pub(crate) fn rows(view: &dyn View) -> Result<Vec<NoteRow>> {
    let scan = NoteScan {
        kind: note::GUARD,
        session: Some(0),
        above: None,
        backwards: false,
    };
    let mut rows = Vec::new();
    view.notes(&scan, &mut |row| {
        rows.push(row);
        Flow::Continue(())
    })?;
    Ok(rows)
}

/// The guard in a note.
///
/// # Errors
/// `Damaged` where it is not as it was written.
pub(crate) fn read(row: &NoteRow, store: &StoreId) -> Result<GuardPolicy> {
    let damaged = || Error::damaged(format!("guard {} is damaged; set it anew", row.id));
    if !row.is_intact(store) {
        return Err(damaged());
    }
    let text: String = note::decode(&row.detail)?;
    serde_json::from_str(&text).map_err(|e| damaged().with_source(e))
}
