//! A node: started, watched and ended by a test.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::Duration;

use axum::body::Body;
use axum::extract::Request;
use hyper::body::Incoming;
use hyper::service::{Service, service_fn};
use hyper_util::rt::TokioIo;
use hyper_util::service::TowerToHyperService;
use tokio::net::{TcpListener, TcpStream};

use crate::background;
use crate::events::{End, Event, News};
use crate::faults::Rule;
use crate::heard::{Heard, PlayerView, Seen, SessionView, Sound};
use crate::oddities::Oddities;
use crate::options::Options;
use crate::rest::{Cut, router};
use crate::shared::Shared;

/// Longer than anything takes; only what hangs meets it.
const LONG: Duration = Duration::from_secs(60);

/// A Lavalink node on a thread of its own. Dropped, it dies as if it were killed.
#[derive(Debug)]
pub struct Node {
    shared: Arc<Shared>,
    address: SocketAddr,
    thread: Option<JoinHandle<()>>,
}

impl Node {
    /// Starts a node; it listens when this returns.
    ///
    /// # Errors
    /// Where it cannot listen: choose another port, or 0.
    pub fn start(options: Options) -> io::Result<Self> {
        let listener = std::net::TcpListener::bind(("127.0.0.1", options.port))?;
        listener.set_nonblocking(true)?;
        let address = listener.local_addr()?;
        let shared = Arc::new(Shared::new(options));
        let served = Arc::clone(&shared);
        let thread = background::run("node", async move {
            tokio::select! {
                () = served.died() => {}
                () = served.drive() => {}
                () = listen(listener, &served) => {}
            }
        })?;
        Ok(Self {
            shared,
            address,
            thread: Some(thread),
        })
    }

    /// Where it listens.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// The port that it listens on.
    #[must_use]
    pub fn port(&self) -> u16 {
        self.address.port()
    }

    /// Its password.
    #[must_use]
    pub fn password(&self) -> &str {
        &self.shared.options.password
    }

    /// Ends it at once, as a killed process would end: all connections are cut, and nothing is kept. What was heard
    /// until then can still be asked for.
    pub fn kill(&mut self) {
        self.shared.die();
        if let Some(thread) = self.thread.take() {
            // One that panicked is ended as well.
            let _ended = thread.join();
        }
    }

    /// Whether it was killed, or died of a fault.
    #[must_use]
    pub fn is_dead(&self) -> bool {
        self.shared.is_dead()
    }

    /// What was heard in a guild since the node started.
    #[must_use]
    pub fn heard(&self, guild: u64) -> Vec<Heard> {
        self.shared.lock().heard(guild).to_vec()
    }

    /// The player of a guild as it really is; where several sessions have one, that which plays.
    #[must_use]
    pub fn player(&self, guild: u64) -> Option<PlayerView> {
        let state = self.shared.lock();
        let (session, player) = state.player(guild)?;
        let playing = player.playing.as_ref();
        Some(PlayerView {
            session: session.clone(),
            identifier: playing.map(|it| it.track.identifier.clone()),
            position: player.position(state.now),
            volume: player.volume,
            paused: player.paused,
            filters: player.filters.clone(),
            user_data: playing.map_or_else(|| serde_json::json!({}), |it| it.user_data.clone()),
            end_time: playing.and_then(|it| it.end_time),
            connected: player.connected,
        })
    }

    /// All requests since the node started.
    #[must_use]
    pub fn requests(&self) -> Vec<Seen> {
        self.shared.lock().requests.clone()
    }

    /// All sessions.
    #[must_use]
    pub fn sessions(&self) -> Vec<SessionView> {
        let state = self.shared.lock();
        let view = |(id, session): (&String, &crate::session::Session)| SessionView {
            id: id.clone(),
            open: session.socket.is_some(),
            resuming: session.resuming,
            timeout: session.timeout,
            players: session.players.len(),
        };
        state.sessions.iter().map(view).collect()
    }

    /// Cuts the websocket of a session; `false` where it has none.
    pub fn drop_socket(&self, session: &str) -> bool {
        self.shared.lock().cut(session)
    }

