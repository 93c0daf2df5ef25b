//! Discord's side of a voice connection, and the node's.

use serde::Deserialize;

/// What Discord gives a bot that joins a voice channel, and the bot passes on to a node.
#[derive(Clone, Debug, Deserialize, PartialEq, Eq)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct VoiceServer {
    /// A secret.
    pub token: String,
    /// The host and port of the voice gateway.
    pub endpoint: String,
    /// The bot's voice session.
    pub session_id: String,
    /// The channel.
    pub channel_id: String,
}

use std::sync::Arc;

use crate::options::Voice;
use crate::shared::Shared;

/// Joins a voice channel, unless the player is in it with the same credentials.
///
/// # Errors
/// Where nobody listens at the endpoint.
pub(crate) async fn join(
    shared: &Arc<Shared>,
    session: &str,
    guild: u64,
    server: &VoiceServer,
) -> Result<(), ()> {
    let mut state = shared.lock();
    state.change(session, guild, |player, now| {
        if player.connected && player.voice.as_ref() == Some(server) {
            return;
        }
        player.disconnect(now);
        player.voice = Some(server.clone());
        player.set_connected(shared.options.voice == Voice::Trusted, now);
        player.news.push(crate::events::News::Update);
    });
    Ok(())
}
