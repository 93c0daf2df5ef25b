//! What is promised of any rules and any snapshots, tried on random ones.
//!
//! Everything is said here again in the plainest way, quadratic and without the code that decides.

use jiff::tz::{Offset, TimeZone};
use jiff::{SignedDuration, Timestamp, Zoned};
use proptest::prelude::*;

use super::{Candidate, Decision, Reason, Rules, SAFETY_STAYS, decide};
use crate::model::{Kind, SnapshotId};

/// A day before summer time ends in Europe and a few weeks before a year does: 2026-10-24T00:00Z.
const START: i64 = 1_792_800_000;

fn kind() -> impl Strategy<Value = Kind> {
    prop_oneof![
        6 => Just(Kind::Auto),
        2 => Just(Kind::Manual),
        1 => Just(Kind::Import),
        1 => Just(Kind::Safety),
        1 => Just(Kind::Guard),
    ]
}

fn tags() -> impl Strategy<Value = Vec<String>> {
    let words = ["loud", "party"].map(str::to_owned).to_vec();
    proptest::sample::subsequence(words, 0..=2)
}

/// Snapshots whose clock mostly goes on, by minutes or by days, and sometimes back or ahead.
fn candidates() -> impl Strategy<Value = Vec<Candidate>> {
    let step = prop_oneof![
        6 => 0..90_i64,
        3 => 0..3_000_i64,
        1 => 0..40_000_i64,
        1 => -10_000..10_000_i64,
    ];
    let one = (
        step,
        kind(),
        tags(),
        prop::bool::weighted(0.05),
        prop::bool::weighted(0.3),
    );
    prop::collection::vec(one, 0..60).prop_map(|all| {
        let mut time = START;
        let with_seq = all.into_iter().enumerate();
        with_seq
            .map(|(seq, (minutes, kind, tags, pinned, unchanged))| {
                time += minutes * 60;
                Candidate {
                    id: SnapshotId::new(i64::try_from(seq).unwrap(), &[7; 16]),
                    created_at: Timestamp::from_second(time).unwrap(),
                    kind,
                    tags,
                    pinned,
                    unchanged: unchanged && kind.is_history(),
                }
            })
            .collect()
    })
}

/// How a number of a keep rule is asked, if at all.
fn number() -> impl Strategy<Value = Option<u32>> {
    prop_oneof![4 => Just(None), 4 => (0..6_u32).prop_map(Some), 1 => Just(Some(u32::MAX))]
}

fn any_rules() -> impl Strategy<Value = Rules> {
    let age = prop::option::of((1..60 * 24 * 60_i64).prop_map(SignedDuration::from_mins));
    let kinds = prop_oneof![3 => Just(Vec::new()), 1 => prop::collection::vec(kind(), 1..3)];
    let numbers = (number(), number(), number(), number(), number());
    let tags = prop_oneof![3 => Just(Vec::new()), 1 => tags()];
    (age, numbers, kinds, tags, prop::bool::weighted(0.2)).prop_map(
        |(older_than, (last, hourly, daily, weekly, monthly), kinds, tags, keep_nothing)| Rules {
            older_than,
            keep_last: last,
            keep_hourly: hourly,
            keep_daily: daily,
            keep_weekly: weekly,
            keep_monthly: monthly,
            kinds,
            tags,
            keep_nothing,
        },
    )
}

fn rules() -> impl Strategy<Value = Rules> {
    any_rules().prop_filter("makes sense", |rules| rules.check().is_ok())
}

/// Zones by their rules, so that no machine needs to know them.
fn zone() -> impl Strategy<Value = TimeZone> {
    let posix = |text| TimeZone::posix(text).unwrap();
    prop_oneof![
        Just(TimeZone::UTC),
        Just(posix("CET-1CEST,M3.5.0,M10.5.0/3")),
        Just(posix("EST5EDT,M3.2.0,M11.1.0")),
        Just(posix("<+1030>-10:30<+11>-11,M10.1.0,M4.1.0")),
        Just(posix("IST-5:30")),
    ]
}

fn now() -> impl Strategy<Value = Timestamp> {
    let minutes = prop_oneof![3 => 30_000..60_000_i64, 1 => -5_000..60_000_i64];
    minutes.prop_map(|minutes| Timestamp::from_second(START + minutes * 60).unwrap())
}

