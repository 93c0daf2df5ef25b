//! Commands that are not run, and why.

use std::fmt;

use crate::origin::Origin;
use crate::source::Exposure;

/// A hook, a migration, or the command that prints the key, that is not run.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
#[non_exhaustive]
pub struct LeftOut {
    /// What it does, in a few words.
    pub title: String,
    /// Where it came from.
    pub origin: Origin,
    /// What it is for.
    pub role: Role,
    /// Why not.
    pub why: Refused,
    /// What to do so that it is.
    pub remedy: String,
}

/// What a command is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Role {
    /// To be told of events.
    Hook,
    /// To print the key.
    Key,
    /// To migrate states.
    Migration,
}

impl Role {
    /// It in one word, as `config show --json` has it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Hook => "hook",
            Self::Key => "key",
            Self::Migration => "migration",
        }
    }
}

/// Why a command is not run.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Refused {
    /// Its file is a project's that the user did not trust.
    Untrusted,
    /// Its file was trusted, and was changed since.
    Changed,
    /// Others could have written its file.
    Exposed(Exposure),
    /// What is remembered of trusted files cannot be read: the reason.
    Unknown(String),
}

impl fmt::Display for LeftOut {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { title, origin, .. } = self;
        write!(f, "{title} ({origin}) is not run: ")?;
        match &self.why {
            Refused::Untrusted => f.write_str("the file is not trusted"),
            Refused::Changed => f.write_str("the file was changed since it was trusted"),
            Refused::Exposed(exposure) => write!(f, "the file {exposure}"),
            Refused::Unknown(reason) => f.write_str(reason),
        }?;
        write!(f, "; {}", self.remedy)
    }
}
