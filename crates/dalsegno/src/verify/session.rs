//! One session, each of its states rebuilt and compared.

use std::collections::{BTreeMap, HashMap};

use super::Verification;
use super::whole::Kept;
use crate::chain;
use crate::codec::detail;
use crate::damage::only_damage;
use crate::delete;
use crate::error::{Error, Result};
use crate::model::{SnapshotId, StoreId};
use crate::show::check;
use crate::store::{Row, SessionRow, SnapshotRow, TrashRow, View};
use crate::walk::Chain;

/// A walk along one session, oldest first, so that each record is applied once.
pub(super) struct Walk<'a> {
    pub(super) view: &'a dyn View,
    pub(super) store: &'a StoreId,
    pub(super) found: &'a mut Verification,
    /// Whether it is enough.
    pub(super) stop: &'a dyn Fn() -> bool,
}

/// The states that were proved, by their records, with what they are.
type Proved = HashMap<i64, Result<detail::Detail>>;

impl Walk<'_> {
    pub(super) fn session(&mut self, kept: &Kept) -> Result<()> {
        self.head(kept);
        let session = &kept.row;
        let mut chain = Chain::default();
        let mut proved = Proved::new();
        let mut before = None;
        let mut all: BTreeMap<i64, Option<&TrashRow>> = BTreeMap::new();
        all.extend(kept.trash.iter().map(|row| (row.snapshot.seq, Some(row))));
        for seq in &kept.live {
            if all.insert(*seq, None).is_some() {
                let id = SnapshotId::new(*seq, self.store);
                let message = format!("snapshot {id} is in the trash and in the history");
                self.found.report(Some(&session.name), vec![id], message);
            }
        }
        for (seq, trashed) in all {
            if (self.stop)() {
                break;
            }
            self.found.snapshots += 1;
            let row = match trashed {
                Some(trashed) => self.trashed(session, trashed),
                None => self.live(session, seq, &mut before),
            };
            let result = row.and_then(|row| self.snapshot(session, &row, &mut chain, &mut proved));
            if let Err(error) = result {
                let error = only_damage(error)?;
                let id = SnapshotId::new(seq, self.store);
                self.found
                    .report(Some(&session.name), vec![id], error.to_string());
            }
        }
        Ok(())
    }

    /// The session's own row, and that it leads to its newest snapshot.
    fn head(&mut self, kept: &Kept) {
        let session = &kept.row;
        let mut complain = |lost: Vec<SnapshotId>, message: &str| {
            self.found
                .report(Some(&session.name), lost, message.to_owned());
        };
        if !session.is_intact(self.store) {
            complain(
                Vec::new(),
                "the row of the session is damaged: its checksum differs",
            );
        }
        if kept.live.last().copied().unwrap_or(0) != session.head {
            let head = SnapshotId::new(session.head, self.store);
            let lost = if session.head == 0 || kept.live.contains(&session.head) {
                Vec::new()
            } else {
                vec![head]
            };
            complain(
                lost,
                "its newest snapshot is not the one that the session names",
            );
        }
    }

    fn live(
        &mut self,
        session: &SessionRow,
        seq: i64,
        before: &mut Option<i64>,
    ) -> Result<SnapshotRow> {
        let row = self.view.snapshot(seq).and_then(|row| {
            row.ok_or_else(|| Error::damaged("an index leads to a snapshot that is not there"))
        });
        let before = before.replace(seq);
        if row.as_ref().is_ok_and(|row| row.parent != before) {
            let id = SnapshotId::new(seq, self.store);
            let message = format!("the snapshot before {id} is missing");
            self.found.report(Some(&session.name), Vec::new(), message);
        }
        row
    }

    fn trashed(&mut self, session: &SessionRow, row: &TrashRow) -> Result<SnapshotRow> {
        delete::shown(row, &session.name, self.store)?;
        Ok(row.snapshot.clone().summed(self.store))
    }

    fn snapshot(
        &mut self,
        session: &SessionRow,
        row: &SnapshotRow,
        chain: &mut Chain,
        proved: &mut Proved,
    ) -> Result<()> {
        check(row, self.store)?;
        if row.session != session.id {
            return Err(Error::damaged(
                "an index leads to a snapshot of another session",
            ));
        }
        let promised = detail::decode(&row.detail)?;
        self.found.repaired += u64::from(promised.repaired.is_some());
        // Its content was proved when its own snapshot was, if that is still there; the promise must be
        // the same.
        match proved.get(&row.state_seq()) {
            Some(Ok(of)) if of.checksum == promised.checksum => return Ok(()),
            Some(Ok(_)) => {
                return Err(Error::damaged(
                    "it refers to another state than it was saved with",
                ));
            }
            Some(Err(error)) => return Err(error.clone()),
            None => {}
        }
        let state = chain.advance(self.view, self.store, session.id, row.state_seq());
        let text =
            state.and_then(|state| chain::proved_text(&state.document()?, row, promised.checksum));
        match text {
            Ok(text) => {
                self.found.states += 1;
                self.found.bytes += text.len() as u64;
                proved.insert(row.state_seq(), Ok(promised));
                Ok(())
            }
            Err(error) => {
                chain.forget();
                proved.insert(row.state_seq(), Err(error.clone()));
                Err(error)
            }
        }
    }
}
