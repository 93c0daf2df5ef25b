//! The saves of one session that go into one write.

use std::collections::HashMap;

use crate::error::Result;
use crate::guard::GuardPolicy;
use crate::head::Head;
use crate::job::Job;
use crate::model::Kind;
use crate::shrink;
use crate::store::{NewSnapshot, NewState, Store, Write};

/// The saves of one session, encoded.
pub(crate) struct Group {
    pub(crate) session: String,
    /// For each snapshot of the write the save that it is of; nothing for a fuller state, kept before one.
    pub(crate) jobs: Vec<Option<Job>>,
    /// Those that are not in the write: their turn comes after it.
    pub(crate) later: Vec<Job>,
    pub(crate) write: Write,
    /// The head as it will be after the commit.
    pub(crate) head: Head,
}

impl Group {
    /// The write, to be handed to the store.
    pub(crate) fn take_write(&mut self) -> Write {
        let session = std::mem::take(&mut self.write.session);
        let snapshots = std::mem::take(&mut self.write.snapshots);
        Write {
            session,
            head: self.write.head,
            snapshots,
        }
    }
}

/// What goes into the write for a job, at the place `at` and behind: the fuller state before it, if there is one to be
/// kept, and its own snapshot.
pub(crate) fn next(
    head: &mut Head,
    job: &Job,
    guard: Option<&GuardPolicy>,
    at: usize,
    epoch: i64,
    store: &dyn Store,
) -> Result<(Option<NewSnapshot>, NewSnapshot)> {
    let mut brought = head.read(job)?;
    let fuller = shrink::fuller(head, job, &mut brought, guard, epoch, store)?;
    let at = at + usize::from(fuller.is_some());
    Ok((fuller, head.next(job, brought, at, epoch, store)?))
}

/// Whether what changed would take fewer bytes than that in the store.
pub(crate) fn changes_less(snapshot: &NewSnapshot, bytes: u64) -> bool {
    match &snapshot.state {
        NewState::Same(_) => bytes > 0,
        NewState::Record { parent, data } => parent.is_some() && (data.len() as u64) < bytes,
    }
}

/// What is kept of a file that makes way belongs to the file, whoever has the session open.
pub(crate) fn is_exempt(job: &Job) -> bool {
    job.kind == Kind::Safety
}

/// The jobs of each session, in the order in which the sessions come first.
pub(crate) fn by_session(jobs: Vec<Job>) -> Vec<(String, Vec<Job>)> {
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
