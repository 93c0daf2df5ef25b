//! The audit log within a transaction.

use rusqlite::{Connection, OptionalExtension, Params, Transaction};

use super::error::translate;
use super::insert::Insert;
use super::rows::Stored;
use super::sealed::Gate;
use super::{Own, insert};
use crate::error::{Error, Result};
use crate::key::Key;
use crate::name_key::{self, NameKey};
use crate::store::ledger::Ledger;
use crate::store::{NoteRow, Said};

/// The log, where there is one or it `begins` now.
pub(super) fn open<'a>(
    connection: &Connection,
    own: &'a Own,
    begins: bool,
) -> Result<Option<Ledger<'a>>> {
    let (gate, store) = (own.gate(), &own.info.id);
    let last = last(connection, &gate)?;
    if last.is_none() && !begins {
        return Ok(None);
    }
    let names = names(connection, &gate)?;
    let names = names.and_then(|row| NameKey::of(&row, store));
    Ledger::new(last.as_ref(), names, own.root(), store).map(Some)
}

/// What is said, with the end of the log before it: the chain that led there ends with it.
pub(super) fn with_head(connection: &Connection, own: &Own, said: Said) -> Result<Said> {
    let head = open(connection, own, false)?.and_then(|ledger| ledger.head());
    Ok(match head {
        Some(head) => said.note(head.to_string()),
        None => said,
    })
}

/// Chains every row anew, in a store whose rows were just put through `gate`, and adds what is said.
pub(super) fn chain_anew(
    transaction: &Transaction<'_>,
    gate: &Gate<'_>,
    root: Option<&Key>,
    own: &Own,
    said: &Said,
) -> Result<()> {
    let Some(newest) = last(transaction, gate)? else {
        return Ok(());
    };
    let mut ledger = Ledger::new(None, None, root, &own.info.id)?;
    let by_number = format!(
        "SELECT {} FROM note WHERE kind = ? AND session = 0 AND id > ? ORDER BY id LIMIT 1",
        NoteRow::COLUMNS
    );
    let mut by_number = transaction.prepare(&by_number).map_err(failed)?;
    let mut after = i64::MIN;
    while after < newest.id {
        let row = by_number.query_row((Ledger::KIND, after), NoteRow::read);
        let row = gate.open(transaction, row.map_err(failed)?)?;
        after = row.id;
        if let Some(row) = ledger.again(&row)? {
            let row = gate.seal(transaction, &row)?;
            let mut replace = transaction
                .prepare_cached(&insert::or_replace(NoteRow::INSERT))
                .map_err(failed)?;
            row.insert(&mut replace).map_err(failed)?;
        }
    }
    append(transaction, gate, &mut ledger, std::slice::from_ref(said))
}

/// Adds to the log what is said.
pub(super) fn append(
    connection: &Connection,
    gate: &Gate<'_>,
    ledger: &mut Ledger<'_>,
    said: &[Said],
) -> Result<()> {
    let mut add = connection.prepare_cached(NoteRow::INSERT).map_err(failed)?;
    for said in said {
        if let Some(row) = ledger.add(said)? {
            let row = gate.seal(connection, &row)?;
            row.insert(&mut add).map_err(failed)?;
        }
    }
    Ok(())
}

fn names(connection: &Connection, gate: &Gate<'_>) -> Result<Option<NoteRow>> {
    let (kind, session, id) = name_key::PLACE;
    one(
        connection,
        gate,
        "WHERE kind = ? AND session = ? AND id = ?",
        (kind, session, id),
    )
}

fn last(connection: &Connection, gate: &Gate<'_>) -> Result<Option<NoteRow>> {
    let newest = "WHERE kind = ? AND session = 0 ORDER BY id DESC LIMIT 1";
    one(connection, gate, newest, [Ledger::KIND])
}

fn one(
    connection: &Connection,
    gate: &Gate<'_>,
    rest: &str,
    marks: impl Params,
) -> Result<Option<NoteRow>> {
    let sql = format!("SELECT {} FROM note {rest}", NoteRow::COLUMNS);
    let row = connection
        .prepare_cached(&sql)
        .and_then(|mut one| one.query_row(marks, NoteRow::read).optional());
    row.map_err(failed)?
        .map(|row| gate.open(connection, row))
        .transpose()
}

fn failed(error: rusqlite::Error) -> Error {
    translate("writing the audit log", error)
}
