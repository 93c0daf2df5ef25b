//! A player's state as a document of the engine: the components of a snapshot.

use std::time::Instant;

use dalsegno::{Document, DocumentBuilder, Error, ErrorKind, Result, Snapshot};
use jiff::Timestamp;
use serde_json::{Map, Value};

use super::state::State;
use crate::autoplay::Autoplay;
use crate::clock::Place;
use crate::filters::Filters;
use crate::queue::Queue;

/// Where a player was, as far as a snapshot tells: to go on there if it can be.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Whereabouts {
    /// The node's name.
    pub node: Option<String>,
    /// The node's session.
    pub session: Option<String>,
    /// When its position was so, if it moves or its node is lost.
    pub heard: Option<Timestamp>,
}

impl State {
    /// The document of the state as it is at `now`. What did not change since the last one is not written again.
    pub(crate) fn document(&self, at: &Whereabouts, now: Instant) -> Result<Document> {
        let position = self.position_at(now);
        let mut queue = self.queue.clone();
        if let Some(current) = &mut queue.current {
            current.info.position = i64::try_from(position).unwrap_or(i64::MAX);
        }
        let mut document = DocumentBuilder::new();
        document.object("player", |player| {
            player
                .member("volume", &self.volume)?
                .member("paused", &self.paused)?
                .member("position", &position)?
                .member("connected", &self.connected)?
                .member("session_id", &at.session)?
                .member("node", &at.node)?
                .member("channel_id", &self.channel)?;
            if let Some(end) = self.end_time {
                player.member("end_time", &end)?;
            }
            if let Some(heard) = at.heard {
                player.member("heard_at", &heard)?;
            }
            if self.starting {
                player.member("starting", &true)?;
            }
            for (key, value) in &self.other {
                player.member(key, value)?;
            }
            Ok(player)
        })?;
        queue.write(&mut document)?;
        document
            .member("filters", &self.filters.stored())?
            .member("autoplay", &self.autoplay.stored())?
            .member("plugins", &self.plugins)?
            .member("settings", &self.settings)?;
        Ok(document.finish())
    }

    /// Reads what a snapshot holds. What is missing is as on a player that was just made; what is unknown stays.
    ///
    /// # Errors
    /// `InvalidInput` where it is no object, or a component is none that a player could have.
    pub fn read(data: &Value) -> Result<(Self, Whereabouts)> {
        let Value::Object(data) = data else {
            return Err(invalid(
                "it is no object with player, queue, filters and autoplay",
            ));
        };
        let none = Value::Object(Map::new());
        let part = |name: &str| {
            data.get(name)
                .filter(|part| !part.is_null())
                .unwrap_or(&none)
        };
        let mut state = Self {
            queue: Queue::read(part("queue"))
                .map_err(|e| invalid(format!("its component queue: {e}")))?,
            filters: Filters::read(part("filters")),
            autoplay: Autoplay::read(part("autoplay")),
            plugins: object(part("plugins"), "plugins")?,
            settings: object(part("settings"), "settings")?,
            ..Self::default()
        };
        let player = object(part("player"), "player")?;
        let (at, position) = state.read_player(player)?;
        state.place = Place::still(position);
        if let Some(current) = &mut state.queue.current {
            // Where a track begins is its own; where it was is the player's.
            current.info.position = 0;
        }
        Ok((state, at))
    }

    /// Reads the component `player`; answers where it was, and where its track was.
    fn read_player(&mut self, player: Map<String, Value>) -> Result<(Whereabouts, u64)> {
        let mut at = Whereabouts::default();
        let current = self.queue.current.as_ref().map(|track| track.info.position);
        let mut position = current
            .and_then(|position| u64::try_from(position).ok())
            .unwrap_or(0);
        for (key, value) in player {
            let text = || value.as_str().map(str::to_owned);
            match key.as_str() {
                "volume" => {
                    let volume = value.as_u64().and_then(|volume| u16::try_from(volume).ok());
                    let volume = volume.filter(|volume| *volume <= 1000);
                    self.volume = volume.ok_or_else(|| {
                        invalid(format!(
                            "its component player: its volume is {value}; a volume is a whole number from 0 to 1000"
                        ))
                    })?;
                }
                "paused" => self.paused = value.as_bool().unwrap_or(false),
                "position" => position = milliseconds(&value).unwrap_or(position),
                "connected" => self.connected = value.as_bool().unwrap_or(false),
                "session_id" => at.session = text(),
                "node" => at.node = text(),
                "channel_id" => self.channel = number(&value),
                "end_time" => self.end_time = milliseconds(&value),
                "heard_at" => at.heard = value.as_str().and_then(|heard| heard.parse().ok()),
                "starting" => self.starting = value.as_bool().unwrap_or(false),
                _ => {
                    self.other.insert(key, value);
                }
            }
        }
        Ok((at, position))
    }
}

