//! The states of one session while it is repaired: from the records that are there, and those that come in.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use super::survey::Stand;
use crate::chain::{self, State};
use crate::codec::block::Entry;
use crate::codec::checksum::{self, Checksum};
use crate::codec::record;
use crate::document::Document;
use crate::document::lookup::Lookup;
use crate::encode::{self, Encoded};
use crate::error::{Error, ErrorKind, Result};
use crate::model::StoreId;
use crate::store::View;

/// The records of a session: those that are there, wherever they lie, and those that are put.
pub(super) struct States<'a> {
    view: &'a dyn View,
    store: &'a StoreId,
    session: i64,
    /// The key of an intact row that has the record.
    rows: HashMap<i64, i64>,
    /// Records that come in the place of what is lost.
    pub(super) put: BTreeMap<i64, Entry>,
    unpacked: Option<(i64, HashMap<i64, Entry>)>,
    last: Option<(i64, State)>,
    /// The last state that was proved: others are encoded on top of it.
    base: Option<(i64, Arc<Document>, u64)>,
}

impl<'a> States<'a> {
    pub(super) fn new(view: &'a dyn View, store: &'a StoreId, session: i64, stand: &Stand) -> Self {
        let mut rows = HashMap::new();
        for (key, entries) in &stand.records {
            for (seq, _) in entries {
                // Where it lies twice, the one that the store finds.
                let found = Stand::looked_for(&stand.records, *seq) == Some(*key);
                if found || !rows.contains_key(seq) {
                    rows.insert(*seq, *key);
                }
            }
        }
        Self {
            view,
            store,
            session,
            rows,
            put: BTreeMap::new(),
            unpacked: None,
            last: None,
            base: None,
        }
    }

    /// Whether the record itself is there, whatever it builds on.
    pub(super) fn has_record(&self, seq: i64) -> bool {
        self.put.contains_key(&seq) || self.rows.contains_key(&seq)
    }

    /// The record as it is there, or comes in.
    pub(super) fn entry(&mut self, seq: i64) -> Result<Entry> {
        let missing = || Error::damaged(format!("record {seq} is missing"));
        if let Some(entry) = self.put.get(&seq) {
            return Ok(entry.clone());
        }
        let key = *self.rows.get(&seq).ok_or_else(missing)?;
        if self.unpacked.as_ref().is_none_or(|(at, _)| *at != key) {
            let row = self.view.record(self.session, key)?.ok_or_else(missing)?;
            let entries = chain::entries(&row, self.store, self.session)?;
            self.unpacked = Some((key, entries.into_iter().map(|e| (e.seq, e)).collect()));
        }
        let entries = self.unpacked.as_ref().map(|(_, entries)| entries);
        let entry = entries.and_then(|entries| entries.get(&seq));
        entry.cloned().ok_or_else(missing)
    }

    /// The state whose record is `seq`; nothing, where it cannot be rebuilt, or is not the one that was promised.
    pub(super) fn proved(
        &mut self,
        seq: i64,
        promised: Option<(Checksum, i64)>,
    ) -> Result<Option<Document>> {
        let document = match self.document(seq) {
            Ok(document) => document,
            Err(error) if error.kind() == ErrorKind::Damaged => {
                self.last = None;
                return Ok(None);
            }
            Err(error) => return Err(error),
        };
        let kept = promised.is_none_or(|(sum, size)| {
            i64::try_from(document.text_len()) == Ok(size)
                && checksum::of_document(&document) == sum
        });
        if !kept {
            self.last = None;
        }
        Ok(kept.then_some(document))
    }

    fn document(&mut self, seq: i64) -> Result<Document> {
        let mut path = Vec::new();
        let mut next = Some(seq);
        let mut state = None;
        while let Some(at) = next {
            if let Some((_, last)) = self.last.take_if(|(last, _)| *last == at) {
                state = Some(last);
                break;
            }
            let entry = self.entry(at)?;
            // Parents come before their children; this is what ends the walk.
            next = entry.parent.filter(|parent| *parent < at);
            path.push(entry.record);
        }
        let mut state = state.unwrap_or_default();
        for bytes in path.iter().rev() {
            state.apply(record::decode(bytes)?)?;
        }
        let document = state.document()?;
        self.last = Some((seq, state));
        Ok(document)
    }

    /// What comes next may be encoded on top of this one, which is proved.
    pub(super) fn stand_on(&mut self, seq: i64, document: Document) {
        let cost = chain::cost(document.text_len() / 4, document.items.len());
        self.base = Some((seq, Arc::new(document), cost));
    }

    /// Puts a record for the state there.
    pub(super) fn put(&mut self, seq: i64, document: Document) -> Result<()> {
        let base = self.base.take().filter(|(base, ..)| *base < seq);
        let lookup = base.as_ref().map(|(_, document, _)| Lookup::new(document));
        let cost = base.as_ref().map_or(0, |(_, _, cost)| *cost);
        let (document, record, cost, parent) =
            match encode::on_top_of(lookup.as_ref(), cost, Arc::new(document))? {
                Encoded::Delta {
                    document,
                    record,
                    cost,
                } => (document, record, cost, base.as_ref().map(|(seq, ..)| *seq)),
                Encoded::Base {
                    document,
                    record,
                    cost,
                } => (document, record, cost, None),
            };
        let record = record.into();
        self.put.insert(
            seq,
            Entry {
                seq,
                parent,
                record,
            },
        );
        self.base = Some((seq, document, cost));
        if self.last.as_ref().is_some_and(|(last, _)| *last >= seq) {
            self.last = None;
        }
        Ok(())
    }
}
