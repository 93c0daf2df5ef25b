//! A session that goes from one program to the next with the consent of both. Engines on one store stand for programs.

use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use dalsegno::store::{Exchange, Rows, Store};
use dalsegno::{
    Attendant, AutoSaving, Engine, Error, ErrorKind, Holding, Peer, Restored, Result, State,
};
use serde_json::json;

use super::fresh;
use crate::common::{Jumps, engine_on, state};
use crate::leases::Later;

/// No test waits for it.
const LONG: Duration = Duration::from_secs(3_600);

/// What the old program was told.
#[derive(Debug, PartialEq)]
enum Told {
    Frozen,
    GoesOn(String),
    HandedOver,
}

/// A program that gives its last state away.
struct Old {
    last: Vec<u8>,
    told: Sender<Told>,
    /// Waits for it before it is frozen.
    freezes: Option<Receiver<()>>,
    refuses: bool,
}

impl Attendant for Old {
    fn freeze(&mut self, session: &str, to: &Peer) -> Result<Option<State>> {
        assert_eq!((session, to.pid), ("s", std::process::id()));
        self.told.send(Told::Frozen).unwrap();
        if let Some(freezes) = &self.freezes {
            freezes.recv().unwrap();
        }
        if self.refuses {
            return Err(Error::new(ErrorKind::Denied, "a song is playing"));
        }
        Ok(Some(State::json(self.last.clone())))
    }

    fn unfreeze(&mut self, _: &str, why: &str) {
        self.told.send(Told::GoesOn(why.to_owned())).unwrap();
    }

    fn handed_over(&mut self, _: &str, _: &Peer) {
        self.told.send(Told::HandedOver).unwrap();
    }
}

fn old() -> (Old, Receiver<Told>) {
    let (told, is_told) = channel();
    let old = Old {
        last: state(4),
        told,
        freezes: None,
        refuses: false,
    };
    (old, is_told)
}

fn house() -> (Arc<dyn Store>, Arc<Engine>, Engine) {
    let store = fresh();
    let bot = Arc::new(engine_on(Arc::clone(&store)));
    bot.open_session("s").unwrap();
    bot.save_json("s", state(3)).commit().unwrap();
    let new = engine_on(Arc::clone(&store));
    (store, bot, new)
}

/// Less than a program may be silent.
const TIMEOUT: Duration = Duration::from_secs(15);

fn well(_: Option<&Restored>) -> Result<()> {
    Ok(())
}

fn kind<T>(result: Result<T>) -> ErrorKind {
    result.map(drop).unwrap_err().kind()
}

#[test]
fn the_last_state_and_the_lease_go_over_and_the_old_one_saves_nothing_more() {
    let (_, bot, new) = house();
    let (program, told) = old();
    let attending = bot.attend(program).unwrap();
    let listener = bot.subscribe();
    let taken = new
        .take_handover("s", LONG, |newest| {
            assert_eq!(newest.unwrap().text(), state(4));
            // From here on, the old one stores nothing.
            assert_eq!(
                kind(bot.save_json("s", state(9)).commit()),
                ErrorKind::Conflict
            );
            Ok(())
        })
        .unwrap();
    assert_eq!((taken.epoch, taken.was_closed), (2, true));
    assert_eq!(taken.snapshot.unwrap().turn, Some(4));
    assert_eq!(taken.by.unwrap().pid, std::process::id());
    assert_eq!(
        (told.recv().unwrap(), told.recv().unwrap()),
        (Told::Frozen, Told::HandedOver)
    );
    assert_eq!(
        kind(bot.save_json("s", state(9)).commit()),
        ErrorKind::Conflict
    );
    assert_eq!(new.save_json("s", state(5)).commit().unwrap().epoch, 2);
    assert_eq!(new.open_sessions(), [("s".to_owned(), 2)]);
    assert!(bot.open_sessions().is_empty());
    assert_eq!(
        kind(new.take_handover("s", LONG, well)),
        ErrorKind::InvalidInput
    );
    // It is no loss, neither now nor at the end.
    bot.close_session("s").unwrap();
    assert_eq!(
        kind(bot.save_json("s", state(9)).commit()),
        ErrorKind::Locked
    );
    attending.stop();
    let lost = |event: dalsegno::Event| event.what.word() == "lease_lost";
    assert!(!std::iter::from_fn(|| listener.wait(Duration::ZERO)).any(lost));
    assert!(new.verify(None).unwrap().is_intact());
}

