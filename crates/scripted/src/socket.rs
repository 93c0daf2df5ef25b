//! The websocket that a client is told of its players over.

use std::sync::Arc;

use axum::extract::ws::{Message, WebSocket, WebSocketUpgrade};
use axum::extract::{FromRequestParts, Request, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use tokio::sync::mpsc::unbounded_channel;

use crate::session::{Out, Socket};
use crate::shared::Shared;

pub(crate) async fn open(State(shared): State<Arc<Shared>>, request: Request) -> Response {
    let (mut parts, _) = request.into_parts();
    let user = match user(&shared, &parts.headers) {
        Ok(user) => user,
        Err(refused) => return refused.into_response(),
    };
    let upgrade = match WebSocketUpgrade::from_request_parts(&mut parts, &()).await {
        Ok(upgrade) => upgrade,
        Err(refused) => return refused.into_response(),
    };
    let resumed = text(&parts.headers, "session-id").map(str::to_owned);
    let resumed = resumed.filter(|it| shared.lock().resumable(it));
    let says = HeaderValue::from_static(if resumed.is_some() { "true" } else { "false" });
    let mut response = upgrade.on_upgrade(move |socket| serve(shared, socket, user, resumed));
    response.headers_mut().insert("session-resumed", says);
    response
}

fn text<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    headers
        .get(name)
        .and_then(|it| it.to_str().ok())
        .filter(|it| !it.is_empty())
}

/// The bot that connects.
fn user(shared: &Shared, headers: &HeaderMap) -> Result<u64, StatusCode> {
    if text(headers, header::AUTHORIZATION.as_str()) != Some(&shared.options.password) {
        return Err(StatusCode::UNAUTHORIZED);
    }
    let user = text(headers, "user-id").and_then(|it| it.parse().ok());
    let named = text(headers, "client-name").is_some();
    user.filter(|it| *it > 0 && named)
        .ok_or(StatusCode::BAD_REQUEST)
}

async fn serve(shared: Arc<Shared>, mut socket: WebSocket, user: u64, resumed: Option<String>) {
    let (out, mut outgoing) = unbounded_channel();
    let (number, session) = {
        let mut state = shared.lock();
        let number = state.number();
        (number, state.connect(resumed, user, Socket { number, out }))
    };
    loop {
        tokio::select! {
            // What is to be told comes before the answer to a ping.
            biased;
            said = outgoing.recv() => match said {
                Some(Out::Text(text)) => {
                    if socket.send(Message::Text(text.into())).await.is_err() {
                        break;
                    }
                }
                Some(Out::Cut) | None => return,
            },
            // Clients have said nothing over the websocket since version 4.
            heard = socket.recv() => match heard {
                Some(Ok(Message::Close(_)) | Err(_)) | None => break,
                Some(Ok(_)) => {}
            },
        }
    }
    shared.lock().disconnect(&session, number);
}
