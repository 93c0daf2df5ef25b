//! How fast a node is asked: not at all while it asks to wait or is given up, and again after a while where it failed.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use rand::RngExt;
use tokio::sync::{Semaphore, SemaphorePermit, watch};
use tokio::time::Instant;

/// The longest wait between two attempts.
const LONGEST: Duration = Duration::from_secs(30);

/// How many requests a node is sent at once: a thousand players that come back are no reason to fall over it.
const AT_ONCE: usize = 32;

/// Shared by all requests to a node.
#[derive(Debug)]
pub(super) struct Pace {
    gate: Semaphore,
    /// Until when it asks not to be asked.
    until: Mutex<Option<Instant>>,
    /// Whether its players are elsewhere by now, so that nobody is to wait for it.
    given_up: watch::Sender<bool>,
}

impl Default for Pace {
    fn default() -> Self {
        Self {
            gate: Semaphore::new(AT_ONCE),
            until: Mutex::default(),
            given_up: watch::Sender::default(),
        }
    }
}

impl Pace {
    /// Waits for a place among those that ask.
    pub(super) async fn place(&self) -> Option<SemaphorePermit<'_>> {
        // It is never closed.
        self.gate.acquire().await.ok()
    }

    /// How long to wait before the next request.
    pub(super) fn wait(&self) -> Duration {
        let until = *self.until.lock().unwrap_or_else(PoisonError::into_inner);
        until.map_or(Duration::ZERO, |until| {
            until.saturating_duration_since(Instant::now())
        })
    }

    /// From now on nobody waits for it, or everybody does again.
    pub(super) fn give_up(&self, given_up: bool) {
        self.given_up.send_replace(given_up);
    }

    /// Returns once it is given up.
    pub(super) async fn given_up(&self) {
        // The sender is held here, so that it cannot be gone.
        drop(self.given_up.subscribe().wait_for(|it| *it).await);
    }

    /// It asks not to be asked for so long.
    pub(super) fn hold(&self, time: Duration) {
        let then = Instant::now() + time;
        let mut until = self.until.lock().unwrap_or_else(PoisonError::into_inner);
        *until = Some(until.map_or(then, |before| before.max(then)));
    }
}

/// How long to wait after so many attempts that failed: twice as long each time, and a part of it by chance, so that
/// a thousand players that failed together do not come back together.
pub(super) fn back_off(attempts: u32) -> Duration {
    let longest = Duration::from_millis(250)
        .saturating_mul(2_u32.saturating_pow(attempts.min(16)))
        .min(LONGEST);
    longest.mul_f64(rand::rng().random_range(0.5..=1.0))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_waits_longer_each_time_and_never_longer_than_the_longest() {
        for attempts in 0..40 {
            let wait = back_off(attempts);
            assert!(wait <= LONGEST && wait >= Duration::from_millis(125));
        }
        assert!(back_off(10) >= LONGEST / 2);
    }

    #[tokio::test]
    async fn the_longer_of_two_waits_holds() {
        let pace = Pace::default();
        assert_eq!(pace.wait(), Duration::ZERO);
        pace.hold(Duration::from_secs(100));
        pace.hold(Duration::from_secs(1));
        assert!(pace.wait() > Duration::from_secs(90));
    }
}
