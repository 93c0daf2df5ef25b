//! The rollback manager against a plain list of deep copies, in all three places.
#![allow(clippy::panic, clippy::unwrap_used)] // a failing test

use std::collections::VecDeque;
use std::sync::Arc;

use dalsegno::{Engine, ErrorKind, Kind, List, LogEntry, Query};
use dalsegno_claudmaster::keep::Keep;
use dalsegno_claudmaster::{
    Check, Fields, GAME_FIELDS, Guarded, RollbackError, RollbackManager, Settings, Type, Uuid,
};
use proptest::prelude::*;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

fn turn(session: &Value) -> i64 {
    session["turn_count"].as_i64().unwrap_or(-1)
}

fn game(turn: i64) -> Value {
    json!({
        "session_id": "g", "turn_count": turn, "conversation_history": [{"role": "user", "content": "go"}],
        "active_agents": {"narrator": "idle"}, "metadata": {"torches": 3},
    })
}

fn engine() -> (tempfile::TempDir, Arc<Engine>) {
    let folder = tempfile::tempdir().unwrap();
    let engine = Engine::create(folder.path().join("store.db")).unwrap();
    (folder, Arc::new(engine))
}

/// The values inside a value, itself included.
fn parts<'a>(value: &'a mut Value, path: &mut Vec<usize>, found: &mut Vec<Vec<usize>>) {
    found.push(path.clone());
    let inner: Vec<&'a mut Value> = match value {
        Value::Array(items) => items.iter_mut().collect(),
        Value::Object(members) => members.values_mut().collect(),
        _ => Vec::new(),
    };
    for (at, value) in inner.into_iter().enumerate() {
        path.push(at);
        parts(value, path, found);
        path.pop();
    }
}

/// Changes some value, however deep, and only that.
fn edit(value: &mut Value, at: prop::sample::Index, with: &Value) {
    let mut found = Vec::new();
    parts(value, &mut Vec::new(), &mut found);
    let path = &found[at.index(found.len())];
    let mut here = value;
    for step in path {
        here = match here {
            Value::Array(items) => &mut items[*step],
            Value::Object(members) => members.values_mut().nth(*step).unwrap(),
            _ => unreachable!(),
        };
    }
    match (here, with) {
        (Value::Array(items), with) => items.push(with.clone()),
        (Value::Object(members), with) => {
            let name = format!("k{}", members.len());
            members.insert(name, with.clone());
        }
        (here, with) => *here = with.clone(),
    }
}

fn any_value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>()
            .prop_filter("JSON has no other", |n| n.is_finite())
            .prop_map(Value::from),
        ".{0,12}".prop_map(Value::from),
    ];
    leaf.prop_recursive(5, 40, 5, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..5).prop_map(Value::from),
            prop::collection::vec(("[a-z]{1,3}", inner), 0..5)
                .prop_map(|members| Value::Object(members.into_iter().collect())),
        ]
    })
}

#[derive(Debug, Clone)]
enum Verb {
    Edit(prop::sample::Index, Value),
    Snapshot(String),
    Last,
    To(prop::sample::Index),
    Unknown,
    Limit(usize),
    Clear,
}

fn verbs() -> impl Strategy<Value = Vec<Verb>> {
    let at = any::<prop::sample::Index>;
    let verb = prop_oneof![
        6 => (at(), any_value()).prop_map(|(at, value)| Verb::Edit(at, value)),
        4 => "[a-z]{0,6}".prop_map(Verb::Snapshot),
        1 => Just(Verb::Last),
        3 => at().prop_map(Verb::To),
        1 => Just(Verb::Unknown),
        1 => (0..6_usize).prop_map(Verb::Limit),
        1 => Just(Verb::Clear),
    ];
    prop::collection::vec(verb, 0..40)
}

