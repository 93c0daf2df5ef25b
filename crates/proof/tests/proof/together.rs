//! Two programs write and three read, all at once, on one store.

use std::io::Read;
use std::process::Child;

use dalsegno::{Engine, Query};
use dalsegno_proof::{effort, state};

use crate::kills::{Promises, note, saver};

fn output(mut child: Child) -> String {
    drop(child.stdin.take());
    let mut out = String::new();
    child
        .stdout
        .take()
        .unwrap()
        .read_to_string(&mut out)
        .unwrap();
    let ended = child.wait().unwrap();
    assert!(ended.success(), "{ended}: {out}");
    out
}

#[test]
fn two_write_and_three_read() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("store.db");
    Engine::create(&path).unwrap().close().unwrap();
    let shown = path.to_str().unwrap();
    let count = effort(120, 2_000) as u64;
    let readers = [(); 3].map(|()| saver(&["read", shown]));
    let writers =
        [0, 1].map(|who: u32| saver(&["write", shown, &who.to_string(), &count.to_string()]));
    let mut promises = Promises::new();
    for out in writers.map(output) {
        out.lines().for_each(|line| note(&mut promises, line));
    }
    for out in readers.map(output) {
        let looks = out.trim().strip_prefix("looks ").unwrap();
        assert!(looks.parse::<usize>().unwrap() > 0, "it never looked");
    }
    assert_eq!(promises.len() as u64, 4 * count);

    let engine = Engine::open(&path).unwrap();
    assert!(engine.verify(None).unwrap().is_intact());
    assert_eq!(engine.sessions().unwrap(), ["own/0", "own/1", "shared"]);
    for session in engine.sessions().unwrap() {
        let query = Query {
            limit: usize::MAX,
            reverse: true,
            ..Query::session(&session)
        };
        // What each of them saved is there in the order in which it did.
        let mut next = [0_u64; 2];
        let mut before = None;
        for snapshot in engine.list(&query).unwrap().snapshots {
            assert_eq!(snapshot.parent, before, "{session}: a fork");
            before = Some(snapshot.id);
            let restored = engine.restore(&snapshot.id.to_string()).unwrap();
            let says: serde_json::Value = restored.to().unwrap();
            let who = says["who"].as_u64().unwrap();
            let n = &mut next[usize::try_from(who).unwrap()];
            assert!(restored.text() == state(who, *n), "{session}: out of order");
            let promised = &promises[&(session.clone(), who, *n)];
            assert_eq!(*promised, snapshot.id.to_string());
            *n += 1;
        }
        let expected = match &*session {
            "own/0" => [count, 0],
            "own/1" => [0, count],
            _ => [count, count],
        };
        assert_eq!(next, expected, "{session}");
    }
}

/// Several make a store in the same place: one of them does.
#[test]
fn one_of_many_creates() {
    for _ in 0..effort(10, 300) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("store.db");
        let made = std::thread::scope(|scope| {
            let makers: Vec<_> = (0..4)
                .map(|_| scope.spawn(|| Engine::create(&path)))
                .collect();
            makers
                .into_iter()
                .map(|maker| maker.join().unwrap())
                .collect::<Vec<_>>()
        });
        let (made, refused): (Vec<_>, Vec<_>) = made.into_iter().partition(Result::is_ok);
        assert_eq!(made.len(), 1);
        for error in refused.into_iter().filter_map(Result::err) {
            let kinds = [dalsegno::ErrorKind::Conflict, dalsegno::ErrorKind::Locked];
            assert!(kinds.contains(&error.kind()), "{error}");
        }
        let engine = made.into_iter().next().unwrap().unwrap();
        engine.save_json("s", "[1]").commit().unwrap();
        assert!(engine.verify(None).unwrap().is_intact());
    }
}
