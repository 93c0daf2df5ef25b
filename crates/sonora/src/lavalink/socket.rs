//! The socket of a node: kept open, and opened again.

use std::time::Duration;

use dalsegno::{Error, ErrorKind, Result};
use futures_util::{SinkExt, StreamExt};
use tokio::net::TcpStream;
use tokio::time::{sleep, timeout};
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::tungstenite::http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use tokio_tungstenite::tungstenite::{self, protocol::WebSocketConfig};
use tokio_tungstenite::{Connector, MaybeTlsStream, WebSocketStream};

use super::pace::back_off;
use super::{Address, Message, tls};

/// How long a node may take to say that it is ready.
const READY: Duration = Duration::from_secs(10);

/// A node that says nothing for so long is asked whether it is there; for twice as long, it is gone. It says how it is
/// doing every minute.
const SILENCE: Duration = Duration::from_secs(70);

/// What a node is asked: the answer comes behind all that it told before, such as what was kept for the session.
const CAUGHT_UP: &[u8] = b"caught up?";

type Stream = WebSocketStream<MaybeTlsStream<TcpStream>>;

/// As whom a bot speaks to a node.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Resume {
    /// The bot's id on Discord.
    pub user: u64,
    /// The session to go on with.
    pub session: Option<String>,
}

impl Resume {
    /// A new session of this bot, or that one again.
    #[must_use]
    pub fn new(user: u64, session: Option<String>) -> Self {
        Self { user, session }
    }
}

/// What comes from a socket.
#[derive(Debug)]
#[non_exhaustive]
pub enum Arrived {
    /// A message.
    Message(Message),
    /// All that the node had to tell when it was asked has been told: see [`Socket::ask`]. Every ready session is asked.
    CaughtUp,
    /// The connection broke, and is tried again from now on.
    Lost(Error),
    /// One more attempt failed.
    Failed(Error),
}

/// An open socket of a node.
pub struct Socket {
    address: Address,
    user: u64,
    /// Of the session to go on with, if there is one.
    session: Option<String>,
    stream: Option<Stream>,
    attempts: u32,
}

impl Socket {
    /// Opens it, and waits until the node says that it is ready. Tells whether the session of before goes on.
    ///
    /// # Errors
    /// `Unreachable`; `Denied` for a wrong password; `InvalidInput` where there is no such socket: another version.
    pub async fn open(address: &Address, resume: &Resume) -> Result<(Self, bool)> {
        let (stream, session, resumed) =
            connect(address, resume.user, resume.session.as_deref()).await?;
        let socket = Self {
            address: address.clone(),
            user: resume.user,
            session: Some(session),
            stream: Some(stream),
            attempts: 0,
        };
        Ok((socket, resumed))
    }

    /// One that is not open yet: it is opened as one is whose connection broke.
    #[must_use]
    pub fn later(address: &Address, resume: &Resume) -> Self {
        Self {
            address: address.clone(),
            user: resume.user,
            session: resume.session.clone(),
            stream: None,
            attempts: 0,
        }
    }

    /// The id of the session; empty before it was open for the first time.
    #[must_use]
    pub fn session(&self) -> &str {
        self.session.as_deref().unwrap_or_default()
    }

    /// What comes next. Where the connection breaks, that is told, and each further call tries to open it again, after
    /// a while: what comes then is [`Message::Ready`], or that it failed.
    pub async fn next(&mut self) -> Arrived {
        match &mut self.stream {
            Some(stream) => match receive(stream).await {
                Ok(Some(message)) => Arrived::Message(message),
                Ok(None) => Arrived::CaughtUp,
                Err(error) => {
                    self.stream = None;
                    self.attempts = 0;
                    Arrived::Lost(error.context(format!("the node {}", self.address)))
                }
            },
            None => {
                sleep(back_off(self.attempts)).await;
                self.attempts = self.attempts.saturating_add(1);
                match connect(&self.address, self.user, self.session.as_deref()).await {
                    Ok((stream, session, resumed)) => {
                        self.stream = Some(stream);
                        self.session = Some(session.clone());
                        Arrived::Message(Message::Ready { resumed, session })
                    }
                    Err(error) => Arrived::Failed(error),
                }
            }
        }
    }

    /// Asks the node whether it has told all: [`Arrived::CaughtUp`] comes behind what it told before. False where it is not
    /// connected.
    pub async fn ask(&mut self) -> bool {
        match &mut self.stream {
            Some(stream) => stream.send(caught_up()).await.is_ok(),
            None => false,
        }
    }

    /// Closes it. The node keeps the session for as long as it was told to.
    pub async fn close(mut self) {
        if let Some(mut stream) = self.stream.take() {
            // Where it is broken already, that is as well.
            drop(timeout(Duration::from_secs(2), stream.close(None)).await);
        }
    }
}

