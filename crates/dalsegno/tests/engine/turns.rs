//! Undos and restores of one session that meet: each takes back what it was asked to, or nothing.

use std::sync::Arc;

use dalsegno::store::Store;
use dalsegno::store::faulty::{Call, FaultyStore};
use dalsegno::{Back, Engine, ErrorKind, GRACE, Kind, LogEntry, Purge, Restore, Status, Verb};

use crate::common::{engine_on, memory, state};

/// A session with four states, which was rolled back twice.
fn house() -> (Arc<dyn Store>, Engine) {
    let store = memory();
    let engine = engine_on(Arc::clone(&store));
    for n in 1..=4 {
        engine.save_json("s", state(n)).commit().unwrap();
    }
    (store, engine)
}

fn back(engine: &Engine) -> Restore<'_> {
    engine.rollback("s", &Back::Steps(1)).unwrap()
}

fn refused<T: std::fmt::Debug>(done: dalsegno::Result<T>) {
    let error = done.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Conflict, "{error}");
    assert!(error.to_string().contains("in between"), "{error}");
}

/// The operations, newest first: what, how far, undone.
fn deeds(engine: &Engine) -> Vec<(Verb, Status, bool)> {
    let log = engine.log("s", 100).unwrap();
    let deeds = log.into_iter().filter_map(|entry| match entry {
        LogEntry::Operation {
            verb,
            status,
            undone,
            ..
        } => Some((verb, status, undone)),
        _ => None,
    });
    deeds.collect()
}

#[test]
fn two_undos_from_one_look_undo_one() {
    let (store, engine) = house();
    let other = engine_on(store);
    back(&engine).apply().unwrap();
    back(&engine).apply().unwrap();
    let [one, same, another] = [&engine, &engine, &other].map(|e| e.undo("s").unwrap());
    one.apply().unwrap();
    refused(same.apply());
    refused(another.apply());
    let told = [
        (Verb::Undo, Status::Done, false),
        (Verb::Rollback, Status::Done, true),
        (Verb::Rollback, Status::Done, false),
    ];
    assert_eq!(deeds(&engine), told);
    // Asked for again, it is the other one's turn.
    other.undo("s").unwrap().apply().unwrap();
    assert_eq!(engine.restore("s@latest").unwrap().text(), state(4));
    let [one, same] = [&engine, &other].map(|e| e.redo("s").unwrap());
    one.apply().unwrap();
    refused(same.apply());
    assert_eq!(engine.restore("s@latest").unwrap().text(), state(3));
}

#[test]
fn what_is_saved_by_itself_ends_no_redo_and_what_somebody_saves_does() {
    let (_, engine) = house();
    let save = |n, kind| {
        engine.save_json("s", state(n)).kind(kind).commit().unwrap();
    };
    let turn = || engine.info("s@latest").unwrap().turn;
    back(&engine).apply().unwrap();
    back(&engine).apply().unwrap();
    assert_eq!(turn(), Some(2));
    // It is saved by itself before and after each, as one that plays.
    for (n, expected) in [(11, 3), (12, 4)] {
        save(n, Kind::Auto);
        engine.undo("s").unwrap().apply().unwrap();
        assert_eq!(turn(), Some(expected));
    }
    let folder = tempfile::tempdir().unwrap();
    for (n, expected) in [(13, 12), (14, 11)] {
        save(n, Kind::Auto);
        save(n + 10, Kind::Auto);
        engine.redo("s").unwrap().apply().unwrap();
        // What was there right before the undo.
        assert_eq!(turn(), Some(expected));
    }
    assert_eq!(engine.redo("s").err().unwrap().kind(), ErrorKind::NotFound);
    engine.undo("s").unwrap().apply().unwrap();
    save(31, Kind::Auto);
    save(32, Kind::Manual);
    save(33, Kind::Auto);
    assert_eq!(engine.redo("s").err().unwrap().kind(), ErrorKind::NotFound);
    // Nor is it one for a file that is undone in between.
    let file = folder.path().join("s.json");
    back(&engine).apply().unwrap();
    back(&engine).to_file(&file).apply().unwrap();
    engine.undo("s").unwrap().apply().unwrap();
    save(34, Kind::Auto);
    engine.undo("s").unwrap().apply().unwrap();
    save(35, Kind::Auto);
    engine.redo("s").unwrap().apply().unwrap();
    engine.redo("s").unwrap().apply().unwrap();
    assert!(file.exists());
}

