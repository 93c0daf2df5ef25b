//! One group commit: encoding each save on top of its session's newest state, and telling each what
//! became of it.

use std::collections::{HashMap, HashSet};

use crate::access::{self, Rights};
use crate::attempt::TRIES;
use crate::clock::Clock;
use crate::codec::note::Lease;
use crate::error::{Error, ErrorKind, Result};
use crate::group::{Group, by_session, changes_less, is_exempt, next};
use crate::guard::GuardPolicy;
use crate::head::{Head, Heads};
use crate::job::{Expect, Job, another_turn};
use crate::lease::{self, Leases, Standing};
use crate::model::Snapshot;
use crate::show::describe;
use crate::shrink::Guards;
use crate::store::{Flow, Outcome, SnapshotRow, Store, Write};
use crate::writer::Teller;

pub(crate) struct Batch<'a> {
    pub(crate) store: &'a dyn Store,
    pub(crate) clock: &'a dyn Clock,
    pub(crate) leases: &'a Leases,
    pub(crate) teller: &'a Teller,
    pub(crate) heads: &'a mut Heads,
    /// How many records of a session are in no block, as far as known.
    pub(crate) loose: &'a mut HashMap<i64, usize>,
    /// The guards that this program gives itself.
    pub(crate) own_guards: &'a [GuardPolicy],
    /// Gets the sessions of which a fuller state was kept.
    pub(crate) thin: &'a mut HashSet<String>,
}

