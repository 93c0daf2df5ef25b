//! When a file has settled: decided from what is told and from a clock that is given, with no look at
//! either by itself.
//!
//! Whoever drives it tells what happened ([`happened`](Settling::happened)), asks what is due
//! ([`next`](Settling::next)), does it and tells what came of it ([`seen`](Settling::seen),
//! [`read`](Settling::read)). A file that stood still for the settle time is read once.

use std::collections::{BTreeSet, HashMap};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use crate::facts::Facts;

/// A moment: the time since some beginning, on a clock that only goes on.
pub(crate) type Moment = Duration;

/// A file, by its whole path.
pub(crate) type File = Arc<Path>;

/// The longest wait before what failed is tried again.
const LONGEST_WAIT: Duration = Duration::from_secs(60);

/// What is to be done with a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Action {
    /// See what it is like, and tell by [`Settling::seen`].
    Look(File),
    /// Read it, and tell by [`Settling::read`].
    Read {
        file: File,
        /// As it was seen last.
        facts: Facts,
        /// It has been changing for so long that it is read without having settled.
        hasty: bool,
    },
    /// It is gone, and nothing took its place.
    Gone(File),
}

/// What came of reading a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// It was dealt with as it was then.
    Done(Facts),
    /// It was not as it was seen: this is what it is like now.
    Moved(Option<Facts>),
    /// Something else failed; it is to be tried again.
    Failed,
}

/// How long files are waited for.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Times {
    /// So long a file stands still before it is read.
    pub(crate) settle: Duration,
    /// A file that does not stand still for so long is read all the same.
    pub(crate) patience: Duration,
}

/// What is known of all files.
pub(crate) struct Settling {
    times: Times,
    files: HashMap<File, Entry>,
    /// When the next thing is to be done with a file that waits.
    due: BTreeSet<(Moment, File)>,
}

#[derive(Debug, Default)]
struct Entry {
    /// As it was dealt with last.
    done: Option<Facts>,
    state: State,
}

#[derive(Debug, Default)]
enum State {
    /// There is nothing to do.
    #[default]
    Idle,
    Waiting(Waiting),
    /// It is being read or saved; whether something happened to it meanwhile.
    Busy(Waiting, Option<Moment>),
}

#[derive(Debug, Clone, Copy)]
struct Waiting {
    seen: Seen,
    /// Since when it stands still.
    since: Moment,
    /// When it began to change, or was last read in haste.
    first: Moment,
    /// Something happened then: it is to be looked at.
    look: Option<Moment>,
    /// How often it failed, and when it may be tried again.
    failures: u32,
    not_before: Moment,
    hasty: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Seen {
    NotYet,
    Gone,
    There(Facts),
}

impl Waiting {
    fn from(at: Moment) -> Self {
        Self {
            seen: Seen::NotYet,
            since: at,
            first: at,
            look: Some(at),
            failures: 0,
            not_before: Moment::ZERO,
            hasty: false,
        }
    }

    fn due(&self, times: Times) -> Moment {
        let settled = self.since.saturating_add(times.settle);
        let due = match self.seen {
            _ if self.look.is_some() => return Moment::ZERO,
            Seen::NotYet => return Moment::ZERO,
            // A file that took its place under another name comes first.
            Seen::Gone => settled.saturating_add(times.settle),
            Seen::There(_) => settled.min(self.first.saturating_add(times.patience)),
        };
        due.max(self.not_before)
    }
}

impl Settling {
    pub(crate) fn new(times: Times) -> Self {
        Self {
            times,
            files: HashMap::new(),
            due: BTreeSet::new(),
        }
    }

    /// Something happened to a file, or may have.
    pub(crate) fn happened(&mut self, file: &File, at: Moment) {
        self.change(file, |entry| match &mut entry.state {
            State::Idle => entry.state = State::Waiting(Waiting::from(at)),
            State::Waiting(waiting) => waiting.look = Some(at),
            State::Busy(_, again) => *again = Some(at),
        });
    }

    /// A file is like this, or is not there; it has been so since `since`, as far as the file system
    /// tells. For a look that was asked for that is when the file was told of.
    pub(crate) fn seen(&mut self, file: &File, facts: Option<Facts>, since: Moment) {
        self.change(file, |entry| {
            let seen = facts.map_or(Seen::Gone, Seen::There);
            match &mut entry.state {
                State::Idle if entry.done == facts => {}
                State::Idle => {
                    entry.state = State::Waiting(Waiting {
                        seen,
                        look: None,
                        ..Waiting::from(since)
                    });
                }
                State::Waiting(waiting) => {
                    let told = waiting.look.take();
                    let still = match (waiting.seen, seen) {
                        (Seen::There(before), Seen::There(now)) => before.stood_still(&now),
                        (before, now) => before == now,
                    };
                    if !still {
                        waiting.since = told.unwrap_or(since).max(waiting.since);
                    }
                    waiting.seen = seen;
                    // It is as it was dealt with: what happened was no change, or was taken back. What
                    // never was there and is not is nothing to wait for either.
                    if entry.done == facts && waiting.failures == 0 {
                        entry.state = State::Idle;
                    }
                }
                State::Busy(_, again) => *again = Some(again.unwrap_or(since)),
            }
        });
    }

