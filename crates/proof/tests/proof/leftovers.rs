//! Nothing of what was sealed, erased or taken away is left in the store's file, the log beside it, or free pages.

use std::path::PathBuf;

use dalsegno::{Engine, Options, Secret};
use dalsegno_proof::forge::{Row, SESSION};
use dalsegno_proof::history::{self, OF_OTHERS, OF_OURS, OURS};
use dalsegno_proof::state;
use dalsegno_proof::traces::{Traces, rows};
use dalsegno_proof::truth::Truth;

/// A store in clear with a long history, and the traces of all that it ever had.
struct Left {
    _folder: tempfile::TempDir,
    path: PathBuf,
    seen: Vec<Row>,
}

impl Left {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("store.db");
        let seen = history::leave(&path);
        let words = Traces::of_words(OF_OURS.into_iter().chain(OF_OTHERS));
        let found = words.found(&path);
        let missing: Vec<_> = OF_OURS
            .into_iter()
            .chain(OF_OTHERS)
            .filter(|it| !found.contains(it))
            .collect();
        assert!(
            missing.is_empty(),
            "in clear all stand there, but {missing:?}"
        );
        Self {
            _folder: folder,
            path,
            seen,
        }
    }

    fn encrypt(&self) -> Secret {
        let secret = Secret::generate().unwrap();
        let options = Options::default();
        options
            .encrypt(&self.path, &secret, None, &mut |_| {})
            .unwrap();
        secret
    }

    fn open(&self, secret: Option<&Secret>) -> Engine {
        let options = match secret {
            Some(secret) => Options::default().secret(secret.clone()),
            None => Options::default(),
        };
        options.open(&self.path).unwrap()
    }

    fn nothing_of(&self, traces: &Traces, when: &str) {
        let found = traces.found(&self.path);
        assert!(found.is_empty(), "{when}: {found:?}");
    }

    /// All words, and all that was ever in a row.
    fn in_clear(&self) -> Traces {
        let words = Traces::of_words(OF_OURS.into_iter().chain(OF_OTHERS));
        words.and(Traces::of_rows(&self.seen))
    }
}

#[test]
fn of_what_was_in_clear() {
    let left = Left::new();
    let before = Truth::of(&left.open(None));
    let traces = left.in_clear();
    assert!(traces.count() > 800, "{}", traces.count());
    let secret = left.encrypt();
    left.nothing_of(&traces, "encrypted");
    let engine = left.open(Some(&secret));
    assert_eq!(Truth::of(&engine).known.len(), before.known.len());
    left.nothing_of(&traces, "open");
    for n in 0..100 {
        let word = OF_OURS[n as usize % OF_OURS.len()];
        let save = engine.save(OURS, &serde_json::json!([word, n]));
        save.name(format!("{word}-{n}"))
            .tag(word)
            .meta(word, word)
            .commit()
            .unwrap();
        engine
            .save_json(&format!("{word}-{n}"), state(0, u64::from(n as u32)))
            .commit()
            .unwrap();
        if n % 20 == 7 {
            engine.open_session("bot/sonderling").unwrap();
            left.nothing_of(&traces, "while it saves");
            engine.close_session("bot/sonderling").unwrap();
        }
    }
    engine
        .delete(&[&format!("{OURS}@latest")], dalsegno::GRACE)
        .unwrap();
    left.nothing_of(&traces, "at the end");
    engine.close().unwrap();
    left.nothing_of(&traces, "closed");
}

#[test]
fn of_a_session_that_was_erased() {
    for sealed in [false, true] {
        let left = Left::new();
        let secret = sealed.then(|| left.encrypt());
        let engine = left.open(secret.as_ref());
        // A program left it open, and a request to it, and is gone.
        assert!(
            engine
                .holders()
                .unwrap()
                .iter()
                .any(|it| it.session == OURS)
        );
        let before = rows(&left.path);
        let id = number_of_ours(&left.seen);
        let its_key = match &secret {
            Some(_) => Traces::of_session_key(&left.path, id),
            None => Traces::default(),
        };
        let erased = engine.erase_session(OURS).unwrap();
        assert!(erased.snapshots > 100);
        let after = rows(&left.path);
        assert!(
            !after
                .iter()
                .any(|row| row.table == &SESSION && row.int("id") == id)
        );
        let gone = Traces::of_gone(&before, &after);
        assert!(gone.count() > 250, "{}", gone.count());
        let traces = Traces::of_words(OF_OURS).and(gone).and(its_key);
        let traces = traces.and(Traces::of_gone(&left.seen, &after));
        left.nothing_of(&traces, "erased");
        engine
            .save_json("bot/sonderling", state(1, 8))
            .commit()
            .unwrap();
        engine.close().unwrap();
        left.nothing_of(&traces, "closed");
        assert!(left.open(secret.as_ref()).verify(None).unwrap().is_intact());
    }
}

/// The number of a session whose name is known in clear.
fn number_of_ours(seen: &[Row]) -> i64 {
    let ours = |row: &&Row| row.table == &SESSION && row.blob("name") == OURS.as_bytes();
    seen.iter().find(ours).unwrap().int("id")
}

#[test]
fn of_a_key_that_was_taken_away() {
    let left = Left::new();
    let first = left.encrypt();
    let engine = left.open(Some(&first));
    let [second, third] = [(); 2].map(|()| Secret::generate().unwrap());
    let passphrase = Secret::parse("correct horse").unwrap();
    for (n, secret) in [&second, &passphrase].into_iter().enumerate() {
        let id = engine.add_key(secret, Some("a laptop")).unwrap().id;
        // Its row is written anew beside others, and in the log.
        (0..5).for_each(|turn| {
            engine
                .save_json("bot/sonderling", state(1, turn + 9 * n as u64))
                .commit()
                .unwrap();
        });
        let slot = Traces::of_slot(&left.path, id);
        assert_eq!(slot.found(&left.path).len(), slot.count());
        engine.remove_key(id).unwrap();
        left.nothing_of(&slot, "removed");
    }
    let id = engine.key_of(&first).unwrap();
    let slot = Traces::of_slot(&left.path, id);
    assert_eq!(slot.found(&left.path).len(), slot.count());
    engine.rotate_key(&first, &third, None).unwrap();
    left.nothing_of(&slot, "rotated");
    engine.close().unwrap();
    left.nothing_of(&slot, "closed");
    drop(left.open(Some(&third)));
}

/// What is in clear again has nothing left of its keys.
#[test]
fn of_the_keys_once_it_is_in_clear_again() {
    let left = Left::new();
    let secret = left.encrypt();
    let sealed = rows(&left.path);
    let traces = Traces::of_slot(&left.path, 1).and(Traces::of_rows(&sealed));
    let options = Options::default().secret(secret);
    options.decrypt(&left.path, &mut |_| {}).unwrap();
    left.nothing_of(&traces, "decrypted");
    assert!(left.open(None).verify(None).unwrap().is_intact());
}
