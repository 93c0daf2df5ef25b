//! The shrink guard: what a state has lost, and how it comes back. Decisions only: nothing is read from a store or
//! written here.
//!
//! [`GuardRule`]s name the lists of a session that lose no items without a word; a [`GuardPolicy`] gives them to the
//! sessions of a pattern, and [`choose`] finds the one for a session. [`loss`] says what a new state has lost of
//! an earlier one; a fuller state is kept as a [`Generation`]. [`judge`] says whether that was an accident, and
//! [`merge`] and [`restore`] bring back what was lost and keep what is newer.

mod elsewhere;
mod history;
mod identity;
mod items;
mod layout;
mod limits;
mod loss;
mod merge;
mod pairs;
mod path;
#[cfg(test)]
mod promises;
mod rule;
mod status;

pub(crate) use history::clears;
pub(crate) use limits::{Aged, Overdue, overdue};

pub use history::{Generation, Intent, restore};
pub use loss::{Loss, loss, loss_in_texts};
pub use merge::{Merge, Merged, Returned, Undecided, merge};
pub use rule::{End, GENERATIONS, GuardPolicy, GuardRule, MAX_AGE, choose};
pub use status::{GuardStatus, Judgement, Recommendation, judge};
