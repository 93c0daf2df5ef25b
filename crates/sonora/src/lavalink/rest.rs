//! Requests to a node.

use std::sync::Arc;
use std::time::Duration;

use dalsegno::{Error, ErrorKind, Result};
use reqwest::{Client, Method, Response, StatusCode, header};
use serde::Deserialize;
use serde_json::{Value, json};
use tokio::time::{Instant, sleep};

use super::pace::{Pace, back_off};
use super::wire::WireTrack;
use super::{Address, Info, Loaded, NodePlayer, PlayerChange, Stats, tls};
use crate::track::Track;

/// The longest answer, in bytes: that of a thousand players is below 3 MB.
const MOST: usize = 64 << 20;

/// How long one attempt may take.
const ATTEMPT: Duration = Duration::from_secs(10);

/// Requests to a node. Clones share how fast it is asked.
///
/// A request that fails in a way that may pass (no connection, 5xx, 429) is sent again until its patience is over: all
/// of them say what is to be, so that it does no harm if they arrive twice.
#[derive(Debug, Clone)]
pub struct Rest {
    client: Client,
    address: Address,
    pace: Arc<Pace>,
    patience: Duration,
}

impl Rest {
    /// To the node at this address; nothing is sent yet.
    ///
    /// # Errors
    /// `InvalidInput` where the password cannot be in a header; `Storage` where TLS cannot be set up.
    pub fn new(address: &Address) -> Result<Self> {
        let mut password =
            header::HeaderValue::from_str(address.password.reveal()).map_err(|_| {
                Error::new(
                    ErrorKind::InvalidInput,
                    "the node's password has characters that no header can have",
                )
            })?;
        password.set_sensitive(true);
        let headers = [(header::AUTHORIZATION, password)].into_iter().collect();
        let client = Client::builder()
            .default_headers(headers)
            .timeout(ATTEMPT)
            .no_proxy()
            .redirect(reqwest::redirect::Policy::none())
            .user_agent(concat!("dalsegno/", env!("CARGO_PKG_VERSION")))
            .tls_backend_preconfigured(tls::config(address.secure)?)
            .build()
            .map_err(|e| {
                Error::new(ErrorKind::Storage, "the client for requests cannot be made")
                    .with_source(e)
            })?;
        Ok(Self {
            client,
            address: address.clone(),
            pace: Arc::default(),
            patience: Duration::from_secs(30),
        })
    }

    /// The same with another patience: for how long a request is sent again, 30 seconds unless said.
    #[must_use]
    pub fn patience(mut self, patience: Duration) -> Self {
        self.patience = patience;
        self
    }

    /// Where the node is.
    #[must_use]
    pub fn address(&self) -> &Address {
        &self.address
    }

    /// What the node is.
    ///
    /// # Errors
    /// `Unreachable`; `Denied` for a wrong password; `InvalidInput` where it speaks another version than 4.
    pub async fn info(&self) -> Result<Info> {
        match self.get("/v4/info").await {
            Ok(value) => {
                let info = Info::read(&value);
                if info.version.is_empty() {
                    return Err(Error::new(
                        ErrorKind::InvalidInput,
                        format!("{} answers, but not as Lavalink does", self.address),
                    ));
                }
                Ok(info)
            }
            Err(error) if error.kind() == ErrorKind::NotFound => Err(self.other_version().await),
            Err(error) => Err(error),
        }
    }

    async fn other_version(&self) -> Error {
        let version = match self.send(Method::GET, "/version", None).await {
            Ok(response) => self.body(response).await.unwrap_or_default(),
            Err(_) => Vec::new(),
        };
        let version = String::from_utf8_lossy(&version);
        let version: String = version
            .chars()
            .filter(|c| !c.is_control())
            .take(40)
            .collect();
        let what = if version.is_empty() {
            "is no Lavalink 4".to_owned()
        } else {
            format!("is version {version}")
        };
        Error::new(
            ErrorKind::InvalidInput,
            format!("the node {} {what}; version 4 is needed", self.address),
        )
    }

    /// How the node is doing.
    ///
    /// # Errors
    /// As [`info`](Rest::info).
    pub async fn stats(&self) -> Result<Stats> {
        Ok(Stats::read(&self.get("/v4/stats").await?))
    }

