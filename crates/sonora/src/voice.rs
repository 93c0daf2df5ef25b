//! How a bot joins a voice channel.

use std::future::Future;
use std::pin::Pin;

use dalsegno::Result;

use crate::lavalink::VoiceServer;

/// A future that is given away.
pub type Waiting<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// A bot's connection to Discord: it joins voice channels, and gives what a node needs to speak there.
pub trait Voice: Send + Sync {
    /// Joins `channel` of `guild`: asks Discord's gateway, and waits for its two answers. After a crash that comes for
    /// all guilds at once: how fast the gateway may be asked is for this to know.
    ///
    /// # Errors
    /// `NotFound` where the channel is gone, `Denied` where the bot may not join it; of that guild alone.
    fn join(&self, guild: u64, channel: u64) -> Waiting<'_, Result<VoiceServer>>;
}
