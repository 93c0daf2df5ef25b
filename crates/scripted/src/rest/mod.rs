//! What a node answers over HTTP.

mod about;
mod answer;
mod apply;
mod gate;
mod players;
mod refusal;
mod tracks;

use std::sync::Arc;

use axum::Router;
use axum::middleware::from_fn_with_state;
use axum::routing::{get, patch, post};

pub(crate) use gate::Cut;
use refusal::Refusal;

use crate::shared::Shared;
use crate::socket;

pub(crate) fn router(shared: &Arc<Shared>) -> Router {
    let router = Router::new().route("/version", get(about::version));
    let router = match shared.options.version.starts_with("3.") {
        true => router,
        false => router
            .route("/v4/info", get(about::info))
            .route("/v4/stats", get(about::stats))
            .route("/v4/routeplanner/status", get(about::route_planner))
            .route("/v4/loadtracks", get(tracks::load))
            .route("/v4/decodetrack", get(tracks::decode_one))
            .route("/v4/decodetracks", post(tracks::decode_all))
            .route("/v4/sessions/{session}", patch(players::update_session))
            .route("/v4/sessions/{session}/players", get(players::list))
            .route(
                "/v4/sessions/{session}/players/{guild}",
                get(players::show)
                    .patch(players::update)
                    .delete(players::remove),
            )
            .route("/v4/websocket", get(socket::open)),
    };
    router
        .fallback(async || Refusal::new(404, "Not Found"))
        .method_not_allowed_fallback(async || Refusal::new(405, "Method not allowed"))
        .layer(from_fn_with_state(Arc::clone(shared), gate::pass))
        .with_state(Arc::clone(shared))
}
