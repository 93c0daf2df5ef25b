//! What every request passes: it is noted, refused where it may not be, and meets the faults that are scripted.

use std::sync::Arc;

use axum::body::{Body, Bytes, to_bytes};
use axum::extract::{Request, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use serde_json::Value;

use super::Refusal;
use crate::faults::{Fault, fault};
use crate::heard::Seen;
use crate::options::millis;
use crate::shared::Shared;
use crate::state;

/// More than any request of a client.
const LONGEST_BODY: usize = 16 << 20;

/// Marks an answer that is not given: the connection is cut instead.
#[derive(Clone, Copy)]
pub(crate) struct Cut;

/// Marks a request that is only to be answered.
#[derive(Clone, Copy)]
pub(crate) struct Lie;

pub(crate) async fn pass(
    State(shared): State<Arc<Shared>>,
    request: Request,
    next: Next,
) -> Response {
    let (mut parts, body) = request.into_parts();
    let Ok(body) = to_bytes(body, LONGEST_BODY).await else {
        return cut();
    };
    let (path, query) = (
        parts.uri.path().to_owned(),
        parts.uri.query().unwrap_or_default().to_owned(),
    );
    let (number, met) = {
        let mut state = shared.lock();
        let number = note(&mut state, parts.method.as_str(), &path, &query, &body);
        (
            number,
            fault(&mut state.rules, parts.method.as_str(), &path),
        )
    };
    let mut response = match &met {
        Some(Fault::Drop) => cut(),
        Some(Fault::DieAfter(_)) => {
            shared.die();
            cut()
        }
        Some(Fault::Status(status)) => Refusal::new(*status, "Scripted").into_response(),
        Some(Fault::TooMany { retry_after }) => too_many(millis(*retry_after)),
        None | Some(Fault::Slow(_) | Fault::Lie | Fault::DropAfter) => {
            if let Some(Fault::Slow(by)) = &met {
                let until = shared.clock.now().saturating_add(millis(*by));
                shared.clock.reached(Some(until)).await;
            }
            if let Some(Fault::Lie) = &met {
                parts.extensions.insert(Lie);
            }
            match refused(&shared, &path, &parts.headers) {
                // It died meanwhile.
                _ if shared.is_dead() => cut(),
                Some(refused) => refused,
                None => next.run(Request::from_parts(parts, Body::from(body))).await,
            }
        }
    };
    if let Some(Fault::DropAfter) = &met {
        response = cut();
    }
    let mut state = shared.lock();
    let is_cut = response.extensions().get::<Cut>().is_some();
    if let Some(seen) = state.requests.get_mut(number) {
        seen.status = (!is_cut).then(|| response.status().as_u16());
        state.version += 1;
    }
    if let Some(refusal) = response.extensions().get::<Refusal>() {
        let trace = query.split('&').any(|it| it == "trace=true");
        let body = refusal.body(state.now, &path, trace).to_string();
        let json = HeaderValue::from_static("application/json");
        response.headers_mut().insert(header::CONTENT_TYPE, json);
        *response.body_mut() = Body::from(body);
    }
    response
}

fn note(state: &mut state::State, method: &str, path: &str, query: &str, body: &Bytes) -> usize {
    let body = match serde_json::from_slice(body) {
        Ok(body) => body,
        Err(_) if body.is_empty() => Value::Null,
        Err(_) => String::from_utf8_lossy(body).into(),
    };
    state.version += 1;
    state.requests.push(Seen {
        method: method.to_owned(),
        path: path.to_owned(),
        query: query.to_owned(),
        body,
        status: None,
    });
    state.requests.len() - 1
}

/// Whoever asks too often, or does not know the password. That of a websocket is checked where it is opened.
fn refused(shared: &Shared, path: &str, headers: &HeaderMap) -> Option<Response> {
    let mut state = shared.lock();
    let wait = limit(&mut state);
    if wait > 0 {
        return Some(too_many(wait));
    }
    if path == "/v4/websocket" && !shared.options.version.starts_with("3.") {
        return None;
    }
    let status = match headers.get(header::AUTHORIZATION) {
        Some(given) if *given == shared.options.password.as_str() => return None,
        Some(_) => StatusCode::FORBIDDEN,
        None => StatusCode::UNAUTHORIZED,
    };
    Some(status.into_response())
}

/// For how many milliseconds more nothing is granted.
fn limit(state: &mut state::State) -> u64 {
    let Some(limit) = state.oddities.rate_limit else {
        return 0;
    };
    let now = state.now;
    if state.blocked_until > now {
        return state.blocked_until - now;
    }
    let window = millis(limit.window);
    state.lately.retain(|at| at + window > now);
    if state.lately.len() < limit.requests {
        state.lately.push_back(now);
        return 0;
    }
    state.lately.clear();
    state.blocked_until = now + millis(limit.block);
    millis(limit.block)
}

fn too_many(wait: u64) -> Response {
    let seconds = HeaderValue::from(wait.div_ceil(1_000));
    let mut response = Refusal::new(429, "Too many requests").into_response();
    response.headers_mut().insert(header::RETRY_AFTER, seconds);
    response
}

fn cut() -> Response {
    let mut response = StatusCode::SERVICE_UNAVAILABLE.into_response();
    response.extensions_mut().insert(Cut);
    response
}
