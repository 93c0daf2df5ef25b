//! Leases: which program may write a session, until when, and what becomes of one that lost it.
//!
//! A lease is a note beside the session. Giving it to somebody raises the session's era, so that every writer that
//! knew the session before has to look again, and finds out: a save costs nothing more for it.

mod heart;
mod held;
mod process;
pub(crate) mod rows;

pub(crate) use heart::{Heart, number};
pub(crate) use held::{Leases, Standing};
