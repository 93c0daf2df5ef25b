//! Plugins of a bot, whose states are part of a player's snapshots.

use std::collections::BTreeMap;
use std::sync::Arc;

use dalsegno::Result;
use serde_json::{Map, Value, json};

/// Something of a bot that keeps a state for each guild.
pub trait Plugin: Send + Sync {
    /// What it is called in snapshots.
    fn name(&self) -> &str;

    /// The version of its states.
    fn version(&self) -> &str;

    /// Its state of a guild; nothing where it has none.
    ///
    /// # Errors
    /// Whatever it says: the snapshot keeps the state that was loaded last.
    fn save(&self, guild: u64) -> Result<Option<Value>>;

    /// Goes on with a state of a guild that `version` of it saved.
    ///
    /// # Errors
    /// Whatever it says: whoever restores is told, and all else is restored.
    fn load(&self, guild: u64, version: &str, state: &Value) -> Result<()>;
}

/// The plugins of a bot.
#[derive(Clone, Default)]
pub(crate) struct Plugins(BTreeMap<String, Arc<dyn Plugin>>);

impl Plugins {
    pub(crate) fn of(plugins: Vec<Arc<dyn Plugin>>) -> Self {
        Self(
            plugins
                .into_iter()
                .map(|it| (it.name().to_owned(), it))
                .collect(),
        )
    }

    /// Puts their states into `states`. What is of none of them stays as it was.
    pub(crate) fn save(&self, guild: u64, states: &mut Map<String, Value>) {
        for (name, plugin) in &self.0 {
            match plugin.save(guild) {
                Ok(Some(state)) => {
                    let state = json!({"version": plugin.version(), "state": state});
                    states.insert(name.clone(), state);
                }
                Ok(None) => {
                    states.remove(name);
                }
                Err(_) => {}
            }
        }
    }

    /// Has each go on with its state. Answers which could not, and why.
    pub(crate) fn load(&self, guild: u64, states: &Map<String, Value>) -> Vec<String> {
        let failed = states.iter().filter_map(|(name, kept)| {
            let plugin = self.0.get(name)?;
            let version = kept["version"].as_str().unwrap_or_default();
            let done = plugin.load(guild, version, &kept["state"]);
            done.err()
                .map(|error| format!("the plugin {name}: {error}"))
        });
        failed.collect()
    }
}
