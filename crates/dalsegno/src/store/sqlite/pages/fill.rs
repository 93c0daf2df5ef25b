//! A new store file, filled with rows as they stood in another.

use std::path::Path;

use rusqlite::Connection;

use super::super::error::translate;
use super::super::insert::{Insert, or_ignore};
use super::super::{SqliteOptions, open, schema};
use super::row::{Any, Own};
use crate::codec::checksum::Checksum;
use crate::error::{Error, Result};

/// So many rows are written in one transaction.
const PIECE: u32 = 4096;

impl Own {
    pub(crate) fn is_proved(&self) -> bool {
        self.sum() == self.checksum
    }

    fn sum(&self) -> Checksum {
        schema::checksum(&self.id, self.created_at, self.last, self.sealing)
    }
}

/// A store on its way.
pub(crate) struct Fill {
    connection: Connection,
    rows: u32,
}

impl Fill {
    /// Makes the file, with what the store says of itself.
    pub(crate) fn create(path: &Path, own: &Own) -> Result<Self> {
        let options = SqliteOptions::default();
        open::create_file(path, &options)?;
        let mut connection = open::connect(path, &options, open::Mode::Create)?;
        let checksum = own.sum();
        schema::create_as(&mut connection, |transaction| {
            transaction
                .execute(
                    "INSERT INTO store (id, created_at, checksum, last, sealing) VALUES (?, ?, ?, ?, ?)",
                    (&own.id[..], own.created_at, &checksum[..], own.last, own.sealing),
                )
                .map_err(failed)
                .map(drop)
        })?;
        connection.execute_batch("BEGIN").map_err(failed)?;
        Ok(Self {
            connection,
            rows: 0,
        })
    }

    /// Adds a row as it stands; whether it did: of two for one place the first stays.
    pub(crate) fn add(&mut self, row: &Any) -> Result<bool> {
        let added = match row {
            Any::Store(_) => Ok(false),
            Any::Session(row) => self.insert(row),
            Any::Snapshot(row) => self.insert(row),
            Any::Record(row) => self.insert(row),
            Any::Trash(row) => self.insert(row),
            Any::Operation(row) => self.insert(row),
            Any::Policy(row) => self.insert(row),
            Any::Note(row) => self.insert(row),
        };
        let added = added.map_err(failed)?;
        self.rows += u32::from(added);
        if self.rows >= PIECE {
            self.rows = 0;
            self.connection
                .execute_batch("COMMIT; PRAGMA wal_checkpoint(TRUNCATE); BEGIN")
                .map_err(failed)?;
        }
        Ok(added)
    }

    fn insert<R: Insert>(&self, row: &R) -> rusqlite::Result<bool> {
        let before = self.connection.total_changes();
        row.insert(&mut *self.connection.prepare_cached(&or_ignore(R::INSERT))?)?;
        Ok(self.connection.total_changes() > before)
    }

    /// Ends it: all of it is in the file.
    pub(crate) fn finish(self) -> Result<()> {
        self.connection
            .execute_batch("COMMIT; PRAGMA wal_checkpoint(TRUNCATE)")
            .map_err(failed)?;
        let closed = self.connection.close();
        closed.map_err(|(_, error)| failed(error))
    }
}

fn failed(error: rusqlite::Error) -> Error {
    translate("building the store anew", error)
}
