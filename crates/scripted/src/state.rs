//! All that a node knows, and what happens in it by itself as time passes.

use std::collections::{BTreeMap, VecDeque};
use std::hash::{BuildHasher, Hasher, RandomState};
use std::sync::Arc;

use serde_json::{Value, json};

use crate::events::{News, Writer};
use crate::faults::Rule;
use crate::heard::{Heard, Seen};
use crate::oddities::Oddities;
use crate::options::{Options, millis};
use crate::player::Player;
use crate::session::{Out, Session, Socket};

#[derive(Debug)]
pub(crate) struct State {
    pub(crate) options: Arc<Options>,
    pub(crate) oddities: Oddities,
    pub(crate) rules: Vec<Rule>,
    pub(crate) sessions: BTreeMap<String, Session>,
    pub(crate) requests: Vec<Seen>,
    pub(crate) now: u64,
    /// Grows with whatever happens.
    pub(crate) version: u64,
    /// When the last requests came, and until when all are refused.
    pub(crate) lately: VecDeque<u64>,
    pub(crate) blocked_until: u64,
    heard: BTreeMap<u64, Vec<Heard>>,
    serial: u64,
    started: u64,
}

impl State {
    pub(crate) fn new(options: Arc<Options>, now: u64) -> Self {
        Self {
            oddities: options.oddities.clone(),
            options,
            rules: Vec::new(),
            sessions: BTreeMap::new(),
            requests: Vec::new(),
            now,
            version: 0,
            lately: VecDeque::new(),
            blocked_until: 0,
            heard: BTreeMap::new(),
            serial: 0,
            started: now,
        }
    }

    /// A number that was not given before.
    pub(crate) fn number(&mut self) -> u64 {
        self.serial += 1;
        self.version += 1;
        self.serial
    }

