//! Going back, undoing, doing again, forking; and the log of it.

use super::super::history::Before;
use super::super::verb::Ref;
use super::put::{From, Putting, applied};
use super::{Stage, kind};
use crate::engine::Engine;
use crate::error::{ErrorKind, Result};
use crate::log::LogEntry;
use crate::model::{Operation, Snapshot, SnapshotId, Verb};
use crate::restore::{Report, Restore, Target};
use crate::rollback::Back;

impl Stage {
    pub(super) fn rollback(&mut self, session: &str, back: &Back, to_file: bool) {
        let expected = match back {
            _ if matches!(back, Back::Steps(_)) && !self.model.has_session(session) => {
                Err(ErrorKind::NotFound)
            }
            Back::Steps(steps) => self.model.steps_back(session, *steps),
            Back::To(reference) => self.model.resolve(reference),
        };
        let own = |at: usize| {
            let other = self.model.states[at].snapshot.session != session;
            if other {
                Err(ErrorKind::InvalidInput)
            } else {
                Ok(at)
            }
        };
        let expected = expected.and_then(own);
        let restore = self.engine().rollback(session, back);
        let report = self.apply(restore, to_file);
        match expected {
            Ok(at) => self.put(
                &Putting {
                    verb: Verb::Rollback,
                    session: session.to_owned(),
                    from: From::State(at),
                    components: &[],
                    to_file,
                },
                report,
            ),
            Err(expected) => self.refused(report, expected, session),
        }
    }

    fn apply(&self, restore: Result<Restore<'_>>, to_file: bool) -> Result<Report> {
        let restore = restore?;
        applied(if to_file {
            restore.to_file(self.path())
        } else {
            restore
        })
    }

    pub(super) fn take_back(&mut self, session: &str, verb: Verb) {
        let latest = self.model.head(session);
        let history = self.model.sessions.get(session);
        let next = history
            .and_then(|history| history.next(verb, latest))
            .cloned();
        let (report, stale) = {
            let prepared = |engine| match verb {
                Verb::Redo => Engine::redo(engine, session),
                _ => Engine::undo(engine, session),
            };
            // Another program that looked at the same time.
            let other = &self.engines[1 - self.turn];
            let stale = self.faults.quiet().then(|| prepared(other));
            let report = self.apply(prepared(self.engine()), false);
            let stale = stale.and_then(Result::ok).filter(|_| report.is_ok());
            (report, stale.map(Restore::apply))
        };
        if let Some(stale) = stale {
            assert_eq!(kind(stale), Err(ErrorKind::Conflict), "{verb} twice");
        }
        let Some(next) = next else {
            return self.refused(report, ErrorKind::NotFound, session);
        };
        let from = match next.before {
            Before::State(at) => From::State(at),
            Before::Nothing => From::Nothing,
            Before::Beside(bytes) => From::Beside(bytes),
            Before::Passed => unreachable!("what is passed over is not done again"),
        };
        let putting = Putting {
            verb,
            session: session.to_owned(),
            from,
            components: &[],
            to_file: next.to_file,
        };
        self.put(&putting, report);
    }

    /// The next undo is passed over: nothing is put back.
    pub(super) fn skip(&mut self, session: &str) {
        let latest = self.model.head(session);
        let history = self.model.sessions.get(session);
        let next = history.and_then(|history| history.next(Verb::Undo, latest));
        let next = next.map(|step| (step.to_file, history.unwrap().id_of(step)));
        let answer = self.engine().undo_skip(session);
        let Some((to_file, id)) = next else {
            return self.refused(answer, ErrorKind::NotFound, session);
        };
        if answer.is_err() && self.faults.burnt() {
            self.crash();
            if self.new_in_log(session).is_none() {
                return;
            }
        } else {
            assert_eq!(answer.unwrap(), id);
        }
        (self.failed, _) = (false, self.faults.off());
        let putting = Putting {
            verb: Verb::Undo,
            session: session.to_owned(),
            from: From::Nothing,
            components: &[],
            to_file,
        };
        self.did(&putting, None, Before::Passed);
    }

