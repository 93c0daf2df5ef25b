//! A client whose players are sessions of an engine: kept while they play, brought back after anything.

use std::sync::Arc;
use std::time::Duration;

use dalsegno::guard::{End, GuardPolicy, GuardRule};
use dalsegno::retention::Rules;
use dalsegno::{AutoSave, AutoSaving, Engine, Error, ErrorKind, Recovered, Result, State as Saved};
use jiff::Timestamp;
use serde::Serialize;
use serde_json::Value;
use tokio::task::spawn_blocking;

use crate::bring::Brought;
use crate::client::{Client, Left, Options};
use crate::player::Player;

/// How players are kept.
#[derive(Debug, Clone)]
pub struct Keeping {
    /// Sessions are called `APP/GUILD`: `sonora` unless said.
    pub app: String,
    /// How often a player is saved by itself, beside every change of what it plays: 30 s unless said.
    pub every: Duration,
    /// Which automatic snapshots are kept; all, unless said.
    pub keep: Option<Rules>,
}

impl Default for Keeping {
    fn default() -> Self {
        Self {
            app: "sonora".to_owned(),
            every: Duration::from_secs(30),
            keep: None,
        }
    }
}

/// What is guarded of players: a queue that is played off and a history that forgets its oldest lose nothing by it.
///
/// # Errors
/// `InvalidInput` for a name that no session can begin with.
pub fn guard(app: &str) -> Result<GuardPolicy> {
    let upcoming = GuardRule::new("queue.upcoming").consumed(End::Front);
    let history = GuardRule::new("queue.history").trimmed(End::Front);
    let policy = GuardPolicy::new(format!("{app}/*"))
        .list(upcoming)
        .list(history);
    policy.check()?;
    Ok(policy)
}

/// What was found at a start.
#[derive(Debug, Default, Serialize)]
#[non_exhaustive]
pub struct Recovery {
    /// Sessions that a bot left without closing them, and whether their newest states were intact.
    pub sessions: Vec<Recovered>,
    /// What became of the players.
    pub players: Vec<Brought>,
    /// Sessions that are no player's, or cannot be read, and why. They are as they were.
    pub passed_over: Vec<(String, Error)>,
}

/// A bot: its client, its engine, and what keeps its players.
pub struct Bot {
    client: Arc<Client>,
    engine: Arc<Engine>,
    saving: Arc<AutoSave>,
    keeping: Keeping,
}

impl Bot {
    /// Starts the client, brings back every player that was left, and keeps all of them from now on.
    ///
    /// # Errors
    /// As [`Client::start`]; `Storage`, `Denied` or `Locked` where the store cannot be read or written. That a player
    /// could not be brought back is no error here: the recovery says so, and its state stays.
    pub async fn start(
        engine: Arc<Engine>,
        options: Options,
        keeping: Keeping,
    ) -> Result<(Self, Recovery)> {
        let (found, app) = (Arc::clone(&engine), keeping.app.clone());
        let (left, mut recovery) = blocking(move || left(&found, &app)).await?;
        let client = Client::seated(&options, &left)?;
        let saving = Arc::new(engine.auto_save()?);
        let bot = Self {
            client: Arc::new(client),
            engine,
            saving,
            keeping,
        };
        for player in bot.client.players() {
            bot.keep(&player).await?;
        }
        let (saving, app) = (Arc::downgrade(&bot.saving), bot.keeping.app.clone());
        bot.client.world().on_touch(Some(Arc::new(move |guild| {
            if let Some(saving) = saving.upgrade() {
                saving.touch(&format!("{app}/{guild}"));
            }
        })));
        // They are kept before they are brought back: a bot that is killed meanwhile finds each where it is by then.
        match bot.client.bring(&options, &left).await {
            Ok(players) => recovery.players = players,
            Err(error) => {
                bot.saving.end()?;
                return Err(error);
            }
        }
        bot.save(None).await?;
        Ok((bot, recovery))
    }

    /// Its nodes and players.
    #[must_use]
    pub fn client(&self) -> &Arc<Client> {
        &self.client
    }

    /// The engine that keeps them.
    #[must_use]
    pub fn engine(&self) -> &Arc<Engine> {
        &self.engine
    }

    /// The session of a guild.
    #[must_use]
    pub fn session(&self, guild: u64) -> String {
        format!("{}/{guild}", self.keeping.app)
    }

