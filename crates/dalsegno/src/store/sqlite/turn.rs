//! Turning encryption on and off: every row anew, in one transaction, and nothing of the old ones left in the file.

use std::time::Duration;

use rusqlite::{Connection, Transaction, TransactionBehavior, params_from_iter};

use super::error::translate;
use super::insert::Insert;
use super::rows::Stored;
use super::sealed::{self, Gate};
use super::{Own, insert, keys, ledger};
use crate::clock::Clock;
use crate::error::{Error, Result};
use crate::key::Secret;
use crate::store::seal::Sealing;
use crate::store::{NoteRow, OperationRow, PolicyRow, RecordRow, Said, SnapshotRow, TrashRow};

/// So many rows are read at a time.
const PAGE: usize = 256;

/// Hears how many rows are done.
pub(crate) type Progress<'a> = &'a mut dyn FnMut(u64);

pub(super) fn on(
    connection: &mut Connection,
    own: &Own,
    (secret, label): (&Secret, Option<&str>),
    clock: &dyn Clock,
    said: Said,
    progress: Progress<'_>,
) -> Result<()> {
    let transaction = begin(connection, own)?;
    let said = ledger::with_head(&transaction, own, said)?;
    let seal = keys::begin(&transaction, &own.info, secret, label, clock)?;
    let mut rows = Rows {
        transaction: &transaction,
        from: own.gate(),
        to: Gate::new(Some(&seal)),
        done: 0,
        progress,
    };
    // One that somebody put there would be taken for the session's, and open nothing.
    transaction
        .execute("UPDATE session SET key = x'' WHERE key != x''", ())
        .map_err(failed)?;
    // Records need the keys that their sessions get.
    rows.sessions()?;
    rows.all_but_sessions()?;
    rows.mark(own)?;
    ledger::chain_anew(&transaction, &rows.to, Some(seal.root()), own, &said)?;
    transaction.commit().map_err(failed)
}

pub(super) fn off(
    connection: &mut Connection,
    own: &Own,
    said: Said,
    progress: Progress<'_>,
) -> Result<()> {
    let transaction = begin(connection, own)?;
    let said = ledger::with_head(&transaction, own, said)?;
    let mut rows = Rows {
        transaction: &transaction,
        from: own.gate(),
        to: Gate::new(None),
        done: 0,
        progress,
    };
    // Records need the keys that their sessions have.
    rows.all_but_sessions()?;
    rows.sessions()?;
    rows.mark(own)?;
    ledger::chain_anew(&transaction, &rows.to, None, own, &said)?;
    keys::end(&transaction, &own.info)?;
    transaction.commit().map_err(failed)
}

/// Writes the whole file anew, so that no page has anything of what stood there before, and empties the WAL.
pub(super) fn wipe(connection: &Connection, busy_timeout: Duration) -> Result<()> {
    let failed = |e| translate("writing the file anew", e);
    // The new file is made beside the old one, which may be larger than memory.
    connection
        .execute_batch("PRAGMA secure_delete=ON; PRAGMA temp_store=FILE; VACUUM")
        .map_err(failed)?;
    connection.busy_timeout(busy_timeout).map_err(failed)?;
    let is_busy: bool = connection
        .query_row("PRAGMA wal_checkpoint(TRUNCATE)", (), |row| row.get(0))
        .map_err(failed)?;
    if is_busy {
        return Err(Error::locked(
            "another program is reading the store, so that the log beside it cannot be emptied",
        ));
    }
    Ok(())
}

fn begin<'a>(connection: &'a mut Connection, own: &Own) -> Result<Transaction<'a>> {
    connection
        .execute_batch("PRAGMA secure_delete=ON")
        .map_err(failed)?;
    let transaction = connection
        .transaction_with_behavior(TransactionBehavior::Immediate)
        .map_err(failed)?;
    sealed::check_unchanged(&transaction, own.sealing)?;
    Ok(transaction)
}

fn failed(error: rusqlite::Error) -> Error {
    translate("writing every row anew", error)
}

/// All rows on their way from one form to the other.
struct Rows<'a> {
    transaction: &'a Transaction<'a>,
    from: Gate<'a>,
    to: Gate<'a>,
    done: u64,
    progress: Progress<'a>,
}

impl Rows<'_> {
    fn sessions(&mut self) -> Result<()> {
        let (from, to, transaction) = (&self.from, &self.to, self.transaction);
        let turned = each(transaction, &mut |row| {
            to.seal_session(transaction, &from.open_session(row))
        });
        self.count(turned?);
        Ok(())
    }

    fn all_but_sessions(&mut self) -> Result<()> {
        self.all::<RecordRow>()?;
        self.all::<SnapshotRow>()?;
        self.all::<TrashRow>()?;
        self.all::<OperationRow>()?;
        self.all::<PolicyRow>()?;
        self.all::<NoteRow>()
    }

    fn all<R: Sealing + Stored + Insert>(&mut self) -> Result<()> {
        let (from, to, transaction) = (&self.from, &self.to, self.transaction);
        let turned = each(transaction, &mut |row: R| {
            to.cover(transaction, from.open(transaction, row)?)
        });
        self.count(turned?);
        Ok(())
    }

    fn count(&mut self, rows: u64) {
        self.done += rows;
        (self.progress)(self.done);
    }

    /// Says that the file is to be written anew.
    fn mark(&self, own: &Own) -> Result<()> {
        let mark = NoteRow::left(&own.info.id)?;
        let mark = self.to.seal(self.transaction, &mark)?;
        let mut add = self
            .transaction
            .prepare(&insert::or_replace(NoteRow::INSERT))
            .map_err(failed)?;
        mark.insert(&mut add).map_err(failed)
    }
}

/// Puts what `turn` makes of each row of a table in its place.
fn each<R: Stored + Insert>(
    transaction: &Transaction<'_>,
    turn: &mut dyn FnMut(R) -> Result<R>,
) -> Result<u64> {
    let (columns, table, key, order) = (R::COLUMNS, R::TABLE, R::KEY, R::ORDER);
    let marks = vec!["?"; order.split(',').count()].join(", ");
    let page = format!(
        "SELECT {columns} FROM {table} WHERE ({order}) > ({marks}) ORDER BY {order} LIMIT {PAGE}"
    );
    let mut page = transaction.prepare(&page).map_err(failed)?;
    let delete = format!("DELETE FROM {table} WHERE {key}");
    let mut delete = transaction.prepare(&delete).map_err(failed)?;
    let mut insert = transaction.prepare_cached(R::INSERT).map_err(failed)?;
    let mut after = vec![i64::MIN; order.split(',').count()];
    let mut done = 0;
    loop {
        let found = page
            .query_map(params_from_iter(&after), R::read)
            .map_err(failed)?;
        let found = found
            .collect::<rusqlite::Result<Vec<R>>>()
            .map_err(failed)?;
        let Some(last) = found.last() else {
            return Ok(done);
        };
        after = last.key();
        for row in found {
            let at = row.key();
            let row = turn(row)?;
            delete.execute(params_from_iter(at)).map_err(failed)?;
            row.insert(&mut insert).map_err(failed)?;
            done += 1;
        }
    }
}
