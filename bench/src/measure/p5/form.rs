//! The game as three programs hold it: in shared structures, in plain ones, as a JSON value.

use std::collections::BTreeMap;
use std::sync::Arc;

use anyhow::{Context, Result};
use dalsegno::List;
use serde_json::Value;

use crate::workload::game::{Entry, GameState, Metadata, Played};

/// A session that a turn is played in.
pub(crate) trait Session: Clone {
    /// The game as this program holds it.
    fn of(state: &GameState) -> Result<Self>;

    /// What the turn makes of it.
    fn play(&mut self, turn: &Played) -> Result<()>;

    /// Its turn.
    fn turn(&self) -> i64;
}

/// In shared structures: a clone takes the same time however long the conversation is.
#[derive(Debug, Clone)]
pub(crate) struct Shared {
    turn_count: u32,
    conversation_history: List<Entry>,
    active_agents: Arc<BTreeMap<String, String>>,
    metadata: Arc<Metadata>,
    /// What no turn changes; its conversation is empty.
    _rest: Arc<GameState>,
}

impl Session for Shared {
    fn of(state: &GameState) -> Result<Self> {
        let rest = GameState {
            conversation_history: Vec::new(),
            ..state.clone()
        };
        Ok(Self {
            turn_count: state.turn_count,
            conversation_history: state.conversation_history.iter().cloned().collect(),
            active_agents: Arc::new(state.active_agents.clone()),
            metadata: Arc::new(state.metadata.clone()),
            _rest: Arc::new(rest),
        })
    }

    fn play(&mut self, turn: &Played) -> Result<()> {
        self.turn_count = turn.turn_count;
        for entry in &turn.entries {
            self.conversation_history.push_back(entry.clone());
        }
        self.active_agents = Arc::new(turn.active_agents.clone());
        self.metadata = Arc::new(turn.metadata.clone());
        Ok(())
    }

    fn turn(&self) -> i64 {
        self.turn_count.into()
    }
}

impl Session for GameState {
    fn of(state: &GameState) -> Result<Self> {
        Ok(state.clone())
    }

    fn play(&mut self, turn: &Played) -> Result<()> {
        self.turn_count = turn.turn_count;
        self.conversation_history.extend_from_slice(&turn.entries);
        self.active_agents.clone_from(&turn.active_agents);
        self.metadata = turn.metadata.clone();
        Ok(())
    }

    fn turn(&self) -> i64 {
        self.turn_count.into()
    }
}

impl Session for Value {
    fn of(state: &GameState) -> Result<Self> {
        Ok(serde_json::to_value(state)?)
    }

    fn play(&mut self, turn: &Played) -> Result<()> {
        let history = self["conversation_history"].as_array_mut();
        let history = history.context("a game has a conversation")?;
        for entry in &turn.entries {
            history.push(serde_json::to_value(entry)?);
        }
        self["turn_count"] = turn.turn_count.into();
        self["active_agents"] = serde_json::to_value(&turn.active_agents)?;
        self["metadata"] = serde_json::to_value(&turn.metadata)?;
        Ok(())
    }

    fn turn(&self) -> i64 {
        self["turn_count"].as_i64().unwrap_or_default()
    }
}
