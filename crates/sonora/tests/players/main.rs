//! Players on a scripted node.

#![allow(
    missing_docs,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout
)]

mod archive;
mod asked;
mod astray;
mod comes_back;
mod deploys;
mod in_trouble;
mod meanwhile;
mod nodes;
mod playing;
mod restoring;
mod stood_still;
mod tls;
mod told;
mod world;
