//! Deleting and purging at random, interrupted anywhere: what stays is what was saved, and what only the
//! dead needed is gone.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::sync::atomic::{AtomicIsize, Ordering};

use super::memory;
use crate::chain;
use crate::delete::GRACE;
use crate::engine::Engine;
use crate::error::ErrorKind;
use crate::model::{Kind, SnapshotId};
use crate::options::Options;
use crate::purge::Purge;
use crate::store::faulty::{Call, Failure, FaultyStore};
use crate::store::{Flow, Scan, Store};

/// How many bytes a step is drawn from.
pub const STEP: usize = 4;

/// One thing that is done.
#[derive(Debug, Clone, Copy)]
pub enum Step {
    /// So many saves, each with an item more.
    Grow(u8),
    /// So many saves, each with the first item gone.
    Shrink(u8),
    /// So many saves, each with one item changed.
    Edit(u8, u8),
    /// An item of 300,000 bytes comes or goes.
    Large(u8),
    /// So many saves of what was saved before.
    Same(u8),
    /// A safety snapshot of something else.
    Safety(u8),
    /// A state that is there becomes the newest again.
    Back(u8),
    /// Some go to the trash: about so many of 256.
    Delete(u8, u8),
    /// Some come back.
    Undelete(u8, u8),
    /// Some of the trash is purged; an exchange may fail, before or after it happened.
    Purge(u8, Option<(u8, bool)>),
    /// The program that saves ends, and packs, and begins again.
    Reopen,
    /// The other session goes on.
    Turns,
}

impl Step {
    /// The step that these bytes mean.
    pub fn of([what, a, b, c]: [u8; STEP]) -> Self {
        match what % 20 {
            0..=3 => Self::Grow(1 + a % 40),
            4 => Self::Shrink(1 + a % 20),
            5 => Self::Edit(a, 1 + b % 12),
            6 => Self::Large(a),
            7 => Self::Same(1 + a % 3),
            8 => Self::Safety(a),
            9 => Self::Back(a),
            10..=12 => Self::Delete(a, b),
            13 => Self::Undelete(a, b),
            14..=16 => Self::Purge(a, (b % 3 > 0).then_some((b % 5, c % 2 == 0))),
            17 | 18 => Self::Reopen,
            _ => Self::Turns,
        }
    }
}

const SESSIONS: [&str; 2] = ["one", "two"];

struct Stage {
    /// What the engines use; fails where it is told to.
    store: Arc<FaultyStore>,
    inner: Arc<dyn Store>,
    /// The exchange that fails, counted down; below zero: none.
    fuse: Arc<AtomicIsize>,
    after: Arc<AtomicIsize>,
    engine: Option<Engine>,
    session: usize,
    lists: [Vec<String>; 2],
    fresh: usize,
    live: BTreeMap<SnapshotId, Vec<u8>>,
    trash: BTreeMap<SnapshotId, Vec<u8>>,
}

/// Does all of it, and at the end deletes and purges everything, piece by piece.
///
/// # Panics
/// Where a state is not what was saved, or something is left.
pub fn purge(steps: &[[u8; STEP]]) {
    let mut stage = Stage::new();
    for step in steps {
        stage.step(Step::of(*step));
    }
    for seed in [1, 7, 3] {
        stage.step(Step::Delete(seed, 128));
        // Every exchange fails once.
        for nth in 0.. {
            if stage.purge(255, Some((nth, nth % 2 == 0))) {
                break;
            }
        }
    }
    stage.step(Step::Reopen);
    stage.step(Step::Delete(0, 255));
    stage.purge(255, Some((0, true)));
    stage.purge(255, None);
    assert!(stage.live.is_empty() && stage.trash.is_empty());
    assert!(stage.engine().sessions().unwrap().is_empty());
}

