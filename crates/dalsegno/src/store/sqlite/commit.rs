//! Writing: one transaction for a whole batch.

use rusqlite::{CachedStatement, Connection, OptionalExtension, Transaction, TransactionBehavior};

use super::error::translate;
use super::insert::Insert;
use super::sealed::{self, Gate};
use super::{Outcome, Own, Write, ledger, schema};
use crate::error::Result;
use crate::key::Part;
use crate::store::seal::SealedSession;
use crate::store::sequence::Sequencer;
use crate::store::{OperationRow, RecordRow, Said, SessionRow, SnapshotRow};

type Sql<T> = rusqlite::Result<T>;

pub(super) fn commit(
    connection: &mut Connection,
    own: &Own,
    writes: &[Write],
) -> Result<Vec<Outcome>> {
    let failed = |e| translate("saving", e);
    // IMMEDIATE takes the write lock now: no other writer can move a head after it was compared.
    let transaction = connection
        .transaction_with_behavior(TransactionBehavior::Immediate)
        .map_err(failed)?;
    sealed::check_unchanged(&transaction, own.sealing)?;
    let mut batch = Batch::new(&transaction, own).map_err(failed)?;
    let mut outcomes = Vec::with_capacity(writes.len());
    for write in writes {
        outcomes.push(batch.add(write)?);
    }
    drop(batch);
    if let Some(mut ledger) = ledger::open(&transaction, own, false)? {
        let said = Said::of_commit(writes, &outcomes);
        ledger::append(&transaction, &own.gate(), &mut ledger, &said)?;
    }
    transaction.commit().map_err(failed)?;
    Ok(outcomes)
}

/// The statements of a batch, prepared once.
struct Batch<'a> {
    transaction: &'a Transaction<'a>,
    gate: Gate<'a>,
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
    fn new(transaction: &'a Transaction<'_>, own: &'a Own) -> Sql<Self> {
        let last = Some(schema::last(transaction)?);
        let prepare = |sql| transaction.prepare_cached(sql);
        Ok(Self {
            transaction,
            gate: own.gate(),
            find_session: prepare("SELECT id FROM session WHERE name = ?")?,
            newest_session: prepare("SELECT max(id) FROM session")?,
            add_session: prepare(
                "INSERT INTO session (id, name, head, checksum, era, key) VALUES (?, ?, ?, ?, 0, ?)",
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
            add_snapshot: prepare(SnapshotRow::INSERT)?,
            add_record: prepare(RecordRow::INSERT)?,
            add_operation: prepare(OperationRow::INSERT)?,
            sequencer: Sequencer {
                store: &own.info.id,
                last,
            },
        })
    }

    fn add(&mut self, write: &Write) -> Result<Outcome> {
        let failed = |e| translate("saving", e);
        let known = self.gate.name(Part::SessionName, &write.session)?;
        let session = match write.head {
            Some(head) => head.session,
            None if self.find_session.exists([&known]).map_err(failed)? => {
                return Ok(Outcome::HeadMoved);
            }
            None => self.next_session().map_err(failed)?,
        };
        if let Some(taken) = self.name_taken(session, write)? {
            let moved = self.has_moved(write, &known).map_err(failed)?;
            return Ok(if moved { Outcome::HeadMoved } else { taken });
        }
        // Whoever reads the session's row anew finds that it is damaged.
        if write.head.is_some() && !self.gate.has_key(self.transaction, session)? {
            return Ok(Outcome::HeadMoved);
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
        if !self.moved(session, write, newest)? {
            return Ok(Outcome::HeadMoved);
        }
        let Self {
            transaction, gate, ..
        } = self;
        for row in &added {
            let row = gate.seal(transaction, row)?;
            row.insert(&mut self.add_snapshot).map_err(failed)?;
        }
        for row in &records {
            let row = gate.seal(transaction, row)?;
            row.insert(&mut self.add_record).map_err(failed)?;
        }
        for row in &operations {
            let row = gate.seal(transaction, row)?;
            row.insert(&mut self.add_operation).map_err(failed)?;
        }
        Ok(Outcome::Committed(added))
    }

    fn next_session(&mut self) -> Sql<i64> {
        let newest: Option<i64> = self.newest_session.query_row((), |row| row.get(0))?;
        Ok(newest.unwrap_or(0) + 1)
    }

    fn name_taken(&mut self, session: i64, write: &Write) -> Result<Option<Outcome>> {
        for (index, new) in write.snapshots.iter().enumerate() {
            let Some(name) = &new.name else { continue };
            let mut earlier = write.snapshots.iter().take(index);
            let kept = self.gate.name(Part::SnapshotName, name)?;
            let by = self
                .named
                .query_row((&kept, session), |row| row.get(0))
                .optional()
                .map_err(|e| translate("saving", e))?;
            if let Some(by) = by.or(earlier.any(|e| e.name.as_ref() == Some(name)).then_some(0)) {
                return Ok(Some(Outcome::NameTaken { index, by }));
            }
        }
        Ok(None)
    }

    /// Whether the session is not as the writer thought: what it asks about names may be about another session.
    fn has_moved(&mut self, write: &Write, name: &str) -> Sql<bool> {
        let Some(head) = write.head else {
            return Ok(false);
        };
        let known = (head.session, head.seq, head.era, name);
        Ok(!self.known_head.exists(known)?)
    }

    /// Compares the session's head with what the writer thought, and moves it: one step, so that
    /// nobody comes between.
    fn moved(&mut self, session: i64, write: &Write, newest: Option<i64>) -> Result<bool> {
        let Some(newest) = newest else {
            return Ok(true);
        };
        let era = write.head.map_or(0, |head| head.era);
        let name = write.session.clone();
        let row = SessionRow::new(session, name, newest, era, self.sequencer.store);
        let SealedSession { row, key } = self.gate.seal_session(self.transaction, &row)?;
        let checksum = &row.checksum[..];
        let changed = match write.head {
            Some(head) => self
                .move_head
                .execute((newest, checksum, session, head.seq, head.era, &row.name)),
            None => self
                .add_session
                .execute((session, &row.name, newest, checksum, key)),
        };
        changed
            .map(|changed| changed == 1)
            .map_err(|e| translate("saving", e))
    }
}
