//! Who may write a session. Engines on one store stand for programs.

use std::sync::Arc;
use std::time::Duration;

use dalsegno::store::faulty::{Call, Failure, FaultyStore};
use dalsegno::{Back, Engine, ErrorKind, GRACE, Holding, Options, Purge};

use crate::common::{engine_on, memory, state};

fn two() -> [Engine; 2] {
    let store = memory();
    [(); 2].map(|()| engine_on(Arc::clone(&store)))
}

fn refused<T>(result: dalsegno::Result<T>) -> ErrorKind {
    result.map(|_| ()).unwrap_err().kind()
}

#[test]
fn while_one_has_it_open_others_only_read() {
    let [bot, other] = two();
    for n in 1..4 {
        bot.save_json("s", state(n))
            .name(format!("n{n}"))
            .commit()
            .unwrap();
    }
    // What the other one remembers of the session is of before.
    other.save_json("s", state(4)).commit().unwrap();
    let opened = bot.open_session("s").unwrap();
    assert_eq!((opened.epoch, opened.was_closed), (1, true));
    assert_eq!(bot.open_session("s").unwrap(), opened, "again");
    let before = other.list(&dalsegno::Query::default()).unwrap().snapshots;
    let locked = [
        refused(other.save_json("s", state(5)).commit()),
        refused(other.rollback("s", &Back::Steps(1)).unwrap().apply()),
        refused(other.put_back("n1").apply()),
        refused(other.put_back("n1").component("upcoming").apply()),
        refused(other.open_session("s")),
    ];
    assert_eq!(locked, [ErrorKind::Locked; 5]);
    let error = other.save_json("s", state(5)).commit().unwrap_err();
    let (name, pid) = (&other.holders().unwrap()[0].program, std::process::id());
    let name = name.clone().unwrap();
    assert!(
        error
            .to_string()
            .contains(&format!("{name} (process {pid})")),
        "{error}"
    );
    let after = other.list(&dalsegno::Query::default()).unwrap().snapshots;
    assert_eq!(before, after, "nothing of it was stored");
    // Reading, a restore to a file, tags and pins are always allowed; so are other sessions.
    assert_eq!(other.restore("s@latest").unwrap().text(), state(4));
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("s.json");
    for n in [1, 2] {
        let put = other.put_back(&format!("n{n}")).to_file(&file);
        let report = put.apply().unwrap();
        assert_eq!(std::fs::read(&file).unwrap(), state(n));
        assert_eq!(
            report.safety.is_some(),
            n == 2,
            "what stood there is kept all the same"
        );
    }
    other.pin("n1", true).unwrap();
    other.save_json("t", state(1)).commit().unwrap();
    // None of which keeps the holder from going on.
    let saved = bot.save_json("s", state(6)).commit().unwrap();
    assert_eq!(saved.epoch, 1);
    bot.rollback("s", &Back::Steps(1)).unwrap().apply().unwrap();
    bot.undo("s").unwrap().apply().unwrap();
    bot.close_session("s").unwrap();
    let saved = other.save_json("s", state(7)).commit().unwrap();
    assert_eq!(saved.epoch, 0);
    bot.save_json("s", state(8)).commit().unwrap();
    assert_eq!(other.open_session("s").unwrap().epoch, 2);
    assert!(other.verify(None).unwrap().is_intact());
}

