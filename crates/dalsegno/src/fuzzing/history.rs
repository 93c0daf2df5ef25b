//! What was done to a session, and what of it can be taken back: two stacks, as any editor has them.

use crate::model::{SnapshotId, Status, Verb};

/// What stood at a target before something was put there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Before {
    Nothing,
    /// The state at this place of the model.
    State(usize),
    /// Bytes that are no JSON.
    Beside(Vec<u8>),
    /// Nothing was put there: the undo only passed over something.
    Passed,
}

/// An entry of the log.
#[derive(Debug, Clone)]
pub(super) struct Deed {
    pub(super) id: SnapshotId,
    pub(super) verb: Verb,
    pub(super) status: Status,
    pub(super) from: Option<SnapshotId>,
    pub(super) components: Vec<String>,
    pub(super) to_file: bool,
    pub(super) before: Before,
    pub(super) undone: bool,
}

/// Something that can be undone or done again.
#[derive(Debug, Clone)]
pub(super) struct Step {
    pub(super) before: Before,
    pub(super) to_file: bool,
    /// The deeds that it is made of: what was done first, and each time that it was done again.
    deeds: Vec<usize>,
}

#[derive(Debug, Clone, Default)]
pub(super) struct History {
    pub(super) deeds: Vec<Deed>,
    undo: Vec<Step>,
    redo: Vec<Step>,
    /// The newest state when the last deed was done.
    seen: Option<SnapshotId>,
}

impl History {
    /// What an undo or redo takes next, where `latest` is the newest state.
    pub(super) fn next(&self, verb: Verb, latest: Option<SnapshotId>) -> Option<&Step> {
        match verb {
            Verb::Redo => self.redo.last().filter(|_| latest <= self.seen),
            _ => self.undo.last(),
        }
    }

    /// What counts as the newest state for who takes something back: where something can be done again, what was saved by
    /// itself since does not. `latest` is the newest state, `meant` the newest that was not saved by itself.
    pub(super) fn head(
        &self,
        latest: Option<SnapshotId>,
        meant: Option<SnapshotId>,
    ) -> Option<SnapshotId> {
        if self.redo.is_empty() || latest <= self.seen {
            latest
        } else {
            meant.max(self.seen)
        }
    }

    /// The deed that an undo of this step takes back.
    pub(super) fn id_of(&self, step: &Step) -> SnapshotId {
        self.deeds[step.deeds[step.deeds.len() - 1]].id
    }

    /// What stood at the target before an undo or redo of it that was cut off, where `verb` is the same.
    pub(super) fn cut_off(&self, verb: Verb, to_file: bool) -> Option<&Before> {
        let here = |deed: &&Deed| deed.to_file == to_file && deed.status != Status::RolledBack;
        let last = self.deeds.iter().rev().find(here)?;
        let takes_back = matches!(verb, Verb::Undo | Verb::Redo);
        (takes_back && last.verb == verb && last.status == Status::Begun).then_some(&last.before)
    }

    /// A deed: `latest` was the newest state before it, `seen` is afterwards.
    pub(super) fn did(&mut self, deed: Deed, latest: Option<SnapshotId>, seen: Option<SnapshotId>) {
        let at = self.deeds.len();
        let (verb, status) = (deed.verb, deed.status);
        let takes_back = matches!(verb, Verb::Undo | Verb::Redo);
        let mut step = Step {
            before: deed.before.clone(),
            to_file: deed.to_file,
            deeds: vec![at],
        };
        self.deeds.push(deed);
        // An undo or redo that only began is asked for again.
        if status == Status::RolledBack || takes_back && status == Status::Begun {
            return;
        }
        if latest > self.seen {
            self.redo.clear();
        }
        match verb {
            Verb::Restore | Verb::Rollback => {
                self.redo.clear();
                self.undo.push(step);
            }
            Verb::Undo if step.before == Before::Passed => drop(self.undo.pop()),
            Verb::Undo => {
                step.deeds = self.undo.pop().map(|s| s.deeds).unwrap_or_default();
                step.deeds
                    .iter()
                    .for_each(|at| self.deeds[*at].undone = true);
                self.redo.push(step);
            }
            Verb::Redo => {
                step.deeds = self.redo.pop().map(|s| s.deeds).unwrap_or_default();
                step.deeds
                    .iter()
                    .for_each(|at| self.deeds[*at].undone = false);
                step.deeds.push(at);
                self.undo.push(step);
            }
        }
        self.seen = seen;
    }
}
