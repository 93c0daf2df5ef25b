//! Whether a node holds what it was told. That it answered is no proof: it is asked again a moment later.

use std::time::{Duration, Instant};

use crate::filters::Filters;
use crate::lavalink::NodePlayer;
use crate::player::State;
use crate::track::Track;

/// How a node is held to what it was told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Hold {
    /// How long after it was told it is asked: some drop a track a moment after they accepted it. A second unless said.
    pub settle: Duration,
    /// How far a position may be from where it should be. 2 s unless said.
    pub tolerance: Duration,
    /// How often it is told again what it does not hold. 3 unless said.
    pub tries: u32,
}

impl Default for Hold {
    fn default() -> Self {
        Self {
            settle: Duration::from_secs(1),
            tolerance: Duration::from_secs(2),
            tries: 3,
        }
    }
}

/// Longer than this after it was told, a node's voice connection is not waited for.
pub(crate) const CONNECTING: Duration = Duration::from_secs(5);

/// What a node should hold.
pub(crate) struct Expected {
    track: Option<Track>,
    position: u64,
    /// Where the track ends, if it does and is not paused.
    end: Option<u64>,
    since: Instant,
    speed: f64,
    volume: u16,
    paused: bool,
    filters: Filters,
}

impl Expected {
    /// As a state says, told at `since`.
    pub(crate) fn of(state: &State, position: u64, since: Instant) -> Self {
        Self {
            track: state.queue.current.clone(),
            position,
            end: state.end().filter(|_| !state.paused),
            since,
            speed: state.filters.speed(),
            volume: state.volume,
            paused: state.paused,
            filters: state.filters.clone(),
        }
    }

    /// The first thing that is otherwise on the node, for people.
    pub(crate) fn differs(
        &self,
        found: Option<&NodePlayer>,
        hold: &Hold,
        now: Instant,
    ) -> Option<String> {
        let Some(found) = found else {
            return self
                .track
                .is_some()
                .then(|| "it has no such player".to_owned());
        };
        match (&self.track, &found.track) {
            (None, None) => {}
            // It came to its end, which is told as any other.
            (Some(_), None) if self.end.is_some_and(|end| self.latest(hold, now) >= end) => {}
            (Some(ours), None) => {
                return Some(format!("it does not play {:?} any more", ours.info.title));
            }
            (None, Some(theirs)) => return Some(format!("it plays {:?}", theirs.info.title)),
            (Some(ours), Some(theirs)) if !ours.is(theirs) => {
                return Some(format!(
                    "it plays {:?}, not {:?}",
                    theirs.info.title, ours.info.title
                ));
            }
            (Some(_), Some(_)) => {}
        }
        if found.volume != self.volume {
            return Some(format!(
                "its volume is {}, not {}",
                found.volume, self.volume
            ));
        }
        // Whether nothing pauses cannot be heard.
        if self.track.is_some() && found.paused != self.paused {
            return Some(
                if self.paused {
                    "it plays, and should pause"
                } else {
                    "it pauses, and should play"
                }
                .to_owned(),
            );
        }
        let filters = Filters::read(&found.filters);
        if let Some(difference) = self.filters.difference(&filters) {
            return Some(difference);
        }
        self.misplaced(found, hold, now)
    }

    /// Whether its track is the one that it should be, where it should be.
    pub(crate) fn plays(&self, found: &NodePlayer, hold: &Hold, now: Instant) -> bool {
        let same = match (&self.track, &found.track) {
            (Some(ours), Some(theirs)) => ours.is(theirs),
            (ours, theirs) => ours.is_none() && theirs.is_none(),
        };
        same && self.misplaced(found, hold, now).is_none()
    }

    fn misplaced(&self, found: &NodePlayer, hold: &Hold, now: Instant) -> Option<String> {
        let track = self
            .track
            .as_ref()
            .filter(|track| track.info.is_seekable && !track.info.is_stream)?;
        // What plays nothing is nowhere.
        found.track.as_ref()?;
        let earliest = self.position.saturating_sub(millis(hold.tolerance));
        let at = found.state.position;
        (at < earliest || at > self.latest(hold, now)).then(|| {
            format!(
                "{:?} is at {} s, and should be at {} s",
                track.info.title,
                at / 1000,
                self.position / 1000
            )
        })
    }

    /// How far its track may be by now, in milliseconds.
    fn latest(&self, hold: &Hold, now: Instant) -> u64 {
        let since = now
            .saturating_duration_since(self.since)
            .mul_f64(self.speed.max(1.0));
        self.position
            .saturating_add(millis(since))
            .saturating_add(millis(hold.tolerance))
    }
}

fn millis(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}
