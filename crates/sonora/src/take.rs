//! Taking one player over from the bot that has it, with its consent and without a gap.

use std::sync::Arc;
use std::time::Duration;

use dalsegno::{Engine, Error, ErrorKind, Peer, Restored, Result};
use jiff::Timestamp;
use serde::Serialize;
use serde_json::Value;
use tokio::runtime::Handle;
use tokio::sync::Semaphore;

use crate::client::Client;
use crate::left::Left;
use crate::player::unreadable;

/// How many players are put on nodes at once.
const AT_ONCE: usize = 64;

/// A player that was taken over.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct TakenOver {
    /// Its guild.
    pub guild: u64,
    /// Who handed it over; nothing where no program had it any more.
    pub by: Option<Peer>,
    /// The number of this writer among all that the session had.
    pub epoch: i64,
    /// The node that it is on now.
    pub node: Option<String>,
    /// The title of the track that plays.
    pub current: Option<String>,
    /// Where it plays, in milliseconds.
    pub position: u64,
    /// How many tracks are upcoming.
    pub upcoming: usize,
}

/// What takes players over, one in a thread.
#[derive(Clone)]
pub(crate) struct Taker {
    engine: Arc<Engine>,
    client: Arc<Client>,
    runtime: Handle,
    gate: Arc<Semaphore>,
}

impl Taker {
    /// In the runtime that the players live in.
    pub(crate) fn new(engine: &Arc<Engine>, client: &Arc<Client>) -> Self {
        Self {
            engine: Arc::clone(engine),
            client: Arc::clone(client),
            runtime: Handle::current(),
            gate: Arc::new(Semaphore::new(AT_ONCE)),
        }
    }

    /// Has the player here, playing, unless `agreed` objects, which is asked once it does. Where it cannot be, it goes
    /// on where it was.
    pub(crate) fn take(
        &self,
        session: &str,
        guild: u64,
        timeout: Duration,
        agreed: impl FnOnce() -> Result<()>,
    ) -> Result<TakenOver> {
        let mut put = false;
        let handed = self.engine.take_handover(session, timeout, |state| {
            put = true;
            self.runtime.block_on(self.put(guild, state))?;
            agreed()
        });
        let handed = handed.inspect_err(|_| {
            if put {
                self.runtime.block_on(self.let_go(guild));
            }
        })?;
        let player = self.client.get_player(guild);
        let state = player.state();
        Ok(TakenOver {
            guild,
            by: handed.by,
            epoch: handed.epoch,
            node: player.node().map(|node| node.name().to_owned()),
            current: state.queue.current.as_ref().map(|it| it.info.title.clone()),
            position: state.position(),
            upcoming: state.queue.upcoming.len(),
        })
    }

    /// Puts it on a node of this client, and reads it back there.
    async fn put(&self, guild: u64, state: Option<&Restored>) -> Result<()> {
        let Some(state) = state else {
            return Ok(());
        };
        let document: Value = state.to()?;
        let ago = Timestamp::now().duration_since(state.snapshot().created_at);
        let left = Left::read(guild, &document, ago.try_into().unwrap_or_default());
        let left = left.map_err(unreadable(state.snapshot()))?;
        let world = self.client.world();
        if left.state.connected && left.state.channel.is_some() && !world.can_join() {
            return Err(Error::new(
                ErrorKind::InvalidInput,
                "this client cannot join voice channels by itself, so nobody would hear the player: give it a voice; \
                 or stop the old bot, and start the new one, which finds the players on their nodes",
            ));
        }
        // It is never closed.
        let _one = self.gate.acquire().await;
        let (player, _) = self.client.adopt(&left);
        if !player.node().is_some_and(|node| node.is_up()) {
            player.sit(None);
        }
        player.put_back(world, false).await
    }

    async fn let_go(&self, guild: u64) {
        let Some(player) = self.client.player(guild) else {
            return;
        };
        // Where its node was lost meanwhile, it may be on its way to another one: it would be heard twice.
        player.freeze("was given back").await;
        player.leave();
        if player.node().is_some_and(|node| node.is_up()) {
            // Where its node does not answer, it ends with the node's session.
            drop(player.end().await);
        }
    }
}
