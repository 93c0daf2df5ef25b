//! Restoring a player that plays.

use dalsegno::{Document, Engine, Error, ErrorKind, Kind, Request, Result, Snapshot};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{document, read, to_json};
use crate::failed::note_failed;
use crate::player::{Component, LoadedPlayer, Player, State, unreadable};

/// What [`RESTORE`](crate::RESTORE) is asked with.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Restoring {
    /// A reference to the snapshot; nothing where its state goes with the request. Neither the session of its node nor
    /// its channel is taken.
    #[serde(default)]
    pub from: Option<String>,
    /// The words of the components to restore; none: all.
    #[serde(default)]
    pub components: Vec<String>,
}

/// What [`RESTORE`](crate::RESTORE) answers: what the node was read back to hold.
#[derive(Debug, Clone, Serialize)]
pub struct RestoredPlayer {
    /// What was restored.
    #[serde(flatten)]
    pub loaded: LoadedPlayer,
    /// The snapshot that it was restored from.
    pub from: Option<Snapshot>,
    /// The newest state now.
    pub head: Option<Snapshot>,
    /// Why it could not be stored, where that is so: the player plays it all the same, and is saved as it plays.
    pub not_stored: Option<String>,
}

/// Restores on the node first: where that fails, nothing is recorded but what was before.
pub(crate) async fn restore(engine: &Engine, player: &Player, request: &Request) -> Result<Value> {
    let Restoring { from, components } = read(request)?;
    let components = Component::parse(components.iter().map(String::as_str))?;
    let (data, from) = match (from, &request.state) {
        (Some(from), None) => {
            let stored = engine.restore(&from)?;
            (stored.to()?, Some(stored.snapshot().clone()))
        }
        (None, Some(text)) => (document(text)?, None),
        _ => {
            let message = "give a snapshot or a state to restore, one of both";
            return Err(Error::new(ErrorKind::InvalidInput, message));
        }
    };
    // What cannot be read is said before anything is stopped for it.
    if let Err(error) = State::read(&data) {
        return Err(match &from {
            Some(from) => unreadable(from)(error),
            None => error.context(format!("the state for guild {}", player.guild())),
        });
    }
    player
        .freeze(&format!("is restored for {}; try again", request.by))
        .await;
    let done = async {
        let before = player.document()?;
        let keep = |document: Document, label: String| {
            let save = engine.save_document(&request.session, document);
            let said = player.take_said().unwrap_or_else(|| "restore".to_owned());
            save.kind(Kind::Safety).label(label).intent(said).commit()
        };
        let label = format!(
            "before the restore of {}",
            from.as_ref()
                .map_or("a file".to_owned(), |from| from.id.to_string())
        );
        keep(before.clone(), label.clone())?;
        let loaded = player.load_still(&data, &components).await?;
        // Once more on top, so that undo leads back there, and redo to what was restored.
        let wanted = keep(player.document()?, "restored".to_owned());
        let head = wanted.and_then(|wanted| {
            keep(before, label)?;
            // Where nothing is otherwise in the store, the node was told all the same, and undo tells it again.
            let restore = engine.put_back(&wanted.id.to_string()).even_if_equal();
            match restore.apply()?.head {
                Some(head) => Ok(head),
                None => engine.info(&format!("{}@latest", request.session)),
            }
        });
        Ok((loaded, head))
    };
    let (loaded, head) = match done.await {
        Ok(done) => done,
        Err(error) => {
            let from = from.as_ref().map(|from| from.id);
            let noted = note_failed(engine, &request.session, player, from, &components, &error);
            player.thaw().await;
            return Err(match noted {
                Ok(()) => error,
                Err(_) => error.context("the log could not be told that this failed"),
            });
        }
    };
    player.move_on();
    let (head, not_stored) = match head {
        Ok(head) => (Some(head), None),
        Err(error) => (None, Some(error.to_string())),
    };
    to_json(&RestoredPlayer {
        loaded,
        from,
        head,
        not_stored,
    })
}
