//! Standing still: while its state is put back or handed over, nobody else changes a player.

use dalsegno::{Error, ErrorKind, Result};
use tokio::sync::MutexGuard;

use super::{Player, locked};

impl Player {
    /// From now on whoever wants to change it is refused, with `why`, and what its node tells waits. What was begun
    /// is ended first.
    pub(crate) async fn freeze(&self, why: &str) {
        let _turn = self.turn().await;
        self.hold_still(why);
    }

    /// As [`freeze`](Player::freeze), where nothing can have begun yet.
    pub(crate) fn hold_still(&self, why: &str) {
        // An edit does not wait for its turn.
        let _state = self.locked();
        locked(&self.shared.seat).still = Some(why.to_owned());
    }

    /// It goes on as it was, with what its node told meanwhile.
    pub(crate) async fn thaw(&self) {
        let missed = {
            let mut seat = locked(&self.shared.seat);
            seat.still = None;
            std::mem::take(&mut seat.missed)
        };
        self.shared.moves.notify_waiters();
        for event in missed {
            self.hear(event).await;
        }
    }

    /// It goes on with the state that it was given meanwhile.
    pub(crate) fn move_on(&self) {
        {
            let mut seat = locked(&self.shared.seat);
            seat.still = None;
            // That was of what it played before.
            seat.missed.clear();
        }
        self.shared.moves.notify_waiters();
        self.changed(None);
    }

    /// It stands still for good: it is no player of this client any more.
    pub(crate) fn leave(&self) {
        if let Ok(world) = self.world() {
            world.forget(self.guild());
        }
        self.shared.moves.notify_waiters();
    }

    /// Waits until it does not stand still, or for good.
    pub(crate) async fn moves(&self) {
        loop {
            let moves = self.shared.moves.notified();
            let left = (self.world()).map_or(true, |it| !it.players().contains_key(&self.guild()));
            if left || !self.is_still() {
                return;
            }
            moves.await;
        }
    }

    /// Ends it on its node, as it stands here.
    pub(crate) async fn end(&self) -> Result<()> {
        match self.node() {
            Some(node) => node.end(self.guild()).await,
            None => Ok(()),
        }
    }

    pub(crate) fn is_still(&self) -> bool {
        locked(&self.shared.seat).still.is_some()
    }

    /// Refuses while it stands still.
    pub(crate) fn check_moves(&self) -> Result<()> {
        match &locked(&self.shared.seat).still {
            None => Ok(()),
            Some(why) => Err(Error::new(
                ErrorKind::Conflict,
                format!("the player of guild {} {why}", self.guild()),
            )),
        }
    }

    /// The turn of whoever wants to change it.
    pub(crate) async fn free_turn(&self) -> Result<MutexGuard<'_, ()>> {
        let turn = self.turn().await;
        self.check_moves()?;
        Ok(turn)
    }
}
