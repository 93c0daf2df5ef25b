//! A new bot in the place of an old one: all players at once, or batch by batch, each with the old one's consent.

use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use dalsegno::{Error, ErrorKind, Holding, Result};
use serde::Serialize;
use tokio::sync::oneshot;
use tokio::task::JoinSet;
use tokio::time::sleep;

use crate::bot::{Bot, blocking};
use crate::left::guild_of;
use crate::take::{TakenOver, Taker};

/// A player that another bot has.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Offered {
    /// Its guild.
    pub guild: u64,
    /// Its session.
    pub session: String,
    /// The program that has it open, or left it.
    pub by: String,
}

/// How players are taken over batch by batch.
#[derive(Debug, Clone, Copy)]
pub struct Rolling {
    /// How many at once: 5 unless said.
    pub batch: usize,
    /// How long to wait between two batches: 10 s unless said.
    pub between: Duration,
    /// In what time each has to be handed over: 60 s unless said.
    pub timeout: Duration,
}

impl Default for Rolling {
    fn default() -> Self {
        Self {
            batch: 5,
            between: Duration::from_secs(10),
            timeout: Duration::from_secs(60),
        }
    }
}

/// What became of a player that was to be taken over.
#[derive(Debug, Clone, Serialize)]
#[non_exhaustive]
pub struct Taking {
    /// Its guild.
    pub guild: u64,
    /// What it is here.
    pub taken: Option<TakenOver>,
    /// Why it is not here. The other bot goes on with it.
    pub error: Option<Error>,
}

impl Bot {
    /// Looks whether this bot could take players over, and which there are. Nothing is changed.
    ///
    /// # Errors
    /// `Unreachable` where no node of this bot answers; `Storage` where the store cannot be read.
    pub async fn prepare(&self) -> Result<Vec<Offered>> {
        for node in self.client().nodes() {
            node.rest().info().await?;
        }
        self.client().world().choose(None)?;
        let (engine, app) = (Arc::clone(self.engine()), self.app().to_owned());
        blocking(move || {
            let own = engine.open_sessions();
            let mut offered = Vec::new();
            for holder in engine.holders()? {
                let is_own = own.iter().any(|(session, _)| *session == holder.session);
                let Some(guild) = guild_of(&app, &holder.session) else {
                    continue;
                };
                if is_own || holder.standing == Holding::Closed {
                    continue;
                }
                let by = holder.program.unwrap_or_else(|| "a program".to_owned());
                offered.push(Offered {
                    guild,
                    session: holder.session,
                    by,
                });
            }
            offered.sort_by_key(|it| it.guild);
            Ok(offered)
        })
        .await
    }

    /// Takes one player over: the bot that has it stands still and saves it, it is put on a node here and read back
    /// there, and is this bot's from then on. Where any of that fails, the other bot goes on with it.
    ///
    /// # Errors
    /// As [`Engine::take_handover`](dalsegno::Engine::take_handover); of the node; `InvalidInput` where nobody here could hear
    /// it.
    pub async fn take_over(&self, guild: u64, timeout: Duration) -> Result<TakenOver> {
        let taker = Taker::new(self.engine(), self.client());
        self.take_with(taker, guild, timeout).await
    }

    async fn take_with(&self, taker: Taker, guild: u64, timeout: Duration) -> Result<TakenOver> {
        let session = self.session(guild);
        let taken = blocking(move || taker.take(&session, guild, timeout, || Ok(()))).await?;
        self.keep(&self.client().get_player(guild)).await?;
        Ok(taken)
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
        let offered = self.prepare().await?;
        let taker = Taker::new(self.engine(), self.client());
        let together = Arc::new(Together::of(offered.len()));
        let mut answers = Vec::new();
        for it in offered {
            let (taker, together) = (taker.clone(), Arc::clone(&together));
            let (done, answer) = oneshot::channel();
            let guild = it.guild;
            // They wait for each other: a pool could be too small for that.
            let thread = std::thread::Builder::new().spawn({
                let together = Arc::clone(&together);
                move || {
                    let taken = taker.take(&it.session, guild, timeout, || together.ready(timeout));
                    let taken = taken.inspect_err(|error| together.fail(guild, error));
                    drop(done.send(taken));
                }
            });
            if let Err(error) = thread {
                together.fail(guild, &Error::io("starting a thread", error));
            }
            answers.push((guild, answer));
        }
        let (mut all, mut failed) = (Vec::new(), None);
        for (guild, answer) in answers {
            match answer.await {
                Ok(Ok(taken)) => {
                    self.keep(&self.client().get_player(guild)).await?;
                    all.push(taken);
                }
                Ok(Err(error)) => failed = failed.or(Some(error)),
                Err(_) => {}
            }
        }
        match together.why().or(failed) {
            None => Ok(all),
            Some(error) if all.is_empty() => Err(error),
            // It was too late for some of them, after all were ready.
            Some(error) => Err(error.context(format!(
                "{} were taken over and stay here, others went back",
                all.len()
            ))),
        }
    }

