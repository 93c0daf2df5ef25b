//! Programs that share a store, once more: in a file, of which each program has a handle of its own.
#![allow(clippy::duplicate_mod)] // on purpose

use crate::common::sqlite as fresh;

#[path = "ask.rs"]
mod ask;
#[path = "handover.rs"]
mod handover;
