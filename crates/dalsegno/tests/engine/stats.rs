//! Figures are what was saved, and damage is never hidden in them.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};

use dalsegno::clock::{Clock, SystemClock};
use dalsegno::store::MemoryStore;
use dalsegno::{Components, Engine, ErrorKind, Kind, Options, Query, Stats, StatsQuery};
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use proptest::prelude::*;
use serde_json::json;

use crate::common::{engine_on, memory, state};

/// A clock that stands until it is moved.
struct Hands(Mutex<Timestamp>);

impl Clock for Hands {
    fn now(&self) -> Timestamp {
        *self.0.lock().unwrap()
    }

    fn random(&self) -> [u8; 16] {
        [7; 16]
    }
}

impl Hands {
    fn at(time: &str) -> Arc<Self> {
        Arc::new(Self(Mutex::new(time.parse().unwrap())))
    }

    fn forward(&self, seconds: i64) {
        *self.0.lock().unwrap() += SignedDuration::from_secs(seconds);
    }

    fn engine(self: &Arc<Self>) -> Engine {
        let store = Arc::new(MemoryStore::new(&SystemClock));
        Options::default().clock(Arc::clone(self) as _).on(store)
    }
}

/// In Rome, whatever the tester's own zone is.
fn stats(engine: &Engine, session: Option<&str>) -> Stats {
    let query = StatsQuery {
        session: session.map(str::to_owned),
        zone: TimeZone::get("Europe/Rome").unwrap(),
        rebuild: 0,
    };
    engine.stats_with(&query, &mut |_| {}).unwrap()
}

#[test]
fn times_are_counted_by_local_hours_and_days() {
    // Half past eleven in Rome, in summer.
    let hands = Hands::at("2026-07-01T21:30:00Z");
    let engine = hands.engine();
    for (n, wait) in [(1, 60), (2, 1800), (3, 4 * 86_400), (4, 0)] {
        engine.save_json("s", state(n)).commit().unwrap();
        engine.save_json("t", state(1)).commit().unwrap();
        hands.forward(wait);
    }
    // What stands beside the history is no part of its rhythm.
    hands.forward(1);
    let guard = engine.save_json("s", state(9)).kind(Kind::Guard);
    guard.commit().unwrap();

    let of_s = stats(&engine, Some("s"));
    assert_eq!((of_s.sessions, of_s.snapshots), (1, 5));
    assert_eq!(of_s.zone.as_deref(), Some("Europe/Rome"));
    let mut hours = [0; 24];
    (hours[23], hours[0]) = (2, 3);
    assert_eq!(of_s.hours, hours);
    let days: Vec<_> = of_s
        .days
        .iter()
        .map(|day| (day.date.to_string(), day.snapshots))
        .collect();
    let expected = [("2026-07-01", 2), ("2026-07-02", 1), ("2026-07-06", 2)];
    assert_eq!(days, expected.map(|(date, n)| (date.to_owned(), n)));
    let between = of_s.intervals.unwrap();
    assert_eq!(between.count, 3);
    let figures = [between.shortest, between.median, between.longest];
    assert_eq!(figures, [60.0, 1800.0, 345_600.0]);
    let ends = [&of_s.oldest, &of_s.newest].map(|end| end.as_ref().unwrap().created_at.to_string());
    assert_eq!(ends, ["2026-07-01T21:30:00Z", "2026-07-05T22:01:01Z"]);

    // Those of two sessions are between each one's own.
    let all = stats(&engine, None);
    assert_eq!((all.sessions, all.snapshots, all.unchanged), (2, 9, 3));
    assert_eq!(all.intervals.unwrap().count, 6);
    assert_eq!(all.intervals.unwrap().shortest, 60.0);
    assert!(all.components.is_none() && all.trash == 0 && all.file_bytes.is_none());
}

#[test]
fn a_store_without_snapshots_and_a_session_that_is_not_there() {
    let engine = engine_on(memory());
    let empty = engine.stats(None).unwrap();
    assert_eq!((empty.sessions, empty.snapshots, empty.ratio), (0, 0, None));
    assert!(empty.oldest.is_none() && empty.intervals.is_none() && empty.days.is_empty());
    let error = engine.stats(Some("s")).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::NotFound);
}

fn changes(components: &Components) -> HashMap<&str, u64> {
    let changes = components.changes.iter();
    changes.map(|c| (c.name.as_str(), c.changed)).collect()
}

