//! Whatever JSON is saved, in whatever sequence of edits, every state comes back byte for byte.

#![allow(clippy::unwrap_used)]

use std::sync::Arc;

use dalsegno::clock::SystemClock;
use dalsegno::store::MemoryStore;
use dalsegno::{Engine, Options};
use proptest::prelude::*;

/// JSON text of any shape: odd numbers, escapes, lone surrogates, duplicate keys, any white space.
fn json(depth: u32) -> BoxedStrategy<String> {
    let number = prop_oneof![
        any::<i64>().prop_map(|n| n.to_string()),
        (any::<i32>(), any::<u32>(), -400..400_i32).prop_map(|(a, b, e)| format!("{a}.{b}E{e:+}")),
        "-?[1-9][0-9]{30,60}",
    ];
    let string = prop_oneof![
        "[a-zé漢🎵 ]{0,12}".prop_map(|s| format!("\"{s}\"")),
        "[A-Za-z0-9+/]{64,160}".prop_map(|s| format!("\"{s}\"")),
        "(\\\\u[dD][89abAB][0-9a-f]{2}|\\\\n|\\\\\"|\\\\\\\\|\\\\/|x){1,8}"
            .prop_map(|s| format!("\"{s}\"")),
        "[a-z ]{60,400}".prop_map(|s| format!("\"{s}\"")),
    ];
    let scalar = prop_oneof![
        number,
        string.clone(),
        Just("true".to_owned()),
        Just("false".to_owned()),
        Just("null".to_owned()),
    ];
    let space = "[ \n\t]{0,3}";
    scalar
        .prop_recursive(depth, 400, 24, move |inner| {
            let element = (space, inner.clone(), space).prop_map(|(a, v, b)| format!("{a}{v}{b}"));
            let member = (space, "[a-d]{1,2}", space, inner, space)
                .prop_map(|(a, k, b, v, c)| format!("{a}\"{k}\"{b}:{v}{c}"));
            prop_oneof![
                prop::collection::vec(element, 0..24).prop_map(|v| format!("[{}]", v.join(","))),
                prop::collection::vec(member, 0..12).prop_map(|v| format!("{{{}}}", v.join(","))),
            ]
        })
        .boxed()
}

/// States of a session that grow out of each other, as a program's do.
fn evening() -> impl Strategy<Value = Vec<Vec<u8>>> {
    let edit = prop_oneof![
        3 => json(3).prop_map(Edit::Push),
        2 => any::<prop::sample::Index>().prop_map(Edit::Remove),
        2 => (any::<prop::sample::Index>(), any::<prop::sample::Index>()).prop_map(|(a, b)| Edit::Move(a, b)),
        2 => (any::<prop::sample::Index>(), json(2)).prop_map(|(at, v)| Edit::Set(at, v)),
        1 => any::<u64>().prop_map(Edit::Scalar),
        1 => json(3).prop_map(Edit::Whole),
        1 => Just(Edit::Nothing),
        1 => any::<bool>().prop_map(Edit::Layout),
    ];
    (
        prop::collection::vec(json(3), 0..30),
        prop::collection::vec(edit, 1..40),
    )
        .prop_map(play)
}

#[derive(Debug, Clone)]
enum Edit {
    Push(String),
    Remove(prop::sample::Index),
    Move(prop::sample::Index, prop::sample::Index),
    Set(prop::sample::Index, String),
    Scalar(u64),
    Whole(String),
    Nothing,
    Layout(bool),
}

fn play((mut list, edits): (Vec<String>, Vec<Edit>)) -> Vec<Vec<u8>> {
    let (mut states, mut scalar, mut wide) = (Vec::new(), 0, false);
    for edit in edits {
        let mut whole = None;
        match edit {
            Edit::Push(v) => list.push(v),
            Edit::Remove(at) if !list.is_empty() => drop(list.remove(at.index(list.len()))),
            Edit::Move(a, b) if !list.is_empty() => {
                let taken = list.remove(a.index(list.len()));
                list.insert(b.index(list.len() + 1), taken);
            }
            Edit::Set(at, v) if !list.is_empty() => {
                let at = at.index(list.len());
                list[at] = v;
            }
            Edit::Scalar(n) => scalar = n,
            Edit::Whole(v) => whole = Some(v),
            Edit::Layout(w) => wide = w,
            Edit::Nothing | Edit::Remove(_) | Edit::Move(..) | Edit::Set(..) => {}
        }
        let separator = if wide { ",\n    " } else { "," };
        let doc = format!(
            "{{\"turn\":{scalar},{}\"queue\":{{\"upcoming\":[{}]}}}}",
            if wide { "\n  " } else { "" },
            list.join(separator)
        );
        states.push(whole.unwrap_or(doc).into_bytes());
    }
    states
}

fn check(engine: &Engine, states: &[Vec<u8>]) {
    let mut ids = Vec::new();
    for state in states {
        ids.push(
            engine
                .save_json("bot/1", state.clone())
                .commit()
                .unwrap()
                .id,
        );
    }
    for (id, state) in ids.iter().zip(states) {
        assert_eq!(engine.restore(&id.to_string()).unwrap().text(), &state[..]);
    }
    let found = engine.verify(None).unwrap();
    assert!(found.is_intact(), "{:?}", found.damage);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: cases(128), ..ProptestConfig::default() })]

    #[test]
    fn every_state_comes_back(states in evening()) {
        let engine = Options::default().on(Arc::new(MemoryStore::new(&SystemClock)));
        check(&engine, &states);
    }

}

proptest! {
    // Every commit here waits for the disk.
    #![proptest_config(ProptestConfig { cases: cases(16), ..ProptestConfig::default() })]

    /// One process per save, so that every head is read from the store, and packing on every close.
    #[test]
    fn every_state_comes_back_across_processes(states in evening()) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("store.db");
        Engine::create(&path).unwrap().close().unwrap();
        for half in states.chunks(states.len().div_ceil(2)) {
            let engine = Engine::open(&path).unwrap();
            for state in half {
                engine.save_json("bot/1", state.clone()).commit().unwrap();
            }
            engine.close().unwrap();
        }
        let engine = Engine::open(&path).unwrap();
        let mut query = dalsegno::Query::session("bot/1");
        query.reverse = true;
        query.limit = 1000;
        let page = engine.list(&query).unwrap();
        prop_assert_eq!(page.snapshots.len(), states.len());
        for (snapshot, state) in page.snapshots.iter().zip(&states) {
            let restored = engine.restore(&snapshot.id.to_string()).unwrap();
            prop_assert_eq!(restored.text(), &state[..]);
        }
        prop_assert!(engine.verify(None).unwrap().is_intact());
    }
}

fn cases(usually: u32) -> u32 {
    if std::env::var_os("DALSEGNO_LONG").is_some() {
        usually * 50
    } else {
        usually
    }
}
