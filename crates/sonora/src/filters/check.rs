//! Whether a node takes a filter as it is given.

use dalsegno::{Error, ErrorKind, Result};
use serde_json::{Map, Value};

use super::table::{EQUALIZER, Filter, GAIN, LAST_BAND, PLUGINS, Parameter, VOLUME, names};

/// Whether the filter `name` takes `value`.
///
/// # Errors
/// `InvalidInput` naming the filter, the parameter, the value, and what it takes.
pub(super) fn check(name: &str, value: &Value) -> Result<()> {
    if name == VOLUME.name {
        return number("the filter", &VOLUME, value);
    }
    if name == EQUALIZER {
        return equalizer(value);
    }
    if name == PLUGINS {
        return object(name, value).map(drop);
    }
    let Some(filter) = Filter::named(name) else {
        let known: Vec<&str> = names().collect();
        let known = known.join(", ");
        return Err(invalid(format!(
            "there is no filter {name:?}; give one of {known} (what a plugin adds goes into {PLUGINS})"
        )));
    };
    for (key, value) in object(name, value)? {
        let Some(parameter) = filter.parameter(key) else {
            let known: Vec<&str> = filter.parameters.iter().map(|known| known.name).collect();
            return Err(invalid(format!(
                "the filter {name} has no parameter {key:?}; it has {}",
                known.join(", ")
            )));
        };
        number(&format!("the filter {name}:"), parameter, value)?;
    }
    Ok(())
}

fn equalizer(value: &Value) -> Result<()> {
    let shape = "the filter equalizer takes a list of {\"band\": 0 to 14, \"gain\": -0.25 to 1}";
    let Value::Array(bands) = value else {
        return Err(invalid(format!("{shape}, not {value}")));
    };
    let mut seen = Vec::new();
    for band in bands {
        let members = band.as_object().filter(|members| members.len() == 2);
        let parts = members.and_then(|members| Some((members.get("band")?, members.get("gain")?)));
        let Some((number_of, gain)) = parts else {
            return Err(invalid(format!("{shape}, not {band} in it")));
        };
        let index = number_of.as_u64().filter(|index| *index <= LAST_BAND);
        let Some(index) = index else {
            return Err(invalid(format!(
                "the filter equalizer: band is {number_of}, but it must be a whole number from 0 to {LAST_BAND}"
            )));
        };
        if seen.contains(&index) {
            return Err(invalid(format!(
                "the filter equalizer: band {index} is given twice; give it once"
            )));
        }
        seen.push(index);
        number(&format!("the filter equalizer, band {index}:"), &GAIN, gain)?;
    }
    Ok(())
}

fn object<'a>(name: &str, value: &'a Value) -> Result<&'a Map<String, Value>> {
    let members = value.as_object();
    members.ok_or_else(|| invalid(format!("the filter {name} takes an object, not {value}")))
}

fn number(place: &str, parameter: &Parameter, value: &Value) -> Result<()> {
    match value.as_f64() {
        Some(number) if parameter.range.holds(number) => Ok(()),
        _ => Err(invalid(format!(
            "{place} {} is {value}, but it must be {}",
            parameter.name, parameter.range
        ))),
    }
}

fn invalid(message: impl Into<String>) -> Error {
    Error::new(ErrorKind::InvalidInput, message)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;
    use serde_json::json;

    #[test]
    fn what_is_within_the_limits_is_taken() {
        for (name, value) in [
            ("volume", json!(5)),
            (
                "equalizer",
                json!([{"band": 0, "gain": -0.25}, {"band": 14, "gain": 1}]),
            ),
            ("equalizer", json!([])),
            ("karaoke", json!({"level": -3.5})),
            ("timescale", json!({"speed": 0.01, "rate": 9})),
            ("tremolo", json!({"depth": 1})),
            ("vibrato", json!({"frequency": 14.0})),
            ("rotation", json!({"rotationHz": -0.2})),
            ("channelMix", json!({"leftToLeft": 0, "rightToRight": 1.0})),
            ("lowPass", json!({"smoothing": 1.001})),
            ("pluginFilters", json!({"echo": {"delay": [1, null]}})),
        ] {
            check(name, &value).unwrap();
        }
    }

    #[test]
    fn what_is_beyond_them_is_named_with_them() {
        for (name, value, says) in [
            (
                "volume",
                json!(5.01),
                "volume is 5.01, but it must be a number from 0 to 5",
            ),
            ("volume", json!(null), "volume is null"),
            ("equalizer", json!([{"band": 15, "gain": 0}]), "band is 15"),
            (
                "equalizer",
                json!([{"band": 1.5, "gain": 0}]),
                "band is 1.5",
            ),
            (
                "equalizer",
                json!([{"band": 3, "gain": 1.1}]),
                "band 3: gain is 1.1, but it must be a number from -0.25",
            ),
            ("equalizer", json!([{"band": 3}]), "takes a list of"),
            ("equalizer", json!({"bands": []}), "takes a list of"),
            (
                "equalizer",
                json!([{"band": 3, "gain": 0}, {"band": 3, "gain": 1}]),
                "twice",
            ),
            (
                "karaoke",
                json!({"level": "loud"}),
                "karaoke: level is \"loud\"",
            ),
            (
                "timescale",
                json!({"speed": 0}),
                "timescale: speed is 0, but it must be a number above 0",
            ),
            (
                "timescale",
                json!({"sped": 1}),
                "no parameter \"sped\"; it has speed, pitch, rate",
            ),
            ("timescale", json!(1), "takes an object, not 1"),
            (
                "tremolo",
                json!({"depth": 1.1}),
                "a number above 0 and up to 1",
            ),
            ("vibrato", json!({"frequency": 14.1}), "up to 14"),
            ("channelMix", json!({"leftToRight": -0.1}), "from 0 to 1"),
            ("lowPass", json!({"smoothing": 1}), "above 1"),
            ("pluginFilters", json!([]), "takes an object"),
            (
                "timeScale",
                json!({}),
                "one of volume, equalizer, karaoke, timescale",
            ),
        ] {
            let error = check(name, &value).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::InvalidInput);
            assert!(error.to_string().contains(says), "{error}");
        }
    }
}
