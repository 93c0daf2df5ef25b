//! Requests to a node.

use std::sync::Arc;
use std::time::Duration;

use dalsegno::{Error, ErrorKind, Result};
use reqwest::{Client, Method, header};
use serde::Deserialize;
use serde_json::{Value, json};

use super::pace::Pace;
use super::wire::WireTrack;
use super::{Address, Info, Loaded, NodePlayer, PlayerChange, Stats, tls};
use crate::track::Track;

/// How long one attempt may take.
const ATTEMPT: Duration = Duration::from_secs(10);

/// Requests to a node. Clones share how fast it is asked.
///
/// A request that fails in a way that may pass (no connection, 5xx, 429) is sent again until its patience is over: all
/// of them say what is to be, so that it does no harm if they arrive twice.
#[derive(Debug, Clone)]
pub struct Rest {
    pub(super) client: Client,
    pub(super) address: Address,
    pub(super) pace: Arc<Pace>,
    pub(super) patience: Duration,
}

impl Rest {
    /// To the node at this address; nothing is sent yet.
    ///
    /// # Errors
    /// `InvalidInput` where the host is none or the password cannot be in a header; `Storage` where TLS cannot be set up.
    pub fn new(address: &Address) -> Result<Self> {
        address.check()?;
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

    /// The node is gone, and what was on it goes elsewhere: who waits for it, or asks it before it is there again, is
    /// refused at once.
    pub(crate) fn give_up(&self) {
        self.pace.give_up(true);
    }

    /// It is there again.
    pub(crate) fn go_on(&self) {
        self.pace.give_up(false);
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
        match self.send(Method::GET, "/v4/info", None).await {
            Ok(response) => {
                let body = self.body(response).await?;
                let info = Info::read(&serde_json::from_slice(&body).unwrap_or_default());
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
        let version: String = version.trim().chars().take(40).collect();
        // A page of another program is no version.
        let is_one = version.starts_with(|c: char| c.is_ascii_digit())
            && version
                .chars()
                .all(|c| c.is_ascii_alphanumeric() || "._+-".contains(c));
        let what = if is_one {
            format!("is version {version}")
        } else {
            "is no Lavalink 4".to_owned()
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
}

fn player(session: &str, guild: u64) -> String {
    format!("/v4/sessions/{}/players/{guild}", segment(session))
}

/// One part of a path, whatever a session is called.
fn segment(text: &str) -> String {
    url::form_urlencoded::byte_serialize(text.as_bytes()).collect()
}