#[test]
fn components_are_compared_with_the_state_before() {
    let engine = engine_on(memory());
    let save = |value: serde_json::Value, kind| {
        let save = engine.save("s", &value).kind(kind);
        save.commit().unwrap().id.to_string()
    };
    let first = save(json!({"a": 1, "b": [1], "c": 0}), Kind::Manual);
    save(json!({"a": 2, "b": [1], "c": 0}), Kind::Auto);
    // Beside the history: what follows builds on its record, and is compared with the one before it.
    save(
        json!({"a": 9, "b": [9, 9, 9], "c": 9, "x": 9}),
        Kind::Safety,
    );
    save(json!({"a": 3, "b": [1], "c": 0}), Kind::Auto);
    save(json!({"a": 3, "b": [1], "c": 0}), Kind::Auto);
    save(json!({"a": 4, "b": [1, 2]}), Kind::Auto);
    // Back to the first, whose record is before all others.
    engine.put_back(&first).apply().unwrap();
    save(json!({"a": 5, "b": [1], "c": 0, "d": "new"}), Kind::Auto);

    let found = engine.stats(Some("s")).unwrap();
    assert!(found.damage.is_empty(), "{:?}", found.damage);
    let components = found.components.unwrap();
    assert_eq!((components.newest, components.unreadable), (100, 0));
    assert_eq!((components.snapshots, components.compared), (7, 6));
    let expected = HashMap::from([("a", 5), ("b", 2), ("c", 2), ("d", 1)]);
    assert_eq!(changes(&components), expected);
    assert_eq!(components.changes[0].name, "a");
    let bytes: HashMap<_, _> = components
        .changes
        .iter()
        .map(|c| (&*c.name, c.bytes))
        .collect();
    assert_eq!(
        bytes,
        HashMap::from([("a", 1), ("b", 3), ("c", 1), ("d", 5)])
    );

    // Of the newest two there is one pair.
    let query = StatsQuery {
        rebuild: 2,
        ..StatsQuery::session("s")
    };
    let mut heard = Vec::new();
    let found = engine.stats_with(&query, &mut |name| heard.push(name.to_owned()));
    let components = found.unwrap().components.unwrap();
    assert_eq!((components.snapshots, components.compared), (2, 1));
    assert_eq!(changes(&components)["a"], 1);
    assert_eq!(changes(&components)["b"], 0);
    assert_eq!(heard, ["s"]);
}

/// A store in a file, three sessions, and a connection to do harm with.
fn harmed(harm: &str) -> (tempfile::TempDir, Engine, Vec<dalsegno::Snapshot>) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("store.db");
    let engine = Engine::create(&path).unwrap();
    let mut saved = Vec::new();
    for n in 0..5 {
        for session in ["a", "b"] {
            saved.push(engine.save_json(session, state(n)).commit().unwrap());
        }
    }
    engine.close().unwrap();
    let connection = rusqlite::Connection::open(&path).unwrap();
    connection.execute_batch(harm).unwrap();
    drop(connection);
    (folder, Engine::open(&path).unwrap(), saved)
}

const FIFTH: &str = "(SELECT seq FROM snapshot ORDER BY seq LIMIT 1 OFFSET 4)";
const LAST: &str = "(SELECT max(seq) FROM snapshot)";

#[test]
fn a_damaged_row_is_named_and_in_no_figure() {
    let harms = [
        format!("UPDATE snapshot SET size = size + 1000000 WHERE seq = {FIFTH}"),
        format!("UPDATE snapshot SET session = 2 WHERE seq = {FIFTH}"),
        format!("UPDATE snapshot SET session = 77 WHERE seq = {FIFTH}"),
        format!("DELETE FROM snapshot WHERE seq = {FIFTH}"),
    ];
    for harm in harms {
        let (_folder, engine, saved) = harmed(&harm);
        for session in [None, Some("a")] {
            let found = engine.stats(session).unwrap();
            let lost: Vec<_> = found
                .damage
                .iter()
                .flat_map(|d| d.snapshots.clone())
                .collect();
            assert_eq!(lost, [saved[4].id], "{harm} {:?}", found.damage);
            let counted: Vec<_> = saved
                .iter()
                .enumerate()
                .filter(|(n, s)| *n != 4 && session.is_none_or(|session| s.session == session))
                .map(|(_, s)| s)
                .collect();
            assert_eq!(found.snapshots, counted.len() as u64, "{harm}");
            assert_eq!(
                found.text_bytes,
                counted.iter().map(|s| s.size).sum::<u64>()
            );
            assert_eq!(found.newest.as_ref(), counted.last().copied());
        }
        // It is between two others: neither pair is compared.
        let components = engine.stats(Some("a")).unwrap().components.unwrap();
        assert_eq!(
            (components.snapshots, components.compared),
            (4, 2),
            "{harm}"
        );
        let b = engine.stats(Some("b")).unwrap();
        assert_eq!(b.snapshots, 5);
    }
}

#[test]
fn a_newest_snapshot_that_is_gone_is_missed() {
    let (_folder, engine, saved) = harmed(&format!("DELETE FROM snapshot WHERE seq = {LAST}"));
    for session in [None, Some("b")] {
        let found = engine.stats(session).unwrap();
        assert_eq!(found.damage.len(), 1);
        assert_eq!(found.damage[0].session.as_deref(), Some("b"));
        assert_eq!(found.damage[0].snapshots, [saved[9].id]);
    }
    assert!(engine.stats(Some("a")).unwrap().damage.is_empty());
}

#[test]
fn a_session_whose_row_is_damaged_is_counted_all_the_same() {
    let (_folder, engine, _) = harmed("UPDATE session SET head = head - 1 WHERE name = 'a'");
    for (session, snapshots) in [(None, 10), (Some("a"), 5)] {
        let found = engine.stats(session).unwrap();
        assert_eq!(found.snapshots, snapshots);
        assert_eq!(found.damage.len(), 1, "{:?}", found.damage);
        assert!(found.damage[0].message.contains("row of the session"));
    }
}

