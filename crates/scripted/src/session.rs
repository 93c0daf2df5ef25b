//! A client's session: its players, and the websocket that it is told of them over.

use std::collections::BTreeMap;

use tokio::sync::mpsc::UnboundedSender;

use crate::player::Player;

/// What goes out of a websocket.
#[derive(Debug)]
pub(crate) enum Out {
    Text(String),
    /// The connection is cut.
    Cut,
}

#[derive(Debug)]
pub(crate) struct Session {
    /// The bot's id.
    pub(crate) user: u64,
    pub(crate) players: BTreeMap<u64, Player>,
    pub(crate) resuming: bool,
    /// Seconds.
    pub(crate) timeout: u64,
    /// The websocket; without one, what is said waits.
    pub(crate) socket: Option<Socket>,
    pub(crate) waiting: Vec<String>,
    /// When it ends if it is not resumed.
    pub(crate) ends: Option<u64>,
    pub(crate) next_update: u64,
    pub(crate) next_stats: u64,
}

/// A websocket; its number tells it from earlier ones of the same session.
#[derive(Debug)]
pub(crate) struct Socket {
    pub(crate) number: u64,
    pub(crate) out: UnboundedSender<Out>,
}

impl Session {
    pub(crate) fn send(&mut self, message: String) {
        match &self.socket {
            // A socket that is gone is noticed by whoever reads it.
            Some(socket) => drop(socket.out.send(Out::Text(message))),
            None => self.waiting.push(message),
        }
    }

    /// When something happens to it, or to one of its players, by itself.
    pub(crate) fn due(&self) -> Option<u64> {
        let stats = self.socket.as_ref().map(|_| self.next_stats);
        let players = self.players.values().filter_map(Player::due);
        let own = [Some(self.next_update), stats, self.ends];
        own.into_iter().flatten().chain(players).min()
    }
}
