//! From Python values to JSON text: what `json.dumps(value, ensure_ascii=False, allow_nan=False,
//! separators=(",", ":"))` writes, byte for byte, some ten times as fast. What is refused is named with
//! its place.

use std::collections::HashSet;
use std::fmt::Write as _;

use pyo3::PyTypeInfo;
use pyo3::exceptions::{PyTypeError, PyValueError};
use pyo3::prelude::*;
use pyo3::types::{PyBool, PyBytes, PyDict, PyFloat, PyInt, PyList, PyString, PyTuple};

use crate::error;

/// JSON text that was made of a value.
#[pyclass(frozen, module = "dalsegno._dalsegno")]
pub(crate) struct Text(pub(crate) bytes::Bytes);

#[pymethods]
impl Text {
    /// The text, as Python has bytes.
    fn __bytes__<'py>(&self, py: Python<'py>) -> Bound<'py, PyBytes> {
        PyBytes::new(py, &self.0)
    }
}

/// The JSON text of `value`; `other` is asked for what JSON has no word for.
#[pyfunction]
pub(crate) fn dumps<'py>(value: Bound<'py, PyAny>, other: Bound<'py, PyAny>) -> PyResult<Text> {
    let py = value.py();
    let mut writer = Writer {
        text: Vec::new(),
        other,
        within: Vec::new(),
    };
    match writer.all(value) {
        Ok(()) => Ok(Text(writer.text.into())),
        Err(Stop::Raised(error)) => Err(error),
        Err(Stop::Refused { what, cause }) => {
            let refused = error::invalid(py, &format!("{}: {what}", writer.place()));
            refused.set_cause(py, cause);
            Err(refused)
        }
    }
}

/// Why a value cannot be written.
enum Stop {
    /// Something else than what is known to be refused was raised on the way.
    Raised(PyErr),
    Refused {
        what: String,
        cause: Option<PyErr>,
    },
}

type Written = Result<(), Stop>;

impl From<PyErr> for Stop {
    fn from(error: PyErr) -> Self {
        Self::Raised(error)
    }
}

impl Stop {
    fn refused(what: impl Into<String>) -> Self {
        Self::Refused {
            what: what.into(),
            cause: None,
        }
    }

    /// A refusal, where that is what was raised; whatever else it was, it goes on as it is.
    fn of<E: PyTypeInfo>(error: PyErr, py: Python<'_>) -> Self {
        if !error.is_instance_of::<E>(py) {
            return Self::Raised(error);
        }
        Self::Refused {
            what: error.value(py).to_string(),
            cause: Some(error),
        }
    }
}

/// A value that others are within, and how many of them are written.
struct Level<'py> {
    value: Bound<'py, PyAny>,
    parts: Parts<'py>,
    at: usize,
}

