//! What an engine should answer: the same promises kept in the simplest way, over a list of states.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use jiff::Timestamp;

use super::history::History;
use super::text::turn_of;
use crate::codec::checksum;
use crate::error::ErrorKind;
use crate::list::{Query, Sort};
use crate::model::Kind;
use crate::model::{Operation, Snapshot, SnapshotId};
use crate::reference::parse_time;

/// A snapshot as it should be.
#[derive(Debug, Clone)]
pub(super) struct State {
    pub(super) snapshot: Snapshot,
    pub(super) text: Arc<[u8]>,
    /// The snapshot whose record holds the state, by its place.
    pub(super) kept: usize,
    /// The state that it was gone back to, as a whole.
    pub(super) went_to: Option<usize>,
    /// Only some components of that were asked for.
    pub(super) in_part: bool,
    pub(super) place: Place,
}

/// Where a snapshot is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Place {
    Live,
    /// In microseconds since 1970.
    Trash {
        deleted_at: i64,
        keep_until: i64,
    },
    Gone,
}

/// All snapshots that ever were, in the order of commits.
#[derive(Debug, Clone, Default)]
pub(super) struct Model {
    pub(super) states: Vec<State>,
    /// The sessions that there are, also those of which all is in the trash.
    pub(super) sessions: BTreeMap<String, History>,
}

