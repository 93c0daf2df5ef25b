//! What is heard of filters: one form for all that sound the same, and that every node takes.

use serde_json::{Map, Value, json};

use super::Filters;
use super::presets::band;
use super::table::{EQUALIZER, Filter, GAIN, LAST_BAND, Off, PLUGINS, VOLUME};

impl Filters {
    /// What is sent to a node: the filters that are heard, with all their parameters. What a node would refuse the
    /// whole for is left out. A node replaces all its filters by it.
    #[must_use]
    pub fn payload(&self) -> Value {
        let heard = |(name, value)| Some((String::clone(name), heard(name, value)?));
        Value::Object(self.config.iter().filter_map(heard).collect())
    }
}

impl Filters {
    /// How many milliseconds of a track are played in one.
    pub(crate) fn speed(&self) -> f64 {
        let timescale = self.config.get("timescale");
        let factor = |name: &str| {
            timescale
                .and_then(|it| it[name].as_f64())
                .filter(|it| *it > 0.0)
                .unwrap_or(1.0)
        };
        factor("speed") * factor("rate")
    }
}

/// What is heard of a filter; nothing where it changes nothing.
pub(super) fn heard(name: &str, value: &Value) -> Option<Value> {
    if name == VOLUME.name {
        let volume = value.as_f64()?;
        return (VOLUME.range.holds(volume) && volume != VOLUME.default).then(|| json!(volume));
    }
    if name == EQUALIZER {
        return bands(value);
    }
    match Filter::named(name) {
        Some(filter) => parameters(filter, value.as_object()?),
        None if name == PLUGINS => value
            .as_object()
            .filter(|all| !all.is_empty())
            .map(|_| value.clone()),
        None => Some(value.clone()),
    }
}

fn bands(value: &Value) -> Option<Value> {
    let mut gains = [0.0; LAST_BAND as usize + 1];
    for (band, gain) in value.as_array()?.iter().filter_map(band) {
        let place = usize::try_from(band)
            .ok()
            .and_then(|band| gains.get_mut(band));
        if let Some(place) = place.filter(|_| GAIN.range.holds(gain)) {
            *place = gain;
        }
    }
    let bands = gains.iter().enumerate().filter(|(_, gain)| **gain != 0.0);
    let bands: Vec<Value> = bands
        .map(|(band, gain)| json!({"band": band, "gain": gain}))
        .collect();
    (!bands.is_empty()).then_some(Value::Array(bands))
}

fn parameters(filter: &Filter, given: &Map<String, Value>) -> Option<Value> {
    let given = |name: &str| given.get(name).and_then(Value::as_f64);
    if let Off::AtMost(name, limit) = filter.off
        && given(name).is_some_and(|value| value <= limit)
    {
        return None;
    }
    let mut all = Map::new();
    let mut defaults = true;
    for parameter in filter.parameters {
        let value = given(parameter.name).filter(|value| parameter.range.holds(*value));
        let value = value.unwrap_or(parameter.default);
        defaults &= value == parameter.default;
        all.insert(parameter.name.to_owned(), json!(value));
    }
    let off = defaults && matches!(filter.off, Off::AtDefaults);
    (!off).then_some(Value::Object(all))
}
