//! The newest state of each session, kept in memory by the writer so that a save need not restore it.

use std::sync::Arc;

use lru::LruCache;

use crate::chain;
use crate::codec::{checksum, detail};
use crate::document::Document;
use crate::error::{Error, Result};
use crate::repack::loose_records;
use crate::store::{self, Flow, Link, Scan, SnapshotRow, Store};

/// What the next save of a session builds on.
pub(crate) struct Head {
    /// The session's number and its newest snapshot; nothing before the first save.
    pub(crate) newest: Option<store::Head>,
    /// The snapshot whose record holds the newest state.
    pub(crate) state: Option<Link>,
    /// That of the newest snapshot that `SESSION@-N` counts.
    pub(crate) counted: Option<Link>,
    pub(crate) document: Arc<Document>,
    /// What restoring the state costs.
    pub(crate) cost: u64,
    /// How many records are in no block yet.
    pub(crate) loose: usize,
}

impl Head {
    /// Reads the head of the session `name`.
    ///
    /// # Errors
    /// `Damaged` where its newest state cannot be proved: nothing may be built on that.
    pub(crate) fn load(store: &dyn Store, name: &str) -> Result<Self> {
        let view = store.view()?;
        let mut head = Self {
            newest: None,
            state: None,
            counted: None,
            document: Arc::default(),
            cost: 0,
            loose: 0,
        };
        let Some(session) = view.session(name)? else {
            return Ok(head);
        };
        if session.compute(&store.info().id) != session.checksum {
            return Err(Error::damaged(format!(
                "the row of session {name} is damaged"
            )));
        }
        let mut newest: Option<SnapshotRow> = None;
        let scan = Scan {
            session: Some(session.id),
            from: None,
            newest_first: true,
        };
        view.snapshots(&scan, &mut |row| {
            if row.compute(&store.info().id) != row.checksum {
                return Flow::Break(Err(Error::damaged(
                    "the row of its newest snapshot is damaged",
                )));
            }
            let counts = row.counts();
            if counts {
                head.counted = Some(Link::Seq(row.state_seq()));
            }
            newest.get_or_insert(row);
            if counts {
                Flow::Break(Ok(()))
            } else {
                Flow::Continue(())
            }
        })?;
        if let Some(newest) = newest {
            let state = newest.state_seq();
            let assembled = chain::assemble(&*view, &store.info().id, session.id, state)?;
            let promised = detail::decode(&newest.detail)?.checksum;
            chain::proved_text(&assembled.document, &newest, promised)?;
            head.newest = Some(store::Head {
                session: session.id,
                seq: newest.seq,
            });
            head.state = Some(Link::Seq(state));
            head.document = Arc::new(assembled.document);
            head.cost = assembled.cost;
            head.loose = loose_records(&*view, session.id)?.len();
        }
        Ok(head)
    }

    fn memory(&self) -> usize {
        let document = &self.document;
        document.text_len() + document.items.len() * 48 + document.gaps.len() * 64 + 256
    }
}

/// The heads of the sessions that were saved last, as many as fit.
pub(crate) struct Heads {
    heads: LruCache<String, Head>,
    bytes: usize,
    limit: usize,
}

impl Heads {
    pub(crate) fn new(limit: usize) -> Self {
        Self {
            heads: LruCache::unbounded(),
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

/// The checksum of a document's text, without joining it.
pub(crate) fn checksum_of(document: &Document) -> checksum::Checksum {
    let mut hasher = checksum::TextHasher::default();
    for piece in document.pieces() {
        hasher.write(piece);
    }
    hasher.finish()
}