    /// Has something happen to the player of a guild; `false` where there is no player that it could happen to.
    pub fn raise(&self, guild: u64, event: Event) -> bool {
        let mut state = self.shared.lock();
        let found = state
            .player(guild)
            .map(|(session, player)| (session.clone(), player.playing.clone()));
        let Some((session, playing)) = found else {
            return false;
        };
        let changed = state.change(&session, guild, |player, now| match (event, playing) {
            (Event::VoiceClosed(code), _) => {
                player.disconnect(now);
                player.news.push(News::VoiceClosed {
                    code,
                    reason: "Closed".into(),
                    by_remote: true,
                });
                player.news.push(News::Update);
                true
            }
            (_, None) => false,
            (Event::Exception(message), Some(playing)) => {
                player.news.push(News::Exception(playing, message));
                true
            }
            (Event::Stuck(threshold), Some(playing)) => {
                player.news.push(News::Stuck(playing, threshold));
                player.news.push(News::Update);
                true
            }
            (Event::End(end), Some(_)) => {
                let over = end == End::Finished;
                player.end(end, if over { Sound::Ended } else { Sound::Stopped });
                true
            }
        });
        changed.unwrap_or(false)
    }

    /// Adds a fault. Of several that meet a request, the first one added holds.
    pub fn script(&self, rule: Rule) {
        self.shared.lock().rules.push(rule);
    }

    /// Takes all faults away.
    pub fn unscript(&self) {
        self.shared.lock().rules.clear();
    }

    /// Changes what the node does otherwise than the official server.
    pub fn set_oddities(&self, change: impl FnOnce(&mut Oddities)) {
        change(&mut self.shared.lock().oddities);
    }

    /// Waits until something is so, looking again after whatever happens in the node.
    ///
    /// # Errors
    /// `TimedOut` where it is not so within a minute.
    pub fn wait_for(&self, is_so: impl Fn(&Self) -> bool) -> io::Result<()> {
        match self.shared.wait_for(|| is_so(self), LONG) {
            true => Ok(()),
            false => Err(io::ErrorKind::TimedOut.into()),
        }
    }

    /// As [`Node::wait_for`], for tests that must not block their thread.
    ///
    /// # Errors
    /// `TimedOut` where it is not so within a minute.
    pub async fn until(&self, is_so: impl Fn(&Self) -> bool) -> io::Result<()> {
        let mut changes = self.shared.changes();
        let change = async {
            loop {
                changes.mark_unchanged();
                if is_so(self) {
                    return;
                }
                // The sender is held here, so that it cannot be gone.
                let _changed = changes.changed().await;
            }
        };
        Ok(tokio::time::timeout(LONG, change).await?)
    }
}

impl Drop for Node {
    fn drop(&mut self) {
        self.kill();
    }
}

/// Serves whoever connects.
async fn listen(listener: std::net::TcpListener, shared: &Arc<Shared>) {
    let Ok(listener) = TcpListener::from_std(listener) else {
        return;
    };
    let service = TowerToHyperService::new(router(shared));
    loop {
        // What fails is one connection, not the listener.
        if let Ok((stream, _)) = listener.accept().await {
            tokio::spawn(serve(stream, service.clone()));
        }
    }
}

async fn serve(stream: TcpStream, service: TowerToHyperService<axum::Router>) {
    let service = service_fn(move |request: Request<Incoming>| {
        let answer = service.call(request.map(Body::new));
        async {
            let answer = answer.await.map_err(io::Error::other)?;
            // Hyper closes a connection whose service fails.
            match answer.extensions().get::<Cut>() {
                Some(_) => Err(io::Error::from(io::ErrorKind::ConnectionAborted)),
                None => Ok(answer),
            }
        }
    });
    let connection = hyper::server::conn::http1::Builder::new()
        .serve_connection(TokioIo::new(stream), service)
        .with_upgrades();
    // That it broke is the client's matter.
    let _ended = connection.await;
}
