//! Why a snapshot was taken.

use std::fmt;
use std::str::FromStr;

use crate::error::{Error, Result};

/// Why a snapshot was taken.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize,
)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum Kind {
    /// Somebody asked for it.
    Manual,
    /// Taken by auto-save.
    Auto,
    /// The fuller state, kept before a save that lost items.
    Guard,
    /// What stood at the target of a restore, kept before it was replaced.
    Safety,
    /// Came from an export or another program's file.
    Import,
}

impl Kind {
    /// Every kind, in the order of the format's codes.
    pub const ALL: [Self; 5] = [
        Self::Manual,
        Self::Auto,
        Self::Guard,
        Self::Safety,
        Self::Import,
    ];

    pub(crate) fn code(self) -> i64 {
        match self {
            Self::Manual => 0,
            Self::Auto => 1,
            Self::Guard => 2,
            Self::Safety => 3,
            Self::Import => 4,
        }
    }

    pub(crate) fn from_code(code: i64) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.code() == code)
    }

    /// The kind as users type it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Manual => "manual",
            Self::Auto => "auto",
            Self::Guard => "guard",
            Self::Safety => "safety",
            Self::Import => "import",
        }
    }

    /// Whether `SESSION@-N` counts it: guard and safety snapshots stand beside the history.
    #[must_use]
    pub fn is_history(self) -> bool {
        !matches!(self, Self::Guard | Self::Safety)
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl FromStr for Kind {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        Self::ALL
            .into_iter()
            .find(|kind| kind.as_str() == text)
            .ok_or_else(|| {
                let all = Self::ALL.map(Self::as_str).join(", ");
                Error::invalid(format!(
                    "'{text}' is not a kind of snapshot; the kinds are {all}"
                ))
            })
    }
}
