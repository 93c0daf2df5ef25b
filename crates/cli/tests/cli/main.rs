//! The `dalsegno` command as users meet it: the real program, its output and its exit codes.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::print_stderr,
    reason = "a test that cannot go on has failed"
)]

mod carry;
mod common;
mod damage;
mod day;
mod demo;
mod diff;
mod init;
mod list;
mod man;
mod pipe;
mod progress;
mod prove;
mod refuse_input;
mod refuse_store;
mod restore;
mod save;
mod show;
mod stats;
mod usage;
