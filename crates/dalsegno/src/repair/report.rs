//! What a repair did, or would do.

use std::collections::BTreeSet;
use std::path::PathBuf;

use serde::Serialize;

use crate::model::{RepairedComponent, SnapshotId};

/// What a repair did, or would do.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Repairs {
    /// The sessions that something was wrong with.
    pub sessions: Vec<SessionRepairs>,
    /// What was wrong beside the sessions, and what became of each.
    pub rows: Vec<RowRepair>,
    /// The files beside the store that have the rows, as they stood, that were replaced or taken away.
    pub aside: Vec<PathBuf>,
}

/// What is to be said of an exchange, once it is done.
pub(super) enum Told {
    Session(SessionRepairs),
    Rows(Vec<RowRepair>),
    Nothing,
}

impl Repairs {
    /// Whether nothing was wrong.
    #[must_use]
    pub fn is_nothing(&self) -> bool {
        self.sessions.is_empty() && self.rows.is_empty()
    }

    pub(super) fn add(&mut self, told: Told) {
        match told {
            Told::Session(session) => self.sessions.push(session),
            Told::Rows(rows) => self.rows.extend(rows),
            Told::Nothing => {}
        }
    }

    /// Adds what a later look at the same store came to: what that says once more is said once.
    pub(super) fn go_on(&mut self, later: Self) {
        self.aside.extend(later.aside);
        merge(&mut self.sessions, later.sessions);
        add_new(&mut self.rows, later.rows);
    }

    /// How many snapshots are back as they were saved: they could not be restored before, and can be now.
    #[must_use]
    pub fn back(&self) -> usize {
        let exact =
            |it: &&RepairedSnapshot| matches!(it.how, How::FromSource { .. } | How::FoundHere);
        self.sessions
            .iter()
            .flat_map(|it| &it.snapshots)
            .filter(exact)
            .count()
    }

    /// How many snapshots are kept, but not all of them as it was saved; each is marked.
    #[must_use]
    pub fn marked(&self) -> usize {
        let marked =
            |it: &&RepairedSnapshot| matches!(it.how, How::MetadataLost | How::Salvaged { .. });
        self.sessions
            .iter()
            .flat_map(|it| &it.snapshots)
            .filter(marked)
            .count()
    }

    /// The snapshots that are lost.
    #[must_use]
    pub fn lost(&self) -> Vec<SnapshotId> {
        let lost = self.sessions.iter().flat_map(|it| &it.lost);
        lost.map(|lost| lost.snapshot).collect()
    }

    /// Whether something is lost, or still damaged.
    #[must_use]
    pub fn is_loss(&self) -> bool {
        let sessions = self.sessions.iter();
        self.marked() > 0
            || sessions.clone().any(|it| {
                !it.lost.is_empty()
                    || !it.gaps.is_empty()
                    || it.held.is_some()
                    || !it.notes.is_empty()
            })
            || self
                .rows
                .iter()
                .any(|row| row.outcome != RowOutcome::FromSource)
    }
}

/// What became of one session.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct SessionRepairs {
    /// Its name.
    pub session: String,
    /// Its snapshots that were damaged and are there again.
    pub snapshots: Vec<RepairedSnapshot>,
    /// Those that are not.
    pub lost: Vec<Lost>,
    /// Where others may have stood of which nothing is known.
    pub gaps: Vec<Gap>,
    /// What else there is to know.
    pub notes: Vec<String>,
    /// Which program has it open, where it could not be repaired because of that.
    pub held: Option<String>,
}

/// A snapshot that was damaged.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct RepairedSnapshot {
    /// Its id, which is the one it had.
    pub snapshot: SnapshotId,
    /// How it came back.
    #[serde(flatten)]
    pub how: How,
}

/// How a snapshot came back.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "how", rename_all = "snake_case")]
#[non_exhaustive]
pub enum How {
    /// As it was saved, from another store of the same id.
    FromSource {
        /// Which.
        source: String,
        /// Its metadata came from there too: what was changed of it since (name, tags, texts, pin) is lost.
        metadata: bool,
    },
    /// As it was saved: its state was found elsewhere in the store, or put together from its neighbours so that its
    /// checksum proves it.
    FoundHere,
    /// Its state is as it was saved; its metadata are lost. It is marked.
    MetadataLost,
    /// Its state is lost; it has the components of its nearest intact neighbours. It is marked.
    Salvaged {
        /// Where each came from.
        components: Vec<RepairedComponent>,
    },
}

/// A snapshot that is lost.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Lost {
    /// Its id.
    pub snapshot: SnapshotId,
    /// What of it is lost, and what was done.
    pub why: String,
}

/// A stretch of a session's history in which others may have stood.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Gap {
    /// The snapshot before it; nothing where it is the beginning.
    pub after: Option<SnapshotId>,
    /// The snapshot after it; nothing where it is the end.
    pub before: Option<SnapshotId>,
}

/// A row that is of no session's history.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct RowRepair {
    /// What it is.
    pub what: String,
    /// What became of it.
    pub outcome: RowOutcome,
}

/// What became of a damaged row.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum RowOutcome {
    /// It came from another store of the same id.
    FromSource,
    /// It is gone, and no source has it.
    Lost,
    /// It was taken away: it is of no use any more, or nobody can say what it was of.
    Removed,
    /// It is left as it stands: nobody can say what it said, and it is never invented.
    Left,
}

/// A session that was looked at again says what became of it then.
fn merge(known: &mut Vec<SessionRepairs>, more: Vec<SessionRepairs>) {
    for report in more {
        let same = known.iter_mut().find(|it| it.session == report.session);
        match same {
            Some(before) => {
                let said: BTreeSet<SnapshotId> =
                    before.snapshots.iter().map(|it| it.snapshot).collect();
                before.snapshots.extend(
                    report
                        .snapshots
                        .into_iter()
                        .filter(|it| !said.contains(&it.snapshot)),
                );
                add_new(&mut before.lost, report.lost);
                add_new(&mut before.gaps, report.gaps);
                add_new(&mut before.notes, report.notes);
                before.held = report.held;
            }
            None => known.push(report),
        }
    }
}

fn add_new<T: PartialEq>(known: &mut Vec<T>, more: Vec<T>) {
    for one in more {
        if !known.contains(&one) {
            known.push(one);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_later_look_says_is_added_once() {
        let row = |what: &str| RowRepair {
            what: what.to_owned(),
            outcome: RowOutcome::Left,
        };
        let id = SnapshotId::new(7 << 12, &[1; 16]);
        let gap = Gap {
            after: Some(id),
            before: None,
        };
        let held = SessionRepairs {
            session: "s".to_owned(),
            held: Some("bot".to_owned()),
            ..SessionRepairs::default()
        };
        let repaired = SessionRepairs {
            session: "s".to_owned(),
            gaps: vec![gap.clone()],
            notes: vec!["a note".to_owned()],
            ..SessionRepairs::default()
        };
        let of = |session, rows, aside: &str| Repairs {
            sessions: vec![session],
            rows,
            aside: vec![aside.into()],
        };
        let mut all = of(held, vec![row("a")], "1.jsonl");
        all.go_on(of(repaired.clone(), vec![row("a"), row("b")], "2.jsonl"));
        all.go_on(of(repaired.clone(), Vec::new(), "3.jsonl"));
        assert_eq!(all.sessions, [repaired]);
        assert_eq!(all.rows, [row("a"), row("b")]);
        assert_eq!(all.aside.len(), 3);
        assert!(all.is_loss());
    }
}