impl Batch<'_> {
    /// Commits the jobs and answers each.
    pub(crate) fn save(&mut self, jobs: Vec<Job>) {
        let view = self.store.view().map_err(|e| e.context("who may do what"));
        let id = &self.store.info().id;
        let known = view.and_then(|view| {
            let rights = match Rights::read(&*view, id, self.teller.token.as_ref()) {
                Err(error) if error.kind() != ErrorKind::Denied => {
                    return Err(error.context("who may do what"));
                }
                rights => rights,
            };
            let guards = Guards::read(&*view, id, self.own_guards);
            Ok((
                rights,
                guards.map_err(|e| e.context("which lists are guarded"))?,
            ))
        });
        let (rights, guards) = match known {
            Ok(known) => known,
            Err(error) => return refuse(jobs, &error),
        };
        let mut waiting = by_session(access::allowed(self.store, jobs, rights));
        let mut tries = 0;
        // A name that is taken costs no try: each round answers at least one save for good.
        while tries < TRIES && !waiting.is_empty() {
            let mut groups = Vec::with_capacity(waiting.len());
            for (session, jobs) in waiting {
                groups.extend(self.encode(session, jobs, &guards));
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
                // One session's pages are damaged, perhaps: the others are not to wait for its repair.
                Err(error) if error.kind() == ErrorKind::Damaged && groups.len() > 1 => {
                    waiting = Vec::new();
                    for (group, write) in groups.into_iter().zip(&writes) {
                        match self.store.commit(std::slice::from_ref(write)) {
                            Ok(outcomes) => {
                                let outcome = outcomes.into_iter().next();
                                waiting.extend(outcome.and_then(|o| self.settle(group, o)));
                            }
                            Err(error) => refuse(group.jobs.into_iter().flatten(), &error),
                        }
                    }
                    tries += 1;
                }
                Err(error) => {
                    let jobs = groups.into_iter().flat_map(|group| group.jobs);
                    return refuse(jobs.flatten(), &error);
                }
            }
        }
        for job in waiting.into_iter().flat_map(|(_, jobs)| jobs) {
            let error = Error::conflict(format!(
                "other processes saved session {} {TRIES} times in between; try again",
                job.session
            ));
            job.answer(Err(error));
        }
    }

    /// Encodes the jobs of a session on top of each other. Those that cannot be are answered here.
    fn encode(&mut self, session: String, jobs: Vec<Job>, guards: &Guards) -> Option<Group> {
        // What a job wants to be on top of may be newer than what is cached: others save too.
        let as_wanted = |head: &Head| {
            let newest = head.newest.map(|newest| newest.seq);
            jobs.iter().all(|job| match job.expect {
                Expect::Anything => true,
                Expect::Newest(seq) => newest == Some(seq),
                Expect::As(wanted) => head.newest == Some(wanted),
                Expect::NoSession => false,
            })
        };
        let agrees = |head: &Head| self.leases.agree(&session, head.lease.as_ref());
        let cached = self.heads.take(&session);
        let cached = cached.filter(agrees).filter(as_wanted);
        let mut head = match cached.map_or_else(|| self.load(&session), Ok) {
            Ok(head) => head,
            Err(error) => {
                let error = error.context(format!("session {session}"));
                refuse(jobs, &error);
                return None;
            }
        };
        let epoch = match self.admitted(&session, &jobs, &mut head) {
            Ok(epoch) => epoch,
            Err(error) => {
                let (exempt, refused): (Vec<_>, Vec<_>) = jobs.into_iter().partition(is_exempt);
                refuse(refused, &error);
                return if exempt.is_empty() {
                    None
                } else {
                    self.encode(session, exempt, guards)
                };
            }
        };
        let write = Write {
            session: session.clone(),
            head: head.newest,
            snapshots: Vec::new(),
        };
        let mut names = HashSet::new();
        let mut later = Vec::new();
        let mut group = Vec::with_capacity(jobs.len());
        let mut snapshots = Vec::with_capacity(jobs.len());
        for job in jobs {
            // Of two saves of one name the second waits for what becomes of the first.
            if !later.is_empty()
                || job
                    .name
                    .as_ref()
                    .is_some_and(|name| !names.insert(name.clone()))
            {
                later.push(job);
                continue;
            }
            let small = job.min_change > 0 && job.detail.intent.is_none();
            let before = small.then(|| head.clone());
            let guard = guards.of(&session);
            let next = head.check(&job, snapshots.len()).and_then(|()| {
                let at = snapshots.len();
                let next = next(&mut head, &job, guard, at, epoch, self.store);
                next.map_err(|error| error.context(format!("session {session}")))
            });
            match next {
                Ok((fuller, snapshot)) => match before.filter(|_| {
                    // What lost items may be few bytes.
                    fuller.is_none() && changes_less(&snapshot, job.min_change)
                }) {
                    // The first of a write, so that what it would be compared with is committed.
                    Some(before) if snapshots.is_empty() && before.has_snapshot() => {
                        let newest = self.newest(&session, &before);
                        head = before;
                        job.answer(newest);
                    }
                    _ => {
                        if let Some(fuller) = fuller {
                            snapshots.push(fuller);
                            group.push(None);
                        }
                        snapshots.push(snapshot);
                        group.push(Some(job));
                    }
                },
                Err(error) => job.answer(Err(error)),
            }
        }
        if group.is_empty() {
            // Nothing was built on it, so it still is what the store has.
            self.heads.put(session, head);
            return None;
        }
        Some(Group {
            session,
            later,
            jobs: group,
            write: Write { snapshots, ..write },
            head,
        })
    }

    /// The newest snapshot of a session.
    fn newest(&self, session: &str, head: &Head) -> Result<Snapshot> {
        let seq = head.newest.map_or(0, |newest| newest.seq);
        let row = self.store.view()?.snapshot(seq)?;
        let row = row.ok_or_else(|| another_turn(session))?;
        describe(&row, session, &self.store.info().id)
    }

    /// The epoch that the jobs are saved under, if this program may write the session; 0 without a lease.
    fn admitted(&mut self, session: &str, jobs: &[Job], head: &mut Head) -> Result<i64> {
        match (self.leases.standing(session), head.lease) {
            (Standing::Stranger, None) => Ok(0),
            (Standing::Stranger, Some(_)) if jobs.iter().all(is_exempt) => Ok(0),
            (Standing::Stranger, Some(_)) => {
                lease::rows::let_in(self.store, session, self.clock)?;
                *head = self.load(session)?;
                match head.lease {
                    None => Ok(0),
                    // Somebody opened it in between.
                    Some(_) => Err(another_turn(session)),
                }
            }
            (Standing::Holder(epoch), Some(lease)) if self.leases.is_own(&lease, epoch) => {
                Ok(epoch)
            }
            (Standing::Holder(epoch), lease) => {
                let to = lease.map(|lease| self.named(&lease)).transpose()?;
                let error = self.leases.lose(session, epoch, to.flatten());
                let now = self.clock.now();
                self.teller.lost(self.store, session, now, &error);
                Err(error)
            }
            (Standing::Lost(error), _) => Err(error),
        }
    }

    /// The program that has a lease, for people.
    fn named(&self, lease: &Lease) -> Result<Option<String>> {
        let view = self.store.view()?;
        let writer = lease::rows::writer(&*view, &self.store.info().id, lease.writer)?;
        Ok(writer.as_ref().map(lease::rows::shown))
    }

    fn load(&mut self, session: &str) -> Result<Head> {
        if self.is_new(session)? {
            Ok(Head::nothing())
        } else {
            Head::load(self.store, session)
        }
    }

    /// Whether there is no such session: neither by the index of names nor, for that may be damaged,
    /// among all names there were when that was first asked.
    fn is_new(&mut self, session: &str) -> Result<bool> {
        let view = self.store.view()?;
        if view.session(session)?.is_some() {
            return Ok(false);
        }
        if self.heads.names.is_none() {
            let mut names = HashSet::new();
            view.sessions(&mut |row| {
                names.insert(row.name);
                Flow::Continue(())
            })?;
            self.heads.names = Some(names);
        }
        let names = self.heads.names.as_ref();
        Ok(names.is_none_or(|names| !names.contains(session)))
    }

    /// Answers the jobs of a group, or returns those that are to be encoded anew.
    fn settle(&mut self, group: Group, outcome: Outcome) -> Option<(String, Vec<Job>)> {
        let Group {
            session,
            jobs,
            later,
            mut head,
            ..
        } = group;
        let mut waiting: Vec<Job>;
        match outcome {
            Outcome::Committed(rows) => {
                head.settle(&rows);
                self.count_loose(&mut head, &rows);
                for (job, row) in jobs.into_iter().zip(&rows) {
                    let snapshot = describe(row, &session, &self.store.info().id);
                    if let Ok(snapshot) = &snapshot {
                        self.teller.saved(snapshot);
                    }
                    match job {
                        Some(job) => job.answer(snapshot),
                        None => drop(self.thin.insert(session.clone())),
                    }
                }
                self.heads.put(session.clone(), head);
                waiting = later;
            }
            Outcome::HeadMoved => {
                waiting = jobs.into_iter().flatten().collect();
                waiting.extend(later);
            }
            Outcome::NameTaken { index, .. } => {
                let name = jobs.get(index).and_then(Option::as_ref);
                let name = name.and_then(|job| job.name.clone());
                let jobs = jobs.into_iter().flatten().chain(later);
                let (taken, others): (Vec<_>, Vec<_>) = jobs.partition(|job| job.name == name);
                let error = Error::conflict(format!(
                    "session {session} has a snapshot named '{}' already; choose another name",
                    name.unwrap_or_default()
                ));
                refuse(taken, &error);
                waiting = others;
            }
        }
        (!waiting.is_empty()).then_some((session, waiting))
    }

    fn count_loose(&mut self, head: &mut Head, rows: &[SnapshotRow]) {
        let Some(newest) = head.newest else { return };
        let added = rows.iter().filter(|row| row.state.is_none()).count();
        let before = std::mem::take(&mut head.loose);
        *self.loose.entry(newest.session).or_insert(before) += added;
    }
}

/// Tells all of them the same.
fn refuse(jobs: impl IntoIterator<Item = Job>, error: &Error) {
    for job in jobs {
        job.answer(Err(error.clone()));
    }
}
