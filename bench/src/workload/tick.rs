//! Ten thousand small players, all saved at one moment.

use std::collections::VecDeque;

use super::player::{self, QueueState};
use super::random::Dice;
use super::time::{DAY_START_MS, SAVE_INTERVAL_MS, seconds};
use super::track::{Track, TrackMaker};

/// The edit rates of [`TickSessions`].
pub const RATES: &str = "10,000 players of 50 tracks (current, 40 upcoming, 9 of history; about \
32 KB each), all playing with loop_mode queue and saved in one tick every 5 minutes; from one tick \
to the next position and timestamp change, and the tracks of 150-280 s that end meanwhile (1.4 a \
session on average) go to the history, whose oldest leaves, and back to the end of the queue";

/// Sessions of a tick.
pub const SESSIONS: usize = 10_000;

const UPCOMING: usize = 40;
const HISTORY: usize = 9;
const POOL: usize = 4_000;

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
        let mut draw = || dice.skewed_index(POOL);
        let mut tracks = Tracks {
            current: draw(),
            upcoming: (0..UPCOMING).map(|_| draw()).collect(),
            history: (0..HISTORY).map(|_| draw()).collect(),
        };
        let mut position = state.player.position;
        for _ in 0..step {
            position = tracks.play(position + SAVE_INTERVAL_MS, |track| self.length(track));
        }
        state.player.position = position;
        state.queue.current = self.pool.get(tracks.current).cloned();
        state.queue.upcoming = self.named(&tracks.upcoming);
        state.queue.history = self.named(&tracks.history);
        let now = DAY_START_MS + step * SAVE_INTERVAL_MS;
        state.timestamp = seconds(now, session as u64);
        state
    }

    fn length(&self, track: usize) -> u64 {
        self.pool.get(track).map_or(u64::MAX, |t| t.info.length)
    }

    fn named(&self, tracks: &VecDeque<usize>) -> Vec<Track> {
        let found = tracks.iter().filter_map(|&track| self.pool.get(track));
        found.cloned().collect()
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

/// The lists of a player, as places in the pool.
struct Tracks {
    current: usize,
    upcoming: VecDeque<usize>,
    history: VecDeque<usize>,
}

impl Tracks {
    /// Moves the tracks that end before `position`, counted from the start of the current one, and
    /// gives the position in the track that plays then.
    fn play(&mut self, mut position: u64, length: impl Fn(usize) -> u64) -> u64 {
        while position >= length(self.current) {
            position -= length(self.current);
            self.upcoming.push_back(self.current);
            self.history.push_back(self.current);
            self.history.pop_front();
            if let Some(next) = self.upcoming.pop_front() {
                self.current = next;
            }
        }
        position
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
    fn a_step_moves_the_tracks_that_ended_and_nothing_else() {
        let ticks = TickSessions::new(5, 200);
        let mut ended = 0;
        for session in 0..ticks.len() {
            let (before, mut after) = (ticks.state(session, 2), ticks.state(session, 3));
            assert_ne!(before.timestamp, after.timestamp);
            let played: Vec<_> = before
                .queue
                .current
                .iter()
                .chain(&before.queue.upcoming)
                .collect();
            let moved = played
                .iter()
                .position(|&track| Some(track) == after.queue.current.as_ref())
                .expect("what plays now was in the queue");
            ended += moved;
            assert_eq!(
                after.queue.upcoming[..UPCOMING - moved],
                before.queue.upcoming[moved..]
            );
            let gone = |track: &Track| played[..moved].contains(&track);
            assert!(after.queue.upcoming[UPCOMING - moved..].iter().all(gone));
            assert!(after.queue.history[HISTORY - moved..].iter().all(gone));
            assert_eq!(
                after.queue.history[..HISTORY - moved],
                before.queue.history[moved..]
            );
            after.player.position = before.player.position;
            after.timestamp = before.timestamp;
            after.queue = before.queue.clone();
            assert_eq!(before, after);
        }
        assert!(
            (260..300).contains(&ended),
            "{ended} of 200 sessions' tracks ended"
        );
    }

    #[test]
    fn a_session_has_the_stated_size() {
        let ticks = TickSessions::new(5, 50);
        let bytes: usize = ticks.states(0).map(|s| s.compact().len()).sum();
        assert!((30_000..36_000).contains(&(bytes / 50)), "{}", bytes / 50);
    }
}
