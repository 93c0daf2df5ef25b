//! What a row of snapshots says about how they are taken.

use std::collections::BTreeMap;

use jiff::Timestamp;
use jiff::tz::TimeZone;
use serde::Serialize;
use serde_json::{Map, Value};

/// How many of the busiest hours are told.
const PEAKS: usize = 3;

/// What is asked of a snapshot.
#[derive(Debug, Clone)]
pub struct Taken {
    /// Whose player it is of.
    pub guild_id: u64,
    /// When it was taken.
    pub created_at: Timestamp,
    /// How large it is, in bytes.
    pub size: u64,
    /// How many tracks were upcoming.
    pub queue_len: usize,
    /// How many filters were on.
    pub filters_len: usize,
    /// The volume, the loop mode, and so on.
    pub settings: Map<String, Value>,
}

/// What snapshots say together.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[non_exhaustive]
pub struct Analytics {
    /// How many there are.
    pub total_snapshots: usize,
    /// How many seconds are between one of a guild and its next; 0 where no guild has two.
    pub average_interval: f64,
    /// The hours of the day in which most were taken, and how many; at most three, the busiest first.
    pub peak_hours: Vec<(i8, usize)>,
    /// Between which two of a guild that follow each other most has changed.
    pub most_changed_component: Option<Changes>,
    /// How large all are, in bytes.
    pub storage_used: u64,
    /// How large one is on average, in bytes.
    pub average_snapshot_size: f64,
    /// When the first was taken.
    pub oldest_snapshot: Option<Timestamp>,
    /// When the last was taken.
    pub newest_snapshot: Option<Timestamp>,
    /// How many each guild has.
    pub snapshots_by_guild: BTreeMap<u64, usize>,
}

/// What changed from one snapshot to the next.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Changes {
    /// Whose they are.
    pub guild_id: u64,
    /// When the later one was taken.
    pub created_at: Timestamp,
    /// How many upcoming tracks there are more.
    pub queue_changes: i64,
    /// How many filters are on more.
    pub filter_changes: i64,
    /// How many settings are other ones.
    pub setting_changes: u64,
    /// All of these, whether more or less.
    pub total_changes: u64,
}

impl Analytics {
    /// What `snapshots` say, in any order; hours are those of `zone`.
    #[must_use]
    pub fn of(snapshots: &[Taken], zone: &TimeZone) -> Self {
        let mut guilds: BTreeMap<u64, Vec<&Taken>> = BTreeMap::new();
        for taken in snapshots {
            guilds.entry(taken.guild_id).or_default().push(taken);
        }
        for row in guilds.values_mut() {
            row.sort_by_key(|taken| taken.created_at);
        }
        let pairs = guilds.values().flat_map(|row| row.windows(2));
        let pairs: Vec<(&Taken, &Taken)> = pairs
            .filter_map(|pair| match pair {
                [one, two] => Some((*one, *two)),
                _ => None,
            })
            .collect();
        let intervals = pairs.iter().map(|(one, two)| {
            let interval = two.created_at.duration_since(one.created_at);
            interval.as_secs_f64()
        });
        let changes = pairs.iter().map(|(one, two)| Changes::between(one, two));
        let times = snapshots.iter().map(|taken| taken.created_at);
        let storage_used = snapshots.iter().map(|taken| taken.size).sum();
        Self {
            total_snapshots: snapshots.len(),
            average_interval: average(intervals.sum(), pairs.len()),
            peak_hours: peak_hours(times.clone(), zone),
            // Of equal ones the first.
            most_changed_component: changes.rev().max_by_key(|changes| changes.total_changes),
            storage_used,
            average_snapshot_size: average(storage_used as f64, snapshots.len()),
            oldest_snapshot: times.clone().min(),
            newest_snapshot: times.max(),
            snapshots_by_guild: guilds
                .iter()
                .map(|(guild, row)| (*guild, row.len()))
                .collect(),
        }
    }
}

impl Changes {
    fn between(one: &Taken, two: &Taken) -> Self {
        let queue_changes = two.queue_len as i64 - one.queue_len as i64;
        let filter_changes = two.filters_len as i64 - one.filters_len as i64;
        let (before, after) = (&one.settings, &two.settings);
        let other = before
            .iter()
            .filter(|(key, value)| after.get(*key) != Some(value))
            .count();
        let new = after
            .keys()
            .filter(|key| !before.contains_key(*key))
            .count();
        let setting_changes = (other + new) as u64;
        Self {
            guild_id: two.guild_id,
            created_at: two.created_at,
            queue_changes,
            filter_changes,
            setting_changes,
            total_changes: queue_changes.unsigned_abs()
                + filter_changes.unsigned_abs()
                + setting_changes,
        }
    }
}

