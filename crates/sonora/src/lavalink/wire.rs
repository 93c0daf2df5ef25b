//! What nodes answer, read as leniently as they differ.

use dalsegno::{Error, ErrorKind, Result};
use serde::Deserialize;
use serde_json::{Map, Value};

use crate::track::{Track, TrackInfo, lenient};

/// A track as nodes write it.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct WireTrack {
    #[serde(default, deserialize_with = "lenient")]
    encoded: String,
    #[serde(default, deserialize_with = "lenient")]
    info: TrackInfo,
    #[serde(default, deserialize_with = "lenient")]
    plugin_info: Map<String, Value>,
    #[serde(default, deserialize_with = "lenient")]
    user_data: Map<String, Value>,
}

impl From<WireTrack> for Track {
    fn from(wire: WireTrack) -> Self {
        Self {
            plugin_info: wire.plugin_info,
            user_data: wire.user_data,
            ..Self::new(wire.encoded, wire.info)
        }
    }
}

/// Where a player stands, by its node's clock.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase", default)]
#[non_exhaustive]
pub struct PlayerState {
    /// When that was, in milliseconds since 1970 by the node's clock.
    #[serde(deserialize_with = "lenient")]
    pub time: u64,
    /// Where the track was then, in milliseconds.
    #[serde(deserialize_with = "lenient")]
    pub position: u64,
    /// Whether the node has its voice connection.
    #[serde(deserialize_with = "lenient")]
    pub connected: bool,
    /// How long the voice server takes to answer, in milliseconds; -1 without a connection.
    #[serde(deserialize_with = "lenient")]
    pub ping: i64,
}

/// A player as its node has it.
#[derive(Debug, Clone, Default, PartialEq)]
#[non_exhaustive]
pub struct NodePlayer {
    /// Its guild.
    pub guild: u64,
    /// What it plays.
    pub track: Option<Track>,
    /// 0 to 1000.
    pub volume: u16,
    /// Whether it pauses.
    pub paused: bool,
    /// Where it stands.
    pub state: PlayerState,
    /// Its filters, as the node writes them.
    pub filters: Value,
    /// The channel it speaks in, where the node says.
    pub channel: Option<u64>,
}

impl NodePlayer {
    /// Reads one; what is missing is as on a player that was just made.
    pub(super) fn read(value: &Value) -> Result<Self> {
        let guild = match &value["guildId"] {
            Value::String(text) => text.parse().ok(),
            number => number.as_u64(),
        };
        let guild = guild.ok_or_else(|| strange("a player without its guild"))?;
        let track = match &value["track"] {
            Value::Null => None,
            track => WireTrack::deserialize(track).ok().map(Track::from),
        };
        let volume = value["volume"].as_f64().unwrap_or(100.0).clamp(0.0, 1000.0);
        let channel = value["voice"]["channelId"].as_str();
        Ok(Self {
            guild,
            track,
            #[expect(
                clippy::cast_possible_truncation,
                clippy::cast_sign_loss,
                reason = "between 0 and 1000"
            )]
            volume: volume.round() as u16,
            paused: value["paused"].as_bool().unwrap_or(false),
            state: PlayerState::deserialize(&value["state"]).unwrap_or_default(),
            filters: value["filters"].clone(),
            channel: channel.and_then(|text| text.parse().ok()),
        })
    }

    /// Reads a list of players, bare or wrapped.
    pub(super) fn read_all(value: &Value) -> Result<Vec<Self>> {
        let list = value.as_array().or_else(|| value["players"].as_array());
        let list = list.ok_or_else(|| strange("no list of players"))?;
        list.iter().map(Self::read).collect()
    }
}

/// What a node is.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Info {
    /// Its version, such as `4.2.2`; empty where it does not say.
    pub version: String,
    /// The sources that it finds tracks in.
    pub sources: Vec<String>,
    /// The filters that it has; empty where it does not say.
    pub filters: Vec<String>,
    /// Its plugins, by name and version.
    pub plugins: Vec<(String, String)>,
}

