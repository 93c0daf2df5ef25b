//! What programs ask of the one that has a session open. Engines on one store stand for programs.

use std::sync::mpsc::{self, Receiver, Sender};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use dalsegno::store::faulty::{Call, Failure, FaultyStore};
use dalsegno::store::{NoteScan, Store};
use dalsegno::{
    Answer, Attendant, AutoSaving, Back, Engine, Error, ErrorKind, LogEntry, Peer, Query, Reply,
    Request, Restored, Result, State,
};
use serde_json::{Value, json};

use super::fresh;
use crate::common::{Jumps, engine_on, state};

/// No test waits for it.
const LONG: Duration = Duration::from_secs(3_600);

/// How many notes of requests, and of states that go with them, there are.
pub(crate) fn left(store: &Arc<dyn Store>) -> usize {
    let mut count = 0;
    for kind in [5, 6] {
        let scan = NoteScan {
            kind,
            ..NoteScan::default()
        };
        let view = store.view().unwrap();
        view.notes(&scan, &mut |_| {
            count += 1;
            std::ops::ControlFlow::Continue(())
        })
        .unwrap();
    }
    count
}

/// A program that does as the test says.
#[derive(Default)]
struct Program {
    /// What it was told, in order.
    told: Arc<Mutex<Vec<String>>>,
    /// Says when it was asked, and waits until it may go on.
    paused: Option<(Sender<()>, Receiver<()>)>,
}

impl Program {
    fn told(&self) -> impl Fn() -> Vec<String> + Send + Sync + use<> {
        let told = Arc::clone(&self.told);
        move || told.lock().unwrap().clone()
    }

    fn hear(&self, what: impl Into<String>) {
        self.told.lock().unwrap().push(what.into());
    }
}

impl Attendant for Program {
    fn asked(&mut self, request: &Request) -> Result<Reply> {
        self.hear(format!("asked {}", request.verb));
        if let Some((asked, go_on)) = &self.paused {
            asked.send(()).unwrap();
            go_on.recv().unwrap();
        }
        match request.verb.as_str() {
            "queue inspect" => Ok(Reply::Answer(json!({"queue": request.arguments["of"]}))),
            "echo" => Ok(Reply::Answer(json!(
                request.state.as_ref().map_or(0, |state| state.len())
            ))),
            "locked" => Err(Error::new(ErrorKind::Denied, "not now")),
            "panic" => panic!("on purpose"),
            "too long" => Ok(Reply::Answer(json!("x".repeat(17 << 20)))),
            _ => Ok(Reply::CarryOut),
        }
    }

    fn load(&mut self, request: &Request, state: &Restored) -> Result<bool> {
        let turn = state.snapshot().turn.unwrap_or(-1);
        self.hear(format!("load {} {turn}", request.verb));
        match &request.arguments["load"] {
            Value::Null => Ok(true),
            _ => unreachable!(),
        }
    }

    fn failed(&mut self, request: &Request, error: &Error) {
        self.hear(format!("failed {} {}", request.verb, error.kind()));
    }
}

fn house() -> (Arc<dyn Store>, Arc<Engine>, Engine) {
    let store = fresh();
    let bot = Arc::new(engine_on(Arc::clone(&store)));
    bot.open_session("s").unwrap();
    for n in 1..4 {
        bot.save_json("s", state(n)).commit().unwrap();
    }
    let other = engine_on(Arc::clone(&store));
    (store, bot, other)
}

fn kind<T>(result: Result<T>) -> ErrorKind {
    result.map(drop).unwrap_err().kind()
}

fn turn(engine: &Engine) -> i64 {
    engine.info("s@latest").unwrap().turn.unwrap()
}

