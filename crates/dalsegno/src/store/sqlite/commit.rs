//! Writing: one transaction for a whole batch.

use rusqlite::{CachedStatement, Connection, OptionalExtension, Transaction, TransactionBehavior};

use super::error::translate;
use super::{Outcome, RecordRow, StoreInfo, Write};
use crate::error::Result;
use crate::store::sequence::Sequencer;
use crate::store::{SessionRow, SnapshotRow};

type Sql<T> = rusqlite::Result<T>;

pub(super) fn commit(
    connection: &mut Connection,
    info: &StoreInfo,
    writes: &[Write],
) -> Result<Vec<Outcome>> {
    let failed = |e| translate("saving", e);
    // IMMEDIATE takes the write lock now: no other writer can move a head after it was compared.
    let transaction = connection
        .transaction_with_behavior(TransactionBehavior::Immediate)
        .map_err(failed)?;
    let mut batch = Batch::new(&transaction, info).map_err(failed)?;
    let mut outcomes = Vec::with_capacity(writes.len());
    for write in writes {
        let refused = batch.refuse(write).map_err(failed)?;
        outcomes.push(match refused {
            Ok(session) => batch.add(session, write)?,
            Err(outcome) => outcome,
        });
    }
    drop(batch);
    transaction.commit().map_err(failed)?;
    Ok(outcomes)
}

/// The statements of a batch, prepared once.
struct Batch<'a> {
    find_session: CachedStatement<'a>,
    newest_session: CachedStatement<'a>,
    add_session: CachedStatement<'a>,
    newest: CachedStatement<'a>,
    named: CachedStatement<'a>,
    add_snapshot: CachedStatement<'a>,
    add_record: CachedStatement<'a>,
    sequencer: Sequencer<'a>,
}

impl<'a> Batch<'a> {
    fn new(transaction: &'a Transaction<'_>, info: &'a StoreInfo) -> Sql<Self> {
        let last = transaction.query_row("SELECT max(seq) FROM snapshot", (), |row| row.get(0))?;
        Ok(Self {
            find_session: transaction.prepare_cached("SELECT id FROM session WHERE name = ?")?,
            newest_session: transaction.prepare_cached("SELECT max(id) FROM session")?,
            add_session: transaction.prepare_cached(
                "INSERT INTO session (id, name, created_at, checksum) VALUES (?, ?, ?, ?)",
            )?,
            newest: transaction
                .prepare_cached("SELECT max(seq) FROM snapshot WHERE session = ?")?,
            named: transaction
                .prepare_cached("SELECT seq FROM snapshot WHERE name = ? AND session = ?")?,
            add_snapshot: transaction.prepare_cached(
                "INSERT INTO snapshot (seq, session, created_at, kind, flags, size, stored, parent,
                 state, epoch, name, detail, checksum)
                 VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            )?,
            add_record: transaction.prepare_cached(
                "INSERT INTO record (seq, session, count, parent, data, checksum)
                 VALUES (?, ?, ?, ?, ?, ?)",
            )?,
            sequencer: Sequencer {
                store: &info.id,
                last,
            },
        })
    }

    /// The session's number, if it exists, or why the write is refused.
    fn refuse(&mut self, write: &Write) -> Sql<Result<Option<i64>, Outcome>> {
        let session = match write.head {
            Some(head) => Some(head.session),
            None => self
                .find_session
                .query_row([&write.session], |row| row.get(0))
                .optional()?,
        };
        if let Some(session) = session {
            let newest: Option<i64> = self.newest.query_row([session], |row| row.get(0))?;
            if newest != write.head.map(|head| head.seq) {
                return Ok(Err(Outcome::HeadMoved));
            }
        }
        for (index, new) in write.snapshots.iter().enumerate() {
            let Some(name) = &new.name else { continue };
            let mut earlier = write.snapshots.iter().take(index);
            let by = match session {
                Some(session) => self
                    .named
                    .query_row((name, session), |row| row.get(0))
                    .optional()?,
                None => None,
            };
            if let Some(by) = by.or(earlier.any(|e| e.name.as_ref() == Some(name)).then_some(0)) {
                return Ok(Err(Outcome::NameTaken { index, by }));
            }
        }
        Ok(Ok(session))
    }

    fn add(&mut self, session: Option<i64>, write: &Write) -> Result<Outcome> {
        let failed = |e| translate("saving", e);
        let session = match session {
            Some(session) => session,
            None => self.make_session(write).map_err(failed)?,
        };
        let mut newest = write.head.map(|head| head.seq);
        let mut added: Vec<SnapshotRow> = Vec::with_capacity(write.snapshots.len());
        for new in &write.snapshots {
            let (row, record) = self.sequencer.rows(session, new, newest, &added)?;
            if let Some(record) = &record {
                insert_record(&mut self.add_record, record).map_err(failed)?;
            }
            let columns = rusqlite::params![
                row.seq,
                row.session,
                row.created_at,
                row.kind,
                row.flags,
                row.size,
                row.stored,
                row.parent,
                row.state,
                row.epoch,
                row.name,
                row.detail,
                &row.checksum[..],
            ];
            self.add_snapshot.execute(columns).map_err(failed)?;
            newest = Some(row.seq);
            added.push(row);
        }
        Ok(Outcome::Committed(added))
    }

    fn make_session(&mut self, write: &Write) -> Sql<i64> {
        let newest: Option<i64> = self.newest_session.query_row((), |row| row.get(0))?;
        let mut row = SessionRow {
            id: newest.unwrap_or(0) + 1,
            name: write.session.clone(),
            created_at: write.snapshots.first().map_or(0, |s| s.created_at),
            checksum: [0; 16],
        };
        row.checksum = row.compute(self.sequencer.store);
        self.add_session
            .execute((row.id, &row.name, row.created_at, &row.checksum[..]))?;
        Ok(row.id)
    }
}

