//! What a node tells by its socket.

use serde::Deserialize;
use serde_json::Value;

use super::wire::{PlayerState, WireTrack};
use crate::track::Track;

/// A message of a node.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub enum Message {
    /// The session begins, or goes on.
    Ready {
        /// Whether it is the session of before, with its players.
        resumed: bool,
        /// Its id.
        session: String,
    },
    /// Where a player stands.
    Update(u64, PlayerState),
    /// How the node is doing.
    Stats(Stats),
    /// Something happened to a player.
    Event(u64, Event),
    /// What this version does not know.
    Unknown,
}

/// What happened to a player.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub enum Event {
    /// A track began.
    Start(Box<Track>),
    /// A track ended.
    End(Box<Track>, EndReason),
    /// It could not be played: the message, and how bad it is by the node's words. Its end follows.
    Exception(Box<Track>, String),
    /// Nothing came of it for so many milliseconds.
    Stuck(Box<Track>, u64),
    /// Discord closed the voice connection, with this code and these words.
    Closed(u16, String),
}

/// Why a track ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum EndReason {
    /// It was over.
    Finished,
    /// It could not be loaded.
    LoadFailed,
    /// It was stopped.
    Stopped,
    /// Another one took its place.
    Replaced,
    /// The node threw it away.
    Cleanup,
}

impl EndReason {
    /// Whether the next track is to begin.
    #[must_use]
    pub fn starts_next(self) -> bool {
        matches!(self, Self::Finished | Self::LoadFailed)
    }

    fn read(word: &str) -> Self {
        // Servers write both `loadFailed` and `LOAD_FAILED`.
        match word.replace('_', "").to_ascii_lowercase().as_str() {
            "finished" => Self::Finished,
            "loadfailed" => Self::LoadFailed,
            "replaced" => Self::Replaced,
            "cleanup" => Self::Cleanup,
            _ => Self::Stopped,
        }
    }
}

/// How a node is doing.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
#[non_exhaustive]
pub struct Stats {
    /// How many players it has.
    pub players: u64,
    /// How many of them play.
    pub playing: u64,
    /// For how long it runs, in milliseconds.
    pub uptime: u64,
    /// Its processor cores.
    pub cores: u64,
    /// How busy its machine is, 0 to 1.
    pub load: f64,
    /// How many bytes of memory it uses.
    pub memory: u64,
    /// Audio frames that were missing, of the 3,000 a minute of each player.
    pub deficit: i64,
}

impl Stats {
    pub(super) fn read(value: &Value) -> Self {
        let number = |value: &Value| value.as_u64().unwrap_or_default();
        Self {
            players: number(&value["players"]),
            playing: number(&value["playingPlayers"]),
            uptime: number(&value["uptime"]),
            cores: number(&value["cpu"]["cores"]),
            load: value["cpu"]["systemLoad"].as_f64().unwrap_or_default(),
            memory: number(&value["memory"]["used"]),
            deficit: value["frameStats"]["deficit"].as_i64().unwrap_or_default(),
        }
    }
}

impl Message {
    /// Reads one; nothing where it is no JSON object.
    pub(super) fn read(text: &str) -> Option<Self> {
        let value: Value = serde_json::from_str(text).ok()?;
        let op = value.as_object()?.get("op").and_then(Value::as_str);
        let guild = || match &value["guildId"] {
            Value::String(text) => text.parse().ok(),
            number => number.as_u64(),
        };
        let read = match op.unwrap_or_default() {
            "ready" => value["sessionId"].as_str().map(|session| Self::Ready {
                resumed: value["resumed"].as_bool().unwrap_or(false),
                session: session.to_owned(),
            }),
            "playerUpdate" => guild().map(|guild| {
                let state = PlayerState::deserialize(&value["state"]).unwrap_or_default();
                Self::Update(guild, state)
            }),
            "stats" => Some(Self::Stats(Stats::read(&value))),
            "event" => guild()
                .zip(event(&value))
                .map(|(guild, event)| Self::Event(guild, event)),
            _ => None,
        };
        Some(read.unwrap_or(Self::Unknown))
    }
}

fn event(value: &Value) -> Option<Event> {
    let track = || {
        let wire = WireTrack::deserialize(&value["track"]).ok();
        Some(Box::new(Track::from(wire?)))
    };
    Some(match value["type"].as_str()? {
        "TrackStartEvent" => Event::Start(track()?),
        "TrackEndEvent" => Event::End(
            track()?,
            EndReason::read(value["reason"].as_str().unwrap_or_default()),
        ),
        "TrackExceptionEvent" => {
            let said = &value["exception"];
            let message = said["message"].as_str().or_else(|| said["cause"].as_str());
            Event::Exception(track()?, message.unwrap_or("no reason given").to_owned())
        }
        "TrackStuckEvent" => {
            Event::Stuck(track()?, value["thresholdMs"].as_u64().unwrap_or_default())
        }
        "WebSocketClosedEvent" => Event::Closed(
            value["code"]
                .as_u64()
                .and_then(|code| u16::try_from(code).ok())
                .unwrap_or_default(),
            value["reason"].as_str().unwrap_or_default().to_owned(),
        ),
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn messages_are_read_by_their_kind_and_what_is_new_is_passed_over() {
        let read = Message::read;
        let ready = Message::Ready {
            resumed: true,
            session: "la".to_owned(),
        };
        assert_eq!(
            read(r#"{"op":"ready","resumed":true,"sessionId":"la"}"#),
            Some(ready)
        );
        let ended = r#"{"op":"event","type":"TrackEndEvent","guildId":"7","reason":"LOAD_FAILED","track":{"encoded":"Q"}}"#;
        let Some(Message::Event(7, Event::End(track, reason))) = read(ended) else {
            panic!("{:?}", read(ended));
        };
        assert_eq!(
            (track.encoded.as_str(), reason),
            ("Q", EndReason::LoadFailed)
        );
        assert_eq!(read(r#"{"op":"lyrics"}"#), Some(Message::Unknown));
        assert_eq!(read("[]"), None);
    }
}
