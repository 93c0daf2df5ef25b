//! The shrink guard: what a state has lost, and how it comes back. Decisions only: nothing is read from a store or
//! written here.
//!
//! [`GuardRule`]s name the lists of a session that lose no items without a word; a [`GuardPolicy`] gives them to the
//! sessions of a pattern, and [`choose`] finds the one for a session. [`loss`] says what a new state has lost of
//! an earlier one.

mod identity;
mod items;
mod loss;
mod pairs;
mod path;
mod rule;

pub use loss::{Loss, loss, loss_in_texts};
pub use rule::{End, GENERATIONS, GuardPolicy, GuardRule, MAX_AGE, choose};
