//! Configuration as users meet it: files in folders, layers over each other, trust.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test that cannot go on has failed"
)]

mod check;
mod docs;
mod hooks;
mod house;
mod key;
mod keys;
mod migrations;
mod precedence;
mod search;
mod token;
mod trust;