fn decided(rules: &Rules, now: Timestamp, zone: &TimeZone, all: &[Candidate]) -> Vec<Decision> {
    let decisions = decide(rules, now, zone, all).unwrap();
    let ids: Vec<SnapshotId> = decisions.iter().map(|d| d.id).collect();
    assert_eq!(ids, all.iter().map(|c| c.id).collect::<Vec<_>>());
    assert!(decisions.iter().all(|d| d.keep == d.reason.keeps()));
    decisions
}

fn kept(decisions: &[Decision]) -> Vec<bool> {
    decisions.iter().map(|d| d.keep).collect()
}

fn covers(rules: &Rules, c: &Candidate) -> bool {
    let kind = if rules.kinds.is_empty() {
        c.kind != Kind::Guard
    } else {
        rules.kinds.contains(&c.kind)
    };
    kind && rules.tags.iter().all(|tag| c.tags.contains(tag))
}

fn history(c: &Candidate) -> bool {
    c.kind != Kind::Guard && c.kind != Kind::Safety
}

fn state(c: &Candidate) -> bool {
    history(c) && !c.unchanged
}

/// The place of what `SESSION@latest` means.
fn latest(all: &[Candidate]) -> Option<usize> {
    (0..all.len()).rev().find(|i| state(&all[*i]))
}

/// An hour by what its clock shows, a day, a week, a month: smaller is earlier.
type Period = (i16, i8, i8, i8, std::cmp::Reverse<Offset>);

fn hour(t: &Zoned) -> Period {
    (
        t.year(),
        t.month(),
        t.day(),
        t.hour(),
        std::cmp::Reverse(t.offset()),
    )
}

fn day(t: &Zoned) -> Period {
    (
        t.year(),
        t.month(),
        t.day(),
        0,
        std::cmp::Reverse(Offset::UTC),
    )
}

fn week(t: &Zoned) -> Period {
    let week = t.date().iso_week_date();
    (
        week.year(),
        week.week(),
        0,
        0,
        std::cmp::Reverse(Offset::UTC),
    )
}

fn month(t: &Zoned) -> Period {
    (t.year(), t.month(), 0, 0, std::cmp::Reverse(Offset::UTC))
}

/// The places of the last snapshot of each of the newest `n` periods among `counted`; those that begin
/// after `now` come on top.
fn lasts(
    n: Option<u32>,
    period: fn(&Zoned) -> Period,
    now: Timestamp,
    zone: &TimeZone,
    all: &[Candidate],
    counted: &[usize],
) -> Vec<usize> {
    let n = n.unwrap_or(0);
    let of = |i: &usize| period(&all[*i].created_at.to_zoned(zone.clone()));
    let mut periods: Vec<Period> = counted.iter().map(of).collect();
    periods.sort();
    periods.dedup();
    let present = period(&now.to_zoned(zone.clone()));
    let (ahead, past): (Vec<_>, Vec<_>) = periods.into_iter().rev().partition(|p| *p > present);
    let ahead = if n == 0 { Vec::new() } else { ahead };
    let asked = past.into_iter().take(n as usize).chain(ahead);
    asked
        .map(|wanted| {
            let within = counted.iter().filter(|i| of(i) == wanted);
            *within.max_by_key(|i| (all[**i].created_at, **i)).unwrap()
        })
        .collect()
}

