//! The verbs, each adding itself to [`Handle`](crate::handle::Handle).

pub(crate) mod access;
pub(crate) mod ask;
pub(crate) mod audit;
pub(crate) mod auto;
pub(crate) mod backup;
pub(crate) mod event;
pub(crate) mod guard;
pub(crate) mod keep;
pub(crate) mod key;
pub(crate) mod lease;
pub(crate) mod put;
pub(crate) mod read;
pub(crate) mod repair;
pub(crate) mod save;
pub(crate) mod scrub;
pub(crate) mod transfer;
