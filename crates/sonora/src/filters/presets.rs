//! Filters by the names that people know them by.

use dalsegno::{Error, ErrorKind, Result};
use serde_json::{Map, Value, json};

use super::table::{EQUALIZER, LEAST_GAIN, MOST_GAIN};

const PRESETS: [&str; 12] = [
    "bassboost",
    "bassboost:medium",
    "bassboost:high",
    "nightcore",
    "vaporwave",
    "8d",
    "karaoke",
    "tremolo",
    "vibrato",
    "soft",
    "pop",
    "treblebass",
];

/// The names of all presets.
#[must_use]
pub fn presets() -> &'static [&'static str] {
    &PRESETS
}

/// The preset of that name, as it is listed.
///
/// # Errors
/// `InvalidInput` where there is none; it lists them.
pub(super) fn named(name: &str) -> Result<&'static str> {
    let name = match name {
        "bassboost:low" => "bassboost",
        _ => name,
    };
    let found = PRESETS.into_iter().find(|preset| *preset == name);
    found.ok_or_else(|| {
        let known = PRESETS.join(", ");
        let message = format!("there is no preset {name:?}; give one of {known}");
        Error::new(ErrorKind::InvalidInput, message)
    })
}

/// Whether both are degrees of the same, of which only one is on at a time.
pub(super) fn exclude(one: &str, two: &str) -> bool {
    let kind = |name: &str| name.split(':').next().map(str::to_owned);
    PRESETS.contains(&two) && kind(one) == kind(two)
}

/// The filters that a preset brings; none where there is no such preset.
pub(super) fn brings(name: &str) -> Map<String, Value> {
    let filters = match name {
        "bassboost" => equalizer(&[(0, 0.2), (1, 0.15)]),
        "bassboost:medium" => equalizer(&[(0, 0.4), (1, 0.3)]),
        "bassboost:high" => equalizer(&[(0, 0.6), (1, 0.4)]),
        "nightcore" => json!({"timescale": {"speed": 1.2, "pitch": 1.1}}),
        "vaporwave" => json!({"timescale": {"speed": 0.85, "pitch": 0.8}}),
        "8d" => json!({"rotation": {"rotationHz": 0.2}}),
        "karaoke" => {
            json!({"karaoke": {"level": 1.0, "monoLevel": 1.0, "filterBand": 220.0, "filterWidth": 100.0}})
        }
        "tremolo" => json!({"tremolo": {"frequency": 4.0, "depth": 0.75}}),
        "vibrato" => json!({"vibrato": {"frequency": 4.0, "depth": 0.75}}),
        "soft" => json!({"lowPass": {"smoothing": 20.0}}),
        "pop" => equalizer(&[
            (0, -0.05),
            (1, -0.05),
            (4, 0.1),
            (5, 0.15),
            (6, 0.2),
            (7, 0.15),
            (8, 0.1),
            (13, -0.05),
            (14, -0.05),
        ]),
        "treblebass" => equalizer(&[
            (0, 0.3),
            (1, 0.25),
            (2, 0.15),
            (11, 0.15),
            (12, 0.2),
            (13, 0.25),
            (14, 0.25),
        ]),
        _ => Value::Null,
    };
    match filters {
        Value::Object(filters) => filters,
        _ => Map::new(),
    }
}

fn equalizer(gains: &[(u64, f64)]) -> Value {
    let band = |(band, gain): &(u64, f64)| json!({"band": band, "gain": gain});
    json!({EQUALIZER: gains.iter().map(band).collect::<Vec<_>>()})
}

/// What presets bring of one filter together: gains of the equalizer add up, else the last one counts.
pub(super) fn together<'a>(names: impl Iterator<Item = &'a str>, filter: &str) -> Option<Value> {
    let mut brought = names.filter_map(|name| brings(name).remove(filter));
    if filter != EQUALIZER {
        return brought.last();
    }
    let first = brought.next()?;
    Some(brought.fold(first, |sum, next| add(&sum, &next)))
}

fn add(one: &Value, two: &Value) -> Value {
    let mut gains: Vec<(u64, f64)> = Vec::new();
    let bands = [one, two].into_iter().flat_map(Value::as_array).flatten();
    for (band, gain) in bands.filter_map(band) {
        match gains.iter_mut().find(|(known, _)| *known == band) {
            Some((_, sum)) => *sum = (*sum + gain).clamp(LEAST_GAIN, MOST_GAIN),
            None => gains.push((band, gain)),
        }
    }
    equalizer(&gains)[EQUALIZER].take()
}

/// The number and the gain of a band, where it has both.
pub(super) fn band(band: &Value) -> Option<(u64, f64)> {
    Some((band.get("band")?.as_u64()?, band.get("gain")?.as_f64()?))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::super::check::check;
    use super::*;

    #[test]
    fn every_preset_brings_what_nodes_take() {
        for name in presets() {
            let filters = brings(named(name).unwrap());
            assert!(!filters.is_empty(), "{name}");
            for (filter, value) in filters {
                check(&filter, &value).unwrap();
            }
        }
    }

    #[test]
    fn gains_add_up_within_the_limits() {
        let sum = together(
            ["bassboost:high", "treblebass", "pop"].into_iter(),
            EQUALIZER,
        )
        .unwrap();
        check(EQUALIZER, &sum).unwrap();
        let gains: Vec<(u64, f64)> = sum.as_array().unwrap().iter().filter_map(band).collect();
        let of = |wanted: u64| gains.iter().find(|(band, _)| *band == wanted).unwrap().1;
        assert!((of(0) - 0.85).abs() < 1e-9, "{sum}");
        assert!((of(14) - 0.2).abs() < 1e-9, "{sum}");
        let most = together(std::iter::repeat_n("bassboost:high", 2), EQUALIZER).unwrap();
        assert_eq!(band(&most[0]), Some((0, 1.0)));
    }
}
