//! Players on a scripted node.

#![allow(missing_docs, clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod comes_back;
mod in_trouble;
mod playing;
mod restoring;
mod world;
