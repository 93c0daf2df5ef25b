//! The newest state of each session, kept in memory by the writer so that a save need not restore it.

use std::collections::HashSet;
use std::sync::Arc;

use lru::LruCache;

use crate::chain;
use crate::codec::detail::Mark;
use crate::codec::note::{Lease, State};
use crate::codec::{checksum, detail};
use crate::document::Document;
use crate::error::{Error, ErrorKind, Result};
use crate::lease;
use crate::model::StoreId;
use crate::repack::loose_records;
use crate::show;
use crate::store::{self, Flow, Link, Row, Scan, SessionRow, Store, View};

/// What the next save of a session builds on.
#[derive(Clone)]
pub(crate) struct Head {
    /// The session's number and its newest snapshot; nothing before the first save.
    pub(crate) newest: Option<store::Head>,
    /// The snapshot whose record holds the newest state.
    pub(crate) state: Option<Link>,
    /// That of the newest snapshot that `SESSION@-N` counts.
    pub(crate) counted: Option<Link>,
    /// The checksum of that state's text.
    pub(crate) counted_checksum: Option<checksum::Checksum>,
    /// The schema version that it carries.
    pub(crate) counted_version: Option<String>,
    /// What a repair made of it, where it is not as it was saved.
    pub(crate) counted_mark: Option<Mark>,
    /// The document of that state, where it is another than the newest and was at hand.
    pub(crate) counted_document: Option<Arc<Document>>,
    pub(crate) document: Arc<Document>,
    /// That of the document's text; nothing before the first save.
    pub(crate) checksum: Option<checksum::Checksum>,
    /// What restoring the state costs.
    pub(crate) cost: u64,
    /// How many records are in no block yet.
    pub(crate) loose: usize,
    /// Who has the session open, if anybody.
    pub(crate) lease: Option<Lease>,
}

impl Head {
    /// That of a session before its first save.
    pub(crate) fn nothing() -> Self {
        Self {
            newest: None,
            state: None,
            counted: None,
            counted_checksum: None,
            counted_version: None,
            counted_mark: None,
            counted_document: None,
            document: Arc::new(Document::nothing()),
            checksum: None,
            cost: 0,
            loose: 0,
            lease: None,
        }
    }

    /// Reads the head of the session `name`.
    ///
    /// # Errors
    /// `Damaged` where the session's own row is: what its newest snapshot is cannot be known.
    pub(crate) fn load(store: &dyn Store, name: &str) -> Result<Self> {
        let view = store.view()?;
        let mut head = Self::nothing();
        let Some(session) = show::session(&*view, &store.info().id, name)? else {
            return Ok(head);
        };
        head.newest = Some(store::Head {
            session: session.id,
            seq: session.head,
            era: session.era,
        });
        let lease = lease::rows::lease(&*view, &store.info().id, session.id)?;
        let held = lease.filter(|found| found.lease.state == State::Held);
        head.lease = held.map(|found| found.lease);
        let scan = Scan {
            session: Some(session.id),
            from: None,
            newest_first: true,
        };
        view.snapshots(&scan, &mut |row| {
            // An unchanged one has the state of the last that `SESSION@-N` counts. What a damaged row
            // had cannot be known.
            if row.is_intact(&store.info().id) && row.is_history() {
                head.counted = Some(Link::Seq(row.state_seq()));
                if let Ok(detail) = detail::decode(&row.detail) {
                    head.counted_checksum = Some(detail.checksum);
                    head.counted_version = detail.schema_version;
                    head.counted_mark = detail.repaired.and_then(Mark::of_state);
                }
                return Flow::Break(Ok(()));
            }
            Flow::Continue(())
        })?;
        if session.head == 0 {
            return Ok(head);
        }
        match newest_state(&*view, &store.info().id, session.head) {
            Ok((state, promised, assembled)) => {
                head.state = Some(Link::Seq(state));
                head.document = Arc::new(assembled.document.detached());
                head.checksum = Some(promised);
                head.cost = assembled.cost;
            }
            // Nothing may be built on it, and nothing may be lost because of it: the next state is
            // stored as a base. `verify` tells what is damaged.
            Err(error) if error.kind() == ErrorKind::Damaged => {}
            Err(error) => return Err(error),
        }
        head.loose = loose_records(&*view, session.id)?.len();
        Ok(head)
    }

