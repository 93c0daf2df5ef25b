//! How a node is to be.

use std::time::Duration;

use crate::catalogue::Catalogue;
use crate::clock::Clock;
use crate::oddities::Oddities;

/// How a node is to be. The default is an official server of version 4.2.2 on a free port, by the machine's clock, with
/// a hundred tracks of three minutes, `track-0` to `track-99`.
#[derive(Clone, Debug)]
pub struct Options {
    /// Its password.
    pub password: String,
    /// Its port on 127.0.0.1; 0 for one that is free.
    pub port: u16,
    /// What it takes for the time.
    pub clock: Clock,
    /// Its version. A node of version 3 has none of what version 4 has.
    pub version: String,
    /// What it can find.
    pub catalogue: Catalogue,
    /// How it joins voice channels.
    pub voice: Voice,
    /// How often it tells of each player that plays.
    pub player_update: Duration,
    /// How often it tells of itself.
    pub stats: Duration,
    /// What it does otherwise than the official server.
    pub oddities: Oddities,
}

/// How a node joins voice channels.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Voice {
    /// It takes any credentials and is connected at once.
    #[default]
    Trusted,
    /// It connects to the endpoint that it is given, over `ws://` and UDP.
    Real,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            password: "youshallnotpass".into(),
            port: 0,
            clock: Clock::Real,
            version: "4.2.2".into(),
            catalogue: Catalogue::numbered(100, 180_000),
            voice: Voice::Trusted,
            player_update: Duration::from_secs(5),
            stats: Duration::from_secs(60),
            oddities: Oddities::default(),
        }
    }
}

impl Options {
    /// A node of version 3.
    #[must_use]
    pub fn v3() -> Self {
        Self {
            version: "3.7.13".into(),
            ..Self::default()
        }
    }
}

/// Whole milliseconds.
pub(crate) fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}
