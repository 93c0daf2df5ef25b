//! Discord's side of a voice connection, and the node's.

mod client;
mod discovery;
mod endpoint;
mod gateway;

use serde::Deserialize;

pub(crate) use client::join;
pub use endpoint::VoiceEndpoint;

/// How audio would be encrypted; there is none.
const MODES: [&str; 2] = ["aead_aes256_gcm_rtpsize", "aead_xchacha20_poly1305_rtpsize"];

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
