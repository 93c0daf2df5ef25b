//! What a node says over its websocket, and how it writes players and tracks.

use serde_json::{Map, Value, json};

use crate::catalogue::Track;
use crate::encoding::encode;
use crate::heard::Sound;
use crate::oddities::Oddities;
use crate::player::{Player, Playing};

/// Why a track ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    /// It was over.
    Finished,
    /// It could not be played.
    LoadFailed,
    /// It was stopped.
    Stopped,
    /// Another one was played instead.
    Replaced,
    /// Nobody took the audio.
    Cleanup,
}

impl End {
    fn name(self) -> &'static str {
        match self {
            Self::Finished => "finished",
            Self::LoadFailed => "loadFailed",
            Self::Stopped => "stopped",
            Self::Replaced => "replaced",
            Self::Cleanup => "cleanup",
        }
    }
}

/// Something that a test has happen to a player.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Event {
    /// The track throws an exception, with this message. It does not end with it.
    Exception(String),
    /// The track has given no audio for so many milliseconds. It does not end with it.
    Stuck(u64),
    /// The track ends.
    End(End),
    /// Discord closes the voice connection with this code.
    VoiceClosed(u16),
}

/// What is to be told of a player.
#[derive(Clone, Debug)]
pub(crate) enum News {
    Sound(Sound),
    Update,
    Start(Playing),
    End(Playing, End),
    Exception(Playing, String),
    Stuck(Playing, u64),
    VoiceClosed {
        code: u16,
        reason: String,
        by_remote: bool,
    },
}

/// How a node writes at this moment.
pub(crate) struct Writer<'a> {
    pub(crate) oddities: &'a Oddities,
    pub(crate) now: u64,
}

impl Writer<'_> {
    /// Adds what only some nodes say.
    pub(crate) fn dress(&self, mut value: Value) -> Value {
        if self.oddities.unknown_fields {
            embellish(&mut value);
        }
        value
    }

    pub(crate) fn player(&self, guild: u64, player: &Player) -> Value {
        let voice = match (&player.voice, self.oddities.voice_null) {
            (_, true) => Value::Null,
            (Some(voice), _) => json!({"token": voice.token, "endpoint": voice.endpoint,
                "sessionId": voice.session_id, "channelId": voice.channel_id}),
            (None, _) => json!({"token": "", "endpoint": "", "sessionId": "", "channelId": null}),
        };
        json!({
            "guildId": guild.to_string(),
            "track": player.playing.as_ref().map(|it| self.playing(it, player.position(self.now))),
            "volume": player.volume,
            "paused": player.paused,
            "state": self.state(player),
            "voice": voice,
            "filters": self.filters(&player.filters),
        })
    }

    fn state(&self, player: &Player) -> Value {
        json!({
            "time": self.now,
            "position": player.position(self.now),
            "connected": player.connected,
            "ping": if player.connected { 20 } else { -1 },
        })
    }

    fn filters(&self, filters: &Value) -> Value {
        let mut filters = filters.clone();
        if self.oddities.filters_nested {
            let bands = filters.get("equalizer").cloned().unwrap_or(json!([]));
            filters["equalizer"] = json!({"bands": bands});
        }
        filters
    }

    fn playing(&self, playing: &Playing, position: u64) -> Value {
        let position = match self.oddities.encoded_stands_still {
            true => 0,
            false => position,
        };
        let mut track = self.track(&playing.track, &encode(&playing.track, position));
        if !self.oddities.user_data_lost {
            track["userData"] = playing.user_data.clone();
        }
        track
    }

    pub(crate) fn track(&self, track: &Track, encoded: &str) -> Value {
        let length = match self.oddities.length_unknown {
            true => json!(-1),
            false => json!(track.written_length()),
        };
        json!({
            "encoded": encoded,
            "info": {
                "identifier": track.identifier,
                "isSeekable": !track.stream,
                "author": track.author,
                "length": length,
                "isStream": track.stream,
                "position": 0,
                "title": track.title,
                "uri": track.uri,
                "sourceName": track.source,
                "artworkUrl": track.artwork_url,
                "isrc": track.isrc,
            },
            "pluginInfo": {},
            "userData": {},
        })
    }

    /// What is said over the websocket; nothing where it is only heard.
    pub(crate) fn news(&self, guild: u64, player: &Player, news: &News) -> Option<Value> {
        let track = |playing| self.playing(playing, 0);
        let (kind, mut fields) = match news {
            News::Sound(_) => return None,
            News::Update => {
                let mut state = self.state(player);
                if self.oddities.position_missing
                    && !player.connected
                    && let Some(state) = state.as_object_mut()
                {
                    state.remove("position");
                }
                return Some(
                    json!({"op": "playerUpdate", "state": state, "guildId": guild.to_string()}),
                );
            }
            News::Start(playing) => ("TrackStartEvent", json!({"track": track(playing)})),
            News::End(playing, end) => (
                "TrackEndEvent",
                json!({"track": track(playing), "reason": end.name()}),
            ),
            News::Exception(playing, message) => {
                let exception = json!({"message": message, "severity": "suspicious",
                    "cause": format!("java.lang.RuntimeException: {message}")});
                (
                    "TrackExceptionEvent",
                    json!({"track": track(playing), "exception": exception}),
                )
            }
            News::Stuck(playing, threshold) => (
                "TrackStuckEvent",
                json!({"track": track(playing), "thresholdMs": threshold}),
            ),
            News::VoiceClosed {
                code,
                reason,
                by_remote,
            } => (
                "WebSocketClosedEvent",
                json!({"code": code, "reason": reason, "byRemote": by_remote}),
            ),
        };
        let mut event = json!({"op": "event", "type": kind, "guildId": guild.to_string()});
        if let (Some(event), Some(fields)) = (event.as_object_mut(), fields.as_object_mut()) {
            event.append(fields);
        }
        Some(event)
    }
}

/// A field of no known meaning in every object that is not the client's own.
fn embellish(value: &mut Value) {
    const OTHERS: [&str; 4] = ["userData", "pluginInfo", "pluginFilters", "filters"];
    match value {
        Value::Object(fields) => {
            let own = fields
                .iter_mut()
                .filter(|(name, _)| !OTHERS.contains(&name.as_str()));
            own.for_each(|(_, value)| embellish(value));
            let extra = Map::from_iter([("since".to_owned(), json!("a later version"))]);
            fields.insert("someday".into(), Value::Object(extra));
        }
        Value::Array(values) => values.iter_mut().for_each(embellish),
        _ => {}
    }
}
