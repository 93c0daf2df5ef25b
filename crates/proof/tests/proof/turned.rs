//! What encryption is turned on in or off, what keys are changed of, and what a session is erased from: before,
//! after, and between, where a program ended in the middle.

use std::path::{Path, PathBuf};

use dalsegno::{Action, AuditQuery, Engine, ErrorKind, Options, Query, Secret};
use dalsegno_proof::Known;
use dalsegno_proof::history::{self, OF_OTHERS, OF_OURS, OURS};
use dalsegno_proof::traces::{Traces, rows};
use dalsegno_proof::truth::{Truth, all_there};

#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Verb {
    Encrypt,
    Decrypt,
    Rotate,
    Remove,
    Erase,
    EraseInClear,
}

pub(crate) use Verb::{Decrypt, Encrypt, Erase, EraseInClear, Remove, Rotate};

impl Verb {
    /// How often the audit log, which is whole, tells of it.
    fn told(self, engine: &Engine) -> usize {
        let check = engine.audit_check(None).unwrap();
        assert!(check.is_whole(), "{self:?}: {check:?}");
        let action = match self {
            Encrypt => Action::Encrypt,
            Decrypt => Action::Decrypt,
            Rotate | Remove => Action::Key,
            Erase | EraseInClear => Action::Erase,
        };
        let query = AuditQuery {
            actions: vec![action],
            ..AuditQuery::default()
        };
        engine.audit_log(&query).unwrap().entries.len()
    }

    /// What the program that is killed calls it.
    pub(crate) fn word(self) -> &'static str {
        match self {
            Encrypt => "encrypt",
            Decrypt => "decrypt",
            Rotate => "rotate",
            Remove => "remove",
            Erase => "erase",
            EraseInClear => "erase-clear",
        }
    }
}

/// How far it came.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Came {
    Nowhere = 0,
    /// It is done, but the file is not written anew.
    Between = 1,
    Through = 2,
}

/// A store to do it to.
pub(crate) struct Template {
    pub(crate) verb: Verb,
    pub(crate) bytes: Vec<u8>,
    known: Vec<Known>,
    /// What opens the encrypted store; of two keys the one that stays, and the other.
    pub(crate) secret: Secret,
    pub(crate) other: Secret,
    /// What is not to be found afterwards.
    traces: Traces,
    /// How often the audit log tells of such a deed before.
    told: usize,
}

fn options(secret: Option<&Secret>) -> Options {
    match secret {
        Some(secret) => Options::default().secret(secret.clone()),
        None => Options::default(),
    }
}

/// The store, where this opens it.
fn opened(path: &Path, secret: Option<&Secret>) -> Option<Engine> {
    match options(secret).open(path) {
        Ok(engine) => Some(engine),
        Err(error) if error.kind() == ErrorKind::WrongKey => None,
        Err(error) => panic!("{error}"),
    }
}

