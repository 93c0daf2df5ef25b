//! What tells a sound state from a broken one.

use std::collections::HashMap;
use std::fmt;
use std::str::FromStr;

use dalsegno::{Error, ErrorKind};
use serde::Serialize;
use serde_json::value::RawValue;

use crate::keep::write;

/// A check of a session's state.
pub struct Check<S>(Box<Found<S>>);

type Found<S> = dyn Fn(&S) -> Result<(), String> + Send + Sync;

impl<S> Check<S> {
    /// A function of the program's own: it says what is wrong.
    pub fn new(check: impl Fn(&S) -> Result<(), String> + Send + Sync + 'static) -> Self {
        Self(Box::new(check))
    }

    /// The state as JSON must be an object with these fields. It is written as JSON for each check.
    #[must_use]
    pub fn fields(fields: Fields) -> Self
    where
        S: Serialize,
    {
        Self::new(move |session| {
            let mut text = Vec::new();
            write(session, &mut text).map_err(|e| e.to_string())?;
            fields.check(&text)
        })
    }

    /// Runs the check.
    ///
    /// # Errors
    /// What is wrong with the state.
    pub fn run(&self, session: &S) -> Result<(), String> {
        (self.0)(session)
    }
}

/// The fields that a state must have, and their types.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Fields(Vec<(String, Type)>);

impl<N: Into<String>> FromIterator<(N, Type)> for Fields {
    fn from_iter<I: IntoIterator<Item = (N, Type)>>(fields: I) -> Self {
        Self(fields.into_iter().map(|(n, t)| (n.into(), t)).collect())
    }
}

impl<N: Into<String>, const M: usize> From<[(N, Type); M]> for Fields {
    fn from(fields: [(N, Type); M]) -> Self {
        fields.into_iter().collect()
    }
}

impl Fields {
    /// Checks a state's JSON text.
    ///
    /// ```
    /// use dalsegno_claudmaster::{Fields, Type};
    ///
    /// let fields = Fields::from([("turn_count", Type::Integer), ("metadata", Type::Object)]);
    /// assert_eq!(fields.check(br#"{"turn_count": 3, "metadata": {}}"#), Ok(()));
    /// let found = fields.check(br#"{"turn_count": "3"}"#);
    /// assert_eq!(found, Err("turn_count is a string, not an integer; metadata is missing".to_owned()));
    /// ```
    ///
    /// # Errors
    /// Everything that is wrong with it, in one line; also that it is no JSON object (Python's `NaN` is no
    /// JSON).
    pub fn check(&self, text: &[u8]) -> Result<(), String> {
        let members: HashMap<String, &RawValue> = serde_json::from_slice(text)
            .map_err(|e| format!("the state is no JSON object: {e}"))?;
        let wrong = self.0.iter().filter_map(|(name, wanted)| {
            let Some(value) = members.get(name) else {
                return Some(format!("{name} is missing"));
            };
            let is = Type::of(value.get());
            let fits = *wanted == is
                || *wanted == Type::Any
                || (*wanted == Type::Number && is == Type::Integer);
            (!fits).then(|| format!("{name} is {}, not {}", is.told(), wanted.told()))
        });
        let wrong: Vec<String> = wrong.collect();
        if wrong.is_empty() {
            Ok(())
        } else {
            Err(wrong.join("; "))
        }
    }
}

/// A type of JSON values.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Type {
    /// Any value at all.
    Any,
    /// A list.
    Array,
    /// `true` or `false`.
    Boolean,
    /// A number without fraction or exponent.
    Integer,
    /// `null`.
    Null,
    /// Any number.
    Number,
    /// Named members.
    Object,
    /// A text.
    String,
}

impl Type {
    const ALL: [(&str, Self); 8] = [
        ("any", Self::Any),
        ("array", Self::Array),
        ("boolean", Self::Boolean),
        ("integer", Self::Integer),
        ("null", Self::Null),
        ("number", Self::Number),
        ("object", Self::Object),
        ("string", Self::String),
    ];

    /// The type of a value that is known to be JSON.
    fn of(value: &str) -> Self {
        match value.trim_start().as_bytes().first() {
            Some(b'{') => Self::Object,
            Some(b'[') => Self::Array,
            Some(b'"') => Self::String,
            Some(b't' | b'f') => Self::Boolean,
            Some(b'n') => Self::Null,
            _ if value.contains(['.', 'e', 'E']) => Self::Number,
            _ => Self::Integer,
        }
    }

    fn told(self) -> &'static str {
        match self {
            Self::Any => "any value",
            Self::Array => "an array",
            Self::Boolean => "a boolean",
            Self::Integer => "an integer",
            Self::Null => "null",
            Self::Number => "a number",
            Self::Object => "an object",
            Self::String => "a string",
        }
    }
}

impl fmt::Display for Type {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = Self::ALL.iter().find(|(_, known)| known == self);
        f.pad(name.map_or("", |(name, _)| name))
    }
}

impl FromStr for Type {
    type Err = Error;

    /// From the names that JSON Schema uses, and `any`.
    fn from_str(name: &str) -> Result<Self, Error> {
        let known = Self::ALL.iter().find(|(known, _)| *known == name);
        known.map(|(_, known)| *known).ok_or_else(|| {
            let all = Self::ALL.map(|(name, _)| name).join(", ");
            let message = format!("'{name}' is no type of JSON; the types are {all}");
            Error::new(ErrorKind::InvalidInput, message)
        })
    }
}
