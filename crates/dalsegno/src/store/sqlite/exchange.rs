//! Rows that make way for others, in one transaction.

use std::borrow::Cow;

use rusqlite::{Connection, ErrorCode, OptionalExtension, TransactionBehavior, params_from_iter};

use super::error::translate;
use super::insert::Insert;
use super::rows::{self, Stored};
use super::sealed::{self, Gate};
use super::{Own, ledger, schema};
use crate::codec::checksum::Checksum;
use crate::error::Result;
use crate::store::seal::{SealedSession, Sealing};
use crate::store::{Exchange, Row, Rows, Said, SessionRow};

type Sql<T> = rusqlite::Result<T>;

pub(super) fn exchange(
    connection: &mut Connection,
    own: &Own,
    exchange: &Exchange,
) -> Result<bool> {
    let transaction = connection
        .transaction_with_behavior(TransactionBehavior::Immediate)
        .map_err(failed)?;
    sealed::check_unchanged(&transaction, own.sealing)?;
    let last = schema::last(&transaction).map_err(failed)?;
    let tables = Tables {
        connection: &transaction,
        gate: own.gate(),
    };
    if !tables.take(&exchange.take)? {
        return Ok(false);
    }
    for (id, era) in &exchange.raise {
        if !tables.raise(own, *id, *era)? {
            return Ok(false);
        }
    }
    for (session, key) in &exchange.keys {
        tables.gate.give(*session, key);
    }
    if !tables.put(&exchange.put)? {
        return Ok(false);
    }
    let say = &exchange.say;
    if !say.is_empty()
        && let Some(mut ledger) = ledger::open(&transaction, own, say.iter().any(Said::begins))?
    {
        ledger::append(&transaction, &tables.gate, &mut ledger, say)?;
    }
    if schema::last(&transaction).map_err(failed)? < last {
        schema::keep_last(&transaction, &own.info, last).map_err(failed)?;
    }
    transaction.commit().map_err(failed)?;
    Ok(true)
}

fn failed(error: rusqlite::Error) -> crate::Error {
    translate("changing the store", error)
}

/// The tables within a transaction.
struct Tables<'a> {
    connection: &'a Connection,
    gate: Gate<'a>,
}

