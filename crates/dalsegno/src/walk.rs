//! A walk along the states of a session, each from the one before, so that a record on the way is
//! applied once.

use std::collections::HashMap;

use crate::chain::{self, State};
use crate::codec::block::Entry;
use crate::codec::record;
use crate::error::{Error, Result};
use crate::model::StoreId;
use crate::store::View;

/// The state that was reached last, and the records of its row that come next.
#[derive(Default)]
pub(crate) struct Chain {
    unpacked: HashMap<i64, Entry>,
    last: Option<(i64, State)>,
}

impl Chain {
    /// Goes on to the state whose record is `seq`: from the last one where it builds on that, else
    /// from its base.
    ///
    /// # Errors
    /// `Damaged` where a record of the chain is missing or not as it was written; the walk can go on
    /// with another state.
    pub(crate) fn advance(
        &mut self,
        view: &dyn View,
        store: &StoreId,
        session: i64,
        seq: i64,
    ) -> Result<&State> {
        if !self.unpacked.contains_key(&seq) {
            let row = view.record(session, seq)?;
            let row = row.ok_or_else(|| Error::damaged("its record is missing"))?;
            let entries = chain::entries(&row, store, session)?;
            self.unpacked = entries
                .into_iter()
                .map(|entry| (entry.seq, entry))
                .collect();
        }
        let entry = self.unpacked.remove(&seq);
        let entry = entry.ok_or_else(|| Error::damaged("its record is missing"))?;
        let delta = record::decode(&entry.record)?;
        let mut state = match (entry.parent, self.last.take()) {
            (None, _) => State::default(),
            (Some(parent), Some((last, state))) if last == parent => state,
            (Some(parent), _) => chain::state(view, store, session, parent)?,
        };
        state.apply(delta)?;
        Ok(&self.last.insert((seq, state)).1)
    }

    /// Builds nothing more on the last state: it is not what it should be.
    pub(crate) fn forget(&mut self) {
        self.last = None;
    }
}
