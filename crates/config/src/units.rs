//! Durations and sizes as people write them.

use std::time::Duration;

use bytesize::ByteSize;
use dalsegno::{Error, ErrorKind, Result, parse_duration};
use jiff::{SignedDuration, Span};
use serde::de::{self, Deserialize, Deserializer, Visitor};

/// A duration in a file, such as `"30s"`.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Time(pub(crate) SignedDuration);

/// A part in a file: `0.1`, or `"10%"`.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Part(pub(crate) f64);

/// A size in a file, such as `"4 KiB"`, or a number of bytes.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Size(pub(crate) u64);

/// Reads a duration; zero is one, unlike for an age.
pub(crate) fn time(text: &str) -> Result<SignedDuration> {
    if text.trim().parse::<Span>().is_ok_and(Span::is_zero) {
        return Ok(SignedDuration::ZERO);
    }
    parse_duration(text)
}

/// Reads a size in bytes, such as `64 KiB` or `2MB`.
///
/// # Errors
/// `InvalidInput` where it is none.
pub fn size(text: &str) -> Result<u64> {
    let size: ByteSize = text.trim().parse().map_err(|_| {
        let message = format!("'{text}' is not a size; write 512, 64 KiB or 2 MB");
        Error::new(ErrorKind::InvalidInput, message)
    })?;
    Ok(size.as_u64())
}

/// Reads a part of a whole.
pub(crate) fn part(text: &str) -> Result<f64> {
    let text = text.trim();
    let read = match text.strip_suffix('%') {
        Some(percent) => percent.trim_end().parse().map(|n: f64| n / 100.0),
        None => text.parse(),
    };
    let part = read.ok().filter(|part| (0.0..=1.0).contains(part));
    part.ok_or_else(|| {
        let message = format!("'{text}' is no part of a whole; write 10% or 0.1");
        Error::new(ErrorKind::InvalidInput, message)
    })
}

/// A duration that waits can be given; what is negative is none.
pub(crate) fn std(duration: SignedDuration) -> Duration {
    Duration::try_from(duration).unwrap_or_default()
}

impl<'de> Deserialize<'de> for Time {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Text;
        impl Visitor<'_> for Text {
            type Value = Time;
            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("a duration as text, such as \"500ms\", \"30s\" or \"7d\"")
            }
            fn visit_str<E: de::Error>(self, text: &str) -> Result<Time, E> {
                time(text).map(Time).map_err(E::custom)
            }
        }
        deserializer.deserialize_any(Text)
    }
}

impl<'de> Deserialize<'de> for Part {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Text;
        impl Visitor<'_> for Text {
            type Value = Part;
            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("a part of a whole, such as \"10%\" or 0.1")
            }
            fn visit_str<E: de::Error>(self, text: &str) -> Result<Part, E> {
                part(text).map(Part).map_err(E::custom)
            }
            fn visit_f64<E: de::Error>(self, number: f64) -> Result<Part, E> {
                self.visit_str(&number.to_string())
            }
            fn visit_i64<E: de::Error>(self, number: i64) -> Result<Part, E> {
                self.visit_str(&number.to_string())
            }
        }
        deserializer.deserialize_any(Text)
    }
}

impl<'de> Deserialize<'de> for Size {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Text;
        impl Visitor<'_> for Text {
            type Value = Size;
            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("a size: a number of bytes, or text such as \"64 KiB\"")
            }
            fn visit_str<E: de::Error>(self, text: &str) -> Result<Size, E> {
                size(text).map(Size).map_err(E::custom)
            }
            fn visit_i64<E: de::Error>(self, bytes: i64) -> Result<Size, E> {
                let bytes = u64::try_from(bytes);
                bytes
                    .map(Size)
                    .map_err(|_| E::custom("a size is not negative"))
            }
        }
        deserializer.deserialize_any(Text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_people_write() {
        for (text, millis) in [
            ("500ms", 500),
            ("30s", 30_000),
            ("0s", 0),
            (" 1 min ", 60_000),
        ] {
            assert_eq!(
                time(text).unwrap(),
                SignedDuration::from_millis(millis),
                "{text}"
            );
        }
        for odd in ["", "7", "-3s", "soon"] {
            assert!(time(odd).is_err(), "{odd}");
        }
        for (text, of_whole) in [("10%", 0.1), ("0.5", 0.5), ("0", 0.0), ("100 %", 1.0)] {
            assert!((part(text).unwrap() - of_whole).abs() < 1e-12, "{text}");
        }
        for odd in ["", "2", "101%", "-1%", "NaN", "often"] {
            let said = part(odd).unwrap_err().to_string();
            assert!(said.contains("no part of a whole; write"), "{said}");
        }
        for (text, bytes) in [
            ("512", 512),
            ("64 KiB", 65_536),
            ("2MB", 2_000_000),
            ("0", 0),
        ] {
            assert_eq!(size(text).unwrap(), bytes, "{text}");
        }
        for odd in ["", "much", "-1", "4 days"] {
            let said = size(odd).unwrap_err().to_string();
            assert!(said.contains("not a size; write"), "{said}");
        }
    }
}
