//! Housekeeping that fails half-way says what is gone, for good or not.

use std::sync::Arc;

use dalsegno::retention::Rules;
use dalsegno::store::Store;
use dalsegno::store::faulty::{Call, Failure, FaultyStore};
use dalsegno::{Cleanup, CleanupPlan, Engine, ErrorKind, Kind, Purge, Query};

use crate::common::{engine_on, memory, state};

const SESSIONS: [&str; 3] = ["a", "b", "c"];

fn house() -> (Arc<dyn Store>, Engine) {
    let store = memory();
    let engine = engine_on(Arc::clone(&store));
    for session in SESSIONS {
        for n in 0..6 {
            engine.save_json(session, state(n)).commit().unwrap();
        }
    }
    (store, engine)
}

fn plan(engine: &Engine, purge: bool) -> CleanupPlan {
    let cleanup = Cleanup {
        rules: Some(Rules::new().keep_last(2)),
        purge,
        ..Cleanup::default()
    };
    engine.cleanup_plan(&cleanup).unwrap()
}

/// How many were deleted and how many are gone for good.
fn gone(engine: &Engine) -> (usize, usize) {
    let query = Query {
        limit: 1000,
        ..Query::default()
    };
    let live = engine.list(&query).unwrap().snapshots.len();
    let trash = engine.trash(None).unwrap().len();
    (18 - live, 18 - live - trash)
}

fn told(gone: (usize, usize)) -> String {
    let words = |count, what| match count {
        0 => None,
        1 => Some(format!("1 snapshot was {what}")),
        many => Some(format!("{many} snapshots were {what}")),
    };
    let told = [words(gone.0, "deleted"), words(gone.1, "purged")];
    told.into_iter().flatten().collect::<Vec<_>>().join(", ")
}

#[test]
fn a_cleanup_that_fails_says_what_it_did() {
    let mut some = [0, 0];
    for purge in [false, true] {
        for nth in 0.. {
            let (store, engine) = house();
            let failure = Failure::Before(ErrorKind::Storage);
            let faulty = FaultyStore::failing(store, Call::Exchange, nth, failure);
            let faulty = engine_on(Arc::new(faulty));
            let Err(error) = faulty.cleanup(&plan(&engine, purge), &mut |_| {}) else {
                assert!(nth > 2, "nothing failed");
                break;
            };
            let gone = gone(&engine);
            let said = error.to_string();
            assert_eq!(error.kind(), ErrorKind::Storage);
            assert_eq!(error.is_partly_done(), gone.0 > 0, "{said}");
            if gone.0 > 0 {
                let expected = format!("{}, then: ", told(gone));
                assert!(said.starts_with(&expected), "{expected} / {said}");
            } else {
                assert!(!said.contains("then"), "{said}");
            }
            some[0] += usize::from(gone.0 > 0);
            some[1] += usize::from(gone.1 > 0);
        }
    }
    assert!(some[0] > 2 && some[1] > 1, "{some:?}");
}

#[test]
fn a_purge_that_fails_says_what_it_did() {
    let mut some = 0;
    for nth in 0.. {
        let (store, engine) = house();
        engine.cleanup(&plan(&engine, false), &mut |_| {}).unwrap();
        let failure = Failure::Before(ErrorKind::Storage);
        let faulty = FaultyStore::failing(store, Call::Exchange, nth, failure);
        let done = engine_on(Arc::new(faulty)).purge(&Purge::All(None), &mut |_| {});
        let Err(error) = done else { break };
        let (_, purged) = gone(&engine);
        assert_eq!(error.is_partly_done(), purged > 0);
        if purged > 0 {
            some += 1;
            assert!(error.to_string().starts_with(&told((0, purged))), "{error}");
        }
    }
    assert!(some > 1);
}

#[test]
fn what_was_purged_is_told_though_its_space_cannot_be_given_back() {
    let failure = Failure::Before(ErrorKind::Storage);
    let failing = |store| FaultyStore::failing(store, Call::Settle, 0, failure);
    let (store, engine) = house();
    let plan = plan(&engine, true);
    let faulty = engine_on(Arc::new(failing(store)));
    let cleaned = faulty.cleanup(&plan, &mut |_| {}).unwrap();
    assert_eq!((cleaned.deleted, cleaned.purged.snapshots), (12, 12));
    let why = cleaned.purged.not_given_back.unwrap();
    assert!(why.contains("injected"), "{why}");
    let (store, engine) = house();
    engine.delete(&["a@-1", "b@-1"], dalsegno::GRACE).unwrap();
    let faulty = engine_on(Arc::new(failing(store)));
    let purged = faulty.purge(&Purge::All(None), &mut |_| {}).unwrap();
    assert_eq!(purged.snapshots, 2);
    assert!(purged.not_given_back.is_some());
}

/// The WAL comes and goes; pages are what the file loses.
#[test]
fn the_file_gets_smaller_by_pages() {
    let folder = tempfile::tempdir().unwrap();
    let engine = Engine::create(folder.path().join("store.db")).unwrap();
    for round in 0..6 {
        for n in 0..40 {
            let save = engine.save_json("a", state(100 * round + n));
            save.kind(Kind::Auto).commit().unwrap();
        }
        let cleaned = engine.cleanup(&plan(&engine, true), &mut |_| {}).unwrap();
        let bytes = cleaned.file_shrunk.unwrap();
        assert_eq!(bytes % 4096, 0, "{bytes}");
        // Something is in the WAL when the next begins, or nothing is.
        if round % 2 == 0 {
            engine.purge(&Purge::Expired, &mut |_| {}).unwrap();
        }
    }
    let nothing = engine.cleanup(&plan(&engine, true), &mut |_| {}).unwrap();
    assert_eq!(nothing.file_shrunk, Some(0));
}