    /// Rolling: takes the players of other bots over batch by batch. One that fails goes back alone.
    ///
    /// # Errors
    /// As [`prepare`](Bot::prepare).
    pub async fn take_rolling(&self, rolling: &Rolling) -> Result<Vec<Taking>> {
        let offered = self.prepare().await?;
        let taker = Taker::new(self.engine(), self.client());
        let mut all = Vec::with_capacity(offered.len());
        for (index, batch) in offered.chunks(rolling.batch.max(1)).enumerate() {
            if index > 0 {
                sleep(rolling.between).await;
            }
            let mut tasks = JoinSet::new();
            for it in batch {
                let (taker, it, timeout) = (taker.clone(), it.clone(), rolling.timeout);
                tasks.spawn(async move {
                    let guild = it.guild;
                    let take = move || taker.take(&it.session, guild, timeout, || Ok(()));
                    (guild, blocking(take).await)
                });
            }
            for (guild, taken) in tasks.join_all().await {
                let kept = match taken {
                    Ok(taken) => {
                        let kept = self.keep(&self.client().get_player(guild)).await;
                        kept.map(|()| taken)
                    }
                    Err(error) => Err(error),
                };
                let (taken, error) = match kept {
                    Ok(taken) => (Some(taken), None),
                    Err(error) => (None, Some(error)),
                };
                all.push(Taking {
                    guild,
                    taken,
                    error,
                });
            }
        }
        all.sort_by_key(|it| it.guild);
        Ok(all)
    }

    /// Verifies that every player of this bot is its own by the store, and that its node plays what it should. Answers
    /// for each that is not so why.
    pub async fn verify(&self) -> Vec<(u64, Error)> {
        let own = self.engine().open_sessions();
        let mut wrong = Vec::new();
        for player in self.client().players() {
            let guild = player.guild();
            let session = self.session(guild);
            let checked = if own.iter().any(|(name, _)| *name == session) {
                player.check().await
            } else {
                let message = format!("{session} is not open here");
                Err(Error::new(ErrorKind::Conflict, message))
            };
            if let Err(error) = checked {
                wrong.push((guild, error));
            }
        }
        wrong
    }
}

/// All are ready, or none stays.
struct Together {
    state: Mutex<Ready>,
    changed: Condvar,
}

struct Ready {
    missing: usize,
    failed: Option<Error>,
}

impl Together {
    fn of(number: usize) -> Self {
        Self {
            state: Mutex::new(Ready {
                missing: number,
                failed: None,
            }),
            changed: Condvar::new(),
        }
    }

    fn state(&self) -> MutexGuard<'_, Ready> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// One is; waits for the others.
    fn ready(&self, timeout: Duration) -> Result<()> {
        let until = Instant::now() + timeout;
        let mut state = self.state();
        state.missing = state.missing.saturating_sub(1);
        self.changed.notify_all();
        loop {
            if let Some(error) = &state.failed {
                return Err(error.clone());
            }
            if state.missing == 0 {
                return Ok(());
            }
            let left = until.saturating_duration_since(Instant::now());
            if left.is_zero() {
                let message = "not all were ready in time";
                return Err(Error::new(ErrorKind::Conflict, message));
            }
            let waited = self.changed.wait_timeout(state, left);
            state = waited.unwrap_or_else(PoisonError::into_inner).0;
        }
    }

    /// One cannot be; the first one is why.
    fn fail(&self, guild: u64, error: &Error) {
        let mut state = self.state();
        if state.failed.is_none() {
            state.failed = Some(error.clone().context(format!("guild {guild}")));
        }
        self.changed.notify_all();
    }

    fn why(&self) -> Option<Error> {
        self.state().failed.clone()
    }
}
