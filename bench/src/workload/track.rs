//! One track as a Lavalink v4 node gives it, with the binary blob in `encoded`.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde::{Deserialize, Serialize};

use super::random::Dice;
use super::voice::TRACKS;

/// A track of a queue, 600 to 650 bytes of compact JSON on average.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[expect(missing_docs, reason = "the names are Lavalink's")]
pub struct Track {
    pub encoded: String,
    pub info: TrackInfo,
    pub plugin_info: PluginInfo,
    pub user_data: UserData,
}

/// What is known of a track.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[expect(missing_docs, reason = "the names are Lavalink's")]
pub struct TrackInfo {
    pub identifier: String,
    pub is_seekable: bool,
    pub author: String,
    pub length: u64,
    pub is_stream: bool,
    pub position: u64,
    pub title: String,
    pub uri: Option<String>,
    pub artwork_url: Option<String>,
    pub isrc: Option<String>,
    pub source_name: String,
}

/// What a source plugin adds; empty for most tracks.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[expect(missing_docs, reason = "the names are Lavalink's")]
pub struct PluginInfo {
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub album_name: Option<String>,
}

/// What the bot keeps with a track.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct UserData {
    /// Who asked for it: a Discord id, as text because JavaScript would round the number.
    pub requester: String,
}

/// Invents tracks: nearly all from a video site, a few from a music service.
#[derive(Debug)]
pub struct TrackMaker {
    dice: Dice,
    members: Vec<String>,
}

impl TrackMaker {
    /// `members` is the number of people of the guild who ask for tracks.
    #[must_use]
    pub fn new(mut dice: Dice, members: usize) -> Self {
        let members = (0..members.max(1)).map(|_| dice.snowflake()).collect();
        Self { dice, members }
    }

    /// The next track, 150 to 280 seconds long.
    pub fn track(&mut self) -> Track {
        let dice = &mut self.dice;
        let video = dice.chance(0.94);
        let (identifier, uri, artwork, source) = if video {
            let id = dice.base64_url(11);
            let uri = format!("https://www.youtube.com/watch?v={id}");
            let artwork = format!("https://i.ytimg.com/vi/{id}/hqdefault.jpg");
            (id, uri, artwork, "youtube")
        } else {
            let id = dice.base62(22);
            let uri = format!("https://open.spotify.com/track/{id}");
            let artwork = format!("https://i.scdn.co/image/{}", dice.hex(40));
            (id, uri, artwork, "spotify")
        };
        let isrc = (!video).then(|| {
            let digits = dice.between(1_000_000, 2_699_999);
            format!("QZ{}{digits}", dice.hex(3).to_uppercase())
        });
        let info = TrackInfo {
            identifier,
            is_seekable: true,
            author: TRACKS.expand("artist", dice),
            length: dice.between(150_000, 280_000),
            is_stream: false,
            position: 0,
            title: TRACKS.expand("version", dice),
            uri: Some(uri),
            artwork_url: Some(artwork),
            isrc,
            source_name: source.to_owned(),
        };
        let album_name = (!video).then(|| TRACKS.expand("album", dice));
        Track {
            encoded: STANDARD.encode(blob(&info)),
            info,
            plugin_info: PluginInfo { album_name },
            user_data: UserData {
                requester: self.members[dice.skewed_index(self.members.len())].clone(),
            },
        }
    }
}

/// The track in Lavalink's own binary form, version 3: a length with flags, then the fields,
/// integers big-endian and texts with a 16-bit length.
fn blob(info: &TrackInfo) -> Vec<u8> {
    const VERSIONED: u32 = 1 << 30;
    let mut body = vec![3];
    text(&mut body, &info.title);
    text(&mut body, &info.author);
    body.extend(info.length.to_be_bytes());
    text(&mut body, &info.identifier);
    body.push(u8::from(info.is_stream));
    for field in [&info.uri, &info.artwork_url, &info.isrc] {
        body.push(u8::from(field.is_some()));
        if let Some(value) = field {
            text(&mut body, value);
        }
    }
    text(&mut body, &info.source_name);
    body.extend(info.position.to_be_bytes());
    let mut blob = (VERSIONED | body.len() as u32).to_be_bytes().to_vec();
    blob.append(&mut body);
    blob
}

fn text(out: &mut Vec<u8>, value: &str) {
    out.extend((value.len() as u16).to_be_bytes());
    out.extend(value.as_bytes());
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::workload::Document;

    fn tracks(count: usize) -> Vec<Track> {
        let mut maker = TrackMaker::new(Dice::new(1, "tracks"), 12);
        (0..count).map(|_| maker.track()).collect()
    }

    #[test]
    fn a_track_has_the_stated_size() {
        let tracks = tracks(400);
        let bytes: usize = tracks.iter().map(|t| t.compact().len()).sum();
        let mean = bytes / tracks.len();
        assert!((600..=650).contains(&mean), "{mean} bytes");
    }

    #[test]
    fn the_blob_holds_the_fields_in_order() {
        let track = &tracks(1)[0];
        let blob = STANDARD.decode(&track.encoded).expect("base64");
        let head = u32::from_be_bytes(blob[..4].try_into().expect("four bytes"));
        assert_eq!(head >> 30, 1);
        assert_eq!((head & 0x3fff_ffff) as usize, blob.len() - 4);
        assert_eq!(blob[4], 3);
        let title = &track.info.title;
        assert_eq!(&blob[7..7 + title.len()], title.as_bytes());
        assert_eq!(&blob[blob.len() - 8..], [0; 8]);
    }
}
