//! What a store says of what was done to it, and what of it can be taken back: the truth, and the questions.

use std::collections::BTreeSet;
use std::sync::Arc;

use dalsegno::guard::Recommendation;
use dalsegno::{Back, Engine, ErrorKind, Holder, Restore, Result};
use tempfile::TempDir;

use crate::tracks;

/// What an undamaged store says beside its snapshots.
#[derive(Debug, Clone)]
pub struct Told {
    sessions: Vec<String>,
    /// By id, as it is shown, with its text.
    trash: Vec<(String, String, Vec<u8>)>,
    logs: Vec<Vec<String>>,
    policies: Vec<String>,
    guards: Vec<String>,
    losses: Vec<Lost>,
    holders: Vec<String>,
    events: Vec<String>,
    /// What each of [`WAYS`] would put back, by session.
    backs: Vec<Vec<Option<Vec<u8>>>>,
    /// Of each session, from the oldest to the newest, and between neighbours.
    diffs: Vec<(String, String, String)>,
    /// Where the files are that the logs name.
    _folder: Arc<TempDir>,
}

/// How it stands with what a guarded session lost.
#[derive(Debug, Clone)]
struct Lost {
    session: String,
    judgement: String,
    /// The tracks of its newest state, and that state where what was lost is back.
    newest: BTreeSet<String>,
    regained: Vec<u8>,
}

impl Lost {
    /// `copy` is changed.
    fn of(engine: &Engine, copy: &Engine, session: String) -> Self {
        let report = engine.guard_status(&session).unwrap();
        assert!(report.damage.is_empty(), "{:?}", report.damage);
        let newest = format!("{session}@latest");
        let restore = copy.guard_restore(&session, None).unwrap();
        assert!(restore.apply().unwrap().is_some(), "{session} lost nothing");
        Self {
            judgement: format!("{:?}", report.judgement),
            newest: tracks(engine.restore(&newest).unwrap().text()),
            regained: copy.restore(&newest).unwrap().into_text(),
            session,
        }
    }
}

type Way = for<'a> fn(&'a Engine, &str) -> Result<Restore<'a>>;

/// The ways back.
const WAYS: [(&str, Way); 3] = [
    ("undo", |engine, session| engine.undo(session)),
    ("redo", |engine, session| engine.redo(session)),
    ("rollback", |engine, session| {
        engine.rollback(session, &Back::Steps(1))
    }),
];

fn back(engine: &Engine, way: Way, session: &str) -> Result<Option<Vec<u8>>> {
    let plan = way(engine, session)?.plan()?;
    // Text that is to stand there is that of the snapshot that the plan names.
    let id = plan.snapshot.map(|snapshot| snapshot.id.to_string());
    id.map(|id| Ok(engine.restore(&id)?.into_text()))
        .transpose()
}

fn diff(engine: &Engine, from: &str, to: &str) -> Result<String> {
    engine.diff(from, to).map(|diff| format!("{diff:?}"))
}

fn log(engine: &Engine, session: &str) -> Result<Vec<String>> {
    let entries = engine.log(session, usize::MAX)?;
    Ok(entries.iter().map(|entry| format!("{entry:?}")).collect())
}

fn guards(engine: &Engine) -> Result<Vec<String>> {
    let guards = engine.guards()?;
    Ok(guards.iter().map(|guard| format!("{guard:?}")).collect())
}

/// Who has which session, without names: the note that has them may be damaged by itself.
fn holders(engine: &Engine) -> Result<Vec<String>> {
    let holders = engine.holders()?.into_iter();
    let of = |it: Holder| format!("{} {} {:?} {}", it.session, it.epoch, it.standing, it.since);
    Ok(holders.map(of).collect())
}

/// All but what was found out since.
fn events(engine: &Engine) -> Result<Vec<String>> {
    let mut events = engine.events(usize::MAX)?;
    events.retain(|event| event.what.word() != "corruption_detected");
    Ok(events.iter().map(|event| format!("{event:?}")).collect())
}

/// Of a list of which nothing may be wrong: whether some of it is missing.
fn missing(what: &str, found: &[String], wanted: &[String]) -> std::result::Result<bool, String> {
    match found.iter().find(|it| !wanted.contains(it)) {
        Some(odd) => Err(format!("{what}: {odd}")),
        None => Ok(found.len() < wanted.len()),
    }
}

fn policies(engine: &Engine) -> Result<Vec<String>> {
    let policies = engine.policies()?;
    Ok(policies
        .iter()
        .map(|policy| format!("{policy:?}"))
        .collect())
}

