//! An engine and the model do the same, and every answer agrees.

mod amend;
mod ask;
mod back;
mod bin;
mod fault;
mod put;

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use jiff::Timestamp;

use self::fault::Faults;
use super::live::{Form, Live, bad, odd};
use super::memory;
use super::model::{Model, asked};
use super::verb::{At, NAMES, Ref, SESSIONS, Saving, Verb};
use crate::clock::Clock;
use crate::engine::Engine;
use crate::error::{ErrorKind, Result};
use crate::model::{Snapshot, Verb as Way};
use crate::options::Options;
use crate::rollback::Back;
use crate::store::faulty::FaultyStore;

/// Where the store is that is played on.
#[derive(Debug, Clone)]
pub enum Place {
    Memory,
    /// A file, in a folder that is there.
    File(PathBuf),
}

/// Does all of it, and compares every answer; at the end everything there is.
///
/// # Panics
/// Where an answer is not the model's.
pub fn play(place: &Place, verbs: &[Verb]) {
    let mut stage = Stage::new(place);
    for verb in verbs {
        stage.play(verb);
    }
    stage.faults.off();
    stage.compare_everything();
    stage.reopen(0);
    stage.compare_everything();
}

/// Time that only verbs move.
struct Hands(AtomicI64);

impl Clock for Hands {
    fn now(&self) -> Timestamp {
        Timestamp::from_microsecond(self.0.load(Ordering::SeqCst)).unwrap()
    }

    fn random(&self) -> [u8; 16] {
        rand::random()
    }
}

/// 2026-11-20T10:00:00Z.
const BEGIN: i64 = 1_795_168_800_000_000;

struct Stage {
    place: Place,
    store: Arc<FaultyStore>,
    faults: Arc<Faults>,
    /// A call failed inside the verb that is done.
    failed: bool,
    clock: Arc<Hands>,
    /// Two, as two programs on one store.
    engines: Vec<Engine>,
    turn: usize,
    model: Model,
    lives: [Live; 4],
    folder: tempfile::TempDir,
    /// What stands in the file that states are restored to.
    file: Option<Vec<u8>>,
}

impl Stage {
    fn new(place: &Place) -> Self {
        let clock = Arc::new(Hands(AtomicI64::new(BEGIN)));
        if let Place::File(path) = place {
            Engine::create(path).unwrap().close().unwrap();
        }
        let faults = Arc::new(Faults::default());
        let mut stage = Self {
            place: place.clone(),
            store: Arc::new(faults.around(memory())),
            faults,
            failed: false,
            clock,
            engines: Vec::new(),
            turn: 0,
            model: Model::default(),
            lives: Default::default(),
            folder: tempfile::tempdir().unwrap(),
            file: None,
        };
        stage.reopen(1 << 20);
        stage
    }

    fn reopen(&mut self, cache: usize) {
        for engine in self.engines.drain(..) {
            engine.close().unwrap();
        }
        self.open(cache);
    }

    fn open(&mut self, cache: usize) {
        for _ in 0..2 {
            let clock = Arc::clone(&self.clock);
            let options = Options::default().cache_bytes(cache).clock(clock as _);
            self.engines.push(match &self.place {
                Place::Memory => options.on(Arc::clone(&self.store) as _),
                Place::File(path) => options.open(path).unwrap(),
            });
        }
    }

    fn engine(&self) -> &Engine {
        &self.engines[self.turn]
    }

    fn path(&self) -> PathBuf {
        self.folder.path().join("state.json")
    }

    fn play(&mut self, verb: &Verb) {
        // Most programs save at another time than before.
        self.clock.0.fetch_add(1, Ordering::SeqCst);
        self.faults.arm();
        match verb {
            Verb::Fault(fault) => return self.faults.set(*fault),
            Verb::RollbackSteps(session, steps, to_file) => {
                self.rollback(SESSIONS[*session], &Back::Steps(*steps), *to_file);
            }
            Verb::RollbackTo(session, reference, to_file) => {
                let reference = self.text_of(reference);
                self.rollback(SESSIONS[*session], &Back::To(reference), *to_file);
            }
            Verb::Undo(session) => self.take_back(SESSIONS[*session], Way::Undo),
            Verb::Redo(session) => self.take_back(SESSIONS[*session], Way::Redo),
            Verb::Skip(session) => self.skip(SESSIONS[*session]),
            Verb::Fork(reference, session) => self.fork(reference, SESSIONS[*session]),
            Verb::Log(session) => {
                self.faults.off();
                self.log(SESSIONS[*session]);
            }
            Verb::Delete(references, grace) => self.delete(references, *grace),
            Verb::Undelete(references) => self.undelete(references),
            Verb::Purge(purging) => self.purge(purging),
            Verb::Rename(reference, name) => self.rename(reference, *name),
            Verb::Tag(reference, tags) => self.tag(reference, tags),
            Verb::Untag(reference, tags) => self.untag(reference, tags),
            Verb::Pin(reference, pinned) => self.pin(reference, *pinned),
            Verb::Edit(session, edit) => self.lives[*session].edit(edit),
            Verb::Save(saving) => self.save(saving),
            Verb::Bad(session, number) => {
                self.faults.off();
                let save = self.engine().save_json(SESSIONS[*session], bad(*number));
                assert_eq!(kind(save.commit()), Err(ErrorKind::InvalidInput));
            }
            Verb::RestoreHead(reference, components) => self.restore(reference, components, false),
            Verb::RestoreFile(reference, components) => self.restore(reference, components, true),
            Verb::File(content) => self.write_file(*content),
            Verb::Show(reference) => {
                self.faults.off();
                self.show(reference);
            }
            Verb::List(listing) => {
                self.faults.off();
                self.list(listing);
            }
            Verb::Verify(session) => {
                self.faults.off();
                self.verify(session.map(|n| SESSIONS[n]));
            }
            Verb::Export(session) => {
                self.faults.off();
                self.export(session.map(|n| SESSIONS[n]));
            }
            Verb::Reopen(cache) => {
                self.faults.off();
                self.reopen(*cache);
            }
            Verb::Clock(step) => drop(self.clock.0.fetch_add(*step, Ordering::SeqCst)),
            Verb::Turns => self.turn = 1 - self.turn,
        }
        self.faults.off();
    }

