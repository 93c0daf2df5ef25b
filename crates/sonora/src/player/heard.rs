//! What a player does about what its node tells: decided here, carried out elsewhere.

use std::time::Instant;

use super::state::State;
use crate::clock::Place;
use crate::lavalink::{EndReason, Event, PlayerState};
use crate::queue::{LoopMode, Why};

/// So many tracks that fail one after the other are no fault of the tracks: what is left of the queue is kept.
const FAILURES: u32 = 5;

/// What is to be done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Next {
    /// Nothing.
    Nothing,
    /// The current track of the queue begins.
    Play,
    /// The queue is over; autoplay may find more.
    Find,
    /// Nothing plays any more.
    Silence,
}

impl State {
    /// The node tells where the player stands.
    pub(crate) fn update(&mut self, state: &PlayerState, since: Instant) {
        self.connected = state.connected;
        if state.position > 0 || self.queue.current.is_none() {
            self.reach(state.position, since);
        } else {
            // Some say nothing of the position before the voice connection is there.
            let position = self.position_at(since);
            self.reach(position, since);
        }
    }

    /// Something happened at `now`.
    pub(crate) fn hear(&mut self, event: &Event, now: Instant) -> Next {
        match event {
            Event::Start(_) => {
                self.failures = 0;
                Next::Nothing
            }
            Event::End(track, reason) => {
                let own = self
                    .queue
                    .current
                    .as_ref()
                    .is_some_and(|current| current.is(track));
                match reason {
                    // The end of one that is not played any more.
                    _ if !own => Next::Nothing,
                    EndReason::Finished => self.go_on(Why::Finished, now),
                    EndReason::LoadFailed => self.go_on(Why::Failed, now),
                    EndReason::Cleanup => {
                        self.place = self.place.stopped(now);
                        Next::Nothing
                    }
                    EndReason::Stopped | EndReason::Replaced => Next::Nothing,
                }
            }
            Event::Stuck(track, _) => {
                let own = self
                    .queue
                    .current
                    .as_ref()
                    .is_some_and(|current| current.is(track));
                if own {
                    self.go_on(Why::Failed, now)
                } else {
                    Next::Nothing
                }
            }
            // Its end follows.
            Event::Exception(..) => Next::Nothing,
            Event::Closed(..) => {
                self.place = self.place.stopped(now);
                self.connected = false;
                Next::Nothing
            }
        }
    }

    /// What its node tells of a time without us: a track that ended then may be one further on than the state knows of.
    pub(crate) fn overtaken(&mut self, event: &Event) {
        if let Event::End(track, EndReason::Finished | EndReason::LoadFailed) = event {
            self.queue.overtake(track);
        }
    }

    /// The current track is over.
    pub(crate) fn go_on(&mut self, why: Why, now: Instant) -> Next {
        self.failures = if why == Why::Failed {
            self.failures + 1
        } else {
            0
        };
        if self.failures >= FAILURES {
            self.place = Place::still(0);
            return Next::Silence;
        }
        self.end_time = None;
        self.starting = self.queue.advance(why).is_some();
        if self.starting {
            self.reach(0, now);
            return Next::Play;
        }
        self.place = Place::still(0);
        if self.queue.loop_mode == LoopMode::Autoplay && self.autoplay.enabled {
            Next::Find
        } else {
            Next::Silence
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;
    use crate::track::{Track, TrackInfo};

    fn track(name: &str) -> Track {
        let info = TrackInfo {
            identifier: name.to_owned(),
            ..TrackInfo::default()
        };
        Track::new(name, info)
    }

    fn playing(names: &[&str]) -> State {
        let mut state = State::default();
        for name in names {
            state.queue.add(track(name), None).unwrap();
        }
        state.queue.advance(Why::Skipped);
        state
    }

    fn ended(name: &str, reason: EndReason) -> Event {
        Event::End(Box::new(track(name)), reason)
    }

    fn current(state: &State) -> &str {
        state
            .queue
            .current
            .as_ref()
            .map_or("", |track| &track.encoded)
    }

    #[test]
    fn the_next_track_begins_where_one_ends_and_only_there() {
        let (mut state, now) = (playing(&["a", "b", "c"]), Instant::now());
        for reason in [EndReason::Stopped, EndReason::Replaced, EndReason::Cleanup] {
            assert_eq!(state.hear(&ended("a", reason), now), Next::Nothing);
        }
        assert_eq!(
            state.hear(&ended("a", EndReason::Finished), now),
            Next::Play
        );
        // Told twice, as after a connection that broke.
        assert_eq!(
            state.hear(&ended("a", EndReason::Finished), now),
            Next::Nothing
        );
        assert_eq!(current(&state), "b");
        let stuck = Event::Stuck(Box::new(track("b")), 10_000);
        assert_eq!(state.hear(&stuck, now), Next::Play);
        assert_eq!(
            state.hear(&ended("c", EndReason::Finished), now),
            Next::Silence
        );
        assert_eq!(state.queue.history.len(), 3);
    }

    #[test]
    fn where_all_fails_the_queue_is_kept() {
        let names: Vec<String> = (0..20).map(|n| n.to_string()).collect();
        let names: Vec<&str> = names.iter().map(String::as_str).collect();
        let (mut state, now) = (playing(&names), Instant::now());
        let mut last = Next::Play;
        for _ in 0..FAILURES {
            assert_eq!(last, Next::Play);
            let name = current(&state).to_owned();
            last = state.hear(&ended(&name, EndReason::LoadFailed), now);
        }
        assert_eq!(last, Next::Silence);
        assert_eq!(
            state.queue.upcoming.len() + 1 + state.queue.history.len(),
            20
        );
        assert!(state.queue.upcoming.len() >= 15);
    }

    #[test]
    fn the_end_of_a_queue_asks_autoplay_where_it_is_on() {
        let (mut state, now) = (playing(&["a"]), Instant::now());
        state.queue.loop_mode = LoopMode::Autoplay;
        state.autoplay.enabled = true;
        assert_eq!(
            state.hear(&ended("a", EndReason::Finished), now),
            Next::Find
        );
    }

    #[test]
    fn a_voice_connection_that_closes_stops_the_position() {
        let (mut state, now) = (playing(&["a"]), Instant::now());
        state.connected = true;
        state.reach(1_000, now);
        let later = now + std::time::Duration::from_secs(5);
        state.hear(&Event::Closed(4014, "kicked".to_owned()), later);
        assert_eq!(
            state.position_at(later + std::time::Duration::from_secs(60)),
            6_000
        );
        assert!(!state.connected);
    }
}
