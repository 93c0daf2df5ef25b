//! The clock of the evening: it was yesterday, from eight to midnight.

use std::sync::atomic::{AtomicI64, Ordering};

use dalsegno::clock::{Clock, SystemClock};
use jiff::civil::time;
use jiff::{Timestamp, ToSpan, Zoned};

use super::evening::STEP_MS;
use crate::failure::{Failure, Result};

/// A clock that stands still until it is set; each look moves it on by a millisecond.
pub(super) struct EveningClock {
    begin: Timestamp,
    micros: AtomicI64,
}

impl EveningClock {
    /// Eight o'clock, yesterday evening.
    pub(super) fn new() -> Result<Self> {
        let begin = Zoned::now()
            .checked_sub(1.day())
            .and_then(|yesterday| yesterday.with().time(time(20, 0, 0, 0)).build())
            .map_err(|e| Failure::usage(format!("yesterday cannot be reckoned: {e}")))?
            .timestamp();
        Ok(Self {
            begin,
            micros: AtomicI64::new(begin.as_microsecond()),
        })
    }

    /// Sets the clock to the moment of a step.
    pub(super) fn set(&self, step: u32) {
        self.micros
            .store(self.at(step).as_microsecond(), Ordering::SeqCst);
    }

    /// When a step was.
    pub(super) fn at(&self, step: u32) -> Timestamp {
        let passed = std::time::Duration::from_millis(u64::from(step) * STEP_MS);
        self.begin.checked_add(passed).unwrap_or(self.begin)
    }
}

impl Clock for EveningClock {
    fn now(&self) -> Timestamp {
        let micros = self.micros.fetch_add(1000, Ordering::SeqCst);
        Timestamp::from_microsecond(micros).unwrap_or(self.begin)
    }

    fn random(&self) -> [u8; 16] {
        SystemClock.random()
    }
}
