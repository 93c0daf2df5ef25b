//! A store of format 2 that was made once and is committed, and what it should say; and how a store of
//! format 1 becomes one of 2.
//!
//! To make it anew, while format 2 may still change:
//! `cargo test -p dalsegno --test engine -- --ignored write_the_fixture_of_format_2`

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::sync::atomic::AtomicI64;
use std::sync::{Arc, Barrier};

use dalsegno::store::{SqliteOptions, SqliteStore, Store};
use dalsegno::{
    Back, Destination, Engine, ErrorKind, GRACE, Kind, Options, Purge, Query, SnapshotId,
};
use serde_json::{Value, json};

use crate::format::{BEGIN, Minutes, copied, player};

pub(crate) fn fixture(name: &str) -> PathBuf {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures");
    folder.join(name)
}

/// Something that only a program knows.
struct Guild(Option<Vec<u8>>);

impl Destination for Guild {
    fn name(&self) -> String {
        "guild 7".to_owned()
    }

    fn read(&mut self) -> dalsegno::Result<Option<Vec<u8>>> {
        Ok(self.0.clone())
    }

    fn write(&mut self, state: Option<&[u8]>) -> dalsegno::Result<()> {
        self.0 = state.map(<[u8]>::to_vec);
        Ok(())
    }
}

/// Everything that format 2 has and format 1 has not.
pub(crate) fn fill(engine: &Engine) {
    let save = |session: &str, n| engine.save_json(session, player(n));
    for n in 0..20 {
        save("bot/1", n).commit().unwrap();
        save("gone/1", n).commit().unwrap();
    }
    let first = engine.info("bot/1@-19").unwrap().id.to_string();
    let third = engine.info("bot/1@-17").unwrap().id.to_string();
    engine.rename(&third, Some("third")).unwrap();
    engine.tag(&third, &["kept", "x"]).unwrap();
    engine.untag(&third, &["x"]).unwrap();
    engine.pin(&third, true).unwrap();
    // The first state stays as the newest; its own snapshot goes for good.
    engine.put_back(&first).apply().unwrap();
    let middle = engine.info("bot/1@-9").unwrap().id.to_string();
    engine.delete(&[&first, &middle], GRACE).unwrap();
    engine.purge(&Purge::All(None), &mut |_| {}).unwrap();
    engine.fork("bot/1@third", "bot/2").unwrap();
    for n in 20..24 {
        save("bot/1", n).commit().unwrap();
    }
    // Every verb, in every direction.
    engine
        .rollback("bot/1", &Back::Steps(2))
        .unwrap()
        .apply()
        .unwrap();
    engine.undo("bot/1").unwrap().apply().unwrap();
    engine.redo("bot/1").unwrap().apply().unwrap();
    let restore = engine.put_back("bot/1@-4").component("volume");
    restore.component("upcoming").apply().unwrap();
    let mut guild = Guild(Some(b"{\"volume\":1}".to_vec()));
    engine.put_back("bot/1@-2").to(&mut guild).apply().unwrap();
    let file = std::env::temp_dir().join("dalsegno-fixture-of-format-2.json");
    drop(fs::remove_file(&file));
    engine.put_back("bot/1@-1").to_file(&file).apply().unwrap();
    engine.undo("bot/1").unwrap().apply().unwrap();
    assert!(!file.exists());
    save("bot/1", 40)
        .kind(Kind::Auto)
        .name("last")
        .commit()
        .unwrap();
    save("bot/1", 40).commit().unwrap();
    // Some in the trash, one with a name, and a session of which nothing else is left.
    let some = ["bot/1@-6", "bot/1@last"].map(|r| engine.info(r).unwrap().id.to_string());
    engine.delete(&[&some[0], &some[1]], GRACE).unwrap();
    let all = engine.list(&Query {
        limit: 100,
        ..Query::session("gone/1")
    });
    let all: Vec<String> = all
        .unwrap()
        .snapshots
        .iter()
        .map(|s| s.id.to_string())
        .collect();
    let all: Vec<&str> = all.iter().map(String::as_str).collect();
    engine.delete(&all, GRACE).unwrap();
}

