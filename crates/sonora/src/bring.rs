//! Bringing players back: to the node that they are on, where it went on without us, or to any other.

use std::sync::Arc;

use dalsegno::{Error, ErrorKind, Result};
use serde::Serialize;
use tokio::sync::Semaphore;
use tokio::task::JoinSet;

use crate::event::Happened;
use crate::player::{Agreed, Player};
use crate::restore::Wanted;
use crate::world::World;

/// How many players are brought back at once.
const AT_ONCE: usize = 64;

/// What became of a player.
#[derive(Debug, Clone, Serialize)]
#[non_exhaustive]
pub struct Brought {
    /// Its guild.
    pub guild: u64,
    /// Where it plays now, or would.
    pub node: Option<String>,
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
    /// It was not, and why. What is stored of it stays.
    Failed {
        /// Why.
        why: Error,
    },
}

/// Brings players back, many at once; one that fails holds up no other. `resumed` says that their node went on with
/// their session.
pub(crate) async fn bring_back(
    world: &Arc<World>,
    players: Vec<Player>,
    resumed: bool,
) -> Vec<Brought> {
    let gate = Arc::new(Semaphore::new(AT_ONCE));
    let mut tasks = JoinSet::new();
    for player in players {
        let (world, gate) = (Arc::clone(world), Arc::clone(&gate));
        tasks.spawn(async move {
            // It is never closed.
            let _one = gate.acquire().await;
            let how = one(&world, &player, resumed).await;
            if let How::Failed { why } = &how {
                player.happened(Happened::Failed(why.to_string()));
            }
            let node = player.node().map(|node| node.name().to_owned());
            if let (How::PutBack, Some(node)) = (&how, &node) {
                player.happened(Happened::Moved(node.clone()));
            }
            player.changed(None);
            Brought {
                guild: player.guild(),
                node,
                how,
            }
        });
    }
    let mut all = tasks.join_all().await;
    all.sort_by_key(|brought| brought.guild);
    all
}

async fn one(world: &Arc<World>, player: &Player, resumed: bool) -> How {
    if resumed {
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
            Err(why) => return How::Failed { why },
        }
    }
    match player.put_back(world).await {
        Ok(()) => How::PutBack,
        Err(why) => How::Failed { why },
    }
}

impl Player {
    /// Puts the player where it was: in its channel, with its track at its position, on its node or another one.
    ///
    /// # Errors
    /// Of the node, of [`Voice::join`](crate::Voice::join); `Conflict` where the node does not hold it.
    pub(crate) async fn put_back(&self, world: &Arc<World>) -> Result<()> {
        let _turn = self.turn().await;
        if self.is_found() {
            return Ok(());
        }
        let state = self.state();
        if state.is_idle() && state.channel.is_none() {
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
