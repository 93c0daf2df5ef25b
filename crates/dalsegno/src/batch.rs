//! One group commit: encoding each save on top of its session's newest state, and telling each what
//! became of it.

use std::collections::HashMap;
use std::sync::Arc;

use crate::chain;
use crate::codec::checksum::{self, Checksum};
use crate::codec::detail;
use crate::codec::pack::{self, Effort};
use crate::document::lookup::Lookup;
use crate::document::{MAX_ITEMS, MAX_SIZE, split};
use crate::encode::{self, Encoded};
use crate::error::{Error, Result};
use crate::head::{Head, Heads, checksum_of};
use crate::job::{Content, Job};
use crate::show::describe;
use crate::store::{
    self, Link, NewSnapshot, NewState, Outcome, SnapshotRow, Store, UNCHANGED, Write,
};

/// How often a save is tried again because other processes were first.
const TRIES: usize = 16;

pub(crate) struct Batch<'a> {
    store: &'a dyn Store,
    heads: &'a mut Heads,
    loose: &'a mut HashMap<i64, usize>,
}

/// The saves of one session, encoded.
struct Group {
    session: String,
    jobs: Vec<Job>,
    write: Write,
    /// The head as it will be after the commit.
    head: Head,
}

impl<'a> Batch<'a> {
    pub(crate) fn new(
        store: &'a dyn Store,
        heads: &'a mut Heads,
        loose: &'a mut HashMap<i64, usize>,
    ) -> Self {
        Self {
            store,
            heads,
            loose,
        }
    }

    /// Commits the jobs and answers each.
    pub(crate) fn save(&mut self, jobs: Vec<Job>) {
        let mut waiting = by_session(jobs);
        let mut tries = 0;
        // A name that is taken costs no try: each round answers at least one save for good.
        while tries < TRIES && !waiting.is_empty() {
            let mut groups = Vec::with_capacity(waiting.len());
            for (session, jobs) in waiting {
                groups.extend(self.encode(session, jobs));
            }
            let writes: Vec<Write> = groups.iter_mut().map(Group::take_write).collect();
            if writes.is_empty() {
                return;
            }
            match self.store.commit(&writes) {
                Ok(outcomes) => {
                    tries += usize::from(outcomes.contains(&Outcome::HeadMoved));
                    let settled = groups.into_iter().zip(outcomes);
                    waiting = settled
                        .filter_map(|(group, outcome)| self.settle(group, outcome))
                        .collect();
                }
                Err(error) => {
                    let jobs = groups.into_iter().flat_map(|group| group.jobs);
                    return jobs.for_each(|job| answer(job, Err(error.clone())));
                }
            }
        }
        for job in waiting.into_iter().flat_map(|(_, jobs)| jobs) {
            let error = Error::conflict(format!(
                "other processes saved session {} {TRIES} times in between; try again",
                job.session
            ));
            answer(job, Err(error));
        }
    }

    /// Encodes the jobs of a session on top of each other. Those that cannot be are answered here.
    fn encode(&mut self, session: String, jobs: Vec<Job>) -> Option<Group> {
        // What a job wants to be on top of may be newer than what is cached: others save too.
        let as_wanted = |head: &Head| {
            let newest = head.newest.map(|newest| newest.seq);
            jobs.iter()
                .all(|job| job.only_on.is_none() || job.only_on == newest)
        };
        let cached = self.heads.take(&session).filter(as_wanted);
        let mut head = match cached.map_or_else(|| Head::load(self.store, &session), Ok) {
            Ok(head) => head,
            Err(error) => {
                let error = error.context(format!("session {session}"));
                jobs.into_iter()
                    .for_each(|job| answer(job, Err(error.clone())));
                return None;
            }
        };
        let write = Write {
            session: session.clone(),
            head: head.newest,
            snapshots: Vec::new(),
        };
        let mut group = Vec::with_capacity(jobs.len());
        let mut snapshots = Vec::with_capacity(jobs.len());
        for job in jobs {
            match head.next(&job, snapshots.len(), self.store) {
                Ok(snapshot) => {
                    snapshots.push(snapshot);
                    group.push(job);
                }
                Err(error) => answer(job, Err(error.context(format!("session {session}")))),
            }
        }
        if group.is_empty() {
            // Nothing was built on it, so it still is what the store has.
            self.heads.put(session, head);
            return None;
        }
        Some(Group {
            session,
            jobs: group,
            write: Write { snapshots, ..write },
            head,
        })
    }

