//! Where intact rows come from: other stores of the same id, such as a mirror, or a backup that was restored beside.

use std::cell::OnceCell;
use std::collections::{BTreeSet, HashMap};

use crate::chain;
use crate::codec::checksum::Checksum;
use crate::codec::detail;
use crate::document::Document;
use crate::engine::Engine;
use crate::error::{Error, ErrorKind, Result};
use crate::model::{Action, StoreId};
use crate::store::{Flow, Row, Scan, SessionRow, SnapshotRow, TrashRow, View};

/// A store that rows are taken from.
pub(super) struct Source<'a> {
    pub(super) name: String,
    pub(super) view: Box<dyn View + 'a>,
    store: StoreId,
    rows: OnceCell<HashMap<i64, Held>>,
}

/// The numbers of the intact rows of a session.
#[derive(Default)]
pub(super) struct Held {
    pub(super) live: BTreeSet<i64>,
    pub(super) trash: BTreeSet<i64>,
}

impl<'a> Source<'a> {
    /// # Errors
    /// `InvalidInput` where it is another store's; `Denied` where it may not be read.
    pub(super) fn open(engine: &'a Engine, store: &StoreId) -> Result<Self> {
        let name = engine.shown();
        if engine.store().info().id != *store {
            return Err(Error::invalid(format!(
                "{name} is another store, not a copy of this one: nothing was taken from it, and nothing was changed"
            )));
        }
        engine.allow(Action::Read, None)?;
        Ok(Self {
            name,
            view: engine.raw_view()?,
            store: *store,
            rows: OnceCell::new(),
        })
    }

    /// The intact rows of a session. One that is damaged there is none.
    pub(super) fn held(&self, session: i64) -> Result<Option<&Held>> {
        if self.rows.get().is_none() {
            let mut all: HashMap<i64, Held> = HashMap::new();
            let read = self.view.snapshots(&Scan::default(), &mut |row| {
                if row.is_intact(&self.store) {
                    all.entry(row.session).or_default().live.insert(row.seq);
                }
                Flow::Continue(())
            });
            passed_over(read)?;
            let read = self.view.trash(&mut |row| {
                if row.is_intact(&self.store) {
                    let held = all.entry(row.snapshot.session).or_default();
                    held.trash.insert(row.snapshot.seq);
                }
                Flow::Continue(())
            });
            passed_over(read)?;
            drop(self.rows.set(all));
        }
        Ok(self.rows.get().and_then(|all| all.get(&session)))
    }

    /// The sessions that it has rows of.
    pub(super) fn sessions(&self) -> Result<Vec<SessionRow>> {
        let mut rows = Vec::new();
        passed_over(self.view.sessions(&mut |row| {
            if row.is_intact(&self.store) {
                rows.push(row);
            }
            Flow::Continue(())
        }))?;
        Ok(rows)
    }

    pub(super) fn session(&self, number: i64) -> Result<Option<SessionRow>> {
        let row = passed_over(self.view.session_by_id(number))?.flatten();
        Ok(row.filter(|row| row.is_intact(&self.store)))
    }

    /// The snapshot's row, from the history or the trash.
    pub(super) fn snapshot(&self, session: i64, seq: i64) -> Result<Option<SnapshotRow>> {
        let live = passed_over(self.view.snapshot(seq))?.flatten();
        let live = live.filter(|row| row.session == session && row.is_intact(&self.store));
        Ok(match live {
            Some(row) => Some(row),
            None => self
                .trashed(session, seq)?
                .map(|row| row.snapshot.summed(&self.store)),
        })
    }

    pub(super) fn trashed(&self, session: i64, seq: i64) -> Result<Option<TrashRow>> {
        let row = passed_over(self.view.trashed(seq))?.flatten();
        Ok(row.filter(|row| row.snapshot.session == session && row.is_intact(&self.store)))
    }

    /// The state whose record is `seq`, where it is the one that was promised, here or there.
    pub(super) fn state(
        &self,
        session: i64,
        seq: i64,
        promised: Option<(Checksum, i64)>,
    ) -> Result<Option<Document>> {
        let promised = match promised {
            Some(promised) => promised,
            None => match self.snapshot(session, seq)? {
                Some(row) if row.state.is_none() => {
                    let Some(detail) = passed_over(detail::decode(&row.detail))? else {
                        return Ok(None);
                    };
                    (detail.checksum, row.size)
                }
                _ => return Ok(None),
            },
        };
        let found = chain::assemble(&*self.view, &self.store, session, seq);
        let found = passed_over(found)?.map(|found| found.document);
        Ok(found.filter(|document| {
            i64::try_from(document.text_len()) == Ok(promised.1)
                && crate::codec::checksum::of_document(document) == promised.0
        }))
    }
}

/// A source may be damaged as well: what it cannot give, it does not have.
pub(super) fn passed_over<T>(read: Result<T>) -> Result<Option<T>> {
    match read {
        Ok(read) => Ok(Some(read)),
        Err(error) if error.kind() == ErrorKind::Damaged => Ok(None),
        Err(error) => Err(error),
    }
}