/// What the store says, all of it.
pub(crate) fn said(engine: &Engine) -> Value {
    let query = Query {
        limit: 1_000,
        ..Query::default()
    };
    let page = engine.list(&query).unwrap();
    assert!(page.damaged.is_empty());
    let sessions = engine.sessions().unwrap();
    let logs = sessions
        .iter()
        .map(|session| engine.log(session, 100).unwrap());
    let logs: Vec<_> = logs.collect();
    json!({
        "sessions": sessions,
        "snapshots": page.snapshots,
        "trash": engine.trash(None).unwrap(),
        "logs": logs,
    })
}

#[test]
#[ignore = "writes tests/fixtures/format-2.db and format-2.json"]
fn write_the_fixture_of_format_2() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("store.db");
    let clock = Arc::new(Minutes(AtomicI64::new(BEGIN)));
    let options = Options::default().clock(clock);
    let engine = options.create(&path).unwrap();
    fill(&engine);
    let said = said(&engine);
    engine.close().unwrap();
    fs::copy(&path, fixture("format-2.db")).unwrap();
    let text = serde_json::to_string_pretty(&said).unwrap() + "\n";
    fs::write(fixture("format-2.json"), text).unwrap();
}

/// Whatever was said once is said now; more may be said.
pub(crate) fn still_says(was: &Value, now: &Value, at: &str) {
    match (was, now) {
        (Value::Object(was), Value::Object(now)) => {
            for (name, value) in was {
                let there = now.get(name).unwrap_or(&Value::Null);
                still_says(value, there, &format!("{at}.{name}"));
            }
        }
        (Value::Array(was), Value::Array(now)) => {
            assert_eq!(was.len(), now.len(), "{at}");
            for (n, (was, now)) in was.iter().zip(now).enumerate() {
                still_says(was, now, &format!("{at}[{n}]"));
            }
        }
        _ => assert_eq!(was, now, "{at}"),
    }
}

fn copy_of_2() -> (tempfile::TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("store.db");
    fs::copy(fixture("format-2.db"), &path).unwrap();
    (folder, path)
}

#[test]
fn a_store_of_format_2_says_what_it_said() {
    let (_folder, path) = copy_of_2();
    let engine = Engine::open(&path).unwrap();
    let found = engine.verify(None).unwrap();
    assert!(found.is_intact(), "{:?}", found.damage);
    let was = fs::read(fixture("format-2.json")).unwrap();
    let was: Value = serde_json::from_slice(&was).unwrap();
    still_says(&was, &said(&engine), "");
    // The checksums are among what was said, so that each state is what it was.
    let query = Query {
        limit: 1_000,
        ..Query::default()
    };
    for snapshot in engine.list(&query).unwrap().snapshots {
        engine.restore(&snapshot.id.to_string()).unwrap();
    }
    assert_eq!(engine.restore("bot/1@third").unwrap().text(), player(2));
    assert_eq!(engine.restore("bot/2@latest").unwrap().text(), player(2));
    let trash = engine.trash(None).unwrap();
    assert_eq!(trash.len(), 22);
    for trashed in trash {
        let id = trashed.snapshot.id.to_string();
        engine.undelete(&[&id]).unwrap();
        engine.restore(&id).unwrap();
    }
    assert_eq!(engine.restore("gone/1@-19").unwrap().text(), player(0));
    goes_on(&engine, "bot/1");
}

