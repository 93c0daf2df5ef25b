//! What was done to a session beside saving it, and which of it can be undone or done again.

use crate::codec::deed::{self, Before, Detail, Target};
use crate::error::{Error, Result};
use crate::model::{Kind, SnapshotId, Status, StoreId, Verb};
use crate::store::{self, Flow, NewOperation, OperationRow, Row, Scan, View};

/// An operation, read from its row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Deed {
    pub(crate) seq: i64,
    pub(crate) verb: Verb,
    pub(crate) status: Status,
    pub(crate) detail: Detail,
}

impl Deed {
    /// Reads a row.
    ///
    /// # Errors
    /// `Damaged` where it is not as it was written.
    pub(crate) fn read(row: &OperationRow, store: &StoreId) -> Result<Self> {
        let damaged = |what: &str| {
            let id = SnapshotId::new(row.seq, store);
            Error::damaged(format!("the row of operation {id} is damaged: {what}"))
        };
        if !row.is_intact(store) {
            return Err(damaged("its checksum differs"));
        }
        Ok(Self {
            seq: row.seq,
            verb: Verb::from_code(row.verb).ok_or_else(|| damaged("its verb is unknown"))?,
            status: Status::from_code(row.status)
                .ok_or_else(|| damaged("its status is unknown"))?,
            detail: deed::decode(&row.detail)?,
        })
    }

    pub(crate) fn as_new(verb: Verb, status: Status, detail: &Detail) -> Result<NewOperation> {
        Ok(NewOperation {
            verb: verb.code(),
            status: status.code(),
            detail: deed::encode(detail)?,
        })
    }

    /// Whether it counts for what can be undone and done again. What was rolled back did not happen.
    /// What only began may have: a restore is undone like any other, and an undo or redo is asked for
    /// again, which ends it.
    fn counts(&self) -> bool {
        match self.status {
            Status::Done => true,
            Status::Begun => matches!(self.verb, Verb::Restore | Verb::Rollback),
            Status::RolledBack => false,
        }
    }

    /// The newest state of the session after it.
    fn head_after(&self) -> Option<i64> {
        match self.detail.target {
            Target::Head => Some(self.seq).max(self.detail.head),
            _ => self.detail.head,
        }
    }
}

/// The operations of a session, oldest first.
///
/// # Errors
/// `Damaged` where a row is not as it was written.
pub(crate) fn all(view: &dyn View, store: &StoreId, session: i64) -> Result<Vec<Deed>> {
    read_all(&rows(view, session)?, session, store)
}

/// The rows of a session's operations, newest first, as the store gives them.
pub(crate) fn rows(view: &dyn View, session: i64) -> Result<Vec<OperationRow>> {
    let mut rows = Vec::new();
    view.operations(Some(session), &mut |row| {
        rows.push(row);
        Flow::Continue(())
    })?;
    Ok(rows)
}

/// The operations of those rows, oldest first, all of them of `session`.
///
/// # Errors
/// As [`all`].
pub(crate) fn read_all(rows: &[OperationRow], session: i64, store: &StoreId) -> Result<Vec<Deed>> {
    let mut deeds: Vec<Deed> = Vec::with_capacity(rows.len());
    for row in rows {
        deeds.push(read_next(row, deeds.last(), session, store)?);
    }
    deeds.reverse();
    Ok(deeds)
}

/// The next operation of a session, where `newer` is the one before.
///
/// # Errors
/// As [`all`].
pub(crate) fn read_next(
    row: &OperationRow,
    newer: Option<&Deed>,
    session: i64,
    store: &StoreId,
) -> Result<Deed> {
    let deed = Deed::read(row, store)?;
    // A damaged index gives one in the place of another, or another session's, which would then be undone.
    if row.session != session || newer.is_some_and(|newer| newer.seq <= deed.seq) {
        return Err(Error::damaged(
            "the way to the operations of the session is damaged; run `verify`",
        ));
    }
    Ok(deed)
}

/// A session as it was when it was decided what is to be undone or done again.
#[derive(Debug)]
pub(crate) struct Seen {
    /// Its name.
    pub(crate) session: String,
    pub(crate) head: store::Head,
    /// All its operations, newest first.
    pub(crate) log: Vec<OperationRow>,
    /// Where anything can be done again, the newest state when that was last so: see [`meant`].
    pub(crate) known: Option<Option<i64>>,
}

