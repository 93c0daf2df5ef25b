//! Players on a scripted node.

#![allow(missing_docs, clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod comes_back;
mod nodes;
mod playing;
mod restoring;
mod world;
