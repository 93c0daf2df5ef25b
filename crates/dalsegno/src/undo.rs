//! Taking a restore or rollback back, and doing it again.

use crate::codec::deed::Before;
use crate::deed::{self, Deed, Seen, Stacks};
use crate::engine::Engine;
use crate::error::{Error, ErrorKind, Result};
use crate::model::{Status, Verb};
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
    /// `NotFound` where there is nothing to undo, or where what stood there is deleted.
    pub fn undo(&self, session: &str) -> Result<Restore<'_>> {
        self.take_back(session, Verb::Undo)
    }

    /// Prepares to do again what was undone last. A state that was saved after the undo, unless it
    /// was unchanged, ends that: what was undone is then found in the [log](Engine::log), and can be
    /// restored.
    ///
    /// # Errors
    /// `NotFound` where there is nothing to do again.
    pub fn redo(&self, session: &str) -> Result<Restore<'_>> {
        self.take_back(session, Verb::Redo)
    }

    fn take_back(&self, session: &str, verb: Verb) -> Result<Restore<'_>> {
        let id = &self.store().info().id;
        // All of it from one view: what is recorded later is compared with that.
        let (seen, head) = {
            let view = self.view()?;
            let row = show::known_session(&*view, id, session)?;
            let head = match self.resolve(&*view, &format!("{session}@latest")) {
                Ok(latest) => Some(latest.seq),
                Err(error) if error.kind() == ErrorKind::NotFound => None,
                // It only decides what can be done again.
                Err(error) if error.kind() == ErrorKind::Damaged && verb == Verb::Undo => None,
                Err(error) => return Err(error),
            };
            let seen = Seen {
                head: store::Head {
                    session: row.id,
                    seq: row.head,
                    era: row.era,
                },
                log: deed::rows(&*view, row.id)?,
            };
            (seen, head)
        };
        let deeds = deed::read_all(&seen.log, id)?;
        let stacks = Stacks::of(&deeds, head);
        let next: Option<&Deed> = match verb {
            Verb::Redo => stacks.redo.last().copied(),
            _ => stacks.undo.last().copied(),
        };
        let next = next.ok_or_else(|| {
            Error::not_found(format!(
                "there is nothing to {verb} in {session}; `log {session}` shows what was done"
            ))
        })?;
        let session = session.to_owned();
        let source = match &next.detail.before {
            Before::Snapshot(seq) => Source::Snapshot(*seq),
            Before::Nothing => Source::Nothing { session },
            Before::Torn => {
                return Err(Error::not_found(format!(
                    "there is nothing to {verb} in {session}: what stood there was the torn rest of an \
                     operation that was cut off, which was not kept"
                )));
            }
            Before::Beside(path) => Source::Beside {
                session,
                path: path.into(),
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