#[test]
fn what_does_not_please_goes_back_and_the_old_one_goes_on() {
    let (_, bot, new) = house();
    let (program, told) = old();
    let _attending = bot.attend(program).unwrap();
    for n in 0..3 {
        let refused = new.take_handover("s", LONG, |_| {
            Err(Error::new(ErrorKind::InvalidInput, "no voice"))
        });
        let error = refused.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidInput);
        assert!(error.to_string().starts_with("s went back to "), "{error}");
        assert_eq!(told.recv().unwrap(), Told::Frozen);
        let Told::GoesOn(why) = told.recv().unwrap() else {
            panic!("it goes on");
        };
        assert!(why.ends_with("no voice"), "{why}");
        let saved = bot.save_json("s", state(5)).commit().unwrap();
        assert_eq!(saved.epoch, 3 + 2 * n);
        assert_eq!(
            kind(new.save_json("s", state(9)).commit()),
            ErrorKind::Locked
        );
    }
    bot.close_session("s").unwrap();
}

#[test]
fn who_does_not_hand_over_goes_on() {
    let (_, bot, new) = house();
    assert_eq!(kind(new.take_handover("s", LONG, well)), ErrorKind::Locked);
    let attending = bot.attend(()).unwrap();
    let error = new.take_handover("s", LONG, well).unwrap_err();
    assert!(
        error.to_string().contains("does not hand s over"),
        "{error}"
    );
    attending.stop();
    let (program, told) = old();
    let refuses = Old {
        refuses: true,
        ..program
    };
    let attending = bot.attend(refuses).unwrap();
    assert_eq!(kind(new.take_handover("s", LONG, well)), ErrorKind::Denied);
    attending.stop();
    assert_eq!(told.recv().unwrap(), Told::Frozen);
    // A last state that cannot be saved.
    let (program, told) = old();
    let broken = Old {
        last: b"no JSON".to_vec(),
        ..program
    };
    let attending = bot.attend(broken).unwrap();
    assert_eq!(
        kind(new.take_handover("s", LONG, well)),
        ErrorKind::InvalidInput
    );
    attending.stop();
    assert_eq!(told.recv().unwrap(), Told::Frozen);
    assert!(matches!(told.recv().unwrap(), Told::GoesOn(_)));
    assert_eq!(bot.save_json("s", state(5)).commit().unwrap().epoch, 1);
}

/// What was withdrawn while the old one froze is not handed over.
#[test]
fn who_waits_no_longer_gets_nothing() {
    let (store, bot, _) = house();
    let clock = Jumps::default();
    let new = clock.on(&store);
    let (freeze, freezes) = channel();
    let (program, told) = old();
    let slow = Old {
        freezes: Some(freezes),
        ..program
    };
    let _attending = bot.attend(slow).unwrap();
    std::thread::scope(|scope| {
        let taking = scope.spawn(|| new.take_handover("s", TIMEOUT, well));
        assert_eq!(told.recv().unwrap(), Told::Frozen);
        clock.jump(TIMEOUT + Duration::from_secs(3));
        assert_eq!(kind(taking.join().unwrap()), ErrorKind::Locked);
    });
    freeze.send(()).unwrap();
    let Told::GoesOn(why) = told.recv().unwrap() else {
        panic!("it goes on");
    };
    assert!(why.contains("withdrawn"), "{why}");
    assert_eq!(bot.save_json("s", state(5)).commit().unwrap().epoch, 1);
    assert_eq!(
        kind(new.save_json("s", state(9)).commit()),
        ErrorKind::Locked
    );
}

/// The new one hangs in its own check: the old one takes the session back, and the new one is told when it is done.
#[test]
fn who_looks_for_too_long_loses_it_again() {
    let store = fresh();
    let clock = Jumps::default();
    let bot = Arc::new(clock.on(&store));
    bot.open_session("s").unwrap();
    bot.save_json("s", state(3)).commit().unwrap();
    let new = engine_on(Arc::clone(&store));
    let (program, told) = old();
    let _attending = bot.attend(program).unwrap();
    let taken = new.take_handover("s", TIMEOUT, |_| {
        assert_eq!(told.recv().unwrap(), Told::Frozen);
        clock.jump(TIMEOUT + Duration::from_secs(3));
        let Told::GoesOn(why) = told.recv().unwrap() else {
            panic!("it goes on");
        };
        assert!(why.contains("took too long"), "{why}");
        Ok(())
    });
    assert_eq!(kind(taken), ErrorKind::Conflict);
    assert!(new.open_sessions().is_empty());
    assert_eq!(bot.save_json("s", state(5)).commit().unwrap().epoch, 3);
    assert_eq!(
        kind(new.save_json("s", state(9)).commit()),
        ErrorKind::Locked
    );
}

