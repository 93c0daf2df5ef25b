//! The verbs of a bot, which other programs ask for: they work on what plays now.

use dalsegno::{Document, Engine, Error, ErrorKind, Kind, Request, Result, Save, Snapshot};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use crate::player::{Component, LoadedPlayer, Player, State};

/// Captures the player now, as a snapshot: [`Saving`] in, [`SavedPlayer`] out.
pub const SAVE: &str = "sonora.save";
/// Puts a snapshot's state on the node, and makes it the newest: [`Restoring`] in, [`RestoredPlayer`] out.
pub const RESTORE: &str = "sonora.restore";
/// What plays, and what will: nothing in, [`LiveQueue`] out.
pub const QUEUE: &str = "sonora.queue";
/// The document of the player as it is now: nothing in.
pub const STATE: &str = "sonora.state";

/// All of them.
pub(crate) const VERBS: [&str; 4] = [SAVE, RESTORE, QUEUE, STATE];

/// How many upcoming tracks an answer names.
const SHOWN: usize = 100;

/// What [`SAVE`] is asked with.
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

/// What [`SAVE`] answers: what was really captured.
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
}

/// What [`RESTORE`] is asked with.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Restoring {
    /// A reference to the snapshot. Of another guild's, neither the session of its node nor its channel is taken.
    pub from: String,
    /// The words of the components to restore; none: all.
    #[serde(default)]
    pub components: Vec<String>,
}

/// What [`RESTORE`] answers: what the node was read back to hold.
#[derive(Debug, Clone, Serialize)]
pub struct RestoredPlayer {
    /// What was restored.
    #[serde(flatten)]
    pub loaded: LoadedPlayer,
    /// The snapshot that it was restored from.
    pub from: Snapshot,
    /// The newest state now.
    pub head: Option<Snapshot>,
    /// Why it could not be stored, where that is so: the player plays it all the same, and is saved as it plays.
    pub not_stored: Option<String>,
}

/// What [`QUEUE`] answers.
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
        })
    }
}

pub(crate) fn save(engine: &Engine, player: &Player, request: &Request) -> Result<Value> {
    let saving: Saving = read(request)?;
    let state = player.state();
    let position = state.position();
    let mut save = engine
        .save_document(&request.session, player.document()?)
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
    })
}

/// Restores on the node first: where that fails, nothing is recorded but what was before.
pub(crate) async fn restore(engine: &Engine, player: &Player, request: &Request) -> Result<Value> {
    let Restoring { from, components } = read(request)?;
    let components = Component::parse(components.iter().map(String::as_str))?;
    let stored = engine.restore(&from)?;
    let data: Value = stored.to()?;
    player
        .freeze(&format!("is restored for {}; try again", request.by))
        .await;
    let done = async {
        let before = player.document()?;
        let keep = |document: Document, label: String| {
            let save = engine.save_document(&request.session, document);
            let said = player.take_said().unwrap_or_else(|| "restore".to_owned());
            save.kind(Kind::Safety).label(label).intent(said).commit()
        };
        let label = format!("before the restore of {}", stored.snapshot().id);
        keep(before.clone(), label.clone())?;
        let loaded = player.load_still(&data, &components).await?;
        // Once more on top, so that undo leads back there, and redo to what was restored.
        let wanted = keep(player.document()?, "restored".to_owned());
        let head = wanted.and_then(|wanted| {
            keep(before, label)?;
            engine.put_back(&wanted.id.to_string()).apply()
        });
        Ok((loaded, head))
    };
    let (loaded, head) = match done.await {
        Ok(done) => done,
        Err(error) => {
            player.thaw().await;
            return Err(error);
        }
    };
    player.move_on();
    let (head, not_stored) = match head {
        Ok(report) => (report.head, None),
        Err(error) => (None, Some(error.to_string())),
    };
    to_json(&RestoredPlayer {
        loaded,
        from: stored.snapshot().clone(),
        head,
        not_stored,
    })
}

pub(crate) fn queue(player: &Player) -> Result<Value> {
    let node = player.whereabouts().node;
    to_json(&LiveQueue::of(player.guild(), &player.state(), node)?)
}

pub(crate) fn state(player: &Player) -> Result<Value> {
    let text = player.document()?.to_text();
    serde_json::from_slice(&text).map_err(|e| {
        Error::new(ErrorKind::InvalidInput, "the player's state is no JSON").with_source(e)
    })
}

fn read<T: DeserializeOwned>(request: &Request) -> Result<T> {
    let none = json!({});
    let given = if request.arguments.is_null() {
        &none
    } else {
        &request.arguments
    };
    T::deserialize(given).map_err(|e| {
        let message = format!("the arguments of {}: {e}", request.verb);
        Error::new(ErrorKind::InvalidInput, message)
    })
}

fn to_json<T: Serialize>(value: &T) -> Result<Value> {
    serde_json::to_value(value).map_err(|e| {
        Error::new(ErrorKind::Storage, "the answer cannot be written as JSON").with_source(e)
    })
}
