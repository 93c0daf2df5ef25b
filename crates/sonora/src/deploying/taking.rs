//! What is offered, how it is taken, and what became of it.

use std::time::Duration;

use dalsegno::Error;
use serde::Serialize;

use crate::take::TakenOver;

/// A player that another bot has.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Offered {
    /// Its guild.
    pub guild: u64,
    /// Its session.
    pub session: String,
    /// The program that has it open, or left it.
    pub by: String,
}

/// How players are taken over batch by batch.
#[derive(Debug, Clone, Copy)]
pub struct Rolling {
    /// How many at once: 5 unless said.
    pub batch: usize,
    /// How long to wait between two batches: 10 s unless said.
    pub between: Duration,
    /// In what time each has to be handed over: 60 s unless said.
    pub timeout: Duration,
}

impl Default for Rolling {
    fn default() -> Self {
        Self {
            batch: 5,
            between: Duration::from_secs(10),
            timeout: Duration::from_secs(60),
        }
    }
}

/// What became of a player that was to be taken over.
#[derive(Debug, Clone, Serialize)]
#[non_exhaustive]
pub struct Taking {
    /// Its guild.
    pub guild: u64,
    /// What it is here.
    pub taken: Option<TakenOver>,
    /// Why it is not here. The other bot goes on with it.
    pub error: Option<Error>,
}
