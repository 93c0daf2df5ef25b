//! Whether filters sound the same.

use serde_json::{Map, Value};

use super::Filters;

/// Nodes calculate with fewer digits than JSON has.
const CLOSE: f64 = 1e-6;

impl Filters {
    /// Whether both sound the same: defaults count as given, the order of bands does not matter, a filter that
    /// changes nothing is as if it were not there, and numbers need only be close.
    #[must_use]
    pub fn same_as(&self, other: &Self) -> bool {
        self.difference(other).is_none()
    }

    /// In a few words, what sounds otherwise in `other` than it should: the first of it.
    #[must_use]
    pub fn difference(&self, other: &Self) -> Option<String> {
        differs("", &self.payload(), &other.payload())
    }
}

fn differs(path: &str, wanted: &Value, found: &Value) -> Option<String> {
    match (wanted, found) {
        (Value::Object(wanted), Value::Object(found)) => members(path, wanted, found),
        (Value::Array(wanted), Value::Array(found)) if wanted.len() == found.len() => {
            let mut pairs = wanted.iter().zip(found).enumerate();
            pairs.find_map(|(index, (one, two))| differs(&format!("{path}[{index}]"), one, two))
        }
        _ if equal(wanted, found) => None,
        _ => Some(format!("{path} is {found} instead of {wanted}")),
    }
}

fn members(path: &str, wanted: &Map<String, Value>, found: &Map<String, Value>) -> Option<String> {
    let inner = |key: &str| match path {
        "" => key.to_owned(),
        _ => format!("{path}.{key}"),
    };
    let first = wanted.iter().find_map(|(key, value)| match found.get(key) {
        Some(other) => differs(&inner(key), value, other),
        None => Some(format!("{} is missing", inner(key))),
    });
    first.or_else(|| {
        let more = found.keys().find(|key| !wanted.contains_key(*key))?;
        Some(format!("{} is on and should not be", inner(more)))
    })
}

fn equal(one: &Value, two: &Value) -> bool {
    match (one.as_f64(), two.as_f64()) {
        (Some(one), Some(two)) => (one - two).abs() <= CLOSE * one.abs().max(two.abs()).max(1.0),
        _ => one == two,
    }
}