/// Every verb that there is, on a session with some states.
pub(crate) fn goes_on(engine: &Engine, session: &str) {
    let text = |reference: &str| engine.restore(reference).unwrap().into_text();
    let latest = format!("{session}@latest");
    let (a, b) = (text(&latest), text(&format!("{session}@-1")));
    assert_ne!(a, b);
    let before = engine.info(&latest).unwrap().id.to_string();
    let steps = |n| engine.rollback(session, &Back::Steps(n)).unwrap();
    steps(1).apply().unwrap();
    engine.undo(session).unwrap().apply().unwrap();
    assert_eq!(text(&latest), a);
    engine.redo(session).unwrap().apply().unwrap();
    let log = engine.log(session, 3).unwrap();
    assert_eq!(log.len(), 3);
    engine.fork(&before, "a fork").unwrap();
    assert_eq!(text("a fork@latest"), a);
    engine.rename(&before, Some("a new name")).unwrap();
    engine.tag(&before, &["a tag"]).unwrap();
    engine.pin(&before, true).unwrap();
    let denied = engine.delete(&[&before], GRACE);
    assert_eq!(denied.unwrap_err().kind(), ErrorKind::Denied);
    let renamed = engine.pin("a new name", false).unwrap();
    assert_eq!(renamed.tags.last().map(String::as_str), Some("a tag"));
    let others: Vec<SnapshotId> = engine
        .list(&Query {
            limit: 1_000,
            ..Query::session(session)
        })
        .unwrap()
        .snapshots
        .into_iter()
        .filter(|s| !s.pinned)
        .map(|s| s.id)
        .collect();
    let others: Vec<String> = others.iter().step_by(3).map(ToString::to_string).collect();
    let others: Vec<&str> = others.iter().map(String::as_str).collect();
    engine.delete(&others, GRACE).unwrap();
    engine.undelete(&others[..1]).unwrap();
    assert!(engine.verify(None).unwrap().is_intact());
    let done = engine.purge(&Purge::All(Some(session.to_owned())), &mut |_| {});
    assert!(done.unwrap().snapshots >= others.len() as u64 - 1);
    let found = engine.verify(None).unwrap();
    assert!(found.is_intact(), "{:?}", found.damage);
    engine.save_json(session, b).commit().unwrap();
}

#[test]
fn a_store_of_format_1_is_upgraded_and_takes_every_verb() {
    let (_folder, path) = copied();
    let store = SqliteStore::open(&path, &SqliteOptions::default()).unwrap();
    assert_eq!(store.info().format, 4);
    let complaints = store.view().unwrap().check_structure().unwrap();
    assert!(complaints.is_empty(), "{complaints:?}");
    drop(store);
    let engine = Engine::open(&path).unwrap();
    let was = said(&engine);
    assert!(engine.verify(None).unwrap().is_intact());
    still_says(&was, &said(&engine), "");
    goes_on(&engine, "bot/1");
    engine.close().unwrap();
    let engine = Engine::open(&path).unwrap();
    assert!(engine.verify(None).unwrap().is_intact());
}

/// Whoever comes first upgrades; the others find it done.
#[test]
fn several_that_upgrade_at_once() {
    for _ in 0..6 {
        let (_folder, path) = copied();
        let begin = Barrier::new(4);
        std::thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(|| {
                    begin.wait();
                    let store = SqliteStore::open(&path, &SqliteOptions::default()).unwrap();
                    assert_eq!(store.info().format, 4);
                });
            }
        });
        let engine = Engine::open(&path).unwrap();
        assert!(engine.verify(None).unwrap().is_intact());
        engine.save_json("bot/1", "[1]").commit().unwrap();
    }
}