/// Files of other programs may have written a position as a float.
fn milliseconds(value: &Value) -> Option<u64> {
    let number = value
        .as_f64()
        .filter(|number| (0.0..=1e15).contains(number))?;
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "within its range"
    )]
    Some(number as u64)
}

/// An id, as a number or as Discord writes it.
fn number(value: &Value) -> Option<u64> {
    value.as_u64().or_else(|| value.as_str()?.parse().ok())
}

fn object(value: &Value, name: &str) -> Result<Map<String, Value>> {
    match value {
        Value::Object(members) => Ok(members.clone()),
        _ => Err(invalid(format!("its component {name} is no object"))),
    }
}

/// Names the snapshot that an error is about, and what to do.
pub(crate) fn unreadable(snapshot: &Snapshot) -> impl FnOnce(Error) -> Error {
    let Snapshot { id, session, .. } = snapshot;
    let what = format!("snapshot {id} of {session}");
    let way = format!("`snapshot list {session}` shows others");
    move |error| match error.kind() {
        ErrorKind::InvalidInput => {
            Error::new(ErrorKind::InvalidInput, format!("{what}: {error}; {way}"))
                .with_source(error)
        }
        _ => error,
    }
}

fn invalid(why: impl std::fmt::Display) -> Error {
    Error::new(
        ErrorKind::InvalidInput,
        format!("this is no snapshot of a player: {why}"),
    )
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;
    use serde_json::json;

    #[test]
    fn a_state_comes_back_as_it_was_with_what_is_unknown() {
        let data = json!({
            "player": {"volume": 75, "paused": true, "position": 45_000, "connected": true, "session_id": "s",
                "node": "n", "channel_id": 5, "mood": "calm"},
            "queue": {"current": {"title": "a", "identifier": "a", "position": 45_000, "track": "QAAA"},
                "upcoming": [{"title": "b", "track": "QAAB"}], "loop_mode": "queue", "votes": 3},
            "filters": {"active_filters": ["nightcore"], "filter_config": {"timescale": {"speed": 1.2}}},
            "autoplay": {"enabled": true, "strategy": "similar_artist"},
            "plugins": {"p": {"a": 1}},
            "settings": {"prefix": "!"},
        });
        let (state, at) = State::read(&data).unwrap();
        assert_eq!(state.position(), 45_000);
        let text = state.document(&at, Instant::now()).unwrap().to_text();
        let stored: Value = serde_json::from_slice(&text).unwrap();
        for (component, members) in data.as_object().unwrap() {
            for (key, value) in members.as_object().unwrap() {
                let found = &stored[component][key];
                match value {
                    // Lists of tracks get the fields that a track has.
                    Value::Array(list) if component == "queue" => {
                        assert_eq!(found.as_array().unwrap().len(), list.len())
                    }
                    Value::Object(_) if key == "current" => {
                        assert_eq!(found["position"], 45_000);
                        assert_eq!(found["track"], "QAAA");
                    }
                    _ => assert_eq!(found, value, "{component}.{key}"),
                }
            }
        }
    }

    #[test]
    fn what_is_missing_is_as_on_a_new_player_and_what_cannot_be_is_refused() {
        let (state, at) =
            State::read(&json!({"player": {}, "queue": {}, "filters": {}, "autoplay": null}))
                .unwrap();
        assert_eq!(
            (state.volume, state.is_idle(), at),
            (100, true, Whereabouts::default())
        );
        for bad in [
            json!([]),
            json!({"player": {"volume": 1001}}),
            json!({"player": {"volume": "loud"}}),
            json!({"plugins": 7}),
        ] {
            let error = State::read(&bad).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::InvalidInput);
        }
    }
}
