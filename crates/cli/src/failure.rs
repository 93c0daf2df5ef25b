//! What went wrong, for people and for programs: a message, a kind, an exit code.

use std::io::{self, Write};
use std::process::ExitCode;

use clap::error::ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand;
use dalsegno::ErrorKind;
use serde_json::json;

use crate::{human, program};

/// How a verb ended, if not well.
#[derive(Debug)]
pub(crate) struct Failure {
    code: u8,
    kind: &'static str,
    message: String,
}

/// The result of everything that a verb does.
pub(crate) type Result<T, E = Failure> = std::result::Result<T, E>;

impl Failure {
    /// What was asked for makes no sense.
    pub(crate) fn usage(message: impl Into<String>) -> Self {
        Self {
            code: 2,
            kind: "usage",
            message: message.into(),
        }
    }

    /// Something that was looked at is not as it should be.
    pub(crate) fn problem(message: impl Into<String>) -> Self {
        Self {
            code: 1,
            kind: "problem",
            message: message.into(),
        }
    }

    /// Some of the work was done and stays done.
    pub(crate) fn partly(message: impl Into<String>) -> Self {
        Self {
            code: 3,
            kind: "partly_done",
            message: message.into(),
        }
    }

    /// What it says.
    pub(crate) fn message(&self) -> &str {
        &self.message
    }

    /// Whether it is of that kind.
    pub(crate) fn is_of(&self, kind: ErrorKind) -> bool {
        self.kind == kind.as_str()
    }

    /// Whether its message has these words.
    pub(crate) fn says(&self, words: &str) -> bool {
        self.message.contains(words)
    }

    /// The same with what to do about it.
    pub(crate) fn advise(self, remedy: &str) -> Self {
        Self {
            message: format!("{}\n{remedy}", self.message),
            ..self
        }
    }

    /// The same in other words.
    pub(crate) fn saying(self, message: String) -> Self {
        Self { message, ..self }
    }

    /// The same, after what was done before it.
    pub(crate) fn after(self, done: &str) -> Self {
        Self::partly(format!("{done}: {}", self.message))
    }

    /// It was stopped from the keyboard.
    pub(crate) fn interrupted() -> Self {
        Self {
            code: 130,
            kind: "interrupted",
            message: "interrupted".to_owned(),
        }
    }

    /// It was stopped from the keyboard, while somebody else was asked.
    pub(crate) fn given_up(error: &dalsegno::Error) -> Self {
        Self {
            message: hint(error.to_string()),
            ..Self::interrupted()
        }
    }

    /// A failure of `kind`, as the engine would report it.
    pub(crate) fn new(kind: ErrorKind, message: impl Into<String>) -> Self {
        Self {
            code: code(kind),
            kind: kind.as_str(),
            message: message.into(),
        }
    }

    /// An error of the operating system, its kind read off the answer.
    pub(crate) fn io(context: impl std::fmt::Display, error: io::Error) -> Self {
        dalsegno::Error::io(context, error).into()
    }

    /// Says it on standard error and gives the exit code.
    pub(crate) fn report(&self, as_json: bool) -> ExitCode {
        let mut stderr = io::stderr().lock();
        let message = hint(self.message.clone());
        // Where even this cannot be written, the exit code still tells.
        let _unheard = if as_json {
            let error = json!({"error": {"kind": self.kind, "message": message}});
            writeln!(stderr, "{error}")
        } else {
            writeln!(
                stderr,
                "{}: {}",
                program::name(),
                human::safe_lines(&message)
            )
        };
        ExitCode::from(self.code)
    }
}

/// The exit code of each kind of error.
fn code(kind: ErrorKind) -> u8 {
    match kind {
        ErrorKind::InvalidInput => 2,
        ErrorKind::NotFound | ErrorKind::Ambiguous => 4,
        ErrorKind::Conflict | ErrorKind::Locked => 5,
        ErrorKind::Damaged => 6,
        ErrorKind::WrongKey => 7,
        ErrorKind::Denied => 8,
        ErrorKind::Unreachable => 9,
        // Storage, and what a later engine may add.
        _ => 1,
    }
}

