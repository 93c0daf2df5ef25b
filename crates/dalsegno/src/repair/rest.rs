//! The rows that are of no session's history: operations, policies, notes, and what nobody can say the session of.

use jiff::Timestamp;

use super::Holes;
use super::report::{RowOutcome, RowRepair};
use super::source::{Source, passed_over};
use super::survey::Survey;
use crate::codec::note;
use crate::error::Result;
use crate::event::{Event, Happened, notes as events};
use crate::model::{SnapshotId, StoreId};
use crate::store::{Exchange, Flow, NoteRow, NoteScan, OperationRow, PolicyRow, Row, View};

/// What is only of use while programs run: when it is damaged, whoever wrote it counts as gone.
const PASSING: [i64; 3] = [note::WRITER, note::REQUEST, note::PARCEL];

/// What counts on, or is the same in every copy of a store: a source's is as good.
const LASTING: [i64; 7] = [
    note::GUARD,
    note::SLOT,
    note::TOMBSTONE,
    note::AUDIT,
    note::PRINCIPAL,
    note::NAMES,
    note::EVENT,
];

/// The rows on their way.
pub(super) struct Rest<'a> {
    view: &'a dyn View,
    store: &'a StoreId,
    sources: &'a [Source<'a>],
    holes: Holes,
    /// What stands in the place of an event that is lost.
    lost_event: Event,
    pub(super) exchange: Exchange,
    pub(super) report: Vec<RowRepair>,
}

