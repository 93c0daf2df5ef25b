//! Proving that everything kept is what was saved, and naming what is not.

use std::collections::{BTreeMap, HashMap};
use std::ops::ControlFlow;

use crate::chain;
use crate::codec::detail;
use crate::damage::{self, Damage, only_damage};
use crate::engine::Engine;
use crate::error::{Error, Result};
use crate::model::{SnapshotId, StoreId};
use crate::show::check;
use crate::store::{Scan, SessionRow, SnapshotRow, View};
use crate::walk::Chain;

/// What was proved, and what is damaged.
#[derive(Debug, Clone, Default, serde::Serialize)]
#[non_exhaustive]
pub struct Verification {
    /// How many sessions were looked at.
    pub sessions: u64,
    /// How many snapshots.
    pub snapshots: u64,
    /// How many states were rebuilt and compared with their checksums.
    pub states: u64,
    /// The bytes of text of those states.
    pub bytes: u64,
    /// What is not as it was written; empty if all is well.
    pub damage: Vec<Damage>,
}

impl Verification {
    /// Whether everything is as it was written.
    #[must_use]
    pub fn is_intact(&self) -> bool {
        self.damage.is_empty()
    }

    fn unless_damaged<T>(&mut self, read: Result<T>) -> Result<Option<T>> {
        damage::unless_damaged(&mut self.damage, read)
    }

    fn report(&mut self, session: Option<&str>, snapshots: Vec<SnapshotId>, message: String) {
        damage::report(&mut self.damage, session, snapshots, message);
    }
}

impl Engine {
    /// Proves every snapshot of `session`, or of the whole store and its structure: each row against
    /// its checksum, each state rebuilt and compared.
    ///
    /// # Errors
    /// `NotFound` where there is no such session; `Storage` or `Locked` where the store cannot be read
    /// at all. Damage is no error here: it is in the report.
    pub fn verify(&self, session: Option<&str>) -> Result<Verification> {
        self.verify_with(session, &mut |_| {})
    }

    /// As [`verify`](Engine::verify); `progress` hears of each session's name when it is done.
    ///
    /// # Errors
    /// As [`verify`](Engine::verify).
    pub fn verify_with(
        &self,
        session: Option<&str>,
        progress: &mut dyn FnMut(&str),
    ) -> Result<Verification> {
        let view = self.view()?;
        let mut found = Verification::default();
        let store = &self.store().info().id;
        let sessions = match session {
            Some(name) => vec![one_session(&*view, name)?],
            None => whole_store(&*view, store, &mut found)?,
        };
        for (row, seqs) in sessions {
            found.sessions += 1;
            let name = row.name.clone();
            let mut walk = Walk {
                view: &*view,
                store,
                found: &mut found,
            };
            if let Err(error) = walk.session(&row, &seqs) {
                let error = only_damage(error)?;
                found.report(Some(&name), Vec::new(), error.to_string());
            }
            progress(&name);
        }
        Ok(found)
    }
}

/// A session, and its snapshots in commit order.
type Sessions = Vec<(SessionRow, Vec<i64>)>;

fn one_session(view: &dyn View, name: &str) -> Result<(SessionRow, Vec<i64>)> {
    let row = view.session(name)?;
    let row = row.ok_or_else(|| Error::not_found(format!("there is no session '{name}'")))?;
    let mut seqs = Vec::new();
    let scan = Scan {
        session: Some(row.id),
        ..Scan::default()
    };
    view.snapshots(&scan, &mut |snapshot| {
        seqs.push(snapshot.seq);
        ControlFlow::Continue(())
    })?;
    Ok((row, seqs))
}