impl Told {
    /// `copy` is the same store, to be changed.
    ///
    /// # Panics
    /// Where the store is not whole.
    pub fn of(engine: &Engine, copy: &Engine, folder: TempDir) -> Self {
        let sessions = engine.sessions().unwrap();
        let guarded = engine.guarded_sessions().unwrap().into_iter();
        let losses = guarded.map(|session| Lost::of(engine, copy, session));
        let losses: Vec<Lost> = losses.collect();
        let mut trash = Vec::new();
        for trashed in engine.trash(None).unwrap() {
            let id = trashed.snapshot.id.to_string();
            copy.undelete(&[&id]).unwrap();
            let text = copy.restore(&id).unwrap().into_text();
            trash.push((id, format!("{trashed:?}"), text));
        }
        let mut diffs = Vec::new();
        for session in &sessions {
            for (from, to) in [("-1", "latest"), ("-4", "-3"), ("turn:1", "latest")] {
                let (from, to) = (format!("{session}@{from}"), format!("{session}@{to}"));
                // Some sessions are short.
                if let Ok(found) = diff(engine, &from, &to) {
                    diffs.push((from, to, found));
                }
            }
        }
        let backs = |session: &String| {
            let of = |(_, way): (&str, Way)| back(engine, way, session).ok().flatten();
            WAYS.map(of).into()
        };
        Self {
            trash,
            logs: sessions.iter().map(|s| log(engine, s).unwrap()).collect(),
            policies: policies(engine).unwrap(),
            guards: guards(engine).unwrap(),
            losses,
            holders: holders(engine).unwrap(),
            events: events(engine).unwrap(),
            backs: sessions.iter().map(backs).collect(),
            diffs,
            sessions,
            _folder: Arc::new(folder),
        }
    }

    /// How many snapshots are in the trash, how many entries the logs have, how many ways lead back.
    /// Also how many sessions lost something, are open or were, and how many events there are.
    pub fn counts(&self) -> [usize; 6] {
        [
            self.trash.len(),
            self.logs.iter().map(Vec::len).sum(),
            self.backs.iter().flatten().flatten().count(),
            self.losses.len(),
            self.holders.len(),
            self.events.len(),
        ]
    }

    /// Asks for all of it.
    ///
    /// # Errors
    /// What is wrong and was given out without an error.
    pub fn ask(&self, engine: &Engine, complaints: &mut Vec<String>) -> Result<(), String> {
        let mut short = Vec::new();
        for (session, entries) in self.sessions.iter().zip(&self.logs) {
            let read = log(engine, session).map(|mut found| {
                let all = found.len();
                found.retain(|entry| !entry.starts_with("Damaged"));
                (found.len() < all, found)
            });
            match read {
                Ok((true, found)) => {
                    if let Some(odd) = odd(&found, entries) {
                        return Err(format!("the damaged log of {session}: {odd}"));
                    }
                    short.push(session);
                    complaints.push(format!("the log of {session} is damaged"));
                }
                Ok((_, found)) if found == *entries => {}
                // Nothing leads to an operation but its table and the index: see `verify` for what is gone.
                Ok((_, found)) if gone(&found, entries) => {
                    short.push(session);
                    complaints.push(format!("the log of {session} has less"));
                }
                Ok((_, found)) => {
                    let odd = found.iter().find(|entry| !entries.contains(entry));
                    let count = (found.len(), entries.len());
                    return Err(format!("the log of {session}: {count:?} entries, {odd:?}"));
                }
                Err(error) => complaints.push(shown("log", &error)),
            }
        }
        for (session, backs) in self.sessions.iter().zip(&self.backs) {
            for ((name, way), wanted) in WAYS.iter().zip(backs) {
                match back(engine, *way, session) {
                    Ok(found) if found == *wanted => {}
                    Ok(_) if *name != "rollback" && short.contains(&session) => {}
                    Ok(_) => return Err(format!("{name} of {session}: another state")),
                    Err(_) if wanted.is_none() => {}
                    Err(error) => complaints.push(shown(name, &error)),
                }
            }
        }
        for (from, to, wanted) in &self.diffs {
            match diff(engine, from, to) {
                Ok(found) if found == *wanted => {}
                Ok(found) => return Err(format!("{found} instead of {wanted}")),
                Err(error) => complaints.push(shown("diff", &error)),
            }
        }
        match engine.trash(None) {
            Ok(found) => {
                let wanted = |shown: &String| self.trash.iter().any(|(_, said, _)| said == shown);
                let found: Vec<String> = found.iter().map(|t| format!("{t:?}")).collect();
                if let Some(odd) = found.iter().find(|shown| !wanted(shown)) {
                    return Err(format!("{odd} was never in the trash"));
                }
                if found.len() != self.trash.len() {
                    complaints.push("the trash has less".to_owned());
                }
            }
            Err(error) => complaints.push(shown("trash", &error)),
        }
        for (what, found, wanted) in [
            ("guards", guards(engine), &self.guards),
            ("holders", holders(engine), &self.holders),
            ("events", events(engine), &self.events),
        ] {
            match found {
                Ok(found) if missing(what, &found, wanted)? => {
                    complaints.push(format!("{what}: there are less"));
                }
                Ok(_) => {}
                Err(error) => complaints.push(shown(what, &error)),
            }
        }
        for lost in &self.losses {
            match engine.guard_status(&lost.session) {
                Ok(report) if format!("{:?}", report.judgement) == lost.judgement => {}
                // What cannot be read is named, or a person is to decide.
                Ok(report)
                    if !report.damage.is_empty()
                        || report.judgement.recommendation == Recommendation::ByHand =>
                {
                    complaints.push("it is not known what was lost".to_owned());
                }
                Ok(report) => {
                    let (found, wanted) = (report.judgement, &lost.judgement);
                    return Err(format!("{}: {found:?} instead of {wanted}", lost.session));
                }
                Err(error) => complaints.push(shown("what was lost", &error)),
            }
        }
        match policies(engine) {
            Ok(found) if found == self.policies => {}
            Ok(found) if found.iter().all(|policy| self.policies.contains(policy)) => {
                complaints.push("a policy is missing".to_owned());
            }
            Ok(found) => return Err(format!("{found:?} are no policies")),
            Err(error) => complaints.push(shown("policies", &error)),
        }
        Ok(())
    }