#[test]
fn the_holder_carries_the_five_deeds_out_and_loads_what_came_of_them() {
    let (store, bot, other) = house();
    let program = Program::default();
    let told = program.told();
    let attending = bot.attend(program).unwrap();
    let back = json!({"steps": 2});
    let answer = other.ask("s", "rollback").arguments(back).send().unwrap();
    let own = Peer {
        program: answer.by.as_ref().unwrap().program.clone(),
        pid: std::process::id(),
    };
    assert_eq!((answer.by, answer.not_told), (Some(own), None));
    assert_eq!(answer.value["plan"]["verb"], "rollback");
    let head = other.info("s@latest").unwrap();
    assert_eq!(answer.value["head"]["id"], head.id.to_string());
    assert_eq!((head.turn, head.epoch), (Some(1), 1));
    let by = head.metadata["asked"]["by"].as_str().unwrap();
    assert!(by.contains("(process "), "{by}");
    other.ask("s", "undo").send().unwrap();
    assert_eq!(turn(&other), 3);
    other.ask("s", "redo").send().unwrap();
    assert_eq!(turn(&other), 1);
    let from = json!({"from": "s@turn:2"});
    other.ask("s", "restore").arguments(from).send().unwrap();
    assert_eq!(turn(&other), 2);
    let saved = other
        .ask("s", "save")
        .arguments(json!({"name": "asked", "tags": ["a"], "metadata": {"k": 1}, "pinned": true, "turn": 9}))
        .state(state(7))
        .send()
        .unwrap();
    let snapshot = other.info("s@asked").unwrap();
    assert_eq!(saved.value["id"], snapshot.id.to_string());
    assert_eq!((snapshot.turn, snapshot.pinned), (Some(9), true));
    assert_eq!(
        (&snapshot.tags[..], &snapshot.metadata["k"]),
        (&["a".to_owned()][..], &json!(1))
    );
    assert_eq!(other.restore("s@latest").unwrap().text(), state(7));
    assert_eq!(
        told(),
        [
            "asked rollback",
            "load rollback 1",
            "asked undo",
            "load undo 3",
            "asked redo",
            "load redo 1",
            "asked restore",
            "load restore 2",
            "asked save",
            "load save 9",
        ]
    );
    // The holder goes on.
    bot.save_json("s", state(8)).commit().unwrap();
    assert_eq!(left(&store), 0, "what was answered is gone");
    attending.stop();
    assert!(other.verify(None).unwrap().is_intact());
}

#[test]
fn a_program_answers_its_own_verbs_and_refuses_what_it_likes() {
    let (store, bot, other) = house();
    let program = Program::default();
    let told = program.told();
    let _attending = bot.attend(program).unwrap();
    let of = json!({"of": "42"});
    let answer = other
        .ask("s", "queue inspect")
        .arguments(of)
        .send()
        .unwrap();
    assert_eq!(
        (answer.value, answer.not_told),
        (json!({"queue": "42"}), None)
    );
    let refused = other.ask("s", "locked").send().unwrap_err();
    assert_eq!(refused.kind(), ErrorKind::Denied);
    assert!(refused.to_string().ends_with(": not now"), "{refused}");
    let unknown = other.ask("s", "dance").send().unwrap_err();
    assert_eq!(unknown.kind(), ErrorKind::InvalidInput);
    assert!(unknown.to_string().contains("'dance'"), "{unknown}");
    let panicked = other.ask("s", "panic").send().unwrap_err();
    assert!(panicked.to_string().contains("on purpose"), "{panicked}");
    assert_eq!(
        kind(other.ask("s", "too long").send()),
        ErrorKind::InvalidInput
    );
    // What the engine refuses is refused as if it were done here.
    let steps = json!({"steps": 99});
    assert_eq!(
        kind(other.ask("s", "rollback").arguments(steps).send()),
        ErrorKind::NotFound
    );
    assert_eq!(kind(other.ask("s", "undo").send()), ErrorKind::NotFound);
    bot.save_json("t", state(1)).name("of t").commit().unwrap();
    let from = json!({"from": "of t"});
    assert_eq!(
        kind(other.ask("s", "restore").arguments(from).send()),
        ErrorKind::InvalidInput
    );
    assert_eq!(
        kind(other.ask("s", "save").state("no JSON").send()),
        ErrorKind::InvalidInput
    );
    assert!(
        told().contains(&"failed save invalid_input".to_owned()),
        "{:?}",
        told()
    );
    assert_eq!(turn(&other), 3);
    assert_eq!(left(&store), 0);
}

