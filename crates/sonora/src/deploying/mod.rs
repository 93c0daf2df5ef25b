//! Taking players over, one by one, batch by batch, or all together.

mod asked;
mod taking;
mod together;

use std::sync::Arc;
use std::time::Duration;

use dalsegno::{Engine, Error, ErrorKind, Holding, Result};
use tokio::sync::oneshot;
use tokio::task::JoinSet;
use tokio::time::sleep;

pub(crate) use asked::take;
pub use asked::{Deployed, Deployment};
pub use taking::{Offered, Rolling, Taking};
use together::Together;

use crate::blocking::blocking;
use crate::client::Client;
use crate::keeper::Keeper;
use crate::left::guild_of;
use crate::take::{TakenOver, Taker};

/// What a bot takes players over with.
#[derive(Clone)]
pub(crate) struct Deploying {
    pub(crate) client: Arc<Client>,
    pub(crate) engine: Arc<Engine>,
    pub(crate) keeper: Arc<Keeper>,
}

impl Deploying {
    pub(crate) async fn prepare(&self) -> Result<Vec<Offered>> {
        let node = self.client.world().choose(None)?;
        node.rest().info().await?;
        let (engine, app) = (Arc::clone(&self.engine), self.keeper.keeping.app.clone());
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

    pub(crate) async fn take_over(&self, guild: u64, timeout: Duration) -> Result<TakenOver> {
        let taker = Taker::new(&self.engine, &self.client);
        self.take_with(taker, guild, timeout).await
    }

    async fn take_with(&self, taker: Taker, guild: u64, timeout: Duration) -> Result<TakenOver> {
        let session = self.keeper.session(guild);
        let taken = blocking(move || taker.take(&session, guild, timeout, || Ok(()))).await?;
        self.keeper.keep(&self.client.get_player(guild)).await?;
        Ok(taken)
    }

    pub(crate) async fn take_all(&self, timeout: Duration) -> Result<Vec<TakenOver>> {
        let offered = self.prepare().await?;
        let taker = Taker::new(&self.engine, &self.client);
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
                    self.keeper.keep(&self.client.get_player(guild)).await?;
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

    pub(crate) async fn take_rolling(&self, rolling: &Rolling) -> Result<Vec<Taking>> {
        let offered = self.prepare().await?;
        let taker = Taker::new(&self.engine, &self.client);
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
                        let kept = self.keeper.keep(&self.client.get_player(guild)).await;
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

    pub(crate) async fn verify(&self) -> Vec<(u64, Error)> {
        let own = self.engine.open_sessions();
        let mut wrong = Vec::new();
        for player in self.client.players() {
            let guild = player.guild();
            let session = self.keeper.session(guild);
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