impl<'a> Rest<'a> {
    pub(super) fn of(
        view: &'a dyn View,
        store: &'a StoreId,
        sources: &'a [Source<'a>],
        holes: Holes,
        now: Timestamp,
    ) -> Self {
        Self {
            view,
            store,
            sources,
            holes,
            lost_event: Event {
                at: now,
                what: lost_event(),
                session: None,
                actor: None,
            },
            exchange: Exchange::default(),
            report: Vec::new(),
        }
    }

    pub(super) fn plan(&mut self, survey: &Survey) -> Result<()> {
        self.operations(survey)?;
        self.policies()?;
        self.notes()?;
        self.strays(survey);
        Ok(())
    }

    fn say(&mut self, what: impl Into<String>, outcome: RowOutcome) {
        self.report.push(RowRepair {
            what: what.into(),
            outcome,
        });
    }

    fn operations(&mut self, survey: &Survey) -> Result<()> {
        let (view, store) = (self.view, self.store);
        let (mut damaged, mut known) = (Vec::new(), std::collections::BTreeSet::new());
        view.operations(None, &mut |row| {
            known.insert(row.seq);
            if !row.is_intact(store) {
                damaged.push(row);
            }
            Flow::Continue(())
        })?;
        let intact = |source: &Source<'_>| -> Result<Vec<OperationRow>> {
            let mut rows = Vec::new();
            passed_over(source.view.operations(None, &mut |row| {
                if row.is_intact(store) && survey.sessions.contains_key(&row.session) {
                    rows.push(row);
                }
                Flow::Continue(())
            }))?;
            Ok(rows)
        };
        if damaged.is_empty() && !self.holes.rest {
            return Ok(());
        }
        let mut there = Vec::new();
        for source in self.sources {
            there.extend(intact(source)?);
        }
        for row in damaged {
            let what = format!("the log's entry {}", SnapshotId::new(row.seq, store));
            self.exchange.take.operations.push(row.clone());
            match there.iter().find(|other| other.seq == row.seq) {
                Some(other) => {
                    self.exchange.put.operations.push(other.clone());
                    self.say(what, RowOutcome::FromSource);
                }
                None => self.say(what, RowOutcome::Removed),
            }
        }
        if self.holes.rest {
            for row in there {
                if known.insert(row.seq) {
                    self.say(
                        format!("the log's entry {}", SnapshotId::new(row.seq, store)),
                        RowOutcome::FromSource,
                    );
                    self.exchange.put.operations.push(row);
                }
            }
        }
        Ok(())
    }

    fn policies(&mut self) -> Result<()> {
        let here = self.view.policies()?;
        let mut there: Vec<PolicyRow> = Vec::new();
        for source in self.sources {
            for row in passed_over(source.view.policies())?.unwrap_or_default() {
                if row.is_intact(self.store)
                    && !there
                        .iter()
                        .any(|it| it.id == row.id || it.pattern == row.pattern)
                {
                    there.push(row);
                }
            }
        }
        for row in here.iter().filter(|row| !row.is_intact(self.store)) {
            let what = format!("policy {}", row.id);
            let taken = |it: &&PolicyRow| {
                here.iter()
                    .any(|other| other.id != row.id && other.pattern == it.pattern)
            };
            match there
                .iter()
                .find(|it| it.id == row.id)
                .filter(|it| !taken(it))
            {
                Some(source) => {
                    self.exchange.take.policies.push(row.clone());
                    self.exchange.put.policies.push(source.clone());
                    self.say(
                        format!("{what}, for {}", source.pattern),
                        RowOutcome::FromSource,
                    );
                }
                None => self.say(what, RowOutcome::Left),
            }
        }
        if self.holes.rest {
            for row in there {
                if !here
                    .iter()
                    .any(|it| it.id == row.id || it.pattern == row.pattern)
                {
                    self.say(
                        format!("policy {}, for {}", row.id, row.pattern),
                        RowOutcome::FromSource,
                    );
                    self.exchange.put.policies.push(row);
                }
            }
        }
        Ok(())
    }

    fn notes(&mut self) -> Result<()> {
        let mut kinds = self.view.note_kinds()?;
        if self.holes.rest {
            kinds.extend(LASTING);
            kinds.sort_unstable();
            kinds.dedup();
        }
        for kind in kinds {
            self.notes_of(kind)?;
        }
        Ok(())
    }

    /// The notes of a kind.
    pub(super) fn notes_of(&mut self, kind: i64) -> Result<()> {
        let scan = NoteScan {
            kind,
            ..NoteScan::default()
        };
        let (mut damaged, mut known) = (Vec::new(), std::collections::BTreeSet::new());
        self.view.notes(&scan, &mut |row| {
            known.insert(row.key());
            if !row.is_intact(self.store) {
                damaged.push(row);
            }
            Flow::Continue(())
        })?;
        let lasting = LASTING.contains(&kind);
        let mut there: Vec<NoteRow> = Vec::new();
        if lasting && (self.holes.rest || !damaged.is_empty()) {
            for source in self.sources {
                let read = source.view.notes(&scan, &mut |row| {
                    if row.is_intact(self.store) {
                        there.push(row);
                    }
                    Flow::Continue(())
                });
                passed_over(read)?;
            }
        }
        for row in damaged {
            let from = there.iter().find(|it| it.key() == row.key()).cloned();
            self.note(row, from)?;
        }
        if self.holes.rest {
            // A kind of which nothing is left was not ended: rows are only added to it.
            for row in there {
                if known.insert(row.key()) {
                    self.say(words(&row), RowOutcome::FromSource);
                    self.exchange.put.notes.push(row);
                }
            }
        }
        Ok(())
    }

    fn note(&mut self, row: NoteRow, source: Option<NoteRow>) -> Result<()> {
        let what = words(&row);
        let (put, outcome) = match (row.kind, source) {
            (_, Some(source)) => (Some(source), RowOutcome::FromSource),
            (note::EVENT, None) => {
                // Whoever has seen one has seen all before it: its number stays.
                let next = events::row(&self.lost_event, row.id, self.store)?;
                (Some(next), RowOutcome::Removed)
            }
            (note::LEFT, None) => (Some(NoteRow::left(self.store)?), RowOutcome::FromSource),
            // Another number than anybody knows is all that it takes.
            (note::MOVED, None) => {
                let count = i64::from_le_bytes(row.checksum[..8].try_into().unwrap_or_default());
                let next = NoteRow::new(row.key(), note::encode(&count)?, self.store);
                (Some(next), RowOutcome::Removed)
            }
            (kind, None) if PASSING.contains(&kind) => (None, RowOutcome::Removed),
            _ => {
                self.say(what, RowOutcome::Left);
                return Ok(());
            }
        };
        self.say(what, outcome);
        self.exchange.take.notes.push(row);
        self.exchange.put.notes.extend(put);
        Ok(())
    }

    fn strays(&mut self, survey: &Survey) {
        for row in &survey.stray_snapshots {
            let id = SnapshotId::new(row.seq, self.store);
            self.say(
                format!("a damaged row of no known session (it says that it is snapshot {id})"),
                RowOutcome::Removed,
            );
            self.exchange.take.snapshots.push(row.clone());
        }
        for row in &survey.stray_trash {
            let id = SnapshotId::new(row.snapshot.seq, self.store);
            self.say(format!("a damaged row of the trash, of no known session (it says that it is snapshot {id})"), RowOutcome::Removed);
            self.exchange.take.trash.push(row.clone());
        }
        for row in &survey.stray_records {
            self.say(
                format!(
                    "a damaged row of records, of no known session ({})",
                    row.seq
                ),
                RowOutcome::Removed,
            );
            self.exchange.take.records.push(row.clone());
        }
    }
}

/// What a note is, for people.
fn words(row: &NoteRow) -> String {
    let known = note::KINDS.iter().find(|(kind, _)| *kind == row.kind);
    let word = known.map_or(
        "note of a kind that this program does not know",
        |(_, word)| word,
    );
    format!("the {word}, number {}", row.id)
}

/// That an event is lost.
fn lost_event() -> Happened {
    Happened::CorruptionDetected {
        message: "the note of an event was damaged".to_owned(),
        snapshots: Vec::new(),
    }
}
