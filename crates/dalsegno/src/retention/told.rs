//! Each rule on a small session, and what a person is told.

use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};

use super::{Candidate, Rules, decide};
use crate::error::ErrorKind;
use crate::model::{Kind, SnapshotId};

const NOW: &str = "2026-11-20T15:30:00Z";
const WEEK: SignedDuration = SignedDuration::from_hours(168);

fn taken(times: &[&str]) -> Vec<Candidate> {
    let with_seq = (1..).zip(times);
    with_seq
        .map(|(seq, time)| Candidate {
            id: SnapshotId::new(seq, &[7; 16]),
            created_at: time.parse().unwrap(),
            kind: Kind::Auto,
            tags: Vec::new(),
            pinned: false,
            unchanged: false,
        })
        .collect()
}

/// What is told of each; what goes begins with a minus.
fn told(rules: &Rules, all: &[Candidate]) -> Vec<String> {
    told_in(&TimeZone::UTC, rules, all)
}

fn told_in(zone: &TimeZone, rules: &Rules, all: &[Candidate]) -> Vec<String> {
    let decisions = decide(rules, NOW.parse().unwrap(), zone, all).unwrap();
    let line = |d: &super::Decision| format!("{}{}", if d.keep { "" } else { "- " }, d.reason);
    decisions.iter().map(line).collect()
}

/// Four of today, 1, 2, 3 and 4 hours ago.
fn today() -> Vec<Candidate> {
    taken(&[
        "2026-11-20T11:30:00Z",
        "2026-11-20T12:30:00Z",
        "2026-11-20T13:30:00Z",
        "2026-11-20T14:30:00Z",
    ])
}

#[test]
fn age_alone_deletes_what_is_older() {
    let all = taken(&[
        "2026-11-13T15:29:59.999999Z",
        "2026-11-13T15:30:00Z",
        "2026-11-21T00:00:00Z",
        "2026-11-01T00:00:00Z",
    ]);
    assert_eq!(
        told(&Rules::new().older_than(WEEK), &all),
        [
            "- older than 7 days",
            "younger than 7 days",
            "younger than 7 days",
            "the newest state"
        ]
    );
    assert_eq!(
        told(&Rules::new().older_than(WEEK).keep_nothing(), &all)[3],
        "- older than 7 days"
    );
}

#[test]
fn age_and_keep_rules_delete_what_is_older_and_unkept() {
    let all = taken(&[
        "2026-11-01T10:00:00Z",
        "2026-11-01T11:00:00Z",
        "2026-11-19T10:00:00Z",
        "2026-11-20T10:00:00Z",
    ]);
    let rules = Rules::new().older_than(WEEK).keep_daily(3);
    assert_eq!(
        told(&rules, &all),
        [
            "- older than 7 days and kept by no rule",
            "last of 2026-11-01",
            "last of 2026-11-19",
            "the newest state"
        ]
    );
    assert_eq!(
        told(&Rules::new().older_than(WEEK).keep_last(0), &all)[0],
        "- older than 7 days",
        "0 is as good as not asked"
    );
}

#[test]
fn the_last_counts_states_in_commit_order() {
    let mut all = today();
    all[3].unchanged = true;
    // A clock that went back changes nothing.
    all[2].created_at = Timestamp::UNIX_EPOCH;
    assert_eq!(
        told(&Rules::new().keep_last(2), &all),
        [
            "- kept by no rule",
            "among the last 2",
            "the newest state",
            "- kept by no rule"
        ]
    );
    all[1].kind = Kind::Safety;
    all[1].created_at = Timestamp::UNIX_EPOCH;
    assert_eq!(
        told(&Rules::new().keep_last(2), &all)[..2],
        ["among the last 2", "- keep rules count no safety snapshots"]
    );
}

