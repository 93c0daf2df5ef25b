//! Players on a scripted node.

#![allow(missing_docs, clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod asked;
mod comes_back;
mod deploys;
mod playing;
mod restoring;
mod world;
