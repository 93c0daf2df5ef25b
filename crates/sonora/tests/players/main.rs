//! Players on a scripted node.

#![allow(missing_docs, clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod archive;
mod comes_back;
mod playing;
mod restoring;
mod world;