#[test]
fn who_lost_a_session_stores_nothing_more() {
    let [old, new] = two();
    old.open_session("s").unwrap();
    let kept = old.save_json("s", state(1)).commit().unwrap();
    let opened = new.take_over("s").unwrap();
    assert_eq!((opened.epoch, opened.was_closed), (2, false));
    for _ in 0..3 {
        assert_eq!(
            refused(old.save_json("s", state(9)).commit()),
            ErrorKind::Conflict
        );
        let back = old.put_back(&kept.id.to_string()).even_if_equal().apply();
        assert_eq!(refused(back), ErrorKind::Conflict);
    }
    assert!(old.open_sessions().is_empty());
    let saved = new.save_json("s", state(2)).commit().unwrap();
    assert_eq!(saved.epoch, 2);
    assert_eq!(
        refused(old.save_json("s", state(9)).commit()),
        ErrorKind::Conflict
    );
    // It is told once more when it closes, and is a stranger then.
    assert_eq!(refused(old.close_session("s")), ErrorKind::Conflict);
    assert_eq!(
        refused(old.save_json("s", state(9)).commit()),
        ErrorKind::Locked
    );
    old.close_session("s").unwrap();
    assert_eq!(old.take_over("s").unwrap().epoch, 3);
    assert_eq!(refused(new.close()), ErrorKind::Conflict);
    let texts: Vec<_> = ["s@-1", "s@latest"]
        .map(|at| old.restore(at).unwrap().into_text())
        .into();
    assert_eq!(texts, [state(1), state(2)]);
}

/// Each save of all programs, in the order of the epochs: nobody writes once another has.
#[test]
fn a_thousand_times_taken_over_there_is_one_writer() {
    let store = memory();
    let engines = [(); 3].map(|()| engine_on(Arc::clone(&store)));
    let mut epoch = 0;
    std::thread::scope(|scope| {
        for (who, engine) in engines.iter().enumerate() {
            scope.spawn(move || {
                for n in 0..crate::common::effort(150, 1_000) as usize {
                    engine.take_over("s").unwrap();
                    for more in 0..3 {
                        let text = format!("{{\"who\":{who},\"n\":{n},\"more\":{more}}}");
                        match engine.save_json("s", text).commit() {
                            Err(error) => assert_eq!(error.kind(), ErrorKind::Conflict),
                            Ok(saved) => assert_ne!(saved.epoch, 0),
                        }
                    }
                    drop(engine.close_session("s"));
                }
            });
        }
    });
    let all = dalsegno::Query {
        limit: usize::MAX,
        reverse: true,
        ..dalsegno::Query::default()
    };
    let saved = engines[0].list(&all).unwrap().snapshots;
    assert!(saved.len() >= 150);
    let mut writer = None;
    for snapshot in saved {
        assert!(snapshot.epoch >= epoch, "after another had it");
        let text: serde_json::Value =
            serde_json::from_slice(engines[0].restore(&snapshot.id.to_string()).unwrap().text())
                .unwrap();
        if snapshot.epoch == epoch {
            assert_eq!(
                writer,
                Some(text["who"].clone()),
                "one writer in each epoch"
            );
        }
        (epoch, writer) = (snapshot.epoch, Some(text["who"].clone()));
    }
}

#[test]
fn what_was_opened_and_stayed_empty_is_gone_when_it_is_closed() {
    let [bot, other] = two();
    bot.open_session("s").unwrap();
    assert_eq!(other.sessions().unwrap(), ["s"]);
    assert_eq!(
        refused(other.save_json("s", state(1)).commit()),
        ErrorKind::Locked
    );
    bot.close_session("s").unwrap();
    assert!(other.sessions().unwrap().is_empty());
    assert!(other.holders().unwrap().is_empty());
    other.save_json("s", state(1)).commit().unwrap();
    // A session that has something stays.
    bot.open_session("s").unwrap();
    other.delete(&["s@latest"], GRACE).unwrap();
    bot.close_session("s").unwrap();
    assert_eq!(other.sessions().unwrap(), ["s"]);
    other.purge(&Purge::All(None), &mut |_| {}).unwrap();
    assert!(other.sessions().unwrap().is_empty());
    assert!(other.holders().unwrap().is_empty());
}

/// An emptied session is forgotten with its lease, and its number and epochs are given again.
#[test]
fn a_session_of_the_same_name_is_another_one() {
    let [old, new] = two();
    old.open_session("s").unwrap();
    old.save_json("s", state(1)).commit().unwrap();
    new.take_over("s").unwrap();
    new.delete(&["s@latest"], GRACE).unwrap();
    new.purge(&Purge::All(None), &mut |_| {}).unwrap();
    assert_eq!(new.sessions().unwrap(), ["s"], "it is open");
    new.close_session("s").unwrap();
    assert!(new.sessions().unwrap().is_empty());
    assert_eq!(new.open_session("s").unwrap().epoch, 1);
    assert_eq!(
        refused(old.save_json("s", state(2)).commit()),
        ErrorKind::Conflict
    );
    new.save_json("s", state(3)).commit().unwrap();
}