#[test]
fn a_state_that_cannot_be_rebuilt_is_named_and_not_compared() {
    let harm = format!("UPDATE record SET data = x'00' WHERE seq = {FIFTH}");
    let (_folder, engine, saved) = harmed(&harm);
    let found = engine.stats(Some("a")).unwrap();
    // Its row is whole: it counts. The two after it build on it.
    assert_eq!(found.snapshots, 5);
    let lost: Vec<_> = found
        .damage
        .iter()
        .flat_map(|d| d.snapshots.clone())
        .collect();
    assert_eq!(lost, [4, 6, 8].map(|n: usize| saved[n].id));
    let components = found.components.unwrap();
    assert_eq!(
        (
            components.snapshots,
            components.unreadable,
            components.compared
        ),
        (5, 3, 1)
    );
    // Who does not ask for content does not hear of it.
    assert!(engine.stats(None).unwrap().damage.is_empty());
    let all = StatsQuery {
        rebuild: 3,
        ..StatsQuery::default()
    };
    let all = engine.stats_with(&all, &mut |_| {}).unwrap();
    assert_eq!(all.damage.len(), 1);
    assert_eq!(all.components.unwrap().compared, 2);
}

fn some_saves() -> impl Strategy<Value = Vec<(u8, u8, u8, bool)>> {
    prop::collection::vec((0..3_u8, 0..6_u8, 0..5_u8, any::<bool>()), 0..40)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(crate::common::effort(64, 2000)))]

    /// Whatever was saved: the sums are those of the listing, and components are those that a
    /// comparison of the restored states finds.
    #[test]
    fn figures_are_those_of_the_listing(saves in some_saves()) {
        let hands = Hands::at("2026-02-03T04:05:06Z");
        let engine = hands.engine();
        for (n, (session, member, value, beside)) in saves.iter().enumerate() {
            hands.forward(i64::from(*value) * 100);
            let value = json!({"turn": n / 2, (format!("m{member}")): value, "list": vec![1; n / 8]});
            let kind = if *beside { Kind::Safety } else { Kind::Auto };
            let mut save = engine.save(&format!("s{session}"), &value).kind(kind);
            if n % 7 == 0 {
                save = save.name(format!("n{n}"));
            }
            save.commit().unwrap();
        }
        let query = Query { limit: 1000, ..Query::default() };
        let listed = engine.list(&query).unwrap().snapshots;
        let all = engine.stats(None).unwrap();
        prop_assert!(all.damage.is_empty());
        for session in all.by_session.iter().map(|s| Some(s.session.clone())).chain([None]) {
            let of = |s: &&dalsegno::Snapshot| session.as_ref().is_none_or(|name| *name == s.session);
            let mine: Vec<_> = listed.iter().filter(of).collect();
            let found = engine.stats(session.as_deref()).unwrap();
            prop_assert_eq!(found.snapshots, mine.len() as u64);
            prop_assert_eq!(found.unchanged, mine.iter().filter(|s| s.unchanged).count() as u64);
            prop_assert_eq!(found.named, mine.iter().filter(|s| s.name.is_some()).count() as u64);
            prop_assert_eq!(found.text_bytes, mine.iter().map(|s| s.size).sum::<u64>());
            prop_assert_eq!(found.stored_bytes, mine.iter().map(|s| s.stored_size).sum::<u64>());
            prop_assert_eq!(found.kinds.values().sum::<u64>(), found.snapshots);
            prop_assert_eq!(found.hours.iter().sum::<u64>(), found.snapshots);
            prop_assert_eq!(found.days.iter().map(|d| d.stored_bytes).sum::<u64>(), found.stored_bytes);
            prop_assert_eq!(found.by_session.iter().map(|s| s.snapshots).sum::<u64>(), found.snapshots);
            if session.is_some() {
                let history: Vec<serde_json::Map<_, _>> = mine.iter().rev()
                    .filter(|s| s.kind.is_history())
                    .map(|s| engine.restore(&s.id.to_string()).unwrap().to().unwrap())
                    .collect();
                let mut expected: HashMap<String, u64> = HashMap::new();
                for pair in history.windows(2) {
                    let names: std::collections::HashSet<_> = pair.iter().flat_map(|m| m.keys()).collect();
                    for name in names.into_iter().filter(|name| pair[0].get(*name) != pair[1].get(*name)) {
                        *expected.entry(name.clone()).or_default() += 1;
                    }
                }
                let components = found.components.unwrap();
                prop_assert_eq!(components.snapshots, history.len() as u64);
                prop_assert_eq!(components.compared, history.len().saturating_sub(1) as u64);
                let changed = components.changes.into_iter().filter(|c| c.changed > 0);
                let changed: HashMap<_, _> = changed.map(|c| (c.name, c.changed)).collect();
                prop_assert_eq!(changed, expected);
            }
        }
    }
}
