//! Telling those in this process who listen. A slow listener never holds up whoever tells.

use std::collections::VecDeque;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError, Weak};
use std::time::{Duration, Instant};

use super::Event;

/// As many events wait for a listener; of more, the oldest are left out.
const WAITING: usize = 4_096;

/// Who listens.
#[derive(Default)]
pub(crate) struct Bus {
    listeners: Mutex<Vec<Weak<Queue>>>,
}

impl Bus {
    pub(crate) fn subscribe(&self) -> Subscription {
        let queue = Arc::new(Queue::default());
        let mut listeners = self
            .listeners
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        listeners.retain(|listener| listener.strong_count() > 0);
        listeners.push(Arc::downgrade(&queue));
        Subscription { queue }
    }

    /// Whether anybody listens: otherwise nothing need be made to tell.
    pub(crate) fn has_listeners(&self) -> bool {
        let listeners = self
            .listeners
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        listeners.iter().any(|listener| listener.strong_count() > 0)
    }

    pub(crate) fn tell(&self, event: &Event) {
        let listeners = self
            .listeners
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        for listener in listeners.iter().filter_map(Weak::upgrade) {
            listener.push(event.clone());
        }
    }
}

impl Drop for Bus {
    fn drop(&mut self) {
        let listeners = self.listeners.get_mut();
        for listener in listeners.unwrap_or_else(PoisonError::into_inner).drain(..) {
            if let Some(queue) = listener.upgrade() {
                queue.inner().ended = true;
                queue.news.notify_all();
            }
        }
    }
}

#[derive(Default)]
struct Queue {
    inner: Mutex<Inner>,
    news: Condvar,
}

#[derive(Default)]
struct Inner {
    events: VecDeque<Event>,
    missed: u64,
    /// Nothing more will come.
    ended: bool,
}

impl Queue {
    fn inner(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn push(&self, event: Event) {
        let mut inner = self.inner();
        if inner.events.len() == WAITING {
            inner.events.pop_front();
            inner.missed += 1;
        }
        inner.events.push_back(event);
        drop(inner);
        self.news.notify_one();
    }
}

/// A listener in this process: see [`Engine::subscribe`](crate::Engine::subscribe). As an iterator, it waits for each
/// event, and ends with the engine.
pub struct Subscription {
    queue: Arc<Queue>,
}

impl Subscription {
    /// The next event; nothing where none came for that long, or none will come any more.
    #[must_use]
    pub fn wait(&self, timeout: Duration) -> Option<Event> {
        let until = Instant::now().checked_add(timeout);
        let mut inner = self.queue.inner();
        loop {
            if let Some(event) = inner.events.pop_front() {
                return Some(event);
            }
            let left = until.map(|until| until.saturating_duration_since(Instant::now()));
            if inner.ended || left == Some(Duration::ZERO) {
                return None;
            }
            let news = &self.queue.news;
            inner = match left {
                Some(left) => {
                    let waited = news.wait_timeout(inner, left);
                    waited.unwrap_or_else(PoisonError::into_inner).0
                }
                None => news.wait(inner).unwrap_or_else(PoisonError::into_inner),
            };
        }
    }

    /// How many events were left out so far because this listener was too slow.
    #[must_use]
    pub fn missed(&self) -> u64 {
        self.queue.inner().missed
    }
}

impl Iterator for Subscription {
    type Item = Event;

    fn next(&mut self) -> Option<Event> {
        self.wait(Duration::MAX)
    }
}