#[test]
fn who_says_nothing_any_more_is_gone() {
    let store = memory();
    let gone = engine_on(Arc::clone(&store));
    gone.open_session("s").unwrap();
    let kept = gone.save_json("s", state(1)).commit().unwrap();
    let other = engine_on(Arc::clone(&store));
    // Its process is this one, which runs: so it has to be its word that ends.
    let later = Later::on(&store);
    assert_eq!(
        refused(other.save_json("s", state(2)).commit()),
        ErrorKind::Locked
    );
    assert_eq!(other.holders().unwrap()[0].standing, Holding::Open);
    assert_eq!(later.holders().unwrap()[0].standing, Holding::Gone);
    let saved = later.save_json("s", state(2)).commit().unwrap();
    assert_eq!(saved.parent, Some(kept.id));
    assert_eq!(
        refused(gone.save_json("s", state(3)).commit()),
        ErrorKind::Conflict
    );
    // It was not closed, and that is still so.
    let opened = other.open_session("s").unwrap();
    assert_eq!((opened.epoch, opened.was_closed), (3, false));
}

/// An engine whose machine has been running for longer.
pub(crate) struct Later;

impl Later {
    pub(crate) fn on(store: &Arc<dyn dalsegno::store::Store>) -> Engine {
        Options::default()
            .clock(Arc::new(Self))
            .on(Arc::clone(store))
    }
}

impl dalsegno::clock::Clock for Later {
    fn now(&self) -> jiff::Timestamp {
        // The wall clock jumps as it likes.
        jiff::Timestamp::UNIX_EPOCH
    }
    fn random(&self) -> [u8; 16] {
        dalsegno::clock::SystemClock.random()
    }
    fn uptime(&self) -> u64 {
        dalsegno::clock::SystemClock.uptime() + 31_000
    }
}

#[test]
fn a_store_that_fails_leaves_a_lease_with_one_or_nobody() {
    for call in [Call::View, Call::Read, Call::Exchange, Call::Commit] {
        for nth in 0..12 {
            for failure in [
                Failure::Before(ErrorKind::Storage),
                Failure::After(ErrorKind::Storage),
            ] {
                let store = memory();
                let faulty = FaultyStore::failing(Arc::clone(&store), call, nth, failure);
                let one = engine_on(Arc::new(faulty));
                let opened = one.open_session("s");
                let saved = one.save_json("s", state(1)).commit();
                let other = engine_on(Arc::clone(&store));
                if opened.is_ok() {
                    assert_eq!(refused(other.open_session("s")), ErrorKind::Locked);
                }
                let closed = one.close_session("s");
                drop(one);
                if opened.is_ok() && closed.is_ok() {
                    assert!(other.open_session("s").unwrap().was_closed);
                } else {
                    other.take_over("s").unwrap();
                }
                if saved.is_ok() {
                    assert_eq!(other.restore("s@latest").unwrap().text(), state(1));
                }
                other.save_json("s", state(2)).commit().unwrap();
                assert!(other.verify(None).unwrap().is_intact());
            }
        }
    }
}

#[test]
fn names_that_cannot_be_sessions_are_not_opened() {
    let [bot, _] = two();
    assert_eq!(refused(bot.open_session("")), ErrorKind::InvalidInput);
    assert_eq!(refused(bot.take_over("a\nb")), ErrorKind::InvalidInput);
    bot.close_session("never opened").unwrap();
}

#[test]
fn a_program_has_its_name() {
    let store = memory();
    let options = Options::default()
        .program("the bot")
        .lease_ttl(Duration::ZERO);
    let bot = options.on(Arc::clone(&store));
    bot.open_session("s").unwrap();
    let other = engine_on(store);
    let error = other.open_session("s").unwrap_err().to_string();
    assert!(error.starts_with("the bot (process "), "{error}");
}