    /// Answers the jobs of a group, or returns those that are to be encoded anew.
    fn settle(&mut self, group: Group, outcome: Outcome) -> Option<(String, Vec<Job>)> {
        let Group {
            session,
            mut jobs,
            mut head,
            ..
        } = group;
        match outcome {
            Outcome::Committed(rows) => {
                head.settle(&rows);
                self.count_loose(&mut head, &rows);
                for (job, row) in jobs.into_iter().zip(&rows) {
                    let snapshot = describe(row, &session, &self.store.info().id);
                    answer(job, snapshot);
                }
                self.heads.put(session, head);
                None
            }
            Outcome::HeadMoved => Some((session, jobs)),
            Outcome::NameTaken { index, .. } => {
                if index < jobs.len() {
                    let job = jobs.remove(index);
                    let name = job.name.clone().unwrap_or_default();
                    let error = Error::conflict(format!(
                        "session {session} has a snapshot named '{name}' already; choose another name"
                    ));
                    answer(job, Err(error));
                }
                (!jobs.is_empty()).then_some((session, jobs))
            }
        }
    }

    fn count_loose(&mut self, head: &mut Head, rows: &[SnapshotRow]) {
        let Some(newest) = head.newest else { return };
        let added = rows.iter().filter(|row| row.state.is_none()).count();
        let before = std::mem::take(&mut head.loose);
        *self.loose.entry(newest.session).or_insert(before) += added;
    }
}

impl Group {
    fn take_write(&mut self) -> Write {
        let session = std::mem::take(&mut self.write.session);
        let snapshots = std::mem::take(&mut self.write.snapshots);
        Write {
            session,
            head: self.write.head,
            snapshots,
        }
    }
}

impl Head {
    /// The snapshot for `job`, which will be the one at `index` of its write; the head moves on to it.
    fn next(&mut self, job: &Job, index: usize, store: &dyn Store) -> Result<NewSnapshot> {
        let newest = self.newest.map(|newest| newest.seq).filter(|_| index == 0);
        if job.only_on.is_some() && job.only_on != newest {
            return Err(Error::conflict(format!(
                "session {} was saved by another program in between; nothing was changed, try again",
                job.session
            )));
        }
        let mut detail = job.detail.clone();
        let (state, size) = match &job.content {
            Content::Text(text) => {
                let lookup = Lookup::new(&self.document);
                let earlier = self.state.is_some().then_some(&lookup);
                let cut = split(text, earlier)?;
                detail.turn = detail.turn.or(cut.turn);
                detail.checksum = checksum::of(text);
                let size = text.len();
                let encoded = encode::on_top_of(earlier, self.cost, Arc::new(cut.document))?;
                (self.build_on(encoded, detail.checksum, index)?, size)
            }
            Content::Document(document) => {
                let lookup = Lookup::new(&self.document);
                let earlier = self.state.is_some().then_some(&lookup);
                detail.checksum = checksum_of(document);
                let size = document.text_len();
                if size > MAX_SIZE || document.items.len() > MAX_ITEMS {
                    return Err(Error::invalid(format!(
                        "the document has {size} bytes in {} items; the limits are {MAX_SIZE} and {MAX_ITEMS}",
                        document.items.len()
                    )));
                }
                let encoded = encode::on_top_of(earlier, self.cost, Arc::clone(document))?;
                (self.build_on(encoded, detail.checksum, index)?, size)
            }
            Content::Again(seq) => {
                let (row, promised, assembled) = again(store, *seq)?;
                let size = chain::proved_text(&assembled.document, &row, promised.checksum)?.len();
                detail = detail::Detail {
                    origin: detail.origin,
                    label: detail.label,
                    ..promised
                };
                self.document = Arc::new(assembled.document);
                self.checksum = Some(detail.checksum);
                self.cost = assembled.cost;
                self.state = Some(Link::Seq(row.state_seq()));
                (NewState::Same(Link::Seq(row.state_seq())), size)
            }
        };
        let counts = job.kind.is_history();
        let unchanged = counts && self.counted.is_some() && self.counted == self.state;
        if counts {
            self.counted = self.state;
        }
        Ok(NewSnapshot {
            now: job.now.as_microsecond(),
            created_at: job.created_at.as_microsecond(),
            kind: job.kind.code(),
            flags: if unchanged { UNCHANGED } else { 0 },
            size: i64::try_from(size).unwrap_or(i64::MAX),
            state,
            epoch: 0,
            name: job.name.clone(),
            detail: detail::encode(&detail)?,
        })
    }

