//! Opening an encrypted store: its slots, and the keys behind them.

use rusqlite::Connection;

use super::StoreInfo;
use super::error::translate;
use super::rows::Stored;
use crate::codec::note;
use crate::error::{Error, ErrorKind, Result};
use crate::key::Secret;
use crate::store::NoteRow;
use crate::store::seal::{Seal, open_any};

/// The keys of the store, where it is encrypted.
pub(super) fn open(
    connection: &Connection,
    info: &StoreInfo,
    sealing: i64,
    secret: Option<&Secret>,
) -> Result<Option<Seal>> {
    let is_sealed = sealing % 2 == 1;
    match secret {
        None if is_sealed => Err(Error::new(
            ErrorKind::WrongKey,
            "the store is encrypted and no key was given; nothing was read",
        )),
        Some(_) if !is_sealed => Err(Error::new(
            ErrorKind::WrongKey,
            "a key was given, but the store is not encrypted; if it should be, run `key init`, \
             and if it was, this is another one",
        )),
        None => Ok(None),
        Some(secret) => {
            let (root, _) = open_any(&slots(connection)?, secret, &info.id)?;
            Seal::new(root, info.id).map(Some)
        }
    }
}

/// The slots of the store, each a note.
fn slots(connection: &Connection) -> Result<Vec<NoteRow>> {
    let failed = |e| translate("reading the store's keys", e);
    let sql = format!(
        "SELECT {} FROM note WHERE kind = ? ORDER BY id",
        NoteRow::COLUMNS
    );
    let mut find = connection.prepare(&sql).map_err(failed)?;
    let found = find
        .query_map([note::SLOT], NoteRow::read)
        .map_err(failed)?;
    found.collect::<rusqlite::Result<_>>().map_err(failed)
}
