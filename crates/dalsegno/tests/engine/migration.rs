//! Migrations of a program's documents: applied where states are read, rehearsed over what is stored.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use dalsegno::guard::{GuardPolicy, GuardRule};
use dalsegno::{
    Destination, Engine, Error, ErrorKind, GRACE, Kind, Migration, Migrations, Options, Rehearsal,
    Result,
};
use serde_json::{Value, json};

use crate::common::{memory, sqlite};

/// From tracks to a queue, and from a text of the volume to a number.
fn migrations() -> Migrations {
    let queue = Migration::new(Some("1"), "2", |mut state| {
        let tracks = state.get_mut("tracks").ok_or("there are no tracks")?.take();
        let volume = state["volume"].take();
        Ok::<_, String>(json!({"volume": volume, "queue": tracks}))
    });
    let volume = Migration::new(Some("2"), "3", |mut state| {
        let volume = state["volume"].as_str().ok_or("the volume is no text")?;
        state["volume"] = volume.parse::<u8>()?.into();
        Ok::<Value, Box<dyn std::error::Error + Send + Sync>>(state)
    });
    let steps = vec![queue.sessions("bot/*"), volume.sessions("bot/*")];
    Migrations::new(steps).unwrap()
}

const OLD: &[u8] = br#"{ "volume": "75", "tracks": ["a", "b"] }"#;
const NOW: &[u8] = br#"{"volume":75,"queue":["a","b"]}"#;

