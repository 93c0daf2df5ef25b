//! Verbs that put a state back: as the newest one, or into a file.

use std::collections::BTreeMap;
use std::fs;

use super::super::history::{Before, Deed};
use super::super::model::Place;
use super::super::text::members;
use super::super::verb::Ref;
use super::{Stage, kind};
use crate::error::{ErrorKind, Result};
use crate::log::LogEntry;
use crate::model::{Kind, Operation, Snapshot, SnapshotId, Status, Verb};
use crate::restore::{Change, Plan, Report, Restore};

/// What is put back.
pub(super) enum From {
    State(usize),
    Nothing,
    /// What is no JSON.
    Beside(Vec<u8>),
}

/// A restore of any kind, and what should come of it.
pub(super) struct Putting<'a> {
    pub(super) verb: Verb,
    pub(super) session: String,
    pub(super) from: From,
    pub(super) components: &'a [&'a str],
    pub(super) to_file: bool,
}

impl Stage {
    fn prepared<'a>(&'a self, reference: &str, components: &[&str], to_file: bool) -> Restore<'a> {
        let mut restore = self.engine().put_back(reference);
        for component in components {
            restore = restore.component(*component);
        }
        if to_file {
            restore = restore.to_file(self.path());
        }
        restore
    }

    pub(super) fn restore(&mut self, reference: &Ref, components: &[&str], to_file: bool) {
        let reference = self.text_of(reference);
        let report = applied(self.prepared(&reference, components, to_file));
        match self.model.resolve(&reference) {
            Ok(at) => self.put(
                &Putting {
                    verb: Verb::Restore,
                    session: self.model.states[at].snapshot.session.clone(),
                    from: From::State(at),
                    components,
                    to_file,
                },
                report,
            ),
            Err(expected) => self.refused(report, expected, &reference),
        }
    }

    /// Nothing was to happen.
    pub(super) fn refused<T>(&mut self, report: Result<T>, expected: ErrorKind, what: &str) {
        if self.faults.burnt() {
            assert!(report.is_err(), "{what}");
            return self.crash();
        }
        assert_eq!(kind(report), Err(expected), "{what}");
    }

    /// What should have come of it did.
    pub(super) fn put(&mut self, putting: &Putting<'_>, report: Result<Report>) {
        if report.is_err() && self.faults.burnt() {
            self.crash();
            return self.put_or_not(putting);
        }
        self.failed = self.faults.burnt();
        self.faults.off();
        match putting.to_file {
            true => self.put_to_file(putting, report),
            false => self.put_to_head(putting, report),
        }
    }

    fn put_to_head(&mut self, putting: &Putting<'_>, report: Result<Report>) {
        let Putting { session, verb, .. } = putting;
        let From::State(at) = putting.from else {
            panic!("only a state becomes the newest");
        };
        let from = self.model.states[at].clone();
        if from.place != Place::Live {
            return assert_eq!(kind(report), Err(ErrorKind::NotFound), "{verb}");
        }
        let Ok(latest) = self.model.resolve(&format!("{session}@latest")) else {
            return assert_eq!(kind(report), Err(ErrorKind::NotFound));
        };
        let before = self.model.states[latest].clone();
        let expected = expected_text(&from.text, Some(&before.text), putting.components);
        let report = match (report, expected) {
            (report, Err(expected)) => return assert_eq!(kind(report), Err(expected)),
            (report, Ok(expected)) => {
                let report = report.unwrap();
                if let Some(expected) = expected {
                    assert_eq!(report.plan.after.as_ref(), Some(&expected), "put together");
                }
                report
            }
        };
        assert_eq!(report.plan.verb, *verb);
        let after = report.plan.after.clone().unwrap();
        compare_plan(&report.plan, Some(&before.text), &after);
        assert!(report.safety.is_none() && report.kept_beside.is_none());
        let Some(head) = report.head else {
            assert!(*after == *before.text);
            if matches!(verb, Verb::Undo | Verb::Redo) {
                self.did(putting, None, Before::State(latest));
            }
            return;
        };
        assert!(*after != *before.text);
        self.add_head(putting, &head, latest, &after);
    }

    /// The snapshot `head` came of it.
    fn add_head(&mut self, putting: &Putting<'_>, head: &Snapshot, latest: usize, after: &[u8]) {
        let From::State(at) = putting.from else {
            panic!("only a state becomes the newest");
        };
        let from = self.model.states[at].clone();
        let id = from.snapshot.id;
        let operation = Some(match putting.verb {
            Verb::Restore => Operation::Restore { from: id },
            Verb::Rollback => Operation::Rollback { from: id },
            Verb::Undo => Operation::Undo { from: id },
            Verb::Redo => Operation::Redo { from: id },
        });
        let said = Snapshot {
            operation,
            ..self.asked(&putting.session, head)
        };
        let before = self.model.head(&putting.session);
        let expected = if putting.components.is_empty() {
            let said = Snapshot {
                label: from.snapshot.label,
                description: from.snapshot.description,
                tags: from.snapshot.tags,
                metadata: from.snapshot.metadata,
                turn: from.snapshot.turn,
                schema_version: from.snapshot.schema_version,
                ..said
            };
            let added = self.model.add(said, from.text, Some(at));
            if let Some(state) = self.model.states.last_mut() {
                state.went_to = Some(at);
            }
            added
        } else {
            // Of two that are joined, what both carry.
            let there = &self.model.states[latest].snapshot.schema_version;
            let of = from.snapshot.schema_version.as_ref();
            let said = Snapshot {
                schema_version: there.clone().filter(|there| of == Some(there)),
                ..said
            };
            let added = self.model.add_text(said, after);
            // All of it that differed may have been asked for.
            if let Some(state) = self.model.states.last_mut()
                && state.text == from.text
                && state.snapshot.same_as.is_some()
            {
                state.went_to = Some(at);
                state.in_part = true;
            }
            added
        };
        assert_eq!(*head, expected);
        let deed = self.deed(putting, head.id, Before::State(latest), Status::Done);
        let history = self.model.sessions.get_mut(&putting.session).unwrap();
        history.did(deed, before, Some(head.id));
    }

    fn put_to_file(&mut self, putting: &Putting<'_>, report: Result<Report>) {
        let after = match &putting.from {
            From::State(at) if self.model.states[*at].place != Place::Live => {
                Err(ErrorKind::NotFound)
            }
            From::State(at) => {
                let from = self.model.states[*at].text.clone();
                expected_text(&from, self.file.as_deref(), putting.components)
                    .map(|after| after.map(Some))
            }
            From::Nothing => Ok(Some(None)),
            From::Beside(bytes) => Ok(Some(Some(bytes.clone()))),
        };
        let report = match (report, after) {
            (report, Err(expected)) => return assert_eq!(kind(report), Err(expected)),
            (report, Ok(expected)) => {
                let report = report.unwrap();
                if let Some(expected) = expected {
                    assert_eq!(report.plan.after, expected, "put together");
                }
                report
            }
        };
        let after = report.plan.after.clone();
        if let Some(after) = &after {
            compare_plan(&report.plan, self.file.as_deref(), after);
        }
        assert!(report.head.is_none());
        let changes = self.file != after;
        let done = changes || matches!(putting.verb, Verb::Undo | Verb::Redo);
        if let Some(before) = self.ended(putting) {
            assert!(report.safety.is_none() && report.kept_beside.is_none());
            self.compare_file();
            return self.did(putting, None, before);
        }
        let is_json = self.file.as_deref().map(super::super::takes);
        assert_eq!(report.safety.is_some(), done && is_json == Some(true));
        assert_eq!(report.kept_beside.is_some(), done && is_json == Some(false));
        if let Some(kept) = &report.kept_beside {
            assert_eq!(fs::read(kept).ok(), self.file);
        }
        if !done {
            return self.compare_file();
        }
        let before = self.before_in_file(putting, report.safety.as_ref());
        self.file = after;
        self.compare_file();
        self.did(putting, None, before);
    }

    /// What stood in the file before the undo that this one ends, where nothing is left to be written.
    fn ended(&self, putting: &Putting<'_>) -> Option<Before> {
        let history = self.model.sessions.get(&putting.session)?;
        let before = history.cut_off(putting.verb, putting.to_file)?;
        let written = match &putting.from {
            From::State(at) => self.file.as_deref() == Some(&*self.model.states[*at].text),
            From::Nothing => self.file.is_none(),
            From::Beside(bytes) => self.file.as_ref() == Some(bytes),
        };
        written.then(|| before.clone())
    }

    /// What stood in the file and was kept.
    fn before_in_file(&mut self, putting: &Putting<'_>, safety: Option<&Snapshot>) -> Before {
        let Some(before) = self.file.clone() else {
            return Before::Nothing;
        };
        let Some(safety) = safety else {
            return Before::Beside(before);
        };
        let said = Snapshot {
            kind: Kind::Safety,
            description: safety.description.clone(),
            ..self.asked(&putting.session, safety)
        };
        let description = safety.description.as_ref();
        assert!(description.is_some_and(|text| text.contains("state.json")));
        assert_eq!(*safety, self.model.add_text(said, &before));
        Before::State(self.model.states.len() - 1)
    }

    fn deed(&self, putting: &Putting<'_>, id: SnapshotId, before: Before, status: Status) -> Deed {
        Deed {
            id,
            verb: putting.verb,
            status,
            from: match putting.from {
                From::State(at) => Some(self.model.states[at].snapshot.id),
                _ => None,
            },
            components: putting.components.iter().map(|c| (*c).to_owned()).collect(),
            to_file: putting.to_file,
            before,
            undone: false,
        }
    }

    /// The log has a new entry, which has no snapshot.
    pub(super) fn did(&mut self, putting: &Putting<'_>, status: Option<Status>, before: Before) {
        let newest = self.engine().log(&putting.session, 1).unwrap();
        let Some(LogEntry::Operation {
            id, status: told, ..
        }) = newest.first()
        else {
            panic!("the log does not tell of it");
        };
        // What was done is done, also where the log could not be told of it.
        let begun = self.failed && *told == Status::Begun;
        let status = status.unwrap_or(if begun { Status::Begun } else { Status::Done });
        let deed = self.deed(putting, *id, before, status);
        let latest = self.model.head(&putting.session);
        let seen = if putting.to_file { latest } else { Some(*id) };
        let history = self.model.sessions.get_mut(&putting.session).unwrap();
        assert!(history.deeds.iter().all(|known| known.id < *id));
        history.did(deed, latest, seen);
    }

    /// The store failed somewhere: all of it happened, or nothing, as far as anybody can see.
    fn put_or_not(&mut self, putting: &Putting<'_>) {
        let session = &putting.session;
        let new = self.found(session);
        let there = fs::read(self.path()).ok();
        if !putting.to_file {
            assert!(there == self.file);
            let Some(head) = new else {
                // An undo that made no difference may stand in the log.
                if let Some(status) = self.new_in_log(session) {
                    let latest = self.model.resolve(&format!("{session}@latest")).unwrap();
                    self.did(putting, Some(status), Before::State(latest));
                }
                return;
            };
            let latest = self.model.resolve(&format!("{session}@latest")).unwrap();
            let text = self.engine().restore(&head.id.to_string()).unwrap();
            return self.add_head(putting, &head, latest, text.text());
        }
        let was = self.file.clone();
        let ended = self.ended(putting);
        let before = match (&new, &was) {
            _ if ended.is_some() => ended,
            (None, Some(was)) if super::super::takes(was) => None,
            _ => Some(self.before_in_file(putting, new.as_ref())),
        };
        match self.new_in_log(session) {
            None => assert!(there == was, "changed, and the log does not say so"),
            Some(status) => {
                assert!(status == Status::Begun || status == Status::Done || there == was);
                if there != was {
                    self.file = there;
                    if let From::State(at) = putting.from
                        && putting.components.is_empty()
                    {
                        assert!(self.file.as_deref() == Some(&*self.model.states[at].text));
                    }
                }
                self.did(putting, Some(status), before.unwrap());
            }
        }
        self.compare_file();
    }

    /// How far the newest entry of the log came, where nobody has heard of it.
    pub(super) fn new_in_log(&self, session: &str) -> Option<Status> {
        let log = self.engine().log(session, 1).unwrap();
        let Some(LogEntry::Operation { id, status, .. }) = log.first() else {
            return None;
        };
        let known = &self.model.sessions[session].deeds;
        known.iter().all(|deed| deed.id != *id).then_some(*status)
    }

    pub(super) fn write_file(&mut self, content: Option<&str>) {
        self.file = content.map(|text| text.as_bytes().to_vec());
        match content {
            Some(text) => fs::write(self.path(), text).unwrap(),
            None => drop(fs::remove_file(self.path())),
        }
    }

    fn compare_file(&self) {
        assert!(fs::read(self.path()).ok() == self.file, "the file");
        let folder = fs::read_dir(self.folder.path()).unwrap();
        let names = folder.map(|entry| entry.unwrap().file_name());
        let staged = names.filter(|name| name.to_string_lossy().ends_with(".tmp"));
        assert_eq!(staged.count(), 0, "something staged was left");
    }
}