#[test]
fn what_cannot_be_asked_for_is_refused_before_anybody_is_asked() {
    let (_, bot, other) = house();
    let program = Program::default();
    let told = program.told();
    let _attending = bot.attend(program).unwrap();
    let long = "x".repeat(2 << 20);
    for ask in [
        other.ask("s", ""),
        other.ask("a\nb", "undo"),
        other.ask("s", "save"),
        other.ask("s", "rollback").arguments(json!({"step": 1})),
        other.ask("s", "restore"),
        other
            .ask("s", "save")
            .state("{}")
            .arguments(json!({"kind": "guard"})),
        other
            .ask("s", "save")
            .state("{}")
            .arguments(json!({"metadata": {"asked": 1}})),
        other.ask("s", "echo").arguments(json!(long)),
    ] {
        assert_eq!(kind(ask.send()), ErrorKind::InvalidInput);
    }
    assert!(told().is_empty());
}

#[test]
fn where_nobody_has_it_open_it_is_done_here() {
    let (store, bot, other) = house();
    bot.close_session("s").unwrap();
    let answer = other.ask("s", "rollback").send().unwrap();
    assert_eq!((answer.by, answer.not_told), (None, None));
    assert_eq!(turn(&other), 2);
    assert!(
        !other
            .info("s@latest")
            .unwrap()
            .metadata
            .contains_key("asked")
    );
    assert_eq!(
        kind(other.ask("s", "queue inspect").send()),
        ErrorKind::NotFound
    );
    let answer = other.ask("new", "save").state(state(1)).send().unwrap();
    assert_eq!(answer.value["session"], "new");
    // So where it has it open itself.
    other.open_session("s").unwrap();
    assert_eq!(other.ask("s", "undo").send().unwrap().by, None);
    assert_eq!(left(&store), 0);
}

#[test]
fn who_attends_to_nothing_is_not_waited_for() {
    let (store, bot, other) = house();
    let refused = other.ask("s", "undo").timeout(LONG).send().unwrap_err();
    assert_eq!(refused.kind(), ErrorKind::Locked);
    assert!(
        refused.to_string().contains("answers no requests"),
        "{refused}"
    );
    let attending = bot.attend(()).unwrap();
    assert_eq!(kind(bot.attend(())).to_string(), "conflict");
    let locked = other.save_json("s", state(5)).commit().unwrap_err();
    assert!(locked.to_string().contains("`--ask`"), "{locked}");
    let answer = other.ask("s", "rollback").timeout(LONG).send().unwrap();
    let not_told = answer.not_told.unwrap();
    assert!(not_told.contains("was not told"), "{not_told}");
    attending.stop();
    assert_eq!(
        kind(other.ask("s", "undo").timeout(LONG).send()),
        ErrorKind::Locked
    );
    let attending = bot.attend(()).unwrap();
    other.ask("s", "undo").timeout(LONG).send().unwrap();
    drop(attending);
    assert_eq!(
        kind(other.ask("s", "redo").timeout(LONG).send()),
        ErrorKind::Locked
    );
    assert_eq!(turn(&other), 3);
    assert_eq!(left(&store), 0);
}

/// A program that is at one request until it is told to go on.
fn busy(
    bot: &Arc<Engine>,
) -> (
    dalsegno::Attending,
    Receiver<()>,
    Sender<()>,
    impl Fn() -> Vec<String> + Send + Sync + use<>,
) {
    let ((asked, is_asked), (go_on, may_go_on)) = (mpsc::channel(), mpsc::channel());
    let program = Program {
        paused: Some((asked, may_go_on)),
        ..Program::default()
    };
    let told = program.told();
    (bot.attend(program).unwrap(), is_asked, go_on, told)
}

