//! The verbs, one file each.

pub(crate) mod asking;
pub(crate) mod completions;
pub(crate) mod config;
pub(crate) mod demo;
pub(crate) mod doctor;
pub(crate) mod events;
pub(crate) mod export;
pub(crate) mod fork;
pub(crate) mod hermes;
pub(crate) mod import;
pub(crate) mod init;
pub(crate) mod lease;
pub(crate) mod log;
pub(crate) mod man;
pub(crate) mod policy;
pub(crate) mod put;
pub(crate) mod recover;
pub(crate) mod report;
pub(crate) mod rollback;
pub(crate) mod rules;
pub(crate) mod snapshot;
pub(crate) mod stats;
pub(crate) mod trust;
pub(crate) mod undo;
pub(crate) mod verify;
pub(crate) mod watch;
