//! A client: the nodes and players of a bot.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::{Duration, Instant};

use dalsegno::{Error, ErrorKind, Result};
use jiff::Timestamp;
use serde_json::Value;
use tokio::sync::{broadcast, oneshot, watch};

use crate::autoplay::Provider;
use crate::bring::{Brought, bring_back};
use crate::event::Told;
use crate::hold::Hold;
use crate::lavalink::{Address, Resume, Socket};
use crate::link::Link;
use crate::node::{Node, caught_up};
use crate::player::{Player, State};
use crate::plugin::{Plugin, Plugins};
use crate::voice::Voice;
use crate::world::World;

/// How a client is made.
#[derive(Clone)]
pub struct Options {
    user: u64,
    nodes: Vec<(String, Address)>,
    resume: Duration,
    fail_over: Duration,
    patience: Duration,
    hold: Hold,
    voice: Option<Arc<dyn Voice>>,
    provider: Option<Arc<dyn Provider>>,
    plugins: Vec<Arc<dyn Plugin>>,
}

impl Options {
    /// A client of the bot whose id on Discord is `user`.
    #[must_use]
    pub fn new(user: u64) -> Self {
        Self {
            user,
            nodes: Vec::new(),
            resume: Duration::from_secs(60),
            fail_over: Duration::from_secs(10),
            patience: Duration::from_secs(30),
            hold: Hold::default(),
            voice: None,
            provider: None,
            plugins: Vec::new(),
        }
    }

    /// With a node of this name: snapshots say it, so it should stay the same.
    #[must_use]
    pub fn node(mut self, name: impl Into<String>, address: Address) -> Self {
        self.nodes.push((name.into(), address));
        self
    }

    /// For how long a node keeps its players when the bot is gone: 60 s unless said.
    #[must_use]
    pub fn resume(mut self, time: Duration) -> Self {
        self.resume = time;
        self
    }

    /// For how long a node may be gone before its players go to another one: 10 s unless said.
    #[must_use]
    pub fn fail_over(mut self, time: Duration) -> Self {
        self.fail_over = time;
        self
    }

    /// For how long a request is sent again that a node does not answer, or puts off: 30 s unless said.
    #[must_use]
    pub fn patience(mut self, time: Duration) -> Self {
        self.patience = time;
        self
    }

    /// How a node is held to what it was told.
    #[must_use]
    pub fn hold(mut self, hold: Hold) -> Self {
        self.hold = hold;
        self
    }

    /// With a way into voice channels: without one, players are connected one by one, and wait for that after a
    /// restart.
    #[must_use]
    pub fn voice(mut self, voice: Arc<dyn Voice>) -> Self {
        self.voice = Some(voice);
        self
    }

    /// With a source of tracks for autoplay.
    #[must_use]
    pub fn provider(mut self, provider: Arc<dyn Provider>) -> Self {
        self.provider = Some(provider);
        self
    }

    /// With a plugin whose states are part of snapshots.
    #[must_use]
    pub fn plugin(mut self, plugin: Arc<dyn Plugin>) -> Self {
        self.plugins.push(plugin);
        self
    }
}

/// A player as it was, to be brought back.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Left {
    /// Its guild.
    pub guild: u64,
    /// Its state.
    pub state: State,
    /// The name of the node that it was on.
    pub node: Option<String>,
    /// The session of that node.
    pub session: Option<String>,
    /// How long ago its node was heard of.
    pub ago: Duration,
}

impl Left {
    /// A player as its document told `ago`.
    ///
    /// # Errors
    /// `InvalidInput` where it is no player's.
    pub fn read(guild: u64, document: &Value, ago: Duration) -> Result<Self> {
        let (state, at) = State::read(document)?;
        let unheard = at.heard.map(|heard| Timestamp::now().duration_since(heard));
        // By a clock that was set back, it was as long ago as the document.
        let unheard = unheard.and_then(|time| Duration::try_from(time).ok());
        Ok(Self {
            guild,
            state,
            node: at.node,
            session: at.session,
            ago: unheard.map_or(ago, |time| time.max(ago)),
        })
    }
}

