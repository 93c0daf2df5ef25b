//! What is wrong with a configuration, in the words of `doctor`.

use dalsegno::Severity;

/// Something wrong, and what can be done about it.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
#[non_exhaustive]
pub struct Finding {
    /// How bad it is.
    pub severity: Severity,
    /// What it is.
    pub message: String,
    /// What to do.
    pub remedy: String,
}

impl Finding {
    /// That the configuration cannot be read: `message` says where and why.
    #[must_use]
    pub fn unreadable(message: &str) -> Self {
        Self::problem(
            message,
            "correct the file: until then, commands that need it fail",
        )
    }

    /// Something that is worth knowing.
    #[must_use]
    pub fn warning(message: impl Into<String>, remedy: impl Into<String>) -> Self {
        Self {
            severity: Severity::Warning,
            message: message.into(),
            remedy: remedy.into(),
        }
    }

    pub(crate) fn problem(message: impl Into<String>, remedy: impl Into<String>) -> Self {
        Self {
            severity: Severity::Problem,
            ..Self::warning(message, remedy)
        }
    }
}
