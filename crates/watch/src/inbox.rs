//! Where the system's notes gather until the watch has time for them: as many as there are files, and no more.

use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use notify::event::{CreateKind, EventKind, ModifyKind, RemoveKind, RenameMode};

use crate::settle::Moment;

/// More paths than that at once are not noted; the folders are looked at as a whole instead.
const MAX_NOTES: usize = 1 << 17;

/// What was told since the last look.
#[derive(Default)]
pub(crate) struct Notes {
    /// Where something happened, when last, and whether it may concern a folder.
    pub(crate) paths: HashMap<PathBuf, (Moment, bool)>,
    /// Which name became which, in this order.
    pub(crate) renames: Vec<(PathBuf, PathBuf)>,
    /// Why all has to be looked at again.
    pub(crate) look_again: Option<String>,
    pub(crate) stop: bool,
}

impl Notes {
    fn is_empty(&self) -> bool {
        self.paths.is_empty() && self.look_again.is_none() && !self.stop
    }
}

struct Shared {
    notes: Mutex<Notes>,
    news: Condvar,
    begun: Instant,
}

/// Takes notes on one side, gives them out on the other.
#[derive(Clone)]
pub(crate) struct Inbox(Arc<Shared>);

impl Inbox {
    pub(crate) fn new() -> Self {
        Self(Arc::new(Shared {
            notes: Mutex::default(),
            news: Condvar::new(),
            begun: Instant::now(),
        }))
    }

    /// The time since the watch was made.
    pub(crate) fn now(&self) -> Moment {
        self.0.begun.elapsed()
    }

    fn notes(&self) -> MutexGuard<'_, Notes> {
        self.0.notes.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Notes what the system tells.
    pub(crate) fn tell(&self, told: notify::Result<notify::Event>) {
        let event = match told {
            Ok(event) if event.need_rescan() => {
                return self.look_again("the system had more to tell than it could");
            }
            Ok(event) => event,
            Err(error) => return self.look_again(&error.to_string()),
        };
        let folder = match event.kind {
            // Somebody opened or closed it; what was written was told before.
            EventKind::Access(_) => return,
            EventKind::Modify(ModifyKind::Data(_) | ModifyKind::Metadata(_)) => false,
            EventKind::Create(CreateKind::File) | EventKind::Remove(RemoveKind::File) => false,
            _ => true,
        };
        let now = self.now();
        let mut notes = self.notes();
        if event.kind == EventKind::Modify(ModifyKind::Name(RenameMode::Both))
            && let [from, to] = event.paths.as_slice()
            && notes.renames.len() < MAX_NOTES
        {
            notes.renames.push((from.clone(), to.clone()));
        }
        for path in event.paths {
            if notes.paths.len() >= MAX_NOTES && !notes.paths.contains_key(&path) {
                drop(notes);
                return self.look_again("more happened at once than can be noted");
            }
            let note = notes.paths.entry(path).or_insert((now, folder));
            *note = (now, note.1 || folder);
        }
        self.0.news.notify_all();
    }

    /// All has to be looked at.
    pub(crate) fn look_again(&self, why: &str) {
        self.notes().look_again = Some(why.to_owned());
        self.0.news.notify_all();
    }

    fn stop(&self) {
        self.notes().stop = true;
        self.0.news.notify_all();
    }

    /// What was noted, at once or when something is, but after `wait` at the latest.
    pub(crate) fn take(&self, wait: Duration) -> Notes {
        let notes = self.notes();
        let waited = self
            .0
            .news
            .wait_timeout_while(notes, wait, |notes| notes.is_empty());
        let (mut notes, _) = waited.unwrap_or_else(PoisonError::into_inner);
        let stop = notes.stop;
        let taken = std::mem::take(&mut *notes);
        // Who is to stop once is to stop for good.
        notes.stop = stop;
        taken
    }
}

/// Ends a watch from elsewhere: from another thread, or when a signal comes.
#[derive(Clone)]
pub struct Stopper(pub(crate) Inbox);

impl Stopper {
    /// Asks the watch to end: what has settled and what is pending is saved first.
    pub fn stop(&self) {
        self.0.stop();
    }
}

#[cfg(test)]
mod tests {
    use notify::event::{AccessKind, AccessMode, DataChange, Event, Flag};

    use super::*;

    fn told(kind: EventKind, paths: &[&str]) -> Event {
        paths
            .iter()
            .fold(Event::new(kind), |event, path| event.add_path(path.into()))
    }

    #[test]
    fn notes_of_one_file_are_one_note_and_a_look_is_none() {
        let inbox = Inbox::new();
        let write = EventKind::Modify(ModifyKind::Data(DataChange::Any));
        for _ in 0..1000 {
            inbox.tell(Ok(told(write, &["/a"])));
            let opened = EventKind::Access(AccessKind::Open(AccessMode::Any));
            inbox.tell(Ok(told(opened, &["/b"])));
        }
        let both = EventKind::Modify(ModifyKind::Name(RenameMode::Both));
        inbox.tell(Ok(told(both, &["/c", "/d"])));
        let notes = inbox.take(Duration::ZERO);
        let mut paths: Vec<_> = notes
            .paths
            .keys()
            .map(|path| path.to_str().unwrap())
            .collect();
        paths.sort_unstable();
        assert_eq!(paths, ["/a", "/c", "/d"]);
        assert_eq!(notes.renames, [("/c".into(), "/d".into())]);
        assert!(inbox.take(Duration::ZERO).is_empty());
    }

    #[test]
    fn what_the_system_could_not_tell_leads_to_a_look_at_all() {
        let inbox = Inbox::new();
        inbox.tell(Ok(Event::new(EventKind::Other).set_flag(Flag::Rescan)));
        assert!(inbox.take(Duration::ZERO).look_again.is_some());
        inbox.tell(Err(notify::Error::generic("no more")));
        let why = inbox.take(Duration::ZERO).look_again;
        assert!(why.is_some_and(|why| why.contains("no more")));
        let write = EventKind::Modify(ModifyKind::Data(DataChange::Any));
        for number in 0..=MAX_NOTES {
            inbox.tell(Ok(told(write, &[&format!("/{number}")])));
        }
        let notes = inbox.take(Duration::ZERO);
        assert!(notes.look_again.is_some() && notes.paths.len() == MAX_NOTES);
    }

    #[test]
    fn who_is_to_stop_stops_for_good() {
        let inbox = Inbox::new();
        Stopper(inbox.clone()).stop();
        assert!(inbox.take(Duration::MAX).stop && inbox.take(Duration::MAX).stop);
    }
}
