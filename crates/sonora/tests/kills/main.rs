//! A bot that is killed while its guilds play, alone or with a node, again and again.

#![allow(
    missing_docs,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout
)]

mod bot;
mod guild;
mod house;
mod rounds;
mod truth;
