//! The time a node goes by: the machine's, or one that a test moves.

use std::sync::{Arc, LazyLock};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use tokio::sync::watch;

/// What a node takes for the time.
#[derive(Clone, Debug, Default)]
pub enum Clock {
    /// The machine's clock.
    #[default]
    Real,
    /// A clock that stands still until a test advances it.
    Test(TestClock),
}

/// A clock that stands still until [`TestClock::advance`]. Its clones are the same clock, and many nodes may go by it.
#[derive(Clone, Debug)]
pub struct TestClock {
    now: Arc<watch::Sender<u64>>,
}

impl Default for TestClock {
    fn default() -> Self {
        Self::new()
    }
}

impl TestClock {
    /// A clock that stands at some moment in the past.
    #[must_use]
    pub fn new() -> Self {
        let (now, _) = watch::channel(1_700_000_000_000);
        Self { now: Arc::new(now) }
    }

    /// Moves the time on. Whatever a node is asked afterwards, it answers as of then, and what fell due has happened.
    pub fn advance(&self, by: Duration) {
        let by = u64::try_from(by.as_millis()).unwrap_or(u64::MAX);
        self.now.send_modify(|now| *now = now.saturating_add(by));
    }

    /// Milliseconds since 1970.
    #[must_use]
    pub fn now(&self) -> u64 {
        *self.now.borrow()
    }
}

impl Clock {
    /// Milliseconds since 1970.
    pub(crate) fn now(&self) -> u64 {
        match self {
            Self::Real => {
                // Somebody may set the machine's clock; what plays goes on as it did.
                static BEGAN: LazyLock<(SystemTime, Instant)> =
                    LazyLock::new(|| (SystemTime::now(), Instant::now()));
                let now = BEGAN.0 + BEGAN.1.elapsed();
                now.duration_since(UNIX_EPOCH).map_or(0, |since| {
                    u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
                })
            }
            Self::Test(clock) => clock.now(),
        }
    }

    /// Waits for a moment, in milliseconds since 1970; for ever where there is none.
    pub(crate) async fn reached(&self, at: Option<u64>) {
        let Some(at) = at else {
            return std::future::pending().await;
        };
        match self {
            Self::Real => {
                tokio::time::sleep(Duration::from_millis(at.saturating_sub(self.now()))).await;
            }
            Self::Test(clock) => {
                let mut now = clock.now.subscribe();
                // The sender is held here, so that it cannot be gone.
                let _reached = now.wait_for(|now| *now >= at).await;
            }
        }
    }
}