impl Stage {
    fn new() -> Self {
        let inner: Arc<dyn Store> = memory();
        let fuse = Arc::new(AtomicIsize::new(-1));
        let after = Arc::new(AtomicIsize::new(0));
        let (burns, happens) = (Arc::clone(&fuse), Arc::clone(&after));
        let store = FaultyStore::new(Arc::clone(&inner), move |call, _| {
            let fails = call == Call::Exchange && burns.fetch_sub(1, Ordering::SeqCst) == 0;
            fails.then(|| match happens.load(Ordering::SeqCst) {
                0 => Failure::Before(ErrorKind::Storage),
                _ => Failure::After(ErrorKind::Storage),
            })
        });
        let store = Arc::new(store);
        Self {
            engine: Some(Options::default().on(Arc::clone(&store) as _)),
            store,
            inner,
            fuse,
            after,
            session: 0,
            lists: Default::default(),
            fresh: 0,
            live: BTreeMap::new(),
            trash: BTreeMap::new(),
        }
    }

    fn engine(&self) -> &Engine {
        self.engine.as_ref().unwrap()
    }

    fn step(&mut self, step: Step) {
        match step {
            Step::Grow(count) => {
                for _ in 0..count {
                    let item = self.item();
                    self.list().push(item);
                    self.save(Kind::Manual);
                }
            }
            Step::Shrink(count) => {
                for _ in 0..count.min(self.list().len() as u8) {
                    self.list().remove(0);
                    self.save(Kind::Auto);
                }
            }
            Step::Edit(at, count) => {
                for at in (usize::from(at)..).take(usize::from(count)) {
                    let item = self.item();
                    let list = self.list();
                    let at = at % list.len().max(1);
                    if let Some(place) = list.get_mut(at) {
                        *place = item;
                    }
                    self.save(Kind::Manual);
                }
            }
            Step::Large(how) => {
                let random = self.noise(300_000);
                let list = self.list();
                match how % 3 {
                    0 => list.retain(|item| item.len() < 100_000),
                    1 => list.push("large ".repeat(50_000)),
                    _ => list.push(random),
                }
                self.save(Kind::Manual);
            }
            Step::Same(count) => (0..count).for_each(|_| self.save(Kind::Auto)),
            Step::Safety(n) => {
                let text = format!("{{\"list\":[\"safe\",{n}]}}").into_bytes();
                self.commit(text, Kind::Safety);
            }
            Step::Back(at) => self.back(usize::from(at)),
            Step::Delete(seed, share) => self.delete(seed, share),
            Step::Undelete(seed, share) => self.undelete(seed, share),
            Step::Purge(seed, fails) => {
                self.purge(seed, fails);
            }
            Step::Reopen => {
                drop(self.engine.take());
                self.engine = Some(Options::default().on(Arc::clone(&self.store) as _));
            }
            Step::Turns => self.session = 1 - self.session,
        }
    }

    fn list(&mut self) -> &mut Vec<String> {
        &mut self.lists[self.session]
    }

    fn item(&mut self) -> String {
        self.fresh += 1;
        let n = self.fresh;
        format!("the item {n} of the evening, {}", self.noise(20 + n % 60))
    }

    /// Text that does not get smaller.
    fn noise(&mut self, len: usize) -> String {
        self.fresh += 1;
        let mut state = self.fresh as u64;
        let letter = |_| {
            state = state.wrapping_mul(0x5851_f42d_4c95_7f2d).wrapping_add(1);
            char::from(b'0' + (state >> 58) as u8)
        };
        (0..len).map(letter).filter(|c| *c != '\\').collect()
    }

    fn save(&mut self, kind: Kind) {
        let text = serde_json::json!({ "list": self.list() }).to_string();
        self.commit(text.into_bytes(), kind);
    }

    fn commit(&mut self, text: Vec<u8>, kind: Kind) {
        let session = SESSIONS[self.session];
        let save = self.engine().save_json(session, text.clone()).kind(kind);
        let snapshot = save.commit().unwrap();
        self.live.insert(snapshot.id, text);
    }

    fn back(&mut self, at: usize) {
        let Some(id) = self.live.keys().nth(at % self.live.len().max(1)).copied() else {
            return;
        };
        match self.engine().put_back(&id.to_string()).apply() {
            Ok(report) => {
                if let Some(head) = report.head {
                    self.live.insert(head.id, self.live[&id].clone());
                }
            }
            // There may be nothing but safety snapshots.
            Err(error) => assert_eq!(error.kind(), ErrorKind::NotFound),
        }
    }

