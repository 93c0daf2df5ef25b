//! The nodes, and the bot as a program that is killed.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Lines, Write};
use std::path::PathBuf;
use std::process::{Child, ChildStdout, Command, Stdio};
use std::time::Duration;

use dalsegno_scripted::{Heard, Node, Options, PlayerView};
use serde_json::json;

use crate::bot::ORDERS;
use crate::guild::catalogue;

/// Two nodes, of which one may be dead, and all that were there before.
pub(crate) struct House {
    pub(crate) nodes: BTreeMap<&'static str, Node>,
    gone: Vec<Node>,
    pub(crate) folder: tempfile::TempDir,
    pub(crate) guilds: u64,
    pub(crate) every: u64,
    /// How much of what each node let hear was looked at.
    looked_at: BTreeMap<(u16, u64), usize>,
}

fn node() -> Node {
    let options = Options {
        catalogue: catalogue(),
        player_update: Duration::from_secs(1),
        ..Options::default()
    };
    Node::start(options).unwrap()
}

impl House {
    pub(crate) fn new(guilds: u64, every: u64) -> Self {
        let house = Self {
            nodes: [("one", node()), ("two", node())].into(),
            gone: Vec::new(),
            folder: tempfile::tempdir().unwrap(),
            guilds,
            every,
            looked_at: BTreeMap::new(),
        };
        let engine = dalsegno::Engine::create(house.store()).unwrap();
        engine.close().unwrap();
        house
    }

    pub(crate) fn store(&self) -> PathBuf {
        self.folder.path().join("store.db")
    }

    /// A node takes the place of one that is dead.
    pub(crate) fn replace(&mut self, name: &'static str) {
        self.gone.extend(self.nodes.insert(name, node()));
    }

    pub(crate) fn kill(&mut self, name: &str) {
        self.nodes.get_mut(name).unwrap().kill();
    }

    /// What a guild heard since this was last asked, wherever.
    pub(crate) fn heard(&mut self, guild: u64) -> Vec<Heard> {
        let mut all = Vec::new();
        for node in self.gone.iter().chain(self.nodes.values()) {
            let heard = node.heard(guild);
            let looked_at = self.looked_at.entry((node.port(), guild)).or_default();
            all.extend_from_slice(&heard[*looked_at..]);
            *looked_at = heard.len();
        }
        all.sort_by_key(|heard| heard.at);
        all
    }

    /// Where a guild plays, and what: on one node, and no more.
    pub(crate) fn player(&self, guild: u64) -> Option<(&'static str, PlayerView)> {
        let living = self.nodes.iter().filter(|(_, node)| !node.is_dead());
        let players = living.filter_map(|(name, node)| Some((*name, node.player(guild)?)));
        let mut players: Vec<_> = players.collect();
        let plays = |it: &(&str, PlayerView)| it.1.identifier.is_some();
        if players.iter().any(plays) {
            players.retain(plays);
        }
        assert!(
            players.len() <= 1,
            "guild {guild} is heard twice: {players:?}"
        );
        players.pop()
    }

    /// Starts the bot.
    pub(crate) fn bot(&self, seed: u64) -> Bot {
        let ports: BTreeMap<_, _> = self
            .nodes
            .iter()
            .map(|(name, node)| (*name, node.port()))
            .collect();
        let orders = json!({"store": self.store(), "nodes": ports, "every": self.every,
            "guilds": self.guilds, "seed": seed});
        let mut child = Command::new(std::env::current_exe().unwrap())
            .args(["bot::play", "--exact", "--ignored", "--nocapture"])
            .env(ORDERS, orders.to_string())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let said = BufReader::new(child.stdout.take().unwrap()).lines();
        Bot { child, said }
    }
}

/// The bot's process.
pub(crate) struct Bot {
    child: Child,
    said: Lines<BufReader<ChildStdout>>,
}

impl Bot {
    /// What it says next; nothing where it is gone.
    pub(crate) fn says(&mut self) -> Option<Vec<String>> {
        loop {
            let line = self.said.next()?.unwrap();
            let words: Vec<String> = line.splitn(4, ' ').map(str::to_owned).collect();
            if matches!(&*words[0], "brought" | "state" | "ready" | "doing" | "ack") {
                return Some(words);
            }
        }
    }

    /// Has it go to work.
    pub(crate) fn works(&mut self) {
        let mut orders = self.child.stdin.take().unwrap();
        orders.write_all(b"go\n").unwrap();
    }

    /// Kills it as `kill -9` does.
    pub(crate) fn kill(&mut self) {
        assert!(
            self.child.try_wait().unwrap().is_none(),
            "it ended by itself"
        );
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }
}

impl Drop for Bot {
    fn drop(&mut self) {
        let _ended = self.child.kill();
        let _ended = self.child.wait();
    }
}
