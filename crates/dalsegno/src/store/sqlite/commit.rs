//! Writing: one transaction for a whole batch.

use std::time::Duration;

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
        outcomes.push(batch.add(write)?);
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
    move_head: CachedStatement<'a>,
    named: CachedStatement<'a>,
    add_snapshot: CachedStatement<'a>,
    add_record: CachedStatement<'a>,
    sequencer: Sequencer<'a>,
}

impl<'a> Batch<'a> {
    fn new(transaction: &'a Transaction<'_>, info: &'a StoreInfo) -> Sql<Self> {
        let last = transaction.query_row("SELECT max(seq) FROM snapshot", (), |row| row.get(0))?;
        let prepare = |sql| transaction.prepare_cached(sql);
        Ok(Self {
            find_session: prepare("SELECT id FROM session WHERE name = ?")?,
            newest_session: prepare("SELECT max(id) FROM session")?,
            add_session: prepare(
                "INSERT INTO session (id, name, head, checksum) VALUES (?, ?, ?, ?)",
            )?,
            move_head: prepare(
                "UPDATE session SET head = ?, checksum = ? WHERE id = ? AND head = ?",
            )?,
            named: prepare("SELECT seq FROM snapshot WHERE name = ? AND session = ?")?,
            add_snapshot: prepare(
                "INSERT INTO snapshot (seq, session, created_at, kind, flags, size, stored, parent,
                 state, epoch, name, detail, checksum)
                 VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            )?,
            add_record: prepare(INSERT_RECORD)?,
            sequencer: Sequencer {
                store: &info.id,
                last,
            },
        })
    }

    fn add(&mut self, write: &Write) -> Result<Outcome> {
        let failed = |e| translate("saving", e);
        let session = match write.head {
            Some(head) => head.session,
            None if self.exists(write).map_err(failed)? => return Ok(Outcome::HeadMoved),
            None => self.next_session().map_err(failed)?,
        };
        if let Some(outcome) = self.name_taken(session, write).map_err(failed)? {
            return Ok(outcome);
        }
        let mut added: Vec<SnapshotRow> = Vec::with_capacity(write.snapshots.len());
        let mut records = Vec::with_capacity(write.snapshots.len());
        let mut newest = write.head.map(|head| head.seq);
        for new in &write.snapshots {
            let (row, record) = self.sequencer.rows(session, new, newest, &added)?;
            newest = Some(row.seq);
            added.push(row);
            records.extend(record);
        }
        if !self.moved(session, write, newest).map_err(failed)? {
            return Ok(Outcome::HeadMoved);
        }
        for row in &added {
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
        }
        for record in &records {
            insert_record(&mut self.add_record, record).map_err(failed)?;
        }
        Ok(Outcome::Committed(added))
    }

    fn exists(&mut self, write: &Write) -> Sql<bool> {
        self.find_session.exists([&write.session])
    }

    fn next_session(&mut self) -> Sql<i64> {
        let newest: Option<i64> = self.newest_session.query_row((), |row| row.get(0))?;
        Ok(newest.unwrap_or(0) + 1)
    }

    fn name_taken(&mut self, session: i64, write: &Write) -> Sql<Option<Outcome>> {
        for (index, new) in write.snapshots.iter().enumerate() {
            let Some(name) = &new.name else { continue };
            let mut earlier = write.snapshots.iter().take(index);
            let by = self
                .named
                .query_row((name, session), |row| row.get(0))
                .optional()?;
            if let Some(by) = by.or(earlier.any(|e| e.name.as_ref() == Some(name)).then_some(0)) {
                return Ok(Some(Outcome::NameTaken { index, by }));
            }
        }
        Ok(None)
    }

    /// Compares the session's head with what the writer thought, and moves it: one step, so that
    /// nobody comes between.
    fn moved(&mut self, session: i64, write: &Write, newest: Option<i64>) -> Sql<bool> {
        let Some(newest) = newest else {
            return Ok(true);
        };
        let row = SessionRow::new(session, write.session.clone(), newest, self.sequencer.store);
        let checksum = &row.checksum[..];
        let changed = match write.head {
            Some(head) => self
                .move_head
                .execute((newest, checksum, session, head.seq))?,
            None => self
                .add_session
                .execute((session, &row.name, newest, checksum))?,
        };
        Ok(changed == 1)
    }
}

const INSERT_RECORD: &str =
    "INSERT INTO record (seq, session, count, parent, data, checksum) VALUES (?, ?, ?, ?, ?, ?)";

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
    let mut insert = transaction.prepare_cached(INSERT_RECORD).map_err(failed)?;
    for row in put {
        insert_record(&mut insert, row).map_err(failed)?;
    }
    drop(insert);
    transaction.commit().map_err(failed)?;
    Ok(true)
}

/// How many pages of WAL are let come together (16 MiB) before they are folded into the file.
const WAL_PAGES: i64 = 4096;

/// Folds the WAL into the file when it has grown, as far as readers allow.
pub(super) fn tidy(connection: &mut Connection) -> Result<()> {
    let failed = |e| translate("folding the WAL into the store", e);
    let pages = |mode: &str| {
        let sql = format!("PRAGMA wal_checkpoint({mode})");
        connection
            .prepare_cached(&sql)?
            .query_row((), |row| row.get::<_, i64>(1))
    };
    if pages("NOOP").map_err(failed)? >= WAL_PAGES {
        pages("PASSIVE").map_err(failed)?;
    }
    Ok(())
}

/// Frees pages that packing emptied, and folds the WAL into the file as far as readers allow: it does
/// not wait for them, for some read for long.
pub(super) fn settle(connection: &mut Connection, busy_timeout: Duration) -> Result<()> {
    let failed = |e| translate("giving space back", e);
    let mut vacuum = connection
        .prepare("PRAGMA incremental_vacuum")
        .map_err(failed)?;
    let mut steps = vacuum.query(()).map_err(failed)?;
    while steps.next().map_err(failed)?.is_some() {}
    drop(steps);
    drop(vacuum);
    connection.busy_timeout(Duration::ZERO).map_err(failed)?;
    let folded = connection.query_row("PRAGMA wal_checkpoint(TRUNCATE)", (), |_| Ok(()));
    connection.busy_timeout(busy_timeout).map_err(failed)?;
    folded.map_err(failed)
}
