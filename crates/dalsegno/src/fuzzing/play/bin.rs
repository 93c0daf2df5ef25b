//! Into the trash, out of it again, and away for good.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::Ordering;

use jiff::{SignedDuration, Timestamp};

use super::super::model::Place;
use super::super::verb::{Purging, Ref, SESSIONS};
use super::Stage;
use crate::delete::Trashed;
use crate::error::{ErrorKind, Result};
use crate::model::{Snapshot, SnapshotId};
use crate::purge::{Purge, Purged};

impl Stage {
    pub(super) fn delete(&mut self, references: &[Ref], grace: i64) {
        let references: Vec<String> = references.iter().map(|r| self.text_of(r)).collect();
        let texts: Vec<&str> = references.iter().map(String::as_str).collect();
        let mut expected = Ok(BTreeSet::new());
        for text in &texts {
            let at = self.model.resolve(text).and_then(|at| {
                let pinned = self.model.states[at].snapshot.pinned;
                if pinned {
                    Err(ErrorKind::Denied)
                } else {
                    Ok(at)
                }
            });
            expected = expected.and_then(|mut found: BTreeSet<usize>| {
                found.insert(at?);
                Ok(found)
            });
        }
        let answer = self
            .engine()
            .delete(&texts, SignedDuration::from_micros(grace));
        let found = match expected {
            Ok(found) => found,
            Err(expected) => return self.refused(answer, expected, &texts.join(" ")),
        };
        let now = self.clock.0.load(Ordering::SeqCst);
        let place = Place::Trash {
            deleted_at: now,
            keep_until: now + grace,
        };
        let found: Vec<usize> = found.into_iter().collect();
        self.moved(&found, answer, place, false);
    }

    pub(super) fn undelete(&mut self, references: &[Ref]) {
        let references: Vec<String> = references.iter().map(|r| self.text_in_trash(r)).collect();
        let texts: Vec<&str> = references.iter().map(String::as_str).collect();
        let mut expected = Ok(BTreeSet::new());
        for text in &texts {
            expected = expected.and_then(|mut found: BTreeSet<usize>| {
                let at = self.model.in_trash(text)?;
                let snapshot = &self.model.states[at].snapshot;
                let same = |other: &usize| {
                    let other = &self.model.states[*other].snapshot;
                    other.session == snapshot.session && other.name == snapshot.name
                };
                if let Some(name) = &snapshot.name
                    && self.model.is_taken(&snapshot.session, name)
                {
                    return Err(ErrorKind::Conflict);
                }
                if snapshot.name.is_some() && !found.contains(&at) && found.iter().any(same) {
                    return Err(ErrorKind::Conflict);
                }
                found.insert(at);
                Ok(found)
            });
        }
        let answer = self.engine().undelete(&texts);
        let mut found: Vec<usize> = match expected {
            Ok(found) => found.into_iter().collect(),
            Err(expected) => return self.refused(answer, expected, &texts.join(" ")),
        };
        // As they are given back: by session.
        found.sort_by_key(|at| (self.model.states[*at].snapshot.session.clone(), *at));
        self.moved(&found, answer, Place::Live, true);
    }

    /// References to what was deleted, as a person finds them in the trash.
    fn text_in_trash(&self, reference: &Ref) -> String {
        let trash: Vec<usize> = self.model.trash().collect();
        match reference {
            Ref::Id(at) | Ref::Prefix(at, 20..) if !trash.is_empty() => {
                let at = trash[at % trash.len()];
                self.model.states[at].snapshot.id.to_string()
            }
            other => self.text_of(other),
        }
    }

    /// They are there now, all of a session or, where the store failed, none.
    fn moved(
        &mut self,
        found: &[usize],
        answer: Result<Vec<Snapshot>>,
        place: Place,
        told_after: bool,
    ) {
        let failed = answer.is_err() && self.faults.burnt();
        let was: Vec<Snapshot> = self.snapshots(found);
        let mut done: BTreeMap<String, BTreeSet<bool>> = BTreeMap::new();
        match failed {
            true => self.crash(),
            false => self.faults.off(),
        }
        let live = self.engine().trash(None);
        let in_trash: BTreeSet<SnapshotId> = match live {
            Ok(rows) => rows.iter().map(|row| row.snapshot.id).collect(),
            Err(_) => BTreeSet::new(),
        };
        for at in found {
            let snapshot = self.model.states[*at].snapshot.clone();
            let moved = !failed || in_trash.contains(&snapshot.id) != (place == Place::Live);
            let of = done.entry(snapshot.session).or_default();
            of.insert(moved);
            assert_eq!(of.len(), 1, "some of a session, and others not");
        }
        if done.values().any(|of| of.contains(&true)) {
            let all = done.values().all(|of| of.contains(&true));
            let moved = |at: &&usize| {
                all || {
                    let id = self.model.states[**at].snapshot.id;
                    in_trash.contains(&id) != (place == Place::Live)
                }
            };
            let moved: Vec<usize> = found.iter().filter(moved).copied().collect();
            self.model.moves(&moved, place);
        }
        if !failed {
            let expected = if told_after {
                self.snapshots(found)
            } else {
                was
            };
            assert_eq!(answer.unwrap(), expected);
        }
    }

