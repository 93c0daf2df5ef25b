//! An engine that is put to rest, as before a fork, and another one that goes on.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, mpsc};
use std::time::Duration;

use dalsegno::{
    Attendant, AutoSaving, Engine, ErrorKind, Happened, Holding, Options, Reply, Request, Restored,
    State,
};
use serde_json::json;

const LONG: Duration = Duration::from_secs(3_600);

fn open(path: &std::path::Path) -> Engine {
    Engine::open(path)
        .or_else(|_| Engine::create(path))
        .unwrap()
}

#[test]
fn what_is_open_stays_open() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("store.db");
    let engine = open(&path);
    let listener = engine.subscribe();
    let epoch = engine.open_session("s").unwrap().epoch;
    engine.save("s", &json!({"n": 1})).commit().unwrap();
    let rested = engine.rest();

    // Nobody is there to beat, and the process is.
    let other = open(&path);
    let refused = other.save("s", &json!({"n": 2})).commit().unwrap_err();
    assert_eq!(refused.kind(), ErrorKind::Locked);
    assert_eq!(other.holders().unwrap()[0].standing, Holding::Open);
    assert!(other.left_open().unwrap().is_empty());

    let again = Options::default().go_on(rested).open(&path).unwrap();
    assert_eq!(again.open_sessions(), [("s".to_owned(), epoch)]);
    let saved = again.save("s", &json!({"n": 3})).commit().unwrap();
    assert_eq!(saved.epoch, epoch);
    let heard: Vec<_> = std::iter::from_fn(|| listener.wait(Duration::ZERO)).collect();
    let created = |event: &dalsegno::Event| matches!(event.what, Happened::Created { .. });
    assert_eq!(heard.iter().filter(|event| created(event)).count(), 2);
    again.close().unwrap();
    assert!(listener.wait(LONG).is_none());
    other.save("s", &json!({"n": 4})).commit().unwrap();
    assert_eq!(other.holders().unwrap()[0].standing, Holding::Closed);
}

#[test]
fn what_was_taken_over_meanwhile_is_lost() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("store.db");
    let engine = open(&path);
    engine.open_session("s").unwrap();
    engine.save("s", &json!({"n": 1})).commit().unwrap();
    let rested = engine.rest();
    let other = open(&path);
    other.take_over("s").unwrap();
    other.save("s", &json!({"n": 2})).commit().unwrap();
    other.close_session("s").unwrap();

    let again = Options::default().go_on(rested).open(&path).unwrap();
    let refused = again.save("s", &json!({"n": 3})).commit().unwrap_err();
    assert_eq!(refused.kind(), ErrorKind::Conflict);
    assert_eq!(again.restore("s@latest").unwrap().text(), b"{\"n\":2}");
}

#[test]
fn a_follower_goes_on_with_the_next_engine() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("store.db");
    let engine = open(&path);
    engine.save("s", &json!({"n": 1})).commit().unwrap();
    let mut follower = engine.follow().unwrap();
    assert!(follower.poll().unwrap().is_empty());
    let place = follower.place();
    engine.save("s", &json!({"n": 2})).commit().unwrap();
    let rested = engine.rest();
    let again = Options::default().go_on(rested).open(&path).unwrap();
    again.open_session("s").unwrap();
    let mut follower = again.follow_from(place);
    assert_eq!(follower.poll().unwrap().len(), 1);
    assert!(follower.poll().unwrap().is_empty());
    assert_ne!(follower.place(), place);
}

#[test]
fn saving_by_itself_pauses_and_goes_on() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("store.db");
    let engine = Arc::new(open(&path));
    let counter = Arc::new(AtomicUsize::new(1));
    let gathered = Arc::new(Mutex::new(Vec::new()));
    let seen = Arc::clone(&gathered);
    let saving = engine
        .auto_save_gathering(move |names, last| seen.lock().unwrap().push((names.to_vec(), last)))
        .unwrap();
    for session in ["a", "b"] {
        let counter = Arc::clone(&counter);
        let source = move || State::of(&json!({"n": counter.load(Ordering::SeqCst)})).map(Some);
        let opened = saving.register(session, AutoSaving::every(LONG), source);
        opened.unwrap();
    }
    saving.save_now(Some("a")).unwrap();
    assert!(saving.pause(LONG));
    assert!(saving.pause(LONG), "once more changes nothing");
    saving.touch("a");
    let rested = Arc::into_inner(engine).expect("nobody else has it").rest();
    let error = saving.register("c", AutoSaving::every(LONG), || Ok(None));
    assert_eq!(error.unwrap_err().kind(), ErrorKind::Storage);
    counter.store(2, Ordering::SeqCst);

    let again = Options::default().go_on(rested).open(&path).unwrap();
    let again = Arc::new(again);
    let listener = again.subscribe();
    saving.resume(&again).unwrap();
    // What was due meanwhile is saved now.
    let event = listener.wait(LONG).unwrap();
    assert!(
        matches!(event.what, Happened::AutoSaved { .. }),
        "{event:?}"
    );
    assert_eq!(again.restore("a@latest").unwrap().text(), b"{\"n\":2}");
    saving.stop().unwrap();
    saving.resume(&again).unwrap();
    assert!(saving.save_now(None).is_err(), "stopped stays stopped");
    assert_eq!(again.restore("b@latest").unwrap().text(), b"{\"n\":2}");
    assert!(again.open_sessions().is_empty());
    let both = ["a".to_owned(), "b".to_owned()];
    let gathered = gathered.lock().unwrap();
    assert_eq!(gathered[0], (vec!["a".to_owned()], true));
    assert_eq!(gathered[1], (vec!["a".to_owned()], false));
    assert_eq!(gathered[2], (both.to_vec(), true));
}

