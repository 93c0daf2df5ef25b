//! Values as people read them: sizes, local times, short ids.

use dalsegno::SnapshotId;
use jiff::Timestamp;
use jiff::tz::TimeZone;

/// A size with a fitting unit.
pub(crate) fn size(bytes: u64) -> String {
    indicatif::HumanBytes(bytes).to_string()
}

/// A size with a fitting unit, and in bytes.
pub(crate) fn exact_size(bytes: u64) -> String {
    if bytes < 1024 {
        return size(bytes);
    }
    format!("{} ({bytes} bytes)", size(bytes))
}

/// A number of bytes in memory, which is a size too.
pub(crate) fn length(bytes: usize) -> String {
    size(u64::try_from(bytes).unwrap_or(u64::MAX))
}

/// How long something took or lasted, with a fitting unit.
pub(crate) fn seconds(seconds: f64) -> String {
    match seconds {
        s if s < 1.0 => format!("{:.0} ms", s * 1e3),
        s if s < 120.0 => format!("{s:.1} s"),
        s if s < 7_200.0 => format!("{:.1} min", s / 60.0),
        s if s < 172_800.0 => format!("{:.1} h", s / 3_600.0),
        s => format!("{:.1} days", s / 86_400.0),
    }
}

/// A time as the clock on the wall shows it.
pub(crate) fn time(time: Timestamp) -> String {
    let local = time.to_zoned(TimeZone::system());
    local.strftime("%Y-%m-%d %H:%M:%S").to_string()
}

/// The beginning of an id that no other snapshot of the store has: it holds the whole place in the
/// order of commits.
pub(crate) fn short(id: SnapshotId) -> String {
    let mut id = id.to_string();
    id.truncate(18);
    id
}

/// A number with its noun: `1 snapshot`, `2 snapshots`.
pub(crate) fn count(number: u64, noun: &str) -> String {
    let plural = if number == 1 { "" } else { "s" };
    format!("{} {noun}{plural}", indicatif::HumanCount(number))
}

/// Text of others on one line of a terminal, which it cannot steer: control characters and marks
/// that turn the direction of writing are shown as escapes.
pub(crate) fn safe(text: &str) -> String {
    escape(text, false)
}

/// As [`safe`], but lines stay lines.
pub(crate) fn safe_lines(text: &str) -> String {
    escape(text, true)
}

fn escape(text: &str, lines: bool) -> String {
    let mut shown = String::with_capacity(text.len());
    for c in text.chars() {
        let steers =
            c.is_control() || matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
        if steers && !(lines && c == '\n') {
            shown.extend(c.escape_default());
        } else {
            shown.push(c);
        }
    }
    shown
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_of_others_cannot_steer_the_terminal() {
        assert_eq!(
            safe("a\u{1b}[31m\nb\u{202e}é漢"),
            "a\\u{1b}[31m\\nb\\u{202e}é漢"
        );
        assert_eq!(safe_lines("a\nb\t"), "a\nb\\t");
    }

    #[test]
    fn sizes_and_counts_read_well() {
        assert_eq!(size(312), "312 B");
        assert_eq!(size(131_481), "128.40 KiB");
        let times = [0.0213, 1.0, 119.0, 150.0, 9_000.0, 864_000.0].map(seconds);
        let expected = ["21 ms", "1.0 s", "119.0 s", "2.5 min", "2.5 h", "10.0 days"];
        assert_eq!(times, expected);
        assert_eq!(count(1, "snapshot"), "1 snapshot");
        assert_eq!(count(12_345, "snapshot"), "12,345 snapshots");
    }
}
