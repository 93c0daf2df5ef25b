//! Ten thousand small players, all saved at one moment.

use super::player::{self, QueueState};
use super::random::Dice;
use super::time::{DAY_START_MS, seconds};
use super::track::{Track, TrackMaker};

/// The edit rates of [`TickSessions`].
pub const RATES: &str = "10,000 players of 50 tracks (current, 40 upcoming, 9 of history; about \
32 KB each) in one tick of auto-saves; from one tick to the next the position moves by 5 s and the \
timestamp changes";

/// Sessions of a tick.
pub const SESSIONS: usize = 10_000;

const UPCOMING: usize = 40;
const HISTORY: usize = 9;
const POOL: usize = 4_000;
const STEP_MS: u64 = 5_000;

/// Many small sessions, made when asked for: only a pool of tracks is kept in memory, as popular
/// songs are in many queues anyway.
#[derive(Debug)]
pub struct TickSessions {
    seed: u64,
    sessions: usize,
    pool: Vec<Track>,
}

impl TickSessions {
    /// `sessions` players.
    #[must_use]
    pub fn new(seed: u64, sessions: usize) -> Self {
        let mut maker = TrackMaker::new(Dice::new(seed, "tick tracks"), 5_000);
        Self {
            seed,
            sessions,
            pool: (0..POOL).map(|_| maker.track()).collect(),
        }
    }

    /// How many sessions there are.
    #[must_use]
    pub const fn len(&self) -> usize {
        self.sessions
    }

    /// True without sessions.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.sessions == 0
    }

    /// The name of a session.
    #[must_use]
    pub fn name(&self, session: usize) -> String {
        format!("sonora/{}", self.idle(session).0.guild_id)
    }

    /// A session at a step; steps count from 0.
    #[must_use]
    pub fn state(&self, session: usize, step: u64) -> QueueState {
        let (mut state, mut dice) = self.idle(session);
        let mut track = || self.pool[dice.skewed_index(POOL)].clone();
        let current = track();
        state.queue.upcoming = (0..UPCOMING).map(|_| track()).collect();
        state.queue.history = (0..HISTORY).map(|_| track()).collect();
        let moved = state.player.position + step * STEP_MS;
        state.player.position = moved % current.info.length;
        state.queue.current = Some(current);
        let now = DAY_START_MS + step * STEP_MS;
        state.timestamp = seconds(now, session as u64);
        state
    }

    /// All sessions at a step.
    pub fn states(&self, step: u64) -> impl Iterator<Item = QueueState> + '_ {
        (0..self.sessions).map(move |session| self.state(session, step))
    }

    fn idle(&self, session: usize) -> (QueueState, Dice) {
        let mut dice = Dice::new(self.seed, &format!("tick {session}"));
        let state = player::idle(&mut dice, None);
        (state, dice)
    }
}

#[cfg(test)]
mod tests {
    use super::super::Document;
    use super::super::checks::{fingerprint, parses_back};
    use super::*;

    #[test]
    fn sessions_are_repeatable_and_differ() {
        let ticks = || TickSessions::new(5, 20);
        assert_eq!(
            fingerprint(ticks().states(1)),
            fingerprint(ticks().states(1))
        );
        let one = ticks();
        assert_ne!(one.name(0), one.name(1));
        assert_eq!(one.name(3), format!("sonora/{}", one.state(3, 2).guild_id));
        parses_back(one.states(0));
    }

    #[test]
    fn a_step_moves_position_and_timestamp_only() {
        let ticks = TickSessions::new(5, 3);
        let (before, mut after) = (ticks.state(1, 0), ticks.state(1, 1));
        assert_ne!(before.player.position, after.player.position);
        after.player.position = before.player.position;
        after.timestamp = before.timestamp;
        assert_eq!(before, after);
    }

    #[test]
    fn a_session_has_the_stated_size() {
        let ticks = TickSessions::new(5, 50);
        let bytes: usize = ticks.states(0).map(|s| s.compact().len()).sum();
        assert!((30_000..36_000).contains(&(bytes / 50)), "{}", bytes / 50);
    }
}
