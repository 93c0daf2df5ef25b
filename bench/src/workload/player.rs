//! The shape of a player's snapshot: Sonora's names, Lavalink's values.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::random::Dice;
use super::track::Track;

/// Tracks a history keeps.
pub const HISTORY: usize = 50;

/// A guild's player at one moment.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[expect(missing_docs, reason = "the names are Sonora's")]
pub struct QueueState {
    pub guild_id: String,
    pub timestamp: f64,
    pub version: String,
    pub player: Player,
    pub queue: Queue,
    pub filters: Filters,
    pub autoplay: Autoplay,
    pub plugins: BTreeMap<String, PluginState>,
    pub guild_settings: GuildSettings,
}

/// What the node plays and how.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[expect(missing_docs, reason = "the names are Sonora's")]
pub struct Player {
    pub volume: u16,
    pub paused: bool,
    pub position: u64,
    pub connected: bool,
    pub session_id: String,
}

/// What was, is and will be played.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[expect(missing_docs, reason = "the names are Sonora's")]
pub struct Queue {
    pub current: Option<Track>,
    pub upcoming: Vec<Track>,
    pub history: Vec<Track>,
    pub loop_mode: String,
    pub shuffle_enabled: bool,
}

/// The filters that are on, and the parameters of all that were ever set.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[expect(missing_docs, reason = "the names are Sonora's")]
pub struct Filters {
    pub active_filters: Vec<String>,
    pub filter_config: FilterConfig,
}

/// Parameters of the filters this workload uses.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[expect(missing_docs, reason = "the names are Lavalink's")]
pub struct FilterConfig {
    pub equalizer: Vec<Band>,
    pub timescale: Timescale,
    pub low_pass: LowPass,
}

/// One band of the equaliser.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[expect(missing_docs, reason = "the names are Lavalink's")]
pub struct Band {
    pub band: u8,
    pub gain: f64,
}

/// Speed and pitch.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[expect(missing_docs, reason = "the names are Lavalink's")]
pub struct Timescale {
    pub speed: f64,
    pub pitch: f64,
    pub rate: f64,
}

/// Damping of high tones.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[expect(missing_docs, reason = "the names are Lavalink's")]
pub struct LowPass {
    pub smoothing: f64,
}

/// What plays when the queue is empty.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[expect(missing_docs, reason = "the names are Sonora's")]
pub struct Autoplay {
    pub enabled: bool,
    pub strategy: String,
    pub fallback_playlist: String,
    pub max_history: u32,
    pub smart_shuffle: bool,
}

/// What a plugin of the bot remembers.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[expect(missing_docs, reason = "plain settings")]
pub struct PluginState {
    pub enabled: bool,
    pub version: String,
    pub options: BTreeMap<String, String>,
}

/// What the guild's admins have set.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[expect(missing_docs, reason = "plain settings")]
pub struct GuildSettings {
    pub prefix: String,
    pub dj_role: String,
    pub announce_channel: String,
    pub vote_skip_ratio: f64,
    pub max_queue_length: u32,
    pub language: String,
}

/// A connected player with `current` playing and nothing else in its lists.
#[must_use]
pub fn idle(dice: &mut Dice, current: Option<Track>) -> QueueState {
    let plugin = |version: &str, options: &[(&str, &str)]| PluginState {
        enabled: true,
        version: version.to_owned(),
        options: options
            .iter()
            .map(|&(k, v)| (k.to_owned(), v.to_owned()))
            .collect(),
    };
    let skip = [("categories", "sponsor,intro,outro"), ("announce", "no")];
    let lyrics = [("provider", "auto"), ("language", "en")];
    QueueState {
        guild_id: dice.snowflake(),
        timestamp: 0.0,
        version: "1.2.8".to_owned(),
        player: Player {
            volume: 80,
            paused: false,
            position: dice.between(0, 140_000),
            connected: true,
            session_id: dice.hex(16),
        },
        queue: Queue {
            current,
            upcoming: Vec::new(),
            history: Vec::new(),
            loop_mode: "queue".to_owned(),
            shuffle_enabled: false,
        },
        filters: Filters {
            active_filters: Vec::new(),
            filter_config: FilterConfig {
                equalizer: (0..15).map(|band| Band { band, gain: 0.0 }).collect(),
                timescale: Timescale {
                    speed: 1.0,
                    pitch: 1.0,
                    rate: 1.0,
                },
                low_pass: LowPass { smoothing: 20.0 },
            },
        },
        autoplay: Autoplay {
            enabled: true,
            strategy: "similar_artist".to_owned(),
            fallback_playlist: "global_fallback".to_owned(),
            max_history: HISTORY as u32,
            smart_shuffle: true,
        },
        plugins: BTreeMap::from([
            ("lyrics".to_owned(), plugin("2.1.0", &lyrics)),
            ("sponsorskip".to_owned(), plugin("0.9.4", &skip)),
        ]),
        guild_settings: GuildSettings {
            prefix: "!".to_owned(),
            dj_role: dice.snowflake(),
            announce_channel: dice.snowflake(),
            vote_skip_ratio: 0.55,
            max_queue_length: 500,
            language: "en".to_owned(),
        },
    }
}
