//! Reading: one transaction, one state.

use rusqlite::{Connection, OptionalExtension, Params};

use super::error::translate;
use super::rows::{self, Stored};
use super::sealed::{self, Gate};
use super::{SqliteStore, View, schema};
use crate::error::Result;
use crate::key::Part;
use crate::store::seal::{SealedSession, Sealing};
use crate::store::{
    Flow, NoteRow, NoteScan, OperationRow, PolicyRow, RecordRow, Row, Scan, SessionRow,
    SnapshotRow, TrashRow,
};

/// Each snapshot leads to the one before it, and none to the one after: whoever wants the oldest first
/// has to come from the newest. Where that is farther than this, looking at the rows of all sessions
/// in order is cheaper for most, and does not cost a walk over everything for every page.
const LONG_WAY: usize = 1024;

pub(super) struct SqliteView<'a> {
    store: &'a SqliteStore,
    /// Taken out when the view ends and the connection goes back.
    connection: Option<Connection>,
    gate: Gate<'a>,
}

impl<'a> SqliteView<'a> {
    pub(super) fn begin(store: &'a SqliteStore, connection: Connection) -> Result<Self> {
        let begun = connection
            .prepare_cached("BEGIN")
            .and_then(|mut begin| begin.execute(()));
        begun.map_err(|e| translate("reading the store", e))?;
        let view = Self {
            store,
            connection: Some(connection),
            gate: store.own.gate(),
        };
        if store.own.info.format >= 4 {
            sealed::check_unchanged(view.connection()?, store.own.sealing)?;
        }
        Ok(view)
    }

    /// One row, opened.
    fn row<R: Sealing + Stored>(&self, rest: &str, params: impl Params) -> Result<Option<R>> {
        let sql = format!("SELECT {} FROM {} {rest}", R::COLUMNS, R::TABLE);
        let found = self.one(&sql, params, R::read)?;
        found
            .map(|row| self.gate.open(self.connection()?, row))
            .transpose()
    }

    /// Each row, opened.
    fn rows<R: Sealing + Stored>(
        &self,
        rest: &str,
        params: impl Params,
        visit: &mut dyn FnMut(R) -> Flow,
    ) -> Result<()> {
        let sql = format!("SELECT {} FROM {} {rest}", R::COLUMNS, R::TABLE);
        self.each(&sql, params, R::read, &mut |row| match self
            .connection()
            .and_then(|it| self.gate.open(it, row))
        {
            Ok(row) => visit(row),
            Err(error) => Flow::Break(Err(error)),
        })
    }

