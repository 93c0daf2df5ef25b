//! What plays when nothing is left in the queue.

mod next;
mod provider;
mod shuffle;
mod similar;
mod strategy;
#[cfg(test)]
mod tests;

use dalsegno::{Error, ErrorKind, Result};
use serde::de::DeserializeOwned;
use serde_json::{Map, Value, json};

use crate::plain::plain;

pub use next::{Failure, Next, next};
pub use provider::{Answer, Provider};
pub use shuffle::smart_shuffle;
pub use strategy::Strategy;

/// How autoplay goes about it. It acts only in the loop mode `autoplay`.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct Autoplay {
    /// Whether it acts at all.
    pub enabled: bool,
    /// The word of a [`Strategy`]; what a bot had under another word is kept, and passed over.
    pub strategy: String,
    /// The playlist to choose from where the strategy finds nothing; empty for none.
    pub fallback_playlist: String,
    /// How many tracks of the history are not to be heard again.
    pub max_history: usize,
    /// Whether tracks heard lately go last when the queue is shuffled.
    pub smart_shuffle: bool,
    /// What else was stored with it, kept as it is.
    pub other: Map<String, Value>,
}

impl Default for Autoplay {
    fn default() -> Self {
        Self {
            enabled: true,
            strategy: Strategy::SimilarArtist.as_str().to_owned(),
            fallback_playlist: "global_fallback".to_owned(),
            max_history: 50,
            smart_shuffle: true,
            other: Map::new(),
        }
    }
}

impl Autoplay {
    /// What was [stored](Self::stored). What is missing or of another type is as in a new one; what is unknown is kept.
    #[must_use]
    pub fn read(value: &Value) -> Self {
        let mut read = Self::default();
        for (key, value) in value.as_object().into_iter().flatten() {
            let known = [
                "enabled",
                "strategy",
                "fallback_playlist",
                "max_history",
                "smart_shuffle",
            ];
            if known.contains(&key.as_str()) {
                // What cannot be read stays as it is.
                let _ = read.change(key, value);
            } else {
                read.other.insert(key.clone(), value.clone());
            }
        }
        read
    }

    /// As a snapshot holds it.
    #[must_use]
    pub fn stored(&self) -> Value {
        let own = json!({
            "enabled": self.enabled, "strategy": self.strategy, "fallback_playlist": self.fallback_playlist,
            "max_history": self.max_history, "smart_shuffle": self.smart_shuffle,
        });
        let mut all = self.other.clone();
        all.extend(own.as_object().cloned().unwrap_or_default());
        Value::Object(all)
    }

    /// Changes the members that `config` has.
    ///
    /// # Errors
    /// `InvalidInput` where it has an unknown one, or one of another type, or names an unknown strategy; then nothing is
    /// changed.
    pub fn configure(&mut self, config: &Map<String, Value>) -> Result<()> {
        let mut changed = self.clone();
        for (key, value) in config {
            changed.change(key, value)?;
            if key == "strategy" {
                changed.strategy.parse::<Strategy>()?;
            }
        }
        *self = changed;
        Ok(())
    }

    fn change(&mut self, key: &str, value: &Value) -> Result<()> {
        match key {
            "enabled" => self.enabled = member(key, value)?,
            "strategy" => self.strategy = member(key, value)?,
            "fallback_playlist" => self.fallback_playlist = member(key, value)?,
            "max_history" => self.max_history = member(key, value)?,
            "smart_shuffle" => self.smart_shuffle = member(key, value)?,
            _ => {
                return Err(invalid(format!(
                    "autoplay has no {key:?}; it has enabled, strategy, fallback_playlist, max_history, smart_shuffle"
                )));
            }
        }
        Ok(())
    }
}

fn member<T: DeserializeOwned>(key: &str, value: &Value) -> Result<T> {
    T::deserialize(value)
        .map_err(|e| invalid(format!("{key} of autoplay: {}", plain(&e))).with_source(e))
}

fn invalid(message: String) -> Error {
    Error::new(ErrorKind::InvalidInput, message)
}
