//! JSON exactly as Python reads and writes it: the checksum of a snapshot's file is one of Python's text.

mod convert;
mod reader;
mod writer;

use dalsegno::Result;

/// How deep Sonora lets a document be nested.
pub(super) const MAX_DEPTH: usize = 100;

/// A JSON value with all that Python tells apart.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Json {
    Null,
    Bool(bool),
    /// Of any length, in decimal.
    Int(String),
    /// Also what is infinite or no number: Python has words for it.
    Float(f64),
    Text(Text),
    List(Vec<Json>),
    /// In the order in which the keys first came.
    Object(Vec<(Text, Json)>),
}

/// UTF-16, because Python's texts may hold half of a pair.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) struct Text(pub(super) Vec<u16>);

impl From<&str> for Text {
    fn from(text: &str) -> Self {
        Self(text.encode_utf16().collect())
    }
}

impl Json {
    /// Reads what Python's `json.loads` reads.
    ///
    /// # Errors
    /// `InvalidInput` where it is no JSON, or nested too deep; it says where.
    pub(super) fn read(text: &str) -> Result<Self> {
        reader::read(text)
    }

    /// As `json.dumps(…, sort_keys=True)` writes it.
    pub(super) fn sorted(&self) -> String {
        writer::sorted(self)
    }

    /// As `json.dumps(…, indent=2)` writes it.
    pub(super) fn indented(&self) -> String {
        writer::indented(self)
    }
}

/// JSON text as Python's `json.dumps(json.loads(text), sort_keys=True)` gives it back: in ASCII, keys in order of
/// their code points, integers of any length, floats as Python shows them, of double keys the last value.
///
/// # Errors
/// `InvalidInput` where it is no JSON for Python, or nested deeper than the 100 levels that Sonora reads.
pub fn python_json(text: &str) -> Result<String> {
    Json::read(text).map(|json| json.sorted())
}
