//! Rollback snapshots of a running session: an AI game master's, or any other that goes by turns.
//!
//! A [`RollbackManager`] has the live session and its last snapshots, takes one by itself every few turns,
//! and goes back where a [`Check`] finds the state broken. Where snapshots are kept is chosen when it is
//! made, from [`Settings`]:
//!
//! | made by | snapshots are | for sessions that are | a snapshot costs |
//! | --- | --- | --- | --- |
//! | [`Settings::shared`] | clones | `Clone` in constant time, such as those of [`dalsegno::List`] | the same at any length |
//! | [`Settings::serialised`] | JSON, the newest whole, others as what differs | `Serialize + DeserializeOwned` | one serialisation; memory by what changed |
//! | [`Settings::durable`] | in a [`dalsegno::Engine`] | `Serialize + DeserializeOwned` | a durable commit |
//!
//! [`States`] keeps texts in this way for programs that have no Rust value of their session.

mod check;
mod delta;
mod error;
mod fields;
mod guard;
pub mod keep;
mod manager;
mod resync;
mod settings;
mod snapshot;
mod states;

pub use check::{Check, Fields, Type};
pub use error::{Result, RollbackError};
pub use fields::GAME_FIELDS;
pub use guard::{Guarded, PassedOver, Turn};
pub use manager::{DurableRollbackManager, RollbackManager, SharedRollbackManager};
pub use settings::Settings;
pub use snapshot::StateSnapshot;
pub use states::{Key, States};
pub use uuid::Uuid;
