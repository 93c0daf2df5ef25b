//! Posting an event, and again where that may help.

use std::sync::Arc;
use std::time::Duration;

use dalsegno_config::{Action, Hook};
use jiff::Timestamp;
use ureq::http::{HeaderMap, StatusCode, header};
use ureq::tls::{Certificate, RootCerts, TlsConfig, TlsProvider};
use ureq::unversioned::transport::DefaultConnector;
use ureq::{Agent, Error};
use uuid::Uuid;

use crate::address::{Filtered, REFUSED};
use crate::outcome::Failure;
use crate::retry::Retry;
use crate::sign;
use crate::stop::Stop;

/// A client for the webhook of one hook.
pub(crate) struct Client {
    agent: Agent,
}

/// What came of one attempt.
enum Attempt {
    Done,
    /// Trying again will not help.
    Refused(Failure),
    /// It may; the receiver may have said when.
    Again(Failure, Option<Duration>),
}

impl Client {
    pub(crate) fn new(hook: &Hook) -> Self {
        let mut config = Agent::config_builder()
            .timeout_global(Some(hook.timeout))
            .http_status_as_error(false)
            // What answers with a redirect is told so, and nothing goes where it points.
            .max_redirects(0)
            // A proxy would look names up by itself, and connect to what is refused here.
            .proxy(None)
            // Events are rare: a connection kept open would mostly be closed when it is needed.
            .max_idle_connections(0)
            .user_agent(concat!("dalsegno/", env!("CARGO_PKG_VERSION")));
        let https = |url: &str| {
            url.get(..6)
                .is_some_and(|s| s.eq_ignore_ascii_case("https:"))
        };
        if matches!(&hook.action, Action::Webhook { url, .. } if https(url)) {
            config = config.tls_config(tls());
        }
        let agent = Agent::with_parts(
            config.build(),
            DefaultConnector::default(),
            Filtered::<ureq::unversioned::resolver::DefaultResolver>::default(),
        );
        Self { agent }
    }

    /// Posts `body`, and gives how often that was tried.
    pub(crate) fn deliver(
        &self,
        hook: &Hook,
        word: &str,
        body: &[u8],
        retry: &Retry,
        stop: &Stop,
    ) -> (u32, Result<(), Failure>) {
        let delivery = Uuid::now_v7().to_string();
        let mut attempts = 0;
        loop {
            attempts += 1;
            match self.post(hook, word, &delivery, body) {
                Attempt::Done => return (attempts, Ok(())),
                Attempt::Refused(failure) => return (attempts, Err(failure)),
                Attempt::Again(failure, asked) => {
                    let wait = retry.wait(attempts, asked, rand::random());
                    if attempts >= retry.attempts || stop.wait(wait) {
                        return (attempts, Err(failure));
                    }
                }
            }
        }
    }

    fn post(&self, hook: &Hook, word: &str, delivery: &str, body: &[u8]) -> Attempt {
        let Action::Webhook { url, secret } = &hook.action else {
            let reason = "the hook has no address".to_owned();
            return Attempt::Refused(Failure::Other(reason));
        };
        let mut request = self
            .agent
            .post(url)
            .header(header::CONTENT_TYPE, "application/json")
            .header("Dalsegno-Event", word)
            .header("Dalsegno-Delivery", delivery);
        if let Some(secret) = secret {
            let secret = match sign::read(secret) {
                Ok(secret) => secret,
                Err(reason) => return Attempt::Refused(Failure::Other(reason)),
            };
            // Signed anew each time, so that a late attempt is not taken for an old one sent again.
            let signature = sign::signature(&secret, Timestamp::now().as_second(), body);
            request = request.header("Dalsegno-Signature", signature);
        }
        match request.send(body) {
            Ok(answer) => judge(answer.status(), answer.headers()),
            Err(error) => unanswered(&error),
        }
    }
}

fn judge(status: StatusCode, headers: &HeaderMap) -> Attempt {
    let failure = Failure::Status(status.as_u16());
    if status.is_success() {
        Attempt::Done
    } else if status == StatusCode::TOO_MANY_REQUESTS || status.is_server_error() {
        Attempt::Again(failure, retry_after(headers, Timestamp::now()))
    } else {
        Attempt::Refused(failure)
    }
}

/// How long the receiver asks to be left alone: seconds, or a date.
fn retry_after(headers: &HeaderMap, now: Timestamp) -> Option<Duration> {
    let asked = headers.get(header::RETRY_AFTER)?.to_str().ok()?.trim();
    if let Ok(seconds) = asked.parse() {
        return Some(Duration::from_secs(seconds));
    }
    let until = jiff::fmt::rfc2822::parse(asked).ok()?.timestamp();
    Some(Duration::try_from(until.duration_since(now)).unwrap_or_default())
}

/// No answer came. The messages of errors may have the address in them, which may be secret.
fn unanswered(error: &Error) -> Attempt {
    let reason = match error {
        Error::BadUri(reason) if reason == REFUSED => {
            return Attempt::Refused(Failure::Other(REFUSED.to_owned()));
        }
        Error::BadUri(_) | Error::Http(_) => {
            let reason = "its address cannot be used".to_owned();
            return Attempt::Refused(Failure::Other(reason));
        }
        Error::HostNotFound => "no such host".to_owned(),
        Error::Timeout(what) => format!("it took too long ({what})"),
        other => other.to_string(),
    };
    Attempt::Again(Failure::Other(reason), None)
}

/// Certificates are proved against those that the machine trusts.
fn tls() -> TlsConfig {
    let roots = rustls_native_certs::load_native_certs().certs;
    let roots = roots
        .iter()
        .map(|root| Certificate::from_der(root).to_owned());
    TlsConfig::builder()
        .provider(TlsProvider::Rustls)
        .root_certs(RootCerts::from(roots.collect::<Vec<_>>()))
        .unversioned_rustls_crypto_provider(Arc::new(rustls::crypto::ring::default_provider()))
        .build()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_receiver_may_ask_for_time_in_seconds_or_until_a_date() {
        let now: Timestamp = "1994-11-06T08:49:30Z".parse().unwrap();
        for (asked, seconds) in [
            ("7", Some(7)),
            (" 0 ", Some(0)),
            ("Sun, 06 Nov 1994 08:49:37 GMT", Some(7)),
            ("Sun, 06 Nov 1994 08:49:00 GMT", Some(0)),
            ("soon", None),
            ("-1", None),
        ] {
            let mut headers = HeaderMap::new();
            headers.insert(header::RETRY_AFTER, asked.parse().unwrap());
            let expected = seconds.map(Duration::from_secs);
            assert_eq!(retry_after(&headers, now), expected, "{asked}");
        }
        assert_eq!(retry_after(&HeaderMap::new(), now), None);
    }
}
