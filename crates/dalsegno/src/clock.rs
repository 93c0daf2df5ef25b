//! Where time and randomness enter: nowhere else does the engine ask for either, but for the seeds of
//! hash tables, which show nowhere.

use std::sync::Arc;

use jiff::Timestamp;

use crate::error::{Error, Result};

/// A source of time and random bytes; tests bring their own.
pub trait Clock: Send + Sync {
    /// The time now.
    fn now(&self) -> Timestamp;
    /// Sixteen random bytes, for the id of a new store.
    fn random(&self) -> [u8; 16];
    /// Milliseconds of a clock that all processes of the machine share, that nobody sets, and that begins
    /// anew when the machine does.
    fn uptime(&self) -> u64 {
        let now = rustix::time::clock_gettime(rustix::time::ClockId::Monotonic);
        let (seconds, nanos) = (u64::try_from(now.tv_sec), u64::try_from(now.tv_nsec));
        seconds.unwrap_or_default() * 1_000 + nanos.unwrap_or_default() / 1_000_000
    }
}

/// The machine's clock and random numbers.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    fn now(&self) -> Timestamp {
        // A clock beyond the year 9999 is no time that can be written.
        Timestamp::try_from(std::time::SystemTime::now()).unwrap_or(Timestamp::MAX)
    }

    fn random(&self) -> [u8; 16] {
        rand::random()
    }
}

/// Fills `bytes` from the operating system: for keys, which no clock of a test may decide, and no copy of a
/// process may repeat.
pub(crate) fn fill_secret(bytes: &mut [u8]) -> Result<()> {
    getrandom::fill(bytes)
        .map_err(|e| Error::storage(format!("the operating system has no random bytes: {e}")))
}

pub(crate) fn system() -> Arc<dyn Clock> {
    Arc::new(SystemClock)
}