/// The nodes and players of a bot. It runs in the tokio runtime that it was started in.
pub struct Client {
    world: Arc<World>,
    closed: watch::Sender<bool>,
}

impl Client {
    /// Connects to the nodes. Of several, some may be away: they are tried again and again.
    ///
    /// # Errors
    /// `InvalidInput` without a node, for two of one name, or a node of another version; `Denied` for a wrong
    /// password; `Unreachable` where no node answers.
    pub async fn start(options: Options) -> Result<Self> {
        Self::start_with(options, Vec::new())
            .await
            .map(|(client, _)| client)
    }

    /// As [`start`](Client::start), with players that were left by a bot that is gone: those whose node went on with
    /// its session are found again as they are, the others are put back where they were, on any node.
    ///
    /// # Errors
    /// As [`start`](Client::start). That a player could not be brought back is no error here: its answer says so.
    pub async fn start_with(options: Options, left: Vec<Left>) -> Result<(Self, Vec<Brought>)> {
        let client = Self::seated(&options, &left)?;
        let brought = client.bring(&options, &left).await?;
        Ok((client, brought))
    }

    /// A client with its players, which nobody has told its nodes of yet.
    pub(crate) fn seated(options: &Options, left: &[Left]) -> Result<Self> {
        let world = Arc::new(World::new(
            nodes(options)?,
            options.voice.clone(),
            options.provider.clone(),
            Plugins::of(options.plugins.clone()),
            options.hold,
        ));
        let client = Self {
            world,
            closed: watch::Sender::new(false),
        };
        client.seat(left);
        Ok(client)
    }

    /// Connects to the nodes, and brings the players back.
    pub(crate) async fn bring(&self, options: &Options, left: &[Left]) -> Result<Vec<Brought>> {
        let nodes = self.nodes();
        let mut first = None;
        let mut went_on = Vec::new();
        for ((_, address), node) in options.nodes.iter().zip(nodes) {
            let own = left
                .iter()
                .filter(|it| it.node.as_deref() == Some(node.name()));
            let session = own
                .min_by_key(|it| it.ago)
                .and_then(|it| it.session.clone());
            let resume = Resume::new(options.user, session);
            match self.connect(options, node, address, &resume).await {
                Ok((true, heard)) => {
                    caught_up(heard).await;
                    went_on.push(Arc::clone(node));
                }
                Ok((false, _)) => {}
                Err(error) if error.kind() == ErrorKind::Unreachable => {
                    node.lose();
                    self.listen(
                        options,
                        node,
                        Socket::later(address, &resume),
                        VecDeque::new(),
                    );
                    first = first.or(Some(error));
                }
                Err(error) => return Err(error),
            }
        }
        if let Some(error) = first.filter(|_| !nodes.iter().any(|node| node.is_up())) {
            return Err(error);
        }
        Ok(self.bring_all(left, &went_on).await)
    }

    /// Makes the players, on the nodes that they were on.
    fn seat(&self, left: &[Left]) {
        for it in left {
            let mut state = it.state.clone();
            let now = Instant::now();
            let since = now.checked_sub(it.ago).unwrap_or(now);
            state.reach(state.position(), since);
            let player = Player::new(it.guild, &self.world, state);
            player.lose(since);
            player.sit_in(it.session.clone());
            let node = self
                .world
                .nodes
                .iter()
                .find(|node| Some(node.name()) == it.node.as_deref());
            player.sit(node.cloned());
            self.world.players().insert(it.guild, player);
        }
    }