    /// What came of a [`Action::Read`].
    pub(crate) fn read(&mut self, file: &File, outcome: Outcome, now: Moment) {
        self.change(file, |entry| {
            let State::Busy(before, again) = &entry.state else {
                return;
            };
            let (mut waiting, again) = (*before, *again);
            waiting.look = again;
            match outcome {
                Outcome::Done(facts) if waiting.hasty => {
                    waiting.seen = Seen::There(facts);
                    waiting.first = now;
                    waiting.failures = 0;
                }
                Outcome::Done(facts) => {
                    entry.done = Some(facts);
                    entry.state = match again {
                        Some(at) => State::Waiting(Waiting::from(at)),
                        None => State::Idle,
                    };
                    return;
                }
                Outcome::Moved(facts) => {
                    waiting.seen = facts.map_or(Seen::Gone, Seen::There);
                    waiting.since = again.unwrap_or(now);
                    if waiting.hasty {
                        waiting.first = now;
                    }
                }
                Outcome::Failed => {
                    let wait = Duration::from_secs(1) * 2_u32.saturating_pow(waiting.failures);
                    waiting.not_before = now + wait.min(LONGEST_WAIT);
                    waiting.failures = waiting.failures.saturating_add(1).min(16);
                }
            }
            waiting.hasty = false;
            entry.state = State::Waiting(waiting);
        });
    }

    /// A file was dealt with as it is now, at an earlier time.
    pub(crate) fn known(&mut self, file: &File, facts: Facts) {
        self.change(file, |entry| entry.done = Some(facts));
    }

    /// The next thing that is due.
    pub(crate) fn next(&mut self, now: Moment) -> Option<Action> {
        let (at, file) = self.due.first()?;
        if *at > now {
            return None;
        }
        let file = Arc::clone(file);
        self.take(&file, now)
    }

    fn take(&mut self, file: &File, now: Moment) -> Option<Action> {
        let times = self.times;
        let mut action = None;
        let mut gone = false;
        self.change(file, |entry| {
            let State::Waiting(waiting) = &mut entry.state else {
                return;
            };
            action = Some(match waiting.seen {
                _ if waiting.look.is_some() => Action::Look(Arc::clone(file)),
                Seen::NotYet => Action::Look(Arc::clone(file)),
                Seen::Gone => {
                    gone = true;
                    Action::Gone(Arc::clone(file))
                }
                Seen::There(facts) => {
                    let hasty = now < waiting.since.saturating_add(times.settle);
                    let busy = Waiting { hasty, ..*waiting };
                    entry.state = State::Busy(busy, None);
                    Action::Read {
                        file: Arc::clone(file),
                        facts,
                        hasty,
                    }
                }
            });
        });
        if gone {
            self.forget(file);
        } else if matches!(action, Some(Action::Look(_))) {
            // Until it is seen, nothing is due: one look at a time.
            self.due.remove(&(Moment::ZERO, Arc::clone(file)));
        }
        action
    }

    /// When the next thing is due.
    pub(crate) fn due(&self) -> Option<Moment> {
        self.due.first().map(|(at, _)| *at)
    }

    /// As a file was dealt with last.
    pub(crate) fn done(&self, file: &File) -> Option<Facts> {
        self.files.get(file).and_then(|entry| entry.done)
    }

    /// Every file that is known of.
    pub(crate) fn files(&self) -> impl Iterator<Item = &File> {
        self.files.keys()
    }

    /// Every file that has not settled yet.
    pub(crate) fn pending(&self) -> impl Iterator<Item = &File> {
        let pending = |entry: &Entry| !matches!(entry.state, State::Idle);
        self.files
            .iter()
            .filter(move |(_, entry)| pending(entry))
            .map(|(file, _)| file)
    }

    /// How many there are.
    #[cfg(test)]
    pub(crate) fn len(&self) -> usize {
        self.files.len()
    }

    /// Nothing is known of a file any more.
    pub(crate) fn forget(&mut self, file: &File) {
        if let Some(State::Waiting(waiting)) = self.files.remove(file).map(|entry| entry.state) {
            self.due
                .remove(&(waiting.due(self.times), Arc::clone(file)));
        }
    }

    /// Changes what is known of a file, and when it is due with it.
    fn change(&mut self, file: &File, change: impl FnOnce(&mut Entry)) {
        let times = self.times;
        let due = |entry: &Entry| match &entry.state {
            State::Waiting(waiting) => Some(waiting.due(times)),
            _ => None,
        };
        let entry = self.files.entry(Arc::clone(file)).or_default();
        let before = due(entry);
        change(entry);
        let after = due(entry);
        // A file that never was there and is not is not kept in mind.
        let empty = entry.done.is_none() && matches!(entry.state, State::Idle);
        if let Some(before) = before {
            self.due.remove(&(before, Arc::clone(file)));
        }
        if let Some(after) = after {
            self.due.insert((after, Arc::clone(file)));
        }
        if empty {
            self.files.remove(file);
        }
    }
}

#[cfg(test)]
mod tests;
