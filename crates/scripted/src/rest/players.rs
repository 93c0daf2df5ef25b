//! Players, and the sessions that they are in.

use std::sync::Arc;

use axum::Extension;
use axum::body::Bytes;
use axum::extract::rejection::QueryRejection;
use axum::extract::{Path, Query, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use serde::Deserialize;
use serde_json::{Value, json};

use super::Refusal;
use super::answer::{Json, asked, body, guild, lock};
use super::apply::{Change, check};
use super::gate::Lie;
use crate::shared::Shared;
use crate::update::{PlayerUpdate, SessionUpdate};
use crate::voice;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Asked {
    #[serde(default, rename = "noReplace")]
    no_replace: bool,
    #[serde(rename = "trace")]
    _trace: Option<bool>,
}

pub(crate) async fn list(
    State(shared): State<Arc<Shared>>,
    Path(session): Path<String>,
) -> Result<Json, Refusal> {
    let mut state = lock(&shared, &session)?;
    let players = state
        .open(&session)
        .map(|it| it.players.clone())
        .unwrap_or_default();
    let writer = state.writer();
    let players = players
        .iter()
        .map(|(guild, player)| writer.player(*guild, player));
    let players: Vec<Value> = players.collect();
    Ok(Json(writer.dress(match state.oddities.players_wrapped {
        true => json!({"players": players}),
        false => json!(players),
    })))
}

pub(crate) async fn show(
    State(shared): State<Arc<Shared>>,
    Path((session, id)): Path<(String, String)>,
) -> Result<Json, Refusal> {
    let guild = guild(&id)?;
    let mut state = lock(&shared, &session)?;
    if state.oddities.get_creates {
        state.change(&session, guild, |_, _| ());
    }
    let player = state
        .open(&session)
        .and_then(|it| it.players.get(&guild))
        .cloned();
    let player = player.ok_or_else(|| Refusal::new(404, "Player not found"))?;
    let writer = state.writer();
    Ok(Json(writer.dress(writer.player(guild, &player))))
}

pub(crate) async fn update(
    State(shared): State<Arc<Shared>>,
    Path((session, id)): Path<(String, String)>,
    query: Result<Query<Asked>, QueryRejection>,
    lie: Option<Extension<Lie>>,
    headers: HeaderMap,
    bytes: Bytes,
) -> Result<Json, Refusal> {
    let guild = guild(&id)?;
    let no_replace = asked(query)?.no_replace;
    let update: PlayerUpdate = body(&headers, &bytes)?;
    drop(lock(&shared, &session)?);
    let change = check(&shared, update, no_replace)?;
    if lie.is_some() {
        return Ok(Json(pretend(&shared, &session, guild, change)?));
    }
    if let Some(server) = &change.voice {
        voice::join(&shared, &session, guild, server)
            .await
            .map_err(|()| Refusal::new(500, "Failed to connect to voice server"))?;
    }
    let mut state = lock(&shared, &session)?;
    let oddities = state.oddities.clone();
    let says_paused = change.says_paused(&oddities);
    state.change(&session, guild, |player, now| {
        change.apply(player, now, &oddities)
    });
    let player = state
        .open(&session)
        .and_then(|it| it.players.get(&guild))
        .cloned();
    let writer = state.writer();
    let mut answer = writer.player(guild, &player.unwrap_or_default());
    if says_paused {
        answer["paused"] = json!(true);
    }
    Ok(Json(writer.dress(answer)))
}

/// What the answer would be.
fn pretend(
    shared: &Arc<Shared>,
    session: &str,
    guild: u64,
    change: Change,
) -> Result<Value, Refusal> {
    let mut state = lock(shared, session)?;
    let player = state
        .open(session)
        .and_then(|it| it.players.get(&guild))
        .cloned();
    let mut player = player.unwrap_or_default();
    if let Some(server) = &change.voice {
        player.voice = Some(server.clone());
        player.connected = true;
    }
    change.apply(&mut player, state.now, &state.oddities);
    let writer = state.writer();
    Ok(writer.dress(writer.player(guild, &player)))
}

pub(crate) async fn remove(
    State(shared): State<Arc<Shared>>,
    Path((session, id)): Path<(String, String)>,
    lie: Option<Extension<Lie>>,
) -> Result<Response, Refusal> {
    let guild = guild(&id)?;
    let mut state = lock(&shared, &session)?;
    if lie.is_none() {
        state.remove_player(&session, guild);
    }
    Ok(StatusCode::NO_CONTENT.into_response())
}

pub(crate) async fn update_session(
    State(shared): State<Arc<Shared>>,
    Path(id): Path<String>,
    lie: Option<Extension<Lie>>,
    headers: HeaderMap,
    bytes: Bytes,
) -> Result<Json, Refusal> {
    let update: SessionUpdate = body(&headers, &bytes)?;
    let mut state = lock(&shared, &id)?;
    let Some(session) = state.open(&id) else {
        return Err(Refusal::new(404, "Session not found"));
    };
    let resuming = update.resuming.unwrap_or(session.resuming);
    let timeout = update.timeout.unwrap_or(session.timeout);
    if lie.is_none() {
        (session.resuming, session.timeout) = (resuming, timeout);
        state.version += 1;
    }
    let answer = json!({"resuming": resuming, "timeout": timeout});
    Ok(Json(state.writer().dress(answer)))
}
