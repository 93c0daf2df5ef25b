//! The audit log: rows that are only added, each chained to the one before, in the transaction of the deed that
//! they tell of.

use std::collections::BTreeMap;
use std::sync::Arc;

use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

use super::row::Row;
use super::{NoteRow, Outcome, Write};
use crate::codec::entry::{self, Entry, Runs, Snapshots};
use crate::codec::note;
use crate::error::{Error, Result};
use crate::key::{self, Key};
use crate::model::{Action, AuditHead, StoreId};
use crate::name_key::NameKey;

/// What chains a row to all before it.
pub(crate) type Link = [u8; 32];

/// Who adds a snapshot, and what it is added by.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct By {
    /// What is done.
    pub action: Action,
    /// The principal, or the program.
    pub who: Arc<str>,
    /// For whom, where that was said.
    pub behalf: Option<String>,
}

/// What the audit log is to say of an exchange. Where there is no log, it says nothing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Said {
    pub(crate) at: i64,
    pub(crate) by: By,
    pub(crate) outcome: entry::Outcome,
    pub(crate) sessions: Vec<i64>,
    pub(crate) begun: Vec<(i64, String)>,
    pub(crate) ended: Vec<(i64, String)>,
    pub(crate) asked: Option<String>,
    pub(crate) snapshots: Snapshots,
    pub(crate) note: Option<String>,
}

impl Said {
    pub(crate) fn new(by: By, at: i64) -> Self {
        Self {
            at,
            by,
            outcome: entry::Outcome::Done,
            sessions: Vec::new(),
            begun: Vec::new(),
            ended: Vec::new(),
            asked: None,
            snapshots: Snapshots::These(Vec::new()),
            note: None,
        }
    }

    /// That something was not allowed.
    pub(crate) fn denied(by: By, at: i64, session: Option<&str>) -> Self {
        Self {
            outcome: entry::Outcome::Denied,
            asked: session.map(str::to_owned),
            ..Self::new(by, at)
        }
    }

    pub(crate) fn of(mut self, session: i64, snapshots: impl IntoIterator<Item = i64>) -> Self {
        self.sessions.push(session);
        self.snapshots = Snapshots::These(snapshots.into_iter().collect());
        self
    }

    pub(crate) fn note(mut self, note: impl Into<String>) -> Self {
        self.note = Some(note.into());
        self
    }

    /// Whether a log begins with it.
    pub(crate) fn begins(&self) -> bool {
        self.by.action == Action::AuditOn && self.outcome == entry::Outcome::Done
    }

    /// What is said of a commit: one row for everything of one kind by one hand.
    pub(crate) fn of_commit(writes: &[Write], outcomes: &[Outcome]) -> Vec<Self> {
        let mut said: BTreeMap<&By, (Self, Vec<i64>)> = BTreeMap::new();
        for (write, outcome) in writes.iter().zip(outcomes) {
            let Outcome::Committed(rows) = outcome else {
                continue;
            };
            for (index, (new, row)) in write.snapshots.iter().zip(rows).enumerate() {
                let (said, seqs) = said
                    .entry(&new.by)
                    .or_insert_with(|| (Self::new(new.by.clone(), new.now), Vec::new()));
                if index == 0 && write.head.is_none_or(|head| head.seq == 0) {
                    said.begun.push((row.session, write.session.clone()));
                }
                said.sessions.push(row.session);
                seqs.push(row.seq);
            }
        }
        let all = said.into_values().map(|(said, seqs)| Self {
            snapshots: Snapshots::saved(seqs),
            ..said
        });
        all.collect()
    }
}

/// The end of the log, as one transaction sees it.
pub(crate) struct Ledger<'a> {
    store: &'a StoreId,
    names: Option<NameKey>,
    key: Key,
    /// The number and the link of the last row.
    last: (i64, Link),
    is_on: bool,
    /// The last row cannot be read.
    anew: bool,
}

impl<'a> Ledger<'a> {
    /// The kind of the notes that its rows are.
    pub(crate) const KIND: i64 = note::AUDIT;

