//! What became of a request whose holder ended in the middle of it.

use serde_json::json;

use super::deeds::{self, VERBS};
use super::request::{Answer, MARK, Peer, number};
use super::rows::{self, Found};
use crate::attempt::until_done;
use crate::codec::detail;
use crate::codec::note::{Stage, State};
use crate::engine::Engine;
use crate::error::{Error, Result};
use crate::lease;
use crate::model::Snapshot;
use crate::show;
use crate::store::{Flow, Row, Scan};

/// Finds out, once nobody can change it any more: an answer where it was done; within, nothing where it was not, and
/// the request is gone. Nothing at all where it is to be looked at again.
///
/// # Errors
/// `Conflict` where it cannot be known.
pub(super) fn left(engine: &Engine, found: &Found, by: &Peer) -> Result<Option<Option<Answer>>> {
    let store = engine.store();
    let verb = found.request.verb.as_str();
    let session = &found.request.session;
    let not_known = || {
        Error::conflict(format!(
            "{by} ended while it was carrying out the request to {verb} {session}; whether that was done is not \
             known: see `log {session}` and `snapshot list {session}`"
        ))
    };
    if !VERBS.contains(&verb) {
        drop(rows::remove(store, found));
        return Err(not_known());
    }
    let fenced = fence(engine, found)?;
    let answer = |snapshot: Option<Snapshot>| -> Result<Answer> {
        let value = match (verb, snapshot) {
            ("save", Some(snapshot)) => deeds::to_json(&snapshot)?,
            (_, snapshot) => json!({"plan": null, "head": snapshot}),
        };
        Ok(Answer {
            by: Some(by.clone()),
            value,
            not_told: Some("it ended after it was done, before it answered".to_owned()),
        })
    };
    let outcome = match snapshot(engine, found)? {
        None if found.request.stage != Stage::Done => None,
        snapshot => Some(answer(snapshot)?),
    };
    if outcome.is_none() && !fenced {
        return Err(not_known());
    }
    // Whoever changed it in between knows more.
    let removed = rows::remove(store, found)?;
    Ok(removed.then_some(outcome))
}

/// Ends the lease under which it was asked, so that nothing comes of it any more; false where that cannot be said of
/// sure.
fn fence(engine: &Engine, found: &Found) -> Result<bool> {
    let request = &found.request;
    let store = engine.store();
    let id = &store.info().id;
    until_done("who has the session", || {
        let view = store.view()?;
        let Some(row) = show::session(&*view, id, &request.session)? else {
            return Ok(Some(false));
        };
        let Some(lease) = lease::rows::lease(&*view, id, row.id)? else {
            return Ok(Some(false));
        };
        if lease.lease.epoch != request.epoch {
            return Ok(Some(lease.lease.epoch > request.epoch));
        }
        if (lease.lease.writer, lease.lease.state) != (request.writer, State::Held) {
            return Ok(Some(false));
        }
        drop(view);
        let now = engine.now().as_microsecond();
        let done = lease::rows::break_off(store, &row, &lease, now)?;
        Ok(done.then_some(true))
    })
}

/// The snapshot that came of it.
fn snapshot(engine: &Engine, found: &Found) -> Result<Option<Snapshot>> {
    let view = engine.view()?;
    let id = &engine.store().info().id;
    let Some(session) = show::session(&*view, id, &found.request.session)? else {
        return Ok(None);
    };
    let wanted = number(found.row.id);
    let scan = Scan {
        session: Some(session.id),
        from: None,
        newest_first: true,
    };
    let mut own = None;
    view.snapshots(&scan, &mut |row| {
        if row.seq <= found.request.seen {
            return Flow::Break(Ok(()));
        }
        let mark = detail::decode(&row.detail).ok();
        let mark = mark.and_then(|it| it.metadata.get(MARK)?.get("request").cloned());
        if row.is_intact(id) && mark.is_some_and(|mark| mark == wanted.as_str()) {
            own = Some(row);
            return Flow::Break(Ok(()));
        }
        Flow::Continue(())
    })?;
    own.map(|row| engine.describe(&*view, &row)).transpose()
}
