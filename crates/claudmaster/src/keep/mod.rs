//! Where the states of snapshots are kept.

mod clones;
mod stored;
mod texts;

use dalsegno::{Kind, Result};
use uuid::Uuid;

use crate::snapshot::StateSnapshot;

pub use clones::Clones;
pub use stored::Stored;
pub use texts::Texts;
pub(crate) use texts::{read, write};

/// A place for the states of a session's snapshots. A state that comes back shares nothing with one that
/// was given out before.
pub trait Keep<S> {
    /// What a snapshot has of its state.
    type Held;

    /// Keeps the session's state as it is now.
    ///
    /// # Errors
    /// What the place says; nothing was kept.
    fn keep(&mut self, session: &S, about: &About<'_>) -> Result<Kept<Self::Held>>;

    /// The state of a snapshot.
    ///
    /// # Errors
    /// `Damaged` where it is not as it was kept, `InvalidInput` where it does not have the session's shape,
    /// `NotFound` where somebody else deleted it.
    fn state(&self, snapshot: &StateSnapshot, held: &Self::Held) -> Result<S>;

    /// Forgets a state that no snapshot has any more.
    fn forget(&mut self, held: Self::Held);

    /// The session is about to go back to this snapshot, or with some of its `fields` only, where any are
    /// named.
    ///
    /// # Errors
    /// What the place says; the session then stays where it is.
    fn roll_back(&mut self, _snapshot: &StateSnapshot, _fields: &[&str]) -> Result<()> {
        Ok(())
    }
}

/// What is known of a snapshot before it is kept.
#[derive(Debug, Clone, Copy)]
pub struct About<'a> {
    /// A short text for people.
    pub label: &'a str,
    /// The session's turn.
    pub turn_count: i64,
    /// Why it is taken.
    pub kind: Kind,
}

/// A state that was kept.
#[derive(Debug)]
pub struct Kept<H> {
    /// What the snapshot has of it.
    pub held: H,
    /// The id and time it was given there; where it was given none, the manager does it.
    pub given: Option<(Uuid, jiff::Timestamp)>,
}