    /// Opens the socket of a node, and listens to it. Answers whether its players went on, and what tells when all that
    /// happened to them meanwhile was heard.
    async fn connect(
        &self,
        options: &Options,
        node: &Arc<Node>,
        address: &Address,
        resume: &Resume,
    ) -> Result<(bool, oneshot::Receiver<()>)> {
        // By its socket alone, another version is not told from a wrong address.
        node.rest().clone().patience(Duration::ZERO).info().await?;
        let (socket, resumed) = Socket::open(address, resume).await?;
        node.attach(socket.session());
        node.rest()
            .resume_within(socket.session(), options.resume)
            .await?;
        let (told, heard) = oneshot::channel();
        self.listen(options, node, socket, [told].into());
        Ok((resumed, heard))
    }

    fn listen(
        &self,
        options: &Options,
        node: &Arc<Node>,
        socket: Socket,
        waiting: VecDeque<oneshot::Sender<()>>,
    ) {
        let link = Link {
            world: Arc::downgrade(&self.world),
            node: Arc::clone(node),
            resume: options.resume,
            patience: options.fail_over,
            closed: self.closed.subscribe(),
            waiting,
        };
        tokio::spawn(link.listen(socket));
    }

    async fn bring_all(&self, left: &[Left], went_on: &[Arc<Node>]) -> Vec<Brought> {
        let (mut kept, mut others) = (Vec::new(), Vec::new());
        for it in left {
            let Some(player) = self.player(it.guild) else {
                continue;
            };
            let node = player.node();
            // Only what was of that very session is there.
            let same = node.as_ref().filter(|node| node.session() == it.session);
            if same.is_some_and(|node| went_on.iter().any(|it| Arc::ptr_eq(it, node))) {
                kept.push(player);
            } else {
                if !node.is_some_and(|node| node.is_up()) {
                    player.sit(None);
                }
                others.push(player);
            }
        }
        let (mut all, more) = tokio::join!(
            bring_back(&self.world, kept, true),
            bring_back(&self.world, others, false)
        );
        all.extend(more);
        all.sort_by_key(|brought| brought.guild);
        all
    }

    /// The player of a guild; it is made where there is none.
    #[must_use]
    pub fn get_player(&self, guild: u64) -> Player {
        let mut players = self.world.players();
        let player = players
            .entry(guild)
            .or_insert_with(|| Player::new(guild, &self.world, State::default()));
        player.clone()
    }

    /// The player of a guild, where there is one.
    #[must_use]
    pub fn player(&self, guild: u64) -> Option<Player> {
        self.world.players().get(&guild).cloned()
    }

    /// All players, by guild, as they are now.
    #[must_use]
    pub fn players(&self) -> Vec<Player> {
        self.world.players().values().cloned().collect()
    }

    /// Its nodes.
    #[must_use]
    pub fn nodes(&self) -> &[Arc<Node>] {
        &self.world.nodes
    }

    /// What happens from now on. Whoever listens too slowly misses the oldest.
    #[must_use]
    pub fn subscribe(&self) -> broadcast::Receiver<Told> {
        self.world.subscribe()
    }

    pub(crate) fn world(&self) -> &Arc<World> {
        &self.world
    }

    /// Lets go of the nodes. Their players play on for as long as the nodes keep them: see [`Options::resume`].
    pub fn close(&self) {
        self.closed.send_replace(true);
    }
}

impl Drop for Client {
    fn drop(&mut self) {
        self.close();
    }
}

fn nodes(options: &Options) -> Result<Vec<Arc<Node>>> {
    let invalid = |why: String| Err(Error::new(ErrorKind::InvalidInput, why));
    if options.nodes.is_empty() {
        return invalid("a client needs a node to play on".to_owned());
    }
    for (index, (name, _)) in options.nodes.iter().enumerate() {
        if options.nodes[..index]
            .iter()
            .any(|(other, _)| other == name)
        {
            return invalid(format!(
                "two nodes have the name {name:?}; give each its own"
            ));
        }
    }
    let nodes = options.nodes.iter().map(|(name, address)| {
        Ok(Arc::new(
            Node::new(name, address)?.patience(options.patience),
        ))
    });
    nodes.collect()
}
