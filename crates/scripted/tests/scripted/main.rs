//! The node as a client meets it.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test that cannot go on has failed"
)]

mod client;
mod faults;
mod many;
mod oddities;
mod playing;
mod rest;
mod sessions;
mod tracks;
mod voice;
