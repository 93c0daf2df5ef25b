//! The states of a session: where they are, else where they come from, else what is put in their place.

use std::collections::{BTreeMap, BTreeSet};

use super::mix::{self, Neighbours};
use super::session::{From, Session, Wanted, state_of};
use super::states::States;
use crate::codec::checksum::{self, Checksum};
use crate::codec::detail::{self, Detail};
use crate::document::lookup::Lookup;
use crate::document::{Document, split};
use crate::error::Result;
use crate::store::SnapshotRow;

/// How a state came to be.
#[derive(Clone)]
pub(super) enum Came {
    /// It was there all the time.
    Here,
    Source(usize),
    Found,
    Salvaged(Vec<(String, i64, bool)>, Checksum, i64),
    /// There is none.
    Lost,
}

/// The neighbours of a lost state.
pub(super) struct Near {
    /// The snapshot that is nearer, and its record.
    seq: i64,
    state: i64,
    document: Document,
    text: Vec<u8>,
    other: Option<Vec<u8>>,
}

impl Near {
    fn texts(&self) -> Neighbours<'_> {
        Neighbours {
            nearer: &self.text,
            other: self.other.as_deref(),
        }
    }
}

impl Session<'_> {
    /// Finds every state that is wanted, from the oldest on; what is lost is taken from its neighbours.
    pub(super) fn states(
        &self,
        sources: &[usize],
        rows: &mut Wanted,
        states: &mut States<'_>,
    ) -> Result<BTreeMap<i64, Came>> {
        let mut came: BTreeMap<i64, Came> = BTreeMap::new();
        // The store as it is, whatever comes in.
        let mut own = States::new(self.view, self.store, self.number, self.stand);
        let apart = self.apart(sources, rows, &mut own)?;
        let rows = &*rows;
        let mut promises: BTreeMap<i64, (Checksum, i64)> = BTreeMap::new();
        let mut wanted: BTreeSet<i64> = BTreeSet::new();
        for (seq, row) in rows.all() {
            match row {
                From::Made => {
                    wanted.insert(seq);
                }
                From::Here(row) | From::Source(_, row) => {
                    wanted.insert(row.state_seq());
                    if let Ok(detail) = detail::decode(&row.detail) {
                        let promise = self.promise(sources, row, &detail)?;
                        let own = row.state.is_none();
                        if own || !promises.contains_key(&row.state_seq()) {
                            promises.insert(row.state_seq(), promise);
                        }
                    }
                }
            }
        }
        let mut by_sum: BTreeMap<Checksum, i64> = BTreeMap::new();
        for seq in &wanted {
            let promised = promises.get(seq).copied();
            let mut is_put = true;
            let found = if let Some(of) = apart.get(seq) {
                let document = own.proved(*of, promised)?;
                document.map(|document| (Came::Here, document))
            } else if let Some(document) = states.proved(*seq, promised)? {
                is_put = false;
                Some((Came::Here, document))
            } else if let Some(document) = own.proved(*seq, promised)? {
                // What it was built on is another now.
                Some((Came::Here, document))
            } else {
                self.out_of_sources(sources, *seq, promised)?
            };
            let Some((how, document)) = found else {
                continue;
            };
            by_sum
                .entry(checksum::of_document(&document))
                .or_insert(*seq);
            if is_put {
                states.put(*seq, document)?;
            } else {
                states.stand_on(*seq, document);
            }
            came.insert(*seq, how);
        }
        loop {
            let before = came.len();
            for seq in &wanted {
                if came.contains_key(seq) {
                    continue;
                }
                // What it builds on may have come in since.
                let promised = promises.get(seq).copied();
                if states.proved(*seq, promised)?.is_some() {
                    came.insert(*seq, Came::Here);
                    continue;
                }
                // Of one without a row nobody knows what it was.
                let Some(promised) = promised else { continue };
                if let Some(document) = self.elsewhere(&by_sum, promised, states)? {
                    states.put(*seq, document)?;
                    came.insert(*seq, Came::Found);
                } else if let Some(near) = self.near(*seq, rows, &came, states)?
                    && let Some(text) = mix::exact(&near.texts(), promised)?
                {
                    let document = split(&text, Some(&Lookup::new(&near.document)))?.document;
                    states.put(*seq, document)?;
                    came.insert(*seq, Came::Found);
                }
            }
            if came.len() == before {
                break;
            }
        }
        let proved = came.clone();
        for seq in &wanted {
            if proved.contains_key(seq) {
                continue;
            }
            // Of one without a row nothing is known that it could be put together for.
            let near = match promises.get(seq) {
                Some(promised) => self
                    .near(*seq, rows, &proved, states)?
                    .map(|near| (near, promised.0)),
                None => None,
            };
            let Some((near, lost)) = near else {
                came.insert(*seq, Came::Lost);
                continue;
            };
            let taken = mix::taken(&near.texts())?;
            let taken = taken
                .into_iter()
                .map(|(name, agreed)| (name, near.seq, agreed));
            let size = i64::try_from(near.text.len()).unwrap_or(i64::MAX);
            let how = Came::Salvaged(taken.collect(), lost, size);
            if near.state < *seq {
                states.stand_on(near.state, near.document.clone());
            }
            states.put(*seq, near.document)?;
            came.insert(*seq, how);
        }
        self.name_what_came_with_others(&mut came, states, &apart)?;
        Ok(came)
    }

    /// Snapshots that refer to a state which a repair had put in the place of a lost one, and that a source has now as it was:
    /// what they were saved with stays theirs. By number, which record has that.
    fn apart(
        &self,
        sources: &[usize],
        rows: &mut Wanted,
        own: &mut States<'_>,
    ) -> Result<BTreeMap<i64, i64>> {
        let mut replaced: BTreeMap<i64, (Checksum, i64)> = BTreeMap::new();
        for (seq, from) in rows.all() {
            if let From::Here(row) = from
                && row.state.is_none()
                && let Ok(detail) = detail::decode(&row.detail)
                && detail.repaired.is_some()
            {
                let promise = self.promise(sources, row, &detail)?;
                if promise != (detail.checksum, row.size) {
                    replaced.insert(seq, promise);
                }
            }
        }
        let mut apart = BTreeMap::new();
        if replaced.is_empty() {
            return Ok(apart);
        }
        for (seq, from) in rows.all_mut() {
            if let From::Here(row) = from
                && let Some(state) = row.state
                && let Some(other) = replaced.get(&state)
                && let Ok(detail) = detail::decode(&row.detail)
                && *other != (detail.checksum, row.size)
                && own
                    .proved(state, Some((detail.checksum, row.size)))?
                    .is_some()
            {
                row.state = None;
                apart.insert(seq, state);
            }
        }
        Ok(apart)
    }

    /// A state that could not be rebuilt before, because something that it builds on was lost, came with that.
    fn name_what_came_with_others(
        &self,
        came: &mut BTreeMap<i64, Came>,
        states: &mut States<'_>,
        apart: &BTreeMap<i64, i64>,
    ) -> Result<()> {
        let here = came.iter().filter(|(_, how)| matches!(how, Came::Here));
        let here: Vec<i64> = here.map(|(seq, _)| *seq).collect();
        for seq in here {
            if apart.contains_key(&seq) || self.was_there(seq) {
                continue;
            }
            let mut how = Came::Found;
            let mut next = states.entry(seq)?.parent;
            while let Some(at) = next {
                if states.put.contains_key(&at) {
                    if let Some(Came::Source(source)) = came.get(&at) {
                        how = Came::Source(*source);
                    }
                    break;
                }
                next = states.entry(at)?.parent;
            }
            came.insert(seq, how);
        }
        Ok(())
    }

    /// Whether the store finds every record that a state is built of.
    fn was_there(&self, seq: i64) -> bool {
        let mut next = Some(seq);
        while let Some(at) = next {
            match self.stand.found(at) {
                // Parents come before their children.
                Ok(parent) if parent.is_none_or(|parent| parent < at) => next = parent,
                _ => return false,
            }
        }
        true
    }

    /// What the row says of its state; where a repair marked it, and a source has the state, that.
    pub(super) fn promise(
        &self,
        sources: &[usize],
        row: &SnapshotRow,
        detail: &Detail,
    ) -> Result<(Checksum, i64)> {
        if detail.repaired.is_some()
            && let Some((_, there)) = self.unmarked(sources, row.seq)?
        {
            return Ok((detail::decode(&there.detail)?.checksum, there.size));
        }
        Ok((detail.checksum, row.size))
    }

    /// The row of a snapshot that a repair marked here, from a source that has it whole.
    pub(super) fn unmarked(
        &self,
        sources: &[usize],
        seq: i64,
    ) -> Result<Option<(usize, SnapshotRow)>> {
        for at in sources {
            let Some(source) = self.sources.get(*at) else {
                continue;
            };
            let Some(row) = source.snapshot(self.number, seq)? else {
                continue;
            };
            let Ok(detail) = detail::decode(&row.detail) else {
                continue;
            };
            let promised = Some((detail.checksum, row.size));
            if detail.repaired.is_none()
                && source
                    .state(self.number, row.state_seq(), promised)?
                    .is_some()
            {
                return Ok(Some((*at, row)));
            }
        }
        Ok(None)
    }

    pub(super) fn out_of_sources(
        &self,
        sources: &[usize],
        seq: i64,
        promised: Option<(Checksum, i64)>,
    ) -> Result<Option<(Came, Document)>> {
        for at in sources {
            let Some(source) = self.sources.get(*at) else {
                continue;
            };
            if let Some(document) = source.state(self.number, seq, promised)? {
                return Ok(Some((Came::Source(*at), document)));
            }
        }
        Ok(None)
    }

    /// The same state, where another snapshot of the session has it.
    pub(super) fn elsewhere(
        &self,
        by_sum: &BTreeMap<Checksum, i64>,
        promised: (Checksum, i64),
        states: &mut States<'_>,
    ) -> Result<Option<Document>> {
        match by_sum.get(&promised.0) {
            Some(seq) => states.proved(*seq, Some(promised)),
            None => Ok(None),
        }
    }

    /// The nearest intact states before and after, in the order of the history.
    pub(super) fn near(
        &self,
        state: i64,
        rows: &Wanted,
        came: &BTreeMap<i64, Came>,
        states: &mut States<'_>,
    ) -> Result<Option<Near>> {
        let at = rows
            .all()
            .find(|(seq, row)| state_of(*seq, row) == state)
            .map_or(state, |(seq, _)| seq);
        let (mut before, mut after) = (None, None);
        for (seq, row) in rows.all() {
            let of = state_of(seq, row);
            if of == state
                || !came
                    .get(&of)
                    .is_some_and(|it| !matches!(it, Came::Salvaged(..) | Came::Lost))
            {
                continue;
            }
            if seq < at {
                before = Some((seq, of));
            } else if after.is_none() {
                after = Some((seq, of));
            }
        }
        let far = |side: Option<(i64, i64)>| side.map_or(i64::MAX, |(seq, _)| (seq - at).abs());
        let (nearer, other) = if far(before) <= far(after) {
            (before, after)
        } else {
            (after, before)
        };
        let Some((seq, of)) = nearer else {
            return Ok(None);
        };
        let Some(document) = states.proved(of, None)? else {
            return Ok(None);
        };
        let other = match other {
            Some((_, of)) => states.proved(of, None)?.map(|document| document.to_text()),
            None => None,
        };
        Ok(Some(Near {
            seq,
            state: of,
            text: document.to_text(),
            document,
            other,
        }))
    }
}