    /// The player of a guild; where there is none, it is made, and kept from now on.
    ///
    /// # Errors
    /// `Locked` where another program has the session of that guild; `Storage` where it cannot be opened.
    pub async fn get_player(&self, guild: u64) -> Result<Player> {
        if let Some(player) = self.client.player(guild) {
            return Ok(player);
        }
        let player = self.client.get_player(guild);
        match self.keep(&player).await {
            Ok(()) => Ok(player),
            Err(error) => {
                self.client.world().forget(guild);
                Err(error)
            }
        }
    }

    async fn keep(&self, player: &Player) -> Result<()> {
        let mut how = AutoSaving::every(self.keeping.every)
            .jitter(0.1)
            .min_change(1);
        if let Some(rules) = &self.keeping.keep {
            how = how.keep(rules.clone());
        }
        let (saving, session) = (Arc::clone(&self.saving), self.session(player.guild()));
        let source = player.clone();
        blocking(move || {
            saving.register(&session, how, move || {
                let said = source.take_said();
                let state = Saved::document(source.document()?);
                Ok(Some(match said {
                    Some(words) => state.intent(words),
                    None => state,
                }))
            })
        })
        .await
        .map(drop)
    }

    /// Saves all players, or one, and returns when that is durable.
    ///
    /// # Errors
    /// What keeps a player from being saved; the others are saved all the same.
    pub async fn save(&self, guild: Option<u64>) -> Result<()> {
        let (saving, session) = (
            Arc::clone(&self.saving),
            guild.map(|guild| self.session(guild)),
        );
        blocking(move || saving.save_now(session.as_deref())).await
    }

    /// Ends the player of a guild, on its node and here: it is not brought back any more. Its snapshots stay.
    ///
    /// # Errors
    /// `NotFound` where there is none; of the node, and of saving.
    pub async fn destroy(&self, guild: u64) -> Result<()> {
        let player = self.client.player(guild).ok_or_else(|| {
            Error::new(ErrorKind::NotFound, format!("guild {guild} has no player"))
        })?;
        player.destroy().await?;
        let (saving, session) = (Arc::clone(&self.saving), self.session(guild));
        blocking(move || saving.unregister(&session)).await
    }

    /// Saves all players for the last time, closes their sessions, and lets go of the nodes, where they play on for
    /// as long as the nodes keep them: the next start finds them there.
    ///
    /// # Errors
    /// What keeps a player from being saved: its session stays open, and the next start recovers it.
    pub async fn stop(&self) -> Result<()> {
        self.client.world().on_touch(None);
        self.client.close();
        let saving = Arc::clone(&self.saving);
        blocking(move || saving.stop()).await
    }
}

/// What the disk has to do with, beside the runtime.
async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T> + Send + 'static,
) -> Result<T> {
    let done = spawn_blocking(work).await;
    done.unwrap_or_else(|e| {
        Err(Error::new(ErrorKind::Storage, "the work was given up").with_source(e))
    })
}

/// The players that were left, as their sessions tell.
fn left(engine: &Engine, app: &str) -> Result<(Vec<Left>, Recovery)> {
    let prefix = format!("{app}/");
    let guild = |session: &str| session.strip_prefix(&prefix)?.parse::<u64>().ok();
    let sessions = engine.recover_only(|session| guild(session).is_some())?;
    let mut recovery = Recovery {
        sessions,
        ..Recovery::default()
    };
    let mut left = Vec::new();
    let now = Timestamp::now();
    for session in engine.sessions()? {
        let Some(guild) = guild(&session) else {
            continue;
        };
        match read(engine, &session, guild, now) {
            Ok(Some(it)) => left.push(it),
            Ok(None) => {}
            Err(error) if error.kind() == ErrorKind::NotFound => {}
            Err(error) => recovery.passed_over.push((session, error)),
        }
    }
    Ok((left, recovery))
}

/// The player of a session, where it has anything to play.
fn read(engine: &Engine, session: &str, guild: u64, now: Timestamp) -> Result<Option<Left>> {
    let restored = engine.restore(&format!("{session}@latest"))?;
    let document: Value = restored.to()?;
    let ago = now.duration_since(restored.snapshot().created_at);
    // By a clock that was set back, it was just now.
    let left = Left::read(guild, &document, ago.try_into().unwrap_or_default())?;
    let absent = left.state.is_idle() && left.state.channel.is_none();
    Ok((!absent).then_some(left))
}
