//! Finding again, in an earlier document, an item that moved.

use std::cell::OnceCell;
use std::collections::HashMap;
use std::hash::{BuildHasher, RandomState};

use bytes::Bytes;

use super::Document;

/// Items shorter than this are cheaper to store again than to find again.
const MIN_LEN: usize = 24;

/// How many bytes of each end go into an item's key: enough to tell messages apart by what they
/// say first or by the time at their end, and little enough to index 50,000 of them quickly.
const SAMPLE: usize = 32;

/// An earlier document, with an index of its items that is built when first asked for.
pub(crate) struct Lookup<'a> {
    pub(crate) document: &'a Document,
    index: OnceCell<Index>,
}

struct Index {
    // Random per table, so that nobody can write messages that all collide.
    hasher: RandomState,
    first: HashMap<u64, u32>,
}

impl<'a> Lookup<'a> {
    pub(crate) fn new(document: &'a Document) -> Self {
        Self {
            document,
            index: OnceCell::new(),
        }
    }

    /// Where the earlier document has these very bytes, if it does.
    pub(crate) fn find(&self, item: &[u8]) -> Option<usize> {
        if item.len() < MIN_LEN {
            return None;
        }
        let index = self.index.get_or_init(|| Index::of(&self.document.items));
        let at = *index.first.get(&index.key(item))? as usize;
        (self.document.items.get(at)? == item).then_some(at)
    }
}

impl Index {
    fn of(items: &[Bytes]) -> Self {
        let mut index = Self {
            hasher: RandomState::new(),
            first: HashMap::with_capacity(items.len()),
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
        let head = item.get(..SAMPLE).unwrap_or(item);
        let tail = item
            .get(item.len().saturating_sub(SAMPLE)..)
            .unwrap_or(item);
        self.hasher.hash_one((item.len(), head, tail))
    }
}
