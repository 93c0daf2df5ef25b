//! What is known of a snapshot beside its state.

use dalsegno::Kind;
use jiff::Timestamp;
use serde::Serialize;
use uuid::Uuid;

/// A snapshot as it is listed; [`RollbackManager::state_of`](crate::RollbackManager::state_of) has its state.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct StateSnapshot {
    /// Its id. Of a durable snapshot it is the engine's: every verb of the engine answers to it.
    pub snapshot_id: Uuid,
    /// A short text for people; need not be unique.
    pub label: String,
    /// When it was taken; as JSON, an ISO 8601 time in UTC.
    pub timestamp: Timestamp,
    /// The session's turn when it was taken.
    pub turn_count: i64,
    /// Whether somebody asked for it ([`Kind::Manual`]) or a number of turns was over ([`Kind::Auto`]).
    pub kind: Kind,
}
