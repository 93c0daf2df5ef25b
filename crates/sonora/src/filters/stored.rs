//! How filters are stored, and how nodes tell them.

use serde_json::{Map, Value, json};

use super::Filters;
use super::presets::band;
use super::sound::heard;
use super::table::{EQUALIZER, Filter, PLUGINS, VOLUME};

impl Filters {
    /// What a node answers, or what was [stored](Self::stored). What is null or of another type is as if it were not
    /// there; what is unknown is kept.
    #[must_use]
    pub fn read(value: &Value) -> Self {
        let Value::Object(members) = value else {
            return Self::default();
        };
        if members.contains_key("active_filters") || members.contains_key("filter_config") {
            let config = members.get("filter_config").and_then(Value::as_object);
            let config = config.map(tidied).unwrap_or_default();
            let active = members.get("active_filters").and_then(Value::as_array);
            let names = |names: &Vec<Value>| {
                let names = names.iter().filter_map(Value::as_str);
                names.map(str::to_owned).collect()
            };
            let active = active.map_or_else(|| audible(&config), names);
            return Self { config, active };
        }
        let config = tidied(members);
        let active = audible(&config);
        Self { config, active }
    }

    /// As a snapshot holds them: `active_filters` and `filter_config`.
    #[must_use]
    pub fn stored(&self) -> Value {
        json!({"active_filters": self.active, "filter_config": self.config})
    }
}

/// The names of the filters that change something.
fn audible(config: &Map<String, Value>) -> Vec<String> {
    let audible = config
        .iter()
        .filter(|(name, value)| heard(name, value).is_some());
    audible.map(|(name, _)| name.clone()).collect()
}

fn tidied(filters: &Map<String, Value>) -> Map<String, Value> {
    let tidied = |(name, value)| Some((String::clone(name), tidy(name, value)?));
    filters.iter().filter_map(tidied).collect()
}

fn tidy(name: &str, value: &Value) -> Option<Value> {
    if name == VOLUME.name {
        return value.is_number().then(|| value.clone());
    }
    if name == EQUALIZER {
        // Some nodes put the list into an object.
        let bands = value.get("bands").unwrap_or(value).as_array()?;
        let bands: Vec<Value> = bands
            .iter()
            .filter(|it| band(it).is_some())
            .cloned()
            .collect();
        return (!bands.is_empty()).then_some(Value::Array(bands));
    }
    if name == PLUGINS {
        return value.is_object().then(|| value.clone());
    }
    let Some(filter) = Filter::named(name) else {
        return (!value.is_null()).then(|| value.clone());
    };
    let kept = value.as_object()?.iter().filter(|(key, value)| {
        let number = value.is_number() || filter.parameter(key).is_none();
        number && !value.is_null()
    });
    Some(Value::Object(
        kept.map(|(key, value)| (key.clone(), value.clone()))
            .collect(),
    ))
}
