//! The `dalsegno` command as users meet it: the real program, its output and its exit codes.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::print_stderr,
    reason = "a test that cannot go on has failed"
)]

mod access;
mod amend;
mod ask;
mod audit;
mod backup;
mod carry;
mod cleanup;
mod common;
mod config;
mod damage;
mod day;
mod demo;
mod diff;
mod fork;
mod guard;
mod hermes;
mod hooks;
mod init;
mod key;
mod key_sources;
mod lease;
mod list;
mod log;
mod man;
mod marks;
mod migrate;
mod pipe;
mod policy;
mod progress;
mod prove;
mod refuse_input;
mod refuse_store;
mod restore;
mod rollback;
mod save;
mod sealed;
mod session;
mod show;
mod sonoractl;
mod sonoractl_files;
mod sonoractl_node;
mod sonoractl_restore;
mod sonoractl_trouble;
mod sonoractl_undo;
mod stage;
mod stats;
mod token_sources;
mod trash;
mod trust;
mod undo;
mod usage;
mod watch;
