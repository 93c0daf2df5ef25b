//! What is told of players and nodes while they run.

use crate::lavalink::{EndReason, Event};
use crate::track::Track;

/// Something that happened, and to which guild's player.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct Told {
    /// The guild, where it happened to one.
    pub guild: Option<u64>,
    /// What happened.
    pub what: Happened,
}

/// What happened.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub enum Happened {
    /// A track began.
    TrackStart(Box<Track>),
    /// A track ended.
    TrackEnd(Box<Track>, EndReason),
    /// A track could not be played, and why.
    TrackException(Box<Track>, String),
    /// Nothing came of a track for so many milliseconds.
    TrackStuck(Box<Track>, u64),
    /// Discord closed the voice connection, with this code and these words.
    VoiceClosed(u16, String),
    /// Nothing is left to play.
    QueueEmpty,
    /// Something could not be done, and why.
    Failed(String),
    /// A node is there: its name, and whether its players are those of before.
    NodeReady(String, bool),
    /// A node is gone: its name, and why.
    NodeLost(String, String),
    /// The player was brought back to another node, of this name.
    Moved(String),
}

impl Told {
    pub(crate) fn of(guild: u64, what: Happened) -> Self {
        Self {
            guild: Some(guild),
            what,
        }
    }

    pub(crate) fn node(what: Happened) -> Self {
        Self { guild: None, what }
    }
}

impl Happened {
    pub(crate) fn of(event: &Event) -> Self {
        match event.clone() {
            Event::Start(track) => Self::TrackStart(track),
            Event::End(track, reason) => Self::TrackEnd(track, reason),
            Event::Exception(track, why) => Self::TrackException(track, why),
            Event::Stuck(track, time) => Self::TrackStuck(track, time),
            Event::Closed(code, words) => Self::VoiceClosed(code, words),
        }
    }
}
