//! A new bot in the place of an old one: all players at once, or batch by batch, each with the old one's consent.

use std::sync::Arc;
use std::time::Duration;

use dalsegno::{Error, Result};

use crate::bot::Bot;
use crate::deploying::{Deploying, Offered, Rolling, Taking};
use crate::take::TakenOver;

impl Bot {
    fn deploying(&self) -> Deploying {
        Deploying {
            client: Arc::clone(self.client()),
            engine: Arc::clone(self.engine()),
            keeper: Arc::clone(self.keeper()),
        }
    }

    /// Looks whether this bot could take players over, and which there are. Nothing is changed.
    ///
    /// # Errors
    /// `Unreachable` where no node of this bot answers; `Storage` where the store cannot be read.
    pub async fn prepare(&self) -> Result<Vec<Offered>> {
        self.deploying().prepare().await
    }

    /// Takes one player over: the bot that has it stands still and saves it, it is put on a node here and read back
    /// there, and is this bot's from then on. Where any of that fails, the other bot goes on with it.
    ///
    /// # Errors
    /// As [`Engine::take_handover`](dalsegno::Engine::take_handover); of the node; `InvalidInput` where nobody here could hear
    /// it.
    pub async fn take_over(&self, guild: u64, timeout: Duration) -> Result<TakenOver> {
        self.deploying().take_over(guild, timeout).await
    }

    /// Blue-green: takes all players of other bots over, or none. Each is put on a node here and read back; once all
    /// are, they are this bot's. Where one cannot be, all go back, and the other bot goes on with them.
    ///
    /// To roll back afterwards, the old bot does the same, as long as it runs.
    ///
    /// # Errors
    /// As [`prepare`](Bot::prepare); what kept one of them from being taken. Where some went back because it was too late
    /// for them after all were ready, it says how many stay here.
    pub async fn take_all(&self, timeout: Duration) -> Result<Vec<TakenOver>> {
        self.deploying().take_all(timeout).await
    }

    /// Rolling: takes the players of other bots over batch by batch. One that fails goes back alone.
    ///
    /// # Errors
    /// As [`prepare`](Bot::prepare).
    pub async fn take_rolling(&self, rolling: &Rolling) -> Result<Vec<Taking>> {
        self.deploying().take_rolling(rolling).await
    }

    /// Verifies that every player of this bot is its own by the store, and that its node plays what it should. Answers
    /// for each that is not so why.
    pub async fn verify(&self) -> Vec<(u64, Error)> {
        self.deploying().verify().await
    }
}
