//! What a node needs to speak in a voice channel.

use std::fmt;

use serde::Serialize;

/// A voice connection as Discord's gateway gave it. It is never stored: after a restart the gateway gives a new one.
#[derive(Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct VoiceServer {
    /// Discord's token for this connection: a secret.
    pub token: String,
    /// Where the voice server is.
    pub endpoint: String,
    /// Discord's id of the voice session.
    pub session_id: String,
    /// The channel.
    pub channel_id: String,
}

impl VoiceServer {
    /// From what the events `VOICE_STATE_UPDATE` and `VOICE_SERVER_UPDATE` say.
    pub fn new(
        channel: u64,
        session_id: impl Into<String>,
        token: impl Into<String>,
        endpoint: impl Into<String>,
    ) -> Self {
        Self {
            token: token.into(),
            endpoint: endpoint.into(),
            session_id: session_id.into(),
            channel_id: channel.to_string(),
        }
    }

    /// The channel's number, where it is one.
    #[must_use]
    pub fn channel(&self) -> Option<u64> {
        self.channel_id.parse().ok()
    }
}

impl fmt::Debug for VoiceServer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "VoiceServer({} in {})", self.endpoint, self.channel_id)
    }
}
