//! Where a value came from.

use std::fmt;
use std::path::PathBuf;

/// The layer that a value came from, strongest first.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, serde::Serialize)]
#[serde(tag = "layer", rename_all = "snake_case")]
pub enum Origin {
    /// An option of the command.
    Flag,
    /// A variable of the environment.
    Environment {
        /// Its name.
        variable: String,
    },
    /// The project's file.
    Project {
        /// Where it is.
        file: PathBuf,
        /// The line, counted from 1.
        line: usize,
    },
    /// The user's file.
    User {
        /// Where it is.
        file: PathBuf,
        /// The line, counted from 1.
        line: usize,
    },
    /// Nothing said otherwise.
    Default,
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Flag => f.write_str("an option"),
            Self::Environment { variable } => f.write_str(variable),
            Self::Project { file, line } | Self::User { file, line } => {
                write!(f, "{}:{line}", file.display())
            }
            Self::Default => f.write_str("default"),
        }
    }
}

/// A value, and where it came from.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct Setting<T> {
    /// The value.
    pub value: T,
    /// Where it came from.
    pub origin: Origin,
}

impl<T> Setting<T> {
    pub(crate) fn new(value: T, origin: Origin) -> Self {
        Self { value, origin }
    }
}
