//! The verbs of a bot, which other programs ask for: they work on what plays now.

mod queue;
mod restore;
mod save;
mod stored;

use dalsegno::{Error, ErrorKind, Request, Result};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use crate::plain::plain;

pub use queue::LiveQueue;
pub(crate) use queue::{queue, state};
pub(crate) use restore::restore;
pub use restore::{RestoredPlayer, Restoring};
pub(crate) use save::save;
pub use save::{SavedPlayer, Saving};
pub use stored::{merge_stored, restore_stored};

/// Captures the player now, as a snapshot: [`Saving`] in, [`SavedPlayer`] out.
pub const SAVE: &str = "sonora.save";
/// Puts a snapshot's state on the node, and makes it the newest: [`Restoring`] in, [`RestoredPlayer`] out.
pub const RESTORE: &str = "sonora.restore";
/// What plays, and what will: nothing in, [`LiveQueue`] out.
pub const QUEUE: &str = "sonora.queue";
/// The document of the player as it is now: nothing in.
pub const STATE: &str = "sonora.state";

/// Takes the players of other bots over: asked of a bot's own session, `APP/bot/NAME`. [`Deployment`](crate::Deployment) in,
/// [`Deployed`](crate::Deployed) out.
pub const TAKE: &str = "sonora.take";

/// Those of a player.
pub(crate) const VERBS: [&str; 4] = [SAVE, RESTORE, QUEUE, STATE];

pub(crate) fn read<T: DeserializeOwned>(request: &Request) -> Result<T> {
    let none = json!({});
    let given = if request.arguments.is_null() {
        &none
    } else {
        &request.arguments
    };
    T::deserialize(given).map_err(|e| {
        let message = format!("the arguments of {}: {}", request.verb, plain(&e));
        Error::new(ErrorKind::InvalidInput, message)
    })
}

pub(crate) fn to_json<T: Serialize>(value: &T) -> Result<Value> {
    serde_json::to_value(value).map_err(|e| {
        Error::new(ErrorKind::Storage, "the answer cannot be written as JSON").with_source(e)
    })
}

/// A state as text.
pub(crate) fn document(text: &[u8]) -> Result<Value> {
    serde_json::from_slice(text).map_err(|e| {
        Error::new(ErrorKind::InvalidInput, "the state of a player is no JSON").with_source(e)
    })
}
