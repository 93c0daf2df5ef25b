//! Going back with some of the session's fields, the others staying as they are.

use dalsegno::{Error, ErrorKind};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};
use uuid::Uuid;

use crate::error::Result;
use crate::keep::{Keep, read, write};
use crate::manager::{RollbackManager, not_restored};

/// The fields that a game goes back with: its turn, what was said, its agents and what is kept besides.
/// Its ids, configuration and start are not among them.
pub const GAME_FIELDS: [&str; 4] = [
    "turn_count",
    "conversation_history",
    "active_agents",
    "metadata",
];

impl<S: Serialize + DeserializeOwned, K: Keep<S>> RollbackManager<S, K> {
    /// Puts some fields of the session back to a snapshot: members of its JSON object. The others stay as
    /// they are in the live session. [`GAME_FIELDS`] are those of a game.
    ///
    /// # Errors
    /// As [`rollback_to`](Self::rollback_to); [`NotRestored`](crate::RollbackError::NotRestored) also where
    /// the snapshot does not have a field, or the session is no object.
    pub fn rollback_fields_to(&mut self, snapshot_id: Uuid, fields: &[&str]) -> Result<()> {
        let at = self.place(snapshot_id)?;
        let kept = self.state_at(at)?;
        let state = with_fields(&self.session, &kept, fields);
        let state = state.map_err(|error| match self.entries.get(at) {
            Some((snapshot, _)) => not_restored(snapshot, error),
            None => crate::RollbackError::NoSnapshots,
        })?;
        self.go_back(at, fields, state)
    }
}

/// The live session with the fields of the one that was kept.
fn with_fields<S>(live: &S, kept: &S, fields: &[&str]) -> dalsegno::Result<S>
where
    S: Serialize + DeserializeOwned,
{
    let (mut live, mut kept) = (object(live)?, object(kept)?);
    for field in fields {
        let value = kept.remove(*field).ok_or_else(|| {
            let message = format!("the snapshot has no field {field}");
            Error::new(ErrorKind::NotFound, message)
        })?;
        live.insert((*field).to_owned(), value);
    }
    let text = serde_json::to_vec(&live)
        .map_err(|e| Error::new(ErrorKind::InvalidInput, e.to_string()).with_source(e))?;
    read(&text)
}

fn object<S: Serialize>(session: &S) -> dalsegno::Result<Map<String, Value>> {
    let mut text = Vec::new();
    write(session, &mut text)?;
    read(&text)
}
