//! Which of a session's kept states are no longer needed.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::sync::Arc;

use jiff::Timestamp;

use super::notes::Guards;
use super::past::{Past, moment};
use crate::attempt::until_done;
use crate::chain;
use crate::clock::Clock;
use crate::damage::only_damage;
use crate::document::Document;
use crate::error::Result;
use crate::guard::{self, Aged, GuardPolicy, GuardRule, Overdue, overdue};
use crate::model::{Action, StoreId};
use crate::show;
use crate::store::{By, Said, SnapshotRow, Store, View};
use crate::trash::{self, Term};

/// Moves what is no longer needed of a session's generations to the trash, of which the next purge empties it.
///
/// # Errors
/// `Damaged` where the session cannot be read: then all of it stays. `Conflict` where others kept changing it.
pub(crate) fn thin(
    store: &dyn Store,
    clock: &dyn Clock,
    guards: &Guards,
    session: &str,
    who: &Arc<str>,
) -> Result<()> {
    let Some(guard) = guards.of(session) else {
        return Ok(());
    };
    let id = &store.info().id;
    let now = clock.now();
    until_done(&format!("session {session}"), || {
        let view = store.view()?;
        let Some(row) = show::session(&*view, id, session)? else {
            return Ok(Some(()));
        };
        let goes = surplus(&*view, id, &Past::read(&*view, id, &row)?, guard, now)?;
        if goes.is_empty() {
            return Ok(Some(()));
        }
        let term = Term {
            deleted_at: now.as_microsecond(),
            keep_until: now.as_microsecond(),
        };
        let seqs = goes.keys().copied().collect();
        let by = By {
            action: Action::Delete,
            who: Arc::clone(who),
            behalf: None,
        };
        let said = Said::new(by, now.as_microsecond()).of(row.id, goes.keys().copied());
        let exchange = trash::bury(&*view, id, &row, &seqs, term)?;
        let exchange = exchange.say(said.note("the guard needs them no longer"));
        drop(view);
        Ok(store.exchange(&exchange)?.then_some(()))
    })
}

/// What of the session's generations is no longer needed, by sequence number, and why.
///
/// # Errors
/// As [`View::record`].
pub(crate) fn surplus(
    view: &dyn View,
    store: &StoreId,
    past: &Past,
    guard: &GuardPolicy,
    now: Timestamp,
) -> Result<HashMap<i64, Overdue>> {
    // Of what cannot be read, it is not known what it took away on purpose.
    if past.unknown() > 0 {
        return Ok(HashMap::new());
    }
    let generations = past.generations.iter().rev().map(|kept| &kept.row);
    let generations: Vec<&SnapshotRow> = generations.collect();
    let mut kept = Vec::with_capacity(generations.len());
    for row in &generations {
        kept.push(Aged {
            at: moment(row.seq)?,
            pinned: row.is_pinned(),
        });
    }
    let rules: Vec<GuardRule> = guard.lists.iter().map(GuardRule::without_nature).collect();
    let mut documents: HashMap<usize, Option<Document>> = HashMap::new();
    let goes = overdue(guard, now, &kept, &mut |one, other| {
        let (Some(a), Some(b)) = (generations.get(one), generations.get(other)) else {
            return Ok(false);
        };
        // What an earlier one is owed may have been taken away on purpose since, or be left by going back.
        let between = a.seq.min(b.seq)..a.seq.max(b.seq);
        if past.turns.iter().any(|seq| between.contains(seq)) {
            return Ok(false);
        }
        for (at, row) in [(one, a), (other, b)] {
            if let Entry::Vacant(place) = documents.entry(at) {
                place.insert(state(view, store, row)?);
            }
        }
        match (documents.get(&one), documents.get(&other)) {
            (Some(Some(a)), Some(Some(b))) => Ok(guard::loss(&rules, a, b)?.is_empty()),
            _ => Ok(false),
        }
    })?;
    let goes = generations.iter().zip(goes);
    Ok(goes
        .filter_map(|(row, why)| why.map(|why| (row.seq, why)))
        .collect())
}

/// The state of a snapshot; nothing where it is damaged.
fn state(view: &dyn View, store: &StoreId, row: &SnapshotRow) -> Result<Option<Document>> {
    match chain::assemble(view, store, row.session, row.state_seq()) {
        Ok(assembled) => Ok(Some(assembled.document)),
        Err(error) => only_damage(error).map(|_| None),
    }
}
