//! Bringing players back: to the node that they are on, where it went on without us, or to any other.

use std::sync::Arc;

use dalsegno::{Error, ErrorKind, Result};
use serde::Serialize;
use tokio::task::JoinSet;

use crate::event::Happened;
use crate::player::{Agreed, Component, Player};
use crate::restore::Wanted;
use crate::world::World;

/// What became of a player.
#[derive(Debug, Clone, Serialize)]
#[non_exhaustive]
pub struct Brought {
    /// Its guild.
    pub guild: u64,
    /// Where it plays now, or would.
    pub node: Option<String>,
    /// Whether that node has its voice connection: without one, nobody hears it.
    pub connected: bool,
    /// How.
    #[serde(flatten)]
    pub how: How,
}

/// How a player was brought back.
#[derive(Debug, Clone, Serialize)]
#[serde(tag = "how", rename_all = "snake_case")]
#[non_exhaustive]
pub enum How {
    /// It had gone on without us: nothing audible changed.
    Kept,
    /// The track ended meanwhile: the next one was begun.
    WentOn,
    /// It was put there again, where it was.
    PutBack,
    /// Its stored state was restored, undone or rolled back while no bot had it: that was put there, whatever the node
    /// played.
    Restored,
    /// It was not, and why. What is stored of it stays.
    Failed {
        /// Why.
        why: Error,
    },
}

/// What is known of players that are to be brought back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Found {
    /// Their node went on with their session.
    There,
    /// It did not.
    Gone,
    /// Their state is another one than what was last played, on purpose.
    Restored,
}

/// Brings players back, many at once; one that fails holds up no other.
pub(crate) async fn bring_back(
    world: &Arc<World>,
    players: Vec<Player>,
    found: Found,
) -> Vec<Brought> {
    let mut tasks = JoinSet::new();
    for player in players {
        let world = Arc::clone(world);
        tasks.spawn(async move {
            let how = one(&world, &player, found).await;
            if let How::Failed { why } = &how {
                player.happened(Happened::Failed(why.to_string()));
            }
            let node = player.node().map(|node| node.name().to_owned());
            if let (How::PutBack | How::Restored, Some(node)) = (&how, &node) {
                player.happened(Happened::Moved(node.clone()));
            }
            player.changed(None);
            Brought {
                guild: player.guild(),
                node,
                connected: player.locked().connected,
                how,
            }
        });
    }
    let mut all = tasks.join_all().await;
    all.sort_by_key(|brought| brought.guild);
    all
}

async fn one(world: &Arc<World>, player: &Player, found: Found) -> How {
    if found == Found::There {
        // What the node tells of the time without us comes first.
        player.caught_up().await;
        let mut agreed = player.agree().await;
        if let (Ok(Agreed::Silent), Some(node)) = (&agreed, player.node()) {
            // That a track ended just now may be on its way.
            node.caught_up().await;
            player.caught_up().await;
            agreed = player.agree().await;
        }
        match agreed {
            Ok(Agreed::Silent) => {}
            Ok(agreed) => {
                player.find();
                return if agreed == Agreed::Ended {
                    How::WentOn
                } else {
                    How::Kept
                };
            }
            Err(error) if error.kind() == ErrorKind::NotFound => {}
            Err(why) => {
                player.stray(format!("nobody knows what its node plays: {why}"));
                return How::Failed { why };
            }
        }
    }
    if found == Found::Restored {
        player.caught_up().await;
        player.move_on();
    } else {
        // Whoever has it stand still may leave it as it was.
        player.moves().await;
    }
    match player.put_back(world, found == Found::Restored).await {
        Ok(()) if found == Found::Restored => How::Restored,
        Ok(()) => How::PutBack,
        Err(why) => {
            // Where a node comes and goes, it is noted once.
            if player.stray(format!("not on the node: {why}")) {
                let all = Component::ALL.to_vec();
                player.note_failed(all, why.clone()).await;
            }
            How::Failed { why }
        }
    }
}

impl Player {
    /// Puts the player where it was: in its channel, with its track at its position, on its node or another one. One
    /// that has nothing to play is put there only where that is `meant`.
    ///
    /// # Errors
    /// Of the node, of [`Voice::join`](crate::Voice::join); `Conflict` where the node does not hold it.
    pub(crate) async fn put_back(&self, world: &Arc<World>, meant: bool) -> Result<()> {
        let _turn = self.free_turn().await?;
        if !meant && self.is_found() {
            return Ok(());
        }
        let state = self.state();
        if !meant && state.is_idle() && state.channel.is_none() {
            self.find();
            return Ok(());
        }
        let joins = state.channel.filter(|_| world.can_join());
        let voice = match (self.voice(), joins) {
            (Some(voice), _) => Some(voice),
            (None, Some(channel)) => Some(world.join(self.guild(), channel).await?),
            (None, None) => None,
        };
        self.keep_voice(voice.clone());
        let position = Some(self.last_position());
        self.try_put(
            Wanted {
                state,
                position,
                voice,
            },
            |_| {},
        )
        .await?;
        self.find();
        Ok(())
    }
}
