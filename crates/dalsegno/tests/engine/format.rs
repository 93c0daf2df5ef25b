//! A store of format 1 that was made once and is committed: whatever the program becomes, it reads it.

use std::fs;
use std::path::PathBuf;
use std::sync::atomic::{AtomicI64, Ordering};

use dalsegno::clock::Clock;
use dalsegno::store::{SqliteOptions, SqliteStore, Store};
use dalsegno::{DocumentBuilder, Engine, Kind, List, Operation, Query, Snapshot};
use jiff::Timestamp;
use serde_json::json;

fn fixture() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/format-1.db")
}

/// 2026-11-20T10:00:00Z, and a minute later with every look.
pub(crate) struct Minutes(pub(crate) AtomicI64);

pub(crate) const BEGIN: i64 = 1_795_168_800;

impl Clock for Minutes {
    fn now(&self) -> Timestamp {
        Timestamp::from_second(self.0.fetch_add(60, Ordering::SeqCst)).unwrap()
    }

    fn random(&self) -> [u8; 16] {
        *b"a fixture's name"
    }
}

fn track(n: usize) -> serde_json::Value {
    // Base64 as Lavalink has it: kept as the bytes it stands for.
    let encoded = "QAAAkgMAFERhbHNlZ25vIGRlbCBtYXJl".repeat(2 + n % 2);
    json!({ "title": format!("Brano {n} · 曲"), "encoded": encoded, "length": 180_000 + n })
}

/// A player's queue: a track ends, one is added.
pub(crate) fn player(n: usize) -> Vec<u8> {
    let upcoming: Vec<_> = (n..n + 8).map(track).collect();
    json!({ "turn": n, "volume": 75, "upcoming": upcoming, "current": null })
        .to_string()
        .into_bytes()
}

/// A chat that grows, indented, with a line's end.
fn chat(n: usize) -> Vec<u8> {
    let said = |n| json!({ "role": if n % 2 == 0 { "user" } else { "assistant" }, "content": format!("Riga {n}: \"quoted\" \\ and \u{1F3B5}\n") });
    let messages: Vec<_> = (0..n).map(said).collect();
    let mut text =
        serde_json::to_vec_pretty(&json!({ "messages": messages, "turn_count": n })).unwrap();
    text.push(b'\n');
    text
}

/// What no program writes by itself.
const ODD: [&str; 6] = [
    "[1e999, -0, 123456789012345678901234567890]",
    "\"\\ud800 alone\"",
    " {\"a\":1,\"a\":{\"b\":[]},\"\":null}\t\r\n",
    "null",
    "{\"turn\":-7,\"list\":[true,false,true,false,true,false,true,false,true,false,true,false]}",
    "{\"upcoming\":[]}",
];

/// What was saved, in order: session and text. A first program packed it, a second one did not.
fn states() -> Vec<(&'static str, Vec<u8>)> {
    let mut states = Vec::new();
    for n in 0..70 {
        states.push(("bot/1", player(n)));
        if n % 5 == 0 {
            states.push(("chats/übung", chat(n / 5)));
        }
    }
    states.extend(ODD.map(|text| ("odd", text.as_bytes().to_vec())));
    states
}

fn shared() -> (Vec<u8>, dalsegno::Document) {
    let words: List<String> = ["uno", "due", "tre"]
        .map(str::to_owned)
        .into_iter()
        .collect();
    let mut document = DocumentBuilder::new();
    document.member("turn", &9).unwrap();
    document.list("words", &words).unwrap();
    (
        b"{\"turn\":9,\"words\":[\"uno\",\"due\",\"tre\"]}".to_vec(),
        document.finish(),
    )
}

fn all(engine: &Engine) -> Vec<Snapshot> {
    let query = Query {
        limit: 1_000,
        reverse: true,
        ..Query::default()
    };
    let page = engine.list(&query).unwrap();
    assert!(page.damaged.is_empty());
    page.snapshots
}

pub(crate) fn copied() -> (tempfile::TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("store.db");
    fs::copy(fixture(), &path).unwrap();
    (folder, path)
}