    /// All players of a session.
    ///
    /// # Errors
    /// `Unreachable`, `Denied`; `NotFound` where the node has not the session, or not now: until its socket is back.
    pub async fn players(&self, session: &str) -> Result<Vec<NodePlayer>> {
        let path = format!("/v4/sessions/{}/players", segment(session));
        NodePlayer::read_all(&self.get(&path).await?)
    }

    /// One player; nothing where there is none.
    ///
    /// # Errors
    /// As [`players`](Rest::players).
    pub async fn player(&self, session: &str, guild: u64) -> Result<Option<NodePlayer>> {
        match self.get(&player(session, guild)).await {
            Ok(value) => NodePlayer::read(&value).map(Some),
            Err(error) if error.kind() == ErrorKind::NotFound => {
                // Which of both is missing, only the list says.
                let all = self.players(session).await?;
                Ok(all.into_iter().find(|it| it.guild == guild))
            }
            Err(error) => Err(error),
        }
    }

    /// Changes a player, or makes it.
    ///
    /// # Errors
    /// As [`players`](Rest::players); `InvalidInput` where the node refuses it, with its words.
    pub async fn change(
        &self,
        session: &str,
        guild: u64,
        change: &PlayerChange,
    ) -> Result<NodePlayer> {
        let body = serde_json::to_value(change).map_err(|e| {
            Error::new(ErrorKind::InvalidInput, "the change is no JSON").with_source(e)
        })?;
        let path = format!("{}?noReplace=false", player(session, guild));
        let answer = self.send(Method::PATCH, &path, Some(&body)).await?;
        NodePlayer::read(&self.json(answer).await?)
    }

    /// Ends a player. That there is none is no error.
    ///
    /// # Errors
    /// `Unreachable`, `Denied`.
    pub async fn end(&self, session: &str, guild: u64) -> Result<()> {
        match self
            .send(Method::DELETE, &player(session, guild), None)
            .await
        {
            Ok(_) => Ok(()),
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(()),
            Err(error) => Err(error),
        }
    }

    /// Says for how long the session and its players are kept when its socket drops. The protocol counts seconds.
    ///
    /// # Errors
    /// As [`players`](Rest::players).
    pub async fn resume_within(&self, session: &str, time: Duration) -> Result<()> {
        let body = json!({"resuming": true, "timeout": time.as_secs()});
        let path = format!("/v4/sessions/{}", segment(session));
        self.send(Method::PATCH, &path, Some(&body)).await.map(drop)
    }

    /// What the node finds by an identifier: an address, or a search such as `ytsearch:words`.
    ///
    /// # Errors
    /// `Unreachable`, `Denied`; `NotFound` where it could not be loaded, with the node's reason.
    pub async fn load(&self, identifier: &str) -> Result<Loaded> {
        let query: String = url::form_urlencoded::Serializer::new(String::new())
            .append_pair("identifier", identifier)
            .finish();
        Loaded::read(&self.get(&format!("/v4/loadtracks?{query}")).await?)
    }

    /// The tracks of these encoded texts.
    ///
    /// # Errors
    /// `Unreachable`, `Denied`; `InvalidInput` where the node cannot read one of them.
    pub async fn decode(&self, encoded: &[&str]) -> Result<Vec<Track>> {
        let body = json!(encoded);
        let answer = self
            .send(Method::POST, "/v4/decodetracks", Some(&body))
            .await?;
        let tracks = Vec::<WireTrack>::deserialize(self.json(answer).await?).map_err(|e| {
            Error::new(ErrorKind::Unreachable, "the node answers no list of tracks").with_source(e)
        })?;
        Ok(tracks.into_iter().map(Track::from).collect())
    }

    async fn get(&self, path: &str) -> Result<Value> {
        let response = self.send(Method::GET, path, None).await?;
        self.json(response).await
    }

    async fn json(&self, response: Response) -> Result<Value> {
        let body = self.body(response).await?;
        serde_json::from_slice(&body).map_err(|e| {
            Error::new(
                ErrorKind::Unreachable,
                format!("the node {} answers no JSON", self.address),
            )
            .with_source(e)
        })
    }

