//! One error type; its kind says what the caller does next.

use std::fmt;

/// What went wrong, named by what the caller can do about it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ErrorKind {
    /// Nothing answers to that name: list what there is and ask again.
    NotFound,
    /// Several things answer to it: choose one of the candidates in the message.
    Ambiguous,
    /// Somebody else was first, or the name is taken: look again, then decide.
    Conflict,
    /// Another process holds the store: try again later.
    Locked,
    /// The key does not open this store.
    WrongKey,
    /// Stored bytes are not what was written: run `verify`, then restore from elsewhere.
    Damaged,
    /// The operating system or a rule forbids it: change the permission.
    Denied,
    /// What was given cannot be accepted: correct it.
    InvalidInput,
    /// What is on another machine, or a service, does not answer: look whether it runs, and try again.
    Unreachable,
    /// The disk, the file system or the store's library failed: see the source.
    Storage,
}

impl ErrorKind {
    /// The kind as one lower-case word, as `--json` prints it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::NotFound => "not_found",
            Self::Ambiguous => "ambiguous",
            Self::Conflict => "conflict",
            Self::Locked => "locked",
            Self::WrongKey => "wrong_key",
            Self::Damaged => "damaged",
            Self::Denied => "denied",
            Self::InvalidInput => "invalid_input",
            Self::Unreachable => "unreachable",
            Self::Storage => "storage",
        }
    }
}

impl ErrorKind {
    /// The kind of that word (see [`as_str`](ErrorKind::as_str)); what a later version may add is `Storage`.
    #[must_use]
    pub fn of_word(word: &str) -> Self {
        let all = [
            Self::NotFound,
            Self::Ambiguous,
            Self::Conflict,
            Self::Locked,
            Self::WrongKey,
            Self::Damaged,
            Self::Denied,
            Self::InvalidInput,
            Self::Unreachable,
        ];
        let found = all.into_iter().find(|kind| kind.as_str() == word);
        found.unwrap_or(Self::Storage)
    }
}

impl fmt::Display for ErrorKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// In JSON, what it says.
impl serde::Serialize for Error {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

type Source = std::sync::Arc<dyn std::error::Error + Send + Sync>;

/// An error of the engine: a kind to act on, a sentence to read, and its source.
///
/// Cloning is cheap, because one failed commit is reported to every save that shared it.
#[derive(Debug, Clone)]
pub struct Error {
    kind: ErrorKind,
    message: String,
    source: Option<Source>,
    partly: bool,
}

/// The result of every fallible call of the engine.
pub type Result<T, E = Error> = std::result::Result<T, E>;

impl Error {
    /// An error of `kind` that says `message`.
    pub fn new(kind: ErrorKind, message: impl Into<String>) -> Self {
        Self {
            kind,
            message: message.into(),
            source: None,
            partly: false,
        }
    }

    /// The same error with the lower-level error that caused it.
    #[must_use]
    pub fn with_source(
        mut self,
        source: impl Into<Box<dyn std::error::Error + Send + Sync>>,
    ) -> Self {
        self.source = Some(Source::from(source.into()));
        self
    }

    /// The same error with `context` (what was being done) put before its message.
    #[must_use]
    pub fn context(mut self, context: impl fmt::Display) -> Self {
        self.message = format!("{context}: {}", self.message);
        self
    }

    /// The same error with a way out behind its message.
    #[must_use]
    pub(crate) fn hint(mut self, hint: impl fmt::Display) -> Self {
        self.message = format!("{}; {hint}", self.message);
        self
    }

    /// The same error where some of the work was done before it and stays done: so many snapshots were
    /// deleted, purged, whatever the word says.
    pub(crate) fn after(mut self, done: &[(u64, &str)]) -> Self {
        let some = done.iter().filter(|(count, _)| *count > 0);
        let told: Vec<String> = some
            .map(|(count, what)| match count {
                1 => format!("1 snapshot was {what}"),
                many => format!("{many} snapshots were {what}"),
            })
            .collect();
        if told.is_empty() {
            return self;
        }
        self.partly = true;
        self.context(format!("{}, then", told.join(", ")))
    }

    /// The same error, where `partly` says whether some of the work was done before it.
    pub(crate) fn partly(mut self, partly: bool) -> Self {
        self.partly = partly;
        self
    }

    /// Whether some of the work was done before it, and stays done; the message says what.
    #[must_use]
    pub fn is_partly_done(&self) -> bool {
        self.partly
    }

    /// What the caller can do about it.
    #[must_use]
    pub fn kind(&self) -> ErrorKind {
        self.kind
    }

    /// An I/O error, its kind read off the operating system's answer.
    pub fn io(context: impl fmt::Display, error: std::io::Error) -> Self {
        use std::io::ErrorKind as Io;
        let kind = match error.kind() {
            Io::NotFound => ErrorKind::NotFound,
            Io::PermissionDenied | Io::ReadOnlyFilesystem => ErrorKind::Denied,
            Io::IsADirectory | Io::NotADirectory | Io::InvalidInput => ErrorKind::InvalidInput,
            _ => ErrorKind::Storage,
        };
        Self::new(kind, format!("{context}: {error}")).with_source(error)
    }

    pub(crate) fn not_found(message: impl Into<String>) -> Self {
        Self::new(ErrorKind::NotFound, message)
    }

    pub(crate) fn invalid(message: impl Into<String>) -> Self {
        Self::new(ErrorKind::InvalidInput, message)
    }

    pub(crate) fn conflict(message: impl Into<String>) -> Self {
        Self::new(ErrorKind::Conflict, message)
    }

    pub(crate) fn damaged(message: impl Into<String>) -> Self {
        Self::new(ErrorKind::Damaged, message)
    }

    pub(crate) fn locked(message: impl Into<String>) -> Self {
        Self::new(ErrorKind::Locked, message)
    }

    pub(crate) fn storage(message: impl Into<String>) -> Self {
        Self::new(ErrorKind::Storage, message)
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for Error {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        self.source.as_deref().map(|source| source as _)
    }
}
