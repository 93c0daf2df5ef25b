//! How a session is saved by itself, and what gives its state.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::Duration;

use super::schedule::Every;
use super::state::State;
use crate::error::{Error, Result};
use crate::guard::clears;
use crate::retention::Rules;

/// As many bytes of what was said of unsaved states are remembered.
const MAX_SAID: usize = 4 << 10;

/// How a session is saved by itself.
pub struct AutoSaving {
    pub(super) every: Every,
    pub(super) min_change: u64,
    pub(super) takes_back: bool,
    condition: Option<Box<dyn FnMut() -> bool + Send>>,
    pub(super) keep: Option<Rules>,
}

impl AutoSaving {
    /// Once in `interval`; at least 10 ms. The first time, one interval after it was registered.
    #[must_use]
    pub fn every(interval: Duration) -> Self {
        Self {
            every: Every {
                interval: interval.max(Duration::from_millis(10)),
                jitter: 0.0,
            },
            min_change: 0,
            takes_back: false,
            condition: None,
            keep: None,
        }
    }

    /// Each interval is longer or shorter by chance, by up to this part of it (0 to 1): so that many programs do not
    /// all write at once.
    #[must_use]
    pub fn jitter(mut self, part: f64) -> Self {
        self.every.jitter = if part.is_nan() {
            0.0
        } else {
            part.clamp(0.0, 1.0)
        };
        self
    }

    /// What changed is saved once it would take this many bytes in the store. Changes add up; with 1, a state that
    /// did not change leaves nothing behind. The last save, when the session is closed, does not ask.
    #[must_use]
    pub fn min_change(mut self, bytes: u64) -> Self {
        self.min_change = bytes;
        self
    }

    /// For a program whose own state is what is so, whatever is stored: where another one took this one for gone, because
    /// it stood still for longer than its lease holds, and has not opened the session itself, the session is opened again
    /// and this program's state becomes the newest. Without, a session that was lost stays lost.
    #[must_use]
    pub fn take_back(mut self) -> Self {
        self.takes_back = true;
        self
    }

    /// Asked before each save, but for the last; where it answers false, or panics, there is none this time.
    #[must_use]
    pub fn when(mut self, condition: impl FnMut() -> bool + Send + 'static) -> Self {
        self.condition = Some(Box::new(condition));
        self
    }

    /// Which automatic snapshots of the session are kept; others, and pinned ones, are no concern of these rules.
    /// Without, all are kept.
    #[must_use]
    pub fn keep(mut self, rules: Rules) -> Self {
        self.keep = Some(rules);
        self
    }
}

pub(super) type Source = Box<dyn FnMut() -> Result<Option<State>> + Send>;

/// A session that is saved by itself.
pub(super) struct Registered {
    pub(super) how: AutoSaving,
    pub(super) source: Source,
    pub(super) saves: u32,
    /// What was said of states that could not be saved.
    pub(super) said: Option<String>,
}

impl Registered {
    /// Asks for the state; where somebody `asked`, whatever the condition.
    pub(super) fn ask(&mut self, asked: bool) -> Result<Option<State>> {
        if let Some(condition) = self.how.condition.as_mut().filter(|_| !asked) {
            match catch_unwind(AssertUnwindSafe(condition)) {
                Ok(true) => {}
                Ok(false) => return Ok(None),
                Err(panic) => return Err(panicked("the condition", &*panic)),
            }
        }
        catch_unwind(AssertUnwindSafe(&mut self.source))
            .unwrap_or_else(|panic| Err(panicked("what gives the state", &*panic)))
    }
}

/// What was said earlier and what is said now; a `clear` stands for itself and comes first.
pub(super) fn both(earlier: Option<String>, now: Option<String>) -> Option<String> {
    match (earlier, now) {
        (Some(earlier), Some(now)) if earlier.split("; ").any(|said| said == now) => Some(earlier),
        // A disk that is full for days is no reason for a book.
        (Some(earlier), Some(now)) if earlier.len() + now.len() > MAX_SAID => {
            Some(if clears(&earlier) { earlier } else { now })
        }
        (Some(earlier), Some(now)) if clears(&now) => Some(format!("{now}; {earlier}")),
        (Some(earlier), Some(now)) => Some(format!("{earlier}; {now}")),
        (earlier, now) => earlier.or(now),
    }
}

pub(crate) fn panicked(what: &str, panic: &(dyn std::any::Any + Send)) -> Error {
    let text = panic.downcast_ref::<&str>().copied();
    let text = text.or_else(|| panic.downcast_ref::<String>().map(String::as_str));
    Error::invalid(format!(
        "{what} panicked: {}",
        text.unwrap_or("it did not say why")
    ))
}
