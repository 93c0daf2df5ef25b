//! A command or an address that wants to be told of events.

use std::path::{Path, PathBuf};
use std::time::Duration;

use dalsegno::{Error, ErrorKind, Result};
use http::Uri;

use crate::command;
use crate::origin::Origin;
use crate::sessions::Sessions;
use crate::units;
use crate::values::HookValues;

/// So long a hook may take, where nothing else is said.
pub const HOOK_TIMEOUT: Duration = Duration::from_secs(30);

/// The words of events. A hook that waits for another is not refused, for a later engine may have it;
/// [`Loaded::check`](crate::Loaded::check) says that nothing is known of it.
pub const EVENTS: &[&str] = &[
    "created",
    "auto_saved",
    "auto_save_failed",
    "imported",
    "forked",
    "cleaned_up",
    "restored",
    "rolled_back",
    "undone",
    "redone",
    "deleted",
    "corruption_detected",
    "repaired",
    "erased",
    "recovered",
    "shrink_guarded",
    "lease_lost",
];

/// Stands for every event.
const ALL: &str = "*";

/// What is done when one of some events happens to one of some sessions.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
#[non_exhaustive]
pub struct Hook {
    /// The words of the events, or `*` for all.
    pub events: Vec<String>,
    /// Of which sessions; none: of all, and also what is of no session.
    pub sessions: Option<Sessions>,
    /// What is done.
    #[serde(flatten)]
    pub action: Action,
    /// How long it may take, each time it is tried.
    #[serde(serialize_with = "as_people_read_it")]
    pub timeout: Duration,
    /// The folder of the file that says so, symbolic links followed: commands run in it.
    pub folder: PathBuf,
    /// Where it came from.
    pub origin: Origin,
}

/// What a hook does.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Action {
    /// Runs a program, without a shell: its name or path, then its arguments.
    Command(Vec<String>),
    /// Posts to an address.
    Webhook {
        /// The address, `http` or `https`.
        url: String,
        /// What bodies are signed with.
        secret: Option<Secret>,
    },
}

/// Where a secret is.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Secret {
    /// In a variable of the environment.
    Env(String),
    /// In a file; white space at its end does not count.
    File(PathBuf),
}

impl Hook {
    /// Whether it wants to be told of `event` in `session`.
    #[must_use]
    pub fn wants(&self, event: &str, session: Option<&str>) -> bool {
        let named = self.events.iter().any(|word| word == event || word == ALL);
        named
            && match (&self.sessions, session) {
                (None, _) => true,
                (Some(_), None) => false,
                (Some(sessions), Some(session)) => sessions.matches(session),
            }
    }

    /// What it does, in a few words: the command line, or the address without what may be secret in it.
    #[must_use]
    pub fn title(&self) -> String {
        match &self.action {
            Action::Command(words) => format!("the command {}", words.join(" ")),
            Action::Webhook { url, .. } => {
                let uri: Option<Uri> = url.parse().ok();
                let host = uri.as_ref().and_then(Uri::authority);
                let host = host.map_or("", http::uri::Authority::as_str);
                format!("the webhook at {host}")
            }
        }
    }

    pub(crate) fn new(values: &HookValues, folder: &Path, origin: Origin) -> Result<Self> {
        if values.events.is_empty() {
            return wrong("events is empty: name some, or [\"*\"] for all");
        }
        let action = match (&values.command, &values.webhook) {
            (Some(words), None) => command_of(words, values)?,
            (None, Some(url)) => webhook(url, values, folder)?,
            (Some(_), Some(_)) => {
                return wrong("a hook has a command or a webhook, not both: write two");
            }
            (None, None) => return wrong("a hook needs a command or a webhook"),
        };
        let timeout = values.timeout.map_or(HOOK_TIMEOUT, |t| units::std(t.0));
        if timeout.is_zero() {
            return wrong("timeout is no time at all");
        }
        let sessions = values.sessions.as_ref();
        Ok(Self {
            events: values.events.clone(),
            sessions: sessions.map(Sessions::new).transpose()?,
            action,
            timeout,
            folder: folder.to_owned(),
            origin,
        })
    }

    /// The program of a command: in its folder where it is named by a relative path, else by the search
    /// path.
    #[must_use]
    pub fn program(&self) -> Option<PathBuf> {
        let Action::Command(words) = &self.action else {
            return None;
        };
        command::program(words, &self.folder)
    }
}

fn command_of(words: &[String], values: &HookValues) -> Result<Action> {
    command::check(words)?;
    if values.secret_env.is_some() || values.secret_file.is_some() {
        return wrong("a secret is for webhooks: commands sign nothing");
    }
    Ok(Action::Command(words.to_vec()))
}

fn webhook(url: &str, values: &HookValues, folder: &Path) -> Result<Action> {
    let uri: Option<Uri> = url.parse().ok();
    let fine = uri.as_ref().is_some_and(|uri| {
        matches!(uri.scheme_str(), Some("http" | "https"))
            && uri.host().is_some_and(|host| !host.is_empty())
            && uri.authority().is_some_and(|a| !a.as_str().contains('@'))
    });
    if !fine {
        return wrong(
            "webhook is no address: write 'https://HOST/PATH', without a user's name or password",
        );
    }
    let secret = match (&values.secret_env, &values.secret_file) {
        (Some(_), Some(_)) => return wrong("give secret_env or secret_file, not both"),
        (Some(name), None) if name.is_empty() || name.contains(['=', '\0']) => {
            return wrong("secret_env is the name of a variable");
        }
        (Some(name), None) => Some(Secret::Env(name.clone())),
        (None, Some(file)) => Some(Secret::File(folder.join(file))),
        (None, None) => None,
    };
    Ok(Action::Webhook {
        url: url.to_owned(),
        secret,
    })
}

fn wrong<T>(message: &str) -> Result<T> {
    Err(Error::new(ErrorKind::InvalidInput, message))
}

pub(crate) fn as_people_read_it<S: serde::Serializer>(
    duration: &Duration,
    serializer: S,
) -> Result<S::Ok, S::Error> {
    let signed = jiff::SignedDuration::try_from(*duration).unwrap_or(jiff::SignedDuration::MAX);
    serializer.serialize_str(&dalsegno::display_duration(signed))
}
