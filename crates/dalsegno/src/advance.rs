//! A session's head moving on: from a save to the snapshot that is committed for it.

use std::sync::Arc;

use crate::ask;
use crate::chain;
use crate::codec::checksum::{self, Checksum};
use crate::codec::detail::{self, Detail, Mark};
use crate::codec::pack::{self, Effort};
use crate::document::lookup::Lookup;
use crate::document::{Document, MAX_ITEMS, MAX_SIZE, split};
use crate::encode::{self, Encoded};
use crate::error::{Error, ErrorKind, Result};
use crate::head::Head;
use crate::job::{Content, Expect, Job, another_turn, exists};
use crate::show;
use crate::store::{self, Link, NewSnapshot, NewState, PINNED, SnapshotRow, Store, UNCHANGED};

/// What a job brings, before the head moves on to it.
pub(crate) struct Brought {
    pub(crate) detail: Detail,
    /// The new state and the size of its text; nothing where it is an earlier one again.
    pub(crate) document: Option<(Arc<Document>, usize)>,
}

impl Head {
    /// What `job` brings. The head stays where it is.
    ///
    /// # Errors
    /// `InvalidInput` where it is no JSON, or too large.
    pub(crate) fn read(&self, job: &Job) -> Result<Brought> {
        let mut detail = job.detail.clone();
        let document = match &job.content {
            Content::Text(text) => {
                let document = self.cut(text, &mut detail)?;
                Some((Arc::new(document), text.len()))
            }
            Content::Document(document) => {
                let size = fits(document)?;
                detail.checksum = checksum::of_document(document);
                Some((Arc::clone(document), size))
            }
            Content::Again(_) => None,
        };
        Ok(Brought { detail, document })
    }

    /// The snapshot for `job`, which was [checked](Head::check) and [read](Head::read), and will be the one at
    /// `index` of its write; the head moves on to it. After an error the head is where it was.
    pub(crate) fn next(
        &mut self,
        job: &Job,
        brought: Brought,
        index: usize,
        epoch: i64,
        store: &dyn Store,
    ) -> Result<NewSnapshot> {
        let mut detail = brought.detail;
        let counted = self.stands_counted().then(|| Arc::clone(&self.document));
        let (state, size) = match (brought.document, &job.content) {
            (Some((document, size)), _) => {
                (self.take(document, detail.checksum, index, store)?, size)
            }
            (None, Content::Again(seq)) => self.go_back(*seq, &mut detail, store)?,
            (None, _) => return Err(Error::storage("a save brought nothing (this is a bug)")),
        };
        let counts = job.kind.is_history();
        let unchanged = counts && self.stands_counted();
        if counts {
            self.counted = self.state;
            self.counted_checksum = self.checksum;
            self.counted_version.clone_from(&detail.schema_version);
            self.counted_mark = detail.repaired.clone().and_then(Mark::of_state);
            self.counted_document = None;
        } else if counted.is_some() {
            self.counted_document = counted;
        }
        Ok(NewSnapshot {
            now: job.now.as_microsecond(),
            created_at: job.created_at.as_microsecond(),
            kind: job.kind.code(),
            flags: if unchanged { UNCHANGED } else { 0 } | if job.pinned { PINNED } else { 0 },
            size: i64::try_from(size).unwrap_or(i64::MAX),
            state,
            epoch,
            name: job.name.clone(),
            // Its texts were checked when the save was asked for, so that this does not fail.
            detail: detail::encode(&detail)?,
            operation: job.operation.clone(),
            by: job.by.clone(),
        })
    }

    /// Refuses a job that expects another session.
    pub(crate) fn check(&self, job: &Job, index: usize) -> Result<()> {
        let session = &job.session;
        let newest = self.newest.filter(|_| index == 0);
        match job.expect {
            Expect::As(head) if newest != Some(head) => Err(another_turn(session)),
            Expect::Newest(seq) if newest.map(|newest| newest.seq) != Some(seq) => {
                Err(Error::conflict(format!(
                    "session {session} was saved by another program in between; nothing was changed, \
                     try again"
                )))
            }
            Expect::NoSession if self.newest.is_some() || index > 0 => Err(exists(session)),
            _ => Ok(()),
        }
    }

    fn cut(&self, text: &[u8], detail: &mut Detail) -> Result<Document> {
        let lookup = Lookup::new(&self.document);
        let cut = split(text, self.state.is_some().then_some(&lookup))?;
        // What is acknowledged must be what can be had back: a look at every byte.
        if !cut.document.is_of(text) {
            return Err(Error::storage(
                "the state was cut wrongly; nothing was saved (this is a bug)",
            ));
        }
        detail.turn = detail.turn.or(cut.turn);
        detail.checksum = checksum::of(text);
        Ok(cut.document)
    }

