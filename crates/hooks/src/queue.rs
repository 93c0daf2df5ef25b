//! Events that wait for a hook: so many and no more.

use std::collections::VecDeque;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use serde_json::Value;

/// Events that wait for a hook.
#[derive(Debug)]
pub(crate) struct Queue {
    inside: Mutex<Inside>,
    changed: Condvar,
    limit: usize,
}

#[derive(Debug, Default)]
struct Inside {
    events: VecDeque<Arc<Value>>,
    /// Dropped since the last one that was taken.
    missed: u64,
    /// Nothing more comes.
    closed: bool,
    /// One was taken and is being worked on.
    busy: bool,
}

/// An event to deliver, and how many before it were dropped.
#[derive(Debug)]
pub(crate) struct Next {
    pub(crate) event: Arc<Value>,
    pub(crate) missed: u64,
}

impl Queue {
    pub(crate) fn new(limit: usize) -> Self {
        Self {
            inside: Mutex::default(),
            changed: Condvar::new(),
            limit: limit.max(1),
        }
    }

    fn lock(&self) -> MutexGuard<'_, Inside> {
        self.inside.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Adds an event; where there is no room, the oldest one goes.
    pub(crate) fn add(&self, event: Arc<Value>) {
        let mut inside = self.lock();
        if inside.closed {
            return;
        }
        if inside.events.len() >= self.limit {
            inside.events.pop_front();
            inside.missed += 1;
        }
        inside.events.push_back(event);
        drop(inside);
        self.changed.notify_all();
    }

    /// What was taken is worked on no more.
    pub(crate) fn done(&self) {
        self.lock().busy = false;
        self.changed.notify_all();
    }

    /// Takes the oldest event, or waits for one; none once it is closed and empty.
    pub(crate) fn next(&self) -> Option<Next> {
        let mut inside = self.lock();
        loop {
            if let Some(event) = inside.events.pop_front() {
                inside.busy = true;
                let missed = std::mem::take(&mut inside.missed);
                return Some(Next { event, missed });
            }
            if inside.closed {
                return None;
            }
            let waited = self.changed.wait(inside);
            inside = waited.unwrap_or_else(PoisonError::into_inner);
        }
    }

    /// Lets nothing more in.
    pub(crate) fn close(&self) {
        self.lock().closed = true;
        self.changed.notify_all();
    }

    /// Waits until nothing is left, or for so long; gives how many are left, the one that is being worked
    /// on among them.
    pub(crate) fn drained(&self, until: Instant) -> u64 {
        let mut inside = self.lock();
        loop {
            let left = inside.events.len() + usize::from(inside.busy);
            let wait = until.saturating_duration_since(Instant::now());
            if left == 0 || wait == Duration::ZERO {
                return u64::try_from(left).unwrap_or(u64::MAX);
            }
            let waited = self.changed.wait_timeout(inside, wait);
            inside = waited.unwrap_or_else(PoisonError::into_inner).0;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_full_queue_drops_the_oldest_and_says_how_many() {
        let queue = Queue::new(3);
        for n in 0..8 {
            queue.add(Arc::new(json!(n)));
        }
        queue.close();
        queue.add(Arc::new(json!("late")));
        assert_eq!(queue.drained(Instant::now()), 3);
        let taken: Vec<_> = std::iter::from_fn(|| queue.next()).collect();
        assert_eq!(queue.drained(Instant::now()), 1);
        queue.done();
        let taken: Vec<_> = taken
            .iter()
            .map(|t| (t.event.to_string(), t.missed))
            .collect();
        let expected = [("5", 5), ("6", 0), ("7", 0)].map(|(e, m)| (e.to_owned(), m));
        assert_eq!(taken, expected);
        assert_eq!(queue.drained(Instant::now()), 0);
    }
}
