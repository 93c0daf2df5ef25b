//! Snapshots of players as files: taken, and loaded again.

use dalsegno::{Error, ErrorKind, Result};
use jiff::Timestamp;
use serde_json::Value;

use crate::file::SnapshotFile;
use crate::player::{Component, LoadedPlayer, Player};

impl Player {
    /// A snapshot of this moment, which is consistent: no change is half in it.
    ///
    /// # Errors
    /// As [`document`](Player::document).
    pub fn snapshot(&self) -> Result<SnapshotFile> {
        let text = self.document()?.to_text();
        let data = serde_json::from_slice(&text).map_err(|e| {
            Error::new(ErrorKind::InvalidInput, "the player's state is no JSON").with_source(e)
        })?;
        Ok(SnapshotFile::taken(self.guild(), Timestamp::now(), data))
    }

    /// Makes these components of this player what the snapshot says: see [`load`](Player::load).
    ///
    /// # Errors
    /// As [`load`](Player::load); `InvalidInput` for a snapshot of another guild.
    pub async fn load_snapshot(
        &self,
        snapshot: &SnapshotFile,
        components: &[Component],
    ) -> Result<LoadedPlayer> {
        if snapshot.guild_id != self.guild() {
            return Err(Error::new(
                ErrorKind::InvalidInput,
                format!(
                    "the snapshot is of guild {}, not of guild {}; load its data where that is meant",
                    snapshot.guild_id,
                    self.guild()
                ),
            ));
        }
        self.load(&Value::Object(snapshot.data.clone()), components)
            .await
    }
}
