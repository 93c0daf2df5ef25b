//! What a player is: what its node plays, and all that the node never knows.

use std::time::Instant;

use serde_json::{Map, Value};

use crate::autoplay::Autoplay;
use crate::clock::Place;
use crate::filters::Filters;
use crate::queue::Queue;

/// The state of a player. Cloning it takes the same time however long its queue is.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct State {
    /// What it plays, will play, and has played.
    pub queue: Queue,
    /// 0 to 1000.
    pub volume: u16,
    /// Whether a person paused it.
    pub paused: bool,
    /// Its filters.
    pub filters: Filters,
    /// What it plays when the queue is over.
    pub autoplay: Autoplay,
    /// What plugins of the bot keep of it, by their names.
    pub plugins: Map<String, Value>,
    /// What the bot keeps of the guild.
    pub settings: Map<String, Value>,
    /// The voice channel that it is in, or was.
    pub channel: Option<u64>,
    /// Whether its node has its voice connection.
    pub connected: bool,
    /// Where to end the current track, in milliseconds, where not at its own end.
    pub end_time: Option<u64>,
    /// What else a stored player said about itself, kept as it is.
    pub other: Map<String, Value>,
    pub(crate) place: Place,
    /// The current track is next, and its node has not yet said that it plays it.
    pub(crate) starting: bool,
    /// Tracks that failed one after the other.
    pub(crate) failures: u32,
    /// How often it was edited beside its node.
    pub(crate) edits: u64,
}

impl Default for State {
    fn default() -> Self {
        Self {
            queue: Queue::default(),
            volume: 100,
            paused: false,
            filters: Filters::default(),
            autoplay: Autoplay::default(),
            plugins: Map::new(),
            settings: Map::new(),
            channel: None,
            connected: false,
            end_time: None,
            other: Map::new(),
            place: Place::still(0),
            starting: false,
            failures: 0,
            edits: 0,
        }
    }
}

impl State {
    /// Where the current track is now, in milliseconds; 0 without one.
    #[must_use]
    pub fn position(&self) -> u64 {
        self.position_at(Instant::now())
    }

    pub(crate) fn position_at(&self, now: Instant) -> u64 {
        let Some(current) = &self.queue.current else {
            return 0;
        };
        let length = u64::try_from(current.info.length)
            .ok()
            .filter(|length| *length > 0);
        self.place
            .at(now, length.filter(|_| !current.info.is_stream))
    }

    /// The current track was at `position` at that moment; it moves on if it plays.
    pub(crate) fn reach(&mut self, position: u64, since: Instant) {
        let plays = self.queue.current.is_some() && !self.starting;
        let moves = self.connected && !self.paused && plays;
        self.place = if moves {
            Place::moving(position, since, self.filters.speed())
        } else {
            Place::still(position)
        };
    }

    /// Whether anything is there that would be missed.
    #[must_use]
    pub fn is_idle(&self) -> bool {
        self.queue.current.is_none() && self.queue.upcoming.is_empty()
    }
}
