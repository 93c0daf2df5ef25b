//! The keys of a store: opening it with one, making the first, and the slots that they are kept in.

use rusqlite::{Connection, Transaction};

use super::error::translate;
use super::insert::Insert;
use super::rows::Stored;
use super::{StoreInfo, schema};
use crate::clock::Clock;
use crate::codec::note;
use crate::error::{Error, ErrorKind, Result};
use crate::key::{Key, Secret};
use crate::store::NoteRow;
use crate::store::seal::{Seal, Slot, open_any};

/// The number of the first slot.
const FIRST: i64 = 1;

/// The keys of the store, where it is encrypted.
pub(super) fn open(
    connection: &Connection,
    info: &StoreInfo,
    sealing: i64,
    secret: Option<&Secret>,
) -> Result<Option<Seal>> {
    let is_sealed = is_sealed(sealing);
    match secret {
        None if is_sealed => Err(Error::new(
            ErrorKind::WrongKey,
            "the store is encrypted and no key was given; nothing was read",
        )),
        Some(_) if !is_sealed => Err(Error::new(
            ErrorKind::WrongKey,
            "a key was given, but the store is not encrypted: if it was, this is another one; \
             if it should be, run `key init`",
        )),
        None => Ok(None),
        Some(secret) => {
            let (root, _) = open_any(&slots(connection)?, secret, &info.id)?;
            Seal::new(root, info.id).map(Some)
        }
    }
}

/// Whether a store is encrypted whose encryption was turned on or off so many times.
pub(super) fn is_sealed(sealing: i64) -> bool {
    sealing % 2 == 1
}

/// Gives a store in clear its first key, which `secret` opens; its rows are still as they are.
pub(super) fn begin(
    transaction: &Transaction<'_>,
    info: &StoreInfo,
    secret: &Secret,
    label: Option<&str>,
    clock: &dyn Clock,
) -> Result<Seal> {
    let failed = |e| translate("encrypting the store", e);
    let root = Key::random()?;
    let slot = Slot::new(&root, secret, label, (&info.id, FIRST), clock)?;
    let slot = slot.row(&info.id, FIRST)?;
    let mut add = transaction.prepare(NoteRow::INSERT).map_err(failed)?;
    slot.insert(&mut add).map_err(failed)?;
    schema::turn(transaction, info).map_err(failed)?;
    Seal::new(root, info.id)
}

/// Gives a new store the keys of the one that it becomes a copy of.
pub(super) fn go_on(
    transaction: &Transaction<'_>,
    info: &StoreInfo,
    slots: &[NoteRow],
) -> Result<()> {
    let failed = |e| translate("putting the store's keys back", e);
    let mut add = transaction.prepare(NoteRow::INSERT).map_err(failed)?;
    for slot in slots {
        slot.insert(&mut add).map_err(failed)?;
    }
    schema::turn(transaction, info).map_err(failed)
}

/// Takes all keys of the store away; its rows are in clear already.
pub(super) fn end(transaction: &Transaction<'_>, info: &StoreInfo) -> Result<()> {
    let failed = |e| translate("turning the store's encryption off", e);
    transaction
        .execute("DELETE FROM note WHERE kind = ?", [note::SLOT])
        .map_err(failed)?;
    schema::turn(transaction, info).map_err(failed)
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
