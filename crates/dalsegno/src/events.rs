//! Events, told to those who listen in this process, and found by those in others.

use crate::engine::Engine;
use crate::error::Result;
use crate::event::{self, Event, Happened, Subscription};
use crate::show;
use crate::store::{Flow, NoteRow, Scan, SnapshotRow, View};

impl Engine {
    /// Listens to what happens through this engine, from now on. A listener that is too slow misses the oldest events,
    /// and holds up nobody.
    #[must_use]
    pub fn subscribe(&self) -> Subscription {
        self.bus().subscribe()
    }

    /// Follows what happens in the store from now on, through any engine of any process.
    ///
    /// # Errors
    /// `Locked`, `Storage`, or `Damaged` where the store cannot be read.
    pub fn follow(&self) -> Result<Follower<'_>> {
        let version = self.store().version()?;
        let view = self.view()?;
        let mut note = 0;
        view.notes(&event::notes::newest_first(), &mut |row| {
            note = row.id;
            Flow::Break(Ok(()))
        })?;
        Ok(Follower {
            engine: self,
            seq: view.last()?,
            note,
            version: Some(version),
        })
    }

    /// Follows what happens from a place on where a [`Follower`] was: also one of an engine that is closed by now.
    #[must_use]
    pub fn follow_from(&self, place: FollowPlace) -> Follower<'_> {
        Follower {
            engine: self,
            seq: place.seq,
            note: place.note,
            version: None,
        }
    }

    /// The last `count` events of the store, oldest first; as far back as they are kept.
    ///
    /// # Errors
    /// As [`follow`](Engine::follow).
    pub fn events(&self, count: usize) -> Result<Vec<Event>> {
        let view = self.view()?;
        let mut found = Vec::new();
        let scan = Scan {
            newest_first: true,
            ..Scan::default()
        };
        view.snapshots(&scan, &mut |row| {
            found.extend(self.event_of(&*view, &row));
            if found.len() >= count {
                return Flow::Break(Ok(()));
            }
            Flow::Continue(())
        })?;
        let mut notes = 0;
        view.notes(&event::notes::newest_first(), &mut |row| {
            found.extend(self.event_in(&row));
            notes += 1;
            if notes >= count {
                return Flow::Break(Ok(()));
            }
            Flow::Continue(())
        })?;
        // Of one moment, the earlier first.
        found.reverse();
        found.sort_by_key(|event| event.at);
        Ok(found.split_off(found.len().saturating_sub(count)))
    }

    /// Tells of something that no snapshot tells of: to those who listen here, and by a note to all others. Where that
    /// cannot be written, it did happen all the same.
    pub(crate) fn tell(&self, session: Option<&str>, what: Happened) {
        let event = self.happened(session, what);
        drop(event::notes::keep(self.store(), &event));
        self.bus().tell(&event);
    }

    /// Tells those who listen in this process.
    pub(crate) fn tell_here(&self, session: Option<&str>, what: Happened) {
        if self.bus().has_listeners() {
            self.bus().tell(&self.happened(session, what));
        }
    }

    fn happened(&self, session: Option<&str>, what: Happened) -> Event {
        Event {
            at: self.now(),
            what,
            session: session.map(str::to_owned),
            actor: Some(self.program().to_owned()),
        }
    }

    fn event_of(&self, view: &dyn View, row: &SnapshotRow) -> Option<Event> {
        // What is damaged is for `verify` to say.
        let id = &self.store().info().id;
        let session = show::session_name(view, id, row.session).ok()?;
        let snapshot = show::describe(row, &session, id).ok()?;
        let actor = snapshot.actor.clone();
        Event::of(&snapshot, actor)
    }

    fn event_in(&self, row: &NoteRow) -> Option<Event> {
        event::notes::read(row, &self.store().info().id)
    }
}

/// Finds what happened since it last looked: see [`Engine::follow`].
pub struct Follower<'a> {
    engine: &'a Engine,
    /// The last snapshot that it knows.
    seq: i64,
    /// The last note.
    note: i64,
    version: Option<i64>,
}

/// How far a [`Follower`] has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FollowPlace {
    seq: i64,
    note: i64,
}

impl Follower<'_> {
    /// How far it has come: see [`Engine::follow_from`].
    #[must_use]
    pub fn place(&self) -> FollowPlace {
        FollowPlace {
            seq: self.seq,
            note: self.note,
        }
    }

    /// What happened since, in order. Where nothing did, this costs next to nothing.
    ///
    /// # Errors
    /// As [`Engine::follow`]; called again, it goes on where it was.
    pub fn poll(&mut self) -> Result<Vec<Event>> {
        let store = self.engine.store();
        let version = store.version()?;
        if self.version == Some(version) {
            return Ok(Vec::new());
        }
        let view = self.engine.view()?;
        let (mut seq, mut note, mut found) = (self.seq, self.note, Vec::new());
        let scan = Scan {
            from: Some(seq),
            ..Scan::default()
        };
        view.snapshots(&scan, &mut |row| {
            seq = row.seq;
            found.extend(self.engine.event_of(&*view, &row));
            Flow::Continue(())
        })?;
        view.notes(&event::notes::above(note), &mut |row| {
            note = row.id;
            found.extend(self.engine.event_in(&row));
            Flow::Continue(())
        })?;
        (self.seq, self.note, self.version) = (seq, note, Some(version));
        found.sort_by_key(|event: &Event| event.at);
        Ok(found)
    }
}
