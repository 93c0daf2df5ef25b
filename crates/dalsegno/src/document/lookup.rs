//! Finding again, in an earlier document, an item that moved.

use std::cell::{Cell, OnceCell};
use std::collections::HashMap;
use std::hash::BuildHasherDefault;

use bytes::Bytes;
use twox_hash::XxHash3_64;

use super::Document;

/// Items shorter than this are cheaper to store again than to find again.
const MIN_LEN: usize = 64;

/// How many bytes of each end go into an item's key: enough to tell messages apart by what they
/// say first or by the time at their end, and little enough to index 50,000 of them quickly.
const SAMPLE: usize = 32;

/// As many items are looked for by their lengths, which are at hand, before an index is built, which
/// has to touch every item: most saves have one or two new items, and no items that moved far.
const SCANS: u32 = 4;

/// An earlier document, with an index of its items that is built when it pays.
pub(crate) struct Lookup<'a> {
    pub(crate) document: &'a Document,
    scans: Cell<u32>,
    index: OnceCell<Index>,
}

struct Index {
    /// Random, so that nobody can write messages that all collide.
    seed: u64,
    first: HashMap<u64, u32, BuildHasherDefault<AsItIs>>,
}

/// The keys are hashes already.
#[derive(Default)]
struct AsItIs(u64);

impl std::hash::Hasher for AsItIs {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.0 = self.0.rotate_left(8) ^ u64::from(*byte);
        }
    }

    fn write_u64(&mut self, key: u64) {
        self.0 = key;
    }
}

impl<'a> Lookup<'a> {
    pub(crate) fn new(document: &'a Document) -> Self {
        Self {
            document,
            scans: Cell::new(0),
            index: OnceCell::new(),
        }
    }

    /// Where the earlier document has these very bytes, if it does.
    pub(crate) fn find(&self, item: &[u8]) -> Option<usize> {
        if item.len() < MIN_LEN {
            return None;
        }
        if self.scans.get() < SCANS {
            self.scans.set(self.scans.get() + 1);
            return self.document.items.iter().position(|there| there == item);
        }
        let index = self.index.get_or_init(|| Index::of(&self.document.items));
        let at = *index.first.get(&index.key(item))? as usize;
        (self.document.items.get(at)? == item).then_some(at)
    }
}

impl Index {
    fn of(items: &[Bytes]) -> Self {
        let mut index = Self {
            seed: rand::random(),
            first: HashMap::with_capacity_and_hasher(items.len(), BuildHasherDefault::default()),
        };
        for (at, item) in (0u32..).zip(items) {
            if item.len() >= MIN_LEN {
                let key = index.key(item);
                index.first.entry(key).or_insert(at);
            }
        }
        index
    }

    fn key(&self, item: &[u8]) -> u64 {
        let (Some(head), Some(tail)) = (item.first_chunk::<SAMPLE>(), item.last_chunk::<SAMPLE>())
        else {
            return XxHash3_64::oneshot_with_seed(self.seed, item);
        };
        let mut sample = [0; 2 * SAMPLE + 8];
        let (ends, len) = sample.split_at_mut(2 * SAMPLE);
        let (start, end) = ends.split_at_mut(SAMPLE);
        start.copy_from_slice(head);
        end.copy_from_slice(tail);
        len.copy_from_slice(&(item.len() as u64).to_le_bytes());
        XxHash3_64::oneshot_with_seed(self.seed, &sample)
    }
}
