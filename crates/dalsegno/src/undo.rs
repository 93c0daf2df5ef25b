//! Taking a restore or rollback back, and doing it again.

use crate::codec::deed::{Before, Detail, Target};
use crate::deed::{self, Deed, Seen, Stacks};
use crate::engine::Engine;
use crate::error::{Error, ErrorKind, Result};
use crate::model::{Action, SnapshotId, Status, Verb};
use crate::restore::{self, Restore, Source};
use crate::{show, store};

impl Engine {
    /// Prepares to undo the session's last restore or rollback that is not undone: what stood at its
    /// target is put back there, which can be [done again](Engine::redo). States that were saved
    /// since stay in the history. One that was cut off is ended by asking for it again.
    ///
    /// A target that only the program knows is to be given with [`Restore::to`].
    ///
    /// # Errors
    /// `NotFound` where there is nothing to undo, or where what stood there is deleted or was not kept:
    /// [`undo_skip`](Engine::undo_skip) passes over it.
    pub fn undo(&self, session: &str) -> Result<Restore<'_>> {
        self.take_back(session, Verb::Undo)
    }

    /// Prepares to do again what was undone last. A state that was saved after the undo, unless it
    /// was unchanged or saved by itself ([`Kind::Auto`](crate::Kind::Auto)), ends that: what was undone is then found in
    /// the [log](Engine::log), and can be restored. What was saved by itself since stays in the history.
    ///
    /// # Errors
    /// `NotFound` where there is nothing to do again.
    pub fn redo(&self, session: &str) -> Result<Restore<'_>> {
        self.take_back(session, Verb::Redo)
    }

    /// Passes over what [`undo`](Engine::undo) would take back next, where that cannot be done any more,
    /// so that what is older can be undone. Nothing is put back and nothing changes but the log, which
    /// has an entry of it; it cannot be done again. Gives the id of what was passed over.
    ///
    /// # Errors
    /// `NotFound` where there is nothing to undo; `Conflict` where something else was done to the session
    /// in between.
    pub fn undo_skip(&self, session: &str) -> Result<SnapshotId> {
        self.allow(Action::Undo, Some(session))?;
        let Turn { seen, head, deeds } = self.turn(session, Verb::Undo)?;
        let next = next(&deeds, head, session, Verb::Undo)?;
        let detail = Detail {
            at: self.now().as_microsecond(),
            from: None,
            components: Vec::new(),
            target: next.detail.target.clone(),
            before: Before::Passed,
            head,
            failure: Some("nothing was put back: it was passed over".to_owned()),
        };
        let source = Source::Nothing {
            session: session.to_owned(),
        };
        let mut restore = Restore::new(self, Verb::Undo, source);
        restore.seen = Some(seen);
        restore.record(session, Status::Done, &detail)?;
        Ok(SnapshotId::new(next.seq, &self.store().info().id))
    }

    /// What [`undo_skip`](Engine::undo_skip) would pass over. Nothing is changed.
    ///
    /// # Errors
    /// As [`undo_skip`](Engine::undo_skip).
    pub fn undo_skip_plan(&self, session: &str) -> Result<SnapshotId> {
        let Turn { head, deeds, .. } = self.turn(session, Verb::Undo)?;
        let next = next(&deeds, head, session, Verb::Undo)?;
        Ok(SnapshotId::new(next.seq, &self.store().info().id))
    }

    /// What was done to a session, all of it from one view: what is recorded later is compared with that.
    fn turn(&self, session: &str, verb: Verb) -> Result<Turn> {
        let id = &self.store().info().id;
        let view = self.view()?;
        let row = show::known_session(&*view, id, session)?;
        let head = match self.resolve(&*view, &format!("{session}@latest")) {
            Ok(latest) => Some(latest.seq),
            Err(error) if error.kind() == ErrorKind::NotFound => None,
            // It only decides what can be done again.
            Err(error) if error.kind() == ErrorKind::Damaged && verb == Verb::Undo => None,
            Err(error) => return Err(error),
        };
        let log = deed::rows(&*view, row.id)?;
        let deeds = deed::read_all(&log, row.id, id).map_err(|error| {
            error.hint(format!(
                "`log {session}` shows what can be read; restore what it names"
            ))
        })?;
        let head_row = store::Head {
            session: row.id,
            seq: row.head,
            era: row.era,
        };
        let stacks = Stacks::of(&deeds, None);
        let known = (!stacks.redo.is_empty()).then_some(stacks.known);
        let head = match known {
            Some(known) => deed::meant(&*view, id, row.id, head, known)?,
            None => head,
        };
        Ok(Turn {
            seen: Seen {
                session: session.to_owned(),
                head: head_row,
                log,
                known,
            },
            head,
            deeds,
        })
    }

    fn take_back(&self, session: &str, verb: Verb) -> Result<Restore<'_>> {
        let Turn { seen, head, deeds } = self.turn(session, verb)?;
        let next = next(&deeds, head, session, verb)?;
        let not_kept = |what: &str| {
            let error =
                Error::not_found(format!("there is nothing to {verb} in {session}: {what}"));
            restore::pass_over(error, verb, session)
        };
        let session = session.to_owned();
        let source = match &next.detail.before {
            Before::Snapshot(seq) => Source::Snapshot(*seq),
            Before::Nothing if next.detail.target == Target::Head => {
                return Err(not_kept("what stood there was damaged, and is not kept"));
            }
            Before::Nothing => Source::Nothing { session },
            Before::Torn | Before::Passed => {
                return Err(not_kept(
                    "what stood there was the torn rest of an operation that was cut off, which was not \
                     kept",
                ));
            }
            Before::Beside(path) => Source::Beside {
                session,
                path: path.into(),
                proof: None,
            },
            Before::Kept(path, len, sum) => Source::Beside {
                session,
                path: path.into(),
                proof: Some((*len, *sum)),
            },
        };
        let mut restore = Restore::new(self, verb, source);
        let again = deed::cut_off(&deeds, verb, &next.detail.target);
        restore.cut_off = again.map(|deed| deed.detail.before.clone());
        let torn = (next.status == Status::Begun).then_some(Before::Torn);
        restore.over_torn = restore.cut_off.clone().or(torn);
        restore.seen = Some(seen);
        Ok(match restore::Target::of_wire(&next.detail.target) {
            restore::Target::File(path) => restore.to_file(path),
            restore::Target::Other(name) => restore.not_given_yet(name),
            restore::Target::Head => restore,
        })
    }
}