    fn save(&mut self, saving: &Saving) {
        let session = SESSIONS[saving.session];
        let live = &self.lives[saving.session];
        let engine = &self.engines[self.turn];
        let (text, mut save) = match saving.form {
            Form::Compact => (live.compact(), engine.save_json(session, live.compact())),
            Form::Indented => (live.indented(), engine.save_json(session, live.indented())),
            Form::Typed => (live.compact(), engine.save(session, live)),
            Form::Shared => (
                live.compact(),
                engine.save_document(session, live.document()),
            ),
            Form::Odd(number) => (odd(number), engine.save_json(session, odd(number))),
        };
        save = save.kind(saving.kind);
        if let Some(name) = saving.name {
            save = save.name(name);
        }
        if let Some(label) = &saving.label {
            save = save.label(label);
        }
        if let Some(description) = &saving.description {
            save = save.description(description);
        }
        if let Some(meta) = saving.meta {
            save = save.meta("k", meta).meta("", vec!["v"]);
        }
        if let Some(turn) = saving.turn {
            save = save.turn(turn);
        }
        if let Some(version) = saving.version {
            save = save.schema_version(version);
        }
        for tag in &saving.tags {
            save = save.tag(*tag).tag(*tag);
        }
        let answer = save.commit();
        let answer = self.or_found(session, answer);
        if let Err(error) = &answer
            && self.faults.burnt()
        {
            assert_ne!(error.kind(), ErrorKind::Damaged);
            return;
        }
        if saving
            .name
            .is_some_and(|name| self.model.is_taken(session, name))
        {
            return assert_eq!(kind(answer), Err(ErrorKind::Conflict));
        }
        let answer = answer.unwrap();
        let mut metadata = serde_json::Map::new();
        if let Some(meta) = saving.meta {
            metadata.insert("k".to_owned(), meta.into());
            metadata.insert(String::new(), vec!["v"].into());
        }
        let said = Snapshot {
            name: saving.name.map(str::to_owned),
            label: saving.label.clone(),
            description: saving.description.clone(),
            tags: saving.tags.iter().map(|tag| (*tag).to_owned()).collect(),
            metadata,
            kind: saving.kind,
            turn: saving.turn,
            schema_version: saving.version.map(str::to_owned),
            ..self.asked(session, &answer)
        };
        let expected = match saving.form {
            // Nobody reads the text of a shared document to find its turn.
            Form::Shared => self.model.add(said, text.into(), None),
            _ => self.model.add_text(said, &text),
        };
        assert_eq!(answer, expected);
    }

    /// What is not said, and what the store alone decides.
    fn asked(&self, session: &str, answer: &Snapshot) -> Snapshot {
        Snapshot {
            stored_size: answer.stored_size.max(1),
            ..asked(session, answer.id, self.clock.now())
        }
    }

    fn text_of(&self, reference: &Ref) -> String {
        let states = &self.model.states;
        let some = |at: usize| (!states.is_empty()).then(|| &states[at % states.len()].snapshot);
        match reference {
            Ref::Id(at) => some(*at).map_or_else(|| "nothing".to_owned(), |s| s.id.to_string()),
            Ref::Prefix(at, len) => some(*at).map_or_else(
                || "nothing".to_owned(),
                |s| s.id.to_string().replace('-', "")[..*len].to_owned(),
            ),
            Ref::Name(name) => (*name).to_owned(),
            Ref::Odd(text) => (*text).to_owned(),
            Ref::At(session, at) => {
                let at = match at {
                    At::Latest => "latest".to_owned(),
                    At::Back(back) => format!("-{back}"),
                    At::Turn(turn) => format!("turn:{turn}"),
                    At::Name(name) => (*name).to_owned(),
                    At::Time(at, step) => self.moment(*at, *step).to_string(),
                };
                format!("{}@{at}", SESSIONS[*session])
            }
        }
    }

    /// So many microseconds from when a snapshot was taken.
    fn moment(&self, at: usize, step: i64) -> Timestamp {
        let states = &self.model.states;
        let taken = (!states.is_empty()).then(|| states[at % states.len()].snapshot.created_at);
        let micros = taken.map_or(BEGIN, |time| time.as_microsecond());
        Timestamp::from_microsecond(micros + step).unwrap()
    }

    /// Every state, every name, every way to list.
    fn compare_everything(&self) {
        for state in &self.model.states {
            let reference = state.snapshot.id.to_string();
            self.compare(&reference);
        }
        self.compare_trash();
        let stats = self.engine().stats(None).unwrap();
        assert!(stats.damage.is_empty(), "{:?}", stats.damage);
        for name in NAMES {
            self.compare(name);
        }
        for session in SESSIONS {
            for at in ["latest", "-1", "-3", "turn:3"] {
                self.compare(&format!("{session}@{at}"));
            }
            self.log(session);
            self.steps(session);
        }
        self.verify(None);
        self.export(None);
    }
}

fn kind<T>(result: Result<T>) -> std::result::Result<(), ErrorKind> {
    result.map(|_| ()).map_err(|error| error.kind())
}
