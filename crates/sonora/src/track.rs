//! A track: what it is, and how a node plays it.

use serde::{Deserialize, Deserializer, Serialize};
use serde_json::{Map, Value};

/// A track. In JSON it has the form in which snapshots hold it: the fields of its [`info`](Track::info), beside them
/// `track`, which is the encoded text.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
#[non_exhaustive]
pub struct Track {
    /// What is known about it.
    #[serde(flatten)]
    pub info: TrackInfo,
    /// What a node plays it by; empty where only its name is known, then it is looked up before it plays.
    #[serde(rename = "track")]
    pub encoded: String,
    /// What plugins of the node say about it.
    #[serde(rename = "pluginInfo", skip_serializing_if = "Map::is_empty")]
    pub plugin_info: Map<String, Value>,
    /// What the bot attached to it, such as who asked for it.
    #[serde(rename = "userData", skip_serializing_if = "Map::is_empty")]
    pub user_data: Map<String, Value>,
}

/// What is known about a track. Everything may be missing.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
#[non_exhaustive]
pub struct TrackInfo {
    /// Its title.
    #[serde(deserialize_with = "lenient")]
    pub title: String,
    /// Who made it.
    #[serde(deserialize_with = "lenient")]
    pub author: String,
    /// Where it is to be found.
    pub uri: Option<String>,
    /// What its source calls it.
    #[serde(deserialize_with = "lenient")]
    pub identifier: String,
    /// How long it is, in milliseconds; some nodes say -1 where they do not know.
    #[serde(deserialize_with = "lenient")]
    pub length: i64,
    /// Where it begins, in milliseconds; where it plays is the player's to say.
    #[serde(deserialize_with = "lenient")]
    pub position: i64,
    /// Whether it has no end.
    #[serde(deserialize_with = "lenient")]
    pub is_stream: bool,
    /// Whether it can be played from another place than its beginning.
    #[serde(deserialize_with = "lenient")]
    pub is_seekable: bool,
    /// Which source it is of, such as `youtube`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub source_name: Option<String>,
    /// A picture for it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub artwork_url: Option<String>,
    /// Its international code.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub isrc: Option<String>,
    /// What else is said about it, kept as it is.
    #[serde(flatten)]
    pub other: Map<String, Value>,
}

/// What is missing, null, or of another type is as if it were not there.
pub(crate) fn lenient<'de, T, D>(deserializer: D) -> Result<T, D::Error>
where
    T: Default + serde::de::DeserializeOwned,
    D: Deserializer<'de>,
{
    let value = Value::deserialize(deserializer)?;
    Ok(T::deserialize(value).unwrap_or_default())
}

impl<'de> Deserialize<'de> for Track {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        struct Stored {
            #[serde(default, alias = "encoded", deserialize_with = "lenient")]
            track: String,
            #[serde(rename = "pluginInfo", default, deserialize_with = "lenient")]
            plugin_info: Map<String, Value>,
            #[serde(rename = "userData", default, deserialize_with = "lenient")]
            user_data: Map<String, Value>,
            #[serde(flatten)]
            info: TrackInfo,
        }
        let stored = Stored::deserialize(deserializer)?;
        Ok(Self {
            info: stored.info,
            encoded: stored.track,
            plugin_info: stored.plugin_info,
            user_data: stored.user_data,
        })
    }
}

impl Track {
    /// The track that a node plays by `encoded`.
    pub fn new(encoded: impl Into<String>, info: TrackInfo) -> Self {
        Self {
            info,
            encoded: encoded.into(),
            ..Self::default()
        }
    }

    /// Whether both are the same recording. Not by the encoded text: on some nodes that changes with the position.
    #[must_use]
    pub fn is(&self, other: &Self) -> bool {
        let (one, two) = (&self.info, &other.info);
        if one.identifier.is_empty() || two.identifier.is_empty() {
            return !self.encoded.is_empty() && self.encoded == other.encoded;
        }
        let sources = (&one.source_name, &two.source_name);
        let same_source = match sources {
            (Some(one), Some(two)) => one == two,
            // A file of Sonora does not say.
            _ => true,
        };
        same_source && one.identifier == two.identifier
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;
    use serde_json::json;

    #[test]
    fn what_is_missing_or_strange_is_as_if_it_were_not_there() {
        let track: Track = serde_json::from_value(json!({"title": 7, "length": null})).unwrap();
        assert_eq!(track, Track::default());
    }

    #[test]
    fn it_is_stored_as_sonora_stores_it_and_unknown_fields_stay() {
        let text = json!({
            "title": "Song", "author": "Somebody", "uri": "https://a/b", "identifier": "b", "length": 213_000,
            "position": 0, "isStream": false, "isSeekable": true, "sourceName": "http", "mood": ["calm"],
            "track": "QAAB", "userData": {"requester": 7},
        });
        let track: Track = serde_json::from_value(text.clone()).unwrap();
        assert_eq!(track.encoded, "QAAB");
        assert_eq!(track.info.other["mood"], json!(["calm"]));
        assert_eq!(serde_json::to_value(&track).unwrap(), text);
    }

    #[test]
    fn the_encoded_text_does_not_tell_tracks_apart() {
        let info = |identifier: &str| TrackInfo {
            identifier: identifier.to_owned(),
            source_name: Some("http".to_owned()),
            ..TrackInfo::default()
        };
        let track = Track::new("at 0", info("a"));
        assert!(track.is(&Track::new("at 45000", info("a"))));
        assert!(!track.is(&Track::new("at 0", info("b"))));
        assert!(!Track::default().is(&Track::default()));
    }
}
