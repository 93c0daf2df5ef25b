//! A task for each node: it listens to its socket, and acts when the node goes and comes back.

use std::sync::{Arc, Weak};
use std::time::{Duration, Instant};

use dalsegno::ErrorKind;
use tokio::sync::{oneshot, watch};
use tokio::time::timeout;

use crate::bring::{Found, bring_back};
use crate::event::{Happened, Told};
use crate::lavalink::{Arrived, Message, Socket};
use crate::node::Node;
use crate::world::World;

/// Keeps the link to a node, until the client is closed.
pub(crate) struct Link {
    pub(crate) world: Weak<World>,
    pub(crate) node: Arc<Node>,
    pub(crate) resume: Duration,
    /// How long a node may be gone before its players go to another one.
    pub(crate) patience: Duration,
    pub(crate) closed: watch::Receiver<bool>,
    /// Told once all that was kept for the session has been heard.
    pub(crate) caught_up: Option<oneshot::Sender<()>>,
}

/// Waits until all that was kept for a session has been heard. A node that does not answer to that is not waited for.
pub(crate) async fn caught_up(heard: oneshot::Receiver<()>) {
    drop(timeout(CATCHING_UP, heard).await);
}

/// How long a node is waited for that does not answer.
const CATCHING_UP: Duration = Duration::from_secs(2);

impl Link {
    /// Listens until the client is closed.
    pub(crate) async fn listen(mut self, mut socket: Socket) {
        loop {
            let arrived = tokio::select! {
                _ = self.closed.wait_for(|closed| *closed) => break,
                arrived = socket.next() => arrived,
            };
            let Some(world) = self.world.upgrade() else {
                break;
            };
            match arrived {
                Arrived::Message(message) => self.message(&world, message),
                Arrived::Lost(error) => {
                    let since = self.node.lose();
                    world
                        .players_on(&self.node)
                        .iter()
                        .for_each(|player| player.lose(since));
                    let name = self.node.name().to_owned();
                    world.tell(Told::node(Happened::NodeLost(name, error.to_string())));
                }
                Arrived::CaughtUp => drop(self.caught_up.take().map(|told| told.send(()))),
                Arrived::Failed(error) => {
                    if error.kind() != ErrorKind::Unreachable {
                        // It will not pass by itself.
                        world.tell(Told::node(Happened::Failed(error.to_string())));
                    }
                    self.fail_over(&world);
                }
            }
        }
        socket.close().await;
    }

    fn message(&mut self, world: &Arc<World>, message: Message) {
        match message {
            Message::Ready { resumed, session } => self.ready(world, resumed, session),
            Message::Stats(stats) => self.node.told(stats),
            Message::Update(guild, state) => {
                let since = self.node.when(&state, None);
                if let Some(player) = self.own(world, guild) {
                    player.hear_update(&state, since);
                }
            }
            Message::Event(guild, event) => {
                if let Some(player) = self.own(world, guild) {
                    player.told(event);
                }
            }
            Message::Unknown => {}
        }
    }

    /// The player of a guild, where it is on this node.
    fn own(&self, world: &World, guild: u64) -> Option<crate::player::Player> {
        let player = world.players().get(&guild).cloned()?;
        player
            .node()
            .is_some_and(|node| Arc::ptr_eq(&node, &self.node))
            .then_some(player)
    }

    /// The node is back. Where it kept the session, its players went on; where not, they are put there again.
    fn ready(&mut self, world: &Arc<World>, resumed: bool, session: String) {
        self.node.attach(session.clone());
        world.tell(Told::node(Happened::NodeReady(
            self.node.name().to_owned(),
            resumed,
        )));
        let (world, node, resume) = (Arc::clone(world), Arc::clone(&self.node), self.resume);
        let (told, heard) = oneshot::channel();
        self.caught_up = Some(told);
        tokio::spawn(async move {
            if resumed {
                caught_up(heard).await;
            }
            if let Err(error) = node.rest().resume_within(&session, resume).await {
                let error = error.context("sessions of this node cannot be resumed");
                world.tell(Told::node(Happened::Failed(error.to_string())));
            }
            let found = if resumed { Found::There } else { Found::Gone };
            bring_back(&world, world.players_on(&node), found).await;
            // And those that had no node to go to.
            bring_back(&world, world.stranded(), Found::Gone).await;
        });
    }

    /// Where it is gone for too long, its players go to another node, if there is one.
    fn fail_over(&self, world: &Arc<World>) {
        let gone = Instant::now().saturating_duration_since(self.node.lose());
        let Some(other) = world
            .choose(Some(&self.node))
            .ok()
            .filter(|_| gone >= self.patience)
        else {
            return;
        };
        drop(other);
        let players = world.players_on(&self.node);
        if players.is_empty() {
            return;
        }
        // The next attempt finds none of them here.
        players.iter().for_each(|player| player.sit(None));
        let world = Arc::clone(world);
        tokio::spawn(async move {
            bring_back(&world, players, Found::Gone).await;
        });
    }
}
