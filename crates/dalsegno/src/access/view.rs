//! A view of the store that shows those sessions only that may be read.

use std::cell::RefCell;
use std::collections::HashMap;

use super::rights::Rights;
use crate::engine::Engine;
use crate::error::Result;
use crate::event;
use crate::model::Action;
use crate::store::{
    Flow, NoteRow, NoteScan, OperationRow, PolicyRow, RecordRow, Scan, SessionRow, SnapshotRow,
    TrashRow, View,
};

pub(super) struct Guarded<'a> {
    engine: &'a Engine,
    inner: Box<dyn View + 'a>,
    rights: Rights,
    /// Which sessions may be read, by number, as far as that was asked.
    known: RefCell<HashMap<i64, bool>>,
}

impl<'a> Guarded<'a> {
    pub(super) fn new(engine: &'a Engine, inner: Box<dyn View + 'a>, rights: Rights) -> Self {
        Self {
            engine,
            inner,
            rights,
            known: RefCell::default(),
        }
    }

    /// What is of a session that is not there is shown to those only who may see everything.
    fn shows(&self, session: i64) -> Result<bool> {
        if session == 0 {
            return Ok(true);
        }
        if let Some(known) = self.known.borrow().get(&session) {
            return Ok(*known);
        }
        let shows = match self.inner.session_by_id(session)? {
            Some(row) => self.rights.may_read(&row.name),
            None => self.rights.allows(Action::Read, None),
        };
        self.known.borrow_mut().insert(session, shows);
        Ok(shows)
    }

    /// Passes on what is of a session that may be read.
    fn pass<T>(&self, session: i64, row: T, visit: &mut dyn FnMut(T) -> Flow) -> Flow {
        match self.shows(session) {
            Ok(true) => visit(row),
            Ok(false) => Flow::Continue(()),
            Err(error) => Flow::Break(Err(error)),
        }
    }

    fn only<T>(&self, row: Option<T>, session: impl Fn(&T) -> i64) -> Result<Option<T>> {
        match row {
            Some(row) if self.shows(session(&row))? => Ok(Some(row)),
            _ => Ok(None),
        }
    }
}

impl View for Guarded<'_> {
    /// Whoever asks for one by name is told that it may not be read.
    fn session(&self, name: &str) -> Result<Option<SessionRow>> {
        let found = self.inner.session(name)?;
        match self.rights.check(Action::Read, Some(name)) {
            Err(error) if found.is_some() => {
                Err(self.engine.denied(Action::Read, Some(name), error))
            }
            _ => Ok(found),
        }
    }

    fn session_by_id(&self, id: i64) -> Result<Option<SessionRow>> {
        self.only(self.inner.session_by_id(id)?, |row| row.id)
    }

    fn sessions(&self, visit: &mut dyn FnMut(SessionRow) -> Flow) -> Result<()> {
        self.inner.sessions(&mut |row| {
            if self.rights.may_read(&row.name) {
                visit(row)
            } else {
                Flow::Continue(())
            }
        })
    }

    fn last_session(&self) -> Result<i64> {
        self.inner.last_session()
    }

    fn snapshot(&self, seq: i64) -> Result<Option<SnapshotRow>> {
        self.only(self.inner.snapshot(seq)?, |row| row.session)
    }

    fn named(&self, name: &str) -> Result<Vec<i64>> {
        let mut found = Vec::new();
        for seq in self.inner.named(name)? {
            // One whose row is lost is for whoever reads it to name.
            match self.inner.snapshot(seq)? {
                Some(row) if !self.shows(row.session)? => {}
                _ => found.push(seq),
            }
        }
        Ok(found)
    }

    fn snapshots(&self, scan: &Scan, visit: &mut dyn FnMut(SnapshotRow) -> Flow) -> Result<()> {
        self.inner
            .snapshots(scan, &mut |row| self.pass(row.session, row, visit))
    }

    fn record(&self, session: i64, seq: i64) -> Result<Option<RecordRow>> {
        self.only(self.inner.record(session, seq)?, |row| row.session)
    }

    fn newest_block(&self, session: i64) -> Result<Option<RecordRow>> {
        self.only(self.inner.newest_block(session)?, |row| row.session)
    }

    fn records(&self, visit: &mut dyn FnMut(RecordRow) -> Flow) -> Result<()> {
        self.inner
            .records(&mut |row| self.pass(row.session, row, visit))
    }

    fn trashed(&self, seq: i64) -> Result<Option<TrashRow>> {
        self.only(self.inner.trashed(seq)?, |row| row.snapshot.session)
    }

    fn trash(&self, visit: &mut dyn FnMut(TrashRow) -> Flow) -> Result<()> {
        self.inner
            .trash(&mut |row| self.pass(row.snapshot.session, row, visit))
    }

    fn operations(
        &self,
        session: Option<i64>,
        visit: &mut dyn FnMut(OperationRow) -> Flow,
    ) -> Result<()> {
        self.inner
            .operations(session, &mut |row| self.pass(row.session, row, visit))
    }

    fn policies(&self) -> Result<Vec<PolicyRow>> {
        self.inner.policies()
    }

    fn notes(&self, scan: &NoteScan, visit: &mut dyn FnMut(NoteRow) -> Flow) -> Result<()> {
        let store = &self.engine.store().info().id;
        self.inner.notes(scan, &mut |row| {
            // Events are the store's, and name sessions.
            let of = event::notes::session(&row, store);
            if of.is_some_and(|session| !self.rights.may_read(&session)) {
                return Flow::Continue(());
            }
            self.pass(row.session, row, visit)
        })
    }

    fn note_kinds(&self) -> Result<Vec<i64>> {
        self.inner.note_kinds()
    }

    fn last(&self) -> Result<i64> {
        self.inner.last()
    }

    fn check_structure(&self) -> Result<Vec<String>> {
        self.inner.check_structure()
    }
}
