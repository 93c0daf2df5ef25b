//! A node: its requests, its session, its clock.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use dalsegno::{Error, ErrorKind, Result};
use tokio::sync::{mpsc, oneshot};
use tokio::time::timeout;

use crate::clock::NodeClock;
use crate::lavalink::{Address, NodePlayer, PlayerChange, PlayerState, Rest, Stats};

/// How long a node is waited for that does not answer.
const CATCHING_UP: Duration = Duration::from_secs(2);

/// Waits until a node has told all. One that does not answer to that is not waited for.
pub(crate) async fn caught_up(heard: oneshot::Receiver<()>) {
    drop(timeout(CATCHING_UP, heard).await);
}

/// A Lavalink node that players are on.
pub struct Node {
    name: String,
    rest: Rest,
    link: Mutex<Link>,
}

/// How it stands to it now.
struct Link {
    /// The session that its players are of; nothing before it was ready for the first time.
    session: Option<String>,
    /// Since when its socket is lost.
    lost: Option<Instant>,
    stats: Option<Stats>,
    clock: NodeClock,
    /// To whoever listens to it.
    listener: Option<mpsc::UnboundedSender<oneshot::Sender<()>>>,
}

impl Node {
    /// A node of that name; nothing is sent yet.
    ///
    /// # Errors
    /// As [`Rest::new`].
    pub fn new(name: impl Into<String>, address: &Address) -> Result<Self> {
        let link = Link {
            session: None,
            lost: None,
            stats: None,
            clock: NodeClock::new(Instant::now()),
            listener: None,
        };
        Ok(Self {
            name: name.into(),
            rest: Rest::new(address)?,
            link: Mutex::new(link),
        })
    }

    pub(crate) fn patience(mut self, patience: Duration) -> Self {
        self.rest = self.rest.patience(patience);
        self
    }

    fn link(&self) -> MutexGuard<'_, Link> {
        self.link.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What it is called: what snapshots call it.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// For requests of other kinds than the ones here.
    #[must_use]
    pub fn rest(&self) -> &Rest {
        &self.rest
    }

    /// The id of the session that its players are of.
    #[must_use]
    pub fn session(&self) -> Option<String> {
        self.link().session.clone()
    }

    /// Whether its socket is open, or nobody ever opened one: it was attached to by a session's id alone.
    #[must_use]
    pub fn is_up(&self) -> bool {
        let link = self.link();
        link.session.is_some() && link.lost.is_none()
    }

    /// Attaches to a session of it without a socket. Its events are heard by whoever has its socket.
    pub fn attach(&self, session: impl Into<String>) {
        let mut link = self.link();
        link.session = Some(session.into());
        link.lost = None;
        drop(link);
        self.rest.go_on();
    }

    /// What it last said about how it is doing.
    #[must_use]
    pub fn stats(&self) -> Option<Stats> {
        self.link().stats
    }

    pub(crate) fn told(&self, stats: Stats) {
        self.link().stats = Some(stats);
    }

    /// Where whoever listens to it is asked to say when all was heard.
    pub(crate) fn asked(&self) -> mpsc::UnboundedReceiver<oneshot::Sender<()>> {
        let (listener, asked) = mpsc::unbounded_channel();
        self.link().listener = Some(listener);
        asked
    }

    /// Waits until all that it told so far was heard. Where nobody listens, or it does not answer, there is no more.
    pub(crate) async fn caught_up(&self) {
        let (told, heard) = oneshot::channel();
        let listener = self.link().listener.clone();
        if listener.is_some_and(|listener| listener.send(told).is_ok()) {
            caught_up(heard).await;
        }
    }

    /// Its socket was lost; answers when that was first noticed.
    pub(crate) fn lose(&self) -> Instant {
        *self.link().lost.get_or_insert_with(Instant::now)
    }

    /// How busy it is: the less, the rather it gets the next player. By the machine's load, then by how many play.
    pub(crate) fn burden(&self) -> (u64, u64) {
        let Some(stats) = self.stats() else {
            return (0, 0);
        };
        let deficit = u64::try_from(stats.deficit).unwrap_or(0);
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "between 0 and 20"
        )]
        let load = (stats.load.clamp(0.0, 1.0) * 20.0) as u64;
        // In steps of a twentieth, so that what a machine does by chance does not decide.
        (load + deficit / 100, stats.playing)
    }

    /// Changes a player on it. Answers how it is then, and since when by our clock.
    ///
    /// # Errors
    /// As [`Rest::change`]; `Unreachable` before it was ready for the first time.
    pub async fn change(&self, guild: u64, change: &PlayerChange) -> Result<(NodePlayer, Instant)> {
        let session = self.open_session()?;
        let asked = Instant::now();
        let player = self.rest.change(&session, guild, change).await?;
        let since = self.when(&player.state, Some(asked));
        Ok((player, since))
    }

    /// A player on it, as it is, and since when by our clock.
    ///
    /// # Errors
    /// As [`Rest::player`]; `Unreachable` before it was ready for the first time.
    pub async fn player(&self, guild: u64) -> Result<Option<(NodePlayer, Instant)>> {
        let session = self.open_session()?;
        let asked = Instant::now();
        let player = self.rest.player(&session, guild).await?;
        Ok(player.map(|player| {
            let since = self.when(&player.state, Some(asked));
            (player, since)
        }))
    }

    /// All its players, as [`player`](Node::player).
    ///
    /// # Errors
    /// As [`Rest::players`]; `Unreachable` before it was ready for the first time.
    pub async fn players(&self) -> Result<Vec<(NodePlayer, Instant)>> {
        let session = self.open_session()?;
        let asked = Instant::now();
        let players = self.rest.players(&session).await?;
        let timed = players.into_iter().map(|player| {
            let since = self.when(&player.state, Some(asked));
            (player, since)
        });
        Ok(timed.collect())
    }

    /// Ends a player on it.
    ///
    /// # Errors
    /// As [`Rest::end`]. Without a session there is none, and nothing to end.
    pub async fn end(&self, guild: u64) -> Result<()> {
        match self.session() {
            Some(session) => self.rest.end(&session, guild).await,
            None => Ok(()),
        }
    }

    /// When a player was as the node says, by our clock.
    pub(crate) fn when(&self, state: &PlayerState, asked: Option<Instant>) -> Instant {
        let now = Instant::now();
        if state.time == 0 {
            // It does not say.
            return now;
        }
        self.link().clock.heard(state.time, asked, now)
    }

    fn open_session(&self) -> Result<String> {
        self.session().ok_or_else(|| {
            Error::new(
                ErrorKind::Unreachable,
                format!("the node {} is not connected", self.name),
            )
        })
    }
}
