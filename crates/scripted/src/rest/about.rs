//! What a node says of itself.

use std::sync::Arc;

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::IntoResponse;
use serde_json::{Value, json};

use super::answer::Json;
use crate::shared::Shared;

pub(crate) async fn version(State(shared): State<Arc<Shared>>) -> String {
    shared.options.version.clone()
}

pub(crate) async fn info(State(shared): State<Arc<Shared>>) -> impl IntoResponse {
    let semver = &shared.options.version;
    let numbers: Vec<u64> = semver
        .split(['.', '-', '+'])
        .map_while(|it| it.parse().ok())
        .collect();
    let number = |at: usize| numbers.get(at).copied().unwrap_or(0);
    let mut version = json!({"semver": semver, "major": number(0), "minor": number(1), "patch": number(2),
        "preRelease": null, "build": null});
    let state = shared.lock();
    if state.oddities.build_missing
        && let Some(version) = version.as_object_mut()
    {
        version.remove("build");
    }
    let info = json!({
        "version": version,
        "buildTime": 1_700_000_000_000_u64,
        "git": {"branch": "HEAD", "commit": "0000000", "commitTime": 1_700_000_000_000_u64},
        "jvm": "17.0.12",
        "lavaplayer": "2.2.6",
        "sourceManagers": ["youtube", "soundcloud", "bandcamp", "twitch", "vimeo", "http", "local"],
        "filters": ["volume", "equalizer", "karaoke", "timescale", "tremolo", "vibrato", "distortion", "rotation",
            "channelMix", "lowPass"],
        "plugins": [],
    });
    Json(state.writer().dress(info))
}

pub(crate) async fn stats(State(shared): State<Arc<Shared>>) -> Json {
    let state = shared.lock();
    let mut stats = state.stats();
    stats["frameStats"] = Value::Null;
    Json(state.writer().dress(stats))
}

/// There is no route planner.
pub(crate) async fn route_planner() -> StatusCode {
    StatusCode::NO_CONTENT
}
