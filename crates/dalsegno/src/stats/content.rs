//! Which components change: the newest states of a session rebuilt, in one pass along the chain.

use std::collections::HashMap;
use std::ops::Range;

use super::{ComponentStats, Components, Lost, keep_damage};
use crate::chain::{self, proved_text};
use crate::codec::detail;
use crate::damage::only_damage;
use crate::document::component::components;
use crate::error::{Error, Result};
use crate::model::{SnapshotId, StoreId};
use crate::show::check;
use crate::store::{Flow, Row, Scan, SessionRow, SnapshotRow, View};
use crate::walk::Chain;

/// How many components are named.
const NAMED: usize = 100;

/// The changes seen so far.
pub(super) struct Counter {
    found: Components,
    components: HashMap<String, (u64, u64)>,
}

/// A state, and where its components stand.
struct Cut {
    state: i64,
    text: Vec<u8>,
    parts: HashMap<String, Range<usize>>,
}

impl Cut {
    fn part(&self, name: &str) -> Option<&[u8]> {
        self.text.get(self.parts.get(name)?.clone())
    }
}

impl Counter {
    pub(super) fn new(newest: usize) -> Self {
        Self {
            found: Components {
                newest,
                ..Components::default()
            },
            components: HashMap::new(),
        }
    }

    /// Looks at the newest states of a session; gives those that could not be read.
    pub(super) fn session(
        &mut self,
        view: &dyn View,
        store: &StoreId,
        session: &SessionRow,
    ) -> Result<Lost> {
        let mut lost = Lost::new();
        let mut chain = Chain::default();
        let mut before: Option<Cut> = None;
        let mut last = None;
        for row in newest(view, store, session, self.found.newest)?
            .iter()
            .rev()
        {
            let id = SnapshotId::new(row.seq, store);
            if check(row, store).is_err() {
                // Reported where rows are counted; what comes after it has nothing to compare with.
                before = None;
                continue;
            }
            // Where a snapshot between is missing, the one before is not known.
            if last.replace(row.seq) != row.parent {
                before = None;
            }
            if !row.is_history() {
                // The next state of the history may build on it. Where it is damaged, that one says so.
                if row.state.is_none()
                    && let Err(error) = chain.advance(view, store, row.session, row.seq)
                {
                    only_damage(error)?;
                    chain.forget();
                }
                continue;
            }
            self.found.snapshots += 1;
            let state = row.state_seq();
            if before.as_ref().is_some_and(|before| before.state == state) {
                self.found.compared += 1;
                continue;
            }
            match cut(view, store, row, &mut chain) {
                Ok(cut) => {
                    if let Some(before) = &before {
                        self.compare(before, &cut);
                    }
                    before = Some(cut);
                }
                Err(error) => {
                    keep_damage(&mut lost, id, error)?;
                    self.found.unreadable += 1;
                    chain.forget();
                    before = None;
                }
            }
        }
        for (name, part) in before.into_iter().flat_map(|newest| newest.parts) {
            self.components.entry(name).or_default().1 += part.len() as u64;
        }
        Ok(lost)
    }

    fn compare(&mut self, before: &Cut, now: &Cut) {
        self.found.compared += 1;
        let gone = before
            .parts
            .keys()
            .filter(|name| !now.parts.contains_key(*name));
        for name in now.parts.keys().chain(gone) {
            if before.part(name) != now.part(name) {
                match self.components.get_mut(name) {
                    Some((changed, _)) => *changed += 1,
                    None => drop(self.components.insert(name.clone(), (1, 0))),
                }
            }
        }
    }

    pub(super) fn finish(self) -> Components {
        let mut found = self.found;
        let all = self.components.into_iter();
        found.changes = all
            .map(|(name, (changed, bytes))| ComponentStats {
                name,
                changed,
                bytes,
            })
            .collect();
        found.changes.sort_unstable_by(|a, b| {
            let rank = |c: &ComponentStats| std::cmp::Reverse((c.changed, c.bytes));
            rank(a).cmp(&rank(b)).then_with(|| a.name.cmp(&b.name))
        });
        found.more = found.changes.len().saturating_sub(NAMED) as u64;
        found.changes.truncate(NAMED);
        found
    }
}

/// The rows of the newest `count` snapshots of the history, newest first, and of all between them.
fn newest(
    view: &dyn View,
    store: &StoreId,
    session: &SessionRow,
    count: usize,
) -> Result<Vec<SnapshotRow>> {
    let mut rows = Vec::new();
    let mut history = 0;
    let scan = Scan {
        session: Some(session.id),
        from: None,
        newest_first: true,
    };
    view.snapshots(&scan, &mut |row| {
        history += usize::from(row.is_history() && row.is_intact(store));
        rows.push(row);
        if history < count {
            Flow::Continue(())
        } else {
            Flow::Break(Ok(()))
        }
    })?;
    Ok(rows)
}

/// The state of a snapshot, proved, and its components. Of two of one name, the last one counts.
fn cut(view: &dyn View, store: &StoreId, row: &SnapshotRow, chain: &mut Chain) -> Result<Cut> {
    let promised = detail::decode(&row.detail)?.checksum;
    let state = row.state_seq();
    let document = match row.state {
        None => chain.advance(view, store, row.session, state)?.document()?,
        // It went back to an older one, which is not on the way.
        Some(_) => chain::assemble(view, store, row.session, state)?.document,
    };
    let text = proved_text(&document, row, promised)?;
    let parts = components(&text)
        .map_err(|e| Error::damaged("a stored state is no JSON").with_source(e))?;
    let parts = parts.into_iter().map(|part| (part.name, part.value));
    Ok(Cut {
        state,
        parts: parts.collect(),
        text,
    })
}