    /// Makes `document`, whose text has the checksum `sum`, the head's state.
    fn take(
        &mut self,
        document: Arc<Document>,
        sum: Checksum,
        index: usize,
        store: &dyn Store,
    ) -> Result<NewState> {
        if self.is_text_of(&document, sum) {
            // Another cut of the same text is no change.
            if let Some(state) = self.state {
                return Ok(NewState::Same(state));
            }
        }
        if let Some(state) = self.back_to_counted(&document, sum, store)? {
            return Ok(state);
        }
        let lookup = Lookup::new(&self.document);
        let earlier = self.state.is_some().then_some(&lookup);
        let (document, record, cost, parent) =
            match encode::on_top_of(earlier, self.cost, document)? {
                Encoded::Delta {
                    document,
                    record,
                    cost,
                } => (document, record, cost, self.state),
                Encoded::Base {
                    document,
                    record,
                    cost,
                } => (document, record, cost, None),
            };
        let data = pack::pack(&record, Effort::Record)?;
        self.document = document;
        self.checksum = Some(sum);
        self.cost = cost;
        self.state = Some(Link::Here(index));
        Ok(NewState::Record { parent, data })
    }

    /// After a safety snapshot of something else, the state is often that of the history again.
    fn back_to_counted(
        &mut self,
        document: &Document,
        sum: Checksum,
        store: &dyn Store,
    ) -> Result<Option<NewState>> {
        let (Some(Link::Seq(seq)), Some(newest)) = (self.counted, self.newest) else {
            return Ok(None);
        };
        if self.stands_counted() || self.counted_checksum != Some(sum) {
            return Ok(None);
        }
        let view = store.view()?;
        let counted = chain::assemble(&*view, &store.info().id, newest.session, seq);
        let counted = match counted {
            Ok(counted) if counted.document.to_text() == document.to_text() => counted,
            Ok(_) => return Ok(None),
            // What is damaged cannot be referred to; what cannot be read now may be had later.
            Err(error) if error.kind() == ErrorKind::Damaged => return Ok(None),
            Err(error) => return Err(error),
        };
        self.document = Arc::new(counted.document.detached());
        self.checksum = Some(sum);
        self.cost = counted.cost;
        self.state = self.counted;
        Ok(Some(NewState::Same(Link::Seq(seq))))
    }

    /// Makes the state of the snapshot `seq` the head's state again, with what is known of it.
    fn go_back(
        &mut self,
        seq: i64,
        detail: &mut Detail,
        store: &dyn Store,
    ) -> Result<(NewState, usize)> {
        let session = self.newest.map(|newest| newest.session);
        let (row, promised, assembled) = again(store, session, seq)?;
        let size = chain::proved_text(&assembled.document, &row, promised.checksum)?.len();
        let mut metadata = promised.metadata.clone();
        // Who asked for that one did not ask for this one.
        metadata.shift_remove(ask::MARK);
        metadata.append(&mut detail.metadata);
        *detail = Detail {
            origin: detail.origin.clone(),
            intent: detail.intent.take(),
            displaced: detail.displaced,
            actor: detail.actor.take(),
            metadata,
            ..promised
        };
        let state = Link::Seq(row.state_seq());
        self.document = Arc::new(assembled.document.detached());
        self.checksum = Some(detail.checksum);
        self.cost = assembled.cost;
        self.state = Some(state);
        Ok((NewState::Same(state), size))
    }

    /// Turns places in the write into the sequence numbers that the commit gave.
    pub(crate) fn settle(&mut self, rows: &[SnapshotRow]) {
        let settled = |link: Option<Link>| match link {
            Some(Link::Here(index)) => rows.get(index).map(|row| Link::Seq(row.state_seq())),
            other => other,
        };
        self.state = settled(self.state);
        self.counted = settled(self.counted);
        let era = self.newest.map_or(0, |newest| newest.era);
        self.newest = rows.last().map(|row| store::Head {
            session: row.session,
            seq: row.seq,
            era,
        });
    }
}

/// The size of a document that was not cut from a text, if it can be kept.
fn fits(document: &Document) -> Result<usize> {
    if !document.joins() {
        return Err(Error::invalid(
            "the document is empty: build it with a DocumentBuilder",
        ));
    }
    let (size, items) = (document.text_len(), document.items.len());
    if size > MAX_SIZE || items > MAX_ITEMS {
        return Err(Error::invalid(format!(
            "the document has {size} bytes in {items} items; the limits are {MAX_SIZE} and {MAX_ITEMS}"
        )));
    }
    Ok(size)
}

/// A stored state, read and proved.
fn again(
    store: &dyn Store,
    session: Option<i64>,
    seq: i64,
) -> Result<(SnapshotRow, Detail, chain::Assembled)> {
    let view = store.view()?;
    let id = &store.info().id;
    let row = view
        .snapshot(seq)?
        .filter(|row| Some(row.session) == session);
    let row = row.ok_or_else(|| Error::not_found("the snapshot is gone"))?;
    show::check(&row, id)?;
    let promised = detail::decode(&row.detail)?;
    let assembled = chain::assemble(&*view, id, row.session, row.state_seq())?;
    Ok((row, promised, assembled))
}