fn peak_hours(times: impl Iterator<Item = Timestamp>, zone: &TimeZone) -> Vec<(i8, usize)> {
    let mut hours: BTreeMap<i8, usize> = BTreeMap::new();
    for time in times {
        *hours.entry(zone.to_datetime(time).hour()).or_default() += 1;
    }
    let mut hours: Vec<(i8, usize)> = hours.into_iter().collect();
    hours.sort_by_key(|(_, count)| std::cmp::Reverse(*count));
    hours.truncate(PEAKS);
    hours
}

fn average(sum: f64, count: usize) -> f64 {
    match count {
        0 => 0.0,
        _ => sum / count as f64,
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;
    use serde_json::json;

    fn taken(guild_id: u64, created_at: &str, lengths: (usize, usize), settings: Value) -> Taken {
        Taken {
            guild_id,
            created_at: created_at.parse().unwrap(),
            size: 1000,
            queue_len: lengths.0,
            filters_len: lengths.1,
            settings: settings.as_object().unwrap().clone(),
        }
    }

    #[test]
    fn nothing_says_nothing() {
        let analytics = Analytics::of(&[], &TimeZone::UTC);
        assert_eq!(analytics.total_snapshots, 0);
        assert_eq!(
            (analytics.average_interval, analytics.average_snapshot_size),
            (0.0, 0.0)
        );
        assert_eq!(analytics.most_changed_component, None);
    }

    #[test]
    fn intervals_and_changes_are_those_within_a_guild() {
        let snapshots = [
            taken(
                1,
                "2026-01-01T22:00:00Z",
                (5, 0),
                json!({"volume": 100, "loop": "none"}),
            ),
            taken(2, "2026-01-01T22:30:00Z", (500, 0), json!({})),
            taken(
                1,
                "2026-01-02T00:00:00Z",
                (2, 1),
                json!({"volume": 50, "shuffle": true}),
            ),
            taken(
                1,
                "2026-01-01T23:00:00Z",
                (4, 1),
                json!({"volume": 100, "loop": "none"}),
            ),
        ];
        let analytics = Analytics::of(&snapshots, &TimeZone::UTC);
        assert_eq!(analytics.total_snapshots, 4);
        assert_eq!(analytics.average_interval, 3600.0);
        assert_eq!(analytics.storage_used, 4000);
        assert_eq!(analytics.average_snapshot_size, 1000.0);
        assert_eq!(
            analytics.snapshots_by_guild,
            BTreeMap::from([(1, 3), (2, 1)])
        );
        assert_eq!(analytics.newest_snapshot, Some(snapshots[2].created_at));
        assert_eq!(analytics.oldest_snapshot, Some(snapshots[0].created_at));
        let changes = analytics.most_changed_component.unwrap();
        assert_eq!(changes.created_at, snapshots[2].created_at);
        // The volume, the loop that is gone, the shuffle that came.
        assert_eq!(
            (
                changes.queue_changes,
                changes.filter_changes,
                changes.setting_changes
            ),
            (-2, 0, 3)
        );
        assert_eq!(changes.total_changes, 5);
    }

    #[test]
    fn of_equal_changes_the_first_is_told() {
        let at =
            |hour: u32, len| taken(1, &format!("2026-01-01T{hour}:00:00Z"), (len, 0), json!({}));
        let analytics = Analytics::of(&[at(10, 0), at(11, 2), at(12, 0)], &TimeZone::UTC);
        assert_eq!(analytics.most_changed_component.unwrap().queue_changes, 2);
    }

    #[test]
    fn the_busiest_hours_are_those_of_the_zone() {
        let at = |time: &str| taken(1, time, (0, 0), json!({}));
        let hours =
            [20, 21, 21, 22, 22, 23, 23, 23].map(|hour| at(&format!("2026-01-01T{hour}:15:00Z")));
        let analytics = Analytics::of(&hours, &TimeZone::UTC);
        assert_eq!(analytics.peak_hours, [(23, 3), (21, 2), (22, 2)]);
        let east = TimeZone::fixed(jiff::tz::offset(2));
        assert_eq!(
            Analytics::of(&hours, &east).peak_hours,
            [(1, 3), (0, 2), (23, 2)]
        );
    }
}