#[test]
fn what_was_not_taken_in_time_is_withdrawn_and_what_was_taken_goes_on() {
    let (store, bot, other) = house();
    let (attending, is_asked, go_on, told) = busy(&bot);
    std::thread::scope(|scope| {
        let gave_up = Arc::new(Mutex::new(false));
        let asker = scope.spawn({
            let gave_up = Arc::clone(&gave_up);
            let other = &other;
            move || {
                let ask = other.ask("s", "rollback").timeout(LONG);
                ask.give_up_when(|| *gave_up.lock().unwrap()).send()
            }
        });
        is_asked.recv().unwrap();
        // The next one is not taken, because the program is at the first.
        let late = other.ask("s", "undo").timeout(Duration::from_millis(1));
        let late = late.send().unwrap_err();
        assert_eq!(late.kind(), ErrorKind::Locked);
        assert!(late.to_string().contains("withdrawn"), "{late}");
        assert!(late.to_string().contains("1 millisecond went by"), "{late}");
        let given_up = other.ask("s", "undo").give_up_when(|| true).send();
        assert!(given_up.unwrap_err().to_string().contains("interrupted"));
        assert_eq!(left(&store), 1);
        // The program's own saves go on meanwhile.
        bot.save_json("s", state(4)).commit().unwrap();
        *gave_up.lock().unwrap() = true;
        let taken = asker.join().unwrap().unwrap_err();
        assert_eq!(taken.kind(), ErrorKind::Conflict);
        assert!(
            taken.to_string().contains("has not answered yet"),
            "{taken}"
        );
        go_on.send(()).unwrap();
    });
    attending.stop();
    assert_eq!(turn(&other), 3, "one step back from 4");
    assert_eq!(told(), ["asked rollback", "load rollback 3"]);
}

#[test]
fn a_request_is_carried_out_by_whoever_has_the_session_when_it_is_taken() {
    let (store, bot, other) = house();
    let (attending, is_asked, go_on, _) = busy(&bot);
    bot.open_session("t").unwrap();
    bot.save_json("t", state(1)).commit().unwrap();
    let third = Arc::new(engine_on(Arc::clone(&store)));
    let _third_attends = third.attend(Program::default()).unwrap();
    std::thread::scope(|scope| {
        let first = scope.spawn(|| other.ask("t", "save").state(state(2)).send());
        is_asked.recv().unwrap();
        let second = scope.spawn(|| other.ask("s", "rollback").send());
        // It waits for the program to be done with the first.
        while left(&store) < 2 {
            std::thread::yield_now();
        }
        third.take_over("s").unwrap();
        let answer = second.join().unwrap().unwrap();
        assert_eq!(answer.not_told, None);
        go_on.send(()).unwrap();
        first.join().unwrap().unwrap();
    });
    assert_eq!(other.info("s@latest").unwrap().epoch, 2);
    assert_eq!(turn(&other), 2);
    attending.stop();
    assert_eq!(left(&store), 0);
}

/// What saves itself gives a state of before until it has loaded the new one; none of that goes on top.
#[test]
fn an_auto_save_does_not_go_on_top_of_what_was_asked_for() {
    let (_, bot, other) = house();
    let volume = Arc::new(Mutex::new(3));
    struct Player(Arc<Mutex<i64>>, Arc<dalsegno::AutoSave>);
    impl Attendant for Player {
        fn load(&mut self, _: &Request, state: &Restored) -> Result<bool> {
            // The session is due; it is not saved before it is loaded.
            self.1.touch("s");
            let refused = self.1.save_now(Some("s")).unwrap_err();
            assert_eq!(refused.kind(), ErrorKind::Locked);
            let state: Value = state.to()?;
            *self.0.lock().unwrap() = state["turn"].as_i64().unwrap();
            Ok(true)
        }
    }
    let saving = Arc::new(bot.auto_save().unwrap());
    let own = Arc::clone(&volume);
    let how = AutoSaving::every(Duration::from_millis(10));
    saving
        .register("s", how, move || {
            State::of(&json!({"turn": *own.lock().unwrap()})).map(Some)
        })
        .unwrap();
    saving.save_now(None).unwrap();
    let attending = bot.attend(Player(volume, Arc::clone(&saving))).unwrap();
    for to in [1, 2, 1] {
        let arguments = json!({"to": format!("s@turn:{to}")});
        let answer = other
            .ask("s", "rollback")
            .arguments(arguments)
            .send()
            .unwrap();
        assert_eq!(answer.not_told, None);
        saving.save_now(None).unwrap();
        assert_eq!(turn(&other), to);
        let page = other.list(&Query::session("s")).unwrap().snapshots;
        let since = page.iter().take_while(|it| it.operation.is_none());
        assert!(since.into_iter().all(|it| it.turn == Some(to)));
    }
    attending.stop();
    saving.stop().unwrap();
}