    /// Brings back what was lost: all of it or, where fuller states are damaged, some; nothing else.
    ///
    /// # Errors
    /// As [`ask`](Self::ask).
    pub fn regain(&self, engine: &Engine, complaints: &mut Vec<String>) -> Result<(), String> {
        for lost in &self.losses {
            let Lost { session, .. } = lost;
            let done = engine.guard_restore(session, None).and_then(|restore| {
                let whole = restore.report().damage.is_empty();
                Ok((whole, restore.apply()?))
            });
            let whole = match done {
                Ok((whole, Some(_))) => whole,
                Ok((_, None)) => {
                    complaints.push(format!("{session} lost nothing"));
                    continue;
                }
                Err(error) if error.kind() == ErrorKind::Denied => continue,
                Err(error) => {
                    complaints.push(shown("bringing back", &error));
                    continue;
                }
            };
            let text = match engine.restore(&format!("{session}@latest")) {
                Ok(restored) => restored.into_text(),
                Err(error) => {
                    complaints.push(shown("what came back", &error));
                    continue;
                }
            };
            if text == lost.regained {
                continue;
            }
            let (found, all) = (tracks(&text), tracks(&lost.regained));
            if whole || !lost.newest.is_subset(&found) || !found.is_subset(&all) {
                return Err(format!("{session}: {found:?} came back, of {all:?}"));
            }
            complaints.push(format!("not all of {session} came back"));
        }
        Ok(())
    }

    /// Takes everything out of the trash: as it was, or an error.
    ///
    /// # Errors
    /// As [`ask`](Self::ask).
    pub fn undelete(&self, engine: &Engine, complaints: &mut Vec<String>) -> Result<(), String> {
        for (id, said, text) in &self.trash {
            let back = engine.undelete(&[id]).and_then(|_| engine.restore(id));
            match back {
                Ok(back) if back.text() != text => {
                    return Err(format!("another text for {id}, from the trash"));
                }
                Ok(back) if said.contains(&format!("checksum: {:?}", back.snapshot().checksum)) => {
                }
                Ok(back) => return Err(format!("{:?} instead of {said}", back.snapshot())),
                Err(error) if error.kind() == ErrorKind::Denied => {}
                Err(error) => complaints.push(shown("undelete", &error)),
            }
        }
        Ok(())
    }
}

/// An entry of a log from which operations may be missing, that was never in it: what was undone
/// depends on them.
fn odd<'a>(found: &'a [String], all: &[String]) -> Option<&'a String> {
    let all: Vec<String> = all.iter().map(|entry| plain(entry)).collect();
    // The snapshot that such an operation added is then told of as a save.
    let told_otherwise =
        |entry: &String| entry.starts_with("Save") && entry.contains("operation: Some(");
    let mut found = found.iter();
    found.find(|entry| !all.contains(&plain(entry)) && !told_otherwise(entry))
}

/// Whether operations are missing in a log, and nothing else.
fn gone(found: &[String], all: &[String]) -> bool {
    let there: Vec<String> = found.iter().map(|entry| plain(entry)).collect();
    let mut missing = all.iter().filter(|entry| !there.contains(&plain(entry)));
    let gone = |entry: &String| entry.starts_with("Operation");
    let some = missing.next();
    some.is_some_and(gone) && missing.all(gone) && odd(found, all).is_none()
}

fn plain(entry: &str) -> String {
    entry
        .replace("undone: true", "undone: ?")
        .replace("undone: false", "undone: ?")
}

fn shown(what: &str, error: &dalsegno::Error) -> String {
    format!("{what}: {}: {error}", error.kind())
}
