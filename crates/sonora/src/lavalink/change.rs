//! What is changed of a player. What is absent stays as it is; `null` means something.

use serde::Serialize;
use serde_json::{Map, Value};

use super::VoiceServer;
use crate::track::Track;

/// A change of a player: only what is said is sent.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct PlayerChange {
    /// What to play, or that nothing is to be played.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub track: Option<TrackChange>,
    /// Where to play it, in milliseconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub position: Option<u64>,
    /// Where to end it, in milliseconds; `Some(None)` plays it to its own end.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub end_time: Option<Option<u64>>,
    /// 0 to 1000.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub volume: Option<u16>,
    /// Whether it pauses. Said with every new track: a node plays on where it is not.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub paused: Option<bool>,
    /// All filters: what is not among them is off.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub filters: Option<Value>,
    /// The voice connection.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub voice: Option<VoiceServer>,
}

impl PlayerChange {
    /// Whether a track is to begin.
    pub(crate) fn plays(&self) -> bool {
        matches!(self.track, Some(TrackChange::Play { .. }))
    }
}

/// What to play.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase", untagged)]
#[non_exhaustive]
pub enum TrackChange {
    /// This track.
    #[serde(rename_all = "camelCase")]
    Play {
        /// What the node plays it by.
        encoded: String,
        /// What the bot attached to it.
        user_data: Map<String, Value>,
    },
    /// Nothing.
    Stop {
        /// Always `null`.
        encoded: (),
    },
}

impl TrackChange {
    /// To play `track`.
    #[must_use]
    pub fn play(track: &Track) -> Self {
        Self::Play {
            encoded: track.encoded.clone(),
            user_data: track.user_data.clone(),
        }
    }

    /// To play nothing.
    #[must_use]
    pub fn stop() -> Self {
        Self::Stop { encoded: () }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;
    use serde_json::json;

    #[test]
    fn absent_and_null_are_two_things() {
        let sent = |change: PlayerChange| serde_json::to_value(change).unwrap();
        assert_eq!(sent(PlayerChange::default()), json!({}));
        let change = PlayerChange {
            track: Some(TrackChange::stop()),
            end_time: Some(None),
            ..PlayerChange::default()
        };
        assert_eq!(
            sent(change),
            json!({"track": {"encoded": null}, "endTime": null})
        );
    }
}