#[test]
fn calendars_keep_the_last_of_each_period_that_has_any() {
    let all = taken(&[
        "2026-09-30T23:59:00Z",
        "2026-10-01T00:00:00Z",
        "2026-11-15T23:59:00Z",
        "2026-11-16T00:00:00Z",
        "2026-11-18T09:00:00Z",
        "2026-11-20T14:10:00Z",
        "2026-11-20T14:50:00Z",
        "2026-11-20T15:10:00Z",
        "2026-11-20T15:20:00Z",
    ]);
    let left = |rules: Rules| -> Vec<usize> {
        let lines = told(&rules, &all).into_iter().enumerate();
        lines
            .filter(|(_, line)| !line.starts_with("- "))
            .map(|(i, _)| i)
            .collect()
    };
    assert_eq!(left(Rules::new().keep_hourly(3)), [4, 6, 8]);
    assert_eq!(left(Rules::new().keep_daily(3)), [3, 4, 8]);
    assert_eq!(left(Rules::new().keep_weekly(2)), [2, 8]);
    assert_eq!(left(Rules::new().keep_monthly(2)), [1, 8]);
    assert_eq!(left(Rules::new().keep_monthly(9)), [0, 1, 8]);
    let all_of_them = Rules::new()
        .keep_last(2)
        .keep_hourly(2)
        .keep_daily(2)
        .keep_weekly(2)
        .keep_monthly(2);
    assert_eq!(
        told(&all_of_them, &all),
        [
            "- kept by no rule",
            "last of 2026-10",
            "last of week 2026-W46",
            "- kept by no rule",
            "last of 2026-11-18",
            "- kept by no rule",
            "last of the hour 2026-11-20 14:00",
            "among the last 2",
            "the newest state"
        ]
    );
}

#[test]
fn periods_are_those_of_the_time_zone() {
    let all = taken(&[
        "2026-11-18T21:00:00Z",
        "2026-11-18T22:00:00Z",
        "2026-11-19T22:00:00Z",
        "2026-11-20T10:00:00Z",
    ]);
    let zone = TimeZone::posix("EET-2").unwrap();
    assert_eq!(
        told_in(&zone, &Rules::new().keep_daily(3), &all),
        [
            "last of 2026-11-18",
            "last of 2026-11-19",
            "- kept by no rule",
            "the newest state"
        ]
    );
}

#[test]
fn in_a_period_the_latest_clock_is_the_last_then_the_later_commit() {
    let mut all = taken(&[
        "2026-11-19T10:50:00Z",
        "2026-11-19T10:50:00Z",
        "2026-11-19T10:20:00Z",
        "2026-11-20T15:00:00Z",
    ]);
    let hourly = Rules::new().keep_hourly(2);
    assert_eq!(
        told(&hourly, &all)[..3],
        [
            "- kept by no rule",
            "last of the hour 2026-11-19 10:00",
            "- kept by no rule"
        ]
    );
    // What a clock that was ahead took is no reason to lose the hours of today.
    all[0].created_at = "2036-01-01T00:00:00Z".parse().unwrap();
    assert_eq!(
        told(&hourly, &all)[..2],
        [
            "last of the hour 2036-01-01 00:00",
            "last of the hour 2026-11-19 10:00"
        ]
    );
}

#[test]
fn pinned_snapshots_stay_and_count() {
    let mut all = today();
    all[0].pinned = true;
    all[2].pinned = true;
    assert_eq!(
        told(&Rules::new().keep_last(2), &all),
        ["pinned", "- kept by no rule", "pinned", "the newest state"]
    );
    assert_eq!(
        told(&Rules::new().keep_nothing(), &all)[3],
        "- kept by no rule"
    );
}

#[test]
fn filters_leave_out_and_do_not_count() {
    let mut all = today();
    all[3].kind = Kind::Manual;
    all[2].kind = Kind::Import;
    all[1].kind = Kind::Manual;
    assert_eq!(
        told(
            &Rules::new()
                .keep_last(1)
                .kind(Kind::Auto)
                .kind(Kind::Import),
            &all
        ),
        [
            "- kept by no rule",
            "of another kind",
            "the last one",
            "of another kind"
        ]
    );
    let mut all = today();
    all[0].tags = vec!["x".to_owned(), "y".to_owned()];
    all[1].tags = vec!["y".to_owned()];
    all[2].tags = vec!["x".to_owned(), "y".to_owned()];
    assert_eq!(
        told(&Rules::new().keep_last(1).tag("y").tag("x"), &all),
        [
            "- kept by no rule",
            "without the tag x",
            "the last one",
            "without the tag y"
        ]
    );
}

