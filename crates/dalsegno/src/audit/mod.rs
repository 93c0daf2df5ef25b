//! The audit log: who did what to which snapshot, when, and what came of it.
//!
//! It is off until it is turned on. What changes the store is written into it in the same transaction, so that neither
//! is there without the other; reading is not written, but where it was denied.

mod check;
mod entry;
mod names;
#[cfg(test)]
mod tests;

use jiff::Timestamp;

use crate::attempt::until_done;
use crate::codec::entry::Snapshots;
use crate::damage::{Damage, only_damage, report};
use crate::engine::Engine;
use crate::error::{Error, Result};
use crate::model::{Action, AuditHead, SnapshotId};
use crate::name_key::NameKey;
use crate::store::ledger::{self, Ledger};
use crate::store::{Exchange, Flow, NoteRow, NoteScan, Said, SqliteStore, View};

pub use self::check::{AuditBreak, AuditCheck};
pub use self::entry::AuditEntry;
use self::names::Names;
pub use crate::codec::entry::Outcome as AuditOutcome;

/// Which rows of the audit log are wanted; by default all.
#[derive(Debug, Clone, Default)]
pub struct AuditQuery {
    /// Of this session; also one that is gone.
    pub session: Option<String>,
    /// Done by this principal or program, or for it.
    pub who: Option<String>,
    /// Any of these; none for all.
    pub actions: Vec<Action>,
    /// With this outcome.
    pub outcome: Option<AuditOutcome>,
    /// At this time or later (UTC).
    pub since: Option<Timestamp>,
    /// Before this time (UTC).
    pub until: Option<Timestamp>,
    /// At most so many, the newest; all where none is given.
    pub limit: Option<usize>,
}

/// Rows of the audit log.
#[derive(Debug, Clone, Default, serde::Serialize)]
#[non_exhaustive]
pub struct AuditPage {
    /// The newest first.
    pub entries: Vec<AuditEntry>,
    /// What cannot be read.
    pub damage: Vec<Damage>,
}

impl Engine {
    /// Begins the audit log, or goes on with it. From then on every deed that changes the store stands in it.
    ///
    /// ```
    /// # fn main() -> dalsegno::Result<()> {
    /// # let folder = tempfile::tempdir().unwrap();
    /// let engine = dalsegno::Engine::create(folder.path().join("store.db"))?;
    /// engine.audit_on()?;
    /// engine.save_json("bot/42", "{}").commit()?;
    ///
    /// let page = engine.audit_log(&dalsegno::AuditQuery::default())?;
    /// assert_eq!(page.entries[0].sessions, ["bot/42"]);
    /// assert!(engine.audit_check(None)?.is_whole());
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// `Conflict` where it is on already; `Denied` where the store is read-only.
    pub fn audit_on(&self) -> Result<()> {
        self.turn_audit(Action::AuditOn, "the audit log is on already")
    }

    /// Ends the audit log. What stands in it stays, and that it was ended stands in it.
    ///
    /// # Errors
    /// `Conflict` where it is off already; `Denied` where the store is read-only.
    pub fn audit_off(&self) -> Result<()> {
        self.turn_audit(Action::AuditOff, "the audit log is off already")
    }

    /// Says in the audit log, where there is one, that this program denied something to somebody for whom it acts.
    ///
    /// # Errors
    /// As the store answers.
    pub fn audit_denied(&self, action: Action, session: Option<&str>, who: &str) -> Result<()> {
        let mut said = self.said(action);
        said.by.behalf = Some(who.to_owned());
        let said = Said::denied(said.by, said.at, session);
        self.store()
            .exchange(&Exchange::default().say(said))
            .map(drop)
    }

    /// Says in the audit log, where there is one, that this program did something for somebody for whom it acts, where
    /// the store does not see it: to what it has in memory, with what `of` holds, where that is of this store.
    ///
    /// # Errors
    /// As the store answers.
    pub fn audit_done(
        &self,
        action: Action,
        session: &str,
        who: &str,
        of: Option<SnapshotId>,
    ) -> Result<()> {
        let mut said = self.said(action);
        said.by.behalf = Some(who.to_owned());
        said.asked = Some(session.to_owned());
        said.snapshots = Snapshots::These(of.iter().map(|id| id.seq()).collect());
        self.store()
            .exchange(&Exchange::default().say(said))
            .map(drop)
    }