/// The next message that is one; nothing where it is the answer to what was asked in the beginning.
async fn receive(stream: &mut Stream) -> Result<Option<Message>> {
    let lost = |message: &str| Error::new(ErrorKind::Unreachable, message.to_owned());
    let mut asked = false;
    loop {
        let Ok(next) = timeout(SILENCE, stream.next()).await else {
            if asked {
                return Err(lost("says nothing any more"));
            }
            asked = true;
            stream
                .send(tungstenite::Message::Ping(tungstenite::Bytes::new()))
                .await
                .map_err(|e| lost("the connection broke").with_source(e))?;
            continue;
        };
        asked = false;
        match next {
            Some(Ok(tungstenite::Message::Text(text))) => {
                if let Some(message) = Message::read(&text) {
                    return Ok(Some(message));
                }
            }
            Some(Ok(tungstenite::Message::Close(_))) | None => {
                return Err(lost("closed the connection"));
            }
            Some(Ok(tungstenite::Message::Pong(said))) if said == CAUGHT_UP => return Ok(None),
            Some(Ok(_)) => {}
            Some(Err(error)) => {
                return Err(lost(&format!("the connection broke: {error}")).with_source(error));
            }
        }
    }
}

fn caught_up() -> tungstenite::Message {
    tungstenite::Message::Ping(tungstenite::Bytes::from_static(CAUGHT_UP))
}

async fn connect(
    address: &Address,
    user: u64,
    session: Option<&str>,
) -> Result<(Stream, String, bool)> {
    let opening = timeout(READY, async {
        let mut stream = shake_hands(address, user, session).await?;
        // A node may say other things first.
        loop {
            let message = receive(&mut stream)
                .await
                .map_err(|error| error.context(format!("the node {address}")))?;
            if let Some(Message::Ready { resumed, session }) = message {
                // Where it broke already, that is noticed next.
                drop(stream.send(caught_up()).await);
                return Ok((stream, session, resumed));
            }
        }
    });
    opening.await.unwrap_or_else(|_| {
        Err(Error::new(
            ErrorKind::Unreachable,
            format!(
                "the node {address} did not get ready within {} s",
                READY.as_secs()
            ),
        ))
    })
}

async fn shake_hands(address: &Address, user: u64, session: Option<&str>) -> Result<Stream> {
    let unreachable = |what: String| Error::new(ErrorKind::Unreachable, what);
    let mut request = format!("{}/v4/websocket", address.url("ws"))
        .into_client_request()
        .map_err(|e| {
            Error::new(
                ErrorKind::InvalidInput,
                format!("the node's address {address}: {e}"),
            )
        })?;
    headers(request.headers_mut(), address, user, session)?;
    let connector = if address.secure {
        Connector::Rustls(std::sync::Arc::new(tls::config(true)?))
    } else {
        Connector::Plain
    };
    // A list of a thousand tracks comes in one message.
    let config = WebSocketConfig::default().max_message_size(Some(64 << 20));
    let opened = tokio_tungstenite::connect_async_tls_with_config(
        request,
        Some(config),
        true,
        Some(connector),
    )
    .await;
    match opened {
        Ok((stream, _)) => Ok(stream),
        Err(tungstenite::Error::Http(answer)) => Err(match answer.status() {
            StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN => Error::new(
                ErrorKind::Denied,
                format!("the node {address} does not accept the password"),
            ),
            StatusCode::NOT_FOUND => Error::new(
                ErrorKind::InvalidInput,
                format!("the node {address} has no socket of version 4; which version is it?"),
            ),
            status => unreachable(format!(
                "the node {address} refuses the connection ({status})"
            )),
        }),
        Err(error) => Err(
            unreachable(format!("the node {address} does not answer: {error}")).with_source(error),
        ),
    }
}

fn headers(
    headers: &mut HeaderMap,
    address: &Address,
    user: u64,
    session: Option<&str>,
) -> Result<()> {
    let name = concat!("dalsegno/", env!("CARGO_PKG_VERSION"));
    let user = user.to_string();
    let said = [
        ("authorization", Some(address.password.reveal())),
        ("user-id", Some(user.as_str())),
        ("client-name", Some(name)),
        ("session-id", session),
    ];
    for (key, value) in said {
        let Some(value) = value else { continue };
        let mut value = HeaderValue::from_str(value).map_err(|_| {
            Error::new(
                ErrorKind::InvalidInput,
                format!("{key}: this cannot be in a header"),
            )
        })?;
        value.set_sensitive(key == "authorization");
        headers.insert(HeaderName::from_static(key), value);
    }
    Ok(())
}