    fn one<T>(
        &self,
        sql: &str,
        params: impl Params,
        row: fn(&rusqlite::Row<'_>) -> rusqlite::Result<T>,
    ) -> Result<Option<T>> {
        let found = self
            .connection()?
            .prepare_cached(sql)
            .and_then(|mut statement| statement.query_row(params, row).optional());
        found.map_err(|e| translate("reading the store", e))
    }

    fn each<T>(
        &self,
        sql: &str,
        params: impl Params,
        row: fn(&rusqlite::Row<'_>) -> rusqlite::Result<T>,
        visit: &mut dyn FnMut(T) -> Flow,
    ) -> Result<()> {
        let failed = |e| translate("reading the store", e);
        let mut statement = self.connection()?.prepare_cached(sql).map_err(failed)?;
        let mut found = statement.query(params).map_err(failed)?;
        while let Some(columns) = found.next().map_err(failed)? {
            if let Flow::Break(end) = visit(row(columns).map_err(failed)?) {
                return end;
            }
        }
        Ok(())
    }

    /// The snapshots of a session below `from`, from each to its parent.
    fn walk(
        &self,
        session: i64,
        from: Option<i64>,
        visit: &mut dyn FnMut(SnapshotRow) -> Flow,
    ) -> Result<()> {
        let id = &self.store.own.info.id;
        let intact = |row: &SnapshotRow| row.session == session && row.is_intact(id);
        let below = match from {
            Some(from) => self.snapshot(from)?.filter(intact),
            None => None,
        };
        let head = self.session_by_id(session)?.filter(|row| row.is_intact(id));
        let mut next = match (&below, &head) {
            (Some(row), _) => row.parent,
            (None, Some(session)) => Some(session.head).filter(|head| *head != 0),
            (None, None) => return self.sweep(session, from.unwrap_or(i64::MAX), visit),
        };
        while let Some(seq) = next {
            let Some(row) = self.snapshot(seq)?.filter(intact) else {
                // The way on is lost; looking at every row is slow but finds them all.
                return self.sweep(
                    session,
                    from.map_or(seq.saturating_add(1), |from| {
                        from.min(seq.saturating_add(1))
                    }),
                    visit,
                );
            };
            next = row.parent.filter(|parent| *parent < seq);
            if from.is_none_or(|from| seq < from)
                && let Flow::Break(end) = visit(row)
            {
                return end;
            }
        }
        Ok(())
    }

    /// The snapshots of a session below `from`, by a look at every row.
    fn sweep(
        &self,
        session: i64,
        from: i64,
        visit: &mut dyn FnMut(SnapshotRow) -> Flow,
    ) -> Result<()> {
        let rest = "WHERE session = ? AND seq < ? ORDER BY seq DESC";
        self.rows(rest, (session, from), visit)
    }

    /// A file of an older format that cannot be written is read as it is.
    fn has_notes(&self) -> bool {
        self.store.own.info.format >= 3
    }

    /// As [`has_notes`](Self::has_notes).
    fn is_of_format_1(&self) -> bool {
        self.store.own.info.format == 1
    }

    fn session_columns(&self) -> &'static str {
        match self.store.own.info.format {
            1 => rows::SESSION_1,
            2 | 3 => rows::SESSION_3,
            _ => rows::SESSION,
        }
    }

    /// The snapshots of a session above `from`, oldest first, by a look at every row.
    fn sweep_up(
        &self,
        session: i64,
        from: i64,
        visit: &mut dyn FnMut(SnapshotRow) -> Flow,
    ) -> Result<()> {
        let rest = "WHERE session = ? AND seq > ? ORDER BY seq";
        self.rows(rest, (session, from), visit)
    }

    fn connection(&self) -> Result<&Connection> {
        self.connection
            .as_ref()
            .ok_or_else(|| crate::Error::storage("the view has ended"))
    }
}

impl Drop for SqliteView<'_> {
    fn drop(&mut self) {
        let Some(connection) = self.connection.take() else {
            return;
        };
        let ended = connection
            .prepare_cached("COMMIT")
            .and_then(|mut end| end.execute(()));
        // A connection that cannot end its transaction is closed, which ends it.
        if ended.is_ok() {
            self.store.give_back(connection);
        }
    }
}

