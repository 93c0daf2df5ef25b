//! What a client asks of a player or a session, read strictly: a field that is not known is an error.

use serde::{Deserialize, Deserializer};
use serde_json::{Map, Value};

use crate::voice::VoiceServer;

/// A field that is absent is `None`, and what is there must be what it says; `null` is only for `Option`s.
fn there<'de, T: Deserialize<'de>, D: Deserializer<'de>>(from: D) -> Result<Option<T>, D::Error> {
    T::deserialize(from).map(Some)
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "camelCase")]
pub(crate) struct PlayerUpdate {
    #[serde(deserialize_with = "there")]
    pub(crate) track: Option<TrackUpdate>,
    #[serde(deserialize_with = "there")]
    pub(crate) position: Option<u64>,
    #[serde(deserialize_with = "there")]
    pub(crate) end_time: Option<Option<u64>>,
    #[serde(deserialize_with = "there")]
    pub(crate) volume: Option<u32>,
    #[serde(deserialize_with = "there")]
    pub(crate) paused: Option<bool>,
    #[serde(deserialize_with = "there")]
    pub(crate) filters: Option<Value>,
    #[serde(deserialize_with = "there")]
    pub(crate) voice: Option<VoiceServer>,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "camelCase")]
pub(crate) struct TrackUpdate {
    #[serde(deserialize_with = "there")]
    pub(crate) encoded: Option<Option<String>>,
    #[serde(deserialize_with = "there")]
    pub(crate) identifier: Option<String>,
    #[serde(deserialize_with = "there")]
    pub(crate) user_data: Option<Map<String, Value>>,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "camelCase")]
pub(crate) struct SessionUpdate {
    #[serde(deserialize_with = "there")]
    pub(crate) resuming: Option<bool>,
    /// Seconds.
    #[serde(deserialize_with = "there")]
    pub(crate) timeout: Option<u64>,
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn read(value: Value) -> Option<PlayerUpdate> {
        serde_json::from_value(value).ok()
    }

    #[test]
    fn absent_and_null_are_told_apart() {
        let encoded = |value| read(value).unwrap().track.unwrap().encoded;
        assert_eq!(encoded(json!({"track": {}})), None);
        assert_eq!(encoded(json!({"track": {"encoded": null}})), Some(None));
        assert!(read(json!({"track": null})).is_none());
        assert!(read(json!({"volume": null})).is_none());
        assert_eq!(read(json!({"endTime": null})).unwrap().end_time, Some(None));
    }

    #[test]
    fn what_is_not_known_is_refused() {
        assert!(read(json!({"encodedTrack": "QAAA"})).is_none());
        assert!(read(json!({"track": {"info": {}}})).is_none());
        assert!(read(json!({"position": -1})).is_none());
        assert!(
            read(json!({"voice": {"token": "a", "endpoint": "b", "sessionId": "c"}})).is_none()
        );
    }
}
