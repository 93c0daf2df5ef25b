//! Stores that are encrypted: what is in them, and who reads it.

use std::path::{Path, PathBuf};

use dalsegno::{Back, Engine, ErrorKind, KeyKind, Options, Query, Secret, Snapshot};
use serde_json::json;

use crate::common::state;

/// Words that stand in sessions, their names and all that is said of them, and nowhere else.
const WORDS: [&str; 9] = [
    "zephyrine",
    "quixotry",
    "Vellichor",
    "tag-of-brume",
    "saudade",
    "Kalopsia",
    "ataraxy",
    "wabisabi",
    "sonderling",
];

struct Place {
    _folder: tempfile::TempDir,
    path: PathBuf,
}

fn place() -> Place {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("store.db");
    Place {
        _folder: folder,
        path,
    }
}

/// Some of everything: saves, names, tags, an operation, a policy, something in the trash, a lease, a guard.
fn fill(engine: &Engine) -> Vec<(Snapshot, Vec<u8>)> {
    let session = "bot/zephyrine";
    for n in 0..70 {
        engine.save_json(session, state(n)).commit().unwrap();
    }
    let said = json!({ "messages": ["Vellichor", "of old shops"], "wabisabi": 1 });
    let mut save = engine.save(session, &said).name("quixotry");
    save = save.tag("tag-of-brume").label("saudade");
    save.commit().unwrap();
    engine
        .save_json("bot/other", "[\"ataraxy\"]")
        .commit()
        .unwrap();
    let gone = engine
        .save_json("bot/other", "[\"Kalopsia\"]")
        .commit()
        .unwrap();
    engine.save_json("bot/other", "[1]").commit().unwrap();
    engine
        .delete(&[gone.id.to_string().as_str()], dalsegno::GRACE)
        .unwrap();
    engine
        .rollback(session, &Back::Steps(3))
        .unwrap()
        .apply()
        .unwrap();
    engine.open_session("bot/sonderling").unwrap();
    engine.save_json("bot/sonderling", "{}").commit().unwrap();
    engine.close_session("bot/sonderling").unwrap();
    everything(engine)
}

fn everything(engine: &Engine) -> Vec<(Snapshot, Vec<u8>)> {
    let query = Query {
        limit: 1000,
        ..Query::default()
    };
    let all = engine.list(&query).unwrap().snapshots;
    let text = |s: &Snapshot| engine.restore(&s.id.to_string()).unwrap().text().to_vec();
    all.into_iter().map(|s| (s.clone(), text(&s))).collect()
}

/// The words that stand in the store's files as they are.
fn found(path: &Path) -> Vec<&'static str> {
    let mut bytes = std::fs::read(path).unwrap();
    for end in ["-wal", "-journal"] {
        let beside = path.with_file_name(format!("store.db{end}"));
        bytes.extend(std::fs::read(beside).unwrap_or_default());
    }
    let stands = |word: &&str| memchr::memmem::find(&bytes, word.as_bytes()).is_some();
    WORDS.into_iter().filter(stands).collect()
}

#[test]
fn turned_on_and_off_everything_is_as_it_was_and_nothing_is_left_in_clear() {
    let Place { path, _folder } = place();
    let engine = Engine::create(&path).unwrap();
    let before = fill(&engine);
    engine.close().unwrap();
    assert_eq!(found(&path), WORDS, "in clear all of them are found");

    let secret = Secret::generate().unwrap();
    let turned = Options::default()
        .encrypt(&path, &secret, Some("mine"), &mut |_| {})
        .unwrap();
    assert!(turned.rows > 80, "{turned:?}");
    assert!(found(&path).is_empty(), "{:?}", found(&path));
    let open = || {
        Options::default()
            .secret(secret.clone())
            .open(&path)
            .unwrap()
    };
    let engine = open();
    assert!(engine.is_encrypted());
    assert_eq!(everything(&engine), before);
    let verified = engine.verify(None).unwrap();
    assert!(verified.is_intact(), "{:?}", verified.damage);
    engine
        .save_json("bot/zephyrine", state(99))
        .commit()
        .unwrap();
    engine
        .save_json("bot/new", "[\"sonderling\"]")
        .commit()
        .unwrap();
    let then = everything(&engine);
    engine.close().unwrap();
    assert!(found(&path).is_empty(), "{:?}", found(&path));

    let turned = Options::default()
        .secret(secret)
        .decrypt(&path, &mut |_| {})
        .unwrap();
    assert!(turned.rows > 80, "{turned:?}");
    let engine = Engine::open(&path).unwrap();
    assert!(!engine.is_encrypted() && engine.keys().unwrap().is_empty());
    assert_eq!(everything(&engine), then);
    assert!(engine.verify(None).unwrap().is_intact());
}