enum Parts<'py> {
    List(Bound<'py, PyList>),
    Tuple(Bound<'py, PyTuple>),
    /// The members of a dict, as a list of its own: what `other` calls may change the dict meanwhile.
    Members(Bound<'py, PyList>),
    /// What `other` made of it stands in its place.
    Made,
}

/// As many steps of a place are named.
const STEPS: usize = 12;

struct Writer<'py> {
    text: Vec<u8>,
    other: Bound<'py, PyAny>,
    /// From the outside in. No recursion: a thread's stack may be small.
    within: Vec<Level<'py>>,
}

impl<'py> Writer<'py> {
    fn all(&mut self, value: Bound<'py, PyAny>) -> Written {
        self.begin(value)?;
        while let Some(level) = self.within.last_mut() {
            let at = level.at;
            level.at += 1;
            let (next, end) = match &level.parts {
                Parts::List(list) => (
                    (at < list.len()).then(|| list.get_item(at)).transpose()?,
                    Some(b']'),
                ),
                Parts::Tuple(tuple) => (
                    (at < tuple.len()).then(|| tuple.get_item(at)).transpose()?,
                    Some(b']'),
                ),
                Parts::Members(members) => (
                    (at < members.len())
                        .then(|| members.get_item(at))
                        .transpose()?,
                    Some(b'}'),
                ),
                Parts::Made => (None, None),
            };
            let Some(next) = next else {
                self.text.extend(end);
                self.within.pop();
                continue;
            };
            if at > 0 {
                self.text.push(b',');
            }
            if end == Some(b'}') {
                let (key, value): (Bound<'py, PyAny>, Bound<'py, PyAny>) = next.extract()?;
                self.key(&key)?;
                self.text.push(b':');
                self.begin(value)?;
            } else {
                self.begin(next)?;
            }
        }
        Ok(())
    }

    /// Writes a value, or its beginning where others are within it.
    fn begin(&mut self, value: Bound<'py, PyAny>) -> Written {
        if let Ok(text) = value.cast::<PyString>() {
            return self.string(text);
        }
        if value.is_none() {
            self.text.extend_from_slice(b"null");
            return Ok(());
        }
        if let Ok(flag) = value.cast::<PyBool>() {
            self.text.extend_from_slice(word(flag));
            return Ok(());
        }
        if let Ok(number) = value.cast::<PyInt>() {
            return self.integer(number);
        }
        if let Ok(number) = value.cast::<PyFloat>() {
            return self.float(number, "save None or a string in its place");
        }
        self.refuse_too_deep()?;
        let parts = if let Ok(dict) = value.cast::<PyDict>() {
            if let Ok(exact) = value.cast_exact::<PyDict>()
                && exact.iter().all(|(key, value)| is_plain(&key, &value))
            {
                return self.plain_members(exact);
            }
            self.text.push(b'{');
            Parts::Members(dict.items())
        } else if let Ok(list) = value.cast::<PyList>() {
            self.text.push(b'[');
            Parts::List(list.clone())
        } else if let Ok(tuple) = value.cast::<PyTuple>() {
            self.text.push(b'[');
            Parts::Tuple(tuple.clone())
        } else {
            let made = self.other.call1((&value,));
            let made = made.map_err(|error| Stop::of::<PyTypeError>(error, value.py()))?;
            self.within.push(Level {
                value,
                parts: Parts::Made,
                at: 0,
            });
            return self.begin_again(made);
        };
        self.within.push(Level {
            value,
            parts,
            at: 0,
        });
        Ok(())
    }

    /// Writes a dict whose members are all [plain](is_plain), which takes no list of them: nothing here runs
    /// Python's code, which could change the dict.
    fn plain_members(&mut self, dict: &Bound<'py, PyDict>) -> Written {
        self.text.push(b'{');
        for (at, (key, value)) in dict.iter().enumerate() {
            if at > 0 {
                self.text.push(b',');
            }
            self.key(&key)?;
            self.text.push(b':');
            self.begin(value)?;
        }
        self.text.push(b'}');
        Ok(())
    }

    /// Begins what `other` made, and what it makes of that, with no end to its stack of calls but the
    /// limit on levels.
    fn begin_again(&mut self, mut made: Bound<'py, PyAny>) -> Written {
        while is_other(&made) {
            self.refuse_too_deep()?;
            let next = self.other.call1((&made,));
            let next = next.map_err(|error| Stop::of::<PyTypeError>(error, made.py()))?;
            self.within.push(Level {
                value: made,
                parts: Parts::Made,
                at: 0,
            });
            made = next;
        }
        self.begin(made)
    }

    fn refuse_too_deep(&mut self) -> Written {
        // A dataclass takes two levels here, and one in the text.
        if self.within.len() < 2 * dalsegno::MAX_DEPTH {
            return Ok(());
        }
        let mut seen = HashSet::new();
        let again = self
            .within
            .iter()
            .position(|level| !seen.insert(level.value.as_ptr()));
        let Some(again) = again else {
            let limit = dalsegno::MAX_DEPTH;
            let what = format!("it is nested more deeply than {limit} levels");
            return Err(Stop::refused(what));
        };
        // Where it is met for the second time.
        self.within.truncate(again);
        Err(Stop::refused(
            "it contains itself, which has no form in JSON",
        ))
    }

    /// Where the value that was begun last stands.
    fn place(&self) -> String {
        let mut place = String::new();
        let mut steps = self.within.iter().filter_map(Level::step);
        for step in steps.by_ref().take(STEPS) {
            place.push_str(&step);
        }
        if steps.next().is_some() {
            place.push('…');
        }
        match place.strip_prefix('.').unwrap_or(&place) {
            "" => "the state itself".to_owned(),
            place => format!("at {place}"),
        }
    }

    fn key(&mut self, key: &Bound<'py, PyAny>) -> Written {
        if let Ok(text) = key.cast::<PyString>() {
            return self.string(text);
        }
        self.text.push(b'"');
        if key.is_none() {
            self.text.extend_from_slice(b"null");
        } else if let Ok(flag) = key.cast::<PyBool>() {
            self.text.extend_from_slice(word(flag));
        } else if let Ok(number) = key.cast::<PyInt>() {
            self.integer(number)?;
        } else if let Ok(number) = key.cast::<PyFloat>() {
            self.float(number, "it is a key here; use a string")?;
        } else {
            let shown = shown(key);
            let kind = key.get_type().name()?;
            let what = format!("the key {shown} is a {kind}; keys are strings in JSON");
            // It is the dict that is refused, not a member of it.
            if let Some(level) = self.within.last_mut() {
                level.at = 0;
            }
            return Err(Stop::refused(what));
        }
        self.text.push(b'"');
        Ok(())
    }

    fn integer(&mut self, number: &Bound<'py, PyInt>) -> Written {
        if let Ok(small) = number.extract::<i64>() {
            let mut digits = Digits::default();
            // Never fails: it has room for any of them.
            let _written = write!(digits, "{small}");
            self.text.extend_from_slice(digits.as_bytes());
            return Ok(());
        }
        // Of an enumeration's member, the number and not the name.
        let own = number.py().get_type::<PyInt>().getattr("__repr__")?;
        let text = own.call1((number,));
        // Python refuses to write thousands of digits.
        let text = text.map_err(|error| Stop::of::<PyValueError>(error, number.py()))?;
        self.text.extend_from_slice(
            text.cast::<PyString>()
                .map_err(PyErr::from)?
                .to_str()?
                .as_bytes(),
        );
        Ok(())
    }

    fn float(&mut self, number: &Bound<'py, PyFloat>, instead: &str) -> Written {
        let value = number.value();
        if !value.is_finite() {
            let name = match value {
                v if v.is_nan() => "nan",
                v if v > 0.0 => "inf",
                _ => "-inf",
            };
            let what = format!("{name} has no form in JSON; {instead}");
            return Err(Stop::refused(what));
        }
        spell(&mut self.text, value);
        Ok(())
    }

    fn string(&mut self, string: &Bound<'py, PyString>) -> Written {
        self.text.push(b'"');
        match string.to_str() {
            Ok(text) => escape(&mut self.text, text.as_bytes()),
            // It has lone surrogates, which have no UTF-8.
            Err(_) => {
                let bytes = string.call_method1("encode", ("utf-8", "surrogatepass"))?;
                surrogates(
                    &mut self.text,
                    bytes.cast::<PyBytes>().map_err(PyErr::from)?.as_bytes(),
                );
            }
        }
        self.text.push(b'"');
        Ok(())
    }
}

fn word(flag: &Bound<'_, PyBool>) -> &'static [u8] {
    if flag.is_true() { b"true" } else { b"false" }
}

/// Whether a member is written without running any of Python's code.
fn is_plain(key: &Bound<'_, PyAny>, value: &Bound<'_, PyAny>) -> bool {
    let is_text = |value: &Bound<'_, PyAny>| {
        let text = value.cast::<PyString>();
        text.is_ok_and(|text| text.to_str().is_ok())
    };
    is_text(key)
        && (is_text(value)
            || value.is_none()
            || value.extract::<i64>().is_ok() && value.is_instance_of::<PyInt>()
            || value
                .cast::<PyFloat>()
                .is_ok_and(|number| number.value().is_finite()))
}

/// Writes a finite number as Python's `repr` does: the shortest digits that read as the same number.
fn spell(text: &mut Vec<u8>, value: f64) {
    let mut buffer = zmij::Buffer::new();
    let shortest = buffer.format_finite(value.abs());
    let (mantissa, exponent) = shortest.split_once('e').unwrap_or((shortest, "0"));
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let mut exponent: i32 = exponent.parse().unwrap_or_default();
    let all = [whole.as_bytes(), fraction.as_bytes()].concat();
    // One digit before the point, the first that is not 0.
    let zeros = all.iter().take_while(|digit| **digit == b'0').count();
    let end = all.iter().rposition(|digit| *digit != b'0');
    let digits = match end {
        Some(end) => all.get(zeros..=end).unwrap_or_default(),
        None => b"0",
    };
    if end.is_some() {
        let places = i32::try_from(whole.len()).unwrap_or_default();
        exponent += places - 1 - i32::try_from(zeros).unwrap_or_default();
    }
    if value.is_sign_negative() {
        text.push(b'-');
    }
    let (first, rest) = digits.split_at(1);
    match usize::try_from(exponent) {
        Ok(after) if after < 16 => {
            let (whole, fraction) = digits.split_at(digits.len().min(after + 1));
            text.extend_from_slice(whole);
            text.resize(text.len() + (after + 1 - whole.len()), b'0');
            text.push(b'.');
            text.extend_from_slice(if fraction.is_empty() { b"0" } else { fraction });
        }
        Err(_) if exponent >= -4 => {
            text.extend_from_slice(b"0.");
            let zeros = usize::try_from(-1 - exponent).unwrap_or_default();
            text.resize(text.len() + zeros, b'0');
            text.extend_from_slice(digits);
        }
        _ => {
            text.extend_from_slice(first);
            if !rest.is_empty() {
                text.push(b'.');
                text.extend_from_slice(rest);
            }
            let sign = if exponent < 0 { '-' } else { '+' };
            text.extend_from_slice(format!("e{sign}{:02}", exponent.abs()).as_bytes());
        }
    }
}

/// Whether JSON has no word for it.
fn is_other(value: &Bound<'_, PyAny>) -> bool {
    !(value.is_none()
        || value.is_instance_of::<PyString>()
        || value.is_instance_of::<PyInt>()
        || value.is_instance_of::<PyFloat>()
        || value.is_instance_of::<PyDict>()
        || value.is_instance_of::<PyList>()
        || value.is_instance_of::<PyTuple>())
}

impl Level<'_> {
    /// The step to the part that was begun last.
    fn step(&self) -> Option<String> {
        let at = self.at.checked_sub(1)?;
        match &self.parts {
            Parts::List(_) | Parts::Tuple(_) => Some(format!("[{at}]")),
            Parts::Members(members) => {
                let member = members.get_item(at).ok()?;
                Some(step(&member.get_item(0).ok()?))
            }
            Parts::Made => None,
        }
    }
}