#[test]
fn guards_go_only_when_they_are_named() {
    let mut all = today();
    all[0].kind = Kind::Guard;
    all[0].created_at = Timestamp::UNIX_EPOCH;
    let own = "guards have limits of their own";
    assert_eq!(told(&Rules::new().older_than(WEEK), &all)[0], own);
    assert_eq!(told(&Rules::new().keep_nothing(), &all)[0], own);
    assert_eq!(
        told(&Rules::new().keep_last(1).kind(Kind::Auto), &all)[0],
        own
    );
    let named = Rules::new().older_than(WEEK).kind(Kind::Guard);
    assert_eq!(told(&named, &all)[0], "- older than 7 days");
    let counted = Rules::new().keep_last(4).kind(Kind::Guard).kind(Kind::Auto);
    assert_eq!(
        told(&counted, &all)[0],
        "- keep rules count no guard snapshots"
    );
    assert_eq!(told(&counted, &all)[1], "among the last 4");
}

#[test]
fn safety_snapshots_stay_for_a_day() {
    let mut all = today();
    all[0].kind = Kind::Safety;
    all[0].created_at = "2026-11-19T15:30:00Z".parse().unwrap();
    let hour = SignedDuration::from_hours(1);
    let day = "safety snapshot younger than 1 day";
    assert_eq!(told(&Rules::new().keep_last(9), &all)[0], day);
    assert_eq!(told(&Rules::new().older_than(hour), &all)[0], day);
    assert_eq!(
        told(&Rules::new().older_than(WEEK), &all)[0],
        "younger than 7 days"
    );
    let named = Rules::new().older_than(hour).kind(Kind::Safety);
    assert_eq!(told(&named, &all)[0], "- older than 1 hour");
    assert_eq!(
        told(&Rules::new().keep_nothing(), &all)[0],
        "- kept by no rule"
    );
    all[0].created_at = "2026-11-19T15:29:59Z".parse().unwrap();
    assert_eq!(
        told(&Rules::new().keep_last(9), &all)[0],
        "- keep rules count no safety snapshots"
    );
    let both = Rules::new().older_than(hour).keep_last(9);
    assert_eq!(told(&both, &all)[0], "- older than 1 hour");
}

#[test]
fn latest_means_the_same_afterwards() {
    let mut all = today();
    all[1].kind = Kind::Manual;
    all[2].kind = Kind::Guard;
    all[3].unchanged = true;
    let minute = SignedDuration::from_mins(1);
    assert_eq!(
        told(&Rules::new().older_than(minute), &all),
        [
            "- older than 1 minute",
            "the newest state",
            "guards have limits of their own",
            "- older than 1 minute"
        ]
    );
    // Nothing but references is left: the newest of them is all there is.
    all[0].unchanged = true;
    all[1].unchanged = true;
    assert_eq!(
        told(&Rules::new().older_than(minute), &all)[3],
        "the newest state"
    );
}

#[test]
fn a_reference_that_stays_keeps_its_state() {
    let mut all = taken(&[
        "2026-11-17T10:00:00Z",
        "2026-11-18T10:00:00Z",
        "2026-11-18T11:00:00Z",
        "2026-11-19T10:00:00Z",
        "2026-11-20T10:00:00Z",
    ]);
    for reference in [2, 3] {
        all[reference].unchanged = true;
    }
    assert_eq!(
        told(&Rules::new().keep_daily(2), &all),
        [
            "- kept by no rule",
            "a later snapshot that stays refers to it",
            "- kept by no rule",
            "last of 2026-11-19",
            "the newest state"
        ]
    );
}

#[test]
fn no_snapshots_no_decisions() {
    assert_eq!(told(&Rules::new().keep_last(1), &[]), [""; 0]);
}

#[test]
fn what_cannot_be_decided_is_refused() {
    let decide = |rules: &Rules, all: &[Candidate]| {
        let error = decide(rules, NOW.parse().unwrap(), &TimeZone::UTC, all).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidInput);
        error.to_string()
    };
    assert!(decide(&Rules::new(), &today()).contains("give older_than"));
    let mut all = today();
    all.reverse();
    assert!(decide(&Rules::new().keep_last(1), &all).contains("order of their commits"));
    all[0] = all[1].clone();
    assert!(decide(&Rules::new().keep_last(1), &all[..2]).contains("each once"));
}

#[test]
fn ages_before_all_time_are_no_trouble() {
    let all = taken(&["-009999-01-03T00:00:00Z", "9999-12-30T00:00:00Z"]);
    let now = "-009999-01-03T00:00:00Z".parse().unwrap();
    let decisions = decide(&Rules::new().older_than(WEEK), now, &TimeZone::UTC, &all).unwrap();
    assert!(decisions.iter().all(|d| d.keep));
}
