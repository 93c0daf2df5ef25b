//! The live session and its snapshots: taking, listing, going back.

use std::collections::VecDeque;
use std::sync::Arc;

use dalsegno::Kind;
use dalsegno::clock::Clock;
use uuid::{Builder, Uuid};

use crate::check::Check;
use crate::error::{Result, RollbackError};
use crate::keep::{About, Clones, Keep, Stored, Texts};
use crate::settings::Settings;
use crate::snapshot::StateSnapshot;

/// A session and its last snapshots. [`Settings`] makes one.
///
/// A snapshot shares nothing with the live session, so that no edit shows in it, and the same snapshot can be
/// gone back to any number of times. After any error the session is as it was.
pub struct RollbackManager<S, K: Keep<S> = Texts> {
    /// The live session; a rollback puts the state that was kept in its place.
    pub session: S,
    /// How many snapshots are kept. A lower limit takes hold with the next snapshot or
    /// [`clear_old_snapshots`](Self::clear_old_snapshots).
    pub max_snapshots: usize,
    /// After how many turns [`turn_done`](Self::turn_done) takes a snapshot by itself; 0 is never.
    pub every: u32,
    pub(crate) turn: fn(&S) -> i64,
    pub(crate) check: Option<Check<S>>,
    /// The turn that the next automatic snapshot is counted from.
    pub(crate) counted_from: i64,
    pub(crate) entries: VecDeque<(StateSnapshot, K::Held)>,
    pub(crate) keep: K,
    clock: Arc<dyn Clock>,
}

/// A manager whose snapshots are clones of a session of shared structures.
pub type SharedRollbackManager<S> = RollbackManager<S, Clones>;

/// A manager whose snapshots are in a store.
pub type DurableRollbackManager<S> = RollbackManager<S, Stored>;

impl<S, K: Keep<S>> RollbackManager<S, K> {
    pub(crate) fn make(
        settings: Settings<S>,
        session: S,
        keep: K,
        known: Vec<(StateSnapshot, K::Held)>,
    ) -> Self {
        let auto = known
            .iter()
            .rev()
            .find(|(known, _)| known.kind == Kind::Auto);
        let now = (settings.turn)(&session);
        let counted_from = auto.map_or(now, |(auto, _)| auto.turn_count);
        Self {
            session,
            max_snapshots: settings.max_snapshots,
            every: settings.every,
            turn: settings.turn,
            check: settings.check,
            counted_from,
            entries: known.into(),
            keep,
            clock: settings.clock,
        }
    }

    /// Takes a snapshot of the session as it is now. What is beyond the limit goes, the oldest first.
    ///
    /// # Errors
    /// [`NotTaken`](RollbackError::NotTaken) where the session cannot be written, or the store refuses.
    pub fn create_snapshot(&mut self, label: &str) -> Result<StateSnapshot> {
        self.create(label, Kind::Manual)
    }

    pub(crate) fn create(&mut self, label: &str, kind: Kind) -> Result<StateSnapshot> {
        let turn_count = (self.turn)(&self.session);
        let about = About {
            label,
            turn_count,
            kind,
        };
        let kept = self.keep.keep(&self.session, &about);
        let kept = kept.map_err(RollbackError::NotTaken)?;
        let (snapshot_id, timestamp) = kept.given.unwrap_or_else(|| {
            let id = Builder::from_random_bytes(self.clock.random());
            (id.into_uuid(), self.clock.now())
        });
        let snapshot = StateSnapshot {
            snapshot_id,
            label: label.to_owned(),
            timestamp,
            turn_count,
            kind,
        };
        self.entries.push_back((snapshot.clone(), kept.held));
        self.clear_old_snapshots();
        Ok(snapshot)
    }

    /// Puts the session back to a snapshot. The snapshot and those after it stay.
    ///
    /// # Errors
    /// [`NotFound`](RollbackError::NotFound) with the ids there are;
    /// [`NotRestored`](RollbackError::NotRestored) where its state cannot be had back. The session is then
    /// as it was.
    pub fn rollback_to(&mut self, snapshot_id: Uuid) -> Result<()> {
        let at = self.place(snapshot_id)?;
        let state = self.state_at(at)?;
        self.go_back(at, &[], state)
    }

    /// Puts the session back to the newest snapshot.
    ///
    /// # Errors
    /// [`NoSnapshots`](RollbackError::NoSnapshots), or as [`rollback_to`](Self::rollback_to).
    pub fn rollback_last(&mut self) -> Result<()> {
        let (newest, _) = self.entries.back().ok_or(RollbackError::NoSnapshots)?;
        self.rollback_to(newest.snapshot_id)
    }

    /// Forgets the oldest snapshots beyond the limit.
    pub fn clear_old_snapshots(&mut self) {
        while self.entries.len() > self.max_snapshots {
            if let Some((_, held)) = self.entries.pop_front() {
                self.keep.forget(held);
            }
        }
    }

    /// All snapshots, oldest first.
    #[must_use]
    pub fn list_snapshots(&self) -> Vec<StateSnapshot> {
        self.snapshots().cloned().collect()
    }

    /// All snapshots, oldest first, without a copy of the list.
    pub fn snapshots(&self) -> impl DoubleEndedIterator<Item = &StateSnapshot> {
        self.entries.iter().map(|(snapshot, _)| snapshot)
    }

    /// How many snapshots there are.
    #[must_use]
    pub fn snapshot_count(&self) -> usize {
        self.entries.len()
    }

    /// The state of a snapshot, a value of its own.
    ///
    /// # Errors
    /// As [`rollback_to`](Self::rollback_to).
    pub fn state_of(&self, snapshot_id: Uuid) -> Result<S> {
        self.state_at(self.place(snapshot_id)?)
    }

    /// Where the states are.
    #[must_use]
    pub fn keep(&self) -> &K {
        &self.keep
    }

    /// The session, without its snapshots.
    #[must_use]
    pub fn into_session(self) -> S {
        self.session
    }

    pub(crate) fn place(&self, snapshot_id: Uuid) -> Result<usize> {
        let mut ids = self.snapshots().map(|snapshot| snapshot.snapshot_id);
        ids.position(|id| id == snapshot_id)
            .ok_or_else(|| RollbackError::NotFound {
                snapshot: snapshot_id,
                available_snapshots: self.snapshots().map(|s| s.snapshot_id).collect(),
            })
    }

    pub(crate) fn state_at(&self, at: usize) -> Result<S> {
        let (snapshot, held) = self.entries.get(at).ok_or(RollbackError::NoSnapshots)?;
        let state = self.keep.state(snapshot, held);
        state.map_err(|error| not_restored(snapshot, error))
    }

    /// The session becomes `state`: that of the snapshot at a place, or only its `fields` where some are
    /// named.
    pub(crate) fn go_back(&mut self, at: usize, fields: &[&str], state: S) -> Result<()> {
        let (snapshot, _) = self.entries.get(at).ok_or(RollbackError::NoSnapshots)?;
        let told = self.keep.roll_back(snapshot, fields);
        told.map_err(|error| not_restored(snapshot, error))?;
        self.session = state;
        self.counted_from = (self.turn)(&self.session);
        Ok(())
    }
}

pub(crate) fn not_restored(snapshot: &StateSnapshot, error: dalsegno::Error) -> RollbackError {
    RollbackError::NotRestored {
        snapshot: snapshot.snapshot_id,
        error,
    }
}
