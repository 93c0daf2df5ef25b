//! A voice gateway such as Discord's, over `ws://` and UDP on this machine.

use std::collections::BTreeMap;
use std::io;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;

use tokio::net::{TcpListener, UdpSocket};
use tokio::sync::mpsc::UnboundedSender;
use tokio::sync::watch;

use super::{VoiceServer, discovery, gateway};
use crate::background;

/// A Discord voice gateway of version 8 on a thread of its own. Dropped, it cuts all connections.
#[derive(Debug)]
pub struct VoiceEndpoint {
    shared: Arc<Shared>,
    address: SocketAddr,
    stop: watch::Sender<bool>,
    thread: Option<JoinHandle<()>>,
}

#[derive(Debug, Default)]
pub(super) struct Shared {
    state: Mutex<State>,
}

#[derive(Debug, Default)]
pub(super) struct State {
    pub(super) issued: BTreeMap<u64, Issued>,
    /// Who asked for its address over UDP.
    pub(super) discovered: BTreeMap<u32, SocketAddr>,
    serial: u32,
}

/// What a guild's voice channel is joined with, and who did.
#[derive(Debug)]
pub(super) struct Issued {
    pub(super) server: VoiceServer,
    pub(super) connection: Option<Connection>,
    /// Whether it was joined, and may be resumed.
    pub(super) joined: bool,
}

#[derive(Debug)]
pub(super) struct Connection {
    pub(super) ssrc: u32,
    pub(super) tell: UnboundedSender<Told>,
}

/// What a test tells a connection to do.
#[derive(Debug)]
pub(super) enum Told {
    Close(u16),
    Cut,
}

impl Shared {
    pub(super) fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    pub(super) fn number(&mut self) -> u32 {
        self.serial += 1;
        self.serial
    }
}

impl VoiceEndpoint {
    /// Starts a gateway; it listens when this returns.
    ///
    /// # Errors
    /// Where it cannot listen on this machine.
    pub fn start() -> io::Result<Self> {
        let listener = std::net::TcpListener::bind("127.0.0.1:0")?;
        listener.set_nonblocking(true)?;
        let udp = std::net::UdpSocket::bind("127.0.0.1:0")?;
        udp.set_nonblocking(true)?;
        let (address, audio) = (listener.local_addr()?, udp.local_addr()?);
        let shared = Arc::new(Shared::default());
        let (stop, mut stopped) = watch::channel(false);
        let served = Arc::clone(&shared);
        let thread = background::run("voice", async move {
            let (Ok(listener), Ok(udp)) =
                (TcpListener::from_std(listener), UdpSocket::from_std(udp))
            else {
                return;
            };
            let asked = |ssrc, from| {
                served.lock().discovered.insert(ssrc, from);
            };
            tokio::select! {
                _ = stopped.wait_for(|stop| *stop) => {}
                () = discovery::answer(udp, asked) => {}
                () = listen(listener, audio, &served) => {}
            }
        })?;
        Ok(Self {
            shared,
            address,
            stop,
            thread: Some(thread),
        })
    }

    /// Where it listens.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Lets a bot join a channel of a guild. What was issued for the guild before is no longer good for joining; a
    /// connection that there is stays until it is closed.
    pub fn issue(&self, guild: u64, channel: u64) -> VoiceServer {
        let mut state = self.shared.lock();
        let number = state.number();
        let server = VoiceServer {
            token: format!("token-{guild}-{number}"),
            endpoint: self.address.to_string(),
            session_id: format!("voice-{guild}-{number}"),
            channel_id: channel.to_string(),
        };
        let connection = state.issued.remove(&guild).and_then(|it| it.connection);
        let issued = Issued {
            server: server.clone(),
            connection,
            joined: false,
        };
        state.issued.insert(guild, issued);
        server
    }

    /// Puts the bot out of a guild's channel: what was issued is void, and the connection is closed with 4014. `false`
    /// where there is no connection.
    pub fn revoke(&self, guild: u64) -> bool {
        let closed = self.close(guild, 4014);
        self.shared.lock().issued.remove(&guild);
        closed
    }

    /// Closes a guild's connection with this code; `false` where there is none.
    pub fn close(&self, guild: u64, code: u16) -> bool {
        self.tell(guild, Told::Close(code))
    }

    /// Cuts a guild's connection; `false` where there is none.
    pub fn cut(&self, guild: u64) -> bool {
        self.tell(guild, Told::Cut)
    }

    /// Whether somebody is in a guild's channel.
    #[must_use]
    pub fn connected(&self, guild: u64) -> bool {
        let state = self.shared.lock();
        let issued = state.issued.get(&guild);
        issued.is_some_and(|it| it.joined && it.connection.is_some())
    }

    fn tell(&self, guild: u64, told: Told) -> bool {
        let mut state = self.shared.lock();
        let connection = state
            .issued
            .get_mut(&guild)
            .and_then(|it| it.connection.take());
        connection.is_some_and(|it| it.tell.send(told).is_ok())
    }
}

impl Drop for VoiceEndpoint {
    fn drop(&mut self) {
        self.stop.send_replace(true);
        if let Some(thread) = self.thread.take() {
            // One that panicked is ended as well.
            let _ended = thread.join();
        }
    }
}

async fn listen(listener: TcpListener, audio: SocketAddr, shared: &Arc<Shared>) {
    loop {
        // What fails is one connection, not the listener.
        if let Ok((stream, _)) = listener.accept().await {
            tokio::spawn(gateway::serve(stream, audio, Arc::clone(shared)));
        }
    }
}