#[test]
fn two_undos_of_files_from_one_look_undo_one() {
    let (store, engine) = house();
    let other = engine_on(store);
    let folder = tempfile::tempdir().unwrap();
    let files = ["a", "b"].map(|name| folder.path().join(name));
    for file in &files {
        engine.put_back("s@-1").to_file(file).apply().unwrap();
    }
    let [one, same, another] = [&engine, &engine, &other].map(|e| e.undo("s").unwrap());
    one.apply().unwrap();
    refused(same.apply());
    refused(another.apply());
    let there = files.clone().map(|file| file.exists());
    assert_eq!(there, [true, false]);
    assert!(!deeds(&engine)[2].2, "the first was not undone");
    // Nothing more was kept for those that were refused.
    let page = engine.list(&dalsegno::Query::session("s")).unwrap();
    assert_eq!(page.snapshots.len(), 5, "what the one undo took away");
    other.undo("s").unwrap().apply().unwrap();
    assert!(!files[0].exists());
}

/// The head stays where it is when something is put into a file.
#[test]
fn an_undo_beside_a_restore_is_not_its_undo() {
    let (store, engine) = house();
    let other = engine_on(store);
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("new.json");
    back(&engine).apply().unwrap();
    let undo = engine.undo("s").unwrap();
    other.put_back("s@-1").to_file(&file).apply().unwrap();
    refused(undo.apply());
    assert!(deeds(&engine).iter().all(|deed| !deed.2));
    // And one that finds nothing to do.
    let undo = engine.undo("s").unwrap();
    std::fs::remove_file(&file).unwrap();
    other.put_back("s@-1").to_file(&file).apply().unwrap();
    std::fs::remove_file(&file).unwrap();
    refused(undo.apply());
    engine.undo("s").unwrap().apply().unwrap();
    let told: Vec<bool> = deeds(&engine).iter().map(|deed| deed.2).collect();
    assert_eq!(told, [false, true, false, false]);
}

/// Does something when the engine on this store asks for its `nth` exchange.
fn at_exchange(
    store: Arc<dyn Store>,
    nth: usize,
    what: impl Fn() + Send + Sync + 'static,
) -> Engine {
    let store = FaultyStore::new(store, move |call, n| {
        if call == Call::Exchange && n == nth {
            what();
        }
        None
    });
    engine_on(Arc::new(store))
}

/// Both have looked, and neither has written yet.
#[test]
fn two_entries_do_not_come_from_one_look() {
    let (store, engine) = house();
    let folder = tempfile::tempdir().unwrap();
    let files = ["a", "b"].map(|name| folder.path().join(name));
    for file in &files {
        engine.put_back("s@-1").to_file(file).apply().unwrap();
    }
    let other = engine_on(Arc::clone(&store));
    let late = at_exchange(store, 0, move || {
        other.undo("s").unwrap().apply().unwrap();
    });
    refused(late.undo("s").unwrap().apply());
    assert_eq!(files.clone().map(|file| file.exists()), [true, false]);
    assert_eq!(deeds(&engine).len(), 3);
}

/// The second takes the first for one that was cut off. One of them counts.
#[test]
fn an_undo_that_is_still_at_work_does_not_undo_another_one_as_well() {
    for verb in [Verb::Undo, Verb::Redo] {
        let (store, engine) = house();
        let folder = tempfile::tempdir().unwrap();
        let files = ["a", "b"].map(|name| folder.path().join(name));
        for file in &files {
            engine.put_back("s@-1").to_file(file).apply().unwrap();
        }
        if verb == Verb::Redo {
            engine.undo("s").unwrap().apply().unwrap();
            engine.undo("s").unwrap().apply().unwrap();
        }
        let take = move |engine: &Engine| match verb {
            Verb::Redo => engine.redo("s").unwrap().apply(),
            _ => engine.undo("s").unwrap().apply(),
        };
        let other = engine_on(Arc::clone(&store));
        // The first exchange says that it began, the second that it is done.
        let late = at_exchange(store, 1, move || drop(take(&other).unwrap()));
        let error = take(&late).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Conflict, "{error}");
        assert!(error.to_string().contains("was written"), "{error}");
        let told = deeds(&engine);
        assert_eq!(told[0], (verb, Status::Done, false));
        assert_eq!(told[1].1, Status::Begun);
        let undone = told.iter().filter(|deed| deed.2).count();
        assert_eq!(undone, 1, "{told:?}");
        let there = files.clone().map(|file| file.exists());
        assert_eq!(there, [true, false]);
    }
}