/// A plain list of deep copies, and what the manager does beside it.
fn follow<K: Keep<Value>>(mut manager: RollbackManager<Value, K>, verbs: &[Verb]) {
    let mut kept: VecDeque<(Uuid, String, Value)> = VecDeque::new();
    let mut live = manager.session.clone();
    for verb in verbs {
        match verb {
            Verb::Edit(at, with) => {
                edit(&mut live, *at, with);
                edit(&mut manager.session, *at, with);
            }
            Verb::Snapshot(label) => {
                let taken = manager.create_snapshot(label).unwrap();
                assert_eq!(taken.turn_count, turn(&live));
                kept.push_back((taken.snapshot_id, label.clone(), live.clone()));
                while kept.len() > manager.max_snapshots {
                    kept.pop_front();
                }
            }
            Verb::Last => match (manager.rollback_last(), kept.back()) {
                (Ok(()), Some((_, _, state))) => live = state.clone(),
                (Err(error), None) => {
                    assert_eq!(Value::from(error.details()), json!({"snapshot_count": 0}));
                }
                (other, _) => panic!("{other:?}"),
            },
            Verb::To(at) if !kept.is_empty() => {
                let (id, _, state) = &kept[at.index(kept.len())];
                manager.rollback_to(*id).unwrap();
                live = state.clone();
            }
            Verb::Unknown | Verb::To(_) => {
                let error = manager.rollback_to(Uuid::nil()).unwrap_err();
                let ids: Vec<_> = kept.iter().map(|(id, ..)| *id).collect();
                assert_eq!(
                    Value::from(error.details()),
                    json!({"available_snapshots": ids})
                );
            }
            Verb::Limit(limit) => manager.max_snapshots = *limit,
            Verb::Clear => {
                manager.clear_old_snapshots();
                while kept.len() > manager.max_snapshots {
                    kept.pop_front();
                }
            }
        }
        assert_eq!(manager.session, live);
        assert_eq!(manager.snapshot_count(), kept.len());
        let known = kept.iter().map(|(id, label, _)| (*id, label.as_str()));
        assert!(
            manager
                .snapshots()
                .map(|s| (s.snapshot_id, &*s.label))
                .eq(known)
        );
        for (id, _, state) in &kept {
            assert_eq!(
                manager.state_of(*id).unwrap(),
                *state,
                "an edit shows in a snapshot"
            );
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 96, ..ProptestConfig::default() })]

    #[test]
    fn snapshots_are_those_of_a_list_of_deep_copies(verbs in verbs()) {
        follow(Settings::new(turn).max_snapshots(4).serialised(game(0)), &verbs);
        follow(Settings::new(turn).max_snapshots(4).shared(game(0)), &verbs);
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 12, ..ProptestConfig::default() })]

    #[test]
    fn durable_snapshots_are_those_of_a_list_of_deep_copies(verbs in verbs()) {
        let (_folder, engine) = engine();
        let settings = Settings::new(turn).max_snapshots(4);
        follow(settings.durable(engine, "game/1", game(0)).unwrap(), &verbs);
    }
}

/// A typed session of shared structures.
#[derive(Debug, Clone, Serialize, Deserialize)]
struct Shared {
    turn_count: i64,
    history: List<String>,
}

#[test]
fn a_shared_session_keeps_its_snapshots_while_its_list_is_edited() {
    let history = (0..500).map(|n| format!("message {n}")).collect();
    let session = Shared {
        turn_count: 1,
        history,
    };
    let mut manager = Settings::new(|s: &Shared| s.turn_count).shared(session);
    let first = manager.create_snapshot("whole").unwrap().snapshot_id;
    let before: Vec<String> = manager.session.history.iter().cloned().collect();
    manager.session.history.set(250, "another".to_owned());
    manager.session.history.drop_front();
    manager.session.history.push_back("more".to_owned());
    manager.session.turn_count = 2;
    for _ in 0..2 {
        manager.rollback_to(first).unwrap();
        assert!(manager.session.history.iter().eq(&before));
        assert_eq!(manager.session.turn_count, 1);
        manager.session.history.truncate(3);
    }
}

#[test]
fn a_session_that_cannot_be_written_or_read_is_an_error_and_stays() {
    let deep = |levels| (0..levels).fold(json!(1), |inner, _| json!([inner]));
    let mut manager = Settings::new(turn).serialised(deep(127));
    let taken = manager.create_snapshot("deep").unwrap();
    manager.rollback_to(taken.snapshot_id).unwrap();
    manager.session = deep(128);
    let error = manager.create_snapshot("deeper").unwrap_err();
    assert!(matches!(error, RollbackError::NotTaken(_)), "{error}");
    assert_eq!(error.kind(), ErrorKind::InvalidInput);
    assert!(
        error.to_string().contains("deeper than 127 levels"),
        "{error}"
    );
    assert_eq!(manager.session, deep(128));
    assert_eq!(manager.list_snapshots(), [taken]);
}

