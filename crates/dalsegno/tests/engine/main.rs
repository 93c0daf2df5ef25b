//! What the engine promises, put to the test through its public face and its store's trait.
#![allow(clippy::unwrap_used, clippy::panic)] // clippy allows it in tests, but not in what they call

mod acceptance;
mod access;
mod amend;
mod ask;
mod autosave;
mod backups;
mod backups_lost;
mod common;
mod conformance;
mod damaged_names;
mod decoders;
mod destination;
mod documents;
mod encryption;
mod errors;
mod events;
mod expect;
mod format;
mod format_2;
mod format_3;
mod format_4;
mod guards;
mod handover;
mod leases;
mod marks;
mod migration;
mod model;
mod on_sqlite;
mod pages;
mod partly;
mod purge;
mod read_only;
mod rebuild;
mod recovery;
mod regressions;
mod repair;
mod repair_audit;
mod repair_source;
mod rest;
mod sharing;
mod stats;
mod turns;

/// What tests of programs that share a store run on; [`on_sqlite`] has them once more.
use common::memory as fresh;