    /// What is answered, as far as it has an end.
    async fn body(&self, mut response: Response) -> Result<Vec<u8>> {
        let mut body = Vec::new();
        loop {
            match response.chunk().await {
                Ok(Some(chunk)) if body.len() + chunk.len() <= MOST => {
                    body.extend_from_slice(&chunk)
                }
                Ok(None) => return Ok(body),
                Ok(Some(_)) => {
                    return Err(Error::new(
                        ErrorKind::Unreachable,
                        format!("the node {} answers without end", self.address),
                    ));
                }
                Err(e) => {
                    return Err(Error::new(
                        ErrorKind::Unreachable,
                        format!("the node {} broke off its answer", self.address),
                    )
                    .with_source(e.without_url()));
                }
            }
        }
    }

    /// Sends a request until it is answered, or the patience is over.
    async fn send(&self, method: Method, path: &str, body: Option<&Value>) -> Result<Response> {
        let until = Instant::now() + self.patience;
        let mut attempts = 0;
        loop {
            let wait = self.pace.wait();
            if !wait.is_zero() && Instant::now() + wait > until {
                return Err(Error::new(
                    ErrorKind::Unreachable,
                    format!(
                        "the node {} asks to wait {} s more; nothing was sent",
                        self.address,
                        wait.as_secs() + 1
                    ),
                ));
            }
            sleep(wait).await;
            let url = format!("{}{path}", self.address.url("http"));
            let mut request = self.client.request(method.clone(), url);
            if let Some(body) = body {
                request = request.json(body);
            }
            let place = self.pace.place().await;
            let answer = request.send().await;
            drop(place);
            let error = match answer {
                Ok(response) if response.status().is_success() => return Ok(response),
                Ok(response) if response.status() == StatusCode::TOO_MANY_REQUESTS => {
                    self.pace
                        .hold(retry_after(&response).unwrap_or_else(|| back_off(attempts)));
                    attempts += 1;
                    continue;
                }
                Ok(response) if response.status().is_server_error() => self.failed(response).await,
                Ok(response) => return Err(self.failed(response).await),
                Err(error) => Error::new(
                    ErrorKind::Unreachable,
                    format!(
                        "the node {} does not answer: {}",
                        self.address,
                        innermost(&error)
                    ),
                )
                .with_source(error.without_url()),
            };
            let wait = back_off(attempts);
            attempts += 1;
            if Instant::now() + wait > until {
                return Err(error);
            }
            sleep(wait).await;
        }
    }

    /// What an answer that is no success means.
    async fn failed(&self, response: Response) -> Error {
        let status = response.status();
        let body: Value = self.json(response).await.unwrap_or_default();
        let said = body["message"]
            .as_str()
            .unwrap_or_else(|| status.canonical_reason().unwrap_or_default());
        let said: String = said.chars().filter(|c| !c.is_control()).take(300).collect();
        let node = &self.address;
        match status {
            StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN => Error::new(
                ErrorKind::Denied,
                format!("the node {node} does not accept the password"),
            ),
            StatusCode::NOT_FOUND => Error::new(
                ErrorKind::NotFound,
                format!("the node {node} has no such session or player: {said}"),
            ),
            status if status.is_client_error() => Error::new(
                ErrorKind::InvalidInput,
                format!("the node {node} refuses it ({}): {said}", status.as_u16()),
            ),
            status => Error::new(
                ErrorKind::Unreachable,
                format!("the node {node} failed ({}): {said}", status.as_u16()),
            ),
        }
    }
}

fn player(session: &str, guild: u64) -> String {
    format!("/v4/sessions/{}/players/{guild}", segment(session))
}

/// One part of a path, whatever a session is called.
fn segment(text: &str) -> String {
    url::form_urlencoded::byte_serialize(text.as_bytes()).collect()
}

fn retry_after(response: &Response) -> Option<Duration> {
    let said = response.headers().get(header::RETRY_AFTER)?.to_str().ok()?;
    let seconds: f64 = said.parse().ok()?;
    Duration::try_from_secs_f64(seconds).ok()
}

/// The cause at the bottom: what lies above only says that a request failed.
fn innermost(error: &reqwest::Error) -> String {
    let mut cause: &dyn std::error::Error = error;
    while let Some(below) = cause.source() {
        cause = below;
    }
    cause.to_string()
}