/// The checks that are not about one session, and the sessions. Snapshots are found by a look at every
/// row, so that none is passed over because the way to it is lost.
fn whole_store(view: &dyn View, store: &StoreId, found: &mut Verification) -> Result<Sessions> {
    let complaints = view.check_structure();
    for complaint in found.unless_damaged(complaints)?.unwrap_or_default() {
        found.report(
            None,
            Vec::new(),
            format!("the store's structure: {complaint}"),
        );
    }
    let mut sessions: BTreeMap<i64, (SessionRow, Vec<i64>)> = BTreeMap::new();
    let read = view.sessions(&mut |row| {
        sessions.insert(row.id, (row, Vec::new()));
        ControlFlow::Continue(())
    });
    found.unless_damaged(read)?;
    let mut strays = Vec::new();
    let read = view.snapshots(&Scan::default(), &mut |row| {
        match sessions.get_mut(&row.session) {
            // Damaged pages may give a row twice.
            Some((_, seqs)) if seqs.last().is_some_and(|last| *last >= row.seq) => {}
            Some((_, seqs)) => seqs.push(row.seq),
            None => strays.push(SnapshotId::new(row.seq, store)),
        }
        ControlFlow::Continue(())
    });
    found.unless_damaged(read)?;
    if !strays.is_empty() {
        found.report(
            None,
            strays,
            "snapshots of a session that does not exist".to_owned(),
        );
    }
    let mut damaged = Vec::new();
    let mut lost = Vec::new();
    let read = view.records(&mut |row| {
        let known = sessions.get(&row.session).filter(|_| row.is_intact(store));
        let entries = known.map(|_| chain::entries(&row, store, row.session));
        match (known, entries) {
            // A record without its snapshot: the row that led to it is gone.
            (Some((session, seqs)), Some(Ok(entries))) => {
                let gone = entries
                    .iter()
                    .filter(|e| seqs.binary_search(&e.seq).is_err());
                lost.extend(gone.map(|e| (session.name.clone(), SnapshotId::new(e.seq, store))));
            }
            _ => damaged.push(row.seq),
        }
        ControlFlow::Continue(())
    });
    found.unless_damaged(read)?;
    for (session, id) in lost {
        found.report(
            Some(&session),
            vec![id],
            "the snapshot's row is missing".to_owned(),
        );
    }
    for seq in damaged {
        found.report(
            None,
            Vec::new(),
            format!("the row of record {seq} is damaged"),
        );
    }
    Ok(sessions.into_values().collect())
}

/// A walk along one session, oldest first, so that each record is applied once.
struct Walk<'a> {
    view: &'a dyn View,
    store: &'a StoreId,
    found: &'a mut Verification,
}

impl Walk<'_> {
    fn session(&mut self, session: &SessionRow, seqs: &[i64]) -> Result<()> {
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
        if seqs.last() != Some(&session.head) {
            let head = SnapshotId::new(session.head, self.store);
            let lost = if seqs.contains(&session.head) {
                Vec::new()
            } else {
                vec![head]
            };
            complain(
                lost,
                "its newest snapshot is not the one that the session names",
            );
        }
        let mut chain = Chain::default();
        let mut proved: HashMap<i64, Result<detail::Detail>> = HashMap::new();
        let mut before = None;
        for seq in seqs {
            self.found.snapshots += 1;
            let row = self.view.snapshot(*seq).and_then(|row| {
                row.ok_or_else(|| Error::damaged("an index leads to a snapshot that is not there"))
            });
            if row.as_ref().is_ok_and(|row| row.parent != before) {
                let id = SnapshotId::new(*seq, self.store);
                let message = format!("the snapshot before {id} is missing");
                self.found.report(Some(&session.name), Vec::new(), message);
            }
            let result = row.and_then(|row| self.snapshot(session, &row, &mut chain, &mut proved));
            before = Some(*seq);
            if let Err(error) = result {
                let error = only_damage(error)?;
                let id = SnapshotId::new(*seq, self.store);
                self.found
                    .report(Some(&session.name), vec![id], error.to_string());
            }
        }
        Ok(())
    }

    fn snapshot(
        &mut self,
        session: &SessionRow,
        row: &SnapshotRow,
        chain: &mut Chain,
        proved: &mut HashMap<i64, Result<detail::Detail>>,
    ) -> Result<()> {
        check(row, self.store)?;
        if row.session != session.id {
            return Err(Error::damaged(
                "an index leads to a snapshot of another session",
            ));
        }
        let promised = detail::decode(&row.detail)?;
        if let Some(state) = row.state {
            // Its content was proved when its own snapshot was; the promise must be the same.
            return match proved.get(&state) {
                Some(Ok(of)) if of.checksum == promised.checksum => Ok(()),
                Some(Ok(_)) => Err(Error::damaged(
                    "it refers to another state than it was saved with",
                )),
                Some(Err(error)) => Err(error.clone()),
                None => Err(Error::damaged("it refers to a state that is not there")),
            };
        }
        let state = chain.advance(self.view, self.store, session.id, row.seq);
        let text =
            state.and_then(|state| chain::proved_text(&state.document()?, row, promised.checksum));
        match text {
            Ok(text) => {
                self.found.states += 1;
                self.found.bytes += text.len() as u64;
                proved.insert(row.seq, Ok(promised));
                Ok(())
            }
            Err(error) => {
                chain.forget();
                proved.insert(row.seq, Err(error.clone()));
                Err(error)
            }
        }
    }
}
