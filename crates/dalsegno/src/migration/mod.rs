//! Schema migrations: a program's steps from one version of its documents to the next.
//!
//! What is saved stays as it was saved. [`Migration`]s make the current shape of it where a state is read as a value
//! of the program; [`Migrations`] are those of a program, and find the way from any version to the newest.
//! [`Rehearsal`] is what they would do to everything that is stored.

mod chain;
mod rehearsal;
mod step;
#[cfg(test)]
mod tests;

pub use chain::Migrations;
pub use rehearsal::{NotMigrated, Rehearsal, RehearsedStep};
pub use step::Migration;