    fn delete(&mut self, seed: u8, share: u8) {
        let ids: Vec<SnapshotId> = self.live.keys().copied().collect();
        let ids = some(&ids, seed, share);
        let texts: Vec<String> = ids.iter().map(ToString::to_string).collect();
        let texts: Vec<&str> = texts.iter().map(String::as_str).collect();
        self.engine().delete(&texts, GRACE).unwrap();
        for id in ids {
            let text = self.live.remove(&id).unwrap();
            self.trash.insert(id, text);
        }
    }

    fn undelete(&mut self, seed: u8, share: u8) {
        let ids: Vec<SnapshotId> = self.trash.keys().copied().collect();
        let ids = some(&ids, seed, share);
        let texts: Vec<String> = ids.iter().map(ToString::to_string).collect();
        let texts: Vec<&str> = texts.iter().map(String::as_str).collect();
        self.engine().undelete(&texts).unwrap();
        for id in ids {
            let text = self.trash.remove(&id).unwrap();
            self.live.insert(id, text);
        }
    }

    /// Purges some of the trash, or all; another program does it. Says whether it came to its end.
    fn purge(&mut self, seed: u8, fails: Option<(u8, bool)>) -> bool {
        let all: Vec<SnapshotId> = self.trash.keys().copied().collect();
        let going: BTreeSet<SnapshotId> = match seed {
            128.. => all.into_iter().collect(),
            _ => some(&all, seed, 128).into_iter().collect(),
        };
        let which = match seed {
            128.. => Purge::All(None),
            _ => Purge::These(going.clone()),
        };
        self.engine().flush().unwrap();
        let engine = Options::default().on(Arc::clone(&self.store) as _);
        if let Some((nth, after)) = fails {
            self.after.store(after.into(), Ordering::SeqCst);
            self.fuse.store(nth.into(), Ordering::SeqCst);
        }
        let done = engine.purge(&which, &mut |_| {}).is_ok();
        self.fuse.store(-1, Ordering::SeqCst);
        let left = engine.trash(None).unwrap();
        let left: BTreeSet<SnapshotId> = left.iter().map(|t| t.snapshot.id).collect();
        for id in &left {
            assert!(self.trash.contains_key(id), "something is new in the trash");
            assert!(!done || !going.contains(id), "not purged");
        }
        for id in self.trash.keys() {
            assert!(left.contains(id) || going.contains(id), "purged unasked");
        }
        self.trash.retain(|id, _| left.contains(id));
        self.all_there(&engine);
        done
    }

    /// What stays is what was saved, and no record is there that nothing needs.
    fn all_there(&self, engine: &Engine) {
        let found = engine.verify(None).unwrap();
        assert!(found.is_intact(), "{:?}", found.damage);
        assert_eq!(found.snapshots as usize, self.live.len() + self.trash.len());
        for (id, text) in &self.live {
            let restored = engine.restore(&id.to_string()).unwrap();
            assert!(restored.text() == text, "{id} is another text");
        }
        let view = self.inner.view().unwrap();
        let id = &self.inner.info().id;
        let mut needed = BTreeSet::new();
        view.snapshots(&Scan::default(), &mut |row| {
            needed.insert((row.session, row.state_seq()));
            Flow::Continue(())
        })
        .unwrap();
        view.trash(&mut |row| {
            needed.insert((row.snapshot.session, row.snapshot.state_seq()));
            Flow::Continue(())
        })
        .unwrap();
        let mut stored = BTreeSet::new();
        view.records(&mut |row| {
            for entry in chain::entries(&row, id, row.session).unwrap() {
                assert!(stored.insert((row.session, entry.seq)), "stored twice");
            }
            Flow::Continue(())
        })
        .unwrap();
        assert!(needed.is_subset(&stored));
        let dead: Vec<_> = stored.difference(&needed).collect();
        // A purge that was interrupted has left what its next pieces would have taken.
        assert!(dead.is_empty(), "nothing needs {dead:?}");
    }
}

/// About `share` of 256 of them.
fn some(ids: &[SnapshotId], seed: u8, share: u8) -> Vec<SnapshotId> {
    let mut state = u64::from(seed) + 1;
    let chosen = |_: &&SnapshotId| {
        state = state.wrapping_mul(0x5851_f42d_4c95_7f2d).wrapping_add(7);
        share == 255 || (state >> 56) < u64::from(share)
    };
    ids.iter().filter(chosen).copied().collect()
}