impl Seen {
    /// The operations that somebody may still be at work on, and what they make way for: whoever comes
    /// back to one finds that it was decided without waiting for its end.
    pub(crate) fn overtaken(&self, store: &StoreId) -> Result<Vec<(OperationRow, OperationRow)>> {
        let mut overtaken = Vec::new();
        for row in &self.log {
            let mut deed = Deed::read(row, store)?;
            if deed.status != Status::Begun || deed.detail.failure.is_some() {
                continue;
            }
            deed.detail.failure = Some("it was not waited for: it may have been cut off".into());
            let put = OperationRow {
                detail: deed::encode(&deed.detail)?,
                ..row.clone()
            };
            overtaken.push((row.clone(), put.summed(store)));
        }
        Ok(overtaken)
    }
}

/// What can be undone and what can be done again, the next one last.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Stacks<'a> {
    pub(crate) undo: Vec<&'a Deed>,
    pub(crate) redo: Vec<&'a Deed>,
    /// The newest state after the last of the deeds: one that was saved later ends what can be done again.
    pub(crate) known: Option<i64>,
}

impl<'a> Stacks<'a> {
    /// Of all the deeds of a session, oldest first; `head` is its newest state now.
    pub(crate) fn of(deeds: &'a [Deed], head: Option<i64>) -> Self {
        let mut stacks = Self::default();
        for deed in deeds.iter().filter(|deed| deed.counts()) {
            // A state that somebody saved in between ends what could be done again.
            if deed.detail.head > stacks.known {
                stacks.redo.clear();
            }
            match deed.verb {
                Verb::Restore | Verb::Rollback => {
                    stacks.undo.push(deed);
                    stacks.redo.clear();
                }
                Verb::Undo => {
                    stacks.undo.pop();
                    if deed.detail.before != Before::Passed {
                        stacks.redo.push(deed);
                    }
                }
                Verb::Redo => {
                    stacks.redo.pop();
                    stacks.undo.push(deed);
                }
            }
            stacks.known = deed.head_after();
        }
        if head > stacks.known {
            stacks.redo.clear();
        }
        stacks
    }
}

/// What of a session's newest states, up to `head`, ends a redo: the newest after `known` that was not saved by itself.
/// Where all of them were, `known` is as good as the newest.
///
/// # Errors
/// As the store answers.
pub(crate) fn meant(
    view: &dyn View,
    store: &StoreId,
    session: i64,
    head: Option<i64>,
    known: Option<i64>,
) -> Result<Option<i64>> {
    if head <= known {
        return Ok(head);
    }
    let scan = Scan {
        session: Some(session),
        from: None,
        newest_first: true,
    };
    let mut meant = known;
    view.snapshots(&scan, &mut |row| {
        if Some(row.seq) <= known {
            return Flow::Break(Ok(()));
        }
        // One that is damaged may be any.
        let by_itself = row.kind == Kind::Auto.code() && row.is_intact(store);
        if Some(row.seq) > head || !row.counts() || by_itself {
            return Flow::Continue(());
        }
        meant = Some(row.seq);
        Flow::Break(Ok(()))
    })?;
    Ok(meant)
}

/// The deed that was cut off, where asking for `verb` at `target` now means to end it.
pub(crate) fn cut_off<'a>(deeds: &'a [Deed], verb: Verb, target: &Target) -> Option<&'a Deed> {
    let mut there = deeds
        .iter()
        .rev()
        .filter(|deed| deed.detail.target == *target && deed.status != Status::RolledBack);
    let last = there.next()?;
    (last.verb == verb && last.status == Status::Begun).then_some(last)
}

/// Which of the deeds are undone at the end: by place.
pub(crate) fn undone(deeds: &[Deed]) -> Vec<bool> {
    let mut undone = vec![false; deeds.len()];
    // Each deed that stands, with what it did once more, if it is a redo.
    let (mut stands, mut taken_back): (Vec<Vec<usize>>, Vec<Vec<usize>>) = (Vec::new(), Vec::new());
    for (at, deed) in deeds.iter().enumerate() {
        if !deed.counts() {
            continue;
        }
        match deed.verb {
            Verb::Restore | Verb::Rollback => stands.push(vec![at]),
            Verb::Undo => {
                let group = stands.pop().unwrap_or_default();
                if deed.detail.before == Before::Passed {
                    continue;
                }
                group.iter().for_each(|at| mark(&mut undone, *at, true));
                taken_back.push(group);
            }
            Verb::Redo => {
                let mut group = taken_back.pop().unwrap_or_default();
                group.iter().for_each(|at| mark(&mut undone, *at, false));
                group.push(at);
                stands.push(group);
            }
        }
    }
    undone
}

