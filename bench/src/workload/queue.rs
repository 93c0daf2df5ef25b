//! A guild's player over a day of auto-saves.

use std::collections::VecDeque;

use super::SAVES_PER_DAY;
use super::player::{HISTORY, QueueState, idle};
use super::random::Dice;
use super::time::{DAY_START_MS, SAVE_INTERVAL_MS, seconds};
use super::track::{Track, TrackMaker};

/// The edit rates of [`QueueDay`].
pub const RATES: &str = "a player of 200 upcoming tracks (600-650 bytes each as Lavalink gives \
them) and 50 of history, saved every 5 minutes around the clock with loop_mode queue: position \
and timestamp change in every save; tracks of 150-280 s end, go to the history (the oldest of \
which leaves) and back to the end of the queue; 3 new requests an hour, each displacing the entry \
that is longest in the queue; 1 skip an hour; a shuffle of the whole queue every 6 hours; a change \
of volume or filters every 2 hours";

/// Upcoming tracks of the player.
pub const TRACKS: usize = 200;

const SAVES_PER_HOUR: usize = 12;
const REQUESTS_PER_SAVE: f64 = 3.0 / SAVES_PER_HOUR as f64;
const SKIPS_PER_SAVE: f64 = 1.0 / SAVES_PER_HOUR as f64;
const SAVES_PER_SHUFFLE: usize = 6 * SAVES_PER_HOUR;
const SAVES_PER_SETTING: usize = 2 * SAVES_PER_HOUR;

/// The states of a player, one per auto-save.
#[derive(Debug)]
pub struct QueueDay {
    dice: Dice,
    maker: TrackMaker,
    state: QueueState,
    upcoming: VecDeque<Entry>,
    history: VecDeque<Track>,
    current_request: u64,
    requests: u64,
    save: usize,
    saves: usize,
}

/// A track in the queue, with its place in the order of requests.
#[derive(Debug)]
struct Entry {
    track: Track,
    request: u64,
}

impl QueueDay {
    /// A day (288 saves) of a player of 200 tracks.
    #[must_use]
    pub fn new(seed: u64) -> Self {
        Self::with(seed, TRACKS, SAVES_PER_DAY)
    }

    /// A player of `tracks` upcoming tracks over `saves` saves.
    #[must_use]
    pub fn with(seed: u64, tracks: usize, saves: usize) -> Self {
        let mut dice = Dice::new(seed, "queue");
        let mut maker = TrackMaker::new(Dice::new(seed, "queue tracks"), 24);
        let upcoming = (0..tracks as u64)
            .map(|request| Entry {
                track: maker.track(),
                request,
            })
            .collect();
        // The day begins in the middle of the bot's life: the history is full already.
        let history = (0..HISTORY).map(|_| maker.track()).collect();
        let state = idle(&mut dice, Some(maker.track()));
        Self {
            dice,
            maker,
            state,
            upcoming,
            history,
            current_request: 0,
            requests: tracks as u64,
            save: 0,
            saves,
        }
    }

    fn step(&mut self) {
        if self.dice.chance(SKIPS_PER_SAVE) {
            self.next_track();
        }
        let elapsed = SAVE_INTERVAL_MS + self.dice.between(0, 40);
        self.play(elapsed);
        // Three trials of a third each: sometimes nobody asks for anything, sometimes three do.
        for _ in 0..3 {
            if self.dice.chance(REQUESTS_PER_SAVE / 3.0) {
                self.request();
            }
        }
        if self.save.is_multiple_of(SAVES_PER_SHUFFLE) {
            self.dice.shuffle(self.upcoming.make_contiguous());
            self.state.queue.shuffle_enabled = true;
        }
        if self.save.is_multiple_of(SAVES_PER_SETTING) {
            self.change_settings();
        }
    }

    /// Lets `elapsed` milliseconds pass.
    fn play(&mut self, mut elapsed: u64) {
        loop {
            let length = self
                .state
                .queue
                .current
                .as_ref()
                .map_or(0, |t| t.info.length);
            let left = length.saturating_sub(self.state.player.position);
            if elapsed < left || self.upcoming.is_empty() {
                self.state.player.position += elapsed;
                return;
            }
            elapsed -= left;
            self.next_track();
        }
    }

