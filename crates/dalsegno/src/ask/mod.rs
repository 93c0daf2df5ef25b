//! Requests: what a program that has not the lease of a session asks of the one that has it.
//!
//! A request is a note in the store. Each step of it (asked, taken, answered) is one exchange of that note, so that
//! it is carried out once or not at all, whoever ends in the middle of it.

mod asking;
mod attend;
mod attendant;
mod deeds;
mod gates;
mod handover;
mod look;
mod orphan;
mod pass;
mod request;
mod rows;
mod turns;
mod wait;

pub use asking::Ask;
pub use attend::Attending;
pub use attendant::{Attendant, Reply};
pub(crate) use gates::{Gates, Within};
pub use handover::HandedOver;
pub use look::Looking;
pub use request::{Answer, Peer, Request};
pub(crate) use request::{Asked, MARK};

use std::time::Duration;

/// How often the store is looked at: where nothing happened, that costs some microseconds.
const PAUSE: Duration = Duration::from_millis(10);

/// How often it is looked whether a program is still there, in milliseconds: when one ends, the store does not change.
const LOOK: u64 = 100;

/// How much longer than it waits whoever asks is counted as there, in milliseconds.
const GRACE: u64 = 2_000;