fn mark(undone: &mut [bool], at: usize, value: bool) {
    if let Some(place) = undone.get_mut(at) {
        *place = value;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn deed(seq: i64, verb: Verb, head: i64) -> Deed {
        Deed {
            seq,
            verb,
            status: Status::Done,
            detail: Detail {
                at: 0,
                from: None,
                components: Vec::new(),
                target: Target::Head,
                before: Before::Snapshot(head),
                head: Some(head),
                failure: None,
            },
        }
    }

    fn seqs(deeds: &[&Deed]) -> Vec<i64> {
        deeds.iter().map(|deed| deed.seq).collect()
    }

    #[test]
    fn undo_and_redo_take_turns() {
        let deeds = [
            deed(5, Verb::Rollback, 4),
            deed(6, Verb::Restore, 5),
            deed(7, Verb::Undo, 6),
            deed(8, Verb::Undo, 7),
            deed(9, Verb::Redo, 8),
        ];
        let at = |n: usize, head| {
            let stacks = Stacks::of(&deeds[..n], Some(head));
            (seqs(&stacks.undo), seqs(&stacks.redo))
        };
        assert_eq!(at(0, 4), (vec![], vec![]));
        assert_eq!(at(2, 6), (vec![5, 6], vec![]));
        assert_eq!(at(3, 7), (vec![5], vec![7]));
        assert_eq!(at(4, 8), (vec![], vec![7, 8]));
        assert_eq!(at(5, 9), (vec![9], vec![7]));
        assert_eq!(undone(&deeds[..4]), [true, true, false, false]);
        assert_eq!(undone(&deeds), [false, true, false, false, false]);
    }

    #[test]
    fn a_save_ends_what_could_be_done_again_and_not_what_can_be_undone() {
        let deeds = [
            deed(5, Verb::Rollback, 4),
            deed(6, Verb::Rollback, 5),
            deed(7, Verb::Undo, 6),
        ];
        let stacks = Stacks::of(&deeds, Some(8));
        assert_eq!((seqs(&stacks.undo), seqs(&stacks.redo)), (vec![5], vec![]));
        // Saved between two undos: only the later can be done again.
        let deeds = [&deeds[..], &[deed(10, Verb::Undo, 8)]].concat();
        let stacks = Stacks::of(&deeds, Some(10));
        assert_eq!((seqs(&stacks.undo), seqs(&stacks.redo)), (vec![], vec![10]));
    }

    #[test]
    fn an_undo_that_was_cut_off_is_asked_for_again() {
        let mut deeds = [
            deed(5, Verb::Restore, 4),
            deed(6, Verb::Undo, 5),
            deed(7, Verb::Redo, 6),
        ];
        deeds[1].status = Status::Begun;
        let stacks = Stacks::of(&deeds[..2], Some(5));
        assert_eq!((seqs(&stacks.undo), seqs(&stacks.redo)), (vec![5], vec![]));
        assert_eq!(undone(&deeds[..2]), [false, false]);
        let again = |n: usize, verb| {
            let deed = cut_off(&deeds[..n], verb, &Target::Head);
            deed.map(|deed| deed.seq)
        };
        assert_eq!(again(2, Verb::Undo), Some(6));
        assert_eq!(again(2, Verb::Redo), None);
        assert_eq!(again(1, Verb::Undo), None);
        assert_eq!(
            cut_off(&deeds[..2], Verb::Undo, &Target::File("a".into())),
            None
        );
        // Something else was done there since.
        assert_eq!(again(3, Verb::Undo), None);
        deeds[1].status = Status::Done;
        deeds[2].status = Status::Begun;
        let stacks = Stacks::of(&deeds, Some(6));
        assert_eq!((seqs(&stacks.undo), seqs(&stacks.redo)), (vec![], vec![6]));
        assert_eq!(undone(&deeds), [true, false, false]);
    }

    #[test]
    fn what_is_passed_over_is_not_undone_and_not_done_again() {
        let mut deeds = [
            deed(5, Verb::Rollback, 4),
            deed(6, Verb::Rollback, 5),
            deed(7, Verb::Undo, 6),
            deed(8, Verb::Undo, 7),
        ];
        deeds[3].detail.before = Before::Passed;
        let stacks = Stacks::of(&deeds, Some(7));
        assert_eq!((seqs(&stacks.undo), seqs(&stacks.redo)), (vec![], vec![7]));
        assert_eq!(undone(&deeds), [false, true, false, false]);
    }

    #[test]
    fn what_was_rolled_back_did_not_happen() {
        let mut deeds = [deed(5, Verb::Restore, 4), deed(6, Verb::Restore, 5)];
        deeds[1].status = Status::RolledBack;
        assert_eq!(seqs(&Stacks::of(&deeds, Some(5)).undo), [5]);
    }
}
