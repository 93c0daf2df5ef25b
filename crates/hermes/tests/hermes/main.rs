//! Sessions that are one JSON file each: what counts, what is restored, and that nothing is lost on the way.
#![allow(
    clippy::expect_used,
    clippy::panic,
    clippy::print_stderr,
    clippy::print_stdout,
    clippy::unwrap_used,
    reason = "a test that cannot go on has failed"
)]

mod common;
mod displaced;
mod full_disk;
mod incidents;
mod memory;
mod pieces;
mod preview;
mod python;
mod recover_all;
mod rights;
mod save;
mod statuses;
mod texts;
mod together;
