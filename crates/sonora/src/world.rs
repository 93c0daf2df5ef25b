//! What all players of a client share: its nodes, its voice, and whoever is told.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError, RwLock};

use dalsegno::{Error, ErrorKind, Result};
use tokio::sync::broadcast;

use crate::autoplay::Provider;
use crate::event::Told;
use crate::hold::Hold;
use crate::lavalink::VoiceServer;
use crate::node::Node;
use crate::player::{Component, Player};
use crate::plugin::Plugins;
use crate::voice::Voice;

/// How many events wait for whoever listens slowly; the oldest go first.
const WAITING: usize = 4096;

type Touch = Arc<dyn Fn(u64) + Send + Sync>;

/// Notes that a restore of these components of a player failed, and why.
pub(crate) type Note = Arc<dyn Fn(&Player, &[Component], &Error) -> Result<()> + Send + Sync>;

pub(crate) struct World {
    pub(crate) nodes: Vec<Arc<Node>>,
    pub(crate) plugins: Plugins,
    pub(crate) hold: Hold,
    players: Mutex<BTreeMap<u64, Player>>,
    voice: Option<Arc<dyn Voice>>,
    provider: Arc<dyn Provider>,
    told: broadcast::Sender<Told>,
    touch: RwLock<Option<Touch>>,
    note: RwLock<Option<Note>>,
}

impl World {
    pub(crate) fn new(
        nodes: Vec<Arc<Node>>,
        voice: Option<Arc<dyn Voice>>,
        provider: Arc<dyn Provider>,
        plugins: Plugins,
        hold: Hold,
    ) -> Self {
        Self {
            nodes,
            plugins,
            hold,
            players: Mutex::default(),
            voice,
            provider,
            told: broadcast::channel(WAITING).0,
            touch: RwLock::default(),
            note: RwLock::default(),
        }
    }

    pub(crate) fn players(&self) -> std::sync::MutexGuard<'_, BTreeMap<u64, Player>> {
        self.players.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The players that are on a node.
    pub(crate) fn players_on(&self, node: &Arc<Node>) -> Vec<Player> {
        let is_on = |player: &&Player| player.node().is_some_and(|its| Arc::ptr_eq(&its, node));
        self.players().values().filter(is_on).cloned().collect()
    }

    /// The players that are on no node, and should play.
    pub(crate) fn stranded(&self) -> Vec<Player> {
        let is_stranded = |player: &&Player| player.node().is_none() && !player.locked().is_idle();
        self.players()
            .values()
            .filter(is_stranded)
            .cloned()
            .collect()
    }

    pub(crate) fn forget(&self, guild: u64) {
        self.players().remove(&guild);
    }

    /// The node that is least busy, of those that are up; not `but`.
    pub(crate) fn choose(&self, but: Option<&Arc<Node>>) -> Result<Arc<Node>> {
        let others = self
            .nodes
            .iter()
            .filter(|node| !but.is_some_and(|but| Arc::ptr_eq(node, but)));
        let up = others.filter(|node| node.is_up());
        let players = |node: &Arc<Node>| self.players_on(node).len();
        // What it says of itself is up to a minute old; how many players are there, is not.
        let least = up.min_by_key(|node| (node.burden().0, players(node)));
        least.cloned().ok_or_else(|| {
            Error::new(
                ErrorKind::Unreachable,
                "no node is connected; it is tried again and again",
            )
        })
    }

    pub(crate) async fn join(&self, guild: u64, channel: u64) -> Result<VoiceServer> {
        let voice = self.voice.as_ref().ok_or_else(|| {
            Error::new(
                ErrorKind::InvalidInput,
                "this client cannot join voice channels by itself; connect the player with what Discord's gateway gives",
            )
        })?;
        let joined = voice.join(guild, channel).await;
        joined.map_err(|error| error.context(format!("joining channel {channel}")))
    }

    pub(crate) fn can_join(&self) -> bool {
        self.voice.is_some()
    }

    pub(crate) fn provider(&self) -> Arc<dyn Provider> {
        Arc::clone(&self.provider)
    }

    pub(crate) fn subscribe(&self) -> broadcast::Receiver<Told> {
        self.told.subscribe()
    }

    pub(crate) fn tell(&self, told: Told) {
        // Nobody may be listening.
        drop(self.told.send(told));
    }

    /// From now on, who is told that a player changed.
    pub(crate) fn on_touch(&self, touch: Option<Touch>) {
        *self.touch.write().unwrap_or_else(PoisonError::into_inner) = touch;
    }

    pub(crate) fn touch(&self, guild: u64) {
        let touch = self
            .touch
            .read()
            .unwrap_or_else(PoisonError::into_inner)
            .clone();
        if let Some(touch) = touch {
            touch(guild);
        }
    }

    /// From now on, who notes that a restore failed.
    pub(crate) fn on_failed_restore(&self, note: Option<Note>) {
        *self.note.write().unwrap_or_else(PoisonError::into_inner) = note;
    }

    pub(crate) fn note(&self) -> Option<Note> {
        let note = self.note.read();
        note.unwrap_or_else(PoisonError::into_inner).clone()
    }
}
