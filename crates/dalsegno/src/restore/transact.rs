//! Applying a restore as one transaction: keep what is there, write, read back; on any difference,
//! put back what was kept.

use super::destination::Destination;
use super::plan::Plan;
use super::put::{Report, Restore, Source};
use crate::attempt::until_done;
use crate::codec::checksum;
use crate::codec::deed::{Before, Detail};
use crate::codec::detail::{self, Origin};
use crate::codec::entry::Outcome;
use crate::deed::{self, Deed, Seen};
use crate::error::{Error, ErrorKind, Result};
use crate::event::{Happened, Went};
use crate::job::{Expect, another_turn};
use crate::lease;
use crate::model::{Action, Kind, SnapshotId, Status, Verb};
use crate::show;
use crate::store::{Exchange, Head, OperationRow, Row, Rows, Said, View, sequence};

impl Restore<'_> {
    /// One commit has the snapshot, the session's new head and the log's entry.
    pub(super) fn apply_to_head(&self, mut report: Report) -> Result<Report> {
        let plan = &report.plan;
        let session = &plan.session;
        let before = self.latest(session)?;
        let mut detail = self.detail(&report, before)?;
        detail.before = before.map_or(Before::Nothing, Before::Snapshot);
        if !plan.changes {
            self.record(session, Status::Done, &detail)?;
            return Ok(report);
        }
        let from = plan.snapshot.as_ref().map(|snapshot| snapshot.id.seq());
        let (from, after) = from.zip(plan.after.clone()).ok_or_else(|| {
            Error::invalid("only the state of a snapshot can become a session's newest")
        })?;
        let merged = match &self.source {
            Source::Merged { onto, .. } => Some(*onto),
            _ => None,
        };
        let save = if self.components.is_empty() && merged.is_none() && !plan.migrated {
            self.engine.save_again(session, from)
        } else {
            let save = self.engine.save_json(session, after.clone());
            let save = save.known_version(plan.version.clone());
            // A state that is joined is a new one: what it is joined from, the plan says.
            let of = plan.snapshot.as_ref().filter(|_| !self.joins());
            save.of_repaired(of.and_then(|it| it.repaired.as_ref()))?
        };
        let expect = match &self.seen {
            Some(seen) => Expect::As(self.overtake(seen)?),
            None => (merged.or(plan.head)).map_or(Expect::Anything, Expect::Newest),
        };
        let save = match &self.asked {
            Some(asked) => asked.mark(save),
            None => save,
        };
        let save = match &self.behalf {
            Some(who) => save.behalf(who),
            None => save,
        };
        let saved = save
            .origin(self.origin(from))
            .expect(expect)
            .operation(Deed::as_new(self.verb, Status::Done, &detail)?)
            .commit()?;
        let done = format!("it is done, as snapshot {}", saved.id);
        let stored = self.engine.restore(&saved.id.to_string());
        let stored = stored.map_err(|e| e.context(format!("{done}, but cannot be read back")))?;
        if stored.text() == after {
            if report.plan.before.is_none() {
                report.no_undo = Some("the state that stood there is damaged".to_owned());
            }
            report.head = Some(saved);
            Ok(report)
        } else {
            Err(Error::storage(format!(
                "{done}, but reads back otherwise; run `verify`"
            )))
        }
    }

    /// What to tell of something that was written outside of the store.
    fn went(&self, detail: &Detail) -> Happened {
        let id = &self.engine.store().info().id;
        let went = Went {
            snapshot: None,
            from: detail.from.map(|seq| SnapshotId::new(seq, id)),
            target: super::Target::of_wire(&detail.target).to_string(),
        };
        match self.verb {
            Verb::Restore => Happened::Restored(went),
            Verb::Rollback => Happened::RolledBack(went),
            Verb::Undo => Happened::Undone(went),
            Verb::Redo => Happened::Redone(went),
        }
    }

    /// The log says that it began before the target is touched: whatever happens, somebody can know.
    pub(super) fn apply_there(
        &self,
        destination: &mut dyn Destination,
        mut report: Report,
    ) -> Result<Report> {
        let session = report.plan.session.clone();
        let mut detail = self.detail(&report, self.latest(&session)?)?;
        detail.before = match &self.cut_off {
            // All of it was done but for the log's last word.
            Some(before) if !report.plan.changes => before.clone(),
            _ => self.keep(destination, &mut report)?,
        };
        if !report.plan.changes {
            self.record(&session, Status::Done, &detail)?;
            return Ok(report);
        }
        let row = if self.engine.is_read_only() {
            // Nothing stood there, or it could not have been kept.
            None
        } else {
            Some(self.record(&session, Status::Begun, &detail)?)
        };
        let done = self.write(destination, &report);
        let (status, outcome) = match done {
            Ok(()) => (Status::Done, Ok(report)),
            Err(Failed::Untouched(error)) => (Status::RolledBack, Err(error)),
            Err(Failed::PutBack(error)) => (
                Status::RolledBack,
                Err(error.context("the target is as it was")),
            ),
            Err(Failed::Left(error)) => (Status::Begun, Err(error)),
        };
        detail.failure = outcome.as_ref().err().map(ToString::to_string);
        if status == Status::Done {
            self.engine.tell(Some(&session), self.went(&detail));
        }
        let Some(row) = row else { return outcome };
        let told = self.amend(&row, status, &detail);
        match (outcome, told, self.verb) {
            (Ok(report), Ok(false), _) => self.overtaken(report, &row),
            (Ok(report), Err(error), Verb::Undo | Verb::Redo) => Err(error.context(format!(
                "{} is written, but the log could not be told; {} again ends it",
                report.plan.target, self.verb
            ))),
            // What was done is done: a restore that the log knows as begun is undone like any other.
            (outcome, ..) => outcome,
        }
    }

    /// The session's newest state, if there is one that can be named: without it, what is done now could
    /// not be undone.
    fn latest(&self, session: &str) -> Result<Option<i64>> {
        match self.engine.info(&format!("{session}@latest")) {
            Ok(latest) => Ok(Some(latest.id.seq())),
            Err(e) if matches!(e.kind(), ErrorKind::NotFound | ErrorKind::Damaged) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Keeps what stands at the target.
    fn keep(&self, destination: &mut dyn Destination, report: &mut Report) -> Result<Before> {
        let plan = &report.plan;
        let Some(before) = plan.before.clone() else {
            return Ok(Before::Nothing);
        };
        let save = self.engine.save_json(&plan.session, before.clone());
        let save = match self.version_there(plan, &before)? {
            Some(version) => save.known_version(version),
            None => save,
        };
        let what = match (&plan.snapshot, self.verb) {
            (Some(snapshot), Verb::Restore) => {
                format!("{} before {} was restored to it", plan.target, snapshot.id)
            }
            (_, verb) => format!("{} before the {verb}", plan.target),
        };
        match save.kind(Kind::Safety).description(what).commit() {
            Ok(safety) => {
                let seq = safety.id.seq();
                report.safety = Some(safety);
                Ok(Before::Snapshot(seq))
            }
            Err(error) if error.kind() == ErrorKind::InvalidInput => {
                let now = sequence::next(None, self.engine.now().as_microsecond());
                let own = SnapshotId::new(now, &self.engine.store().info().id);
                let id = plan.snapshot.as_ref().map_or(own, |snapshot| snapshot.id);
                let kept = match (destination.keep_aside(&before, id), &self.over_torn) {
                    (Err(error), Some(before)) if error.kind() == ErrorKind::InvalidInput => {
                        return Ok(before.clone());
                    }
                    (kept, _) => kept?,
                };
                let absolute = std::path::absolute(&kept).unwrap_or_else(|_| kept.clone());
                report.kept_beside = Some(kept);
                let path = absolute.to_string_lossy().into_owned();
                let len = before.len() as u64;
                Ok(Before::Kept(path, len, checksum::of(&before)))
            }
            Err(error) => Err(error.context("keeping what stands at the target")),
        }
    }

    /// The schema version of what stands at the target, where that is what the last restore put there. Otherwise it is
    /// what the program left there.
    fn version_there(&self, plan: &Plan, there: &[u8]) -> Result<Option<Option<String>>> {
        if self.engine.migrations().newest(&plan.session).is_none() {
            return Ok(None);
        }
        let store = self.engine.store();
        let id = &store.info().id;
        let view = store.view()?;
        let row = show::known_session(&*view, id, &plan.session)?;
        let target = plan.target.to_wire();
        let deeds = deed::read_all(&deed::rows(&*view, row.id)?, row.id, id);
        // What is damaged is said elsewhere.
        let deeds = deeds.unwrap_or_default();
        let last = deeds.iter().rfind(|deed| deed.detail.target == target);
        let Some(from) = last.and_then(|deed| deed.detail.from) else {
            return Ok(None);
        };
        let put = view.snapshot(from)?;
        let put = put.filter(|put| put.session == row.id && show::check(put, id).is_ok());
        let put = put.and_then(|put| detail::decode(&put.detail).ok());
        let put = put.filter(|put| put.checksum == checksum::of(there));
        Ok(put.map(|put| put.schema_version))
    }

    fn write(&self, destination: &mut dyn Destination, report: &Report) -> Result<(), Failed> {
        let plan = &report.plan;
        let before = plan.before.as_deref();
        let changed = destination.difference(before).map_err(Failed::Untouched)?;
        if changed.is_some() {
            return Err(Failed::Untouched(Error::conflict(format!(
                "{} was changed by another program during the restore; it was left as it is",
                plan.target
            ))));
        }
        let Err(error) = put(destination, plan.after.as_deref()) else {
            return Ok(());
        };
        if matches!(destination.difference(before), Ok(None)) {
            return Err(Failed::PutBack(error));
        }
        match put(destination, before) {
            Ok(()) => Err(Failed::PutBack(error)),
            Err(why) => {
                let kept = match (&report.safety, &report.kept_beside) {
                    (Some(safety), _) => format!("; it is kept as snapshot {}", safety.id),
                    (_, Some(path)) => format!("; it is kept in {}", path.display()),
                    _ => String::new(),
                };
                Err(Failed::Left(error.context(format!(
                    "{} could NOT be put back as it was ({why}){kept}",
                    plan.target
                ))))
            }
        }
    }

    fn detail(&self, report: &Report, head: Option<i64>) -> Result<Detail> {
        let plan = &report.plan;
        let store = self.engine.store();
        let head = match &self.seen {
            Some(Seen {
                head: at,
                known: Some(known),
                ..
            }) => {
                let view = store.view()?;
                deed::meant(&*view, &store.info().id, at.session, head, *known)?
            }
            _ => head,
        };
        Ok(Detail {
            at: self.engine.now().as_microsecond(),
            from: plan.snapshot.as_ref().map(|snapshot| snapshot.id.seq()),
            components: self.components.clone(),
            target: plan.target.to_wire(),
            before: Before::Nothing,
            head,
            failure: None,
        })
    }

    fn origin(&self, from: i64) -> Origin {
        match self.verb {
            Verb::Restore => Origin::Restore(from),
            Verb::Rollback => Origin::Rollback(from),
            Verb::Undo => Origin::Undo(from),
            Verb::Redo => Origin::Redo(from),
        }
    }

    /// Refuses an undo or redo where something else was done since it was prepared: what was its turn
    /// then may be another one's now.
    pub(super) fn refuse_another_turn(&self) -> Result<()> {
        let Some(seen) = &self.seen else {
            return Ok(());
        };
        check_turn(&*self.engine.view()?, seen)
    }

    /// Ends the lease of a program that is gone, which every save would do: here it is known that nothing else was done
    /// to the session by that.
    pub(super) fn let_in(&mut self, session: &str) -> Result<()> {
        let Some(seen) = self
            .seen
            .as_mut()
            .filter(|_| !self.engine.has_open(session))
        else {
            return Ok(());
        };
        let ended = lease::rows::let_in(self.engine.store(), session, self.engine.clock())?;
        if ended == Some(seen.head.era) {
            seen.head.era += 1;
        }
        Ok(())
    }

    /// An entry that cannot be found again is no promise. What is undone is read before.
    pub(super) fn check_log(&self, mut report: Report) -> Report {
        if report.no_undo.is_some() || !report.plan.changes || self.seen.is_some() {
            return report;
        }
        let id = &self.engine.store().info().id;
        let readable = self.engine.view().and_then(|view| {
            let row = show::known_session(&*view, id, &report.plan.session)?;
            deed::all(&*view, id, row.id)
        });
        if let Err(error) = readable {
            report.no_undo = Some(error.to_string());
        }
        report
    }

    /// Goes on without waiting for the operations that are at work, or were cut off; says how the
    /// session is then.
    fn overtake(&self, seen: &Seen) -> Result<Head> {
        let store = self.engine.store();
        let overtaken = seen.overtaken(&store.info().id)?;
        if overtaken.is_empty() {
            return Ok(seen.head);
        }
        let (take, put) = overtaken.into_iter().unzip();
        let mut exchange = exchange(take, put);
        exchange.raise = vec![(seen.head.session, seen.head.era)];
        if !store.exchange(&exchange)? {
            return Err(another_turn(&seen.session));
        }
        Ok(Head {
            era: seen.head.era + 1,
            ..seen.head
        })
    }

    /// Adds an entry to the session's log.
    ///
    /// Each raises the session's era, so that of two that come from one view only one is added; and the
    /// session's newest snapshot must still be there, for its number may be another's by now.
    pub(crate) fn record(
        &self,
        session: &str,
        status: Status,
        detail: &Detail,
    ) -> Result<OperationRow> {
        let store = self.engine.store();
        let id = &store.info().id;
        let overtaken = match &self.seen {
            Some(seen) => seen.overtaken(id)?,
            None => Vec::new(),
        };
        let (take, put): (Vec<_>, Vec<_>) = overtaken.into_iter().unzip();
        let new = Deed::as_new(self.verb, status, detail)?;
        until_done("the log", || {
            let view = store.view()?;
            let known = show::known_session(&*view, id, session)?;
            if let Some(seen) = &self.seen {
                if seen.head.session != known.id {
                    return Err(another_turn(session));
                }
                check_turn(&*view, seen)?;
            }
            let newest = view.snapshot(known.head).ok().flatten();
            let last = Some(view.last()?);
            drop(view);
            let row = OperationRow {
                seq: sequence::next(last, self.engine.now().as_microsecond()),
                session: known.id,
                verb: new.verb,
                status: new.status,
                detail: new.detail.clone(),
                checksum: [0; 16],
            };
            let row = row.summed(id);
            let mut exchange = exchange(
                take.clone(),
                [&put[..], std::slice::from_ref(&row)].concat(),
            )
            .say(self.said(known.id, detail, status));
            exchange.raise = vec![(known.id, known.era)];
            if let Some(asked) = &self.asked {
                // It is done and known to be done in one, or not at all.
                exchange.take.notes.push(asked.taken.clone());
                exchange.put.notes.push(asked.done.clone());
            }
            let mut proved = exchange.clone();
            proved.take.snapshots.extend(newest.clone());
            proved.put.snapshots.extend(newest);
            let done = match store.exchange(&proved) {
                // What it was to prove by is damaged; what is to be put back may be another's repair.
                Err(error) if error.kind() == ErrorKind::Damaged => store.exchange(&exchange)?,
                done => done?,
            };
            if !done {
                return Ok(None);
            }
            self.engine.raised(&known);
            Ok(Some(row))
        })
    }

    /// What it is for the audit log, and for who may do it.
    pub(super) fn action(&self) -> Action {
        match self.verb {
            Verb::Restore => Action::Restore,
            Verb::Rollback => Action::Rollback,
            Verb::Undo => Action::Undo,
            Verb::Redo => Action::Redo,
        }
    }

    /// What the audit log says of it.
    fn said(&self, session: i64, detail: &Detail, status: Status) -> Said {
        let mut said = self.engine.said(self.action()).of(session, detail.from);
        let asked = self.asked.as_ref().map(|asked| asked.by.clone());
        said.by.behalf = self.behalf.clone().or(asked);
        said.outcome = match status {
            Status::Begun => Outcome::Begun,
            Status::Done => Outcome::Done,
            Status::RolledBack => Outcome::RolledBack,
        };
        said
    }

    /// Writes into the log how far it came, and says whether the entry was there as it was written.
    fn amend(&self, row: &OperationRow, status: Status, detail: &Detail) -> Result<bool> {
        let store = self.engine.store();
        let new = Deed::as_new(self.verb, status, detail)?;
        let put = OperationRow {
            status: new.status,
            detail: new.detail,
            ..row.clone()
        };
        let put = put.summed(&store.info().id);
        let said = self.said(row.session, detail, status);
        store.exchange(&exchange(vec![row.clone()], vec![put]).say(said))
    }

    /// What was done, where its entry in the log is not as it was written.
    fn overtaken(&self, mut report: Report, row: &OperationRow) -> Result<Report> {
        let session = &report.plan.session;
        let rows = deed::rows(&*self.engine.view()?, row.session);
        if rows.is_ok_and(|rows| rows.iter().all(|other| other.seq != row.seq)) {
            report.no_undo = Some(format!(
                "session {session} was deleted meanwhile, and its log with it"
            ));
            return Ok(report);
        }
        Err(Error::conflict(format!(
            "{} was written, but another program did not wait for the end of this {}: `log {session}` \
             shows what it did",
            report.plan.target, self.verb
        )))
    }
}

fn check_turn(view: &dyn View, seen: &Seen) -> Result<()> {
    if deed::rows(view, seen.head.session)? == seen.log {
        Ok(())
    } else {
        Err(another_turn(&seen.session))
    }
}

/// How a restore failed.
enum Failed {
    /// Before anything was written.
    Untouched(Error),
    /// What stood there is there again.
    PutBack(Error),
    /// It is not.
    Left(Error),
}

/// Writes and asks whether it holds.
fn put(destination: &mut dyn Destination, state: Option<&[u8]>) -> Result<()> {
    destination.write(state)?;
    match destination.difference(state)? {
        None => Ok(()),
        Some(difference) => Err(Error::storage(format!(
            "{}: {difference}",
            destination.name()
        ))),
    }
}

fn exchange(take: Vec<OperationRow>, put: Vec<OperationRow>) -> Exchange {
    let of = |operations| Rows {
        operations,
        ..Rows::default()
    };
    Exchange::of(of(take), of(put))
}
