//! How a client is made.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use crate::autoplay::Provider;
use crate::hold::Hold;
use crate::lavalink::Address;
use crate::plugin::Plugin;
use crate::voice::Voice;

/// How a client is made.
#[derive(Clone)]
pub struct Options {
    pub(crate) user: u64,
    pub(crate) nodes: Vec<(String, Address)>,
    pub(crate) resume: Duration,
    pub(crate) fail_over: Duration,
    pub(crate) patience: Duration,
    pub(crate) hold: Hold,
    pub(crate) voice: Option<Arc<dyn Voice>>,
    pub(crate) provider: Option<Arc<dyn Provider>>,
    pub(crate) search: String,
    pub(crate) playlists: BTreeMap<String, String>,
    pub(crate) plugins: Vec<Arc<dyn Plugin>>,
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
            search: "ytsearch".to_owned(),
            playlists: BTreeMap::new(),
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

    /// For how long a request is sent again that a node does not answer, or puts off: 30 s unless said. It ends as soon
    /// as the node's players go to another one.
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

    /// How nodes are asked to search for autoplay: `ytsearch` unless said.
    #[must_use]
    pub fn search(mut self, prefix: impl Into<String>) -> Self {
        self.search = prefix.into();
        self
    }

    /// With a playlist that autoplay knows by this name, and nodes by that identifier, such as its address.
    #[must_use]
    pub fn playlist(mut self, name: impl Into<String>, identifier: impl Into<String>) -> Self {
        self.playlists.insert(name.into(), identifier.into());
        self
    }

    /// With another source of tracks for autoplay than the nodes.
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
