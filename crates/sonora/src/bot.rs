//! A client whose players are sessions of an engine: kept while they play, brought back after anything.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use dalsegno::guard::{End, GuardPolicy, GuardRule};
use dalsegno::{Attending, Engine, Error, ErrorKind, Result};
use tokio::runtime::Handle;
use tokio::time::timeout;

use crate::attend::Attends;
use crate::blocking::blocking;
use crate::bring::{Found, bring_back};
use crate::client::Client;
use crate::failed::note_failed;
use crate::keeper::{Keeper, Keeping};
use crate::left::{Recovery, left, waiting};
use crate::options::Options;
use crate::player::{Component, Player};

/// How long a save waits for the end of what another program asked for. A node that does not answer is waited for half
/// as long, twice: for what it was told, and for what was before.
const PATIENCE: Duration = Duration::from_secs(90);

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

/// A bot: its client, its engine, and what keeps its players.
pub struct Bot {
    client: Arc<Client>,
    engine: Arc<Engine>,
    keeper: Arc<Keeper>,
    attending: Mutex<Option<Attending>>,
}

impl Bot {
    /// Starts the client, brings back every player that was left, and keeps all of them from now on. What others ask
    /// of them is carried out: the deeds that [`Engine::ask`] lists, and the verbs of the [module](crate#asking).
    /// Players that another program has open are left to it.
    ///
    /// ```
    /// use std::sync::Arc;
    ///
    /// use dalsegno_sonora::lavalink::{Address, Password};
    /// use dalsegno_sonora::{Bot, How, Keeping, Options, guard};
    ///
    /// # #[tokio::main]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let folder = tempfile::tempdir()?;
    /// # let path = folder.path().join("store.db");
    /// # let node = dalsegno_scripted::Node::start(dalsegno_scripted::Options::default())?;
    /// # let (port, password) = (node.port(), node.password());
    /// let guards = vec![guard("sonora")?];
    /// let engine = Arc::new(dalsegno::Options::default().guards(guards).create(&path)?);
    /// let address = Address::new("127.0.0.1", port, Password::new(password));
    /// let options = Options::new(1234).node("main", address);
    ///
    /// let (bot, _) = Bot::start(Arc::clone(&engine), options.clone(), Keeping::default()).await?;
    /// let player = bot.get_player(42).await?;
    /// let found = bot.client().nodes()[0].rest().load("ytsearch:title").await?;
    /// player.edit(None, |state| state.queue.add_many(found.into_tracks(), None))?;
    /// player.skip().await?;
    /// bot.stop().await?;
    ///
    /// // The next start finds it as it was, and nobody heard that the bot was gone.
    /// let (bot, recovery) = Bot::start(engine, options, Keeping::default()).await?;
    /// assert!(matches!(recovery.players[0].how, How::Kept));
    /// assert!(bot.client().player(42).is_some());
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// As [`Client::start`]; `Conflict` where this engine attends to requests already; `Storage`, `Denied` or `Locked`
    /// where the store cannot be read or written. That a player could not be brought back is no error here: the
    /// recovery says so, and its state stays.
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
            keeper: Arc::new(Keeper { saving, keeping }),
            attending: Mutex::default(),
        };
        for player in bot.client.players() {
            bot.keeper.keep(&player).await?;
        }
        let keeper = Arc::downgrade(&bot.keeper);
        bot.client.world().on_touch(Some(Arc::new(move |guild| {
            if let Some(keeper) = keeper.upgrade() {
                keeper.saving.touch(&keeper.session(guild));
            }
        })));
        let keeping = (Arc::downgrade(&bot.keeper), Arc::downgrade(&bot.engine));
        let note = move |player: &Player, components: &[Component], error: &Error| {
            let (Some(keeper), Some(engine)) = (keeping.0.upgrade(), keeping.1.upgrade()) else {
                return Ok(());
            };
            let session = keeper.session(player.guild());
            note_failed(&engine, &session, player, None, components, error)
        };
        bot.client.world().on_failed_restore(Some(Arc::new(note)));
        // They are kept before they are brought back: a bot that is killed meanwhile finds each where it is by then.
        match bot.client.bring(&options, &left).await {
            Ok(players) => recovery.players = players,
            Err(error) => {
                bot.keeper.saving.end()?;
                return Err(error);
            }
        }
        bot.save(None).await?;
        // Before, nobody could be answered by what plays.
        bot.attend().await?;
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

    /// The player of a guild, which has to be there.
    pub(crate) fn own_player(&self, guild: u64) -> Result<Player> {
        self.client
            .player(guild)
            .ok_or_else(|| Error::new(ErrorKind::NotFound, format!("guild {guild} has no player")))
    }

    pub(crate) fn keeper(&self) -> &Arc<Keeper> {
        &self.keeper
    }

    /// The session of a guild.
    #[must_use]
    pub fn session(&self, guild: u64) -> String {
        self.keeper.session(guild)
    }

    /// The player of a guild; where there is none, it is made, and kept from now on. What was restored for it while it
    /// had none is put on a node.
    ///
    /// # Errors
    /// `Locked` where another program has the session of that guild; `Storage` where it cannot be opened.
    pub async fn get_player(&self, guild: u64) -> Result<Player> {
        if let Some(player) = self.client.player(guild) {
            return Ok(player);
        }
        let (engine, session) = (Arc::clone(&self.engine), self.session(guild));
        // What cannot be read stays as it is stored.
        let waits = blocking(move || waiting(&engine, &session, guild)).await;
        let waits = waits.ok().flatten();
        let player = match &waits {
            Some(left) => {
                let (player, since) = self.client.adopt(left);
                player.lose(since);
                player
            }
            None => self.client.get_player(guild),
        };
        if let Err(error) = self.keeper.keep(&player).await {
            self.client.world().forget(guild);
            return Err(error);
        }
        if waits.is_some() {
            bring_back(self.client.world(), vec![player.clone()], Found::Restored).await;
        }
        Ok(player)
    }

    /// From now on others can ask it.
    async fn attend(&self) -> Result<()> {
        let attends = Attends {
            client: Arc::downgrade(&self.client),
            engine: Arc::downgrade(&self.engine),
            keeper: Arc::downgrade(&self.keeper),
            app: self.keeper.keeping.app.clone(),
            own: self.keeper.own_session(),
            runtime: Handle::current(),
        };
        let (engine, own) = (Arc::clone(&self.engine), self.keeper.own_session());
        let attending = blocking(move || {
            if let Some(own) = own {
                engine.open_session(&own)?;
            }
            engine.attend(attends)
        })
        .await?;
        *self.attending() = Some(attending);
        Ok(())
    }

    fn attending(&self) -> MutexGuard<'_, Option<Attending>> {
        self.attending
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }

    /// Saves all players, or one, and returns when that is durable. A player that stands still, because another program
    /// asked for something that is being done, is saved after that.
    ///
    /// # Errors
    /// What keeps a player from being saved; the others are saved all the same. `Locked` or `Conflict` where a player
    /// stood still for 90 seconds.
    pub async fn save(&self, guild: Option<u64>) -> Result<()> {
        let meant = |player: &Player| guild.is_none_or(|guild| player.guild() == guild);
        let mut still = self.client.players();
        still.retain(|player| meant(player) && player.is_still());
        let done = self.save_now(guild).await;
        for player in still {
            if timeout(PATIENCE, player.moves()).await.is_err() {
                player.check_moves()?;
            }
            // What was handed over is saved, and another bot's.
            if self.client.player(player.guild()).is_some() {
                self.save_now(Some(player.guild())).await?;
            }
        }
        done
    }

    async fn save_now(&self, guild: Option<u64>) -> Result<()> {
        let (saving, session) = (
            Arc::clone(&self.keeper.saving),
            guild.map(|guild| self.session(guild)),
        );
        blocking(move || saving.save_now_within(session.as_deref(), PATIENCE)).await
    }

    /// Ends the player of a guild, on its node and here: it is not brought back any more. Its snapshots stay.
    ///
    /// # Errors
    /// `NotFound` where there is none; of the node, and of saving.
    pub async fn destroy(&self, guild: u64) -> Result<()> {
        let player = self.own_player(guild)?;
        player.destroy().await?;
        self.save_now(Some(guild)).await?;
        let (saving, session) = (Arc::clone(&self.keeper.saving), self.session(guild));
        blocking(move || saving.release(&session)).await
    }

    /// Saves all players for the last time, closes their sessions, and lets go of the nodes, where they play on for
    /// as long as the nodes keep them: the next start finds them there.
    ///
    /// # Errors
    /// What keeps a player from being saved: its session stays open, and the next start recovers it.
    pub async fn stop(&self) -> Result<()> {
        let attending = self.attending().take();
        if let Some(attending) = attending {
            blocking(move || {
                attending.stop();
                Ok(())
            })
            .await?;
        }
        self.client.world().on_touch(None);
        self.client.world().on_failed_restore(None);
        self.client.close();
        let (saving, engine) = (Arc::clone(&self.keeper.saving), Arc::clone(&self.engine));
        let own = self.keeper.own_session();
        blocking(move || {
            let stopped = saving.stop();
            stopped.and(own.map_or(Ok(()), |own| engine.close_session(&own)))
        })
        .await
    }
}

impl Drop for Bot {
    fn drop(&mut self) {
        if let Some(attending) = self.attending().take() {
            attending.leave();
            // What it is at work on may need this very thread.
            drop(std::thread::Builder::new().spawn(move || drop(attending)));
        }
    }
}
