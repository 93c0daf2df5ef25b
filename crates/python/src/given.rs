//! What Python gives: times and durations in the forms that people have them in.

use bytes::Bytes;
use dalsegno::retention::Rules;
use dalsegno::{Kind, parse_duration, parse_time};
use jiff::{SignedDuration, Timestamp};
use pyo3::prelude::*;
use pyo3::types::PyBytes;
use serde_json::Value;

use crate::error;
use crate::show::show;
use crate::text::Text;

/// JSON text: made of a value, or given.
#[derive(FromPyObject)]
pub(crate) enum Given<'py> {
    Made(PyRef<'py, Text>),
    Bytes(Bound<'py, PyBytes>),
}

impl Given<'_> {
    pub(crate) fn bytes(self) -> Bytes {
        match self {
            Self::Made(text) => text.0.clone(),
            Self::Bytes(text) => Bytes::copy_from_slice(text.as_bytes()),
        }
    }
}

/// The value of a JSON text, which `what` names; it has no number that would come back as another.
pub(crate) fn value(py: Python<'_>, text: &[u8], what: &str) -> PyResult<Value> {
    let value: Value = serde_json::from_slice(text)
        .map_err(|e| error::invalid(py, &format!("{what} cannot be kept: {e}")))?;
    // Numbers beyond 64 bits would.
    let again = show(py, &value)?;
    let json = py.import("json")?;
    let given = json.call_method1("loads", (PyBytes::new(py, text),))?;
    let written = |value| json.call_method1("dumps", (value,));
    if !written(again)?.eq(written(given)?)? {
        let message = format!("{what}: a number cannot be kept exactly; write it as a string");
        return Err(error::invalid(py, &message));
    }
    Ok(value)
}

/// A duration: a `timedelta`, or text such as `7d`.
#[derive(FromPyObject)]
pub(crate) enum Span {
    Exact(SignedDuration),
    Text(String),
}

impl Span {
    pub(crate) fn read(self, py: Python<'_>) -> PyResult<SignedDuration> {
        match self {
            Self::Exact(span) => Ok(span),
            Self::Text(text) => parse_duration(&text).map_err(|e| error::raise(py, &e)),
        }
    }

    pub(crate) fn read_if(span: Option<Self>, py: Python<'_>) -> PyResult<Option<SignedDuration>> {
        span.map(|span| span.read(py)).transpose()
    }
}

/// How many seconds a duration has.
#[pyfunction]
pub(crate) fn seconds(py: Python<'_>, span: Span) -> PyResult<f64> {
    Ok(span.read(py)?.as_secs_f64())
}

/// A time: an aware `datetime` (naive ones are made aware before they come here), a `timedelta` before now,
/// or text such as `2026-11-20T10:00` or, so long ago, `24h`.
#[derive(FromPyObject)]
pub(crate) enum Time {
    Exact(Timestamp),
    Ago(SignedDuration),
    Text(String),
}

impl Time {
    pub(crate) fn read(self, py: Python<'_>) -> PyResult<Timestamp> {
        let before = |ago| Timestamp::now().checked_sub(ago).ok();
        let (time, text) = match self {
            Self::Exact(time) => return Ok(time),
            Self::Ago(ago) => (before(ago), "the timedelta".to_owned()),
            Self::Text(text) => {
                if let Ok(time) = parse_time(&text) {
                    return Ok(time);
                }
                let ago = text.strip_suffix("ago").unwrap_or(&text);
                let ago = parse_duration(ago.strip_prefix('-').unwrap_or(ago));
                (ago.ok().and_then(before), format!("'{text}'"))
            }
        };
        time.ok_or_else(|| {
            let message = format!(
                "{text} is not a time; give a datetime, '2026-11-20T21:30', or '24h' or '7d' for so long ago"
            );
            error::invalid(py, &message)
        })
    }

    pub(crate) fn read_if(time: Option<Self>, py: Python<'_>) -> PyResult<Option<Timestamp>> {
        time.map(|time| time.read(py)).transpose()
    }
}

/// Kinds of snapshots by their names.
pub(crate) fn kinds(py: Python<'_>, names: &[String]) -> PyResult<Vec<Kind>> {
    let parsed = names.iter().map(|name| name.parse());
    parsed
        .collect::<dalsegno::Result<_>>()
        .map_err(|e| error::raise(py, &e))
}

/// Rules of retention, as Python gives them.
#[derive(FromPyObject)]
#[pyo3(from_item_all)]
pub(crate) struct Asked {
    older_than: Option<Span>,
    keep_last: Option<u32>,
    keep_hourly: Option<u32>,
    keep_daily: Option<u32>,
    keep_weekly: Option<u32>,
    keep_monthly: Option<u32>,
    kinds: Vec<String>,
    tags: Vec<String>,
    keep_nothing: bool,
}

impl Asked {
    pub(crate) fn rules(self, py: Python<'_>) -> PyResult<Rules> {
        let mut rules = Rules::new();
        rules.older_than = Span::read_if(self.older_than, py)?;
        rules.keep_last = self.keep_last;
        rules.keep_hourly = self.keep_hourly;
        rules.keep_daily = self.keep_daily;
        rules.keep_weekly = self.keep_weekly;
        rules.keep_monthly = self.keep_monthly;
        rules.kinds = kinds(py, &self.kinds)?;
        rules.tags = self.tags;
        rules.keep_nothing = self.keep_nothing;
        Ok(rules)
    }
}