/// A key as a person would write it in a message.
fn shown(key: &Bound<'_, PyAny>) -> String {
    key.repr().map_or_else(
        |_| "?".to_owned(),
        |repr| repr.to_string_lossy().into_owned(),
    )
}

/// A step to a member: `.volume`, or `['a b']` where it is no word.
fn step(key: &Bound<'_, PyAny>) -> String {
    let word = key.cast::<PyString>().is_ok()
        && key
            .call_method0("isidentifier")
            .and_then(|is| is.is_truthy())
            .unwrap_or(false);
    if word {
        format!(
            ".{}",
            key.str()
                .map(|text| text.to_string_lossy().into_owned())
                .unwrap_or_default()
        )
    } else {
        format!("[{}]", shown(key))
    }
}

/// The digits of an `i64`.
#[derive(Default)]
struct Digits {
    text: [u8; 20],
    len: usize,
}

impl Digits {
    fn as_bytes(&self) -> &[u8] {
        self.text.get(..self.len).unwrap_or_default()
    }
}

impl std::fmt::Write for Digits {
    fn write_str(&mut self, text: &str) -> std::fmt::Result {
        let end = self.len + text.len();
        let room = self.text.get_mut(self.len..end).ok_or(std::fmt::Error)?;
        room.copy_from_slice(text.as_bytes());
        self.len = end;
        Ok(())
    }
}

