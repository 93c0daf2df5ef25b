//! Filters: which are known, what they may say, and how fast a track goes with them.

use serde_json::{Map, Value};

/// A number of a filter: its name, what it is where it is left out, and whether a value is within its range.
type Number = (&'static str, f64, fn(f64) -> bool);

fn any(_: f64) -> bool {
    true
}
fn positive(value: f64) -> bool {
    value > 0.0
}
fn share(value: f64) -> bool {
    (0.0..=1.0).contains(&value)
}
fn depth(value: f64) -> bool {
    value > 0.0 && value <= 1.0
}

const FILTERS: [(&str, &[Number]); 8] = [
    (
        "karaoke",
        &[
            ("level", 1.0, any),
            ("monoLevel", 1.0, any),
            ("filterBand", 220.0, any),
            ("filterWidth", 100.0, any),
        ],
    ),
    (
        "timescale",
        &[
            ("speed", 1.0, positive),
            ("pitch", 1.0, positive),
            ("rate", 1.0, positive),
        ],
    ),
    (
        "tremolo",
        &[("frequency", 2.0, positive), ("depth", 0.5, depth)],
    ),
    (
        "vibrato",
        &[
            ("frequency", 2.0, |it| it > 0.0 && it <= 14.0),
            ("depth", 0.5, depth),
        ],
    ),
    (
        "distortion",
        &[
            ("sinOffset", 0.0, any),
            ("sinScale", 1.0, any),
            ("cosOffset", 0.0, any),
            ("cosScale", 1.0, any),
            ("tanOffset", 0.0, any),
            ("tanScale", 1.0, any),
            ("offset", 0.0, any),
            ("scale", 1.0, any),
        ],
    ),
    ("rotation", &[("rotationHz", 0.0, any)]),
    (
        "channelMix",
        &[
            ("leftToLeft", 1.0, share),
            ("leftToRight", 0.0, share),
            ("rightToLeft", 0.0, share),
            ("rightToRight", 1.0, share),
        ],
    ),
    ("lowPass", &[("smoothing", 20.0, |it| it > 1.0)]),
];

const BAND: &[Number] = &[
    ("band", f64::NAN, |it| {
        it.fract() == 0.0 && (0.0..=14.0).contains(&it)
    }),
    ("gain", 1.0, |it| (-0.25..=1.0).contains(&it)),
];

/// Filters as a node keeps them: what is `null` is off, and numbers that are what they are by default are left out, as
/// the official server does.
pub(crate) fn parse(filters: &Value) -> Result<Value, String> {
    let Value::Object(filters) = filters else {
        return Err("filters is not an object".into());
    };
    let mut kept = Map::new();
    for (name, value) in filters {
        let known = FILTERS.iter().find(|(known, _)| known == name);
        let parsed = match (name.as_str(), value, known) {
            ("volume", Value::Number(volume), _) => {
                let within = volume.as_f64().is_some_and(|it| (0.0..=5.0).contains(&it));
                within.then(|| value.clone())
            }
            ("equalizer", Value::Array(bands), _) => {
                let bands = bands.iter().map(|band| {
                    band.get("band")?;
                    numbers(band, BAND)
                });
                bands.collect::<Option<Vec<_>>>().map(Value::Array)
            }
            ("pluginFilters", Value::Object(plugins), _) if plugins.is_empty() => continue,
            ("pluginFilters", Value::Object(_), _) => Some(value.clone()),
            (_, Value::Null, Some(_)) => continue,
            (_, _, Some((_, known))) => numbers(value, known),
            ("volume" | "equalizer" | "pluginFilters", ..) => None,
            _ => return Err(format!("Unknown filter {name}")),
        };
        let parsed = parsed.ok_or_else(|| format!("Invalid filter {name}: {value}"))?;
        kept.insert(name.clone(), parsed);
    }
    Ok(Value::Object(kept))
}

/// The numbers that are not what they are by default.
fn numbers(value: &Value, known: &[Number]) -> Option<Value> {
    let mut kept = Map::new();
    for (name, number) in value.as_object()? {
        let (_, default, within) = known.iter().find(|(known, ..)| known == name)?;
        let is = number.as_f64().filter(|it| within(*it))?;
        if is != *default {
            kept.insert(name.clone(), number.clone());
        }
    }
    Some(Value::Object(kept))
}

/// How many milliseconds of a track pass in one of the clock.
pub(crate) fn pace(filters: &Value) -> f64 {
    let number = |name| filters.pointer(name).and_then(Value::as_f64).unwrap_or(1.0);
    number("/timescale/speed") * number("/timescale/rate")
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_is_as_by_default_or_off_is_left_out() {
        let given = json!({"volume": 1.0, "karaoke": null, "timescale": {"speed": 1.5, "pitch": 1.0},
            "equalizer": [{"band": 0, "gain": 0.25}], "pluginFilters": {"echo": {"any": [1, null]}}});
        let kept = json!({"volume": 1.0, "timescale": {"speed": 1.5},
            "equalizer": [{"band": 0, "gain": 0.25}], "pluginFilters": {"echo": {"any": [1, null]}}});
        assert_eq!(parse(&given), Ok(kept));
    }

    #[test]
    fn what_is_out_of_range_or_unknown_is_refused() {
        for wrong in [
            json!([]),
            json!({"echo": {}}),
            json!({"volume": 5.1}),
            json!({"volume": null}),
            json!({"equalizer": {"bands": []}}),
            json!({"equalizer": [{"band": 15, "gain": 0.0}]}),
            json!({"equalizer": [{"gain": 0.0}]}),
            json!({"timescale": {"speed": 0}}),
            json!({"timescale": {"speed": "1"}}),
            json!({"timescale": {"tempo": 1}}),
            json!({"vibrato": {"frequency": 14.5}}),
            json!({"lowPass": {"smoothing": 1.0}}),
        ] {
            assert!(parse(&wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn speed_and_rate_change_the_pace() {
        assert_eq!(pace(&json!({})), 1.0);
        assert_eq!(
            pace(&json!({"timescale": {"speed": 1.5, "rate": 2, "pitch": 9}})),
            3.0
        );
    }
}
