//! The generators' own clock: a workload never reads the time of the machine.

/// 20 November 2026, 00:00 UTC, in milliseconds.
pub const DAY_START_MS: u64 = 1_795_132_800_000;

/// Five minutes in milliseconds.
pub const SAVE_INTERVAL_MS: u64 = 300_000;

/// Milliseconds and a few microseconds as Python's `time.time()` gives them.
#[must_use]
pub fn seconds(ms: u64, micros: u64) -> f64 {
    (ms * 1000 + micros % 1000) as f64 / 1e6
}

/// Milliseconds as ISO 8601 text with microseconds and offset, as Python's `isoformat` gives it.
#[must_use]
pub fn iso(ms: u64, micros: u64) -> String {
    let (days, rest) = (ms / 86_400_000, ms % 86_400_000);
    let (year, month, day) = civil(days);
    format!(
        "{year:04}-{month:02}-{day:02}T{:02}:{:02}:{:02}.{:03}{:03}+00:00",
        rest / 3_600_000,
        rest / 60_000 % 60,
        rest / 1000 % 60,
        rest % 1000,
        micros % 1000
    )
}

/// Year, month and day of a count of days since 1970 (the usual era arithmetic).
const fn civil(days: u64) -> (u64, u64, u64) {
    let z = days + 719_468;
    let era = z / 146_097;
    let doe = z % 146_097;
    let yoe = (doe - doe / 1460 + doe / 36_524 - doe / 146_096) / 365;
    let doy = doe - (365 * yoe + yoe / 4 - yoe / 100);
    let mp = (5 * doy + 2) / 153;
    let day = doy - (153 * mp + 2) / 5 + 1;
    let month = if mp < 10 { mp + 3 } else { mp - 9 };
    (yoe + era * 400 + (month <= 2) as u64, month, day)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_day_starts_at_midnight() {
        assert_eq!(iso(DAY_START_MS, 7), "2026-11-20T00:00:00.000007+00:00");
        assert_eq!(iso(951_782_400_000, 0), "2000-02-29T00:00:00.000000+00:00");
    }
}
