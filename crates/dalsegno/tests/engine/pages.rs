//! Pages of long histories: both ways have the same snapshots, and every order the same set.

use dalsegno::{Engine, Query, Snapshot, SnapshotId, Sort};

use crate::common::state;

/// More than a session may have before the oldest first are found in another way.
const LONG: usize = 1_100;

/// A long session, with a short one among its snapshots.
fn long(folder: &tempfile::TempDir) -> Engine {
    let engine = Engine::create(folder.path().join("store.db")).unwrap();
    let mut tickets = Vec::new();
    for n in 0..LONG {
        tickets.push(engine.save_json("long", state(n % 7)).submit());
        if n % 100 == 50 {
            tickets.push(engine.save_json("short", state(n % 7)).submit());
        }
    }
    for ticket in tickets {
        ticket.wait().unwrap();
    }
    engine
}

fn all_pages(engine: &Engine, query: &Query) -> (Vec<Snapshot>, Vec<SnapshotId>) {
    let mut query = query.clone();
    let (mut snapshots, mut damaged) = (Vec::new(), Vec::new());
    loop {
        let page = engine.list(&query).unwrap();
        assert!(page.snapshots.len() <= query.limit);
        snapshots.extend(page.snapshots);
        damaged.extend(page.damaged);
        match page.next {
            Some(next) => query.cursor = Some(next),
            None => return (snapshots, damaged),
        }
    }
}

fn of(session: &str, limit: usize) -> Query {
    Query {
        limit,
        ..Query::session(session)
    }
}

#[test]
fn oldest_first_is_newest_first_backwards() {
    let folder = tempfile::tempdir().unwrap();
    let engine = long(&folder);
    for (session, count) in [("long", LONG), ("short", LONG / 100)] {
        let (mut newest_first, _) = all_pages(&engine, &of(session, 10_000));
        assert_eq!(newest_first.len(), count);
        newest_first.reverse();
        // Pages that end on either side of where the way changes, and in it.
        for limit in [3, 75, 76, 77, 500, 1_023, 1_024, 1_025, 10_000] {
            let query = Query {
                reverse: true,
                ..of(session, limit)
            };
            let (oldest_first, damaged) = all_pages(&engine, &query);
            assert!(damaged.is_empty());
            assert!(
                oldest_first == newest_first,
                "{session} in pages of {limit}"
            );
        }
    }
}

#[test]
fn a_damaged_row_hides_none_on_a_long_way_either() {
    for place in [5, 40, LONG - 5] {
        let folder = tempfile::tempdir().unwrap();
        let engine = long(&folder);
        let (whole, _) = all_pages(&engine, &of("long", 10_000));
        engine.close().unwrap();
        let path = folder.path().join("store.db");
        let harm = "UPDATE snapshot SET size = size + 1 WHERE seq =
            (SELECT seq FROM snapshot WHERE session = 1 ORDER BY seq LIMIT 1 OFFSET ?)";
        let connection = rusqlite::Connection::open(&path).unwrap();
        assert_eq!(
            connection
                .execute(harm, [i64::try_from(place).unwrap()])
                .unwrap(),
            1
        );
        drop(connection);
        let engine = Engine::open(&path).unwrap();
        let query = Query {
            reverse: true,
            ..of("long", 100)
        };
        let (found, damaged) = all_pages(&engine, &query);
        assert_eq!(damaged, [whole[LONG - 1 - place].id]);
        assert_eq!(found.len(), LONG - 1);
    }
}

#[test]
fn other_orders_give_each_snapshot_once() {
    let folder = tempfile::tempdir().unwrap();
    let engine = long(&folder);
    for sort in [Sort::Created, Sort::Size, Sort::Name] {
        for (reverse, limit) in [(false, 7), (true, 7), (false, 1_000)] {
            let query = Query {
                session: None,
                sort,
                reverse,
                ..of("", limit)
            };
            let (found, _) = all_pages(&engine, &query);
            let sizes: Vec<_> = found.iter().map(|s| s.size).collect();
            if sort == Sort::Size {
                assert!(sizes.is_sorted_by(|a, b| if reverse { a <= b } else { a >= b }));
            }
            let mut ids: Vec<_> = found.iter().map(|s| s.id).collect();
            ids.sort_unstable();
            ids.dedup();
            assert_eq!(ids.len(), LONG + LONG / 100, "{sort:?} {reverse} {limit}");
        }
    }
}