    pub(crate) fn writer(&self) -> Writer<'_> {
        Writer {
            oddities: &self.oddities,
            now: self.now,
        }
    }

    pub(crate) fn heard(&self, guild: u64) -> &[Heard] {
        self.heard.get(&guild).map_or(&[], Vec::as_slice)
    }

    /// The player that is heard in a guild: one that plays, or else any.
    pub(crate) fn player(&self, guild: u64) -> Option<(&String, &Player)> {
        let sessions = self.sessions.iter();
        let players = sessions.filter_map(|(id, session)| Some((id, session.players.get(&guild)?)));
        let mut players: Vec<_> = players.collect();
        players.sort_by_key(|(_, player)| player.playing.is_none());
        players.first().copied()
    }

    /// A session whose websocket is open.
    pub(crate) fn open(&mut self, session: &str) -> Option<&mut Session> {
        self.sessions
            .get_mut(session)
            .filter(|it| it.socket.is_some())
    }

    /// Changes a player, which is created where there is none, and tells what is new of it.
    pub(crate) fn change<T>(
        &mut self,
        session: &str,
        guild: u64,
        change: impl FnOnce(&mut Player, u64) -> T,
    ) -> Option<T> {
        let player = self
            .sessions
            .get_mut(session)?
            .players
            .entry(guild)
            .or_default();
        let changed = change(player, self.now);
        self.tell(session, guild);
        Some(changed)
    }

    pub(crate) fn remove_player(&mut self, session: &str, guild: u64) {
        let known = |it: &Session| it.players.contains_key(&guild);
        if self.sessions.get(session).is_some_and(known) {
            self.change(session, guild, |player, now| {
                player.stop();
                player.disconnect(now);
            });
        }
        if let Some(session) = self.sessions.get_mut(session) {
            session.players.remove(&guild);
        }
    }

    fn tell(&mut self, id: &str, guild: u64) {
        self.version += 1;
        let Some(session) = self.sessions.get_mut(id) else {
            return;
        };
        let Some(player) = session.players.get_mut(&guild) else {
            return;
        };
        let all = std::mem::take(&mut player.news);
        let writer = Writer {
            oddities: &self.oddities,
            now: self.now,
        };
        for news in all {
            if let News::Sound(sound) = &news {
                let heard = Heard {
                    at: self.now,
                    sound: sound.clone(),
                };
                self.heard.entry(guild).or_default().push(heard);
            }
            let said = session
                .players
                .get(&guild)
                .and_then(|it| writer.news(guild, it, &news));
            if let Some(said) = said {
                session.send(writer.dress(said).to_string());
            }
        }
    }

    /// A websocket is open: a session goes on with it, or a new one starts.
    pub(crate) fn connect(&mut self, resumed: Option<String>, user: u64, socket: Socket) -> String {
        let resumed = resumed.filter(|it| self.resumable(it));
        let id = resumed.clone().unwrap_or_else(|| {
            // Random, so that no other node knows it.
            format!("{:016x}", RandomState::new().build_hasher().finish())
        });
        let now = self.now;
        let (update, stats) = (
            millis(self.options.player_update),
            millis(self.options.stats),
        );
        let session = self.sessions.entry(id.clone()).or_insert_with(|| Session {
            user,
            players: BTreeMap::new(),
            resuming: false,
            timeout: 60,
            socket: None,
            waiting: Vec::new(),
            ends: None,
            next_update: now + update,
            next_stats: now + stats,
        });
        let waiting = std::mem::take(&mut session.waiting);
        (session.socket, session.ends) = (Some(socket), None);
        session.next_stats = now + stats;
        let guilds: Vec<u64> = session.players.keys().copied().collect();
        let ready = json!({"op": "ready", "resumed": resumed.is_some(), "sessionId": id});
        let ready = self.writer().dress(ready).to_string();
        if let Some(session) = self.sessions.get_mut(&id) {
            session.send(ready);
            waiting.into_iter().for_each(|it| session.send(it));
        }
        for guild in guilds {
            self.change(&id, guild, |player, _| player.news.push(News::Update));
        }
        self.say_stats(&id);
        id
    }

    pub(crate) fn resumable(&self, session: &str) -> bool {
        self.sessions
            .get(session)
            .is_some_and(|it| it.socket.is_none())
    }

    /// A websocket is gone: its session waits to be resumed, or ends.
    pub(crate) fn disconnect(&mut self, id: &str, socket: u64) {
        let now = self.now;
        let Some(session) = self.sessions.get_mut(id) else {
            return;
        };
        if session.socket.as_ref().is_none_or(|it| it.number != socket) {
            return;
        }
        session.socket = None;
        self.version += 1;
        if session.resuming {
            session.ends = Some(now.saturating_add(session.timeout.saturating_mul(1_000)));
        } else {
            self.end_session(id);
        }
    }

    fn end_session(&mut self, id: &str) {
        let guilds = self
            .sessions
            .get(id)
            .map(|it| it.players.keys().copied().collect::<Vec<_>>());
        for guild in guilds.into_iter().flatten() {
            self.remove_player(id, guild);
        }
        self.sessions.remove(id);
        self.version += 1;
    }

    /// Cuts the websocket of a session.
    pub(crate) fn cut(&mut self, id: &str) -> bool {
        let Some(socket) = self.sessions.get(id).and_then(|it| it.socket.as_ref()) else {
            return false;
        };
        // One that is gone already needs no cutting.
        drop(socket.out.send(Out::Cut));
        let number = socket.number;
        self.disconnect(id, number);
        true
    }

    pub(crate) fn due(&self) -> Option<u64> {
        self.sessions.values().filter_map(Session::due).min()
    }

    /// Has everything happen that is due up to a moment, each thing at its own time.
    pub(crate) fn settle(&mut self, now: u64) {
        while let Some(due) = self.due().filter(|due| *due <= now) {
            self.now = self.now.max(due);
            self.version += 1;
            let ids: Vec<String> = self.sessions.keys().cloned().collect();
            for id in ids {
                self.settle_session(&id);
            }
        }
        self.now = self.now.max(now);
    }

    fn settle_session(&mut self, id: &str) {
        let now = self.now;
        let (every, stats) = (
            millis(self.options.player_update),
            millis(self.options.stats),
        );
        let Some(session) = self.sessions.get_mut(id) else {
            return;
        };
        if session.ends.is_some_and(|it| it <= now) {
            return self.end_session(id);
        }
        let updates = session.next_update <= now;
        if updates {
            session.next_update = now + every.max(1);
        }
        let says_stats = session.socket.is_some() && session.next_stats <= now;
        if says_stats {
            session.next_stats = now + stats.max(1);
        }
        let falls = |it: &Player| it.due().is_some_and(|due| due <= now);
        let due = session
            .players
            .iter()
            .filter(|(_, it)| falls(it) || (updates && it.playing.is_some()));
        let due: Vec<u64> = due.map(|(guild, _)| *guild).collect();
        for guild in due {
            self.change(id, guild, |player, now| {
                player.fall_due(now);
                if updates {
                    player.news.push(News::Update);
                }
            });
        }
        if says_stats {
            self.say_stats(id);
        }
    }

    fn say_stats(&mut self, id: &str) {
        let mut stats = json!({"op": "stats"});
        if let (Some(all), Value::Object(mut own)) = (stats.as_object_mut(), self.stats()) {
            all.append(&mut own);
        }
        let stats = self.writer().dress(stats).to_string();
        if let Some(session) = self.sessions.get_mut(id) {
            session.send(stats);
        }
    }

    pub(crate) fn stats(&self) -> Value {
        let players = || self.sessions.values().flat_map(|it| it.players.values());
        let playing = players().filter(|it| it.playing.is_some() && !it.paused);
        json!({
            "players": players().count(),
            "playingPlayers": playing.count(),
            "uptime": self.now - self.started,
            "memory": {"free": 100_000_000, "used": 100_000_000, "allocated": 200_000_000, "reservable": 400_000_000},
            "cpu": {"cores": 2, "systemLoad": 0.1, "lavalinkLoad": 0.05},
            "frameStats": null,
        })
    }
}