impl Model {
    pub(super) fn of<'a>(
        &'a self,
        session: &'a str,
    ) -> impl DoubleEndedIterator<Item = usize> + 'a {
        self.live()
            .filter(move |at| self.states[*at].snapshot.session == session)
    }

    pub(super) fn live(&self) -> impl DoubleEndedIterator<Item = usize> + '_ {
        (0..self.states.len()).filter(|at| self.states[*at].place == Place::Live)
    }

    pub(super) fn trash(&self) -> impl DoubleEndedIterator<Item = usize> + '_ {
        let in_trash = |at: &usize| matches!(self.states[*at].place, Place::Trash { .. });
        (0..self.states.len()).filter(in_trash)
    }

    /// What an id means: nobody knows any other than those of commits.
    pub(super) fn of_id(&self, id: SnapshotId) -> Option<usize> {
        self.states.iter().position(|s| s.snapshot.id == id)
    }

    pub(super) fn has_session(&self, session: &str) -> bool {
        self.sessions.contains_key(session)
    }

    pub(super) fn sessions(&self) -> Vec<String> {
        self.sessions.keys().cloned().collect()
    }

    /// The id of the state that `SESSION@latest` means.
    pub(super) fn latest(&self, session: &str) -> Option<SnapshotId> {
        self.counted(session).map(|at| self.states[at].snapshot.id)
    }

    /// As [`latest`](Self::latest), of those that were not saved by themselves.
    pub(super) fn meant(&self, session: &str) -> Option<SnapshotId> {
        let meant = |at: &usize| self.counts(*at) && self.states[*at].snapshot.kind != Kind::Auto;
        let at = self.of(session).rfind(meant);
        at.map(|at| self.states[at].snapshot.id)
    }

    /// What counts as the newest state for who takes something back.
    pub(super) fn head(&self, session: &str) -> Option<SnapshotId> {
        let latest = self.latest(session);
        let history = self.sessions.get(session);
        history.map_or(latest, |history| history.head(latest, self.meant(session)))
    }

    /// Each of a session's snapshots follows the one before it, and is unchanged where it has the state
    /// of the last one of the history.
    fn join(&mut self, session: &str) {
        let (mut parent, mut kept) = (None, None);
        for at in self.of(session).collect::<Vec<_>>() {
            let state = &mut self.states[at];
            state.snapshot.parent = parent.replace(state.snapshot.id);
            if state.snapshot.kind.is_history() {
                state.snapshot.unchanged = kept.replace(state.kept) == Some(state.kept);
            }
        }
    }

    /// Puts snapshots somewhere else.
    pub(super) fn moves(&mut self, some: &[usize], place: Place) {
        for at in some {
            self.states[*at].place = place;
        }
        for session in self.sessions() {
            self.join(&session);
        }
    }

    /// A session of which nothing is left is gone.
    pub(super) fn forget_empty(&mut self) {
        let left = |s: &State| (s.place != Place::Gone).then(|| s.snapshot.session.clone());
        let left: BTreeSet<String> = self.states.iter().filter_map(left).collect();
        self.sessions.retain(|name, _| left.contains(name));
    }

    /// So many steps back from where the session stands.
    pub(super) fn steps_back(&self, session: &str, steps: u32) -> Result<usize, ErrorKind> {
        let mut at = self.counted(session).ok_or(ErrorKind::NotFound)?;
        for _ in 0..steps {
            while self.states[at].place == Place::Live
                && let Some(to) = self.states[at].went_to.filter(|to| *to < at)
                && self.is_known(at, to)
            {
                at = to;
            }
            let state = &self.states[at];
            let skip = usize::from(state.place == Place::Live && state.snapshot.unchanged);
            let before = self.of(session).filter(|other| *other < at);
            let mut before = before.filter(|at| self.counts(*at)).rev();
            at = before.nth(skip).ok_or(ErrorKind::NotFound)?;
        }
        Ok(at)
    }

    /// Whether anything still tells that the state at `at` is that of `to`, of which only some components were asked for.
    fn is_known(&self, at: usize, to: usize) -> bool {
        let (state, target) = (&self.states[at], &self.states[to]);
        let gone = matches!(target.place, Place::Gone);
        !state.in_part || !gone || state.snapshot.same_as == Some(target.snapshot.id)
    }

    /// What of the trash `reference` means.
    pub(super) fn in_trash(&self, reference: &str) -> Result<usize, ErrorKind> {
        let in_session = reference.rsplit_once('@');
        let in_session = in_session.filter(|(session, _)| self.has_session(session));
        let exact = |at: &usize| {
            let snapshot = &self.states[*at].snapshot;
            let named = match in_session {
                Some((session, name)) => {
                    snapshot.session == session && snapshot.name.as_deref() == Some(name)
                }
                None => snapshot.name.as_deref() == Some(reference),
            };
            named || snapshot.id.to_string() == reference
        };
        let found: Vec<usize> = self.trash().filter(exact).collect();
        if !found.is_empty() {
            return only(&found);
        }
        let digits = reference.replace('-', "");
        let begins = |at: &usize| {
            let id = self.states[*at].snapshot.id.to_string();
            digits.len() >= 4 && id.replace('-', "").starts_with(&digits)
        };
        only(&self.trash().filter(begins).collect::<Vec<_>>())
    }

    /// The last that `SESSION@-N` counts.
    fn counted(&self, session: &str) -> Option<usize> {
        let counts = |at: &usize| self.counts(*at);
        self.of(session).rfind(counts)
    }

    fn counts(&self, at: usize) -> bool {
        let snapshot = &self.states[at].snapshot;
        snapshot.kind.is_history() && !snapshot.unchanged
    }

    fn named(&self, session: Option<&str>, name: &str) -> Vec<usize> {
        let fits = |at: &usize| {
            let snapshot = &self.states[*at].snapshot;
            snapshot.name.as_deref() == Some(name)
                && session.is_none_or(|session| snapshot.session == session)
        };
        self.live().filter(fits).collect()
    }

    pub(super) fn is_taken(&self, session: &str, name: &str) -> bool {
        !self.named(Some(session), name).is_empty()
    }

    /// Adds what was saved, and says how it should be described. `asked` is what the program said of
    /// it, and what only the store can know: its id, and the size of its record. `again` is the
    /// snapshot whose state it is by command.
    pub(super) fn add(
        &mut self,
        asked: Snapshot,
        text: Arc<[u8]>,
        again: Option<usize>,
    ) -> Snapshot {
        let session = &asked.session;
        let newest = self.of(session).next_back();
        let as_before = newest.filter(|at| self.states[*at].text == text);
        let at = self.states.len();
        let history = self.counted(session);
        let as_in_history = history.filter(|at| self.states[*at].text == text);
        let kept = again
            .or(as_before)
            .or(as_in_history)
            .map_or(at, |same| self.states[same].kept);
        let counted = history.map(|at| self.states[at].kept);
        let snapshot = Snapshot {
            size: text.len() as u64,
            checksum: hex(&text),
            parent: newest.map(|at| self.states[at].snapshot.id),
            same_as: (kept != at).then(|| self.states[kept].snapshot.id),
            unchanged: asked.kind.is_history() && counted == Some(kept),
            stored_size: if kept == at { asked.stored_size } else { 0 },
            epoch: 0,
            ..asked
        };
        let newer = self
            .states
            .last()
            .is_none_or(|last| last.snapshot.id < snapshot.id);
        assert!(newer, "an id that is not the newest");
        self.states.push(State {
            snapshot: snapshot.clone(),
            text,
            kept,
            went_to: None,
            in_part: false,
            place: Place::Live,
        });
        self.sessions.entry(snapshot.session.clone()).or_default();
        snapshot
    }

    /// As [`add`](Model::add), with the turn that the text names where none was given.
    pub(super) fn add_text(&mut self, mut asked: Snapshot, text: &[u8]) -> Snapshot {
        asked.turn = asked.turn.or_else(|| turn_of(text));
        self.add(asked, text.into(), None)
    }

    pub(super) fn resolve(&self, reference: &str) -> Result<usize, ErrorKind> {
        if let Ok(id) = reference.parse::<SnapshotId>() {
            let live = |at: &usize| self.states[*at].place == Place::Live;
            return self.of_id(id).filter(live).ok_or(ErrorKind::NotFound);
        }
        let named = self.named(None, reference);
        if !named.is_empty() {
            return only(&named);
        }
        if let Some((session, at)) = reference.rsplit_once('@') {
            return match self.has_session(session) {
                true => self.in_session(session, at),
                false => Err(ErrorKind::NotFound),
            };
        }
        if reference.len() < 4 {
            return Err(ErrorKind::NotFound);
        }
        let begins = |at: &usize| {
            let id = self.states[*at].snapshot.id.to_string();
            id.replace('-', "").starts_with(reference)
        };
        only(&self.live().filter(begins).collect::<Vec<_>>())
    }

    fn in_session(&self, session: &str, at: &str) -> Result<usize, ErrorKind> {
        let mut history = self.of(session).filter(|at| self.counts(*at)).rev();
        let found = if at == "latest" {
            history.next()
        } else if let Some(Ok(back)) = at.strip_prefix('-').map(str::parse::<usize>) {
            history.nth(back)
        } else if let Some(turn) = at.strip_prefix("turn:") {
            let turn = turn.parse().map_err(|_| ErrorKind::InvalidInput)?;
            history.find(|at| self.states[*at].snapshot.turn == Some(turn))
        } else if let Ok(time) = parse_time(at) {
            history.find(|at| self.states[*at].snapshot.created_at <= time)
        } else {
            self.named(Some(session), at).first().copied()
        };
        found.ok_or(ErrorKind::NotFound)
    }

    /// All pages of a listing, as one.
    pub(super) fn list(&self, query: &Query) -> Result<Vec<Snapshot>, ErrorKind> {
        if query
            .session
            .as_ref()
            .is_some_and(|name| !self.has_session(name))
        {
            return Err(ErrorKind::NotFound);
        }
        let fits = |s: &&Snapshot| {
            query.session.as_ref().is_none_or(|name| s.session == *name)
                && query.since.is_none_or(|since| s.created_at >= since)
                && query.until.is_none_or(|until| s.created_at <= until)
                && (query.kinds.is_empty() || query.kinds.contains(&s.kind))
                && query.tags.iter().all(|tag| s.tags.contains(tag))
                && query
                    .name
                    .as_ref()
                    .is_none_or(|name| s.name.as_ref() == Some(name))
        };
        let snapshots = self.live().map(|at| &self.states[at].snapshot);
        let mut found: Vec<Snapshot> = snapshots.filter(fits).cloned().collect();
        found.reverse();
        match query.sort {
            Sort::Commit => {}
            Sort::Created => found.sort_by_key(|s| Reverse(s.created_at)),
            Sort::Size => found.sort_by_key(|s| Reverse(s.size)),
            Sort::Name => found.sort_by_key(|s| (s.name.is_none(), s.name.clone())),
        }
        if query.reverse {
            found.reverse();
        }
        Ok(found)
    }

    /// What a store has that imported the snapshots of `session`, or of all.
    pub(super) fn imported(&self, session: Option<&str>, ids: &[SnapshotId]) -> Model {
        let mut model = Model::default();
        let of = |state: &&State| session.is_none_or(|name| state.snapshot.session == name);
        let live = self.live().map(|at| &self.states[at]);
        for (state, id) in live.filter(of).zip(ids) {
            let asked = Snapshot {
                id: *id,
                kind: if state.snapshot.kind.is_history() {
                    crate::Kind::Import
                } else {
                    state.snapshot.kind
                },
                operation: Some(Operation::Import {
                    from: state.snapshot.id.to_string(),
                }),
                ..state.snapshot.clone()
            };
            model.add_text(asked, &state.text);
        }
        model
    }
}

fn only(found: &[usize]) -> Result<usize, ErrorKind> {
    match found {
        [] => Err(ErrorKind::NotFound),
        [one] => Ok(*one),
        _ => Err(ErrorKind::Ambiguous),
    }
}

fn hex(text: &[u8]) -> String {
    let sum = checksum::of(text);
    sum.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// A snapshot of which nothing is said.
pub(super) fn asked(session: &str, id: SnapshotId, created_at: Timestamp) -> Snapshot {
    Snapshot {
        id,
        session: session.to_owned(),
        name: None,
        label: None,
        description: None,
        tags: Vec::new(),
        metadata: serde_json::Map::new(),
        kind: crate::Kind::Manual,
        created_at,
        turn: None,
        schema_version: None,
        size: 0,
        stored_size: 0,
        checksum: String::new(),
        parent: None,
        same_as: None,
        unchanged: false,
        pinned: false,
        operation: None,
        intent: None,
        actor: None,
        repaired: None,
        epoch: 0,
    }
}