impl Info {
    pub(super) fn read(value: &Value) -> Self {
        let words = |value: &Value| {
            let list = value.as_array().map(Vec::as_slice).unwrap_or_default();
            list.iter()
                .filter_map(Value::as_str)
                .map(str::to_owned)
                .collect()
        };
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        let plugins = value["plugins"]
            .as_array()
            .map(Vec::as_slice)
            .unwrap_or_default();
        let version = match &value["version"] {
            Value::String(version) => version.clone(),
            version => text(&version["semver"]),
        };
        Self {
            version,
            sources: words(&value["sourceManagers"]),
            filters: words(&value["filters"]),
            plugins: plugins
                .iter()
                .map(|it| (text(&it["name"]), text(&it["version"])))
                .collect(),
        }
    }
}

/// What a node found.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub enum Loaded {
    /// The one track that it is.
    Track(Box<Track>),
    /// A playlist, its name, and which of its tracks was meant, where one was.
    Playlist(String, Option<usize>, Vec<Track>),
    /// What a search found.
    Search(Vec<Track>),
    /// Nothing.
    Empty,
}

impl Loaded {
    pub(super) fn read(value: &Value) -> Result<Self> {
        let data = &value["data"];
        let tracks = |list: &Value| -> Vec<Track> {
            let list = list.as_array().map(Vec::as_slice).unwrap_or_default();
            let wire = list.iter().filter_map(|it| WireTrack::deserialize(it).ok());
            wire.map(Track::from).collect()
        };
        match value["loadType"].as_str().unwrap_or_default() {
            "track" => WireTrack::deserialize(data)
                .map(|wire| Self::Track(Box::new(wire.into())))
                .map_err(|e| strange("no track").with_source(e)),
            "playlist" => {
                let selected = data["info"]["selectedTrack"].as_u64();
                Ok(Self::Playlist(
                    data["info"]["name"].as_str().unwrap_or_default().to_owned(),
                    selected.and_then(|index| usize::try_from(index).ok()),
                    tracks(&data["tracks"]),
                ))
            }
            "search" => Ok(Self::Search(tracks(data))),
            "empty" => Ok(Self::Empty),
            "error" => Err(Error::new(
                ErrorKind::NotFound,
                format!(
                    "the node could not load it: {}",
                    data["message"].as_str().unwrap_or("it does not say why")
                ),
            )),
            other => Err(strange(&format!("the load type '{other}'"))),
        }
    }

    /// All tracks of it.
    #[must_use]
    pub fn into_tracks(self) -> Vec<Track> {
        match self {
            Self::Track(track) => vec![*track],
            Self::Playlist(_, _, tracks) | Self::Search(tracks) => tracks,
            Self::Empty => Vec::new(),
        }
    }
}

fn strange(what: &str) -> Error {
    Error::new(
        ErrorKind::Unreachable,
        format!("the node answers {what}; is it Lavalink 4?"),
    )
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;
    use serde_json::json;

    #[test]
    fn what_a_server_leaves_out_is_as_on_a_new_player() {
        let list = json!({"players": [{"guildId": "7", "voice": null, "filters": null, "new": 1}]});
        let players = NodePlayer::read_all(&list).unwrap();
        let (player, new) = (
            &players[0],
            NodePlayer {
                guild: 7,
                volume: 100,
                ..NodePlayer::default()
            },
        );
        assert_eq!(player, &new);
        assert!(NodePlayer::read_all(&json!({"error": "no"})).is_err());
    }

    #[test]
    fn a_version_without_its_build_is_a_version() {
        let info = Info::read(&json!({"version": {"semver": "4.2.2"}, "sourceManagers": ["http"]}));
        assert_eq!(info.version, "4.2.2");
        assert_eq!(info.sources, ["http"]);
    }

    #[test]
    fn what_is_found_is_read_by_its_kind() {
        let track = json!({"encoded": "Q", "info": {"identifier": "a", "length": -1}});
        let loaded = Loaded::read(&json!({"loadType": "search", "data": [track, 7]})).unwrap();
        assert_eq!(loaded.clone().into_tracks()[0].info.length, -1);
        assert_eq!(loaded.into_tracks().len(), 1);
        let failed = Loaded::read(&json!({"loadType": "error", "data": {"message": "gone"}}));
        assert_eq!(
            failed.unwrap_err().to_string(),
            "the node could not load it: gone"
        );
    }
}
