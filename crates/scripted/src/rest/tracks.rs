//! Finding tracks and reading encoded ones.

use std::sync::Arc;

use axum::body::Bytes;
use axum::extract::rejection::QueryRejection;
use axum::extract::{Query, State};
use axum::http::HeaderMap;
use serde::Deserialize;
use serde_json::{Value, json};

use super::Refusal;
use super::answer::{Json, asked, body};
use crate::catalogue::{Found, Track};
use crate::encoding::{decode, encode};
use crate::events::Writer;
use crate::shared::Shared;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Load {
    identifier: String,
    #[serde(rename = "trace")]
    _trace: Option<bool>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Decode {
    #[serde(rename = "encodedTrack", alias = "track")]
    encoded: Option<String>,
    #[serde(rename = "trace")]
    _trace: Option<bool>,
}

pub(crate) async fn load(
    State(shared): State<Arc<Shared>>,
    query: Result<Query<Load>, QueryRejection>,
) -> Result<Json, Refusal> {
    let asked = asked(query)?;
    let state = shared.lock();
    let writer = state.writer();
    let all = |tracks: Vec<&Track>| {
        tracks
            .into_iter()
            .map(|it| fresh(&writer, it))
            .collect::<Vec<_>>()
    };
    let (kind, data) = match shared.options.catalogue.find(&asked.identifier) {
        Found::Track(track) => ("track", fresh(&writer, track)),
        Found::Playlist(list, tracks) => {
            let selected = list.selected.map_or(json!(-1), |it| json!(it));
            let info = json!({"name": list.name, "selectedTrack": selected});
            (
                "playlist",
                json!({"info": info, "pluginInfo": {}, "tracks": all(tracks)}),
            )
        }
        Found::Search(tracks) => ("search", json!(all(tracks))),
        Found::Nothing => ("empty", Value::Null),
        Found::Failure(message) => {
            let cause =
                format!("com.sedmelluq.discord.lavaplayer.tools.FriendlyException: {message}");
            (
                "error",
                json!({"message": message, "severity": "suspicious", "cause": cause}),
            )
        }
    };
    Ok(Json(writer.dress(json!({"loadType": kind, "data": data}))))
}

pub(crate) async fn decode_one(
    State(shared): State<Arc<Shared>>,
    query: Result<Query<Decode>, QueryRejection>,
) -> Result<Json, Refusal> {
    let encoded = asked(query)?
        .encoded
        .ok_or_else(|| Refusal::bad("No track to decode provided"))?;
    let state = shared.lock();
    let writer = state.writer();
    let track = decoded(&writer, &encoded)?;
    Ok(Json(writer.dress(track)))
}

pub(crate) async fn decode_all(
    State(shared): State<Arc<Shared>>,
    headers: HeaderMap,
    bytes: Bytes,
) -> Result<Json, Refusal> {
    let encoded: Vec<String> = body(&headers, &bytes)?;
    if encoded.is_empty() {
        return Err(Refusal::bad("No tracks to decode provided"));
    }
    let state = shared.lock();
    let writer = state.writer();
    let tracks: Result<Vec<_>, _> = encoded.iter().map(|it| decoded(&writer, it)).collect();
    Ok(Json(writer.dress(Value::Array(tracks?))))
}

fn fresh(writer: &Writer<'_>, track: &Track) -> Value {
    writer.track(track, &encode(track, 0))
}

fn decoded(writer: &Writer<'_>, encoded: &str) -> Result<Value, Refusal> {
    let (track, _) = decode(encoded).ok_or_else(|| Refusal::bad("Failed to decode track"))?;
    Ok(writer.track(&track, encoded))
}
