//! What compatible servers do otherwise than the official one.

use std::time::Duration;

/// Oddities, each of which is off by default; then the node is as the official server.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[allow(clippy::struct_excessive_bools, reason = "each is switched by itself")]
pub struct Oddities {
    /// The list of players is `{"players": []}`.
    pub players_wrapped: bool,
    /// `userData` is forgotten.
    pub user_data_lost: bool,
    /// The equalizer is `{"bands": []}`, and always there.
    pub filters_nested: bool,
    /// Lengths are −1.
    pub length_unknown: bool,
    /// A player's `voice` is `null`.
    pub voice_null: bool,
    /// The version has no `build`.
    pub build_missing: bool,
    /// Asking for a player that there is not creates it.
    pub get_creates: bool,
    /// Objects have fields of no known meaning.
    pub unknown_fields: bool,
    /// A track that is to start paused is answered as such, and plays.
    pub plays_though_paused: bool,
    /// A track is accepted, and dropped without a word half a second later.
    pub track_dropped: bool,
    /// `encoded` stays as it was sent; the official server writes the position into it.
    pub encoded_stands_still: bool,
    /// A `playerUpdate` has no `position` while there is no voice connection.
    pub position_missing: bool,
    /// Too many requests are refused.
    pub rate_limit: Option<RateLimit>,
}

/// How many requests a node takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RateLimit {
    /// So many …
    pub requests: usize,
    /// … in such a time.
    pub window: Duration,
    /// Whoever sends more is refused for so long, with 429 and `Retry-After`.
    pub block: Duration,
}

impl Default for RateLimit {
    fn default() -> Self {
        Self {
            requests: 100,
            window: Duration::from_secs(10),
            block: Duration::from_secs(300),
        }
    }
}
