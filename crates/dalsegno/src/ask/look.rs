//! Answering those who only look while something else is carried out: a thread of its own.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use serde_json::Value;

use super::PAUSE;
use super::attend::{Ends, answered, refused};
use super::request::Request;
use super::rows;
use crate::autosave::panicked;
use crate::codec::note::Stage;
use crate::engine::Engine;
use crate::error::{Error, Result};
use crate::lease::Standing;
use crate::seat::Seat;
use crate::store::Exchange;

/// What answers requests that change nothing, at once; nothing for any other: see
/// [`Attendant::looking`](super::Attendant::looking).
pub type Looking = Box<dyn FnMut(&Request) -> Option<Result<Value>> + Send>;

/// Begins to answer such requests, until the seat is stopped.
pub(super) fn begin(engine: &Arc<Engine>, mut looking: Looking) -> Result<Arc<Seat>> {
    let seat = Arc::new(Seat::of(Arc::clone(engine)));
    let own = Arc::clone(&seat);
    let (begun, begins) = oneshot::channel();
    let thread = std::thread::Builder::new()
        .name("dalsegno-look".to_owned())
        .spawn(move || {
            let ends = Ends(Arc::clone(&own));
            own.begin();
            drop(begun.send(()));
            let mut version = None;
            while own.rest(PAUSE) {
                let Some(engine) = own.take() else { break };
                let now = engine.store().version().ok();
                let now = now.map(|now| (own.resumed(), now));
                if now.is_none() || now != version {
                    // What fails now may work the next time.
                    version = round(&engine, &mut looking).ok().and(now);
                }
                own.leave(Some(engine));
            }
            drop(looking);
            drop(ends);
        });
    thread.map_err(|e| Error::io("starting the thread that answers who looks", e))?;
    let _begun = begins.recv();
    Ok(seat)
}

/// Asked and answered is one exchange: whoever else took the request, or withdrew it, was first.
fn round(engine: &Engine, looking: &mut Looking) -> Result<()> {
    let store = engine.store();
    let id = &store.info().id;
    let own = engine.leases().writer();
    for found in rows::all(&*store.view()?, id)? {
        let request = &found.request;
        let asked = Some(request.writer) == own && request.stage == Stage::Asked;
        let standing = engine.leases().standing(&request.session);
        let holds = matches!(standing, Standing::Holder(epoch) if epoch == request.epoch);
        if !(asked && holds && request.asker.is_alive(engine.clock())) {
            continue;
        }
        let Ok(request) = Request::read(request, None) else {
            continue;
        };
        let answer = catch_unwind(AssertUnwindSafe(|| looking(&request)));
        let answer = match answer {
            Ok(None) => continue,
            Ok(Some(answer)) => answer,
            Err(panic) => Err(panicked("what answers who looks", &*panic)),
        };
        let stage = match answer {
            Ok(value) => answered(&value, None),
            Err(error) => refused(&error),
        };
        let row = found.staged(stage, id)?;
        store.exchange(&Exchange::of_notes(vec![found.row], vec![row]))?;
    }
    Ok(())
}
