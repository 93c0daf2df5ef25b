//! An update of a player: what of it is refused before anything is done, and the order in which it is done.

use serde_json::{Map, Value};

use super::Refusal;
use crate::catalogue::{Found, Track};
use crate::encoding::decode;
use crate::filters;
use crate::oddities::Oddities;
use crate::player::{Player, Playing};
use crate::shared::Shared;
use crate::update::PlayerUpdate;
use crate::voice::VoiceServer;

/// How long after it was accepted a track is dropped by servers that do so, in milliseconds.
const DROPPED_AFTER: u64 = 500;

/// An update that can be done.
pub(crate) struct Change {
    pub(crate) voice: Option<VoiceServer>,
    track: New,
    user_data: Option<Map<String, Value>>,
    position: Option<u64>,
    end_time: Option<Option<u64>>,
    volume: Option<u32>,
    paused: Option<bool>,
    filters: Option<Value>,
    no_replace: bool,
}

enum New {
    /// The track stays.
    Same,
    /// It is stopped.
    Stop,
    /// Another one, and where its encoding says that it stands.
    Track(Box<Track>, u64),
}

pub(crate) fn check(
    shared: &Shared,
    update: PlayerUpdate,
    no_replace: bool,
) -> Result<Change, Refusal> {
    if let Some(voice) = &update.voice {
        let all = [
            &voice.token,
            &voice.endpoint,
            &voice.session_id,
            &voice.channel_id,
        ];
        if all.iter().any(|it| it.is_empty()) {
            return Err(Refusal::bad("Partial Lavalink voice state"));
        }
    }
    if update.end_time == Some(Some(0)) {
        return Err(Refusal::bad("End time must be greater than 0"));
    }
    if update.volume.is_some_and(|it| it > 1_000) {
        return Err(Refusal::bad("Volume must be between 0 and 1000"));
    }
    let filters = update.filters.as_ref().map(filters::parse).transpose();
    let track = update.track.unwrap_or_default();
    Ok(Change {
        track: match (track.encoded, track.identifier) {
            (Some(_), Some(_)) => {
                return Err(Refusal::bad(
                    "Cannot specify both encodedTrack and identifier",
                ));
            }
            (None, None) => New::Same,
            (Some(None), None) => New::Stop,
            (Some(Some(encoded)), None) => {
                let (track, position) =
                    decode(&encoded).ok_or_else(|| Refusal::bad("Failed to decode track"))?;
                New::Track(Box::new(track), position)
            }
            (None, Some(identifier)) => New::Track(Box::new(find(shared, &identifier)?), 0),
        },
        voice: update.voice,
        user_data: track.user_data,
        position: update.position,
        end_time: update.end_time,
        volume: update.volume,
        paused: update.paused,
        filters: filters.map_err(Refusal::bad)?,
        no_replace,
    })
}

fn find(shared: &Shared, identifier: &str) -> Result<Track, Refusal> {
    match shared.options.catalogue.find(identifier) {
        Found::Track(track) => Ok(track.clone()),
        Found::Playlist(..) | Found::Search(_) => {
            Err(Refusal::bad("Cannot play a playlist or search result"))
        }
        Found::Nothing => Err(Refusal::bad("No matches found for identifier")),
        Found::Failure(message) => Err(Refusal::new(500, message)),
    }
}

impl Change {
    /// Whether it is answered that the player is paused, though it plays.
    pub(crate) fn says_paused(&self, oddities: &Oddities) -> bool {
        let starts = matches!(self.track, New::Track(..));
        oddities.plays_though_paused && starts && self.paused == Some(true)
    }

    /// Does all but the voice connection, which comes first.
    pub(crate) fn apply(self, player: &mut Player, now: u64, oddities: &Oddities) {
        let paused = self.paused.unwrap_or(false) && !self.says_paused(oddities);
        let same = matches!(self.track, New::Same);
        if let Some(paused) = self.paused.filter(|_| same) {
            player.set_paused(paused, now);
        }
        if let (true, Some(data), Some(playing)) = (same, &self.user_data, &mut player.playing) {
            playing.user_data = Value::Object(data.clone());
        }
        if let Some(volume) = self.volume {
            player.set_volume(volume);
        }
        if let Some(position) = self.position.filter(|_| same) {
            player.seek(position, now);
        }
        if let (true, Some(end), Some(playing)) = (same, self.end_time, &mut player.playing) {
            playing.end_time = end;
        }
        if let Some(filters) = self.filters {
            player.set_filters(filters, now);
        }
        if same || (self.no_replace && player.playing.is_some()) {
            return;
        }
        player.set_paused(paused, now);
        let New::Track(track, encoded) = self.track else {
            return player.stop();
        };
        let mut playing = Playing::new(*track, self.position.unwrap_or(encoded), now);
        playing.user_data = Value::Object(self.user_data.unwrap_or_default());
        playing.end_time = self.end_time.flatten();
        playing.dropped_at = oddities.track_dropped.then_some(now + DROPPED_AFTER);
        player.play(playing);
    }
}