#[test]
fn whoever_waits_for_a_save_waits_through_a_pause() {
    let folder = tempfile::tempdir().unwrap();
    let engine = Arc::new(open(&folder.path().join("store.db")));
    let (begun, begins) = mpsc::channel();
    let (go, goes) = mpsc::channel::<()>();
    let saving = engine
        .auto_save_gathering(move |_, _| {
            begun.send(()).unwrap();
            let _ended = goes.recv();
        })
        .unwrap();
    let asked = Arc::new(AtomicUsize::new(0));
    let counter = Arc::clone(&asked);
    let source = move || {
        counter.fetch_add(1, Ordering::SeqCst);
        State::of(&json!({})).map(Some)
    };
    let opened = saving.register("s", AutoSaving::every(LONG), source);
    opened.unwrap();
    std::thread::scope(|scope| {
        let waits = scope.spawn(|| saving.save_now(None));
        begins.recv().unwrap();
        assert!(!saving.pause(Duration::from_millis(1)), "it is at work");
        go.send(()).unwrap();
        assert!(saving.pause(LONG));
        assert_eq!(asked.load(Ordering::SeqCst), 0, "nothing more was done");
        assert!(!waits.is_finished());
        drop(go);
        saving.resume(&engine).unwrap();
        waits.join().unwrap().unwrap();
        begins.recv().unwrap();
        assert_eq!(asked.load(Ordering::SeqCst), 1);
        saving.release("s").unwrap();
    });
    assert!(engine.open_sessions().is_empty());
    assert_eq!(engine.restore("s@latest").unwrap().text(), b"{}");
}

/// A program that waits in each call until it may go on.
struct Waits {
    called: mpsc::Sender<&'static str>,
    go_on: mpsc::Receiver<()>,
}

impl Waits {
    fn wait(&self, what: &'static str) {
        self.called.send(what).unwrap();
        self.go_on.recv().unwrap();
    }
}

impl Attendant for Waits {
    fn asked(&mut self, _: &Request) -> dalsegno::Result<Reply> {
        self.wait("asked");
        Ok(Reply::CarryOut)
    }

    fn load(&mut self, _: &Request, _: &Restored) -> dalsegno::Result<bool> {
        self.wait("load");
        Ok(true)
    }
}

#[test]
fn what_is_asked_for_is_done_through_a_rest_in_each_call() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("store.db");
    let engine = Arc::new(open(&path));
    engine.open_session("s").unwrap();
    for n in 1..3 {
        engine.save("s", &json!({"n": n})).commit().unwrap();
    }
    let (called, is_called) = mpsc::channel();
    let (may_go_on, go_on) = mpsc::channel();
    let attending = engine.attend(Waits { called, go_on }).unwrap();
    let engine = std::thread::scope(|scope| {
        let (path, mut engine) = (&path, engine);
        let asking = scope.spawn(move || open(path).ask("s", "rollback").send().unwrap());
        for what in ["asked", "load"] {
            assert_eq!(is_called.recv().unwrap(), what);
            assert!(attending.pause(LONG), "the call is not waited for");
            let rested = Arc::into_inner(engine).expect("nobody has it").rest();
            engine = Arc::new(Options::default().go_on(rested).open(path).unwrap());
            attending.resume(&engine);
            // What is being changed stays so: nothing of it is saved by itself.
            let saving = engine.auto_save().unwrap();
            let how = AutoSaving::every(LONG);
            let state = || State::of(&json!({"n": 0})).map(Some);
            saving.register("s", how, state).unwrap();
            let refused = saving.save_now(None).unwrap_err();
            assert_eq!(refused.kind(), ErrorKind::Locked);
            saving.end().unwrap();
            may_go_on.send(()).unwrap();
        }
        let answer = asking.join().unwrap();
        assert_eq!(answer.by.unwrap().pid, std::process::id());
        assert_eq!(answer.not_told, None);
        engine
    });
    let newest = engine.restore("s@latest").unwrap();
    assert_eq!(newest.text(), b"{\"n\":1}");

    // Between calls too, and it attends after that.
    assert!(attending.pause(LONG));
    let rested = Arc::into_inner(engine).expect("nobody has it").rest();
    let engine = Arc::new(Options::default().go_on(rested).open(&path).unwrap());
    attending.resume(&engine);
    may_go_on.send(()).unwrap();
    may_go_on.send(()).unwrap();
    open(&path).ask("s", "undo").send().unwrap();
    attending.stop();
    assert!(attending.has_ended(Duration::ZERO));
    assert!(Arc::into_inner(engine).is_some(), "it lets go of it");
}

#[test]
fn what_is_stopped_while_it_pauses_does_not_attend_after_that() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("store.db");
    let engine = Arc::new(open(&path));
    engine.open_session("s").unwrap();
    let attending = engine.attend(()).unwrap();
    assert!(attending.pause(LONG));
    attending.stop();
    let rested = Arc::into_inner(engine).expect("nobody has it").rest();
    let engine = Arc::new(Options::default().go_on(rested).open(&path).unwrap());
    attending.resume(&engine);
    let refused = open(&path).ask("s", "undo").send().unwrap_err();
    assert_eq!(refused.kind(), ErrorKind::Locked);
    engine.attend(()).unwrap().stop();
}