    fn snapshots(&self, at: &[usize]) -> Vec<Snapshot> {
        let snapshot = |at: &usize| self.model.states[*at].snapshot.clone();
        at.iter().map(snapshot).collect()
    }

    pub(super) fn purge(&mut self, purging: &Purging) {
        let now = self.clock.0.load(Ordering::SeqCst);
        let trash: Vec<usize> = self.model.trash().collect();
        let state = |at: &usize| self.model.states[*at].clone();
        let these = |places: &[usize]| -> Vec<usize> {
            let at = places.iter().filter(|_| !trash.is_empty());
            at.map(|at| trash[at % trash.len()]).collect()
        };
        let (purge, going): (Purge, Vec<usize>) = match purging {
            Purging::Expired => {
                let expired = |at: &usize| match state(at).place {
                    Place::Trash { keep_until, .. } => keep_until <= now,
                    _ => false,
                };
                (
                    Purge::Expired,
                    trash.iter().copied().filter(expired).collect(),
                )
            }
            Purging::All => (Purge::All(None), trash.clone()),
            Purging::Session(session) => {
                let name = SESSIONS[*session];
                let of = |at: &usize| state(at).snapshot.session == name;
                let going = trash.iter().copied().filter(of).collect();
                (Purge::All(Some(name.to_owned())), going)
            }
            Purging::These(a, b) => {
                let going = these(&[*a, *b]);
                let ids = going.iter().map(|at| state(at).snapshot.id);
                (Purge::These(ids.collect()), going)
            }
        };
        let going: BTreeSet<usize> = going.into_iter().collect();
        let planned = self.engine().purge_plan(&purge);
        let answer = self.engine().purge(&purge, &mut |_| {});
        if let Purge::All(Some(name)) = &purge
            && !self.model.has_session(name)
        {
            return self.refused(answer, ErrorKind::NotFound, name);
        }
        if answer.is_err() && self.faults.burnt() {
            self.crash();
            let left = self.engine().trash(None).unwrap();
            let left: BTreeSet<SnapshotId> = left.iter().map(|t| t.snapshot.id).collect();
            let gone = |at: &usize| !left.contains(&self.model.states[*at].snapshot.id);
            let gone: Vec<usize> = going.iter().copied().filter(gone).collect();
            self.model.moves(&gone, Place::Gone);
            self.compare_trash();
            // What is empty may still be there.
            let there = self.engine().sessions().unwrap();
            let mut without = self.model.clone();
            without.forget_empty();
            for name in self.model.sessions() {
                assert!(there.contains(&name) || !without.has_session(&name));
                if !there.contains(&name) {
                    self.model.sessions.remove(&name);
                }
            }
            return;
        }
        let answer = answer.unwrap();
        if let Ok(planned) = planned {
            let told = |purged: &Purged| (purged.snapshots, purged.freed);
            assert_eq!(told(&planned), told(&answer), "planned otherwise than done");
        }
        assert_eq!(answer.snapshots as usize, going.len());
        let going: Vec<usize> = going.into_iter().collect();
        self.model.moves(&going, Place::Gone);
        self.model.forget_empty();
    }

    pub(super) fn compare_trash(&self) {
        let time = |micros| Timestamp::from_microsecond(micros).unwrap();
        let told = |t: &Trashed| (t.snapshot.clone(), t.deleted_at, t.keep_until);
        let found: Vec<_> = self
            .engine()
            .trash(None)
            .unwrap()
            .iter()
            .map(told)
            .collect();
        let expected = self.model.trash().map(|at| {
            let state = &self.model.states[at];
            let (deleted_at, keep_until) = match state.place {
                Place::Trash {
                    deleted_at,
                    keep_until,
                } => (deleted_at, keep_until),
                _ => (0, 0),
            };
            (state.snapshot.clone(), time(deleted_at), time(keep_until))
        });
        assert_eq!(found, expected.collect::<Vec<_>>(), "the trash");
    }
}