/// Who only looks does not wait for what is being carried out, and who does not only look does.
#[test]
fn who_only_looks_is_answered_meanwhile() {
    struct Slow(Option<Sender<()>>, Receiver<()>);
    impl Attendant for Slow {
        fn asked(&mut self, request: &Request) -> Result<Reply> {
            match request.verb.as_str() {
                "long" => {
                    self.0.take().unwrap().send(()).unwrap();
                    self.1.recv().unwrap();
                    Ok(Reply::Answer(json!("done")))
                }
                verb => Err(Error::new(ErrorKind::InvalidInput, verb.to_owned())),
            }
        }

        fn looking(&mut self) -> Option<dalsegno::Looking> {
            Some(Box::new(|request| match request.verb.as_str() {
                "look" => Some(Ok(json!({"of": request.session}))),
                "fail" => Some(Err(Error::new(ErrorKind::NotFound, "nothing to see"))),
                "panic" => panic!("mistake"),
                _ => None,
            }))
        }
    }
    let (store, bot, other) = house();
    let ((asked, is_asked), (go_on, may_go_on)) = (mpsc::channel(), mpsc::channel());
    let attending = bot.attend(Slow(Some(asked), may_go_on)).unwrap();
    std::thread::scope(|scope| {
        let long = scope.spawn(|| other.ask("s", "long").timeout(LONG).send());
        is_asked.recv().unwrap();
        for _ in 0..2 {
            let seen = other.ask("s", "look").timeout(LONG).send().unwrap();
            assert_eq!(seen.value, json!({"of": "s"}));
            let failed = other.ask("s", "fail").timeout(LONG).send();
            assert_eq!(kind(failed), ErrorKind::NotFound);
            let mistake = other.ask("s", "panic").timeout(LONG).send().unwrap_err();
            assert!(mistake.to_string().contains("mistake"), "{mistake}");
        }
        let waits = other.ask("s", "other").timeout(Duration::from_millis(1));
        assert_eq!(kind(waits.send()), ErrorKind::Locked);
        // While it pauses for a fork, nothing of the engine is held.
        assert!(attending.pause(LONG));
        attending.resume(&bot);
        other.ask("s", "look").timeout(LONG).send().unwrap();
        go_on.send(()).unwrap();
        assert_eq!(long.join().unwrap().unwrap().value, json!("done"));
    });
    attending.stop();
    assert_eq!(left(&store), 0);
}

/// A save that waits for a request saves the others at once, and this session once it has ended.
#[test]
fn a_save_can_wait_for_what_was_asked_for() {
    let (_, bot, other) = house();
    let (round, rounds) = mpsc::channel();
    let saving = bot
        .auto_save_gathering(move |names, _| round.send(names.to_vec()).unwrap())
        .unwrap();
    for session in ["s", "t"] {
        let source = || State::of(&json!({"turn": 9})).map(Some);
        let how = AutoSaving::every(LONG);
        saving.register(session, how, source).unwrap();
    }
    let (attending, is_asked, go_on, _) = busy(&bot);
    std::thread::scope(|scope| {
        let asker = scope.spawn(|| other.ask("s", "rollback").send());
        is_asked.recv().unwrap();
        let refused = saving.save_now(Some("s"));
        assert_eq!(kind(refused), ErrorKind::Locked);
        let saved = scope.spawn(|| saving.save_now_within(None, LONG));
        assert_eq!(rounds.recv().unwrap(), ["t"]);
        go_on.send(()).unwrap();
        asker.join().unwrap().unwrap();
        saved.join().unwrap().unwrap();
    });
    assert_eq!(rounds.recv().unwrap(), ["s"]);
    assert_eq!(turn(&other), 9);
    attending.stop();
    saving.end().unwrap();
}