impl View for SqliteView<'_> {
    fn session(&self, name: &str) -> Result<Option<SessionRow>> {
        let sql = format!(
            "SELECT {} FROM session WHERE name = ?",
            self.session_columns()
        );
        let name = self.gate.name(Part::SessionName, name)?;
        let found = self.one(&sql, [name], SealedSession::read)?;
        Ok(found.map(|row| self.gate.open_session(row)))
    }

    fn session_by_id(&self, id: i64) -> Result<Option<SessionRow>> {
        let sql = format!(
            "SELECT {} FROM session WHERE id = ?",
            self.session_columns()
        );
        let found = self.one(&sql, [id], SealedSession::read)?;
        Ok(found.map(|row| self.gate.open_session(row)))
    }

    fn session_key(&self, id: i64) -> Result<Option<Vec<u8>>> {
        if !self.gate.seals() {
            return Ok(None);
        }
        let key = self.one("SELECT key FROM session WHERE id = ?", [id], |row| {
            row.get(0)
        })?;
        let opens = self.gate.has_key(self.connection()?, id)?;
        Ok(key.filter(|_| opens))
    }

    fn opens(&self, session: i64, key: &[u8]) -> Result<bool> {
        let Some(key) = self.gate.unwrapped(session, key) else {
            return Ok(false);
        };
        let columns = RecordRow::COLUMNS;
        let sql = format!("SELECT {columns} FROM record WHERE session = ?");
        let mut opens = false;
        self.each(&sql, [session], RecordRow::read, &mut |row| {
            opens = self.gate.opens(row, &key, &self.store.own.info.id);
            if opens {
                Flow::Break(Ok(()))
            } else {
                Flow::Continue(())
            }
        })?;
        Ok(opens)
    }

    fn sessions(&self, visit: &mut dyn FnMut(SessionRow) -> Flow) -> Result<()> {
        let sql = format!("SELECT {} FROM session ORDER BY id", self.session_columns());
        self.each(&sql, (), SealedSession::read, &mut |row| {
            visit(self.gate.open_session(row))
        })
    }

    fn last_session(&self) -> Result<i64> {
        let last = self.one("SELECT max(id) FROM session", (), |row| row.get(0))?;
        Ok(last.flatten().unwrap_or(0))
    }

    fn snapshot(&self, seq: i64) -> Result<Option<SnapshotRow>> {
        self.row("WHERE seq = ?", [seq])
    }

    fn named(&self, name: &str) -> Result<Vec<i64>> {
        let mut found = Vec::new();
        let sql = "SELECT seq FROM snapshot WHERE name = ? ORDER BY seq";
        let name = self.gate.name(Part::SnapshotName, name)?;
        self.each(sql, [name], |row| row.get(0), &mut |seq| {
            found.push(seq);
            Flow::Continue(())
        })?;
        Ok(found)
    }

    fn snapshots(&self, scan: &Scan, visit: &mut dyn FnMut(SnapshotRow) -> Flow) -> Result<()> {
        match (scan.session, scan.newest_first) {
            (Some(session), true) => self.walk(session, scan.from, visit),
            (Some(session), false) => {
                let mut seqs = Vec::new();
                let mut all = true;
                self.walk(session, None, &mut |row| {
                    if scan.from.is_some_and(|from| row.seq <= from) {
                        return Flow::Break(Ok(()));
                    }
                    all = seqs.len() < LONG_WAY;
                    if !all {
                        return Flow::Break(Ok(()));
                    }
                    seqs.push(row.seq);
                    Flow::Continue(())
                })?;
                if !all {
                    let from = scan.from.unwrap_or(i64::MIN);
                    return self.sweep_up(session, from, visit);
                }
                for row in seqs.into_iter().rev().map(|seq| self.snapshot(seq)) {
                    if let Some(Flow::Break(end)) = row?.map(&mut *visit) {
                        return end;
                    }
                }
                Ok(())
            }
            (None, newest_first) => {
                let (beyond, order, all) = if newest_first {
                    ("<", "DESC", i64::MAX)
                } else {
                    (">", "ASC", i64::MIN)
                };
                let rest = format!("WHERE seq {beyond} ? ORDER BY seq {order}");
                self.rows(&rest, [scan.from.unwrap_or(all)], visit)
            }
        }
    }

    fn record(&self, session: i64, seq: i64) -> Result<Option<RecordRow>> {
        if let Some(row) = self.row("WHERE seq = ? AND session = ?", (seq, session))? {
            return Ok(Some(row));
        }
        let block = "INDEXED BY record_block
             WHERE session = ? AND seq > ? AND count > 1 ORDER BY seq LIMIT 1";
        self.row(block, (session, seq))
    }

    fn newest_block(&self, session: i64) -> Result<Option<RecordRow>> {
        let newest = "INDEXED BY record_block
             WHERE session = ? AND count > 1 ORDER BY seq DESC LIMIT 1";
        self.row(newest, [session])
    }

    fn records(&self, visit: &mut dyn FnMut(RecordRow) -> Flow) -> Result<()> {
        self.rows("ORDER BY seq", (), visit)
    }

    fn trashed(&self, seq: i64) -> Result<Option<TrashRow>> {
        if self.is_of_format_1() {
            return Ok(None);
        }
        self.row("WHERE seq = ?", [seq])
    }

    fn trash(&self, visit: &mut dyn FnMut(TrashRow) -> Flow) -> Result<()> {
        if self.is_of_format_1() {
            return Ok(());
        }
        self.rows("ORDER BY seq", (), visit)
    }

    fn operations(
        &self,
        session: Option<i64>,
        visit: &mut dyn FnMut(OperationRow) -> Flow,
    ) -> Result<()> {
        if self.is_of_format_1() {
            return Ok(());
        }
        match session {
            Some(session) => self.rows("WHERE session = ? ORDER BY seq DESC", [session], visit),
            None => self.rows("ORDER BY seq DESC", (), visit),
        }
    }

    fn policies(&self) -> Result<Vec<PolicyRow>> {
        let mut found = Vec::new();
        if !self.is_of_format_1() {
            self.rows("ORDER BY id", (), &mut |row| {
                found.push(row);
                Flow::Continue(())
            })?;
        }
        Ok(found)
    }

    fn notes(&self, scan: &NoteScan, visit: &mut dyn FnMut(NoteRow) -> Flow) -> Result<()> {
        if !self.has_notes() {
            return Ok(());
        }
        let above = scan.above.unwrap_or(i64::MIN);
        let order = if scan.backwards { "DESC" } else { "ASC" };
        // The smallest id is given to no note.
        match scan.session {
            Some(session) => {
                let rest = format!("WHERE kind = ? AND session = ? AND id > ? ORDER BY id {order}");
                self.rows(&rest, (scan.kind, session, above), visit)
            }
            None => {
                let rest =
                    format!("WHERE kind = ? AND id > ? ORDER BY session {order}, id {order}");
                self.rows(&rest, (scan.kind, above), visit)
            }
        }
    }

    fn note_kinds(&self) -> Result<Vec<i64>> {
        let mut kinds = Vec::new();
        if self.has_notes() {
            let sql = "SELECT DISTINCT kind FROM note ORDER BY kind";
            self.each(sql, (), |row| row.get(0), &mut |kind| {
                kinds.push(kind);
                Flow::Continue(())
            })?;
        }
        Ok(kinds)
    }

    fn last(&self) -> Result<i64> {
        if self.is_of_format_1() {
            return Err(crate::Error::storage("a store of format 1 is only read"));
        }
        schema::last(self.connection()?).map_err(|e| translate("reading the store", e))
    }

    fn check_structure(&self) -> Result<Vec<String>> {
        let mut complaints = Vec::new();
        let text = |row: &rusqlite::Row<'_>| row.get::<_, String>(0);
        self.each("PRAGMA integrity_check", (), text, &mut |line| {
            if line != "ok" {
                complaints.push(line);
            }
            Flow::Continue(())
        })?;
        if self.is_of_format_1() {
            return Ok(complaints);
        }
        let old = |name: &str| name == "note" && !self.has_notes();
        for (name, expected) in schema::TABLES.into_iter().filter(|(name, _)| !old(name)) {
            let found = self.one("SELECT sql FROM sqlite_schema WHERE name = ?", [name], text)?;
            if found.as_deref() != Some(expected) {
                complaints.push(format!(
                    "the definition of {name} is not that of format {}",
                    self.store.own.info.format
                ));
            }
        }
        let known: Vec<&str> = schema::TABLES.iter().map(|(name, _)| *name).collect();
        let named = "SELECT name FROM sqlite_schema WHERE name NOT LIKE 'sqlite\\_%' ESCAPE '\\'";
        self.each(named, (), text, &mut |name| {
            if !known.contains(&name.as_str()) {
                complaints.push(format!(
                    "{name} does not belong to a store of format {}",
                    self.store.own.info.format
                ));
            }
            Flow::Continue(())
        })?;
        Ok(complaints)
    }
}
