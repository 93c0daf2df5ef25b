//! A watch on a real folder. What it tells is awaited; nothing here goes by how fast it is.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test that cannot go on has failed"
)]

mod again;
mod changes;
mod common;
mod format;
mod lease;
mod odd;
mod restore;
mod storm;