/// A state that was gathered before somebody asked is saved before that is carried out.
#[test]
fn what_was_gathered_is_saved_before_what_is_asked_for() {
    let (_, bot, other) = house();
    let (gathers, is_gathering) = mpsc::channel();
    let (answered, is_answered) = mpsc::channel::<()>();
    let saving = bot
        .auto_save_gathering(move |_, _| {
            gathers.send(()).unwrap();
            // Were it not waited for, the answer would come now, and the state go on top of it.
            let _answered = is_answered.recv_timeout(Duration::from_millis(300));
        })
        .unwrap();
    saving
        .register("s", AutoSaving::every(LONG), || {
            State::of(&json!({"turn": 9})).map(Some)
        })
        .unwrap();
    let attending = bot.attend(()).unwrap();
    saving.touch("s");
    is_gathering.recv().unwrap();
    let to = json!({"to": "s@turn:1"});
    other.ask("s", "rollback").arguments(to).send().unwrap();
    drop(answered);
    assert_eq!(turn(&other), 1);
    let page = other.list(&Query::session("s")).unwrap().snapshots;
    let turns: Vec<_> = page.iter().map(|it| it.turn.unwrap()).collect();
    assert_eq!(turns, [1, 9, 3, 2, 1]);
    attending.stop();
    saving.end().unwrap();
}

/// Who steps back has asked for nothing, unless it was taken: then that is waited for.
#[test]
fn who_steps_back_waits_for_what_was_taken() {
    let (store, bot, other) = house();
    let (asked, is_asked) = mpsc::channel();
    let (may_go_on, go_on) = mpsc::channel();
    let program = Program {
        paused: Some((asked, go_on)),
        ..Program::default()
    };
    let _attending = bot.attend(program).unwrap();
    let mut calls = 0;
    let third = engine_on(Arc::clone(&store));
    let ask = other.ask("s", "rollback").timeout(LONG);
    let ask = ask.step_back_when(move || {
        calls += 1;
        match calls {
            1 => is_asked.recv().unwrap(),
            3 => {
                // What nobody takes meanwhile is withdrawn.
                let ask = third.ask("s", "undo").timeout(LONG);
                let refused = ask.step_back_when(|| true).send().unwrap_err();
                assert_eq!(refused.kind(), ErrorKind::Locked);
                may_go_on.send(()).unwrap();
            }
            _ => {}
        }
        true
    });
    ask.send().unwrap();
    assert_eq!(turn(&other), 2);
    assert_eq!(left(&store), 0);
}

#[test]
fn a_state_that_goes_with_a_request_may_be_large() {
    let (store, bot, other) = house();
    let _attending = bot.attend(Program::default()).unwrap();
    let text = format!("{{\"turn\":5,\"text\":\"{}\"}}", "la ".repeat(10 << 20));
    let answer = other.ask("s", "echo").state(text.clone()).send().unwrap();
    assert_eq!(answer.value, json!(text.len()));
    other.ask("s", "save").state(text.clone()).send().unwrap();
    assert!(other.restore("s@latest").unwrap().text() == text.as_bytes());
    assert_eq!(left(&store), 0);
}

/// All that many ask for is done, each once.
#[test]
fn of_many_who_ask_each_gets_its_answer() {
    let (store, bot, _) = house();
    let _attending = bot.attend(Program::default()).unwrap();
    let answers: Vec<Answer> = std::thread::scope(|scope| {
        let askers: Vec<_> = (0..8)
            .map(|who| {
                let store = Arc::clone(&store);
                scope.spawn(move || {
                    let engine = engine_on(store);
                    let asked = (0..4).map(|n| {
                        let text = format!("{{\"who\":{who},\"n\":{n}}}");
                        engine.ask("s", "save").state(text).send().unwrap()
                    });
                    asked.collect::<Vec<_>>()
                })
            })
            .collect();
        let answers = askers.into_iter().flat_map(|asker| asker.join().unwrap());
        answers.collect()
    });
    let mut ids: Vec<String> = answers
        .iter()
        .map(|answer| answer.value["id"].to_string())
        .collect();
    ids.sort();
    ids.dedup();
    assert_eq!(ids.len(), 32);
    let page = bot
        .list(&Query {
            limit: 100,
            ..Query::session("s")
        })
        .unwrap();
    assert_eq!(page.snapshots.len(), 35);
    assert_eq!(left(&store), 0);
}

#[test]
fn an_undo_after_its_holder_is_gone_is_done_the_first_time() {
    let (store, bot, _) = house();
    bot.rollback("s", &Back::Steps(2)).unwrap().apply().unwrap();
    let clock = Jumps::default();
    let other = clock.on(&store);
    clock.jump(Duration::from_secs(60));
    let plan = other.undo("s").unwrap().plan().unwrap();
    assert!(plan.changes);
    let answer = other.ask("s", "undo").send().unwrap();
    assert_eq!((answer.by, turn(&other)), (None, 3));
    assert_eq!(
        kind(bot.save_json("s", state(4)).commit()),
        ErrorKind::Conflict
    );
    other.redo("s").unwrap().apply().unwrap();
    assert_eq!(turn(&other), 1);
}