    /// The current track ends: with loop mode `queue` it goes to the history and to the end.
    fn next_track(&mut self) {
        let Some(next) = self.upcoming.pop_front() else {
            return;
        };
        let request = std::mem::replace(&mut self.current_request, next.request);
        if let Some(track) = self.state.queue.current.replace(next.track) {
            self.history.push_back(track.clone());
            if self.history.len() > HISTORY {
                self.history.pop_front();
            }
            self.upcoming.push_back(Entry { track, request });
        }
        self.state.player.position = 0;
    }

    /// A member asks for a track; the entry that was asked for longest ago leaves.
    fn request(&mut self) {
        let oldest = (0..self.upcoming.len()).min_by_key(|&i| self.upcoming[i].request);
        if let Some(index) = oldest {
            self.upcoming.remove(index);
        }
        self.upcoming.push_back(Entry {
            track: self.maker.track(),
            request: self.requests,
        });
        self.requests += 1;
    }

    fn change_settings(&mut self) {
        if self.dice.chance(0.5) {
            self.state.player.volume = self.dice.between(8, 30) as u16 * 5;
            return;
        }
        let filters = &mut self.state.filters;
        if filters.active_filters.is_empty() {
            let name = self.dice.pick(&["bassboost", "nightcore", "vaporwave"]);
            filters.active_filters.push(name.to_owned());
            for band in filters.filter_config.equalizer.iter_mut().take(4) {
                band.gain = self.dice.between(5, 50) as f64 / 100.0;
            }
            let speed = self.dice.between(80, 130) as f64 / 100.0;
            filters.filter_config.timescale.speed = speed;
        } else {
            filters.active_filters.clear();
        }
    }

    fn snapshot(&mut self) -> QueueState {
        let now = DAY_START_MS + self.save as u64 * SAVE_INTERVAL_MS + self.dice.between(0, 40);
        self.state.timestamp = seconds(now, self.dice.between(0, 999));
        let mut state = self.state.clone();
        state.queue.upcoming = self.upcoming.iter().map(|e| e.track.clone()).collect();
        state.queue.history = self.history.iter().cloned().collect();
        state
    }
}

impl Iterator for QueueDay {
    type Item = QueueState;

    fn next(&mut self) -> Option<QueueState> {
        if self.save == self.saves {
            return None;
        }
        if self.save > 0 {
            self.step();
        }
        let state = self.snapshot();
        self.save += 1;
        Some(state)
    }
}

#[cfg(test)]
mod tests {
    use super::super::Document;
    use super::super::checks::{fingerprint, parses_back};
    use super::*;

    #[test]
    fn the_same_seed_gives_the_same_day() {
        assert_eq!(fingerprint(QueueDay::new(7)), fingerprint(QueueDay::new(7)));
        assert_ne!(
            fingerprint(QueueDay::with(7, 20, 3)),
            fingerprint(QueueDay::with(8, 20, 3))
        );
    }

    #[test]
    fn states_parse_back() {
        parses_back(QueueDay::with(2, 30, 60));
    }

    #[test]
    fn a_day_keeps_to_its_rates() {
        let states: Vec<_> = QueueDay::new(1).collect();
        assert_eq!(states.len(), SAVES_PER_DAY);
        let mut ends = 0;
        let (mut settings, mut last) = (0, None::<&QueueState>);
        for state in &states {
            assert_eq!(state.queue.upcoming.len(), TRACKS);
            assert_eq!(state.queue.history.len(), HISTORY);
            assert!((150_000..175_000).contains(&state.compact().len()));
            if let Some(before) = last {
                assert_ne!(before.timestamp, state.timestamp);
                assert_ne!(before.player.position, state.player.position);
                let news = |s: &QueueState| s.queue.history.last().map(|t| t.encoded.clone());
                ends += usize::from(news(before) != news(state));
                settings += usize::from(
                    before.player.volume != state.player.volume || before.filters != state.filters,
                );
            }
            last = Some(state);
        }
        assert!(ends > 280, "{ends} saves saw a track end");
        assert!((9..=11).contains(&settings), "{settings} changed settings");
        let first: Vec<_> = states[0]
            .queue
            .upcoming
            .iter()
            .map(|t| &t.encoded)
            .collect();
        let kept = states[287]
            .queue
            .upcoming
            .iter()
            .filter(|t| first.contains(&&t.encoded))
            .count();
        assert!((115..=145).contains(&kept), "{kept} of 200 stayed");
    }
}