fn insert_record(statement: &mut CachedStatement<'_>, row: &RecordRow) -> Sql<()> {
    let columns = rusqlite::params![
        row.seq,
        row.session,
        row.count,
        row.parent,
        row.data,
        &row.checksum[..]
    ];
    statement.execute(columns).map(|_| ())
}

pub(super) fn replace(
    connection: &mut Connection,
    take: &[RecordRow],
    put: &[RecordRow],
) -> Result<bool> {
    let failed = |e| translate("packing records", e);
    let transaction = connection
        .transaction_with_behavior(TransactionBehavior::Immediate)
        .map_err(failed)?;
    let mut delete = transaction
        .prepare_cached("DELETE FROM record WHERE seq = ? AND checksum = ?")
        .map_err(failed)?;
    for row in take {
        if delete
            .execute((row.seq, &row.checksum[..]))
            .map_err(failed)?
            != 1
        {
            return Ok(false);
        }
    }
    drop(delete);
    let mut insert = transaction
        .prepare_cached(
            "INSERT INTO record (seq, session, count, parent, data, checksum)
             VALUES (?, ?, ?, ?, ?, ?)",
        )
        .map_err(failed)?;
    for row in put {
        insert_record(&mut insert, row).map_err(failed)?;
    }
    drop(insert);
    transaction.commit().map_err(failed)?;
    Ok(true)
}

/// Frees pages that packing emptied, and folds the WAL into the file as far as readers allow.
pub(super) fn settle(connection: &mut Connection) -> Result<()> {
    let failed = |e| translate("giving space back", e);
    let mut vacuum = connection
        .prepare("PRAGMA incremental_vacuum")
        .map_err(failed)?;
    let mut steps = vacuum.query(()).map_err(failed)?;
    while steps.next().map_err(failed)?.is_some() {}
    drop(steps);
    drop(vacuum);
    connection
        .query_row("PRAGMA wal_checkpoint(TRUNCATE)", (), |_| Ok(()))
        .map_err(failed)
}