#[test]
fn thousands_are_opened_and_closed_in_a_few_exchanges() {
    let store = memory();
    let counted = Arc::new(FaultyStore::new(Arc::clone(&store), |_, _| None));
    let bot = engine_on(Arc::clone(&counted) as Arc<dyn dalsegno::store::Store>);
    let other = engine_on(store);
    bot.save_json("s/7", state(1)).commit().unwrap();
    other.open_session("s/8").unwrap();
    let names: Vec<String> = (0..3_000).map(|n| format!("s/{n}")).collect();
    let before = counted.count(Call::Exchange);
    let opened = bot.open_together(&names).unwrap();
    assert!(counted.count(Call::Exchange) - before <= 2);
    for (name, opened) in names.iter().zip(&opened) {
        match opened {
            Ok(opened) => assert_eq!((&opened.session, opened.epoch), (name, 1)),
            Err(error) => assert_eq!((name.as_str(), error.kind()), ("s/8", ErrorKind::Locked)),
        }
    }
    assert_eq!(bot.open_sessions().len(), 2_999);
    bot.save_json("s/0", state(1)).commit().unwrap();
    assert_eq!(
        refused(other.save_json("s/9", state(1)).commit()),
        ErrorKind::Locked
    );
    // Again, and twice in a call, does nothing.
    let again = bot.open_together(&["s/0", "s/0", "s/7", "s/\n"]).unwrap();
    assert_eq!(again.iter().filter(|opened| opened.is_ok()).count(), 3);

    let before = counted.count(Call::Exchange);
    let closed = bot.close_together(&names).unwrap();
    assert!(closed.iter().all(Result::is_ok));
    assert_eq!(counted.count(Call::Exchange) - before, 1);
    assert!(bot.open_sessions().is_empty());
    assert_eq!(
        other.sessions().unwrap(),
        ["s/0", "s/7", "s/8"],
        "what has nothing is gone"
    );
    for holder in other.holders().unwrap() {
        let wanted = if holder.session == "s/8" {
            Holding::Open
        } else {
            Holding::Closed
        };
        assert_eq!(holder.standing, wanted);
    }
    assert!(
        other
            .open_together(&names)
            .unwrap()
            .iter()
            .all(Result::is_ok)
    );
}

#[test]
fn of_many_that_were_taken_over_each_is_told_and_the_rest_is_closed() {
    let [bot, other] = two();
    let names = ["a", "b", "c"];
    for name in names {
        bot.save_json(name, state(1)).commit().unwrap();
    }
    bot.open_together(&names).unwrap();
    other.take_over("b").unwrap();
    let closed = bot.close_together(&names).unwrap();
    let kinds: Vec<_> = closed
        .iter()
        .map(|it| it.as_ref().err().map(dalsegno::Error::kind))
        .collect();
    assert_eq!(kinds, [None, Some(ErrorKind::Conflict), None]);
    assert_eq!(other.open_sessions().len(), 1);
    let opened = other.open_together(&names).unwrap();
    assert!(
        opened
            .iter()
            .all(|opened| opened.as_ref().unwrap().was_closed)
    );
}

#[test]
fn a_store_that_fails_while_many_are_opened_leaves_none_open() {
    let store = memory();
    engine_on(Arc::clone(&store)).open_session("z").unwrap();
    // The first exchange is that of the program's own note.
    let failing = FaultyStore::failing(
        store,
        Call::Exchange,
        1,
        Failure::Before(ErrorKind::Storage),
    );
    let bot = engine_on(Arc::new(failing));
    assert_eq!(refused(bot.open_together(&["a", "b"])), ErrorKind::Storage);
    assert!(bot.open_sessions().is_empty());
    assert!(
        bot.open_together(&["a", "b"])
            .unwrap()
            .iter()
            .all(Result::is_ok)
    );
}