/// Where a step of the upgrade fails, nothing of it stays.
#[test]
fn an_upgrade_is_one_transaction() {
    let (_folder, path) = copied();
    let definitions = |connection: &rusqlite::Connection| {
        let mut all = connection.prepare("SELECT sql FROM sqlite_schema").unwrap();
        let rows = all.query_map((), |row| row.get(0)).unwrap();
        let rows: Vec<Option<String>> = rows.map(Result::unwrap).collect();
        let version = connection.pragma_query_value(None, "user_version", |row| row.get(0));
        (rows, version.unwrap())
    };
    // The last of the tables that are made stands in the way, where its rows should come.
    let connection = rusqlite::Connection::open(&path).unwrap();
    connection
        .execute_batch("CREATE INDEX operation_session ON session (head); ALTER TABLE session ADD COLUMN era INTEGER")
        .unwrap();
    let before: (_, i64) = definitions(&connection);
    drop(connection);
    assert_eq!(before.1, 1);
    let failed = SqliteStore::open(&path, &SqliteOptions::default()).map(|_| ());
    assert!(failed.unwrap_err().to_string().contains("upgrading"));
    let connection = rusqlite::Connection::open(&path).unwrap();
    assert_eq!(definitions(&connection), before);
}

/// The whole of what can be done with a store of format 1 that cannot be written.
fn is_read_as_format_1(path: &Path) {
    let store = SqliteStore::open(path, &SqliteOptions::default()).unwrap();
    assert!(store.is_read_only());
    assert_eq!(store.info().format, 1);
    assert!(store.view().unwrap().check_structure().unwrap().is_empty());
    drop(store);
    let engine = Engine::open(path).unwrap();
    let found = engine.verify(None).unwrap();
    assert!(found.is_intact(), "{:?}", found.damage);
    assert_eq!(engine.restore("bot/1@state 0").unwrap().text(), player(0));
    assert_eq!(engine.list(&Query::default()).unwrap().snapshots.len(), 50);
    assert!(engine.trash(None).unwrap().is_empty());
    assert_eq!(engine.log("bot/1", 5).unwrap().len(), 5);
    let denied = |what: dalsegno::Result<()>| {
        assert_eq!(what.unwrap_err().kind(), ErrorKind::Denied);
    };
    denied(engine.save_json("bot/1", "1").commit().map(|_| ()));
    denied(engine.delete(&["bot/1@-1"], GRACE).map(|_| ()));
    denied(engine.pin("bot/1@-1", true).map(|_| ()));
    denied(engine.fork("bot/1@-1", "new").map(|_| ()));
    let back = engine.rollback("bot/1", &Back::Steps(1)).unwrap();
    denied(back.apply().map(|_| ()));
    let nothing = engine.undo("bot/1").map(|_| ()).unwrap_err();
    assert_eq!(nothing.kind(), ErrorKind::NotFound);
}

const CHILD: &str = "DALSEGNO_TEST_READ_ONLY";

#[test]
#[ignore = "a part of where_it_cannot_be_written_it_is_read_as_it_is"]
fn reads_what_it_cannot_write() {
    if let Some(path) = std::env::var_os(CHILD) {
        is_read_as_format_1(Path::new(&path));
    }
}

/// Rights do not bind root, who does it as somebody else.
#[test]
fn where_it_cannot_be_written_it_is_read_as_it_is() {
    let (folder, path) = copied();
    let rights = |path: &Path, mode| fs::set_permissions(path, fs::Permissions::from_mode(mode));
    rights(&path, 0o444).unwrap();
    rights(folder.path(), 0o555).unwrap();
    if fs::write(folder.path().join("x"), "").is_err() {
        is_read_as_format_1(&path);
    } else {
        fs::remove_file(folder.path().join("x")).unwrap();
        // The folder that tests are built in may be closed to others.
        let program = folder.path().join("tests");
        fs::copy(std::env::current_exe().unwrap(), &program).unwrap();
        rights(&program, 0o555).unwrap();
        let child = std::process::Command::new(&program)
            .args([
                "--exact",
                "format_2::reads_what_it_cannot_write",
                "--ignored",
            ])
            .env(CHILD, &path)
            .current_dir(folder.path())
            .uid(65_534)
            .gid(65_534)
            .output()
            .unwrap();
        let told = String::from_utf8_lossy(&child.stdout);
        assert!(
            child.status.success() && told.contains("1 passed"),
            "{told}"
        );
    }
    rights(folder.path(), 0o755).unwrap();
}
