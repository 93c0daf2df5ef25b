//! Loading a snapshot into a running player, whole or by component.

use std::str::FromStr;

use dalsegno::{Error, ErrorKind, Result};
use serde::Serialize;
use serde_json::Value;

use super::{Player, State};
use crate::blocking::blocking;
use crate::event::Happened;
use crate::restore::Wanted;

/// A part of a player's state that can be restored by itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Component {
    /// The upcoming tracks and the history.
    Queue,
    /// The current track and where it was.
    Current,
    /// The filters.
    Filters,
    /// What plays when the queue is over.
    Autoplay,
    /// Volume, pause, loop, shuffle, the guild's settings, the states of plugins.
    Settings,
}

impl Component {
    /// All of them.
    pub const ALL: [Self; 5] = [
        Self::Queue,
        Self::Current,
        Self::Filters,
        Self::Autoplay,
        Self::Settings,
    ];

    /// Its word.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Queue => "queue",
            Self::Current => "current",
            Self::Filters => "filters",
            Self::Autoplay => "autoplay",
            Self::Settings => "settings",
        }
    }

    /// The components of these words: of none, all; `player` is `current` and `settings`.
    ///
    /// # Errors
    /// `InvalidInput` for another word, naming those that there are.
    pub fn parse<'a>(words: impl IntoIterator<Item = &'a str>) -> Result<Vec<Self>> {
        let mut components = Vec::new();
        for word in words {
            match word {
                "player" => components.extend([Self::Current, Self::Settings]),
                word => components.push(word.parse()?),
            }
        }
        Ok(if components.is_empty() {
            Self::ALL.to_vec()
        } else {
            components
        })
    }
}

impl Component {
    /// Those of `components` that the snapshot `data` has: what it does not have stays as it is.
    ///
    /// # Errors
    /// `InvalidInput` where it has none of them.
    pub fn present(data: &Value, components: &[Self]) -> Result<Vec<Self>> {
        let has = |name: &str| data.get(name).is_some_and(|part| !part.is_null());
        let is_there = |component: &Self| match component {
            Self::Queue | Self::Current => has("queue"),
            Self::Filters => has("filters"),
            Self::Autoplay => has("autoplay"),
            Self::Settings => has("player") || has("settings") || has("plugins"),
        };
        let there: Vec<Self> = components.iter().copied().filter(is_there).collect();
        if there.is_empty() {
            let words: Vec<_> = components.iter().map(|it| it.as_str()).collect();
            return Err(Error::new(
                ErrorKind::InvalidInput,
                format!(
                    "this snapshot has no {} that could be restored",
                    words.join(", ")
                ),
            ));
        }
        Ok(there)
    }
}

impl FromStr for Component {
    type Err = Error;

    fn from_str(word: &str) -> Result<Self> {
        Self::ALL.into_iter().find(|it| it.as_str() == word).ok_or_else(|| {
            let known = Self::ALL.map(Self::as_str).join(", ");
            Error::new(
                ErrorKind::InvalidInput,
                format!("{word:?} is no component of a player; there are {known}, and player for current and settings"),
            )
        })
    }
}

/// What was restored, as it then was.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[non_exhaustive]
pub struct LoadedPlayer {
    /// The guild.
    pub guild: u64,
    /// What of that which was asked for the snapshot had: the rest is as it was.
    pub components: Vec<Component>,
    /// The title of the track that plays now.
    pub current: Option<String>,
    /// Where it plays, in milliseconds.
    pub position: u64,
    /// How many tracks are upcoming.
    pub upcoming: usize,
    /// How many tracks the history has.
    pub history: usize,
    /// Whether the node has its voice connection: without one, nobody hears it.
    pub connected: bool,
    /// What could not be restored, and why: states of plugins. All else was.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub failed: Vec<String>,
}