#[test]
fn an_undo_of_a_file_needs_nobody_to_be_asked() {
    let (_, bot, other) = house();
    let _attending = bot.attend(()).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("s.json");
    other
        .rollback("s", &Back::Steps(1))
        .unwrap()
        .to_file(&file)
        .apply()
        .unwrap();
    let refused = other.ask("s", "undo").send().unwrap_err();
    assert!(refused.to_string().contains("without asking"), "{refused}");
    assert!(file.exists());
    other.undo("s").unwrap().apply().unwrap();
    assert!(!file.exists());
}

/// Wherever the store fails, on either side: what is asked for is done once and answered, or refused and not done, or
/// it is said that nobody knows.
#[test]
fn a_store_that_fails_leads_to_no_untrue_answer() {
    for (holders, call) in [true, false].into_iter().flat_map(|holders| {
        [Call::View, Call::Read, Call::Exchange, Call::Commit].map(|call| (holders, call))
    }) {
        for nth in 0..crate::common::effort(8, 40) as usize {
            for failure in [
                Failure::Before(ErrorKind::Storage),
                Failure::After(ErrorKind::Storage),
            ] {
                let store = fresh();
                let faulty: Arc<dyn Store> =
                    Arc::new(FaultyStore::failing(Arc::clone(&store), call, nth, failure));
                let [one, two] = if holders {
                    [faulty, Arc::clone(&store)]
                } else {
                    [Arc::clone(&store), faulty]
                };
                let bot = Arc::new(engine_on(one));
                // Where this fails, so be it: another one opens it.
                if bot.open_session("s").is_err() || bot.save_json("s", state(1)).commit().is_err()
                {
                    continue;
                }
                let Ok(attending) = bot.attend(Program::default()) else {
                    continue;
                };
                let other = engine_on(two);
                let asked = other
                    .ask("s", "save")
                    .state(state(2))
                    .timeout(Duration::from_secs(5));
                let asked = asked.send();
                attending.stop();
                let fresh = engine_on(Arc::clone(&store));
                let page = fresh.list(&Query::session("s")).unwrap().snapshots;
                let saved = page.iter().filter(|it| it.turn == Some(2)).count();
                let what = format!("{holders} {call:?} {nth} {failure:?}: {asked:?}");
                match &asked {
                    Ok(_) => assert_eq!(saved, 1, "{what}"),
                    // As of any save whose answer is lost.
                    Err(error) if error.to_string().contains("not known") => {
                        assert!(saved <= 1, "{what}")
                    }
                    Err(_) if call == Call::Commit => assert!(saved <= 1, "{what}"),
                    Err(_) => assert_eq!(saved, 0, "{what}"),
                }
            }
        }
    }
}

/// The holder is stopped while it is at a request, counted as gone, and goes on when somebody else has done it.
#[test]
fn a_holder_that_was_counted_as_gone_does_nothing_more() {
    for verb in ["save", "restore"] {
        let (store, bot, _) = house();
        let (attending, is_asked, go_on, told) = busy(&bot);
        let clock = Jumps::default();
        let other = clock.on(&store);
        std::thread::scope(|scope| {
            let asker = scope.spawn(|| match verb {
                "save" => other.ask("s", verb).state(state(9)).timeout(LONG).send(),
                // It is that already: only the log tells of it.
                _ => {
                    let from = json!({"from": "s@turn:3"});
                    other.ask("s", verb).arguments(from).timeout(LONG).send()
                }
            });
            is_asked.recv().unwrap();
            clock.jump(Duration::from_secs(60));
            let answer = asker.join();
            go_on.send(()).unwrap();
            assert_eq!(answer.unwrap().unwrap().by, None, "it was done there");
        });
        attending.stop();
        assert_eq!(told()[1], format!("failed {verb} conflict"));
        let page = other.list(&Query::session("s")).unwrap().snapshots;
        let saved = page.iter().filter(|it| it.turn == Some(9)).count();
        assert_eq!(saved, usize::from(verb == "save"));
        let deeds = other.log("s", usize::MAX).unwrap();
        let is_deed = |entry: &&LogEntry| matches!(entry, LogEntry::Operation { .. });
        assert_eq!(deeds.iter().filter(is_deed).count(), 0, "{deeds:?}");
        assert_eq!(left(&store), 0);
    }
}

