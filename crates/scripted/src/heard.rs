//! What a test sees of a node: what is heard, what was asked, what is really played.

use serde_json::Value;

/// Something that the people in a guild hear.
#[derive(Clone, Debug, PartialEq)]
pub struct Heard {
    /// Milliseconds since 1970, by the node's clock.
    pub at: u64,
    /// What they hear.
    pub sound: Sound,
}

/// What can be heard. Positions are milliseconds.
#[derive(Clone, Debug, PartialEq)]
pub enum Sound {
    /// A track starts, instead of whatever was played before.
    Started {
        /// Which.
        identifier: String,
        /// From where.
        position: u64,
    },
    /// The track is stopped before its end.
    Stopped,
    /// The track is over.
    Ended,
    /// The track goes on elsewhere.
    Sought {
        /// Where it was.
        from: u64,
        /// Where it goes on.
        to: u64,
    },
    /// The player is paused.
    Paused,
    /// The player goes on.
    Unpaused,
    /// The volume is another, in percent.
    Volume(u32),
    /// The filters are others.
    Filters(Value),
    /// The node is in the voice channel.
    Connected,
    /// The node is no longer in the voice channel.
    Disconnected,
}

/// A player as it really is, whatever the node answers.
#[derive(Clone, Debug, PartialEq)]
pub struct PlayerView {
    /// Its session.
    pub session: String,
    /// The identifier of what is played; nothing while it is idle.
    pub identifier: Option<String>,
    /// Milliseconds.
    pub position: u64,
    /// Percent.
    pub volume: u32,
    /// Whether it is paused.
    pub paused: bool,
    /// Its filters; an empty object where there are none.
    pub filters: Value,
    /// What was sent along with the track; an empty object where nothing was.
    pub user_data: Value,
    /// Where the track is to end, in milliseconds.
    pub end_time: Option<u64>,
    /// Whether it is in a voice channel.
    pub connected: bool,
}

/// A request that came in, in the order of arrival.
#[derive(Clone, Debug, PartialEq)]
pub struct Seen {
    /// `GET` and so on.
    pub method: String,
    /// Without what is asked after `?`.
    pub path: String,
    /// What follows `?`, or nothing.
    pub query: String,
    /// The body, `null` where there is none, a string where it is no JSON.
    pub body: Value,
    /// The answer's status; nothing where there is no answer (yet).
    pub status: Option<u16>,
}

/// A session, with its websocket or without it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SessionView {
    /// Its id.
    pub id: String,
    /// Whether its websocket is open.
    pub open: bool,
    /// Whether it is kept when its websocket closes.
    pub resuming: bool,
    /// For how many seconds.
    pub timeout: u64,
    /// How many players it has.
    pub players: usize,
}