#[test]
fn what_nobody_has_open_is_opened() {
    let (store, bot, new) = house();
    bot.close_session("s").unwrap();
    let refused = new.take_handover("s", LONG, |_| Err(Error::new(ErrorKind::Denied, "no")));
    assert_eq!(kind(refused), ErrorKind::Denied);
    assert_eq!(new.holders().unwrap()[0].standing, Holding::Closed);
    let taken = new.take_handover("s", LONG, well).unwrap();
    assert_eq!((taken.by, taken.was_closed, taken.epoch), (None, true, 3));
    // A session that has nothing yet.
    let taken = new.take_handover("t", LONG, |newest| {
        assert!(newest.is_none());
        Ok(())
    });
    assert_eq!(taken.unwrap().snapshot, None);
    // Its holder says nothing any more: recovered.
    let later = Later::on(&store);
    let refused = later.take_handover("s", LONG, |_| Err(Error::new(ErrorKind::Denied, "no")));
    assert_eq!(kind(refused), ErrorKind::Denied);
    assert_eq!(later.left_open().unwrap().len(), 2, "to be recovered");
    let taken = later.take_handover("s", LONG, well).unwrap();
    assert_eq!((taken.by, taken.was_closed), (None, false));
    assert_eq!(taken.snapshot.unwrap().turn, Some(3));
    assert_eq!(
        kind(new.save_json("s", state(9)).commit()),
        ErrorKind::Conflict
    );
}

/// What is saved by itself is frozen with the rest, goes on where it comes back, and is let go where it does not.
#[test]
fn auto_saves_go_with_the_session() {
    let (_, bot, new) = house();
    let (program, told) = old();
    let _attending = bot.attend(program).unwrap();
    let saving = bot.auto_save().unwrap();
    let n = Arc::new(Mutex::new(10));
    let own = Arc::clone(&n);
    let how = AutoSaving::every(Duration::from_millis(10));
    saving
        .register("s", how, move || {
            let mut n = own.lock().unwrap();
            *n += 1;
            State::of(&json!({"turn": *n})).map(Some)
        })
        .unwrap();
    let refused = new.take_handover("s", LONG, |newest| {
        let newest = newest.unwrap().snapshot().clone();
        assert_eq!(
            newest.turn,
            Some(4),
            "nothing went on top of the last state"
        );
        assert!(saving.save_now(Some("s")).is_err());
        assert_eq!(new.info("s@latest").unwrap(), newest);
        Err(Error::new(ErrorKind::Denied, "no"))
    });
    assert_eq!(kind(refused), ErrorKind::Denied);
    assert_eq!(told.recv().unwrap(), Told::Frozen);
    assert!(matches!(told.recv().unwrap(), Told::GoesOn(_)));
    while saving.save_now(Some("s")).is_err() {
        // The gate opens when the program was told.
        std::thread::yield_now();
    }
    assert!(new.info("s@latest").unwrap().turn > Some(10));
    new.take_handover("s", LONG, well).unwrap();
    assert_eq!(
        (told.recv().unwrap(), told.recv().unwrap()),
        (Told::Frozen, Told::HandedOver)
    );
    while saving.save_now(None).is_err() {
        std::thread::yield_now();
    }
    assert!(saving.sessions().is_empty(), "it is let go");
    assert_eq!(new.info("s@latest").unwrap().turn, Some(4));
    saving.stop().unwrap();
}

#[test]
fn a_newest_state_that_is_damaged_goes_back() {
    struct Saved;
    impl Attendant for Saved {
        fn freeze(&mut self, _: &str, _: &Peer) -> Result<Option<State>> {
            Ok(None)
        }
    }
    let (store, bot, new) = house();
    let _attending = bot.attend(Saved).unwrap();
    let mut rows = Vec::new();
    let each = &mut |row| {
        rows.push(row);
        std::ops::ControlFlow::Continue(())
    };
    store.view().unwrap().records(each).unwrap();
    let mut damaged = rows.clone();
    *damaged[0].data.last_mut().unwrap() ^= 1;
    let of = |records| Rows {
        records,
        ..Rows::default()
    };
    assert!(
        store
            .exchange(&Exchange::of(of(rows), of(damaged)))
            .unwrap()
    );
    let looked = |_: Option<&Restored>| panic!("there is nothing to look at");
    assert_eq!(
        kind(new.take_handover("s", LONG, looked)),
        ErrorKind::Damaged
    );
    // The old one has it in memory yet.
    while bot.save_json("s", state(3)).commit().is_err() {
        std::thread::yield_now();
    }
    new.take_handover("s", LONG, well).unwrap();
}