/// Its own JSON does not fit it: a float that is no number becomes `null`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct Weighed {
    weight: f64,
}

#[test]
fn a_state_that_does_not_fit_is_an_error_and_the_session_stays() {
    let mut manager = Settings::new(|_: &Weighed| 0).serialised(Weighed { weight: f64::NAN });
    let id = manager.create_snapshot("weightless").unwrap().snapshot_id;
    manager.session.weight = 2.0;
    for error in [
        manager.rollback_to(id).unwrap_err(),
        manager.rollback_last().unwrap_err(),
        manager.state_of(id).unwrap_err(),
        manager.rollback_fields_to(id, &["weight"]).unwrap_err(),
    ] {
        let details = error.details();
        assert_eq!(details["snapshot"], json!(id), "{error}");
        assert!(
            details["error"].as_str().unwrap().contains("shape"),
            "{error}"
        );
        assert_eq!(manager.session, Weighed { weight: 2.0 });
    }
}

#[test]
fn fields_go_back_and_the_others_stay() {
    let (_folder, engine) = engine();
    let settings = || Settings::new(turn);
    let mut memory = settings().serialised(game(1));
    let mut durable = settings()
        .durable(Arc::clone(&engine), "game/1", game(1))
        .unwrap();
    fn go<K: Keep<Value>>(manager: &mut RollbackManager<Value, K>) {
        let id = manager.create_snapshot("one").unwrap().snapshot_id;
        manager.session = json!({
            "session_id": "another", "turn_count": 2, "conversation_history": "broken", "active_agents": {},
            "metadata": null, "extra": true,
        });
        let broken = manager.session.clone();
        let error = manager
            .rollback_fields_to(id, &["turn_count", "mood"])
            .unwrap_err();
        assert!(error.to_string().contains("no field mood"), "{error}");
        assert_eq!(manager.session, broken);
        manager.create_snapshot("two").unwrap();
        manager.rollback_fields_to(id, &GAME_FIELDS).unwrap();
        let mut wanted = game(1);
        wanted["session_id"] = json!("another");
        wanted["extra"] = json!(true);
        assert_eq!(manager.session, wanted);
    }
    go(&mut memory);
    go(&mut durable);
    let stored: Value = engine.restore("game/1@latest").unwrap().to().unwrap();
    assert_eq!(
        stored, durable.session,
        "the store went back with the same fields"
    );
}

#[test]
fn automatic_snapshots_come_every_so_many_turns() {
    let mut manager = Settings::new(turn).every(5).serialised(game(3));
    let mut taken = Vec::new();
    let mut play = |manager: &mut RollbackManager<Value>, turns: std::ops::RangeInclusive<i64>| {
        for now in turns {
            manager.session["turn_count"] = json!(now);
            let turn = manager.turn_done().unwrap();
            assert_eq!(turn.guarded, Guarded::Sound);
            taken.extend(turn.snapshot.map(|snapshot| {
                assert_eq!((&*snapshot.label, snapshot.kind), ("auto", Kind::Auto));
                snapshot.turn_count
            }));
        }
        std::mem::take(&mut taken)
    };
    assert_eq!(play(&mut manager, 4..=14), [8, 13]);
    let eight = manager.list_snapshots()[0].snapshot_id;
    manager.create_snapshot("by hand").unwrap();
    manager.rollback_to(eight).unwrap();
    assert_eq!(play(&mut manager, 9..=20), [13, 18]);
    // The program itself went back.
    assert_eq!(play(&mut manager, 2..=8), [7]);
    manager.every = 0;
    assert_eq!(play(&mut manager, 9..=90), [0_i64; 0]);
}

