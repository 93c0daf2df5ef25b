//! Which sessions a hook or a guard is for: the patterns of retention policies.

use std::fmt;

use dalsegno::Result;
use dalsegno::retention::{Policy, Rules};

/// A pattern of sessions' names, matched as those of [`Policy`] are: `*` is any text without `/`, `?` one
/// character, and `**`, alone between slashes, any number of parts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sessions(Policy);

impl Sessions {
    /// The sessions whose names match `pattern`.
    ///
    /// # Errors
    /// `InvalidInput` where no session's name can match it; the message says what to write.
    pub fn new(pattern: impl Into<String>) -> Result<Self> {
        // The rule is never asked for: a policy without any would be refused.
        let policy = Policy::new(pattern, Rules::new().keep_last(1));
        policy.check()?;
        Ok(Self(policy))
    }

    /// Whether `session` is one of them.
    #[must_use]
    pub fn matches(&self, session: &str) -> bool {
        self.0.matches(session)
    }

    /// The pattern as it was written.
    #[must_use]
    pub fn pattern(&self) -> &str {
        &self.0.pattern
    }
}

impl fmt::Display for Sessions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.pattern())
    }
}

impl serde::Serialize for Sessions {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.pattern())
    }
}
