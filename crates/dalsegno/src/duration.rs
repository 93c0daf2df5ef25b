//! How long: as people write it, and as they read it.

use jiff::{SignedDuration, Span};

use crate::error::{Error, Result};

const DAY: i64 = 24 * 60 * 60;

/// Nothing here is asked to last longer: 365,000 days.
const MAX: SignedDuration = SignedDuration::from_secs(365_000 * DAY);

/// Units to show durations in, with their nanoseconds.
const UNITS: [(&str, i128); 7] = [
    ("day", DAY as i128 * 1_000_000_000),
    ("hour", 3_600_000_000_000),
    ("minute", 60_000_000_000),
    ("second", 1_000_000_000),
    ("millisecond", 1_000_000),
    ("microsecond", 1_000),
    ("nanosecond", 1),
];

/// Fewer than this many of a unit are not broken down into larger ones: `36 hours`.
const READABLE: i128 = 100;

/// A duration as people write it: `7d`, `24h`, `1h30m`, `90 minutes`, `2 weeks`, or ISO 8601 (`PT36H`).
///
/// A day is 24 hours, a week 7 days, a month 30 days and a year 365 days, whatever calendar and clock
/// changes say, so that a duration means the same at any time. `m` is minutes; months are `mo`.
///
/// ```
/// use dalsegno::{display_duration, parse_duration};
///
/// let week = parse_duration("1 week")?;
/// assert_eq!(week.as_hours(), 168);
/// assert_eq!(display_duration(week), "7 days");
/// # Ok::<(), dalsegno::Error>(())
/// ```
///
/// # Errors
/// `InvalidInput` where it is no duration, zero, negative, or longer than 365,000 days: the message
/// says what to write.
pub fn parse_duration(text: &str) -> Result<SignedDuration> {
    let duration = parse(text)?;
    check(duration).map_err(|e| e.context(format!("'{text}'")))?;
    Ok(duration)
}

/// A duration as people read it, nothing rounded: `7 days`, `36 hours`, `10 days 1 hour`.
///
/// [`parse_duration`] reads it again.
#[must_use]
pub fn display_duration(duration: SignedDuration) -> String {
    let sign = if duration.is_negative() { "-" } else { "" };
    let mut rest = duration.as_nanos().abs();
    // The largest unit that says it in one readable number, such as 36 hours; else all that it takes.
    let one = UNITS
        .iter()
        .find(|(_, unit)| rest % unit == 0)
        .filter(|(_, unit)| rest / unit < READABLE);
    if rest == 0 {
        return "0 seconds".to_owned();
    }
    if let Some((name, unit)) = one {
        return format!("{sign}{}", counted(rest / unit, name));
    }
    let mut parts = Vec::new();
    for (name, unit) in UNITS {
        let count = rest / unit;
        rest %= unit;
        if count > 0 {
            parts.push(counted(count, name));
        }
    }
    format!("{sign}{}", parts.join(" "))
}

fn counted(count: i128, unit: &str) -> String {
    let plural = if count == 1 { "" } else { "s" };
    format!("{count} {unit}{plural}")
}

/// Refuses what no age and no interval can be.
pub(crate) fn check(duration: SignedDuration) -> Result<()> {
    let problem = if duration.is_zero() {
        "no time at all"
    } else if duration.is_negative() {
        "negative"
    } else if duration > MAX {
        "longer than 365000 days"
    } else {
        return Ok(());
    };
    Err(Error::invalid(format!(
        "the duration is {problem}; write one like 24h, 7d or 2 weeks"
    )))
}

/// Any duration, sensible or not.
fn parse(text: &str) -> Result<SignedDuration> {
    let odd = || {
        Error::invalid(format!(
            "'{text}' is not a duration; write 7d, 24h, 90 minutes or 2 weeks"
        ))
    };
    let span: Span = text.trim().parse().map_err(|e| odd().with_source(e))?;
    let days = i64::from(span.get_years()) * 365
        + i64::from(span.get_months()) * 30
        + i64::from(span.get_weeks()) * 7
        + i64::from(span.get_days());
    let clock = span.years(0).months(0).weeks(0).days(0);
    let clock = SignedDuration::try_from(clock).map_err(|e| odd().with_source(e))?;
    SignedDuration::from_secs(days * DAY)
        .checked_add(clock)
        .ok_or_else(odd)
}