/// Looked at together, which the compiler turns into a few instructions.
const LANE: usize = 32;

fn is_special(byte: u8) -> bool {
    byte < 0x20 || byte == b'"' || byte == b'\\'
}

/// Appends the inside of a JSON string.
fn escape(text: &mut Vec<u8>, mut rest: &[u8]) {
    while !rest.is_empty() {
        let lanes = rest.chunks_exact(LANE);
        let plain = lanes
            .take_while(|lane| !lane.iter().fold(false, |any, byte| any | is_special(*byte)))
            .count()
            * LANE;
        let tail = rest.get(plain..).unwrap_or_default();
        let plain = plain + tail.iter().take_while(|byte| !is_special(**byte)).count();
        text.extend_from_slice(rest.get(..plain).unwrap_or_default());
        let Some(special) = rest.get(plain) else {
            return;
        };
        one(text, *special);
        rest = rest.get(plain + 1..).unwrap_or_default();
    }
}

fn one(text: &mut Vec<u8>, special: u8) {
    let short = match special {
        b'"' | b'\\' => special,
        b'\n' => b'n',
        b'\r' => b'r',
        b'\t' => b't',
        0x08 => b'b',
        0x0c => b'f',
        other => return unicode(text, u16::from(other)),
    };
    text.extend_from_slice(&[b'\\', short]);
}

fn unicode(text: &mut Vec<u8>, unit: u16) {
    text.extend_from_slice(format!("\\u{unit:04x}").as_bytes());
}

/// As [`escape`], where lone surrogates are written as if they were characters: they become escapes.
fn surrogates(text: &mut Vec<u8>, mut rest: &[u8]) {
    while !rest.is_empty() {
        let found = rest
            .windows(3)
            .position(|three| matches!(three, [0xed, 0xa0..=0xbf, _]));
        let (plain, after) = rest.split_at(found.unwrap_or(rest.len()));
        escape(text, plain);
        if let [_, high, low, more @ ..] = after {
            unicode(
                text,
                0xd000 | u16::from(high & 0x3f) << 6 | u16::from(low & 0x3f),
            );
            rest = more;
        } else {
            return;
        }
    }
}