/// A store that an old program filled, opened by the new one.
fn old_store(path: &Path) -> Engine {
    let old = Engine::create(path).unwrap();
    let save = |text: &[u8], version: &str| {
        let save = old.save_json("bot/1", text.to_vec());
        save.schema_version(version).commit().unwrap()
    };
    save(OLD, "1");
    save(br#"{"volume":"80","queue":["b"]}"#, "2");
    old.close().unwrap();
    Options::default()
        .migrations(migrations())
        .open(path)
        .unwrap()
}

fn with_old_store(test: impl FnOnce(&Engine, &Path)) {
    let folder = tempfile::tempdir().unwrap();
    let engine = old_store(&folder.path().join("store.db"));
    test(&engine, folder.path());
    assert!(engine.verify(None).unwrap().is_intact());
}

fn version(engine: &Engine, reference: &str) -> Option<String> {
    engine.info(reference).unwrap().schema_version
}

#[test]
fn a_value_has_the_current_shape_and_the_text_stays_what_was_saved() {
    with_old_store(|engine, _| {
        let restored = engine.restore("bot/1@-1").unwrap();
        let now: Value = serde_json::from_slice(NOW).unwrap();
        assert_eq!(restored.to::<Value>().unwrap(), now);
        assert_eq!(&*restored.current().unwrap(), NOW);
        assert_eq!(restored.text(), OLD);
        assert_eq!(restored.component("tracks").unwrap(), br#"["a", "b"]"#);
        assert_eq!(
            &*restored.current_component("queue").unwrap(),
            br#"["a","b"]"#
        );
        assert!(restored.current_component("tracks").is_err());
        assert_eq!(restored.snapshot().schema_version.as_deref(), Some("1"));
        let newest: Value = engine.restore("bot/1@latest").unwrap().to().unwrap();
        assert_eq!(newest, json!({"volume": 80, "queue": ["b"]}));
    });
}

#[test]
fn what_the_program_saves_itself_carries_the_newest_version() {
    with_old_store(|engine, _| {
        engine
            .save("bot/1", &json!({"volume": 1, "queue": []}))
            .commit()
            .unwrap();
        assert_eq!(version(engine, "bot/1@latest").as_deref(), Some("3"));
        let own = engine.save("bot/1", &json!({"x": 1})).schema_version("1");
        assert_eq!(own.commit().unwrap().schema_version.as_deref(), Some("1"));
        // It has no migrations for that one.
        engine.save("chat/1", &json!([])).commit().unwrap();
        assert_eq!(version(engine, "chat/1@latest"), None);
        // What comes from elsewhere has the version that stands with it.
        let imported = engine.save("bot/1", &json!({"x": 2})).kind(Kind::Import);
        assert_eq!(imported.commit().unwrap().schema_version, None);
        let fork = engine.fork("bot/1@-3", "bot/2").unwrap();
        assert_eq!(fork.schema_version.as_deref(), Some("2"));
    });
}

#[test]
fn what_is_put_back_is_exactly_what_was_saved() {
    with_old_store(|engine, folder| {
        engine.put_back("bot/1@-1").apply().unwrap();
        let head = engine.restore("bot/1@latest").unwrap();
        assert_eq!(head.text(), OLD);
        assert_eq!(head.snapshot().schema_version.as_deref(), Some("1"));
        assert_eq!(head.to::<Value>().unwrap()["volume"], 75);
        engine.undo("bot/1").unwrap().apply().unwrap();
        assert_eq!(version(engine, "bot/1@latest").as_deref(), Some("2"));
        let file = folder.join("player.json");
        engine.put_back("bot/1@-1").to_file(&file).apply().unwrap();
        assert_eq!(std::fs::read(&file).unwrap(), OLD);
    });
}

#[test]
fn asked_for_it_is_put_back_in_the_current_shape() {
    with_old_store(|engine, folder| {
        let file = folder.join("player.json");
        let first = format!("{}", engine.info("bot/1@-1").unwrap().id);
        engine
            .put_back(&first)
            .to_file(&file)
            .migrate()
            .apply()
            .unwrap();
        assert_eq!(std::fs::read(&file).unwrap(), NOW);
        let report = engine.put_back(&first).migrate().apply().unwrap();
        let head = report.head.unwrap();
        assert_eq!(head.schema_version.as_deref(), Some("3"));
        assert_eq!(engine.restore("bot/1@latest").unwrap().text(), NOW);
        engine.undo("bot/1").unwrap().apply().unwrap();
        assert_eq!(version(engine, "bot/1@latest").as_deref(), Some("2"));
        engine.redo("bot/1").unwrap().apply().unwrap();
        assert_eq!(engine.restore("bot/1@latest").unwrap().text(), NOW);
        assert_eq!(version(engine, "bot/1@latest").as_deref(), Some("3"));
        // What has the current shape already is put back as it is.
        let same = engine
            .put_back(&head.id.to_string())
            .migrate()
            .plan()
            .unwrap();
        assert!(!same.changes);
    });
}

/// A player that keeps what it is given.
struct Player(Vec<u8>);

impl Destination for Player {
    fn name(&self) -> String {
        "player 1".into()
    }

    fn read(&mut self) -> Result<Option<Vec<u8>>> {
        Ok(Some(self.0.clone()))
    }

    fn write(&mut self, state: Option<&[u8]>) -> Result<()> {
        self.0 = state.unwrap_or_default().to_vec();
        Ok(())
    }
}

#[test]
fn what_stood_at_a_target_is_kept_with_its_version() {
    with_old_store(|engine, _| {
        let mut player = Player(br#"{"volume":9,"queue":[]}"#.to_vec());
        let kept = |player: &mut Player, reference: &str, migrate: bool| {
            let restore = engine.put_back(reference).to(player);
            let restore = if migrate { restore.migrate() } else { restore };
            restore.apply().unwrap().safety.unwrap().schema_version
        };
        let (first, second) = ("bot/1@-1", "bot/1@latest");
        let ids = [first, second].map(|it| engine.info(it).unwrap().id.to_string());
        // The program had it in its own shape.
        assert_eq!(kept(&mut player, &ids[0], false).as_deref(), Some("3"));
        assert_eq!(player.0, OLD);
        // Then it was what an old program had saved, as a restore put it there.
        assert_eq!(kept(&mut player, &ids[1], true).as_deref(), Some("1"));
        assert_eq!(player.0, br#"{"volume":80,"queue":["b"]}"#);
        assert_eq!(kept(&mut player, &ids[0], false).as_deref(), Some("3"));
        let undo = engine.undo("bot/1").unwrap().to(&mut player);
        undo.apply().unwrap();
        assert_eq!(player.0, br#"{"volume":80,"queue":["b"]}"#);
    });
}

#[test]
fn components_of_another_version_do_not_go_into_the_newest_state() {
    with_old_store(|engine, _| {
        let refused = engine
            .put_back("bot/1@-1")
            .component("volume")
            .apply()
            .unwrap_err();
        assert_eq!(refused.kind(), ErrorKind::InvalidInput);
        assert!(
            refused
                .to_string()
                .contains("parts of schema version 1 do not go into"),
            "{refused}"
        );
        engine.put_back("bot/1@latest").migrate().apply().unwrap();
        let restore = engine.put_back("bot/1@-2").component("volume").migrate();
        assert_eq!(
            restore
                .apply()
                .unwrap()
                .head
                .unwrap()
                .schema_version
                .as_deref(),
            Some("3")
        );
        let joined = br#"{"volume":75,"queue":["b"]}"#;
        assert_eq!(engine.restore("bot/1@latest").unwrap().text(), joined);
    });
}

#[test]
fn a_fuller_state_that_a_guard_keeps_has_the_version_that_it_was_saved_with() {
    with_old_store(|engine, _| {
        let guard = GuardPolicy::new("bot/*").list(GuardRule::new("queue"));
        engine.set_guard(&guard).unwrap();
        let saved = engine
            .save("bot/1", &json!({"volume": 80, "queue": []}))
            .commit()
            .unwrap();
        let kept = engine.kept_fuller(&saved).unwrap().unwrap();
        assert_eq!(kept.schema_version.as_deref(), Some("2"));
        // Also where the head was not read from the store for it.
        engine
            .save("bot/1", &json!({"volume": 80, "queue": ["z"]}))
            .commit()
            .unwrap();
        let saved = engine
            .save("bot/1", &json!({"volume": 80, "queue": []}))
            .commit()
            .unwrap();
        let kept = engine.kept_fuller(&saved).unwrap().unwrap();
        assert_eq!(kept.schema_version.as_deref(), Some("3"));
    });
}

#[test]
fn a_newer_programs_state_is_no_value_but_can_be_had() {
    with_old_store(|engine, _| {
        let newer = engine
            .save("bot/1", &json!({"future": true}))
            .schema_version("4");
        let newer = newer.commit().unwrap().id.to_string();
        let restored = engine.restore(&newer).unwrap();
        let refused = restored.to::<Value>().unwrap_err();
        assert_eq!(refused.kind(), ErrorKind::InvalidInput);
        let said = refused.to_string();
        assert!(
            said.contains(&newer) && said.contains("schema version 4"),
            "{said}"
        );
        assert_eq!(restored.text(), br#"{"future":true}"#);
        let refused = engine.put_back(&newer).migrate().apply().unwrap_err();
        assert_eq!(refused.kind(), ErrorKind::InvalidInput);
    });
}

#[test]
fn a_step_that_fails_names_snapshot_session_and_step() {
    with_old_store(|engine, _| {
        let lost = engine
            .save("bot/1", &json!({"volume": "7"}))
            .schema_version("1");
        let id = lost.commit().unwrap().id.to_string();
        let error = engine.restore(&id).unwrap().to::<Value>().unwrap_err();
        assert_eq!(
            error.to_string(),
            format!(
                "snapshot {id} of bot/1 cannot be had in its current shape: the migration from schema version 1 to 2 \
                 failed: there are no tracks"
            )
        );
        let cause = std::error::Error::source(&error).unwrap();
        assert_eq!(cause.to_string(), "there are no tracks");
    });
}

fn counted(found: &Rehearsal) -> Vec<(Option<&str>, &str, u64)> {
    let steps = found.steps.iter();
    steps
        .map(|it| (it.from.as_deref(), it.to.as_str(), it.snapshots))
        .collect()
}

#[test]
fn a_rehearsal_tells_of_each_snapshot_and_writes_nothing() {
    with_old_store(|engine, folder| {
        let of = |version: &str, state: Value| {
            let save = engine.save("bot/1", &state).schema_version(version);
            save.commit().unwrap().id
        };
        let tracks = json!({"volume": "1", "tracks": []});
        let deleted = of("1", json!({"volume": "1", "tracks": [1]}));
        let lost = of("1", json!({"volume": "2"}));
        let loud = of("2", json!({"volume": "300", "queue": []}));
        let newer = of("4", json!({}));
        let bare = engine
            .save("bot/1", &json!({}))
            .kind(Kind::Import)
            .commit()
            .unwrap();
        of("1", tracks.clone());
        of("1", tracks);
        engine
            .save("bot/2", &json!({"volume": 1}))
            .commit()
            .unwrap();
        engine.save("chat/1", &json!([])).commit().unwrap();
        engine.delete(&[&deleted.to_string()], GRACE).unwrap();
        let all = || {
            let files = ["store.db", "store.db-wal"].map(|name| folder.join(name));
            files.map(|file| std::fs::read(file).unwrap())
        };
        let before = all();
        let mut names = Vec::new();
        let found = engine
            .rehearse_with(None, &mut |name| names.push(name.to_owned()))
            .unwrap();
        assert_eq!(names, ["bot/1", "bot/2"]);
        assert!(before == all(), "something was written");
        assert_eq!((found.sessions, found.others, found.snapshots), (2, 1, 10));
        assert_eq!((found.current, found.migrated), (1, 5));
        assert_eq!(counted(&found), [(Some("1"), "2", 4), (Some("2"), "3", 5)]);
        let [first, second] = &found.failed[..] else {
            panic!("{:?}", found.failed);
        };
        assert_eq!((first.id, first.to.as_deref()), (lost, Some("2")));
        assert!(first.message.ends_with("there are no tracks") && !first.deleted);
        assert_eq!((second.id, second.from.as_deref()), (loud, Some("2")));
        assert!(second.message.contains("too large"), "{}", second.message);
        let unknown: Vec<_> = found.unknown.iter().map(|it| it.id).collect();
        assert_eq!(unknown, [newer, bare.id]);
        assert!(found.damage.is_empty() && !found.is_clean());
        let clean = engine.rehearse(Some("bot/2")).unwrap();
        assert!(clean.is_clean() && clean.current == 1 && clean.snapshots == 1);
    });
}

#[test]
fn a_rehearsal_runs_a_step_once_for_a_state_that_several_snapshots_have() {
    for store in [memory(), sqlite()] {
        let runs = Arc::new(AtomicU64::new(0));
        let counter = Arc::clone(&runs);
        let step = Migration::of_text(None, "1", move |text| {
            counter.fetch_add(1, Ordering::SeqCst);
            Ok::<_, String>(text.to_vec())
        });
        let old = Options::default().on(Arc::clone(&store));
        for n in [1, 1, 1, 2] {
            old.save("a", &json!({ "n": n })).commit().unwrap();
        }
        drop(old);
        let migrations = Migrations::new(vec![step]).unwrap();
        let engine = Options::default().migrations(migrations).on(store);
        assert_eq!(engine.rehearse(None).unwrap().migrated, 4);
        assert_eq!(runs.load(Ordering::SeqCst), 2);
    }
}

#[test]
fn a_rehearsal_ends_where_a_step_fails_and_not_for_the_states_fault() {
    let step = Migration::of_text(None, "1", |_| {
        Err::<Vec<u8>, _>(Error::new(ErrorKind::Unreachable, "nobody answers"))
    });
    let engine = Options::default().migrations(Migrations::new(vec![step]).unwrap());
    let engine = engine.on(memory());
    engine
        .save("a", &json!(1))
        .kind(Kind::Import)
        .commit()
        .unwrap();
    let ended = engine.rehearse(None).unwrap_err();
    assert_eq!(ended.kind(), ErrorKind::Unreachable);
    let read = engine.restore("a@latest").unwrap();
    assert_eq!(read.current().unwrap_err().kind(), ErrorKind::Unreachable);
}

#[test]
fn a_rehearsal_without_migrations_or_session_is_refused() {
    with_old_store(|engine, folder| {
        assert_eq!(
            engine.rehearse(Some("bot/9")).unwrap_err().kind(),
            ErrorKind::NotFound
        );
        engine.save("chat/1", &json!([])).commit().unwrap();
        let none = engine.rehearse(Some("chat/1")).unwrap_err();
        assert_eq!(none.kind(), ErrorKind::InvalidInput);
        let plain = Engine::open(folder.join("store.db")).unwrap();
        assert_eq!(
            plain.rehearse(None).unwrap_err().kind(),
            ErrorKind::InvalidInput
        );
        // Nobody's migrations: states are as they were saved.
        let value: Value = plain.restore("bot/1@-1").unwrap().to().unwrap();
        assert_eq!(value["volume"], "75");
    });
}

#[test]
fn a_rehearsal_names_what_is_damaged_and_goes_on() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("store.db");
    let engine = old_store(&path);
    let second = engine.info("bot/1@latest").unwrap().id;
    engine.close().unwrap();
    let database = rusqlite::Connection::open(&path).unwrap();
    let flip = "UPDATE snapshot SET size = size + 1 WHERE seq = (SELECT max(seq) FROM snapshot)";
    assert_eq!(database.execute(flip, ()).unwrap(), 1);
    drop(database);
    let engine = Options::default()
        .migrations(migrations())
        .open(&path)
        .unwrap();
    let found = engine.rehearse(None).unwrap();
    assert_eq!((found.migrated, found.snapshots), (1, 2));
    assert_eq!(found.damage.len(), 1);
    assert_eq!(found.damage[0].snapshots, [second]);
}
