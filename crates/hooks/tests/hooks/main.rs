//! Hooks as they meet the world: programs that are slow, receivers that fail.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test that cannot go on has failed"
)]

mod command;
mod house;
mod migrate;
mod queue;
mod refused;
mod server;
mod tls;
mod webhook;