/// Planned and done: the plan is what is done, and planning does nothing.
pub(super) fn applied(restore: Restore<'_>) -> Result<Report> {
    let planned = restore.plan();
    let report = restore.apply();
    match (&planned, &report) {
        (Ok(planned), Ok(report)) => {
            assert_eq!(planned.components, report.plan.components);
            assert_eq!(planned.changes, report.plan.changes);
            assert_eq!(planned.after, report.plan.after);
        }
        (Err(planned), Err(done)) => {
            let injected = [planned, done].map(|e| e.to_string().contains("injected"));
            assert!(injected.contains(&true) || planned.kind() == done.kind());
        }
        // The store failed in one of them.
        (Err(error), Ok(_)) | (Ok(_), Err(error)) => {
            assert!(error.to_string().contains("injected"), "{error}");
        }
    }
    report
}

/// What should stand there afterwards: `None` where the model does not know it byte for byte.
fn expected_text(
    from: &[u8],
    before: Option<&[u8]>,
    components: &[&str],
) -> Result<Option<Vec<u8>>, ErrorKind> {
    if components.is_empty() {
        return Ok(Some(from.to_vec()));
    }
    let before = before.ok_or(ErrorKind::NotFound)?;
    let Some(source) = members(from) else {
        // A list or a scalar has one component, which has none of these names.
        return Err(ErrorKind::NotFound);
    };
    let first_missing = components.iter().find(|name| !source.contains_key(**name));
    let Some(mut target) = members(before) else {
        let error = match first_missing {
            Some(name) if components.first() == Some(name) => ErrorKind::NotFound,
            _ => ErrorKind::InvalidInput,
        };
        return Err(error);
    };
    if first_missing.is_some() {
        return Err(ErrorKind::NotFound);
    }
    let mut expected = before.to_vec();
    for name in components {
        let value = source[*name].get();
        let Some(place) = target.get(*name) else {
            return Ok(None);
        };
        // From the last to the first would be the same; each place is found anew.
        let start = place.get().as_ptr() as usize - before.as_ptr() as usize;
        let end = start + place.get().len();
        if components.len() == 1 {
            expected.splice(start..end, value.bytes());
            return Ok(Some(expected));
        }
        target.remove(*name);
    }
    Ok(None)
}

/// Each component of the plan, against what `serde_json` finds before and after.
fn compare_plan(plan: &Plan, before: Option<&[u8]>, after: &[u8]) {
    assert_eq!(plan.changes, before != Some(after));
    let (Some(old), Some(new)) = (
        before.map_or_else(|| Some(BTreeMap::new()), members),
        members(after),
    ) else {
        return;
    };
    for part in &plan.components {
        let was = old.get(&part.name).map(|raw| raw.get());
        let will = new.get(&part.name).map(|raw| raw.get());
        let change = match (was, will) {
            (None, Some(_)) => Change::Added,
            (Some(_), None) => Change::Removed,
            (was, will) if was == will => Change::Same,
            _ => Change::Changed,
        };
        assert_eq!(part.change, change, "{}", part.name);
        assert_eq!(part.before, was.map(str::len), "{}", part.name);
        assert_eq!(part.after, will.map(str::len), "{}", part.name);
    }
    let names: std::collections::BTreeSet<_> = old.keys().chain(new.keys()).collect();
    assert_eq!(plan.components.len(), names.len());
}
