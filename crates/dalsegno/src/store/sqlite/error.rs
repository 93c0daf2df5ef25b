//! SQLite's errors in the engine's kinds.

use rusqlite::ErrorCode;

use crate::error::{Error, ErrorKind};

/// The engine's error for one of SQLite's, with what was being done.
pub(super) fn translate(context: &str, error: rusqlite::Error) -> Error {
    let (kind, hint) = match &error {
        rusqlite::Error::SqliteFailure(failure, message) => match failure.code {
            ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked => (
                ErrorKind::Locked,
                "another process is using the store; try again",
            ),
            ErrorCode::DatabaseCorrupt => (ErrorKind::Damaged, "the file's structure is damaged"),
            ErrorCode::NotADatabase => (ErrorKind::InvalidInput, "the file is no SQLite database"),
            ErrorCode::DiskFull => (ErrorKind::Storage, "the disk is full"),
            ErrorCode::ReadOnly | ErrorCode::PermissionDenied => (
                ErrorKind::Denied,
                "the store or its folder cannot be written",
            ),
            ErrorCode::CannotOpen => (ErrorKind::Denied, "the store cannot be opened"),
            ErrorCode::Unknown if message.as_deref().is_some_and(|m| m.contains("no such")) => (
                ErrorKind::Damaged,
                "a table or column of the store is missing; run `verify`",
            ),
            _ => (ErrorKind::Storage, ""),
        },
        rusqlite::Error::SqlInputError { .. } => (
            ErrorKind::Damaged,
            "the definition of the store's tables is damaged; run `verify`",
        ),
        rusqlite::Error::InvalidColumnType(..)
        | rusqlite::Error::IntegralValueOutOfRange(..)
        | rusqlite::Error::FromSqlConversionFailure(..)
        | rusqlite::Error::Utf8Error(..)
        | rusqlite::Error::QueryReturnedNoRows => (
            ErrorKind::Damaged,
            "a row of the store is damaged; run `verify`",
        ),
        _ => (ErrorKind::Storage, ""),
    };
    let message = if hint.is_empty() {
        format!("{context}: {error}")
    } else {
        format!("{context}: {hint} ({error})")
    };
    Error::new(kind, message).with_source(error)
}
