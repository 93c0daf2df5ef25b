//! Answers and questions in the form that handlers need.

use std::sync::Arc;

use axum::body::{Body, Bytes};
use axum::extract::Query;
use axum::extract::rejection::QueryRejection;
use axum::http::{HeaderMap, HeaderValue, header};
use axum::response::{IntoResponse, Response};
use serde::de::DeserializeOwned;
use serde_json::Value;

use super::Refusal;
use crate::session::Session;
use crate::shared::{Held, Shared};

/// An answer in JSON.
pub(crate) struct Json(pub(crate) Value);

impl IntoResponse for Json {
    fn into_response(self) -> Response {
        let mut response = Response::new(Body::from(self.0.to_string()));
        let json = HeaderValue::from_static("application/json");
        response.headers_mut().insert(header::CONTENT_TYPE, json);
        response
    }
}

/// What is asked after `?`.
pub(crate) fn asked<T>(query: Result<Query<T>, QueryRejection>) -> Result<T, Refusal> {
    query
        .map(|it| it.0)
        .map_err(|it| Refusal::bad(it.body_text()))
}

/// A body, which must be said to be JSON.
pub(crate) fn body<T: DeserializeOwned>(headers: &HeaderMap, body: &Bytes) -> Result<T, Refusal> {
    let kind = headers
        .get(header::CONTENT_TYPE)
        .and_then(|it| it.to_str().ok());
    let kind = kind.map(|it| it.split(';').next().unwrap_or_default().trim());
    if kind != Some("application/json") {
        let kind = kind.unwrap_or("nothing");
        return Err(Refusal::new(
            415,
            format!("Content-Type '{kind}' is not supported"),
        ));
    }
    serde_json::from_slice(body).map_err(|it| Refusal::bad(format!("JSON parse error: {it}")))
}

pub(crate) fn guild(guild: &str) -> Result<u64, Refusal> {
    guild
        .parse()
        .map_err(|_| Refusal::bad(format!("Failed to convert 'guildId' with value: '{guild}'")))
}

/// The state, in which this session's websocket is open.
pub(crate) fn lock<'a>(shared: &'a Arc<Shared>, session: &str) -> Result<Held<'a>, Refusal> {
    let mut state = shared.lock();
    let open: Option<&mut Session> = state.open(session);
    match open {
        Some(_) => Ok(state),
        None => Err(Refusal::new(404, "Session not found")),
    }
}
