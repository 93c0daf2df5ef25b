//! Verbs that change nothing: show, list, verify, export.

use std::collections::BTreeSet;
use std::ops::Range;

use super::super::memory;
use super::super::model::Model;
use super::super::text::members;
use super::super::verb::{Listing, Ref, SESSIONS};
use super::{Stage, kind};
use crate::engine::Engine;
use crate::error::ErrorKind;
use crate::list::Query;
use crate::model::{Snapshot, SnapshotId};
use crate::options::Options;
use crate::restore::Restored;

impl Stage {
    pub(super) fn show(&self, reference: &Ref) {
        let reference = self.text_of(reference);
        self.compare(&reference);
    }

    /// What answers to `reference`: metadata, bytes, components.
    pub(super) fn compare(&self, reference: &str) {
        let expected = self.model.resolve(reference);
        let info = self.engine().info(reference);
        let restored = self.engine().restore(reference);
        let at = match expected {
            Ok(at) => at,
            Err(expected) => {
                assert_eq!(kind(info), Err(expected), "{reference}");
                return assert_eq!(kind(restored), Err(expected), "{reference}");
            }
        };
        let state = &self.model.states[at];
        assert_eq!(info.unwrap(), state.snapshot, "{reference}");
        let restored = restored.unwrap();
        assert_eq!(restored.snapshot(), &state.snapshot);
        assert!(restored.text() == &*state.text, "{reference}: another text");
        compare_components(&restored);
    }

    pub(super) fn list(&self, listing: &Listing) {
        let time = |place: Option<(usize, i64)>| place.map(|(at, step)| self.moment(at, step));
        let query = Query {
            session: listing.session.map(|n| SESSIONS[n].to_owned()),
            since: time(listing.since),
            until: time(listing.until),
            kinds: listing.kinds.clone(),
            tags: listing.tags.iter().map(|tag| (*tag).to_owned()).collect(),
            name: listing.name.map(str::to_owned),
            sort: listing.sort,
            reverse: listing.reverse,
            limit: listing.limit,
            cursor: None,
        };
        match self.model.list(&query) {
            Ok(expected) => assert_eq!(pages(self.engine(), &query), expected, "{query:?}"),
            Err(expected) => assert_eq!(kind(self.engine().list(&query)), Err(expected)),
        }
        assert_eq!(self.engine().sessions().unwrap(), self.model.sessions());
    }

    pub(super) fn verify(&self, session: Option<&str>) {
        let found = self.engine().verify(session);
        if session.is_some_and(|name| !self.model.has_session(name)) {
            return assert_eq!(kind(found), Err(ErrorKind::NotFound));
        }
        let found = found.unwrap();
        assert!(found.is_intact(), "{:?}", found.damage);
        let there = self.model.live().chain(self.model.trash());
        let there = there.map(|at| &self.model.states[at]);
        let of: Vec<_> = there
            .filter(|s| session.is_none_or(|name| s.snapshot.session == name))
            .collect();
        let own: BTreeSet<usize> = of.iter().map(|state| state.kept).collect();
        let sessions = session.map_or(self.model.sessions().len(), |_| 1);
        let bytes = own.iter().map(|at| self.model.states[*at].text.len());
        let bytes: usize = bytes.sum();
        let counts = [sessions, of.len(), own.len(), bytes].map(|n| n as u64);
        let counted = [found.sessions, found.snapshots, found.states, found.bytes];
        assert_eq!(counted, counts);
    }

    /// Out, into another store, and twice into stores that have it all.
    pub(super) fn export(&self, session: Option<&str>) {
        let mut out = Vec::new();
        let count = self.engine().export(session, &mut out);
        if session.is_some_and(|name| !self.model.has_session(name)) {
            return assert_eq!(kind(count), Err(ErrorKind::NotFound));
        }
        let count = count.unwrap();
        let clock = std::sync::Arc::clone(&self.clock);
        let other = Options::default().clock(clock as _).on(memory());
        let added = other.import(&out).unwrap().added;
        assert_eq!(added.len() as u64, count);
        let ids: Vec<SnapshotId> = added.iter().map(|s| s.id).collect();
        let mut expected: Model = self.model.imported(session, &ids);
        let stored = added.iter().map(|s| s.stored_size);
        for (state, stored) in expected.states.iter_mut().zip(stored) {
            state.snapshot.stored_size = stored;
        }
        for ((added, state), _) in added.iter().zip(&expected.states).zip(0..) {
            assert_eq!(*added, state.snapshot);
            let restored = other.restore(&added.id.to_string()).unwrap();
            assert!(restored.text() == &*state.text, "imported as another text");
        }
        for engine in [&other, self.engine()] {
            let again = engine.import(&out).unwrap();
            assert_eq!((again.added.len(), again.present), (0, count));
        }
    }
}

/// All pages, each as long as it may be.
fn pages(engine: &Engine, query: &Query) -> Vec<Snapshot> {
    let mut query = query.clone();
    let mut found = Vec::new();
    loop {
        let page = engine.list(&query).unwrap();
        assert!(page.damaged.is_empty());
        let full = page.snapshots.len() == query.limit;
        assert!(full || page.next.is_none(), "a page that could be longer");
        found.extend(page.snapshots);
        query.cursor = page.next;
        if query.cursor.is_none() {
            return found;
        }
    }
}

/// The components of an object without names that stand twice, as `serde_json` finds them.
fn compare_components(restored: &Restored) {
    let found = restored.components().unwrap();
    let Some(members) = members(restored.text()) else {
        return;
    };
    let place = |raw: &str| -> Range<usize> {
        let start = raw.as_ptr() as usize - restored.text().as_ptr() as usize;
        start..start + raw.len()
    };
    let mut places: Vec<(usize, &String)> = members
        .iter()
        .map(|(name, raw)| (place(raw.get()).start, name))
        .collect();
    places.sort_unstable();
    if found.len() == places.len() {
        let names: Vec<&String> = places.iter().map(|(_, name)| *name).collect();
        assert_eq!(found.iter().collect::<Vec<_>>(), names);
    }
    for (name, raw) in &members {
        let component = restored.component(name).unwrap();
        assert_eq!(component, raw.get().as_bytes(), "{name}");
    }
    let missing = restored.component("not there");
    assert_eq!(kind(missing), Err(ErrorKind::NotFound));
}
