//! The last resort: any state that can be restored, else a clean one.

use dalsegno::{Kind, Query, Result, Snapshot};
use serde::Serialize;
use serde_json::Value;

use crate::blocking::blocking;
use crate::bot::Bot;
use crate::player::{Component, LoadedPlayer, Player, State, unreadable};

/// So many of the newest snapshots are tried.
const TRIED: usize = 5;

/// What came of an emergency.
#[derive(Debug, Serialize)]
#[non_exhaustive]
pub struct Emergency {
    /// The snapshot that was restored; nothing where none could be, and the player was reset.
    pub snapshot: Option<Snapshot>,
    /// The player as it is now.
    pub player: LoadedPlayer,
    /// What was tried before, and why it could not be restored.
    pub failed: Vec<(String, String)>,
}

impl Bot {
    /// Restores the player of a guild from `preferred`, a reference to a snapshot, if it is given; else from the
    /// newest of its five newest states that can be restored; else resets it to a clean state.
    ///
    /// # Errors
    /// Where even that cannot be done: the node is gone, or the guild has no player. The player is as it was.
    pub async fn emergency_restore(
        &self,
        guild: u64,
        preferred: Option<&str>,
    ) -> Result<Emergency> {
        let player = self.get_player(guild).await?;
        let session = self.session(guild);
        let mut failed = Vec::new();
        let newest = match self.newest(&session).await {
            Ok(newest) => newest,
            Err(error) => {
                failed.push((session, error.to_string()));
                Vec::new()
            }
        };
        let references = preferred.map(str::to_owned).into_iter().chain(newest);
        for reference in references {
            match self.try_one(&player, &reference).await {
                Ok((snapshot, player)) => {
                    return Ok(Emergency {
                        snapshot: Some(snapshot),
                        player,
                        failed,
                    });
                }
                Err(error) => failed.push((reference, error.to_string())),
            }
        }
        let player = player.reset().await?;
        Ok(Emergency {
            snapshot: None,
            player,
            failed,
        })
    }

    async fn newest(&self, session: &str) -> Result<Vec<String>> {
        let (engine, query) = (
            self.engine().clone(),
            Query {
                limit: 4 * TRIED,
                ..Query::session(session)
            },
        );
        let page = blocking(move || engine.list(&query)).await?;
        let own = page
            .snapshots
            .iter()
            .filter(|it| !it.unchanged && it.kind != Kind::Safety);
        Ok(own.take(TRIED).map(|it| it.id.to_string()).collect())
    }

    async fn try_one(&self, player: &Player, reference: &str) -> Result<(Snapshot, LoadedPlayer)> {
        let (engine, reference) = (self.engine().clone(), reference.to_owned());
        let restored = blocking(move || engine.restore(&reference)).await?;
        let data: Value = restored.to()?;
        State::read(&data).map_err(unreadable(restored.snapshot()))?;
        let loaded = player.load(&data, &Component::ALL).await?;
        Ok((restored.snapshot().clone(), loaded))
    }
}
