//! A task for each node: it listens to its socket, and acts when the node goes and comes back.

use std::collections::VecDeque;
use std::sync::{Arc, Weak};
use std::time::{Duration, Instant};

use dalsegno::ErrorKind;
use tokio::sync::{oneshot, watch};

use crate::bring::{Found, bring_back};
use crate::event::{Happened, Told};
use crate::lavalink::{Arrived, Message, Socket};
use crate::node::{Node, caught_up};
use crate::world::World;

/// Keeps the link to a node, until the client is closed.
pub(crate) struct Link {
    pub(crate) world: Weak<World>,
    pub(crate) node: Arc<Node>,
    pub(crate) resume: Duration,
    /// How long a node may be gone before its players go to another one.
    pub(crate) patience: Duration,
    pub(crate) closed: watch::Receiver<bool>,
    /// Whoever waits until the node has told all, in the order in which it was asked.
    pub(crate) waiting: VecDeque<oneshot::Sender<()>>,
}

impl Link {
    /// Listens until the client is closed.
    pub(crate) async fn listen(mut self, mut socket: Socket) {
        let mut asked = self.node.asked();
        loop {
            let next = tokio::select! {
                _ = self.closed.wait_for(|closed| *closed) => break,
                Some(waits) = asked.recv() => Err(waits),
                arrived = socket.next() => Ok(arrived),
            };
            let arrived = match next {
                Ok(arrived) => arrived,
                Err(waits) => {
                    if socket.ask().await {
                        self.waiting.push_back(waits);
                    }
                    continue;
                }
            };
            let Some(world) = self.world.upgrade() else {
                break;
            };
            match arrived {
                Arrived::Message(message) => self.message(&world, message),
                Arrived::Lost(error) => {
                    let since = self.node.lose();
                    self.waiting.clear();
                    world
                        .players_on(&self.node)
                        .iter()
                        .for_each(|player| player.lose(since));
                    let name = self.node.name().to_owned();
                    world.tell(Told::node(Happened::NodeLost(name, error.to_string())));
                }
                Arrived::CaughtUp => drop(self.waiting.pop_front().map(|told| told.send(()))),
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
        self.waiting.push_back(told);
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
        // The next attempt finds none of them here.
        players.iter().for_each(|player| player.sit(None));
        // Whoever waits for it has the turn of a player that is to go on elsewhere.
        self.node.rest().give_up();
        if players.is_empty() {
            return;
        }
        let world = Arc::clone(world);
        tokio::spawn(async move {
            bring_back(&world, players, Found::Gone).await;
        });
    }
}