    /// Whether the session has a snapshot.
    pub(crate) fn has_snapshot(&self) -> bool {
        self.newest.is_some_and(|newest| newest.seq != 0)
    }

    /// Whether the newest state is the one that `SESSION@latest` means.
    pub(crate) fn stands_counted(&self) -> bool {
        self.counted.is_some() && self.counted == self.state
    }

    /// The document that `SESSION@latest` means; nothing where there is none, or it is damaged.
    pub(crate) fn counted_document(&self, store: &dyn Store) -> Result<Option<Arc<Document>>> {
        if self.stands_counted() {
            return Ok(Some(Arc::clone(&self.document)));
        }
        if self.counted_document.is_some() {
            return Ok(self.counted_document.clone());
        }
        let (Some(Link::Seq(seq)), Some(newest)) = (self.counted, self.newest) else {
            return Ok(None);
        };
        let view = store.view()?;
        match chain::assemble(&*view, &store.info().id, newest.session, seq) {
            Ok(counted) => {
                let sum = checksum::of_document(&counted.document);
                let document = Arc::new(counted.document.detached());
                Ok((Some(sum) == self.counted_checksum).then_some(document))
            }
            Err(error) if error.kind() == ErrorKind::Damaged => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Whether `document`, whose text has the checksum `sum`, has the text of the newest state.
    pub(crate) fn is_text_of(&self, document: &Document, sum: checksum::Checksum) -> bool {
        self.checksum == Some(sum)
            && (*self.document == *document || self.document.to_text() == document.to_text())
    }

    fn memory(&self) -> usize {
        let of = |document: &Document| {
            document.text_len() + document.items.len() * 48 + document.gaps.len() * 64 + 256
        };
        of(&self.document) + self.counted_document.as_deref().map_or(0, of)
    }
}

/// The newest state of a session, proved: the snapshot whose record holds it, its checksum, itself.
fn newest_state(
    view: &dyn View,
    store: &StoreId,
    head: i64,
) -> Result<(i64, checksum::Checksum, chain::Assembled)> {
    let row = view.snapshot(head)?;
    let row = row.ok_or_else(|| Error::damaged("the session's newest snapshot is missing"))?;
    show::check(&row, store)?;
    let promised = detail::decode(&row.detail)?.checksum;
    let assembled = chain::assemble(view, store, row.session, row.state_seq())?;
    chain::proved_text(&assembled.document, &row, promised)?;
    Ok((row.state_seq(), promised, assembled))
}

/// The heads of the sessions that were saved last, as many as fit.
pub(crate) struct Heads {
    heads: LruCache<String, Head>,
    /// The names of all sessions, once a new one was asked for.
    pub(crate) names: Option<HashSet<String>>,
    bytes: usize,
    limit: usize,
}

impl Heads {
    pub(crate) fn new(limit: usize) -> Self {
        Self {
            heads: LruCache::unbounded(),
            names: None,
            bytes: 0,
            limit,
        }
    }

    /// Takes the head out; whoever takes it puts it back once it is true again.
    pub(crate) fn take(&mut self, session: &str) -> Option<Head> {
        let head = self.heads.pop(session)?;
        self.bytes -= head.memory();
        Some(head)
    }

    /// Only the era of the session rose, from that of `row`.
    pub(crate) fn raised(&mut self, row: &SessionRow) {
        let known = self.heads.peek_mut(&row.name);
        let newest = known.and_then(|head| head.newest.as_mut());
        if let Some(newest) = newest.filter(|known| (known.session, known.era) == (row.id, row.era))
        {
            newest.era += 1;
        }
    }

    pub(crate) fn put(&mut self, session: String, head: Head) {
        self.bytes += head.memory();
        self.heads.push(session, head);
        while self.bytes > self.limit {
            let Some((_, oldest)) = self.heads.pop_lru() else {
                break;
            };
            self.bytes -= oldest.memory();
        }
    }
}