/// The holder is stopped right after it has done what was asked for, before it answers.
#[test]
fn what_was_done_by_a_holder_that_is_gone_is_not_done_again() {
    struct Stops(Sender<()>, Receiver<()>);
    impl Attendant for Stops {
        fn load(&mut self, _: &Request, _: &Restored) -> Result<bool> {
            self.0.send(()).unwrap();
            self.1.recv().unwrap();
            Ok(true)
        }
    }
    for verb in ["save", "rollback", "restore"] {
        let (store, bot, _) = house();
        let ((done, is_done), (go_on, may_go_on)) = (mpsc::channel(), mpsc::channel());
        let attending = bot.attend(Stops(done, may_go_on)).unwrap();
        let clock = Jumps::default();
        let other = clock.on(&store);
        std::thread::scope(|scope| {
            let asker = scope.spawn(|| {
                let ask = other.ask("s", verb).timeout(LONG);
                match verb {
                    "save" => ask.state(state(9)),
                    "rollback" => ask,
                    _ => ask.arguments(json!({"from": "s@turn:3"})),
                }
                .send()
            });
            is_done.recv().unwrap();
            clock.jump(Duration::from_secs(60));
            let answer = asker.join();
            go_on.send(()).unwrap();
            let answer = answer.unwrap().unwrap();
            assert!(answer.by.is_some());
            assert!(answer.not_told.unwrap().contains("before it answered"));
            let newest = other.info("s@latest").unwrap().id.to_string();
            match verb {
                "save" => assert_eq!(answer.value["id"], newest),
                "rollback" => assert_eq!(answer.value["head"]["id"], newest),
                _ => assert_eq!(answer.value["head"], Value::Null),
            }
        });
        attending.stop();
        let page = other.list(&Query::session("s")).unwrap().snapshots;
        assert_eq!(page.len(), if verb == "restore" { 3 } else { 4 });
        let deeds = other.log("s", usize::MAX).unwrap();
        let is_deed = |entry: &&LogEntry| matches!(entry, LogEntry::Operation { .. });
        assert_eq!(
            deeds.iter().filter(is_deed).count(),
            usize::from(verb != "save")
        );
        assert_eq!(left(&store), 0);
    }
}

/// The holder that was counted as gone goes on at the worst moment: when whoever asked has seen that nothing came of it
/// yet, and has not done it itself.
#[test]
fn a_lease_ends_before_it_is_looked_for_what_came_of_it() {
    let (store, bot, _) = house();
    let (attending, is_asked, go_on, told) = busy(&bot);
    let clock = Jumps::default();
    let told = Arc::new(told);
    let (go_on, hears) = (Mutex::new(Some(go_on)), Arc::clone(&told));
    // The request, the end of the lease, and then this.
    let store_of_other = FaultyStore::new(Arc::clone(&store), move |call, n| {
        if (call, n) == (Call::Exchange, 2)
            && let Some(go_on) = go_on.lock().unwrap().take()
        {
            go_on.send(()).unwrap();
            while hears().len() < 2 {
                std::thread::yield_now();
            }
        }
        None
    });
    let other = clock.on(&(Arc::new(store_of_other) as Arc<dyn Store>));
    let asked = std::thread::scope(|scope| {
        let asker = scope.spawn(|| other.ask("s", "save").state(state(9)).timeout(LONG).send());
        is_asked.recv().unwrap();
        clock.jump(Duration::from_secs(60));
        asker.join().unwrap()
    });
    attending.stop();
    assert_eq!(told()[1], "failed save conflict");
    let page = bot.list(&Query::session("s")).unwrap().snapshots;
    let saved = page.iter().filter(|it| it.turn == Some(9)).count();
    assert_eq!(saved, usize::from(asked.is_ok()), "{asked:?}");
}
