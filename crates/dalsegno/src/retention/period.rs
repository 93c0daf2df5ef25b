//! Hours, days, weeks and months of a calendar.

use std::collections::HashMap;

use jiff::Timestamp;
use jiff::tz::TimeZone;

/// What a calendar is cut into.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Unit {
    Hour,
    Day,
    Week,
    Month,
}

impl Unit {
    /// Which hour, day, … `time` is in: the same number for the same one, larger for later ones.
    fn number(self, time: Timestamp, zone: &TimeZone) -> i64 {
        const HOUR: i64 = 3_600_000_000;
        let offset = zone.to_offset(time);
        if self == Self::Hour {
            // The moment at which the local hour began: an hour that comes twice is two hours.
            let ahead = i64::from(offset.seconds()) * 1_000_000;
            return (time.as_microsecond() + ahead).div_euclid(HOUR) * HOUR - ahead;
        }
        let date = offset.to_datetime(time).date();
        let (year, month) = (i64::from(date.year()), i64::from(date.month()));
        match self {
            Self::Week => {
                let week = date.iso_week_date();
                i64::from(week.year()) * 100 + i64::from(week.week())
            }
            Self::Month => year * 100 + month,
            Self::Hour | Self::Day => (year * 100 + month) * 100 + i64::from(date.day()),
        }
    }

    /// The hour, day, … that `time` is in, as people write it.
    pub(super) fn label(self, time: Timestamp, zone: &TimeZone) -> String {
        let offset = zone.to_offset(time);
        let local = offset.to_datetime(time);
        let date = local.date();
        match self {
            Self::Hour => {
                let hour = format!("{date} {:02}:00", local.hour());
                if zone.to_ambiguous_timestamp(local).is_ambiguous() {
                    format!("{hour}{offset}")
                } else {
                    hour
                }
            }
            Self::Day => date.to_string(),
            Self::Week => {
                let week = date.iso_week_date();
                format!("{}-W{:02}", week.year(), week.week())
            }
            Self::Month => date.strftime("%Y-%m").to_string(),
        }
    }
}

/// The places of the last of each of the newest `count` hours, days, … that have any of `times`, and of
/// each that begins after `now`.
///
/// `times` are places in commit order, each with its time; of equal times, the later place is the last.
pub(super) fn last_of_each(
    unit: Unit,
    count: u32,
    now: Timestamp,
    zone: &TimeZone,
    times: impl Iterator<Item = (usize, Timestamp)>,
) -> Vec<usize> {
    let mut last: HashMap<i64, (Timestamp, usize)> = HashMap::new();
    for (place, time) in times {
        let entry = last.entry(unit.number(time, zone)).or_insert((time, place));
        *entry = (*entry).max((time, place));
    }
    let mut periods: Vec<(i64, usize)> = last
        .into_iter()
        .map(|(number, (_, place))| (number, place))
        .collect();
    periods.sort_unstable_by(|a, b| b.cmp(a));
    let present = unit.number(now, zone);
    let ahead = periods.partition_point(|(number, _)| *number > present);
    let count = usize::try_from(count).unwrap_or(usize::MAX);
    let taken = periods.into_iter().take(ahead.saturating_add(count));
    taken.map(|(_, place)| place).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn berlin() -> TimeZone {
        TimeZone::posix("CET-1CEST,M3.5.0,M10.5.0/3").unwrap()
    }

    fn labels(time: &str, zone: &TimeZone) -> [String; 4] {
        let time = time.parse().unwrap();
        [Unit::Hour, Unit::Day, Unit::Week, Unit::Month].map(|unit| unit.label(time, zone))
    }

    #[test]
    fn labels_are_of_the_zone() {
        assert_eq!(
            labels("2026-11-20T14:59:59.999999Z", &TimeZone::UTC),
            ["2026-11-20 14:00", "2026-11-20", "2026-W47", "2026-11"]
        );
        assert_eq!(
            labels("2026-12-31T23:30:00Z", &berlin()),
            ["2027-01-01 00:00", "2027-01-01", "2026-W53", "2027-01"],
            "an ISO week belongs to the year of its Thursday"
        );
    }

    #[test]
    fn the_hour_that_comes_twice_is_two() {
        // 2026-10-25: at 03:00 summer time it is 02:00 again.
        let times = ["00:10", "00:50", "01:10", "01:50", "02:10"].map(|time| {
            format!("2026-10-25T{time}:00Z")
                .parse::<Timestamp>()
                .unwrap()
        });
        let hours = times.map(|time| Unit::Hour.label(time, &berlin()));
        assert_eq!(
            hours,
            [
                "2026-10-25 02:00+02",
                "2026-10-25 02:00+02",
                "2026-10-25 02:00+01",
                "2026-10-25 02:00+01",
                "2026-10-25 03:00"
            ]
        );
        let last = |unit, count| {
            let times = times.into_iter().enumerate();
            last_of_each(
                unit,
                count,
                times.clone().next_back().unwrap().1,
                &berlin(),
                times,
            )
        };
        assert_eq!(last(Unit::Hour, 9), [4, 3, 1]);
        assert_eq!(last(Unit::Hour, 2), [4, 3]);
        assert_eq!(last(Unit::Day, 9), [4]);
    }

    #[test]
    fn hours_of_zones_with_half_hours() {
        let kolkata = TimeZone::posix("IST-5:30").unwrap();
        let hour = |time: &str| Unit::Hour.number(time.parse().unwrap(), &kolkata);
        assert_eq!(hour("2026-11-20T08:30:00Z"), hour("2026-11-20T09:29:59Z"));
        assert_ne!(hour("2026-11-20T08:29:59Z"), hour("2026-11-20T08:30:00Z"));
    }

    #[test]
    fn the_ends_of_time_are_in_some_period() {
        for zone in [TimeZone::UTC, berlin(), TimeZone::posix("XXX-24").unwrap()] {
            for unit in [Unit::Hour, Unit::Day, Unit::Week, Unit::Month] {
                assert!(unit.number(Timestamp::MIN, &zone) < unit.number(Timestamp::MAX, &zone));
                assert!(!unit.label(Timestamp::MIN, &zone).is_empty());
                assert!(!unit.label(Timestamp::MAX, &zone).is_empty());
            }
        }
    }

    #[test]
    fn periods_ahead_of_now_take_no_place() {
        let time = |hour: i64| Timestamp::from_second(hour * 3_600 + 60).unwrap();
        let times = [1, 2, 3, 50, 50, 51, 4].map(time);
        let last = |count, now| {
            last_of_each(
                Unit::Hour,
                count,
                time(now),
                &TimeZone::UTC,
                times.into_iter().enumerate(),
            )
        };
        assert_eq!(last(2, 4), [5, 4, 6, 2]);
        assert_eq!(last(2, 60), [5, 4]);
        assert_eq!(
            last(2, 0),
            [5, 4, 6, 2, 1, 0],
            "a clock that is behind deletes nothing more"
        );
    }
}