#[test]
fn without_the_right_key_nothing_is_read() {
    let Place { path, _folder } = place();
    let secret = Secret::parse("correct horse").unwrap();
    let engine = Options::default()
        .secret(secret.clone())
        .create(&path)
        .unwrap();
    engine.save_json("s", "1").commit().unwrap();
    engine.close().unwrap();
    let refused = |options: Options| options.open(&path).err().map(|e| e.kind());
    let wrong = Some(ErrorKind::WrongKey);
    assert_eq!(refused(Options::default()), wrong);
    let other = Secret::parse("wrong horse").unwrap();
    assert_eq!(refused(Options::default().secret(other)), wrong);
    let key = Secret::generate().unwrap();
    assert_eq!(refused(Options::default().secret(key.clone())), wrong);
    assert_eq!(refused(Options::default().secret(secret)), None);

    // A store in clear in the place of an encrypted one is refused as well.
    let Place { path, _folder } = place();
    Engine::create(&path).unwrap().close().unwrap();
    let error = Options::default().secret(key).open(&path).err().unwrap();
    assert_eq!(error.kind(), ErrorKind::WrongKey);
    assert!(error.to_string().contains("not encrypted"), "{error}");
}

#[test]
fn any_of_its_keys_opens_it_and_one_that_was_taken_away_does_not() {
    let Place { path, _folder } = place();
    let first = Secret::generate().unwrap();
    let open = |secret: &Secret| Options::default().secret(secret.clone()).open(&path);
    let engine = Options::default()
        .secret(first.clone())
        .create(&path)
        .unwrap();
    engine.save_json("s", "1").commit().unwrap();
    let second = Secret::parse("a passphrase").unwrap();
    let added = engine.add_key(&second, Some("the admin's")).unwrap();
    assert_eq!((added.id, added.kind), (2, KeyKind::Passphrase));
    let again = engine.add_key(&second, None).unwrap_err();
    assert_eq!(again.kind(), ErrorKind::Conflict);
    assert_eq!(engine.key_of(&second).unwrap(), 2);
    assert_eq!(
        open(&second).unwrap().restore("s@latest").unwrap().text(),
        b"1"
    );

    let third = Secret::generate().unwrap();
    let rotated = engine.rotate_key(&first, &third, None).unwrap();
    assert_eq!(rotated.id, 3);
    // Whoever has it open goes on.
    engine.save_json("s", "2").commit().unwrap();
    engine.close().unwrap();
    assert_eq!(open(&first).err().unwrap().kind(), ErrorKind::WrongKey);
    let engine = open(&third).unwrap();
    assert_eq!(engine.restore("s@latest").unwrap().text(), b"2");
    assert_eq!(engine.keys().unwrap().len(), 2);
    let unknown = engine.remove_key(7).unwrap_err();
    assert_eq!(unknown.kind(), ErrorKind::NotFound);
    engine.remove_key(2).unwrap();
    let last = engine.remove_key(3).unwrap_err();
    assert_eq!(last.kind(), ErrorKind::Conflict);
    assert_eq!(open(&second).err().unwrap().kind(), ErrorKind::WrongKey);
}

