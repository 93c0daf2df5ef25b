//! What became of an event at a hook.

use std::fmt;
use std::time::Duration;

/// What became of an event at a hook, told to whoever started the hooks.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Outcome {
    /// The hook, in a few words.
    pub hook: String,
    /// The event's id, if it has one.
    pub event: Option<String>,
    /// How often it was tried.
    pub attempts: u32,
    /// How many events before it the hook was not told of, because it was too slow.
    pub missed: u64,
    /// Whether it was delivered.
    pub result: Result<(), Failure>,
}

/// Why an event was not delivered.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Failure {
    /// The command ended otherwise than with exit code 0.
    Exit {
        /// Its exit code; none where a signal ended it.
        code: Option<i32>,
        /// The signal that ended it.
        signal: Option<i32>,
        /// The beginning of what it wrote to standard error.
        stderr: String,
    },
    /// The command took longer than it may, and was ended with all that it had started.
    TimedOut {
        /// How long it may take.
        after: Duration,
        /// The beginning of what it wrote to standard error.
        stderr: String,
    },
    /// The webhook answered with something else than success.
    Status(u16),
    /// It could not be started, connected to, or signed for: the reason.
    Other(String),
    /// The hooks were closed first.
    Closed,
}

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.hook)?;
        if let Some(event) = &self.event {
            write!(f, ", event {event}")?;
        }
        match &self.result {
            Ok(()) => f.write_str(": delivered"),
            Err(failure) => write!(f, ": {failure}"),
        }?;
        if self.attempts > 1 {
            write!(f, " (tried {} times)", self.attempts)?;
        }
        if self.missed > 0 {
            write!(f, "; {} before it were dropped", self.missed)?;
        }
        Ok(())
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Exit {
                code,
                signal,
                stderr,
            } => {
                match (code, signal) {
                    (Some(code), _) => write!(f, "ended with exit code {code}"),
                    (None, Some(signal)) => write!(f, "ended by signal {signal}"),
                    (None, None) => f.write_str("ended otherwise than well"),
                }?;
                said(f, stderr)
            }
            Self::TimedOut { after, stderr } => {
                write!(f, "ended because it took longer than {after:?}")?;
                said(f, stderr)
            }
            Self::Status(status @ 300..=399) => {
                write!(f, "it answered {status}, and redirects are not followed")
            }
            Self::Status(status) => write!(f, "it answered {status}"),
            Self::Other(reason) => f.write_str(reason),
            Self::Closed => f.write_str("not delivered, because the program ended"),
        }
    }
}

fn said(f: &mut fmt::Formatter<'_>, stderr: &str) -> fmt::Result {
    if stderr.is_empty() {
        return Ok(());
    }
    write!(f, ", saying: {stderr}")
}
