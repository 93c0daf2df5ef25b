//! What a repair had to make up is marked, and stays so wherever it goes.

use std::ops::ControlFlow;
use std::path::Path;
use std::sync::Arc;

use dalsegno::guard::{GuardPolicy, GuardRule};
use dalsegno::{
    BackupProgress, Engine, Error, ErrorKind, Kind, MakeBackup, Migration, Migrations, Options,
    Query, Repair, Repaired, RestoreSession, Scrub, Snapshot, SnapshotId, StatsQuery,
};
use jiff::SignedDuration;
use rusqlite::Connection;
use serde_json::Value;

use crate::common::memory;

const TEXTS: [&str; 3] = [
    r#"{"volume":1,"queue":[1,2]}"#,
    r#"{"volume":2,"queue":[1,3,2,4]}"#,
    r#"{"volume":5,"queue":[9]}"#,
];

/// A store of which the second and the third state are lost, and put together of the first.
fn marked(path: &Path, options: Options) -> (Engine, Vec<SnapshotId>) {
    let engine = Engine::create(path).unwrap();
    let save = |text: &&'static str| engine.save_json("s", *text).commit().unwrap().id;
    let ids: Vec<_> = TEXTS.iter().map(save).collect();
    engine.close().unwrap();
    let connection = Connection::open(path).unwrap();
    let sql = "UPDATE record SET data = x'00' WHERE seq = (SELECT seq FROM snapshot ORDER BY seq LIMIT 1 OFFSET 1)";
    assert_eq!(connection.execute(sql, ()).unwrap(), 1);
    drop(connection);
    let engine = options.open(path).unwrap();
    engine.repair(&Repair::default()).unwrap();
    for id in &ids[1..] {
        let mark = engine.info(&id.to_string()).unwrap().repaired.unwrap();
        assert!(mark.lost_state && mark.components.len() == 2, "{mark:?}");
        assert_eq!(mark.components[0].from, ids[0]);
    }
    (engine, ids)
}

fn mark_of(engine: &Engine, reference: &str) -> Option<Repaired> {
    engine.info(reference).unwrap().repaired
}

fn all(engine: &Engine, session: &str) -> Vec<Snapshot> {
    let query = Query {
        reverse: true,
        ..Query::session(session)
    };
    engine.list(&query).unwrap().snapshots
}

fn go_on(_: BackupProgress) -> ControlFlow<()> {
    ControlFlow::Continue(())
}

#[test]
fn what_is_marked_is_counted_where_all_is_proved() {
    let folder = tempfile::tempdir().unwrap();
    let (engine, _) = marked(&folder.path().join("store.db"), Options::default());
    for session in [None, Some("s")] {
        let proved = engine.verify(session).unwrap();
        assert!(proved.is_intact());
        assert_eq!((proved.snapshots, proved.repaired), (3, 2));
    }
    assert_eq!(engine.stats(None).unwrap().repaired, 2);
    assert_eq!(
        engine
            .stats_with(&StatsQuery::session("s"), &mut |_| {})
            .unwrap()
            .repaired,
        2
    );
    assert_eq!(engine.doctor().unwrap().repaired, 2);
    let engine = Arc::new(engine);
    let proved = engine
        .scrub(Scrub::default().rate(0).once())
        .unwrap()
        .wait();
    assert_eq!((proved.snapshots, proved.repaired), (3, 2));
    // One of the same text that was saved since is as it was saved.
    engine.save_json("s", TEXTS[0]).commit().unwrap();
    assert_eq!(engine.verify(None).unwrap().repaired, 2);
    engine
        .delete(&["s@-2"], SignedDuration::from_hours(1))
        .unwrap();
    assert_eq!(engine.verify(None).unwrap().repaired, 2, "in the trash too");
}

#[test]
fn a_fork_and_what_is_put_back_are_marked_too() {
    let folder = tempfile::tempdir().unwrap();
    let step = Migration::of_text(None, "2", |text| Ok::<_, Error>([text, b" "].concat()));
    let options = Options::default().migrations(Migrations::new(vec![step]).unwrap());
    let (engine, ids) = marked(&folder.path().join("store.db"), options);
    let was = mark_of(&engine, &ids[2].to_string());
    let forked = engine.fork(&ids[2].to_string(), "fork").unwrap();
    assert_eq!(forked.repaired, was);
    assert_eq!(
        engine.fork(&ids[0].to_string(), "whole").unwrap().repaired,
        None
    );
    engine.save_json("s", "{}").commit().unwrap();
    engine.put_back(&ids[1].to_string()).apply().unwrap();
    assert_eq!(
        mark_of(&engine, "s@latest"),
        mark_of(&engine, &ids[1].to_string())
    );
    // In its current shape it is no more what was saved than before.
    let migrated = engine
        .put_back(&ids[2].to_string())
        .migrate()
        .apply()
        .unwrap();
    assert_eq!(migrated.head.unwrap().repaired, was);
    engine.close().unwrap();
}