    fn turn_audit(&self, action: Action, already: &str) -> Result<()> {
        self.allow(action, None)?;
        self.flush()?;
        if self.is_audited()? == (action == Action::AuditOn) {
            return Err(Error::conflict(already));
        }
        until_done("the audit log", || {
            let mut exchange = Exchange::default().say(self.said(action));
            let (view, id) = (self.view()?, &self.store().info().id);
            NameKey::ensure(&*view, id, &mut exchange.take, &mut exchange.put)?;
            drop(view);
            Ok(self.store().exchange(&exchange)?.then_some(()))
        })
    }

    /// Whether the audit log is on.
    ///
    /// # Errors
    /// As the store answers.
    pub fn is_audited(&self) -> Result<bool> {
        let last = last(&*self.view()?)?;
        let id = &self.store().info().id;
        Ok(last.is_some() && Ledger::new(last.as_ref(), None, self.root(), id)?.is_on())
    }

    /// What stands in the audit log, the newest first.
    ///
    /// # Errors
    /// As the store answers; what of the log cannot be read is told beside the rest.
    pub fn audit_log(&self, query: &AuditQuery) -> Result<AuditPage> {
        self.allow(Action::AuditRead, None)?;
        let view = self.view()?;
        let id = &self.store().info().id;
        let mut names = Names::read(&*view, id)?;
        let wanted = match &query.session {
            Some(session) => match names.of(session) {
                None => return Ok(AuditPage::default()),
                wanted => wanted,
            },
            None => None,
        };
        let mut page = AuditPage::default();
        let limit = query.limit.unwrap_or(usize::MAX);
        each(&*view, true, &mut |row| {
            if page.entries.len() >= limit {
                return Ok(false);
            }
            match ledger::read(&row, id) {
                Ok((_, entry)) => {
                    let seen = names.step(&entry);
                    if entry::is_wanted(&entry, query)
                        && wanted.is_none_or(|wanted| seen.has(&wanted))
                    {
                        page.entries
                            .push(entry::shown(row.id, entry, seen, &names, id)?);
                    }
                }
                Err(error) => {
                    let error = only_damage(error)?;
                    report(&mut page.damage, None, Vec::new(), error.to_string());
                }
            }
            Ok(true)
        })?;
        Ok(page)
    }

    /// The end of the audit log, to be kept where nobody who can write the store can change it: see
    /// [`audit_check`](Engine::audit_check).
    ///
    /// # Errors
    /// `NotFound` where there is no log; `Damaged` where its last row cannot be read.
    pub fn audit_head(&self) -> Result<AuditHead> {
        self.allow(Action::AuditRead, None)?;
        let last = last(&*self.view()?)?;
        let last = last.ok_or_else(no_log)?;
        let (link, _) = ledger::parts(&last, &self.store().info().id)?;
        Ok(AuditHead {
            number: last.id,
            link,
        })
    }

    pub(crate) fn root(&self) -> Option<&crate::key::Key> {
        self.sqlite().and_then(SqliteStore::root)
    }
}

/// What the log says of a rule that was changed.
pub(crate) fn set_or_removed<T>(new: &Option<T>) -> &'static str {
    if new.is_some() { "set" } else { "removed" }
}

fn no_log() -> Error {
    Error::not_found("the store has no audit log; `audit on` begins one")
}

fn last(view: &dyn View) -> Result<Option<NoteRow>> {
    let mut last = None;
    each(view, true, &mut |row| {
        last = Some(row);
        Ok(false)
    })?;
    Ok(last)
}

/// Visits the rows of the log, until it is told not to go on.
fn each(
    view: &dyn View,
    backwards: bool,
    visit: &mut dyn FnMut(NoteRow) -> Result<bool>,
) -> Result<()> {
    let scan = NoteScan {
        kind: Ledger::KIND,
        session: Some(0),
        backwards,
        ..NoteScan::default()
    };
    view.notes(&scan, &mut |row| match visit(row) {
        Ok(true) => Flow::Continue(()),
        Ok(false) => Flow::Break(Ok(())),
        Err(error) => Flow::Break(Err(error)),
    })
}
