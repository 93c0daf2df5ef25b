//! What may be said of a watch: the settle time and the patterns, read so that no watch refuses them later.

use std::fmt;

use dalsegno::{Error, ErrorKind, Result, display_duration};
use glob::Pattern;
use jiff::SignedDuration;
use serde::de::{self, Deserialize, Deserializer, Error as _, Visitor};

use crate::units;

/// No file settles in less: file systems tell times in steps of milliseconds.
pub const LEAST_WATCH_SETTLE: SignedDuration = SignedDuration::from_millis(20);

/// A settle time in a file.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Settle(pub(crate) SignedDuration);

/// A pattern of files in a file.
#[derive(Debug, Clone)]
pub(crate) struct FilePattern(pub(crate) String);

/// Reads how long a watched file has to stand still, such as `500ms`.
///
/// # Errors
/// `InvalidInput` for what is no duration, and for less than [`LEAST_WATCH_SETTLE`].
pub fn watch_settle(text: &str) -> Result<SignedDuration> {
    at_least(units::time(text)?, text)
}

/// Reads a pattern of files to watch, or not to watch.
///
/// # Errors
/// `InvalidInput` for what is no pattern, and for an empty one, which fits no file.
pub fn watch_pattern(text: &str) -> Result<String> {
    let wrong = |what: String| {
        let message = format!("the pattern '{}' {what}", text.escape_debug());
        Err(Error::new(ErrorKind::InvalidInput, message))
    };
    let fitting = text.trim_start_matches('/');
    if fitting.is_empty() {
        return wrong("is empty: it fits no file; write such as *.json".to_owned());
    }
    match Pattern::new(fitting) {
        Ok(_) => Ok(text.to_owned()),
        Err(e) => wrong(format!("is none: {e}")),
    }
}

fn at_least(settle: SignedDuration, text: &str) -> Result<SignedDuration> {
    if settle < LEAST_WATCH_SETTLE {
        let (text, least) = (text.trim(), LEAST_WATCH_SETTLE.as_millis());
        let message = format!(
            "'{text}' is too short to tell that a file stands still; write {least}ms or more"
        );
        return Err(Error::new(ErrorKind::InvalidInput, message));
    }
    Ok(settle)
}

impl<'de> Deserialize<'de> for Settle {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let units::Time(settle) = Deserialize::deserialize(deserializer)?;
        let settle = at_least(settle, &display_duration(settle));
        settle.map(Self).map_err(D::Error::custom)
    }
}

impl<'de> Deserialize<'de> for FilePattern {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Text;
        impl Visitor<'_> for Text {
            type Value = FilePattern;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a pattern as text, such as \"*.json\"")
            }
            // Here, so that the error is of its place within the list.
            fn visit_str<E: de::Error>(self, text: &str) -> Result<FilePattern, E> {
                watch_pattern(text).map(FilePattern).map_err(E::custom)
            }
        }
        deserializer.deserialize_str(Text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_needs_time_to_settle() {
        for (text, millis) in [("20ms", 20), ("1h", 3_600_000)] {
            let read = watch_settle(text).unwrap();
            assert_eq!(read, SignedDuration::from_millis(millis));
        }
        for odd in ["0s", "1ms", "19ms"] {
            let said = watch_settle(odd).unwrap_err().to_string();
            assert!(
                said.contains(&format!("'{odd}'")) && said.contains("20ms"),
                "{said}"
            );
        }
        watch_settle("soon").unwrap_err();
    }

    #[test]
    fn a_pattern_fits_something() {
        for fine in ["*.json", "/chats/**/*.json", "a b", "[[]"] {
            assert_eq!(watch_pattern(fine).unwrap(), fine);
        }
        for odd in ["", "/", "[", "a**", "***"] {
            let said = watch_pattern(odd).unwrap_err().to_string();
            assert!(said.contains("the pattern '"), "{said}");
        }
    }
}
