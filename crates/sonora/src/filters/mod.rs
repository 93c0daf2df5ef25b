//! What is done to a player's sound.

mod check;
mod presets;
mod same;
mod sound;
mod stored;
mod table;
#[cfg(test)]
mod tests;

use dalsegno::Result;
use serde_json::{Map, Value};

pub use presets::presets;

/// The filters of a player, by the names that Lavalink 4 gives them, and which of them are on by which name.
///
/// ```
/// use dalsegno_sonora::Filters;
/// use serde_json::json;
///
/// # fn main() -> dalsegno::Result<()> {
/// let mut filters = Filters::default();
/// filters.preset("nightcore")?;
/// filters.set("volume", json!(0.8))?;
/// assert_eq!(filters.active(), ["nightcore", "volume"]);
/// assert_eq!(filters.payload()["timescale"]["speed"], 1.2);
///
/// filters.remove("nightcore");
/// assert_eq!(filters.payload(), json!({"volume": 0.8}));
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Filters {
    config: Map<String, Value>,
    active: Vec<String>,
}

impl Filters {
    /// The presets and filters that are on, in the order in which they were set.
    #[must_use]
    pub fn active(&self) -> &[String] {
        &self.active
    }

    /// The filters with their parameters, as they were given.
    #[must_use]
    pub fn config(&self) -> &Map<String, Value> {
        &self.config
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.config.is_empty() && self.active.is_empty()
    }

    /// Sets the filter `name`. Parameters that are not given have their defaults.
    ///
    /// # Errors
    /// `InvalidInput` where a node would refuse it; it names the filter, the parameter, the value, and what it takes.
    pub fn set(&mut self, name: &str, value: Value) -> Result<()> {
        check::check(name, &value)?;
        self.config.insert(name.to_owned(), value);
        self.activate(name);
        Ok(())
    }

    /// Adds the preset `name` (see [`presets`]) to what is on. Presets combine: gains of the equalizer add up, and of
    /// other filters that two of them bring, the later counts. Of the degrees of one, such as `bassboost` and
    /// `bassboost:high`, one is on.
    ///
    /// # Errors
    /// `InvalidInput` where there is no such preset; it lists them.
    pub fn preset(&mut self, name: &str) -> Result<()> {
        let name = presets::named(name)?;
        let same = |other: &&String| presets::exclude(name, other);
        let others: Vec<String> = self.active.iter().filter(same).cloned().collect();
        for other in others {
            self.remove(&other);
        }
        self.activate(name);
        for filter in presets::brings(name).keys() {
            if let Some(value) = self.brought(filter) {
                self.config.insert(filter.clone(), value);
            }
        }
        Ok(())
    }

    /// Takes a filter or a preset away; false where it was not on. A preset takes with it what it brought, unless
    /// that was set to something else since.
    pub fn remove(&mut self, name: &str) -> bool {
        let preset = presets::named(name).unwrap_or(name);
        let mut brought = Vec::new();
        if self.is_active(preset) {
            for filter in presets::brings(preset)
                .into_iter()
                .map(|(filter, _)| filter)
            {
                brought.push((self.brought(&filter), filter));
            }
        }
        let before = (self.config.len(), self.active.len());
        self.active.retain(|active| active != preset);
        for (value, filter) in brought {
            if self.config.get(&filter) == value.as_ref() {
                match self.brought(&filter) {
                    Some(left) => self.config.insert(filter, left),
                    None => self.config.remove(&filter),
                };
            }
        }
        self.config.remove(name);
        self.settle();
        before != (self.config.len(), self.active.len())
    }

    /// Takes all filters away.
    pub fn clear(&mut self) {
        *self = Self::default();
    }

    fn is_active(&self, name: &str) -> bool {
        self.active.iter().any(|active| active == name)
    }

    fn activate(&mut self, name: &str) {
        if !self.is_active(name) {
            self.active.push(name.to_owned());
        }
    }

    /// What the presets that are on bring of a filter.
    fn brought(&self, filter: &str) -> Option<Value> {
        presets::together(self.active.iter().map(String::as_str), filter)
    }

    /// What has lost its filters is no longer on. Names that are unknown here may mean something to the bot.
    fn settle(&mut self) {
        let config = &self.config;
        self.active.retain(|name| {
            let brings = presets::brings(name);
            let filter = brings.is_empty() && table::names().any(|known| known == name);
            let lost = filter && !config.contains_key(name);
            !lost && brings.keys().all(|filter| config.contains_key(filter))
        });
    }
}
