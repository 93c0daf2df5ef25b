//! Writing: one transaction for a whole batch.

use rusqlite::{CachedStatement, Connection, OptionalExtension, Transaction, TransactionBehavior};

use super::error::translate;
use super::exchange::{INSERT_OPERATION, INSERT_RECORD, INSERT_SNAPSHOT, Insert};
use super::{Outcome, StoreInfo, Write, schema};
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
    known_head: CachedStatement<'a>,
    move_head: CachedStatement<'a>,
    named: CachedStatement<'a>,
    add_snapshot: CachedStatement<'a>,
    add_record: CachedStatement<'a>,
    add_operation: CachedStatement<'a>,
    sequencer: Sequencer<'a>,
}

impl<'a> Batch<'a> {
    fn new(transaction: &'a Transaction<'_>, info: &'a StoreInfo) -> Sql<Self> {
        let last = Some(schema::last(transaction)?);
        let prepare = |sql| transaction.prepare_cached(sql);
        Ok(Self {
            find_session: prepare("SELECT id FROM session WHERE name = ?")?,
            newest_session: prepare("SELECT max(id) FROM session")?,
            add_session: prepare(
                "INSERT INTO session (id, name, head, checksum, era) VALUES (?, ?, ?, ?, 0)",
            )?,
            // By its name too: the number of a session that is gone may be another's by now.
            known_head: prepare(
                "SELECT id FROM session WHERE id = ? AND head = ? AND era = ? AND name = ?",
            )?,
            move_head: prepare(
                "UPDATE session SET head = ?, checksum = ?
                 WHERE id = ? AND head = ? AND era = ? AND name = ?",
            )?,
            named: prepare("SELECT seq FROM snapshot WHERE name = ? AND session = ?")?,
            add_snapshot: prepare(INSERT_SNAPSHOT)?,
            add_record: prepare(INSERT_RECORD)?,
            add_operation: prepare(INSERT_OPERATION)?,
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
        if let Some(taken) = self.name_taken(session, write).map_err(failed)? {
            let moved = self.has_moved(write).map_err(failed)?;
            return Ok(if moved { Outcome::HeadMoved } else { taken });
        }
        let mut added: Vec<SnapshotRow> = Vec::with_capacity(write.snapshots.len());
        let mut records = Vec::with_capacity(write.snapshots.len());
        let mut operations = Vec::new();
        let mut newest = write.head.map(|head| head.seq).filter(|seq| *seq != 0);
        for new in &write.snapshots {
            let rows = self.sequencer.rows(session, new, newest, &added)?;
            newest = Some(rows.snapshot.seq);
            added.push(rows.snapshot);
            records.extend(rows.record);
            operations.extend(rows.operation);
        }
        if !self.moved(session, write, newest).map_err(failed)? {
            return Ok(Outcome::HeadMoved);
        }
        for row in &added {
            row.insert(&mut self.add_snapshot).map_err(failed)?;
        }
        for row in &records {
            row.insert(&mut self.add_record).map_err(failed)?;
        }
        for row in &operations {
            row.insert(&mut self.add_operation).map_err(failed)?;
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

    /// Whether the session is not as the writer thought: what it asks about names may be about another session.
    fn has_moved(&mut self, write: &Write) -> Sql<bool> {
        let Some(head) = write.head else {
            return Ok(false);
        };
        let known = (head.session, head.seq, head.era, &write.session);
        Ok(!self.known_head.exists(known)?)
    }

    /// Compares the session's head with what the writer thought, and moves it: one step, so that
    /// nobody comes between.
    fn moved(&mut self, session: i64, write: &Write, newest: Option<i64>) -> Sql<bool> {
        let Some(newest) = newest else {
            return Ok(true);
        };
        let era = write.head.map_or(0, |head| head.era);
        let name = write.session.clone();
        let row = SessionRow::new(session, name, newest, era, self.sequencer.store);
        let checksum = &row.checksum[..];
        let changed = match write.head {
            Some(head) => self
                .move_head
                .execute((newest, checksum, session, head.seq, head.era, &row.name))?,
            None => self
                .add_session
                .execute((session, &row.name, newest, checksum))?,
        };
        Ok(changed == 1)
    }
}
