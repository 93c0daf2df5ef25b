//! The node as a client meets it.

#![allow(missing_docs, clippy::unwrap_used, clippy::expect_used)]

mod client;
mod faults;
mod oddities;
mod playing;
mod rest;
mod sessions;
mod tracks;
