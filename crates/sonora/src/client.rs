//! A client: the nodes and players of a bot.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::{Duration, Instant};

use dalsegno::{Error, ErrorKind, Result};
use tokio::sync::{broadcast, oneshot, watch};

use crate::autoplay::Provider;
use crate::bring::{Brought, Found, bring_back};
use crate::event::Told;
use crate::lavalink::{Address, Resume, Socket};
use crate::left::Left;
use crate::link::Link;
use crate::node::{Node, caught_up};
use crate::options::Options;
use crate::player::{Player, State};
use crate::plugin::Plugins;
use crate::sources::Sources;
use crate::world::World;

/// The nodes and players of a bot. It runs in the tokio runtime that it was started in.
pub struct Client {
    world: Arc<World>,
    closed: watch::Sender<bool>,
}

impl Client {
    /// Connects to the nodes. Of several, some may be away: they are tried again and again.
    ///
    /// ```
    /// use dalsegno_sonora::lavalink::{Address, Password};
    /// use dalsegno_sonora::{Client, Component, Options};
    ///
    /// # #[tokio::main]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let node = dalsegno_scripted::Node::start(dalsegno_scripted::Options::default())?;
    /// # let (port, password) = (node.port(), node.password());
    /// let address = Address::new("127.0.0.1", port, Password::new(password));
    /// let client = Client::start(Options::new(1234).node("main", address)).await?;
    /// let player = client.get_player(42);
    /// player.set_volume(30).await?;
    ///
    /// let snapshot = player.snapshot()?;
    /// player.reset().await?;
    /// assert_eq!(player.state().volume, 100);
    /// player.load_snapshot(&snapshot, &Component::ALL).await?;
    /// assert_eq!(player.state().volume, 30);
    /// # Ok(())
    /// # }
    /// ```
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
        let nodes = nodes(options)?;
        let world = Arc::new_cyclic(|world| {
            let nodes_know = || -> Arc<dyn Provider> {
                Arc::new(Sources {
                    world: world.clone(),
                    search: options.search.clone(),
                    playlists: options.playlists.clone(),
                })
            };
            World::new(
                nodes,
                options.voice.clone(),
                options.provider.clone().unwrap_or_else(nodes_know),
                Plugins::of(options.plugins.clone()),
                options.hold,
            )
        });
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
                .min_by_key(|it| (it.restored, it.ago))
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
            let (player, since) = self.adopt(it);
            player.lose(since);
            player.sit_in(it.session.clone());
            if it.restored {
                // What its node tells is of what it played before.
                player.hold_still("is being restored");
            }
        }
    }

    /// Makes a player as it was left, on the node that it was on; answers since when it is as it was.
    pub(crate) fn adopt(&self, left: &Left) -> (Player, Instant) {
        let mut state = left.state.clone();
        let now = Instant::now();
        let since = now.checked_sub(left.ago).unwrap_or(now);
        state.reach(state.position(), since);
        let player = Player::new(left.guild, &self.world, state);
        let mut nodes = self.world.nodes.iter();
        let node = nodes.find(|node| Some(node.name()) == left.node.as_deref());
        player.sit(node.cloned());
        self.world.players().insert(left.guild, player.clone());
        (player, since)
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
        let (mut kept, mut others, mut restored) = (Vec::new(), Vec::new(), Vec::new());
        for it in left {
            let Some(player) = self.player(it.guild) else {
                continue;
            };
            let node = player.node();
            // Only what was of that very session is there.
            let same = node.as_ref().filter(|node| node.session() == it.session);
            let there = same.is_some_and(|node| went_on.iter().any(|it| Arc::ptr_eq(it, node)));
            if !there && !node.is_some_and(|node| node.is_up()) {
                player.sit(None);
            }
            if it.restored {
                restored.push(player);
            } else if there {
                kept.push(player);
            } else {
                others.push(player);
            }
        }
        let (mut all, more, meant) = tokio::join!(
            bring_back(&self.world, kept, Found::There),
            bring_back(&self.world, others, Found::Gone),
            bring_back(&self.world, restored, Found::Restored)
        );
        all.extend(more);
        all.extend(meant);
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
