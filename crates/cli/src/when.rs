//! Times on the command line: as a calendar writes them, or as so long ago.

use dalsegno::{parse_duration, parse_time};
use jiff::Timestamp;

/// A time: `2026-11-20T21:30`, or how long before now: `24h`, `7d`, `1h30m`, `2 weeks`.
///
/// For clap, which adds the option's name to the message.
pub(crate) fn parse(text: &str) -> Result<Timestamp, String> {
    if let Ok(time) = parse_time(text) {
        return Ok(time);
    }
    // `24h`, `-24h` and `24h ago` mean the same here.
    let ago = text.strip_suffix("ago").unwrap_or(text);
    let ago = parse_duration(ago.strip_prefix('-').unwrap_or(ago));
    let time = ago
        .ok()
        .and_then(|ago| Timestamp::now().checked_sub(ago).ok());
    time.ok_or_else(|| {
        format!("'{text}' is not a time; write 2026-11-20T21:30, or 24h or 7d for so long ago")
    })
}

/// How long, short enough for a line.
pub(crate) fn seconds(duration: std::time::Duration) -> String {
    format!("{:.2} s", duration.as_secs_f64())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn calendar_and_ago() {
        assert_eq!(
            parse("2026-11-20T10:00:00Z").unwrap().to_string(),
            "2026-11-20T10:00:00Z"
        );
        let day = Timestamp::now().as_second() - parse("24h").unwrap().as_second();
        assert!((86_399..=86_401).contains(&day), "{day}");
        let day = Timestamp::now().as_second() - parse("-1d").unwrap().as_second();
        assert!((86_399..=86_401).contains(&day), "{day}");
        let ago = Timestamp::now().as_second() - parse("90 minutes ago").unwrap().as_second();
        assert!((5_399..=5_401).contains(&ago), "{ago}");
        for odd in ["", "soon", "7", "-", "ago", "99999999999999y", "2026-13-01"] {
            assert!(parse(odd).is_err(), "{odd}");
        }
    }
}
