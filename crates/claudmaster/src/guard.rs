//! After each turn: is the state sound, and is a snapshot due? A broken state goes back by itself.

use std::fmt;

use dalsegno::{ErrorKind, Kind};
use serde::Serialize;
use uuid::Uuid;

use crate::error::{Result, RollbackError};
use crate::keep::Keep;
use crate::manager::RollbackManager;
use crate::snapshot::StateSnapshot;

/// What a guard found and did.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[must_use = "it says whether the session went back"]
pub enum Guarded {
    /// The state is sound, or nobody said what that is; nothing was changed.
    Sound,
    /// The state was broken. The session is now the newest snapshot that is sound.
    RolledBack {
        /// What the check found in the session.
        why: String,
        /// The snapshot that the session went back to.
        to: StateSnapshot,
        /// The snapshots after it that are no better, newest first.
        passed_over: Vec<PassedOver>,
    },
}

/// A snapshot that was no good.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct PassedOver {
    /// Its id.
    pub snapshot: Uuid,
    /// What was found: by the check, or on the way to its state.
    pub why: String,
}

/// What came of a turn.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Turn {
    /// What the check found.
    pub guarded: Guarded,
    /// The snapshot that was due.
    pub snapshot: Option<StateSnapshot>,
}

impl<S, K: Keep<S>> RollbackManager<S, K> {
    /// Tells the manager that a turn is over. The state is checked first, as by [`guard`](Self::guard); where
    /// it is sound and the turns since the last automatic snapshot are enough, one is taken. A broken state
    /// never becomes a snapshot by itself.
    ///
    /// The turns count from the last automatic snapshot, or from where the session began or went back to; by
    /// the session's own turn, not by calls.
    ///
    /// # Errors
    /// As [`guard`](Self::guard) and [`create_snapshot`](Self::create_snapshot).
    pub fn turn_done(&mut self) -> Result<Turn> {
        let guarded = self.guard()?;
        let mut snapshot = None;
        // Where the session went back, turns count from there, and none is due.
        if self.is_due() {
            snapshot = Some(self.create("auto", Kind::Auto)?);
            self.counted_from = (self.turn)(&self.session);
        }
        Ok(Turn { guarded, snapshot })
    }

    fn is_due(&mut self) -> bool {
        let now = (self.turn)(&self.session);
        // The program itself put the session back: turns count from there.
        self.counted_from = self.counted_from.min(now);
        self.every > 0 && now.abs_diff(self.counted_from) >= u64::from(self.every)
    }

    /// Checks the session's state. Where it is broken, the session goes back to the newest snapshot that is
    /// sound, and the answer says what was wrong and which snapshot it is.
    ///
    /// # Errors
    /// [`NoneSound`](RollbackError::NoneSound) where there is no such snapshot;
    /// [`NotRestored`](RollbackError::NotRestored) where the store failed, so that a snapshot could be sound
    /// and cannot be had now. The session is then as it was: broken.
    pub fn guard(&mut self) -> Result<Guarded> {
        let Some(Err(why)) = self.check.as_ref().map(|check| check.run(&self.session)) else {
            return Ok(Guarded::Sound);
        };
        let mut passed_over = Vec::new();
        for at in (0..self.entries.len()).rev() {
            let found = match self.state_at(at) {
                Ok(state) => match self.check.as_ref().map(|check| check.run(&state)) {
                    Some(Err(why)) => Err(why),
                    _ => Ok(state),
                },
                Err(error) if is_lost(error.kind()) => Err(error.to_string()),
                Err(error) => return Err(error),
            };
            let snapshot = self.entries.get(at).map(|(snapshot, _)| snapshot.clone());
            match (found, snapshot) {
                (Ok(state), Some(to)) => {
                    self.go_back(at, &[], state)?;
                    return Ok(Guarded::RolledBack {
                        why,
                        to,
                        passed_over,
                    });
                }
                (Err(why), Some(snapshot)) => passed_over.push(PassedOver {
                    snapshot: snapshot.snapshot_id,
                    why,
                }),
                (_, None) => {}
            }
        }
        Err(RollbackError::NoneSound { why, passed_over })
    }
}

/// Whether waiting would not help.
fn is_lost(kind: ErrorKind) -> bool {
    matches!(
        kind,
        ErrorKind::Damaged | ErrorKind::InvalidInput | ErrorKind::NotFound
    )
}

impl fmt::Display for Guarded {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Sound => f.write_str("the state is sound"),
            Self::RolledBack {
                why,
                to,
                passed_over,
            } => {
                write!(
                    f,
                    "the state was broken ({why}); rolled back to snapshot {} (label: {}, turn: {})",
                    to.snapshot_id, to.label, to.turn_count
                )?;
                match passed_over.len() {
                    0 => Ok(()),
                    1 => f.write_str("; the one after it is no better"),
                    n => write!(f, "; the {n} after it are no better"),
                }
            }
        }
    }
}