/// Serialises optional durations as the texts that people read and write.
pub(crate) mod optional {
    use jiff::SignedDuration;
    use serde::{Deserialize, Deserializer, Serializer, de};

    pub(crate) fn serialize<S: Serializer>(
        duration: &Option<SignedDuration>,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        match duration {
            Some(duration) => super::required::serialize(duration, serializer),
            None => serializer.serialize_none(),
        }
    }

    // Zero and negative ones are read too: the checks of those who use them say more.
    pub(crate) fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<Option<SignedDuration>, D::Error> {
        let text = Option::<String>::deserialize(deserializer)?;
        text.map(|text| super::parse(&text).map_err(de::Error::custom))
            .transpose()
    }
}

/// Serialises durations as the texts that people read and write.
pub(crate) mod required {
    use jiff::SignedDuration;
    use serde::{Deserialize, Deserializer, Serializer, de};

    pub(crate) fn serialize<S: Serializer>(
        duration: &SignedDuration,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&super::display_duration(*duration))
    }

    pub(crate) fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<SignedDuration, D::Error> {
        super::parse(&String::deserialize(deserializer)?).map_err(de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::ErrorKind;

    #[test]
    fn what_people_write() {
        for (text, seconds) in [
            ("7d", 7 * DAY),
            ("24h", DAY),
            ("90 minutes", 5_400),
            ("2 weeks", 14 * DAY),
            ("1h30m", 5_400),
            ("1 day 12 hours", 36 * 3_600),
            (" 7 days ", 7 * DAY),
            ("1mo", 30 * DAY),
            ("1 year", 365 * DAY),
            ("PT36H", 36 * 3_600),
            ("365000 days", 365_000 * DAY),
        ] {
            let parsed = parse_duration(text).unwrap();
            assert_eq!(parsed, SignedDuration::from_secs(seconds), "{text}");
        }
        let short = parse_duration("1.5s").unwrap();
        assert_eq!(short, SignedDuration::from_millis(1_500));
    }

    #[test]
    fn what_is_refused_says_what_to_write() {
        for (text, why) in [
            ("", "not a duration"),
            ("soon", "not a duration"),
            ("7", "not a duration"),
            ("-", "not a duration"),
            ("1.5d", "not a duration"),
            ("7d of rest", "not a duration"),
            ("99999999999999y", "not a duration"),
            ("0d", "no time at all"),
            ("-7d", "negative"),
            ("7d ago", "negative"),
            ("365000d 1ns", "longer than 365000 days"),
            ("19998y", "longer than 365000 days"),
        ] {
            let error = parse_duration(text).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::InvalidInput);
            let message = error.to_string();
            assert!(message.contains(why), "{message}");
            assert!(message.contains(&format!("'{text}'")), "{message}");
            assert!(message.contains("write"), "{message}");
        }
    }

    #[test]
    fn what_people_read() {
        for (text, shown) in [
            ("7d", "7 days"),
            ("1 week", "7 days"),
            ("1d", "1 day"),
            ("24h", "1 day"),
            ("36h", "36 hours"),
            ("1h", "1 hour"),
            ("90m", "90 minutes"),
            ("10d 1h", "10 days 1 hour"),
            ("400d", "400 days"),
            ("1h 30m 5s", "1 hour 30 minutes 5 seconds"),
            ("1.5s", "1 second 500 milliseconds"),
        ] {
            assert_eq!(display_duration(parse_duration(text).unwrap()), shown);
        }
        assert_eq!(display_duration(SignedDuration::ZERO), "0 seconds");
        assert_eq!(
            display_duration(SignedDuration::from_hours(-36)),
            "-36 hours"
        );
        assert!(display_duration(SignedDuration::MIN).starts_with('-'));
    }

    proptest::proptest! {
        #[test]
        fn what_is_shown_is_read_as_the_same(seconds in 0..=365_000 * DAY, nanos in 0..1_000_000_000_i32) {
            for duration in [SignedDuration::new(seconds, nanos), SignedDuration::from_secs(seconds), SignedDuration::from_mins(seconds / 60)] {
                proptest::prop_assert_eq!(parse(&display_duration(duration)).unwrap(), duration);
                proptest::prop_assert_eq!(parse(&display_duration(-duration)).unwrap(), -duration);
            }
        }

        #[test]
        fn any_text_is_a_duration_or_an_error(text: String) {
            if let Ok(duration) = parse_duration(&text) {
                proptest::prop_assert!(duration.is_positive() && duration <= MAX);
            }
        }
    }
}