    /// `sum` is the checksum of the text that was encoded.
    fn build_on(&mut self, encoded: Encoded, sum: Checksum, index: usize) -> Result<NewState> {
        let (document, record, cost, parent) = match (encoded, self.state) {
            (Encoded::Same, Some(state)) => return Ok(NewState::Same(state)),
            (Encoded::Delta { document, .. } | Encoded::Base { document, .. }, Some(state))
                if self.is_text_of(&document, sum) =>
            {
                return Ok(NewState::Same(state));
            }
            (Encoded::Same, None) => return Err(Error::storage("nothing is the same as nothing")),
            (
                Encoded::Delta {
                    document,
                    record,
                    cost,
                },
                state,
            ) => (document, record, cost, state),
            (
                Encoded::Base {
                    document,
                    record,
                    cost,
                },
                _,
            ) => (document, record, cost, None),
        };
        let data = pack::pack(&record, Effort::Record)?;
        self.document = document;
        self.checksum = Some(sum);
        self.cost = cost;
        self.state = Some(Link::Here(index));
        Ok(NewState::Record { parent, data })
    }

    /// Turns places in the write into the sequence numbers that the commit gave.
    fn settle(&mut self, rows: &[SnapshotRow]) {
        let settled = |link: Option<Link>| match link {
            Some(Link::Here(index)) => rows.get(index).map(|row| Link::Seq(row.state_seq())),
            other => other,
        };
        self.state = settled(self.state);
        self.counted = settled(self.counted);
        self.newest = rows.last().map(|row| store::Head {
            session: row.session,
            seq: row.seq,
        });
    }
}

/// A stored state, read and proved.
fn again(store: &dyn Store, seq: i64) -> Result<(SnapshotRow, detail::Detail, chain::Assembled)> {
    let view = store.view()?;
    let row = view
        .snapshot(seq)?
        .ok_or_else(|| Error::not_found("the snapshot is gone"))?;
    let promised = detail::decode(&row.detail)?;
    let id = &store.info().id;
    let assembled = chain::assemble(&*view, id, row.session, row.state_seq())?;
    Ok((row, promised, assembled))
}

fn by_session(jobs: Vec<Job>) -> Vec<(String, Vec<Job>)> {
    let mut places: HashMap<String, usize> = HashMap::new();
    let mut groups: Vec<(String, Vec<Job>)> = Vec::new();
    for job in jobs {
        let place = *places.entry(job.session.clone()).or_insert(groups.len());
        match groups.get_mut(place) {
            Some((_, group)) => group.push(job),
            None => groups.push((job.session.clone(), vec![job])),
        }
    }
    groups
}

/// Nobody may be listening any more; the save happened or not all the same.
fn answer(job: Job, result: Result<crate::model::Snapshot>) {
    drop(job.reply.send(result));
}
