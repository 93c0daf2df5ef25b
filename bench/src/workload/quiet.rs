//! A session in which nothing happens, or next to nothing.

use super::SAVES_PER_DAY;
use super::player::QueueState;
use super::queue::QueueDay;
use super::time::{DAY_START_MS, SAVE_INTERVAL_MS, seconds};

/// The edit rates of [`QuietDay`].
pub const RATES: &str = "a paused player of 50 tracks saved every 5 minutes: either nothing \
changes at all, or only the timestamp";

const TRACKS: usize = 50;

/// The states of a paused player.
#[derive(Debug)]
pub struct QuietDay {
    state: Option<QueueState>,
    scalar: bool,
    save: usize,
    saves: usize,
}

impl QuietDay {
    /// A day in which every save is the same as the one before.
    #[must_use]
    pub fn unchanged(seed: u64) -> Self {
        Self::with(seed, false, SAVES_PER_DAY)
    }

    /// A day in which only the timestamp changes.
    #[must_use]
    pub fn one_scalar(seed: u64) -> Self {
        Self::with(seed, true, SAVES_PER_DAY)
    }

    /// `saves` saves, with a changing timestamp or without.
    #[must_use]
    pub fn with(seed: u64, scalar: bool, saves: usize) -> Self {
        let mut state = QueueDay::with(seed, TRACKS, 1).next();
        if let Some(state) = &mut state {
            state.player.paused = true;
        }
        Self {
            state,
            scalar,
            save: 0,
            saves,
        }
    }
}

impl Iterator for QuietDay {
    type Item = QueueState;

    fn next(&mut self) -> Option<QueueState> {
        if self.save == self.saves {
            return None;
        }
        if let Some(state) = self.state.as_mut().filter(|_| self.scalar) {
            let save = self.save as u64;
            state.timestamp = seconds(DAY_START_MS + save * SAVE_INTERVAL_MS, save * 37);
        }
        self.save += 1;
        self.state.clone()
    }
}

#[cfg(test)]
mod tests {
    use super::super::checks::{fingerprint, parses_back};
    use super::*;

    #[test]
    fn only_the_timestamp_changes() {
        let same: Vec<_> = QuietDay::with(1, false, 5).collect();
        assert!(same.windows(2).all(|pair| pair[0] == pair[1]));
        let mut moved: Vec<_> = QuietDay::with(1, true, 5).collect();
        assert!(moved.windows(2).all(|pair| pair[0] != pair[1]));
        for state in &mut moved {
            state.timestamp = 0.0;
        }
        assert!(moved.windows(2).all(|pair| pair[0] == pair[1]));
    }

    #[test]
    fn deterministic_and_parses_back() {
        let day = || QuietDay::with(4, true, 6);
        assert_eq!(fingerprint(day()), fingerprint(day()));
        assert_eq!(QuietDay::unchanged(4).count(), SAVES_PER_DAY);
        parses_back(day());
    }
}
