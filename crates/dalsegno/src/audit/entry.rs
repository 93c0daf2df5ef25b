//! A row of the audit log, as users see it.

use jiff::Timestamp;
use serde::Serialize;

use super::names::{Names, Seen};
use super::{AuditOutcome, AuditQuery};
use crate::codec::entry::{Entry, Snapshots};
use crate::error::{Error, Result};
use crate::model::{Action, SnapshotId, StoreId};

/// Something that was done, or denied.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct AuditEntry {
    /// Its number: they count on by one.
    pub number: i64,
    /// When (UTC).
    pub at: Timestamp,
    /// The principal that did it, or the program where the store has no principals.
    pub who: String,
    /// For whom it was done, where another program asked for it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub behalf: Option<String>,
    /// What.
    pub action: Action,
    /// What came of it.
    pub outcome: AuditOutcome,
    /// To which sessions, by name; one that is gone is `#` and the number that it had.
    pub sessions: Vec<String>,
    /// How many snapshots it was about.
    pub count: u64,
    /// Those snapshots; of more than 16 that were saved together, the first and the last.
    pub snapshots: Vec<SnapshotId>,
    /// What else is to say.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
}

pub(super) fn is_wanted(entry: &Entry, query: &AuditQuery) -> bool {
    let at = |time: Timestamp| time.as_microsecond();
    (query.actions.is_empty() || query.actions.contains(&entry.action))
        && query.outcome.is_none_or(|wanted| wanted == entry.result)
        && query.since.is_none_or(|since| entry.at >= at(since))
        && query.until.is_none_or(|until| entry.at < at(until))
        && query
            .who
            .as_ref()
            .is_none_or(|wanted| wanted == &entry.who || Some(wanted) == entry.behalf.as_ref())
}

pub(super) fn shown(
    number: i64,
    entry: Entry,
    seen: Seen,
    names: &Names,
    store: &StoreId,
) -> Result<AuditEntry> {
    let at = Timestamp::from_microsecond(entry.at)
        .map_err(|e| Error::damaged("a time in the audit log is out of range").with_source(e))?;
    let mut sessions = Vec::with_capacity(seen.sessions.len());
    for (number, hash) in seen.sessions {
        let name = hash.and_then(|hash| names.name(&hash));
        sessions.push(name.map_or_else(|| format!("#{number}"), str::to_owned));
    }
    if let Some(asked) = seen.asked
        && let Some(name) = names.name(&asked)
    {
        sessions.push(name.to_owned());
    }
    let (count, seqs) = match entry.snapshots {
        Snapshots::These(seqs) => (seqs.len() as u64, seqs),
        Snapshots::Range { first, last, count } => (count, vec![first, last]),
    };
    Ok(AuditEntry {
        number,
        at,
        who: entry.who,
        behalf: entry.behalf,
        action: entry.action,
        outcome: entry.result,
        sessions,
        count,
        snapshots: seqs
            .into_iter()
            .map(|seq| SnapshotId::new(seq, store))
            .collect(),
        note: entry.note,
    })
}