    pub(super) fn fork(&mut self, reference: &Ref, session: &str) {
        let reference = self.text_of(reference);
        let answer = self.engine().fork(&reference, session);
        let expected = match self.model.resolve(&reference) {
            Ok(_) if self.model.has_session(session) => Err(ErrorKind::Conflict),
            other => other,
        };
        let at = match expected {
            Ok(at) => at,
            Err(expected) => return self.refused(answer, expected, &reference),
        };
        let answer = match self.or_found(session, answer) {
            Err(_) if self.faults.burnt() => return,
            answer => answer.unwrap(),
        };
        let from = self.model.states[at].clone();
        let said = Snapshot {
            turn: from.snapshot.turn,
            schema_version: from.snapshot.schema_version,
            operation: Some(Operation::Fork {
                from: from.snapshot.id,
            }),
            ..self.asked(session, &answer)
        };
        assert_eq!(answer, self.model.add_text(said, &from.text));
    }

    /// How many steps one can go back, and where that is.
    pub(super) fn steps(&self, session: &str) {
        for steps in 0..6 {
            let to = self.engine().rollback(session, &Back::Steps(steps));
            let to = to.and_then(|restore| restore.plan());
            match self.model.steps_back(session, steps) {
                Ok(at) => {
                    let id = to.unwrap().snapshot.map(|s| s.id);
                    assert_eq!(id, Some(self.model.states[at].snapshot.id), "{steps}");
                }
                Err(expected) => return assert_eq!(kind(to), Err(expected)),
            }
        }
    }

    /// The whole of a session's log, and the first of it.
    pub(super) fn log(&self, session: &str) {
        let log = self.engine().log(session, usize::MAX);
        let Some(history) = self.model.sessions.get(session) else {
            return assert_eq!(kind(log), Err(ErrorKind::NotFound));
        };
        let log = log.unwrap();
        let own = |id: SnapshotId| history.deeds.iter().any(|deed| deed.id == id);
        let saves = self
            .model
            .of(session)
            .map(|at| &self.model.states[at].snapshot);
        let mut expected: Vec<(SnapshotId, String)> = saves
            .filter(|s| s.kind.is_history() && !s.unchanged && !own(s.id))
            .map(|s| (s.id, serde_json::to_string(s).unwrap()))
            .collect();
        for deed in &history.deeds {
            let before = match deed.before {
                Before::State(at) => Some(self.model.states[at].snapshot.id),
                _ => None,
            };
            let beside = matches!(deed.before, Before::Beside(_));
            let told = (
                deed.verb,
                deed.status,
                deed.undone,
                deed.from,
                before,
                beside,
            );
            let told = format!("{told:?} {:?} {}", deed.components, deed.to_file);
            expected.push((deed.id, told));
        }
        expected.sort_by_key(|(id, _)| std::cmp::Reverse(*id));
        let found: Vec<(SnapshotId, String)> = log.iter().map(told).collect();
        assert_eq!(found, expected, "the log of {session}");
        let some = self.engine().log(session, 3).unwrap();
        let some: Vec<_> = some.iter().map(told).collect();
        assert_eq!(some, expected[..expected.len().min(3)]);
    }
}

fn told(entry: &LogEntry) -> (SnapshotId, String) {
    match entry {
        LogEntry::Save { snapshot } => (snapshot.id, serde_json::to_string(snapshot).unwrap()),
        LogEntry::Damaged { id, message } => (*id, message.clone()),
        LogEntry::Operation {
            id,
            verb,
            status,
            undone,
            from,
            components,
            target,
            before,
            kept_beside,
            ..
        } => {
            let to_file = matches!(target, Target::File(_));
            let told = (verb, status, undone, from, before, kept_beside.is_some());
            (*id, format!("{told:?} {components:?} {to_file}"))
        }
    }
}
