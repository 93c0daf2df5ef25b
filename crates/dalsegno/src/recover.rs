//! After a crash: the sessions that were not closed, and the newest intact state of each.

use serde::Serialize;

use crate::codec::note::State;
use crate::engine::Engine;
use crate::error::{Error, ErrorKind, Result};
use crate::event::Happened;
use crate::lease::rows;
use crate::model::{Snapshot, SnapshotId};
use crate::show;
use crate::store::{Flow, Scan};

/// A session that was not closed, and what became of it.
#[derive(Debug, Clone, Serialize)]
pub struct Recovered {
    /// Its name.
    pub session: String,
    /// Its newest state that is intact, which it stands at now; nothing where it has no state, or none that is
    /// intact.
    pub snapshot: Option<Snapshot>,
    /// Newer snapshots that are damaged, newest first.
    pub passed_over: Vec<PassedOver>,
    /// The program that had it, if it is known.
    pub program: Option<String>,
    /// Why it could not be recovered; then it is as it was, and not open.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error: Option<Error>,
}

/// A snapshot that was not chosen.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct PassedOver {
    /// Its id.
    pub snapshot: SnapshotId,
    /// Why not.
    pub why: String,
}

impl Recovered {
    /// Of a session of which nothing is known yet.
    pub(crate) fn of(session: &str) -> Self {
        Self {
            session: session.to_owned(),
            snapshot: None,
            passed_over: Vec::new(),
            program: None,
            error: None,
        }
    }
}

impl Engine {
    /// Opens every session that a program left without closing it, and makes sure that it stands at its newest
    /// intact state: where newer ones are damaged, that state is put back. Sessions that programs have open are
    /// left alone. Each answer is for one session, by name; one that is damaged does not hold up the others.
    ///
    /// Called again, it finds nothing: the sessions are open here, until they are closed. Should this program end
    /// before that, the next finds them again. Of two that call it at once, each session goes to one.
    ///
    /// # Errors
    /// `Storage`, `Denied` or `Locked` where the store cannot be read or written at all.
    pub fn recover(&self) -> Result<Vec<Recovered>> {
        self.recover_only(|_| true)
    }

    /// As [`recover`](Engine::recover), of those sessions only whose names `wanted` answers true to: a program takes
    /// its own, and leaves the others to theirs.
    ///
    /// # Errors
    /// As [`recover`](Engine::recover).
    pub fn recover_only(&self, wanted: impl Fn(&str) -> bool) -> Result<Vec<Recovered>> {
        let mut left = self.left_open()?;
        left.retain(|(session, _)| wanted(session));
        let recovered = left.into_iter().filter_map(|(session, program)| {
            let opened = match self.open_session(&session) {
                // Somebody was first.
                Err(error) if error.kind() == ErrorKind::Locked => return None,
                // Nobody can say who has it, if not this: its program is gone.
                Err(error) if error.kind() == ErrorKind::Damaged => self.take_over(&session),
                opened => opened,
            };
            if opened.as_ref().is_ok_and(|opened| opened.was_closed) {
                return None;
            }
            let mut recovered = Recovered {
                program,
                ..Recovered::of(&session)
            };
            let done = opened.and_then(|_| self.newest_intact(&mut recovered));
            if done.is_ok() {
                self.tell_recovered(&recovered);
            }
            if let Err(error) = done {
                // Where this fails as well, it is open here until the program ends.
                drop(self.abandon(&session));
                recovered.error = Some(error);
            }
            Some(recovered)
        });
        Ok(recovered.collect())
    }

    /// Opens a session again of which the lease was lost, where nobody has it any more.
    ///
    /// # Errors
    /// As [`open_session`](Engine::open_session).
    pub(crate) fn reopen(&self, session: &str) -> Result<()> {
        self.open_session(session)?;
        let mut recovered = Recovered::of(session);
        self.newest_intact(&mut recovered)?;
        self.tell_recovered(&recovered);
        Ok(())
    }

    fn tell_recovered(&self, recovered: &Recovered) {
        let what = Happened::Recovered {
            snapshot: recovered.snapshot.as_ref().map(|snapshot| snapshot.id),
            passed_over: recovered.passed_over.len() as u64,
        };
        self.tell(Some(&recovered.session), what);
    }

    /// The sessions that [`recover`](Engine::recover) would open, by name, with the programs that had them.
    /// Nothing is changed.
    ///
    /// # Errors
    /// As [`recover`](Engine::recover).
    pub fn left_open(&self) -> Result<Vec<(String, Option<String>)>> {
        let view = self.view()?;
        let id = &self.store().info().id;
        let mut left = Vec::new();
        for (session, found) in rows::all(&*view, id)? {
            let program = match &found {
                Ok(found) if found.lease.state == State::Closed => continue,
                Ok(found) => {
                    match rows::holder(&*view, id, &found.lease, self.clock()) {
                        Ok(Some(_)) => continue,
                        // Nobody can say that it is gone.
                        Err(error) if error.kind() == ErrorKind::Locked => continue,
                        Err(error) => return Err(error),
                        Ok(None) => {}
                    }
                    let writer = rows::writer(&*view, id, found.lease.writer);
                    writer.ok().flatten().as_ref().map(rows::shown)
                }
                Err(_) => None,
            };
            // A damaged row of the session is what `verify` reports.
            if let Ok(name) = show::session_name(&*view, id, session) {
                left.push((name, program));
            }
        }
        left.sort();
        Ok(left)
    }

    /// Finds the newest snapshot whose state is intact, and puts it back if it is not the newest.
    pub(crate) fn newest_intact(&self, recovered: &mut Recovered) -> Result<()> {
        let session = &recovered.session;
        let mut rows = Vec::new();
        {
            let view = self.view()?;
            let row = show::known_session(&*view, &self.store().info().id, session)?;
            let scan = Scan {
                session: Some(row.id),
                from: None,
                newest_first: true,
            };
            view.snapshots(&scan, &mut |row| {
                if row.is_history() {
                    rows.push(row.seq);
                }
                Flow::Continue(())
            })?;
        }
        for seq in rows {
            let id = SnapshotId::new(seq, &self.store().info().id);
            match self.restore(&id.to_string()) {
                Ok(restored) => {
                    let intact = restored.snapshot().clone();
                    recovered.snapshot = Some(if recovered.passed_over.is_empty() {
                        intact
                    } else {
                        let report = self.put_back(&id.to_string()).even_if_equal().apply()?;
                        report.head.unwrap_or(intact)
                    });
                    return Ok(());
                }
                Err(error) if error.kind() == ErrorKind::Damaged => {
                    recovered.passed_over.push(PassedOver {
                        snapshot: id,
                        why: error.to_string(),
                    });
                }
                Err(error) => return Err(error),
            }
        }
        if recovered.passed_over.is_empty() {
            return Ok(());
        }
        Err(Error::damaged(format!(
            "none of the {} states of {session} is intact; restore it from a backup or an export",
            recovered.passed_over.len()
        )))
    }
}
