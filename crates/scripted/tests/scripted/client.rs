//! A client with a websocket, which says what it gets.

use std::time::Duration;

use dalsegno_scripted::{Clock, Node, Options, TestClock};
use futures_util::StreamExt;
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use tokio::net::TcpStream;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::tungstenite::error::Error;
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream};

/// Longer than anything here takes; only what hangs meets it.
const LONG: Duration = Duration::from_secs(60);

pub(crate) struct Client {
    pub(crate) session: String,
    pub(crate) resumed: bool,
    url: String,
    password: String,
    http: reqwest::Client,
    socket: WebSocketStream<MaybeTlsStream<TcpStream>>,
}

/// A node that goes by a test's clock.
pub(crate) fn node() -> (Node, TestClock) {
    node_with(Options::default())
}

pub(crate) fn node_with(options: Options) -> (Node, TestClock) {
    let clock = TestClock::new();
    let options = Options {
        clock: Clock::Test(clock.clone()),
        ..options
    };
    (Node::start(options).unwrap(), clock)
}

pub(crate) fn seconds(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

pub(crate) fn voice() -> Value {
    json!({"token": "secret", "endpoint": "127.0.0.1:1", "sessionId": "voice", "channelId": "7"})
}

/// Opens a websocket with these headers.
pub(crate) async fn open(
    node: &Node,
    headers: &[(&'static str, &str)],
) -> Result<WebSocketStream<MaybeTlsStream<TcpStream>>, Error> {
    let mut request = format!("ws://{}/v4/websocket", node.address()).into_client_request()?;
    for (name, value) in headers {
        request.headers_mut().insert(*name, value.parse().unwrap());
    }
    Ok(tokio_tungstenite::connect_async(request).await?.0)
}

impl Client {
    pub(crate) async fn connect(node: &Node) -> Self {
        Self::resume(node, None).await
    }

    pub(crate) async fn resume(node: &Node, session: Option<&str>) -> Self {
        let mut headers = vec![
            ("authorization", node.password()),
            ("user-id", "42"),
            ("client-name", "tests/1.0"),
        ];
        headers.extend(session.map(|it| ("session-id", it)));
        let mut client = Self {
            session: String::new(),
            resumed: false,
            url: format!("http://{}", node.address()),
            password: node.password().to_owned(),
            http: http(),
            socket: open(node, &headers).await.unwrap(),
        };
        let ready = client.next().await;
        assert_eq!(ready["op"], "ready");
        client.session = ready["sessionId"].as_str().unwrap().to_owned();
        client.resumed = ready["resumed"].as_bool().unwrap();
        client
    }

    /// The next message; `null` when the websocket is closed.
    pub(crate) async fn next(&mut self) -> Value {
        match tokio::time::timeout(LONG, self.socket.next())
            .await
            .unwrap()
        {
            Some(Ok(Message::Text(text))) => serde_json::from_str(&text).unwrap(),
            _ => Value::Null,
        }
    }

    /// The next message of a kind: of an `op`, or an event of a `type`.
    pub(crate) async fn next_of(&mut self, kind: &str) -> Value {
        loop {
            let message = self.next().await;
            assert!(!message.is_null(), "closed before {kind}");
            if message["op"] == kind || message["type"] == kind {
                return message;
            }
        }
    }

    pub(crate) async fn close(mut self) {
        self.socket.close(None).await.unwrap();
    }

    pub(crate) async fn try_ask(
        &self,
        method: Method,
        path: &str,
        body: Option<Value>,
    ) -> reqwest::Result<(StatusCode, Value)> {
        let url = format!("{}{path}", self.url);
        let mut request = self
            .http
            .request(method, url)
            .header("Authorization", &self.password);
        if let Some(body) = body {
            request = request.json(&body);
        }
        let answer = request.send().await?;
        let status = answer.status();
        let text = answer.text().await?;
        Ok((status, serde_json::from_str(&text).unwrap_or(json!(text))))
    }

    pub(crate) async fn ask(
        &self,
        method: Method,
        path: &str,
        body: Option<Value>,
    ) -> (u16, Value) {
        let (status, body) = self.try_ask(method, path, body).await.unwrap();
        (status.as_u16(), body)
    }

    pub(crate) async fn get(&self, path: &str) -> (u16, Value) {
        self.ask(Method::GET, path, None).await
    }

    pub(crate) fn player(&self, guild: u64) -> String {
        format!("/v4/sessions/{}/players/{guild}", self.session)
    }

    pub(crate) async fn show(&self, guild: u64) -> Value {
        let (status, player) = self.get(&self.player(guild)).await;
        assert_eq!(status, 200, "{player}");
        player
    }

    pub(crate) async fn update(&self, guild: u64, body: Value) -> (u16, Value) {
        self.ask(Method::PATCH, &self.player(guild), Some(body))
            .await
    }

    /// Updates a player, which must be granted.
    pub(crate) async fn updated(&self, guild: u64, body: Value) -> Value {
        let (status, player) = self.update(guild, body).await;
        assert_eq!(status, 200, "{player}");
        player
    }

    /// Plays a track from its start, in a voice channel.
    pub(crate) async fn play(&self, guild: u64, identifier: &str) -> Value {
        self.updated(
            guild,
            json!({"voice": voice(), "track": {"identifier": identifier}}),
        )
        .await
    }
}

/// Built beside others, it may have TLS, and then needs to be told whose.
pub(crate) fn http() -> reqwest::Client {
    // It may have been told before.
    drop(rustls::crypto::ring::default_provider().install_default());
    reqwest::Client::new()
}