/// What an undo or redo is decided on.
struct Turn {
    seen: Seen,
    /// The newest state; where anything can be done again, the newest that was not saved by itself.
    head: Option<i64>,
    /// Oldest first.
    deeds: Vec<Deed>,
}

/// What is to be undone or done again next.
fn next<'a>(deeds: &'a [Deed], head: Option<i64>, session: &str, verb: Verb) -> Result<&'a Deed> {
    let stacks = Stacks::of(deeds, head);
    let next = match verb {
        Verb::Redo => stacks.redo.last().copied(),
        _ => stacks.undo.last().copied(),
    };
    next.ok_or_else(|| {
        let last = deeds.iter().rfind(|deed| deed.status != Status::RolledBack);
        let other = last.filter(|deed| deed.status == Status::Begun && deed.verb != verb);
        let end = match other.map(|deed| deed.verb) {
            Some(verb @ (Verb::Undo | Verb::Redo)) => {
                format!("the last {verb} was cut off, and `{verb} {session}` ends it; ")
            }
            _ => String::new(),
        };
        Error::not_found(format!(
            "there is nothing to {verb} in {session}; {end}`log {session}` shows what was done"
        ))
    })
}

#[cfg(test)]
mod tests {
    use crate::codec::deed::Target;

    #[test]
    fn targets_come_back_from_the_log() {
        for target in [
            Target::Head,
            Target::File("/a/b".into()),
            Target::Other("guild 7".into()),
        ] {
            assert_eq!(super::restore::Target::of_wire(&target).to_wire(), target);
        }
    }
}