    /// The log that ends with `last`; `root` is the key of an encrypted store, `names` that of names.
    pub(crate) fn new(
        last: Option<&NoteRow>,
        names: Option<NameKey>,
        root: Option<&Key>,
        store: &'a StoreId,
    ) -> Result<Self> {
        let mut ledger = Self {
            store,
            names,
            key: key(root, store)?,
            last: (0, [0; 32]),
            is_on: false,
            anew: false,
        };
        if let Some(row) = last {
            match read(row, store) {
                Ok((link, entry)) => {
                    ledger.is_on = !entry.ends();
                    ledger.last = (row.id, link);
                }
                // What is done is not held up by it, and `audit verify` names it.
                Err(_) => {
                    (ledger.is_on, ledger.anew) = (true, true);
                    ledger.last.0 = row.id;
                }
            }
        }
        Ok(ledger)
    }

    pub(crate) fn is_on(&self) -> bool {
        self.is_on
    }

    /// The last row; nothing, where there is none that can be read.
    pub(crate) fn head(&self) -> Option<AuditHead> {
        let (number, link) = self.last;
        (number > 0 && !self.anew).then_some(AuditHead { number, link })
    }

    /// The row that says it; nothing, where the log is off.
    pub(crate) fn add(&mut self, said: &Said) -> Result<Option<NoteRow>> {
        self.is_on |= said.begins();
        if !self.is_on {
            return Ok(None);
        }
        // Where there is no key for it, nobody will know the name.
        let sum = |name: &String| match &self.names {
            Some(names) => names.sum(name),
            None => [0; 16],
        };
        let named = |(number, name): &(i64, String)| (*number, sum(name));
        let entry = Entry {
            at: said.at,
            who: said.by.who.to_string(),
            behalf: said.by.behalf.clone(),
            action: said.by.action,
            result: said.outcome,
            sessions: Runs::of(said.sessions.iter().copied()),
            begun: said.begun.iter().map(named).collect(),
            ended: said.ended.iter().map(named).collect(),
            asked: said.asked.as_ref().map(sum),
            snapshots: said.snapshots.clone(),
            note: said.note.clone(),
            anew: std::mem::take(&mut self.anew),
        };
        self.is_on = !entry.ends();
        self.next(&entry).map(Some)
    }

    /// The row for `entry`, chained to the last one.
    fn next(&mut self, entry: &Entry) -> Result<NoteRow> {
        let body = entry::encode(entry)?;
        let number = self.last.0.checked_add(1);
        let number = number.ok_or_else(|| Error::storage("the audit log is full"))?;
        let link = link(&self.key, number, &self.last.1, &body)?;
        self.last = (number, link);
        let detail = note::encode(&(link, body))?;
        Ok(NoteRow::new((Self::KIND, 0, number), detail, self.store))
    }

    /// A row of the log under another key, chained to the one that was given before; nothing, where it cannot be read.
    pub(crate) fn again(&mut self, row: &NoteRow) -> Result<Option<NoteRow>> {
        let Ok((_, mut entry)) = read(row, self.store) else {
            self.last = (row.id, [0; 32]);
            (self.is_on, self.anew) = (true, true);
            return Ok(None);
        };
        self.is_on = !entry.ends();
        entry.anew |= std::mem::take(&mut self.anew);
        if entry.anew {
            self.last.1 = [0; 32];
        }
        self.last.0 = row.id - 1;
        self.next(&entry).map(Some)
    }
}

/// What chains the rows of a log; in a store that is not encrypted everybody knows it.
pub(crate) fn key(root: Option<&Key>, store: &StoreId) -> Result<Key> {
    key::or_known(root).derive("dalsegno audit", store)
}

/// What chains the row of that number to the one before.
pub(crate) fn link(key: &Key, number: i64, before: &Link, body: &[u8]) -> Result<Link> {
    let odd = |_| Error::storage("a row of the audit log cannot be chained");
    let mut mac = <Hmac<Sha256> as KeyInit>::new_from_slice(key.bytes()).map_err(odd)?;
    mac.update(&number.to_le_bytes());
    mac.update(before);
    mac.update(body);
    Ok(mac.finalize().into_bytes().into())
}

/// The link and the body of a row.
///
/// # Errors
/// `Damaged` where it is not as it was written.
pub(crate) fn parts(row: &NoteRow, store: &StoreId) -> Result<(Link, Vec<u8>)> {
    if !row.is_intact(store) {
        return Err(Error::damaged(format!(
            "row {} of the audit log is damaged: its checksum differs",
            row.id
        )));
    }
    note::decode(&row.detail)
}

/// The link and the entry of a row.
///
/// # Errors
/// As [`parts`].
pub(crate) fn read(row: &NoteRow, store: &StoreId) -> Result<(Link, Entry)> {
    let (link, body) = parts(row, store)?;
    Ok((link, entry::decode(&body)?))
}