impl Tables<'_> {
    /// Deletes the rows; false where one is not there as it is known.
    fn take(&self, rows: &Rows) -> Result<bool> {
        let Rows {
            sessions,
            snapshots,
            trash,
            records,
            operations,
            policies,
            notes,
        } = rows;
        Ok(self.take_each(records)?
            && self.take_sessions(sessions)?
            && self.take_each(snapshots)?
            && self.take_each(trash)?
            && self.take_each(operations)?
            && self.take_each(policies)?
            && self.take_each(notes)?)
    }

    fn take_each<R: Sealing + Stored>(&self, rows: &[R]) -> Result<bool> {
        for row in rows {
            let Some(kept) = self.kept(row)? else {
                return Ok(false);
            };
            if !self.delete::<R>(&row.key(), kept).map_err(failed)? {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// The checksum that the row has in its table; nothing where another stands there, or none.
    fn kept<R: Sealing + Stored>(&self, row: &R) -> Result<Option<Checksum>> {
        if !self.gate.seals() {
            return Ok(Some(row.checksum()));
        }
        let sql = format!("SELECT {} FROM {} WHERE {}", R::COLUMNS, R::TABLE, R::KEY);
        let there = self.connection.prepare_cached(&sql).and_then(|mut find| {
            find.query_row(params_from_iter(row.key()), R::read)
                .optional()
        });
        let Some(there) = there.map_err(failed)? else {
            return Ok(None);
        };
        let kept = there.checksum();
        // Only who opens the row knows its checksum as it was before it was sealed.
        let opened = self.gate.open(self.connection, there)?;
        Ok((opened.checksum() == row.checksum()).then_some(kept))
    }

    fn take_sessions(&self, rows: &[SessionRow]) -> Result<bool> {
        for row in rows {
            let Some(there) = self.session(row.id)? else {
                return Ok(false);
            };
            // Rows that are put later may be sealed by it.
            self.gate.remember(&there);
            let kept = there.checksum();
            let same = self.gate.open_session(there).checksum == row.checksum;
            if !same
                || !self
                    .delete::<SealedSession>(&[row.id], kept)
                    .map_err(failed)?
            {
                return Ok(false);
            }
        }
        Ok(true)
    }

    fn delete<R: Stored>(&self, key: &[i64], checksum: Checksum) -> Sql<bool> {
        // One of another length fits nothing, and was read as zeroes.
        let fits = match checksum {
            [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0] => {
                "(checksum = ? OR length(checksum) != 16)"
            }
            _ => "checksum = ?",
        };
        let sql = format!("DELETE FROM {} WHERE {} AND {fits}", R::TABLE, R::KEY);
        let mut delete = self.connection.prepare_cached(&sql)?;
        for (at, number) in key.iter().enumerate() {
            delete.raw_bind_parameter(at + 1, number)?;
        }
        delete.raw_bind_parameter(key.len() + 1, &checksum[..])?;
        Ok(delete.raw_execute()? == 1)
    }

    fn session(&self, id: i64) -> Result<Option<SealedSession>> {
        let sql = format!("SELECT {} FROM session WHERE id = ?", rows::SESSION);
        let found = self
            .connection
            .prepare_cached(&sql)
            .and_then(|mut find| find.query_row([id], SealedSession::read).optional());
        found.map_err(failed)
    }

    /// Raises the era of a session; false where it has another.
    fn raise(&self, own: &Own, id: i64, era: i64) -> Result<bool> {
        let row = self.session(id)?.map(|row| self.gate.open_session(row));
        let Some(row) = row.filter(|row| row.era == era && row.is_intact(&own.info.id)) else {
            return Ok(false);
        };
        let raised = SessionRow {
            era: era + 1,
            ..row
        };
        let raised = raised.summed(&own.info.id);
        let SealedSession { row: raised, .. } = self.gate.seal_session(self.connection, &raised)?;
        let changed = self
            .connection
            .prepare_cached("UPDATE session SET era = ?, checksum = ? WHERE id = ?")
            .and_then(|mut raise| raise.execute((raised.era, &raised.checksum[..], id)));
        Ok(changed.map_err(failed)? == 1)
    }

    /// Adds the rows; false where a key or a name is taken.
    fn put(&self, rows: &Rows) -> Result<bool> {
        let Rows {
            sessions,
            snapshots,
            trash,
            records,
            operations,
            policies,
            notes,
        } = rows;
        let sealed = sessions
            .iter()
            .map(|row| self.gate.seal_session(self.connection, row));
        let sessions = sealed.collect::<Result<Vec<_>>>()?;
        Ok(self.insert(sessions.iter().map(Cow::Borrowed).map(Ok))?
            && self.put_each(snapshots)?
            && self.put_each(trash)?
            && self.put_each(records)?
            && self.put_each(operations)?
            && self.put_each(policies)?
            && self.put_each(notes)?)
    }

    fn put_each<R: Sealing + Insert>(&self, rows: &[R]) -> Result<bool> {
        self.insert(rows.iter().map(|row| self.gate.seal(self.connection, row)))
    }

    fn insert<'r, R: Insert + Clone + 'r>(
        &self,
        rows: impl ExactSizeIterator<Item = Result<Cow<'r, R>>>,
    ) -> Result<bool> {
        if rows.len() == 0 {
            return Ok(true);
        }
        let mut statement = self.connection.prepare_cached(R::INSERT).map_err(failed)?;
        for row in rows {
            match row?.insert(&mut statement) {
                Ok(()) => {}
                Err(rusqlite::Error::SqliteFailure(e, _))
                    if e.code == ErrorCode::ConstraintViolation =>
                {
                    return Ok(false);
                }
                Err(error) => return Err(failed(error)),
            }
        }
        Ok(true)
    }
}
