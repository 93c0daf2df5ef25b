//! Between Python's JSON and ours.

use dalsegno::{Error, ErrorKind, Result};
use serde_json::{Map, Number, Value};

use super::{Json, MAX_DEPTH, Text};

impl Json {
    /// The value as the rest of the program has it. An integer of more than 64 bits becomes a float, what is no finite
    /// number becomes null, and half of a pair of surrogates the replacement character.
    pub(in crate::file) fn into_value(self) -> Value {
        match self {
            Self::Null => Value::Null,
            Self::Bool(bool) => Value::Bool(bool),
            Self::Int(digits) => integer(&digits),
            Self::Float(number) => Number::from_f64(number).map_or(Value::Null, Value::Number),
            Self::Text(text) => Value::String(text.into_string()),
            Self::List(values) => values.into_iter().map(Self::into_value).collect(),
            Self::Object(members) => {
                let member = |(key, value): (Text, Self)| (key.into_string(), value.into_value());
                Value::Object(members.into_iter().map(member).collect::<Map<_, _>>())
            }
        }
    }

    /// The value as Python has it, `depth` levels deep in a document.
    ///
    /// # Errors
    /// `InvalidInput` where it is nested too deep.
    pub(in crate::file) fn of(value: &Value, depth: usize) -> Result<Self> {
        if depth > MAX_DEPTH {
            let message = format!(
                "the snapshot is nested deeper than the {MAX_DEPTH} levels that a file may have"
            );
            return Err(Error::new(ErrorKind::InvalidInput, message));
        }
        Ok(match value {
            Value::Null => Self::Null,
            Value::Bool(bool) => Self::Bool(*bool),
            Value::Number(number) => match number.as_f64().filter(|_| number.is_f64()) {
                Some(float) => Self::Float(float),
                None => Self::Int(number.to_string()),
            },
            Value::String(text) => Self::Text(text.as_str().into()),
            Value::Array(values) => {
                let values = values.iter().map(|value| Self::of(value, depth + 1));
                Self::List(values.collect::<Result<_>>()?)
            }
            Value::Object(members) => {
                let member = |(key, value): (&String, _)| {
                    Ok((key.as_str().into(), Self::of(value, depth + 1)?))
                };
                Self::Object(members.iter().map(member).collect::<Result<_>>()?)
            }
        })
    }
}

impl Text {
    fn into_string(self) -> String {
        String::from_utf16_lossy(&self.0)
    }
}

fn integer(digits: &str) -> Value {
    if let Ok(number) = digits.parse::<i64>() {
        return number.into();
    }
    if let Ok(number) = digits.parse::<u64>() {
        return number.into();
    }
    let float = digits.parse().ok().and_then(Number::from_f64);
    float.map_or(Value::Null, Value::Number)
}
