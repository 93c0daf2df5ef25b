//! Sending a request to a node until it is answered, and what its answer means.

use std::io;
use std::time::Duration;

use dalsegno::{Error, ErrorKind, Result};
use reqwest::{Method, Response, StatusCode, header};
use serde_json::Value;
use tokio::time::{Instant, sleep};

use super::Rest;
use super::pace::back_off;

/// The longest answer, in bytes: that of a thousand players is below 3 MB.
const MOST: usize = 64 << 20;

impl Rest {
    pub(super) async fn json(&self, response: Response) -> Result<Value> {
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
    pub(super) async fn body(&self, response: Response) -> Result<Vec<u8>> {
        self.unless_given_up(self.whole(response)).await
    }

    async fn whole(&self, mut response: Response) -> Result<Vec<u8>> {
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

    /// Sends a request until it is answered, the patience is over, or the node is given up.
    pub(super) async fn send(
        &self,
        method: Method,
        path: &str,
        body: Option<&Value>,
    ) -> Result<Response> {
        self.unless_given_up(self.send_on(method, path, body)).await
    }

    async fn unless_given_up<T>(&self, work: impl Future<Output = Result<T>>) -> Result<T> {
        tokio::select! {
            biased;
            () = self.pace.given_up() => Err(Error::new(
                ErrorKind::Unreachable,
                format!("the node {} is gone, and is not waited for any longer", self.address),
            )),
            done = work => done,
        }
    }

    async fn send_on(&self, method: Method, path: &str, body: Option<&Value>) -> Result<Response> {
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
                    format!("the node {} {}", self.address, unanswered(&error)),
                ),
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

fn retry_after(response: &Response) -> Option<Duration> {
    let said = response.headers().get(header::RETRY_AFTER)?.to_str().ok()?;
    let seconds: f64 = said.parse().ok()?;
    Duration::try_from_secs_f64(seconds).ok()
}

/// What became of a request, with the cause at the bottom: what lies above only says that it failed.
fn unanswered(error: &reqwest::Error) -> String {
    let mut cause: &dyn std::error::Error = error;
    while let Some(below) = cause.source() {
        cause = below;
    }
    // What an error of the system holds is not its source, but stands in its place.
    while let Some(held) = cause.downcast_ref().and_then(io::Error::get_ref) {
        cause = held;
    }
    if let Some(rustls::Error::InvalidMessage(_)) = cause.downcast_ref() {
        return "does not answer in TLS: something else is spoken there".to_owned();
    }
    if error.is_connect() || error.is_timeout() {
        return format!("does not answer: {cause}");
    }
    format!("does not answer as a node does: {cause}")
}