#[test]
fn the_fuller_state_that_is_kept_is_marked_too() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("store.db");
    for again in [false, true] {
        let (engine, ids) = marked(&path, Options::default());
        let guard = GuardPolicy::new("s").list(GuardRule::new("queue"));
        engine.set_guard(&guard).unwrap();
        if again {
            engine.save_json("s", TEXTS[1]).commit().unwrap();
            engine.put_back(&ids[1].to_string()).apply().unwrap();
        }
        engine
            .save_json("s", r#"{"volume":1,"queue":[]}"#)
            .commit()
            .unwrap();
        let kept = all(&engine, "s")
            .into_iter()
            .find(|it| it.kind == Kind::Guard)
            .unwrap();
        assert!(kept.repaired.is_some(), "{kept:?}");
        engine.close().unwrap();
        std::fs::remove_file(&path).unwrap();
    }
}

#[test]
fn an_export_carries_the_mark_and_one_of_others_is_as_ever() {
    let folder = tempfile::tempdir().unwrap();
    let (engine, ids) = marked(&folder.path().join("store.db"), Options::default());
    let mut text = Vec::new();
    engine.export(None, &mut text).unwrap();
    let shown: Value = serde_json::from_slice(&text).unwrap();
    let first = shown["snapshots"][0].as_object().unwrap();
    assert!(!first.contains_key("repaired"), "{first:?}");
    let other = Options::default().on(memory());
    other.import(&text).unwrap();
    // Also from there to a third, and back from a fourth.
    let mut text = Vec::new();
    other.export(None, &mut text).unwrap();
    let third = Options::default().on(memory());
    third.import(&text).unwrap();
    for engine in [&other, &third] {
        let there = all(engine, "s");
        assert_eq!(there[0].repaired, None);
        for (there, id) in there.iter().zip(&ids).skip(1) {
            // The ids of those that it was put together of are those of the store that has them.
            let was = mark_of_first(&folder, *id);
            assert_eq!(there.repaired, Some(was), "{id}");
        }
        assert_eq!(engine.verify(None).unwrap().repaired, 2);
    }
    // Files of before had nothing of it; what no repair says is refused.
    let change = |change: &dyn Fn(&mut Value)| {
        let mut shown = shown.clone();
        change(&mut shown["snapshots"][1]);
        Options::default()
            .on(memory())
            .import(shown.to_string().as_bytes())
    };
    let old = change(&|it| drop(it.as_object_mut().unwrap().remove("repaired")));
    assert_eq!(old.unwrap().added[1].repaired, None);
    let bad = change(&|it| it["repaired"]["lost_checksum"] = "xyz".into());
    assert_eq!(bad.unwrap_err().kind(), ErrorKind::InvalidInput);
    let bad = change(&|it| it["repaired"]["lost_checksum"] = Value::Null);
    assert_eq!(bad.unwrap_err().kind(), ErrorKind::InvalidInput);
    engine.close().unwrap();
}

fn mark_of_first(folder: &tempfile::TempDir, id: SnapshotId) -> Repaired {
    let engine = Engine::open(folder.path().join("store.db")).unwrap();
    mark_of(&engine, &id.to_string()).unwrap()
}

#[test]
fn a_session_of_a_backup_comes_back_marked() {
    let folder = tempfile::tempdir().unwrap();
    let (engine, ids) = marked(&folder.path().join("store.db"), Options::default());
    let backups = folder.path().join("backups");
    engine
        .back_up(&MakeBackup::full(&backups), &mut go_on)
        .unwrap();
    let was = mark_of(&engine, &ids[2].to_string());
    let own = RestoreSession::of(&backups, "s").named("again");
    let there = engine.restore_session(&own, &mut go_on).unwrap();
    let marks: Vec<_> = there.added.iter().map(|it| &it.repaired).collect();
    assert_eq!(marks[0], &None);
    assert_eq!(marks[2], &was, "{marks:?}");
    let other = Options::default().on(memory());
    let there = other
        .restore_session(&RestoreSession::of(&backups, "s"), &mut go_on)
        .unwrap();
    assert_eq!(there.added[0].repaired, None);
    assert_eq!(there.added[2].repaired, was);
    let restored = Options::default()
        .drill(&backups, None, &mut go_on)
        .unwrap();
    assert_eq!(restored.verification.repaired, 2);
    engine.close().unwrap();
}
