//! SQLite's errors in the engine's kinds.

use rusqlite::{ErrorCode, ffi};

use crate::error::{Error, ErrorKind};

/// How SQLite says that it cannot make or enlarge the file that those who have the store open share.
/// Reading without it would be reading without the locks that are in it: somebody may write as soon as
/// there is room again.
const NO_ROOM: [i32; 3] = [
    ffi::SQLITE_IOERR_SHMSIZE,
    ffi::SQLITE_IOERR_SHMOPEN,
    ffi::SQLITE_IOERR_SHMMAP,
];

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
            ErrorCode::SystemIoFailure if NO_ROOM.contains(&failure.extended_code) => (
                ErrorKind::Storage,
                "there is no room beside the store for what its readers share (`-shm`), so that it \
                 cannot even be read: the disk is full, most likely; free some space",
            ),
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_full_disk_is_named_also_where_the_store_cannot_be_opened_for_it() {
        for code in [ffi::SQLITE_FULL, ffi::SQLITE_IOERR_SHMSIZE] {
            let error = rusqlite::Error::SqliteFailure(ffi::Error::new(code), None);
            let said = translate("opening it", error);
            assert_eq!(said.kind(), ErrorKind::Storage);
            assert!(said.to_string().contains("the disk is full"), "{said}");
        }
    }
}
