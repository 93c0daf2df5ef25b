//! Going back: which earlier state is meant, counted from where the session stands.

use crate::deed;
use crate::delete;
use crate::engine::Engine;
use crate::error::{Error, ErrorKind, Result};
use crate::model::{Operation, Snapshot, SnapshotId, Verb};
use crate::restore::{Restore, Source};
use crate::show;
use crate::store::{Flow, Scan, View};

/// How far to go back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Back {
    /// So many states. A rollback counts as the state it went back to: two rollbacks of one step are two steps.
    Steps(u32),
    /// To this snapshot of the session.
    To(String),
}

impl Engine {
    /// Prepares to go back: as [`put_back`](Engine::put_back), and the log says so. Nothing is lost by
    /// it: the states since stay in the history, and the rollback can be [undone](Engine::undo).
    ///
    /// ```
    /// # fn main() -> dalsegno::Result<()> {
    /// # let folder = tempfile::tempdir().unwrap();
    /// # let engine = dalsegno::Engine::create(folder.path().join("store.db"))?;
    /// for turn in 1..=3 {
    ///     engine.save("game/1", &serde_json::json!({ "turn": turn })).commit()?;
    /// }
    /// engine.rollback("game/1", &dalsegno::Back::Steps(1))?.apply()?;
    /// assert_eq!(engine.restore("game/1@latest")?.text(), br#"{"turn":2}"#);
    /// engine.undo("game/1")?.apply()?;
    /// assert_eq!(engine.restore("game/1@latest")?.text(), br#"{"turn":3}"#);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// `NotFound` where there is nothing so far back; `InvalidInput` where the snapshot is another
    /// session's.
    pub fn rollback(&self, session: &str, back: &Back) -> Result<Restore<'_>> {
        let to = match back {
            Back::Steps(steps) => self.steps_back(session, *steps)?,
            Back::To(reference) => self.info(reference)?,
        };
        if to.session != session {
            return Err(Error::invalid(format!(
                "snapshot {} is of session {}, not of {session}; `fork` begins a session from another's",
                to.id, to.session
            )));
        }
        Ok(Restore::new(
            self,
            Verb::Rollback,
            Source::Snapshot(to.id.seq()),
        ))
    }

    /// As [`rollback`](Engine::rollback), where the document that is gone back from is at hand and may
    /// not be saved: then the newest snapshot is the first step.
    ///
    /// # Errors
    /// As [`rollback`](Engine::rollback).
    pub fn rollback_live(&self, session: &str, back: &Back) -> Result<Restore<'_>> {
        match back {
            Back::Steps(steps) => self.rollback(session, &Back::Steps(steps.saturating_sub(1))),
            Back::To(_) => self.rollback(session, back),
        }
    }

    fn steps_back(&self, session: &str, steps: u32) -> Result<Snapshot> {
        let newest = self.info(&format!("{session}@latest"))?;
        let view = self.view()?;
        let id = &self.store().info().id;
        let row = show::known_session(&*view, id, session)?;
        let mut at = newest;
        for step in 0..steps {
            let (place, mut same) = self.place(&*view, &at)?;
            let mut before = None;
            let stands = view.snapshot(place)?;
            let stands = stands.filter(|at| at.session == row.id && show::check(at, id).is_ok());
            // Where the place itself is deleted or damaged, the way there leads on.
            let mut way = stands
                .as_ref()
                .map_or_else(|| show::Way::from(&row), show::Way::after);
            let scan = Scan {
                session: Some(row.id),
                from: stands.map(|at| at.seq),
                newest_first: true,
            };
            view.snapshots(&scan, &mut |row| {
                if row.seq >= place {
                    drop(way.step(&row, id));
                    return Flow::Continue(());
                }
                let passed = way.expected().is_some_and(|seq| seq >= place);
                let on_the_way = if passed {
                    way = show::Way::after(&row);
                    Ok(())
                } else {
                    way.step(&row, id)
                };
                // One that is passed over would make it another state.
                match show::check(&row, id).and(on_the_way) {
                    // Of an unchanged snapshot, the next that counts is the one it is unchanged from.
                    Ok(()) if row.counts() && std::mem::take(&mut same) => Flow::Continue(()),
                    Ok(()) if row.counts() => {
                        before = Some(row);
                        Flow::Break(Ok(()))
                    }
                    Ok(()) => Flow::Continue(()),
                    Err(error) => Flow::Break(Err(error)),
                }
            })?;
            if before.is_none() && way.expected().is_some_and(|seq| seq < place) {
                way.end(id)?;
            }
            let before = before.ok_or_else(|| {
                let earlier = match step {
                    0 => "no state".to_owned(),
                    1 => "only 1 state".to_owned(),
                    _ => format!("only {step} states"),
                };
                Error::not_found(format!(
                    "there is nothing to go back to: {session} has {earlier} before the one where it \
                     stands; nothing was changed"
                ))
            })?;
            at = self.describe(&*view, &before)?;
        }
        Ok(at)
    }

    /// Where in the history a snapshot stands: one that went to an earlier state stands there. And
    /// whether that one is unchanged.
    fn place(&self, view: &dyn View, snapshot: &Snapshot) -> Result<(i64, bool)> {
        let mut at = snapshot.clone();
        loop {
            let whole = at.same_as.is_some();
            let from = match &at.operation {
                Some(
                    Operation::Restore { from }
                    | Operation::Rollback { from }
                    | Operation::Undo { from }
                    | Operation::Redo { from },
                ) if whole && *from < at.id => *from,
                _ => return Ok((at.id.seq(), at.unchanged)),
            };
            let row = view.snapshot(from.seq())?;
            match row.map(|row| self.describe(view, &row)) {
                // Deleted or damaged, it still says where it stood, if all of it was put back.
                None if self.was_whole(view, &at, from)? => return Ok((from.seq(), false)),
                None => return Ok((at.id.seq(), at.unchanged)),
                Some(Err(error)) if error.kind() == ErrorKind::Damaged => {
                    let whole = self.was_whole(view, &at, from)?;
                    let own = (at.id.seq(), at.unchanged);
                    return Ok(if whole { (from.seq(), false) } else { own });
                }
                Some(Err(error)) => return Err(error),
                // Components of it made a state that was there already, and is another.
                Some(Ok(next)) if next.checksum != at.checksum => {
                    return Ok((at.id.seq(), at.unchanged));
                }
                Some(Ok(next)) => at = next,
            }
        }
    }

    /// Whether `at` has the state of `from`, which is in the history no more: as far as the trash, or the log,
    /// can tell.
    fn was_whole(&self, view: &dyn View, at: &Snapshot, from: SnapshotId) -> Result<bool> {
        let id = &self.store().info().id;
        if at.same_as == Some(from) {
            return Ok(true);
        }
        if let Some(row) = view.trashed(from.seq())?
            && let Ok(deleted) = delete::shown(&row, &at.session, id)
        {
            return Ok(deleted.snapshot.checksum == at.checksum);
        }
        let Some(session) = view.session(&at.session)? else {
            return Ok(false);
        };
        let rows = deed::rows(view, session.id)?;
        let own = rows.iter().find(|row| row.seq == at.id.seq());
        let own = own.and_then(|row| deed::Deed::read(row, id).ok());
        Ok(own.is_some_and(|deed| deed.detail.components.is_empty()))
    }
}
