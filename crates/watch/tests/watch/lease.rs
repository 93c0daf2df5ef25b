//! The sessions that a watch keeps are its own while it runs.

use std::fs;
use std::sync::Arc;

use dalsegno::store::MemoryStore;
use dalsegno::{Engine, ErrorKind, Holding, Options};
use dalsegno_watch::{Event, Watch};

use crate::common::House;

/// As another program would have the store open.
fn other(house: &House) -> Engine {
    Engine::open(house.outside().join("store.db")).unwrap()
}

fn standing(engine: &Engine) -> Vec<(String, Holding)> {
    let holders = engine.holders().unwrap().into_iter();
    holders.map(|it| (it.session, it.standing)).collect()
}

#[test]
fn while_it_runs_others_are_refused_and_when_it_ends_they_are_not() {
    let house = House::new();
    house.write("a.json", "[1]");
    let mut watching = house.watch();
    watching.saved("a");
    house.write("new.json", "[1]");
    watching.saved("new");
    let other = other(&house);
    for session in ["a", "new"] {
        let error = other.save_json(session, "[2]").commit().unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Locked, "{error}");
    }
    let file = house.path("a.json");
    other.put_back("a@latest").to_file(&file).apply().unwrap();
    other.save_json("else", "[2]").commit().unwrap();

    watching.stop();
    let all = standing(&other);
    let closed = ["a", "new"].map(|it| (it.to_owned(), Holding::Closed));
    assert_eq!(all, closed, "of the folder's own lease nothing is left");
    assert_eq!(other.sessions().unwrap(), ["a", "else", "new"]);
    other.save_json("a", "[2]").commit().unwrap();
}

#[test]
fn a_second_watch_of_a_folder_is_refused_by_name_also_of_an_empty_one() {
    for file in [None, Some("a.json")] {
        let house = House::new();
        if let Some(file) = file {
            house.write(file, "[1]");
        }
        let watching = house.watch();
        let second = other(&house);
        for once in [false, true] {
            let mut watch = Watch::new(&second, &[house.folder()], House::settings()).unwrap();
            // Were it not refused, it would end at once.
            watch.stopper().stop();
            let mut told = |_: &Event| {};
            let refused = match once {
                true => watch.once(&mut told),
                false => watch.run(&mut told),
            };
            let error = refused.unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Locked);
            let message = error.to_string();
            let process = format!("(process {})", std::process::id());
            let folder = house.folder().display().to_string();
            assert!(
                message.contains("is being watched already, by"),
                "{message}"
            );
            assert!(
                message.contains(&process) && message.contains(&folder),
                "{message}"
            );
        }
        // Another folder in the same store is another matter, and what was refused left nothing.
        assert_eq!(second.open_sessions(), []);
        let beside = house.outside().join("beside");
        fs::create_dir(&beside).unwrap();
        let mut watch = Watch::new(&second, &[beside], House::settings()).unwrap();
        watch.once(&mut |_| {}).unwrap();
        // A rehearsal keeps nothing, and is in nobody's way.
        let mut settings = House::settings();
        settings.dry_run = true;
        let mut watch = Watch::new(&second, &[house.folder()], settings).unwrap();
        watch.once(&mut |_| {}).unwrap();
        watching.stop();
        let mut watch = Watch::new(&second, &[house.folder()], House::settings()).unwrap();
        watch.once(&mut |_| {}).unwrap();
    }
}

#[test]
fn a_session_that_another_program_has_open_is_kept_when_that_one_closes_it() {
    let house = House::new();
    house.write("a.json", "[1]");
    house.write("b.json", "[1]");
    let other = other(&house);
    other.open_session("a").unwrap();
    let mut watching = house.watch();
    let refused = watching.wait(|event| matches!(event, Event::NotSaved { .. }));
    let Event::NotSaved {
        session, message, ..
    } = refused
    else {
        unreachable!()
    };
    assert_eq!(session, "a");
    assert!(message.contains("open since"), "{message}");
    watching.saved("b");
    other.close_session("a").unwrap();
    watching.saved("a");
    // Taken away in the middle, it comes back as soon as that one is done with it.
    other.take_over("a").unwrap();
    house.write("a.json", "[2]");
    watching.wait(|event| matches!(event, Event::NotSaved { .. }));
    other.close_session("a").unwrap();
    watching.saved("a");
    watching.stop();
    assert_eq!(house.states("a"), ["[1]", "[2]"]);
}

#[test]
fn a_session_whose_file_is_gone_is_given_back() {
    let house = House::new();
    house.write("a.json", "[1]");
    let mut watching = house.watch();
    watching.saved("a");
    fs::remove_file(house.path("a.json")).unwrap();
    watching.wait(|event| matches!(event, Event::Deleted { .. }));
    watching.catch_up(&house);
    other(&house).save_json("a", "[2]").commit().unwrap();
    house.write("a.json", "[3]");
    watching.saved("a");
    let error = other(&house).save_json("a", "[4]").commit().unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Locked);
    watching.stop();
}

#[test]
fn thousands_of_files_take_a_few_exchanges() {
    use dalsegno::clock::SystemClock;
    use dalsegno::store::Store;
    use dalsegno::store::faulty::{Call, FaultyStore};

    let house = House::new();
    for number in 0..1_000 {
        house.write(&format!("{number}.json"), "[1]");
    }
    let store: Arc<dyn Store> = Arc::new(MemoryStore::new(&SystemClock));
    let store = Arc::new(FaultyStore::new(store, |_, _| None));
    let engine = Options::default().on(Arc::clone(&store) as Arc<dyn Store>);
    let mut watch = Watch::new(&engine, &[house.folder()], House::settings()).unwrap();
    let summary = watch.once(&mut |_| {}).unwrap();
    assert_eq!(summary.saved, 1_000);
    let exchanges = store.count(Call::Exchange);
    assert!(exchanges < 40, "{exchanges}");
    // When nothing changed, there is nothing to take.
    let before = store.count(Call::Exchange);
    let mut watch = Watch::new(&engine, &[house.folder()], House::settings()).unwrap();
    watch.once(&mut |_| {}).unwrap();
    assert!(store.count(Call::Exchange) - before <= 3);
}