/// What is not undone because its restore fails after all does not cost another one.
#[test]
fn a_restore_that_is_undone_while_it_is_at_work() {
    let (store, engine) = house();
    let folder = tempfile::tempdir().unwrap();
    let files = ["a", "b"].map(|name| folder.path().join(name));
    engine.put_back("s@-1").to_file(&files[0]).apply().unwrap();
    let other = engine_on(Arc::clone(&store));
    let late = at_exchange(store, 1, move || {
        other.undo("s").unwrap().apply().unwrap();
    });
    let error = late.put_back("s@-1").to_file(&files[1]).apply();
    let error = error.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Conflict, "{error}");
    let told = [
        (Verb::Undo, Status::Done, false),
        (Verb::Restore, Status::Begun, true),
        (Verb::Restore, Status::Done, false),
    ];
    assert_eq!(deeds(&engine), told);
}

fn delete_all(engine: &Engine) {
    let query = dalsegno::Query::session("s");
    let all = engine.list(&query).unwrap().snapshots;
    let ids: Vec<String> = all.iter().map(|s| s.id.to_string()).collect();
    let ids: Vec<&str> = ids.iter().map(String::as_str).collect();
    engine.delete(&ids, GRACE).unwrap();
    engine.purge(&Purge::All(None), &mut |_| {}).unwrap();
    assert!(engine.sessions().unwrap().is_empty());
}

/// The session goes for good, and its number to another one, right before the restore's entry of the
/// log is written: before it began, or when it is done.
#[test]
fn an_entry_of_the_log_does_not_outlive_its_session() {
    for nth in 0..2 {
        let (store, _engine) = house();
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("player.json");
        let other = engine_on(Arc::clone(&store));
        let late = at_exchange(Arc::clone(&store), nth, move || {
            delete_all(&other);
            other.save_json("another", "[1]").commit().unwrap();
        });
        let done = late.put_back("s@-1").to_file(&file).apply();
        let next = engine_on(store);
        let log = next.log("another", 10).unwrap();
        assert!(matches!(log[..], [LogEntry::Save { .. }]), "{log:?}");
        let nothing = next.undo("another").err().unwrap();
        assert_eq!(nothing.kind(), ErrorKind::NotFound);
        match (nth, done) {
            (0, done) => {
                assert_eq!(done.unwrap_err().kind(), ErrorKind::NotFound);
                assert!(!file.exists(), "it was not logged, so it is not done");
            }
            (_, done) => {
                let why = done.unwrap().no_undo.unwrap();
                assert!(why.contains("deleted meanwhile"), "{why}");
            }
        }
        assert!(next.verify(None).unwrap().is_intact());
    }
}

/// An entry of the log raises the era of the session, and its program still knows the newest state.
#[test]
fn a_save_after_a_restore_to_a_file_reads_nothing_anew() {
    let (store, engine) = house();
    drop(engine);
    let counted = Arc::new(FaultyStore::new(store, |_, _| None));
    let engine = engine_on(Arc::clone(&counted) as _);
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("player.json");
    engine.save_json("s", state(5)).commit().unwrap();
    let views = || {
        let before = counted.count(Call::View);
        engine.save_json("s", state(6)).commit().unwrap();
        engine.save_json("s", state(7)).commit().unwrap();
        counted.count(Call::View) - before
    };
    let usual = views();
    engine.put_back("s@-2").to_file(&file).apply().unwrap();
    assert_eq!(views(), usual);
}