impl Template {
    pub(crate) fn of(verb: Verb) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("store.db");
        let seen = history::leave(&path);
        let engine = options(None).open(&path).unwrap();
        let known = Truth::of(&engine).known;
        engine.close().unwrap();
        let number = seen
            .iter()
            .find(|row| row.table.name == "session" && row.blob("name") == OURS.as_bytes());
        let number = number.unwrap().int("id");
        let [secret, other] = [(); 2].map(|()| Secret::generate().unwrap());
        if !matches!(verb, Encrypt | EraseInClear) {
            options(None)
                .encrypt(&path, &secret, None, &mut |_| {})
                .unwrap();
        }
        let words = Traces::of_words(OF_OURS);
        let traces = match verb {
            Encrypt => words
                .and(Traces::of_words(OF_OTHERS))
                .and(Traces::of_rows(&seen)),
            Decrypt => Traces::of_slot(&path, 1).and(Traces::of_rows(&rows(&path))),
            Rotate => Traces::of_slot(&path, 1),
            Remove => {
                let engine = opened(&path, Some(&secret)).unwrap();
                let added = engine.add_key(&other, Some("a laptop")).unwrap();
                engine.close().unwrap();
                Traces::of_slot(&path, added.id)
            }
            Erase | EraseInClear => {
                let folder = tempfile::tempdir().unwrap();
                let copy = folder.path().join("copy.db");
                std::fs::copy(&path, &copy).unwrap();
                let before = rows(&copy);
                let of = options((verb == Erase).then_some(&secret));
                of.open(&copy).unwrap().erase_session(OURS).unwrap();
                let after = rows(&copy);
                let gone = Traces::of_gone(&before, &after).and(Traces::of_gone(&seen, &after));
                match verb {
                    Erase => words.and(gone).and(Traces::of_session_key(&path, number)),
                    _ => words.and(gone),
                }
            }
        };
        let encrypted = !matches!(verb, Encrypt | EraseInClear);
        let engine = opened(&path, encrypted.then_some(&secret)).unwrap();
        let told = verb.told(&engine);
        engine.close().unwrap();
        Self {
            verb,
            told,
            bytes: std::fs::read(&path).unwrap(),
            known,
            secret,
            other,
            traces,
        }
    }

    pub(crate) fn put(&self, folder: &Path) -> PathBuf {
        let path = folder.join("store.db");
        std::fs::write(&path, &self.bytes).unwrap();
        path
    }

    pub(crate) fn nothing_left(&self, path: &Path) {
        let found = self.traces.found(path);
        assert!(found.is_empty(), "{:?}: {found:?}", self.verb);
    }

    /// Every state is there, but for those of a session that was erased.
    fn whole(&self, engine: &Engine) {
        let found = engine.verify(None).unwrap();
        assert!(found.is_intact(), "{:?}", found.damage);
        let erased = matches!(self.verb, Erase | EraseInClear)
            && !engine.sessions().unwrap().contains(&OURS.to_owned());
        assert_eq!(engine.is_erased(OURS).unwrap(), erased);
        let stays = |known: &&Known| !erased || known.snapshot.session != OURS;
        let known: Vec<Known> = self.known.iter().filter(stays).cloned().collect();
        all_there(engine, &known).unwrap_or_else(|wrong| panic!("{:?}: {wrong}", self.verb));
        let all = Query {
            limit: usize::MAX,
            ..Query::default()
        };
        assert_eq!(engine.list(&all).unwrap().snapshots.len(), known.len());
    }

    /// Looks at what was found, and does it again.
    pub(crate) fn go_on(&self, path: &Path) -> Came {
        let marked = rows(path)
            .iter()
            .any(|row| row.table.name == "note" && row.int("kind") == 8);
        let (secret, other) = (Some(&self.secret), Some(&self.other));
        let (before, after) = match self.verb {
            Encrypt => (None, secret),
            Decrypt => (secret, None),
            Rotate => (secret, other),
            Remove | Erase => (secret, secret),
            EraseInClear => (None, None),
        };
        let engines = [opened(path, before), opened(path, after)];
        engines.iter().flatten().for_each(|engine| {
            self.whole(engine);
            self.verb.told(engine);
        });
        for engine in engines.iter().flatten() {
            let findings = engine.doctor().unwrap().findings;
            let told = findings
                .iter()
                .any(|it| it.message.contains("may still be found"));
            assert_eq!(told, marked, "{findings:?}");
        }
        let done = match self.verb {
            Encrypt | Decrypt | Rotate => {
                assert_ne!(
                    engines[0].is_some(),
                    engines[1].is_some(),
                    "one of them opens it"
                );
                engines[1].is_some()
            }
            Remove => {
                let there = engines[0].as_ref().unwrap().keys().unwrap().len() == 2;
                assert_eq!(opened(path, other).is_some(), there);
                !there
            }
            Erase | EraseInClear => engines[0].as_ref().unwrap().is_erased(OURS).unwrap(),
        };
        drop(engines);
        assert!(done || !marked, "{:?}", self.verb);
        self.again(path, done, done && !marked);
        let engine = opened(path, after).unwrap();
        self.whole(&engine);
        // Once, whether it was killed before it said so or after.
        assert_eq!(self.verb.told(&engine), self.told + 1, "{:?}", self.verb);
        drop(engine);
        if matches!(self.verb, Encrypt | Decrypt | Rotate) {
            assert!(opened(path, before).is_none(), "{:?}", self.verb);
        }
        self.nothing_left(path);
        match (done, marked) {
            (false, _) => Came::Nowhere,
            (true, true) => Came::Between,
            (true, false) => Came::Through,
        }
    }

    /// Does it again, or says that there is nothing to do.
    fn again(&self, path: &Path, done: bool, through: bool) {
        let refused = |result: dalsegno::Result<()>, kind| match result {
            Ok(()) => assert!(!through),
            Err(error) => assert!(through && error.kind() == kind, "{:?}: {error}", self.verb),
        };
        let open = |secret| options(secret).open(path).unwrap();
        let (secret, other) = (&self.secret, &self.other);
        match self.verb {
            Encrypt => {
                let turned = options(None).encrypt(path, secret, None, &mut |_| {});
                refused(turned.map(drop), ErrorKind::Conflict);
            }
            Decrypt => {
                let turned = options(Some(secret)).decrypt(path, &mut |_| {});
                refused(turned.map(drop), ErrorKind::Conflict);
            }
            // The key is gone: only the file is to be written anew.
            Rotate if done => open(Some(other)).wipe().unwrap(),
            Rotate => drop(open(Some(secret)).rotate_key(secret, other, None).unwrap()),
            Remove if done => open(Some(secret)).wipe().unwrap(),
            Remove => {
                let engine = open(Some(secret));
                engine.remove_key(engine.key_of(other).unwrap()).unwrap();
            }
            Erase => {
                let erased = open(Some(secret)).erase_session(OURS);
                refused(erased.map(drop), ErrorKind::NotFound);
            }
            EraseInClear => {
                let erased = open(None).erase_session(OURS);
                refused(erased.map(drop), ErrorKind::NotFound);
            }
        }
    }
}
