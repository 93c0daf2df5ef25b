//! What was erased, as far as the store and the sources can tell.

use super::source::{Source, passed_over};
use crate::erase::erased_by;
use crate::error::{ErrorKind, Result};
use crate::model::{SnapshotId, StoreId};
use crate::name_key::NameKey;
use crate::store::{SessionRow, View};

/// The tombstones of the store and of every source, and the keys that tell whose they are.
pub(super) struct Erased<'a> {
    views: Vec<&'a dyn View>,
    keys: Vec<NameKey>,
    store: &'a StoreId,
    /// Whether the store has tombstones of which nobody can say whose they are.
    nobody_knows: bool,
}

impl<'a> Erased<'a> {
    pub(super) fn read(
        own: &'a dyn View,
        sources: &'a [Source<'_>],
        store: &'a StoreId,
    ) -> Result<Self> {
        let of_sources = sources.iter().map(|it| &*it.view as &dyn View);
        let views: Vec<&dyn View> = std::iter::once(own).chain(of_sources).collect();
        let mut keys = Vec::new();
        let mut own_is_lost = false;
        for (at, view) in views.iter().enumerate() {
            let key = passed_over(NameKey::read(*view, store))?;
            own_is_lost |= at == 0 && key.is_none();
            keys.extend(key.flatten());
        }
        Ok(Self {
            nobody_knows: own_is_lost && keys.is_empty(),
            views,
            keys,
            store,
        })
    }

    /// Whether the session that a source has was erased, and not begun anew since. Where nobody can say, it was.
    pub(super) fn has(&self, session: &SessionRow, source: &Source<'_>) -> Result<bool> {
        let held = source.held(session.id)?;
        let first = held.and_then(|it| it.live.first().into_iter().chain(it.trash.first()).min());
        let born = first.map(|seq| SnapshotId::new(*seq, self.store).time().as_microsecond());
        for view in &self.views {
            for key in &self.keys {
                let at = match erased_by(*view, self.store, key, &session.name) {
                    Err(error) if error.kind() == ErrorKind::Damaged => return Ok(true),
                    at => at?,
                };
                if at.is_some_and(|at| born.is_none_or(|born| born <= at)) {
                    return Ok(true);
                }
            }
        }
        Ok(self.nobody_knows)
    }
}