/// What has to stay, without unchanged references bringing their states along.
fn promised(rules: &Rules, now: Timestamp, zone: &TimeZone, all: &[Candidate]) -> Vec<bool> {
    let counted: Vec<usize> = (0..all.len())
        .filter(|i| history(&all[*i]) && covers(rules, &all[*i]))
        .collect();
    let states = counted.iter().rev().filter(|i| state(&all[**i]));
    let mut stay: Vec<usize> = states
        .take(rules.keep_last.unwrap_or(0) as usize)
        .copied()
        .collect();
    for (n, period) in [
        (rules.keep_hourly, hour as fn(&Zoned) -> Period),
        (rules.keep_daily, day),
        (rules.keep_weekly, week),
        (rules.keep_monthly, month),
    ] {
        stay.extend(lasts(n, period, now, zone, all, &counted));
    }
    if !rules.keep_nothing {
        let any = (0..all.len()).rev().find(|i| history(&all[*i]));
        stay.extend(latest(all).or(any));
    }
    (0..all.len())
        .map(|i| {
            let c = &all[i];
            let age = now.duration_since(c.created_at);
            let safe = c.kind == Kind::Safety
                && !rules.kinds.contains(&Kind::Safety)
                && !rules.keep_nothing
                && age <= SAFETY_STAYS;
            let young = rules.older_than.is_some_and(|than| age <= than);
            c.pinned || !covers(rules, c) || safe || young || stay.contains(&i)
        })
        .collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    /// The whole of it at once: what is promised stays, states of references that stay do, nothing else.
    #[test]
    fn exactly_what_is_promised_stays(rules in rules(), now in now(), zone in zone(), all in candidates()) {
        let mut wanted = promised(&rules, now, &zone, &all);
        for i in 0..all.len() {
            if wanted[i] && history(&all[i]) && all[i].unchanged
                && let Some(meant) = (0..i).rev().find(|j| state(&all[*j]))
            {
                wanted[meant] = true;
            }
        }
        prop_assert_eq!(kept(&decided(&rules, now, &zone, &all)), wanted);
    }

    #[test]
    fn pinned_and_left_out_snapshots_stay(rules in rules(), now in now(), zone in zone(), all in candidates()) {
        for (c, d) in all.iter().zip(decided(&rules, now, &zone, &all)) {
            prop_assert!(d.keep || !c.pinned);
            prop_assert!(d.keep || covers(&rules, c));
            prop_assert!(d.keep || c.kind != Kind::Guard || rules.kinds.contains(&Kind::Guard));
        }
    }

    /// Also of all states, whatever the filters leave out.
    #[test]
    fn the_newest_states_stay(rules in rules(), now in now(), zone in zone(), all in candidates()) {
        let d = decided(&rules, now, &zone, &all);
        let states = (0..all.len()).rev().filter(|i| state(&all[*i]));
        for i in states.take(rules.keep_last.unwrap_or(0) as usize) {
            prop_assert!(d[i].keep, "{i}");
        }
    }

    /// Also of all periods, whatever the filters leave out and wherever the clock went.
    #[test]
    fn the_last_of_each_period_stays(rules in rules(), now in now(), zone in zone(), all in candidates()) {
        let d = decided(&rules, now, &zone, &all);
        let counted: Vec<usize> = (0..all.len()).filter(|i| history(&all[*i])).collect();
        for (n, period) in [
            (rules.keep_hourly, hour as fn(&Zoned) -> Period),
            (rules.keep_daily, day),
            (rules.keep_weekly, week),
            (rules.keep_monthly, month),
        ] {
            for i in lasts(n, period, Timestamp::MAX, &zone, &all, &counted) {
                prop_assert!(d[i].keep, "{i}");
            }
        }
    }

    #[test]
    fn nothing_younger_goes(rules in rules(), now in now(), zone in zone(), all in candidates()) {
        for (c, d) in all.iter().zip(decided(&rules, now, &zone, &all)) {
            let age = now.duration_since(c.created_at);
            prop_assert!(d.keep || rules.older_than.is_none_or(|than| age > than));
        }
    }

    #[test]
    fn latest_never_means_another_state(rules in rules(), now in now(), zone in zone(), all in candidates()) {
        let d = decided(&rules, now, &zone, &all);
        if !rules.keep_nothing {
            let left: Vec<Candidate> = survivors(&all, &d);
            let id = |all: &[Candidate]| latest(all).map(|i| all[i].id);
            prop_assert_eq!(id(&left), id(&all));
            prop_assert_eq!(left.iter().any(history), all.iter().any(history));
        }
    }

    /// What a reference that stays means is found by time and by steps back as before.
    #[test]
    fn a_reference_that_stays_keeps_its_state(rules in rules(), now in now(), zone in zone(), all in candidates()) {
        let d = decided(&rules, now, &zone, &all);
        for i in (0..all.len()).filter(|i| d[*i].keep && all[*i].unchanged) {
            if let Some(meant) = (0..i).rev().find(|j| state(&all[*j])) {
                prop_assert!(d[meant].keep, "{meant} is what {i} refers to");
            }
        }
    }

    #[test]
    fn deciding_again_deletes_nothing(rules in rules(), now in now(), zone in zone(), all in candidates()) {
        let left = survivors(&all, &decided(&rules, now, &zone, &all));
        for d in decided(&rules, now, &zone, &left) {
            prop_assert!(d.keep, "{} {}", d.id, d.reason);
        }
    }

    #[test]
    fn asking_for_more_never_deletes_more(rules in rules(), more in any_rules(), now in now(), zone in zone(), all in candidates()) {
        let before = kept(&decided(&rules, now, &zone, &all));
        let keeps = |r: &Rules| r.keep_last.max(r.keep_hourly).max(r.keep_daily).max(r.keep_weekly).max(r.keep_monthly);
        let mut asked = Vec::new();
        for rule in 0..5 {
            let mut next = rules.clone();
            let (field, n) = match rule {
                0 => (&mut next.keep_last, more.keep_last),
                1 => (&mut next.keep_hourly, more.keep_hourly),
                2 => (&mut next.keep_daily, more.keep_daily),
                3 => (&mut next.keep_weekly, more.keep_weekly),
                _ => (&mut next.keep_monthly, more.keep_monthly),
            };
            *field = (*field).max(n);
            asked.push(next);
        }
        let mut tagged = rules.clone();
        tagged.tags.extend(more.tags);
        asked.push(tagged);
        if keeps(&rules).is_some_and(|n| n > 0) && rules.older_than.is_none() {
            asked.push(Rules { older_than: more.older_than, ..rules.clone() });
        }
        for next in asked.iter().filter(|next| next.check().is_ok()) {
            let after = kept(&decided(next, now, &zone, &all));
            for i in 0..all.len() {
                prop_assert!(after[i] || !before[i], "{i} by {next:?}");
            }
        }
    }

    /// A wrong clock costs nothing that a right one keeps: keep rules alone do not ask what time it is,
    /// but for more to keep.
    #[test]
    fn a_clock_that_is_behind_deletes_nothing_more(rules in rules(), now in now(), behind in 0..100_000_i64, zone in zone(), all in candidates()) {
        let earlier = now - SignedDuration::from_mins(behind);
        let before = kept(&decided(&rules, now, &zone, &all));
        for (i, d) in decided(&rules, earlier, &zone, &all).iter().enumerate() {
            prop_assert!(d.keep || !before[i], "{i}");
        }
    }

    /// A reason that is told is true.
    #[test]
    fn reasons_are_true(rules in rules(), now in now(), zone in zone(), all in candidates()) {
        let keeps = [rules.keep_last, rules.keep_hourly, rules.keep_daily, rules.keep_weekly, rules.keep_monthly]
            .iter().flatten().any(|n| *n > 0);
        let decisions = decided(&rules, now, &zone, &all);
        for (i, (c, d)) in all.iter().zip(&decisions).enumerate() {
            let at = |format: &str| c.created_at.to_zoned(zone.clone()).strftime(format).to_string();
            let age = now.duration_since(c.created_at);
            let is_true = match &d.reason {
                Reason::Pinned => c.pinned,
                Reason::Guard => c.kind == Kind::Guard && !rules.kinds.contains(&Kind::Guard),
                Reason::OtherKind => !rules.kinds.contains(&c.kind) && !rules.kinds.is_empty(),
                Reason::WithoutTag { tag } => rules.tags.contains(tag) && !c.tags.contains(tag),
                Reason::Newest => !all[i + 1..].iter().any(state),
                Reason::Last { count } => {
                    let later = all[i + 1..].iter().filter(|c| state(c) && covers(&rules, c));
                    rules.keep_last == Some(*count) && later.count() < *count as usize
                }
                Reason::LastOfHour { hour } => hour.starts_with(&at("%Y-%m-%d %H:00")),
                Reason::LastOfDay { day } => *day == at("%Y-%m-%d"),
                Reason::LastOfWeek { week } => *week == at("%G-W%V"),
                Reason::LastOfMonth { month } => *month == at("%Y-%m"),
                Reason::Younger { than } => rules.older_than == Some(*than) && age <= *than,
                Reason::Safety { than } => c.kind == Kind::Safety && age <= *than,
                Reason::Referred => {
                    let next = (i + 1..all.len()).take_while(|j| !state(&all[*j]));
                    state(c) && next.into_iter().any(|j| history(&all[j]) && decisions[j].keep)
                }
                Reason::Older { than } => age > *than && (!keeps || !history(c)),
                Reason::OlderUnkept { than } => age > *than && keeps && history(c),
                Reason::Uncounted { kind } => c.kind == *kind && !history(c) && keeps,
                Reason::Unkept => rules.older_than.is_none() && (!keeps || history(c)),
                // Not by these rules.
                Reason::Undo { .. }
                | Reason::OldGuard { .. }
                | Reason::CoveredGuard { .. }
                | Reason::ExtraGuard { .. } => false,
            };
            prop_assert!(is_true, "{i}: {}", d.reason);
        }
    }
}

fn survivors(all: &[Candidate], decisions: &[Decision]) -> Vec<Candidate> {
    let both = all.iter().zip(decisions);
    both.filter(|(_, d)| d.keep)
        .map(|(c, _)| c.clone())
        .collect()
}
