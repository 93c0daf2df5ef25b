//! What plays, and what will.

use dalsegno::{Restored, Result};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{document, to_json};
use crate::player::{Player, State, unreadable};

/// How many upcoming tracks an answer names.
const SHOWN: usize = 100;

/// What [`QUEUE`](crate::QUEUE) answers.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct LiveQueue {
    /// The guild.
    pub guild: u64,
    /// The title of the track that plays.
    pub current: Option<String>,
    /// Where it is, in milliseconds.
    pub position: u64,
    /// How long it is, in milliseconds; 0 where nobody knows.
    pub length: i64,
    /// Whether it pauses.
    pub paused: bool,
    /// The volume.
    pub volume: u16,
    /// How many tracks are upcoming.
    pub upcoming: usize,
    /// The titles of the first hundred of them.
    pub titles: Vec<String>,
    /// How many tracks the history has.
    pub history: usize,
    /// The loop.
    pub loop_mode: Value,
    /// Whether it is shuffled.
    pub shuffle: bool,
    /// The filters that are on.
    pub filters: Value,
    /// Whether autoplay is on.
    pub autoplay: bool,
    /// Whether the node has its voice connection.
    pub connected: bool,
    /// The node that it is on.
    pub node: Option<String>,
    /// Why this is how it was, and not known to be what plays, where that is so: something is being done to it, its node
    /// does not answer, or did not do what it was told.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub still: Option<String>,
}

impl LiveQueue {
    /// The same of a stored state.
    ///
    /// # Errors
    /// `InvalidInput` where it is no player's.
    pub fn read(guild: u64, data: &Value) -> Result<Self> {
        let (state, at) = State::read(data)?;
        Self::of(guild, &state, at.node)
    }

    /// The same of a snapshot, which is named where it cannot be read.
    ///
    /// # Errors
    /// As [`read`](LiveQueue::read).
    pub fn restored(guild: u64, restored: &Restored) -> Result<Self> {
        let data: Value = restored.to()?;
        Self::read(guild, &data).map_err(unreadable(restored.snapshot()))
    }

    fn of(guild: u64, state: &State, node: Option<String>) -> Result<Self> {
        let current = state.queue.current.as_ref();
        let upcoming = &state.queue.upcoming;
        Ok(Self {
            guild,
            current: current.map(|track| track.info.title.clone()),
            position: state.position(),
            length: current.map_or(0, |track| track.info.length),
            paused: state.paused,
            volume: state.volume,
            upcoming: upcoming.len(),
            titles: upcoming
                .iter()
                .take(SHOWN)
                .map(|it| it.info.title.clone())
                .collect(),
            history: state.queue.history.len(),
            loop_mode: to_json(&state.queue.loop_mode)?,
            shuffle: state.queue.shuffle_enabled,
            filters: state.filters.stored()["active_filters"].clone(),
            autoplay: state.autoplay.enabled,
            connected: state.connected,
            node,
            still: None,
        })
    }
}

pub(crate) fn queue(player: &Player) -> Result<Value> {
    let node = player.whereabouts().node;
    let mut queue = LiveQueue::of(player.guild(), &player.state(), node)?;
    queue.position = player.last_position();
    let still = player.check_moves().err().map(|it| it.to_string());
    queue.still = still.or_else(|| player.doubt());
    to_json(&queue)
}

pub(crate) fn state(player: &Player) -> Result<Value> {
    document(&player.document()?.to_text())
}
