//! Capturing a player.

use dalsegno::{Engine, Kind, Request, Result, Save};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::{read, to_json};
use crate::player::Player;

/// What [`SAVE`](crate::SAVE) is asked with.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Saving {
    /// The snapshot's name.
    pub name: Option<String>,
    /// Its label.
    pub label: Option<String>,
    /// Its description.
    pub description: Option<String>,
    /// Its tags.
    pub tags: Vec<String>,
    /// What else is kept with it.
    pub metadata: Map<String, Value>,
    /// Whether no retention deletes it.
    pub pinned: bool,
}

/// What [`SAVE`](crate::SAVE) answers: what was really captured.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct SavedPlayer {
    /// The guild.
    pub guild: u64,
    /// The snapshot, as the engine tells of it.
    pub snapshot: Value,
    /// How many tracks: the current one and those upcoming.
    pub tracks: usize,
    /// How many tracks the history has.
    pub history: usize,
    /// The title of the track that plays.
    pub current: Option<String>,
    /// Where it is, in milliseconds.
    pub position: u64,
    /// Why this is how it was, and not known to be what plays, where that is so: its node does not answer, or did not
    /// do what it was told.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub still: Option<String>,
}

pub(crate) fn save(engine: &Engine, player: &Player, request: &Request) -> Result<Value> {
    let saving: Saving = read(request)?;
    let (state, position, document) = player.captured()?;
    let still = player.doubt();
    let mut save = engine
        .save_document(&request.session, document)
        .kind(Kind::Manual);
    if let Some(name) = saving.name {
        save = save.name(name);
    }
    if let Some(label) = saving.label {
        save = save.label(label);
    }
    if let Some(description) = saving.description {
        save = save.description(description);
    }
    save = saving.tags.into_iter().fold(save, Save::tag);
    for (key, value) in saving.metadata {
        save = save.meta(key, value);
    }
    if saving.pinned {
        save = save.pin();
    }
    if let Some(words) = player.take_said() {
        save = save.intent(words);
    }
    let snapshot = save.commit()?;
    let current = &state.queue.current;
    to_json(&SavedPlayer {
        guild: player.guild(),
        snapshot: to_json(&snapshot)?,
        tracks: usize::from(current.is_some()) + state.queue.upcoming.len(),
        history: state.queue.history.len(),
        current: current.as_ref().map(|track| track.info.title.clone()),
        position,
        still,
    })
}