#[test]
fn a_broken_state_goes_back_to_the_last_sound_one_and_says_so() {
    let fields = Fields::from([
        ("turn_count", Type::Integer),
        ("conversation_history", Type::Array),
    ]);
    let mut manager = Settings::new(turn)
        .every(1)
        .check(Check::fields(fields))
        .serialised(game(0));
    for now in 1..=2 {
        manager.session["turn_count"] = json!(now);
        assert!(manager.turn_done().unwrap().snapshot.is_some());
    }
    let sound = manager.list_snapshots()[1].clone();
    manager.session = json!({"turn_count": 9, "conversation_history": "gone"});
    let by_hand = manager.create_snapshot("broken, but asked for").unwrap();
    let turn = manager.turn_done().unwrap();
    assert_eq!(
        turn.snapshot, None,
        "a broken state is no automatic snapshot"
    );
    let told = turn.guarded.to_string();
    let Guarded::RolledBack {
        why,
        to,
        passed_over,
    } = turn.guarded
    else {
        panic!("{told}");
    };
    assert_eq!(why, "conversation_history is a string, not an array");
    assert_eq!(to, sound);
    assert_eq!(
        passed_over.iter().map(|p| p.snapshot).collect::<Vec<_>>(),
        [by_hand.snapshot_id]
    );
    assert!(
        told.contains(&why) && told.contains(&sound.snapshot_id.to_string()),
        "{told}"
    );
    assert_eq!(manager.session, game(2));
    assert_eq!(manager.snapshot_count(), 3, "later snapshots stay");

    // None is sound.
    manager.session = json!([]);
    manager.max_snapshots = 0;
    manager.clear_old_snapshots();
    let error = manager.turn_done().unwrap_err();
    assert!(matches!(error, RollbackError::NoneSound { .. }), "{error}");
    assert_eq!(manager.session, json!([]));
    assert_eq!(manager.snapshot_count(), 0);
}

#[test]
fn durable_snapshots_outlive_the_process_and_a_rollback_is_logged() {
    let (folder, engine) = engine();
    let mut manager = Settings::new(turn)
        .every(2)
        .max_snapshots(3)
        .durable(Arc::clone(&engine), "game/1", game(0))
        .unwrap();
    for now in 1..=8 {
        manager.session["turn_count"] = json!(now);
        manager.turn_done().unwrap();
    }
    let by_hand = manager.create_snapshot("boss").unwrap();
    let known = manager.list_snapshots();
    assert_eq!(
        known.iter().map(|s| s.turn_count).collect::<Vec<_>>(),
        [6, 8, 8]
    );
    drop(manager);
    Arc::into_inner(engine).unwrap().close().unwrap();

    let engine = Arc::new(Engine::open(folder.path().join("store.db")).unwrap());
    let mut settings = Settings::new(turn).max_snapshots(3);
    settings = settings.every(2);
    let mut manager = settings
        .durable(Arc::clone(&engine), "game/1", game(9))
        .unwrap();
    assert_eq!(manager.list_snapshots(), known);
    assert!(
        manager.turn_done().unwrap().snapshot.is_none(),
        "turns count on from the last automatic one"
    );
    manager.rollback_to(by_hand.snapshot_id).unwrap();
    assert_eq!(manager.session, game(8));
    let done = |entry: &LogEntry| match entry {
        LogEntry::Operation {
            verb, status, from, ..
        } => Some((*verb, *status, from.map(Uuid::from))),
        _ => None,
    };
    let logged = || -> Vec<_> {
        engine
            .log("game/1", 20)
            .unwrap()
            .iter()
            .filter_map(done)
            .collect()
    };
    let boss = (
        dalsegno::Verb::Rollback,
        dalsegno::Status::Done,
        Some(by_hand.snapshot_id),
    );
    assert_eq!(logged(), [boss], "also where the store has no newer state");
    manager.rollback_to(known[0].snapshot_id).unwrap();
    assert_eq!(
        engine
            .restore("game/1@latest")
            .unwrap()
            .to::<Value>()
            .unwrap(),
        game(6)
    );
    assert_eq!(logged().len(), 2);
    // The store's own undo goes back through both.
    for turn in [8, 8] {
        engine.undo("game/1").unwrap().apply().unwrap();
        assert_eq!(
            engine
                .restore("game/1@latest")
                .unwrap()
                .to::<Value>()
                .unwrap(),
            game(turn)
        );
    }
    let all = engine.list(&Query::session("game/1")).unwrap().snapshots;
    let saved = all.iter().filter(|s| s.operation.is_none()).count();
    assert_eq!(saved, 5, "what the list drops stays in the store");
    assert!(engine.info(&by_hand.snapshot_id.to_string()).is_ok());

    // The rollback itself is no snapshot that somebody took.
    drop(manager);
    let manager = Settings::new(turn)
        .durable(Arc::clone(&engine), "game/1", game(8))
        .unwrap();
    assert_eq!(manager.snapshot_count(), 5);
    assert_eq!(manager.list_snapshots()[2..], known);

    // Somebody else deletes one.
    let id = by_hand.snapshot_id.to_string();
    engine.delete(&[&id], dalsegno::GRACE).unwrap();
    let mut manager = manager;
    let error = manager.rollback_to(by_hand.snapshot_id).unwrap_err();
    assert!(error.to_string().contains("trash"), "{error}");
    assert_eq!(manager.session, game(8));
}