impl From<dalsegno::Error> for Failure {
    fn from(error: dalsegno::Error) -> Self {
        let mut message = error.to_string();
        let cause = std::error::Error::source(&error).map(ToString::to_string);
        // Most messages have their cause in them already.
        if let Some(cause) = cause.filter(|cause| !message.contains(cause)) {
            message = format!("{message}: {cause}");
        }
        let message = hint(message);
        if error.is_partly_done() {
            return Self::partly(message);
        }
        Self::new(error.kind(), message)
    }
}

/// Verbs that the engine names, as its hints have them.
const VERBS: [&str; 12] = [
    "init",
    "verify",
    "log ",
    "undo ",
    "redo ",
    "snapshot ",
    "recover",
    "policy ",
    "lease ",
    "access ",
    "audit ",
    "backup ",
];

/// A message of the engine, with the verbs that it names as this program's user has to type them.
pub(crate) fn hint(message: String) -> String {
    by_name(message, program::name())
}

/// The message in the words of a `program`: the verbs that the engine names are those of `dalsegno`, and `sonoractl` asks
/// without being told to.
fn by_name(message: String, program: &str) -> String {
    if program == "dalsegno" {
        return message;
    }
    let message = message
        .replace(" (`--ask`)", "")
        .replace("make one with `init`", "give the bot's with --store PATH");
    VERBS.iter().fold(message, |message, verb| {
        message.replace(&format!("`{verb}"), &format!("`dalsegno {verb}"))
    })
}

impl From<clap::Error> for Failure {
    fn from(error: clap::Error) -> Self {
        if error.kind() == DisplayHelpOnMissingArgumentOrSubcommand {
            return Self::usage(format!("which verb?\n\n{}", error.render()).trim_end());
        }
        let text = error.render().to_string();
        let text = text.strip_prefix("error: ").unwrap_or(&text);
        Self::usage(text.trim_end())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_has_its_exit_code() {
        let expected = [
            (ErrorKind::Storage, 1),
            (ErrorKind::InvalidInput, 2),
            (ErrorKind::NotFound, 4),
            (ErrorKind::Ambiguous, 4),
            (ErrorKind::Conflict, 5),
            (ErrorKind::Locked, 5),
            (ErrorKind::Damaged, 6),
            (ErrorKind::WrongKey, 7),
            (ErrorKind::Denied, 8),
            (ErrorKind::Unreachable, 9),
        ];
        for (kind, code) in expected {
            assert_eq!(Failure::new(kind, "").code, code, "{kind}");
        }
        assert_eq!(Failure::usage("").code, 2);
        assert_eq!(Failure::problem("").code, 1);
        assert_eq!(Failure::partly("").code, 3);
        assert_eq!(Failure::interrupted().code, 130);
    }

    #[test]
    fn a_hint_names_a_verb_that_is_there() {
        let hint =
            "nothing; `snapshot list --deleted` shows it, and `undo a --skip` passes over it";
        assert_eq!(by_name(hint.to_owned(), "dalsegno"), hint);
        assert_eq!(
            by_name(hint.to_owned(), "sonoractl"),
            "nothing; `dalsegno snapshot list --deleted` shows it, and `dalsegno undo a --skip` passes over it"
        );
        let hint = "there is no store at s (make one with `init`)";
        assert_eq!(
            by_name(hint.to_owned(), "sonoractl"),
            "there is no store at s (give the bot's with --store PATH)"
        );
        let hint = "it answers no requests (`--ask`): do this there";
        assert_eq!(
            by_name(hint.to_owned(), "sonoractl"),
            "it answers no requests: do this there"
        );
    }

    #[test]
    fn a_cause_is_said_once() {
        let source = std::io::Error::other("the disk is on fire");
        let said = dalsegno::Error::new(ErrorKind::Storage, "saving").with_source(source);
        assert_eq!(Failure::from(said).message, "saving: the disk is on fire");
        let source = std::io::Error::other("the disk is on fire");
        let said = dalsegno::Error::io("saving", source);
        assert_eq!(Failure::from(said).message, "saving: the disk is on fire");
    }
}
