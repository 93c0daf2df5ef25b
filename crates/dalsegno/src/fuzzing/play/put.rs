//! Verbs that put a state back: as the newest one, or into a file.

use std::collections::BTreeMap;
use std::fs;

use super::super::text::members;
use super::super::verb::Ref;
use super::{Stage, kind};
use crate::error::{ErrorKind, Result};
use crate::model::{Kind, Operation, Snapshot};
use crate::restore::{Change, Plan, Report};

impl Stage {
    fn apply(&self, reference: &str, components: &[&str], to_file: bool) -> Result<Report> {
        let mut restore = self.engine().put_back(reference);
        for component in components {
            restore = restore.component(*component);
        }
        if to_file {
            restore = restore.to_file(self.path());
        }
        let planned = restore.plan();
        let report = restore.apply();
        // The plan is what is done, and planning does nothing.
        match (&planned, &report) {
            (Ok(planned), Ok(report)) => {
                assert_eq!(planned.components, report.plan.components);
                assert_eq!(planned.changes, report.plan.changes);
                assert_eq!(planned.after, report.plan.after);
            }
            (Err(planned), Err(done)) => assert_eq!(planned.kind(), done.kind()),
            other => panic!("planned otherwise than done: {other:?}"),
        }
        report
    }

    pub(super) fn restore_head(&mut self, reference: &Ref, components: &[&str]) {
        let reference = self.text_of(reference);
        let report = self.apply(&reference, components, false);
        let resolved = self.model.resolve(&reference);
        let session = resolved.map(|at| self.model.states[at].snapshot.session.clone());
        let latest = session
            .clone()
            .and_then(|session| self.model.resolve(&format!("{session}@latest")));
        let (at, session, before) = match (resolved, session, latest) {
            (Ok(at), Ok(session), Ok(latest)) => (at, session, self.model.states[latest].clone()),
            (Err(expected), ..) | (_, _, Err(expected)) | (_, Err(expected), _) => {
                return assert_eq!(kind(report), Err(expected), "{reference}");
            }
        };
        let from = self.model.states[at].clone();
        let expected = expected_text(&from.text, Some(&before.text), components);
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
        let after = report.plan.after.clone().unwrap();
        compare_plan(&report.plan, Some(&before.text), &after);
        assert!(report.safety.is_none() && report.kept_beside.is_none());
        let Some(head) = report.head else {
            return assert!(*after == *before.text);
        };
        assert!(*after != *before.text);
        let operation = Some(Operation::Restore {
            from: from.snapshot.id,
        });
        let said = Snapshot {
            operation,
            ..self.asked(&session, &head)
        };
        let expected = if components.is_empty() {
            let said = Snapshot {
                label: from.snapshot.label,
                description: from.snapshot.description,
                tags: from.snapshot.tags,
                metadata: from.snapshot.metadata,
                turn: from.snapshot.turn,
                schema_version: from.snapshot.schema_version,
                ..said
            };
            self.model.add(said, from.text, Some(at))
        } else {
            self.model.add_text(said, &after)
        };
        assert_eq!(head, expected);
    }

    pub(super) fn restore_file(&mut self, reference: &Ref, components: &[&str]) {
        let reference = self.text_of(reference);
        let report = self.apply(&reference, components, true);
        let at = match self.model.resolve(&reference) {
            Ok(at) => at,
            Err(expected) => return assert_eq!(kind(report), Err(expected), "{reference}"),
        };
        let from = self.model.states[at].clone();
        let expected = expected_text(&from.text, self.file.as_deref(), components);
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
        let after = report.plan.after.clone().unwrap();
        compare_plan(&report.plan, self.file.as_deref(), &after);
        assert!(report.head.is_none());
        let changes = self.file.as_deref() != Some(&after);
        let is_json = self.file.as_deref().map(super::super::takes);
        assert_eq!(report.safety.is_some(), changes && is_json == Some(true));
        assert_eq!(
            report.kept_beside.is_some(),
            changes && is_json == Some(false)
        );
        if let Some(safety) = report.safety {
            let said = Snapshot {
                kind: Kind::Safety,
                description: safety.description.clone(),
                ..self.asked(&from.snapshot.session, &safety)
            };
            assert!(
                safety
                    .description
                    .as_ref()
                    .is_some_and(|text| text.contains("state.json"))
            );
            let before = self.file.clone().unwrap_or_default();
            assert_eq!(safety, self.model.add_text(said, &before));
        }
        if let Some(kept) = report.kept_beside {
            assert_eq!(fs::read(kept).ok(), self.file);
        }
        self.file = Some(after);
        self.compare_file();
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