#[test]
fn a_store_that_fails_is_an_error_and_the_session_stays() {
    let (folder, engine) = engine();
    let mut manager = Settings::new(turn)
        .durable(engine, "game/1", game(1))
        .unwrap();
    let id = manager.create_snapshot("one").unwrap().snapshot_id;
    manager.session = game(2);
    // The store loses its table of operations: the rollback cannot be logged.
    let store = rusqlite::Connection::open(folder.path().join("store.db")).unwrap();
    store
        .execute("ALTER TABLE operation RENAME TO gone", [])
        .unwrap();
    let error = manager.rollback_to(id).unwrap_err();
    assert_eq!(error.details()["snapshot"], json!(id), "{error}");
    assert_eq!(manager.session, game(2));
    store
        .execute("ALTER TABLE snapshot RENAME TO lost", [])
        .unwrap();
    let error = manager.create_snapshot("two").unwrap_err();
    assert!(matches!(error, RollbackError::NotTaken(_)), "{error}");
    assert_eq!(manager.snapshot_count(), 1);
    assert!(
        matches!(manager.guard(), Ok(Guarded::Sound)),
        "nobody said what is broken"
    );
}

#[test]
fn a_damaged_durable_snapshot_is_an_error_and_a_guard_passes_it_over() {
    let (folder, engine) = engine();
    let check = Check::new(|game: &Value| match turn(game) {
        0.. => Ok(()),
        _ => Err("no turn".to_owned()),
    });
    let mut manager = Settings::new(turn)
        .durable(Arc::clone(&engine), "game/1", game(1))
        .unwrap();
    let words =
        |n: i64| json!({"turn_count": n, "content": format!("{n} long words ").repeat(700)});
    let ids: Vec<Uuid> = (1..=3)
        .map(|n| {
            manager.session = words(n);
            manager.create_snapshot("").unwrap().snapshot_id
        })
        .collect();
    drop(manager);
    Arc::into_inner(engine).unwrap().close().unwrap();
    let path = folder.path().join("store.db");
    // The newest record's bytes.
    let store = rusqlite::Connection::open(&path).unwrap();
    let changed = store.execute(
        "UPDATE record SET data = zeroblob(length(data)) WHERE seq = (SELECT max(seq) FROM record)",
        [],
    );
    assert_eq!(changed.unwrap(), 1);
    drop(store);

    let engine = Arc::new(Engine::open(&path).unwrap());
    let settings = Settings::new(turn).check(check);
    let mut manager = settings.durable(engine, "game/1", json!({})).unwrap();
    let error = manager.rollback_to(ids[2]).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Damaged, "{error}");
    assert_eq!(error.details()["snapshot"], json!(ids[2]));
    assert_eq!(manager.session, json!({}));
    let Guarded::RolledBack {
        to, passed_over, ..
    } = manager.guard().unwrap()
    else {
        panic!("it was broken");
    };
    assert_eq!((to.snapshot_id, passed_over[0].snapshot), (ids[1], ids[2]));
    assert_eq!(manager.session, words(2));
}
