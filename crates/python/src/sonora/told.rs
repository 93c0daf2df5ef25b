//! What happens, told to Python's event loop.

use dalsegno_sonora::lavalink::EndReason;
use dalsegno_sonora::{Happened, Told};
use pyo3::prelude::*;
use pyo3_async_runtimes::TaskLocals;
use serde_json::{Value, json};
use tokio::sync::broadcast::Receiver;
use tokio::sync::broadcast::error::RecvError;

use super::visit::visit;
use crate::show::show;

/// Has the loop call `listener` with what happens, until the client is gone or the loop is closed.
pub(super) async fn tell(mut told: Receiver<Told>, locals: TaskLocals, listener: Py<PyAny>) {
    loop {
        let told = match told.recv().await {
            Ok(told) => told,
            Err(RecvError::Lagged(_)) => continue,
            Err(RecvError::Closed) => return,
        };
        let called = visit(|py| -> PyResult<()> {
            let (word, said) = said(&told.what);
            let said = show(py, &said)?;
            let call = (&listener, word, told.guild, said);
            let event_loop = locals.event_loop(py);
            event_loop
                .call_method1("call_soon_threadsafe", call)
                .map(drop)
        });
        if !matches!(called, Some(Ok(()))) {
            return;
        }
    }
}

/// The word of an event's type, and its data.
fn said(what: &Happened) -> (&'static str, Value) {
    match what {
        Happened::TrackStart(track) => ("track_start", json!({"track": track})),
        Happened::TrackEnd(track, reason) => (
            "track_end",
            json!({"track": track, "reason": word(*reason)}),
        ),
        Happened::TrackException(track, why) => {
            ("track_exception", json!({"track": track, "error": why}))
        }
        Happened::TrackStuck(track, time) => {
            ("track_stuck", json!({"track": track, "threshold_ms": time}))
        }
        Happened::VoiceClosed(code, words) => {
            ("voice_disconnected", json!({"code": code, "reason": words}))
        }
        Happened::QueueEmpty => ("queue_empty", json!({})),
        Happened::Failed(why) => ("player_failed", json!({"error": why})),
        Happened::NodeReady(name, resumed) => {
            ("node_ready", json!({"node": name, "resumed": resumed}))
        }
        Happened::NodeLost(name, why) => ("node_disconnected", json!({"node": name, "error": why})),
        Happened::Moved(name) => ("player_moved", json!({"node": name})),
        _ => ("unknown", json!({})),
    }
}

fn word(reason: EndReason) -> &'static str {
    match reason {
        EndReason::Finished => "finished",
        EndReason::LoadFailed => "load_failed",
        EndReason::Replaced => "replaced",
        EndReason::Cleanup => "cleanup",
        _ => "stopped",
    }
}