impl Player {
    /// Makes these components of this player what the snapshot `data` says: on its node first, which is read back
    /// until it holds. All of it is done, or nothing.
    ///
    /// # Errors
    /// `InvalidInput` where `data` is no player's; of the node; `Conflict` where the node does not hold it. The
    /// player is as it was.
    pub async fn load(&self, data: &Value, components: &[Component]) -> Result<LoadedPlayer> {
        let (wanted, _) = State::read(data)?;
        let components = Component::present(data, components)?;
        let turn = self.free_turn().await?;
        let done = self.replace_with(wanted, &components).await;
        drop(turn);
        if let Err(error) = &done {
            self.note_failed(components, error.clone()).await;
        }
        done
    }

    /// Has the log say that a restore failed, where the player is kept.
    pub(crate) async fn note_failed(&self, components: Vec<Component>, error: Error) {
        let Some(note) = self.world().ok().and_then(|world| world.note()) else {
            return;
        };
        let player = self.clone();
        if let Err(error) = blocking(move || note(&player, &components, &error)).await {
            let error = error.context("the log could not be told of a restore that failed");
            self.happened(Happened::Failed(error.to_string()));
        }
    }

    /// As [`load`](Player::load), while it stands still for that.
    pub(crate) async fn load_still(
        &self,
        data: &Value,
        components: &[Component],
    ) -> Result<LoadedPlayer> {
        let (wanted, _) = State::read(data)?;
        let components = Component::present(data, components)?;
        let _turn = self.turn().await;
        self.replace_with(wanted, &components).await
    }

    /// Stopped, lists empty, volume 100, unpaused, no filters, no loop.
    ///
    /// # Errors
    /// Of the node; then the player is as it was.
    pub async fn reset(&self) -> Result<LoadedPlayer> {
        let _turn = self.free_turn().await?;
        self.replace_with(State::default(), &Component::ALL).await
    }

    async fn replace_with(&self, wanted: State, components: &[Component]) -> Result<LoadedPlayer> {
        let has = |component| components.contains(&component);
        let position = has(Component::Current).then(|| wanted.position());
        let apply = |state: &mut State| apply(state, &wanted, components);
        let of_node = [Component::Current, Component::Filters, Component::Settings];
        if of_node.into_iter().any(has) {
            let mut state = self.state();
            apply(&mut state);
            self.put(
                Wanted {
                    state,
                    position,
                    voice: None,
                },
                apply,
            )
            .await?;
        } else {
            apply(&mut self.locked());
        }
        let failed = if has(Component::Settings) {
            self.load_plugins()
        } else {
            Vec::new()
        };
        self.changed(Some("restore"));
        let state = self.state();
        Ok(LoadedPlayer {
            guild: self.guild(),
            components: components.to_vec(),
            current: state
                .queue
                .current
                .as_ref()
                .map(|track| track.info.title.clone()),
            position: state.position(),
            upcoming: state.queue.upcoming.len(),
            history: state.queue.history.len(),
            connected: state.connected,
            failed,
        })
    }

    fn load_plugins(&self) -> Vec<String> {
        let states = self.locked().plugins.clone();
        match self.world() {
            Ok(world) => world.plugins.load(self.guild(), &states),
            Err(_) => Vec::new(),
        }
    }
}

/// Puts these components of `wanted` into a state.
pub(crate) fn apply(state: &mut State, wanted: &State, components: &[Component]) {
    for component in components {
        match component {
            Component::Queue => {
                // Its limit, and what else was stored with it, come as well.
                let before = std::mem::replace(&mut state.queue, wanted.queue.clone());
                state.queue.current = before.current;
                state.queue.loop_mode = before.loop_mode;
                state.queue.shuffle_enabled = before.shuffle_enabled;
            }
            Component::Current => {
                state.queue.current.clone_from(&wanted.queue.current);
                state.end_time = wanted.end_time;
                state.place = wanted.place;
            }
            Component::Filters => state.filters = wanted.filters.clone(),
            Component::Autoplay => state.autoplay = wanted.autoplay.clone(),
            Component::Settings => {
                state.volume = wanted.volume;
                state.paused = wanted.paused;
                state.queue.loop_mode = wanted.queue.loop_mode;
                state.queue.shuffle_enabled = wanted.queue.shuffle_enabled;
                state.settings.clone_from(&wanted.settings);
                state.other.clone_from(&wanted.other);
                state.plugins.clone_from(&wanted.plugins);
            }
        }
    }
    state.failures = 0;
}
