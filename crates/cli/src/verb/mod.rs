//! The verbs, one file each.

pub(crate) mod demo;
pub(crate) mod doctor;
pub(crate) mod export;
pub(crate) mod import;
pub(crate) mod init;
pub(crate) mod snapshot;
pub(crate) mod verify;
