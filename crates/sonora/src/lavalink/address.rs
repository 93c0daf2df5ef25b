//! Where a node is, and what it lets in.

use std::fmt;
use std::net::Ipv6Addr;
use std::path::Path;

use dalsegno::{Error, ErrorKind, Result};

/// A node's address.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Address {
    /// The host's name or address.
    pub host: String,
    /// The port, 2333 unless the node says otherwise.
    pub port: u16,
    /// Whether it is spoken to through TLS.
    pub secure: bool,
    /// What it lets in.
    pub password: Password,
}

impl Address {
    /// A node on `host` and `port`, spoken to in the clear.
    pub fn new(host: impl Into<String>, port: u16, password: Password) -> Self {
        Self {
            host: host.into(),
            port,
            secure: false,
            password,
        }
    }

    /// The same through TLS.
    #[must_use]
    pub fn secure(mut self, secure: bool) -> Self {
        self.secure = secure;
        self
    }

    /// That the host is one and nothing more: with a scheme or a port in it, another one would be asked.
    ///
    /// # Errors
    /// `InvalidInput` where it is none.
    pub(super) fn check(&self) -> Result<()> {
        if self.host.parse::<Ipv6Addr>().is_ok() || url::Host::parse(&self.host).is_ok() {
            return Ok(());
        }
        Err(Error::new(
            ErrorKind::InvalidInput,
            format!(
                "{:?} is no host: give its name or address alone, such as lavalink.example or ::1, without a scheme, \
                 port or path",
                self.host
            ),
        ))
    }

    /// `SCHEME://HOST:PORT`, with the scheme of requests or that of the socket.
    pub(super) fn url(&self, plain: &str) -> String {
        let s = if self.secure { "s" } else { "" };
        format!("{plain}{s}://{self}")
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.host.contains(':') && !self.host.starts_with('[') {
            return write!(f, "[{}]:{}", self.host, self.port);
        }
        write!(f, "{}:{}", self.host, self.port)
    }
}

/// A node's password, which is never shown.
#[derive(Clone)]
pub struct Password(String);

impl Password {
    /// The password itself.
    pub fn new(password: impl Into<String>) -> Self {
        Self(password.into())
    }

    /// The first line of a file, without the byte order mark that some editors put before it.
    ///
    /// # Errors
    /// As reading the file; `InvalidInput` where its first line is empty.
    pub fn from_file(path: &Path) -> Result<Self> {
        let text = std::fs::read_to_string(path).map_err(|e| {
            Error::io(
                format!("reading the node's password from {}", path.display()),
                e,
            )
        })?;
        let text = text.strip_prefix('\u{feff}').unwrap_or(&text);
        match text.lines().next() {
            Some(line) if !line.is_empty() => Ok(Self::new(line)),
            _ => Err(Error::new(
                ErrorKind::InvalidInput,
                format!("{} has no password in its first line", path.display()),
            )),
        }
    }

    /// The value of an environment variable.
    ///
    /// # Errors
    /// `NotFound` where it is not set, `InvalidInput` where it is empty or no text.
    pub fn from_environment(name: &str) -> Result<Self> {
        match std::env::var(name) {
            Ok(text) if !text.is_empty() => Ok(Self::new(text)),
            Err(std::env::VarError::NotPresent) => Err(Error::new(
                ErrorKind::NotFound,
                format!(
                    "the environment variable {name}, which should hold the node's password, is not set"
                ),
            )),
            _ => Err(Error::new(
                ErrorKind::InvalidInput,
                format!("the environment variable {name} holds no password"),
            )),
        }
    }

    pub(super) fn reveal(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Password {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Password")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_password_is_not_shown() {
        let address = Address::new("::1", 2333, Password::new("secret")).secure(true);
        assert!(!format!("{address:?} {address}").contains("secret"));
        assert_eq!(address.url("http"), "https://[::1]:2333");
        assert_eq!(address.to_string(), "[::1]:2333");
    }

    #[test]
    fn a_host_is_a_host_alone() {
        let check = |host: &str| Address::new(host, 2333, Password::new("secret")).check();
        for host in ["localhost", "lavalink.example", "127.0.0.1", "::1", "[::1]"] {
            assert!(check(host).is_ok(), "{host}");
        }
        for host in ["", "a b", "http://a", "a:2333", "a/b", "u@a"] {
            assert!(check(host).is_err(), "{host}");
        }
    }
}
