//! While a request changes a session, nothing of it is saved by itself.
//!
//! A state that was taken before would go on top of what was asked for. So whoever carries a request out closes the
//! session's gate: it waits for the save that is on its way, and until it is opened no other begins.

use std::collections::HashMap;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

/// The gates of an engine's sessions.
#[derive(Default, Clone)]
pub(crate) struct Gates(Arc<Shared>);

#[derive(Default)]
struct Shared {
    gates: Mutex<HashMap<String, Gate>>,
    /// Somebody went.
    went: Condvar,
}

#[derive(Default)]
struct Gate {
    within: usize,
    closed: bool,
}

/// A save on its way.
pub(crate) struct Within {
    gates: Gates,
    session: String,
}

/// A closed gate; it opens when this is dropped.
pub(crate) struct Closed {
    gates: Gates,
    session: String,
}

impl Gates {
    fn gates(&self) -> MutexGuard<'_, HashMap<String, Gate>> {
        self.0.gates.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Goes in; nothing where the gate is closed.
    pub(crate) fn enter(&self, session: &str) -> Option<Within> {
        let mut gates = self.gates();
        let gate = gates.entry(session.to_owned()).or_default();
        if gate.closed {
            return None;
        }
        gate.within += 1;
        Some(Within {
            gates: self.clone(),
            session: session.to_owned(),
        })
    }

    /// Closes the gate, and waits until those within went.
    pub(crate) fn close(&self, session: &str) -> Closed {
        let mut gates = self.gates();
        gates.entry(session.to_owned()).or_default().closed = true;
        while gates.get(session).is_some_and(|gate| gate.within > 0) {
            let waited = self.0.went.wait(gates);
            gates = waited.unwrap_or_else(PoisonError::into_inner);
        }
        drop(gates);
        Closed {
            gates: self.clone(),
            session: session.to_owned(),
        }
    }

    /// Waits until the gate is open; false where it is not by then.
    pub(crate) fn opens(&self, session: &str, until: Instant) -> bool {
        let mut gates = self.gates();
        while gates.get(session).is_some_and(|gate| gate.closed) {
            let left = until.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return false;
            }
            let waited = self.0.went.wait_timeout(gates, left);
            gates = waited.unwrap_or_else(PoisonError::into_inner).0;
        }
        true
    }

    fn change(&self, session: &str, change: impl FnOnce(&mut Gate)) {
        let mut gates = self.gates();
        if let Some(gate) = gates.get_mut(session) {
            change(gate);
            if gate.within == 0 && !gate.closed {
                gates.remove(session);
            }
        }
        drop(gates);
        self.0.went.notify_all();
    }
}

impl Drop for Within {
    fn drop(&mut self) {
        self.gates.change(&self.session, |gate| gate.within -= 1);
    }
}

impl Drop for Closed {
    fn drop(&mut self) {
        self.gates.change(&self.session, |gate| gate.closed = false);
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc;

    use super::*;

    #[test]
    fn who_closes_waits_for_those_within_and_keeps_others_out() {
        let gates = Gates::default();
        let within = gates.enter("s").unwrap();
        let (closed, is_closed) = mpsc::channel();
        let other = gates.clone();
        let closer = std::thread::spawn(move || {
            let gate = other.close("s");
            closed.send(()).unwrap();
            gate
        });
        // From the moment that it is being closed, nobody else comes in.
        while gates.enter("s").is_some() {
            std::thread::yield_now();
        }
        assert_eq!(is_closed.try_recv(), Err(mpsc::TryRecvError::Empty));
        assert!(gates.enter("t").is_some(), "another session");
        drop(within);
        is_closed.recv().unwrap();
        let gate = closer.join().unwrap();
        assert!(gates.enter("s").is_none());
        drop(gate);
        assert!(gates.enter("s").is_some());
        assert!(gates.gates().is_empty(), "nothing is left behind");
    }
}
