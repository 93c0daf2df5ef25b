//! A store that fails inside a verb: what the verb was to do happened, or it did not.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};

use super::super::verb::Fault;
use super::Stage;
use crate::error::{ErrorKind, Result};
use crate::list::Query;
use crate::model::Snapshot;
use crate::store::Store;
use crate::store::faulty::{Call, Failure, FaultyStore};

/// Which call fails, shared with the store.
#[derive(Default)]
pub(super) struct Faults {
    /// For the next verb.
    waiting: Mutex<Option<Fault>>,
    now: Mutex<Option<Fault>>,
    burnt: AtomicBool,
}

impl Faults {
    pub(super) fn around(self: &Arc<Self>, inner: Arc<dyn Store>) -> FaultyStore {
        let faults = Arc::clone(self);
        FaultyStore::new(inner, move |call, _| faults.decide(call))
    }

    fn decide(&self, call: Call) -> Option<Failure> {
        let mut now = self.now.lock().unwrap();
        let fault = now.as_mut()?;
        if self.burnt() {
            // Nothing more happens, as after a crash.
            return fault.dead.then_some(Failure::Before(ErrorKind::Storage));
        }
        if call != fault.call {
            return None;
        }
        if fault.nth > 0 {
            fault.nth -= 1;
            return None;
        }
        self.burnt.store(true, Ordering::SeqCst);
        Some(match fault.after {
            true => Failure::After(ErrorKind::Storage),
            false => Failure::Before(ErrorKind::Storage),
        })
    }

    pub(super) fn set(&self, fault: Fault) {
        self.off();
        *self.waiting.lock().unwrap() = Some(fault);
    }

    pub(super) fn arm(&self) {
        *self.now.lock().unwrap() = self.waiting.lock().unwrap().take();
        self.burnt.store(false, Ordering::SeqCst);
    }

    pub(super) fn off(&self) {
        *self.now.lock().unwrap() = None;
        self.burnt.store(false, Ordering::SeqCst);
    }

    /// Whether none is to fail inside this verb.
    pub(super) fn quiet(&self) -> bool {
        self.now.lock().unwrap().is_none()
    }

    /// Whether a call failed since the verb began.
    pub(super) fn burnt(&self) -> bool {
        self.burnt.load(Ordering::SeqCst)
    }
}

impl Stage {
    /// The program ends where it is, and another one begins.
    pub(super) fn crash(&mut self) {
        self.engines.clear();
        self.faults.off();
        self.open(1 << 20);
    }

    /// What was answered; or, where the store failed, the snapshot that is there all the same.
    pub(super) fn or_found(&mut self, session: &str, answer: Result<Snapshot>) -> Result<Snapshot> {
        if answer.is_ok() || !self.faults.burnt() {
            return answer;
        }
        self.crash();
        let found = self.found(session);
        if found.is_none() {
            // Nothing came of it: that is the end of it.
            self.faults.fail();
        }
        found.map_or(answer, Ok)
    }

    /// The newest snapshot of a session, if nobody has heard of it.
    pub(super) fn found(&self, session: &str) -> Option<Snapshot> {
        let query = Query {
            limit: 2,
            ..Query::session(session)
        };
        let page = self.engine().list(&query).ok()?;
        let mut new = page.snapshots.into_iter();
        let newest = new.next().filter(|s| self.model.of_id(s.id).is_none());
        let second = new.next().filter(|s| self.model.of_id(s.id).is_none());
        assert!(second.is_none(), "two snapshots came of one verb");
        newest
    }
}

impl Faults {
    /// The verb failed, and the store did not do it.
    fn fail(&self) {
        self.burnt.store(true, Ordering::SeqCst);
    }
}