/// Programs that have it open in the form that it had do not write among what is sealed, and do not read it for damage.
#[test]
fn who_has_it_open_hears_of_it() {
    let Place { path, _folder } = place();
    let other = Engine::create(&path).unwrap();
    other.save_json("s", "1").commit().unwrap();
    let secret = Secret::generate().unwrap();
    let holder = Options::default().program("the bot").open(&path).unwrap();
    holder.open_session("s").unwrap();
    let turn_on = || Options::default().encrypt(&path, &secret, None, &mut |_| {});
    let refused = turn_on().unwrap_err();
    assert_eq!(refused.kind(), ErrorKind::Locked);
    assert!(refused.to_string().contains("the bot"), "{refused}");
    holder.close().unwrap();
    turn_on().unwrap();
    for error in [
        other.save_json("s", "2").commit().map(drop).unwrap_err(),
        other.restore("s@latest").map(drop).unwrap_err(),
    ] {
        assert_eq!(error.kind(), ErrorKind::WrongKey);
        assert!(error.to_string().contains("open it anew"), "{error}");
    }
    let engine = Options::default()
        .secret(secret.clone())
        .open(&path)
        .unwrap();
    assert_eq!(engine.restore("s@latest").unwrap().text(), b"1");
    engine.pin("s@latest", true).unwrap();
    let twice = turn_on().unwrap_err();
    assert_eq!(twice.kind(), ErrorKind::Conflict);
}

/// Words that only the first session has.
const ITS_OWN: [&str; 6] = [
    "zephyrine",
    "quixotry",
    "Vellichor",
    "tag-of-brume",
    "saudade",
    "wabisabi",
];

/// In clear as well: nothing of it is in the file, and everything of the others is.
#[test]
fn of_an_erased_session_nothing_is_left_but_its_tombstone() {
    for secret in [None, Some(Secret::generate().unwrap())] {
        let Place { path, _folder } = place();
        let options = || match &secret {
            Some(secret) => Options::default().secret(secret.clone()),
            None => Options::default(),
        };
        let engine = options().create(&path).unwrap();
        let before = fill(&engine);
        let session = "bot/zephyrine";
        let asked = std::thread::scope(|scope| {
            let opened = engine.open_session("bot/other").unwrap();
            assert_eq!(opened.session, "bot/other");
            let asking = scope.spawn(|| engine.erase_session("bot/other"));
            asking.join().unwrap().unwrap_err()
        });
        assert_eq!(asked.kind(), ErrorKind::Locked, "it is open");
        engine.close_session("bot/other").unwrap();

        let of = |s: &Snapshot| s.session == session;
        let its = before.iter().filter(|(s, _)| of(s)).count() as u64;
        let planned = engine.erase_plan(session).unwrap();
        assert_eq!(planned.snapshots, its);
        assert_eq!(everything(&engine), before, "a plan changes nothing");
        assert_eq!(engine.erase_session(session).unwrap(), planned);
        assert!(
            found(&path).iter().all(|word| !ITS_OWN.contains(word)),
            "{:?}",
            found(&path)
        );

        let rest: Vec<_> = before.into_iter().filter(|(s, _)| !of(s)).collect();
        assert_eq!(everything(&engine), rest);
        assert!(engine.verify(None).unwrap().is_intact());
        assert!(engine.is_erased(session).unwrap() && !engine.is_erased("bot/other").unwrap());
        assert_eq!(engine.tombstones().unwrap().len(), 1);
        let events = engine.events(10_000).unwrap();
        assert!(events.iter().all(|e| e.session.as_deref() != Some(session)));
        assert_eq!(events.last().unwrap().what.word(), "erased");
        let again = engine.erase_session(session).unwrap_err();
        assert_eq!(again.kind(), ErrorKind::NotFound);

        // It may begin anew, and be erased anew.
        engine
            .save_json(session, "[\"Vellichor\"]")
            .commit()
            .unwrap();
        assert_eq!(engine.erase_session(session).unwrap().snapshots, 1);
        assert_eq!(engine.tombstones().unwrap().len(), 1);
        engine.close().unwrap();
        assert!(
            found(&path).iter().all(|word| !ITS_OWN.contains(word)),
            "{:?}",
            found(&path)
        );
    }
}

#[test]
fn an_import_does_not_bring_an_erased_session_back() {
    let place = place();
    let engine = Engine::create(&place.path).unwrap();
    for session in ["erased", "there"] {
        engine.save_json(session, "[1]").commit().unwrap();
    }
    let mut export = Vec::new();
    engine.export(None, &mut export).unwrap();
    engine.erase_session("erased").unwrap();
    engine.save_json("there", "[2]").commit().unwrap();
    let before = engine.list(&Query::default()).unwrap().snapshots;
    let refused = engine.import(&export).unwrap_err();
    assert_eq!(refused.kind(), ErrorKind::Conflict);
    assert_eq!(engine.list(&Query::default()).unwrap().snapshots, before);
}