#[test]
fn a_store_of_format_1_is_read() {
    let (_folder, path) = copied();
    let engine = Engine::open(&path).unwrap();
    let found = engine.verify(None).unwrap();
    assert!(found.is_intact(), "{:?}", found.damage);
    let snapshots = all(&engine);
    let states = states();
    assert_eq!((states.len(), snapshots.len()), (90, 93));
    let mut time = None;
    for (n, ((session, text), snapshot)) in states.iter().zip(&snapshots).enumerate() {
        let restored = engine.restore(&snapshot.id.to_string()).unwrap();
        assert!(restored.text() == text, "{n}: another text");
        assert_eq!(
            (&*snapshot.session, snapshot.size),
            (*session, text.len() as u64)
        );
        assert_eq!(
            snapshot.kind,
            if n % 7 == 0 { Kind::Auto } else { Kind::Manual }
        );
        let said = n % 10 == 0;
        assert_eq!(snapshot.name, said.then(|| format!("state {n}")));
        assert_eq!(snapshot.label.as_deref(), said.then_some("a label"));
        assert_eq!(
            snapshot.description.as_deref(),
            said.then_some("A longer\ntext.")
        );
        assert_eq!(snapshot.schema_version.as_deref(), said.then_some("2.1"));
        assert_eq!(
            snapshot.tags,
            if said {
                vec!["decimo", "x"]
            } else {
                Vec::new()
            }
        );
        assert_eq!(snapshot.metadata.get("n"), said.then(|| json!(n)).as_ref());
        if said {
            assert_eq!(snapshot.turn, Some(1_000));
        }
        assert!(time < Some(snapshot.created_at) && snapshot.created_at.as_second() % 60 == 0);
        time = Some(snapshot.created_at);
        assert!(!snapshot.unchanged && snapshot.operation.is_none());
    }
    let [restored, safety, document] = &snapshots[90..] else {
        panic!()
    };
    let text = |s: &Snapshot| engine.restore(&s.id.to_string()).unwrap().into_text();
    // Three before the 70th.
    let from = states.iter().position(|(_, text)| *text == player(66));
    let from = from.map(|at| snapshots[at].id);
    assert_eq!(
        restored.operation,
        from.map(|from| Operation::Restore { from })
    );
    assert_eq!((text(restored), text(safety)), (player(66), player(66)));
    assert_eq!((restored.same_as, safety.same_as), (from, from));
    // What was said of it came back with it, all but the name.
    assert_eq!(
        (restored.label.as_deref(), restored.turn),
        (Some("a label"), Some(1_000))
    );
    assert_eq!(
        (&restored.tags[..], &restored.name),
        (&["decimo".to_owned(), "x".to_owned()][..], &None)
    );
    assert_eq!((safety.kind, safety.unchanged), (Kind::Safety, false));
    assert_eq!((text(document), document.turn), (shared().0, None));
    let odd = all(&engine)
        .into_iter()
        .filter(|s| s.session == "odd")
        .map(|s| s.turn);
    assert_eq!(
        odd.collect::<Vec<_>>(),
        [None, None, None, None, Some(-7), None, None]
    );
    assert_eq!(engine.restore("bot/1@state 0").unwrap().text(), player(0));
    assert_eq!(engine.restore("chats/übung@-2").unwrap().text(), chat(11));
    assert_eq!(snapshots[0].created_at.to_string(), "2026-11-20T10:01:00Z");
}

/// Its records say nothing of where their changes stand.
#[test]
fn states_of_format_1_are_compared() {
    let (_folder, path) = copied();
    let engine = Engine::open(&path).unwrap();
    let (states, snapshots) = (states(), all(&engine));
    let kept: Vec<_> = states.iter().zip(&snapshots).collect();
    for pair in kept.windows(2) {
        let [((_, old), from), ((_, new), to)] = pair else {
            panic!()
        };
        let diff = engine
            .diff(&from.id.to_string(), &to.id.to_string())
            .unwrap();
        assert_eq!(diff.identical, old == new);
        assert!(diff.identical || !diff.components.is_empty());
    }
}

/// Blocks and single records, and ids as they were given then.
#[test]
fn the_fixture_has_what_format_1_has() {
    let (_folder, path) = copied();
    let store = SqliteStore::open(&path, &SqliteOptions::default()).unwrap();
    assert_eq!(
        (&store.info().id, store.info().format),
        (b"a fixture's name", 4),
        "opened for writing, it is upgraded"
    );
    let view = store.view().unwrap();
    assert!(view.check_structure().unwrap().is_empty());
    let mut counts = Vec::new();
    view.records(&mut |row| {
        counts.push(row.count);
        std::ops::ControlFlow::Continue(())
    })
    .unwrap();
    assert!(
        counts.contains(&1) && counts.iter().any(|count| *count > 30),
        "{counts:?}"
    );
    drop(view);
    let engine = Engine::open(&path).unwrap();
    let ids: Vec<String> = all(&engine).iter().map(|s| s.id.to_string()).collect();
    assert_eq!(ids[0], "01a1f866-f760-7000-b0fb-542ebd0a6b5e");
    assert!(ids.is_sorted());
}

/// Today's program goes on with it.
#[test]
fn a_store_of_format_1_is_gone_on_with() {
    let (_folder, path) = copied();
    let before = all(&Engine::open(&path).unwrap());
    let engine = Engine::open(&path).unwrap();
    for n in 70..90 {
        engine.save_json("bot/1", player(n)).commit().unwrap();
    }
    engine.close().unwrap();
    let engine = Engine::open(&path).unwrap();
    assert_eq!(all(&engine)[..before.len()], before);
    for (snapshot, (_, text)) in before.iter().zip(states()) {
        assert!(engine.restore(&snapshot.id.to_string()).unwrap().text() == text);
    }
    assert_eq!(engine.restore("bot/1@-20").unwrap().text(), player(66));
    assert!(engine.verify(None).unwrap().is_intact());
}
