//! What is missing in a list and stands in another one: it moved.

use std::collections::{HashMap, HashSet};

use super::identity::{Identity, equal, grew};
use super::items;
use super::loss::Compared;
use crate::document::Document;
use crate::document::scan::is_space;
use crate::error::Result;

/// Takes from what is missing that which other lists have now.
pub(super) fn find(compared: &mut [Compared<'_>], new: &Document) -> Result<()> {
    let text = new.to_text();
    // What stands for an item already, by its bytes, as often as it does.
    let mut taken: HashMap<Vec<u8>, usize> = HashMap::new();
    let likely = Likely::of(compared);
    for list in compared.iter() {
        let paired = list.new.iter().zip(&list.pairs.of_new);
        for (item, _) in paired.filter(|(item, old)| old.is_some() && likely.may_be(item)) {
            *taken.entry(item.to_vec()).or_default() += 1;
        }
    }
    for at in 0..compared.len() {
        let Some(list) = compared.get(at).filter(|list| !list.lost.is_empty()) else {
            continue;
        };
        let key = list.key.as_deref();
        let lost = list.lost.iter().map(|place| list.identity(*place));
        let lost: Vec<Identity> = lost.collect::<Result<_>>()?;
        let mut there = Candidates::of(&lost, key, &text, &taken, &likely)?;
        for other in compared.iter().filter(|other| other.key == list.key) {
            let new = other.new.iter().zip(&other.pairs.of_new);
            let free = new.filter(|(_, old)| old.is_none());
            there.trust(free.map(|(item, _)| item.as_ref()), key)?;
        }
        let mut still = Vec::new();
        for (place, identity) in list.lost.iter().zip(&lost) {
            let item = list.old.get(*place).map(AsRef::as_ref).unwrap_or_default();
            match there.take(identity, item) {
                Some(found) => *taken.entry(found.to_vec()).or_default() += 1,
                None => still.push(*place),
            }
        }
        if let Some(list) = compared.get_mut(at) {
            list.lost = still;
        }
    }
    Ok(())
}

/// Most items are none of those that are missing, which their ends show without a look at the rest.
struct Likely {
    ends: HashSet<[u8; Self::LEN]>,
    /// Objects may have the key of one that says something else.
    objects: bool,
}

impl Likely {
    const LEN: usize = 24;

    fn of(compared: &[Compared<'_>]) -> Self {
        let lossy = || compared.iter().filter(|list| !list.lost.is_empty());
        let lost = lossy().flat_map(|list| list.lost.iter().filter_map(|at| list.old.get(*at)));
        Self {
            ends: lost.map(|item| Self::end(item)).collect(),
            objects: lossy().any(|list| list.key.is_some()),
        }
    }

    fn may_be(&self, item: &[u8]) -> bool {
        (self.objects && item.first() == Some(&b'{')) || self.ends.contains(&Self::end(item))
    }

    /// The last bytes that are no white space, wherever that stands.
    fn end(item: &[u8]) -> [u8; Self::LEN] {
        let mut end = [0; Self::LEN];
        let told = item.iter().rev().filter(|byte| !is_space(**byte));
        for (to, byte) in end.iter_mut().zip(told) {
            *to = *byte;
        }
        end
    }
}

/// Items of any list that may be those that are missing.
struct Candidates<'a> {
    by_identity: HashMap<Identity, Vec<&'a [u8]>>,
    /// Those in guarded lists of the same key, where the key says enough.
    trusted: HashMap<Vec<u8>, usize>,
}

impl<'a> Candidates<'a> {
    fn of(
        lost: &[Identity],
        key: Option<&[String]>,
        text: &'a [u8],
        taken: &HashMap<Vec<u8>, usize>,
        likely: &Likely,
    ) -> Result<Self> {
        let mut by_identity: HashMap<Identity, Vec<&[u8]>> =
            lost.iter().map(|id| (id.clone(), Vec::new())).collect();
        let mut taken = taken.clone();
        let mut failed = Ok(());
        items::each(text, |item| {
            if !likely.may_be(item) {
                return;
            }
            match Identity::of(item, key) {
                Ok(identity) => {
                    let Some(found) = by_identity.get_mut(&identity) else {
                        return;
                    };
                    match taken.get_mut(item).filter(|times| **times > 0) {
                        Some(times) => *times -= 1,
                        None => found.push(item),
                    }
                }
                Err(error) => failed = Err(error),
            }
        })?;
        failed.map(|()| Self {
            by_identity,
            trusted: HashMap::new(),
        })
    }

    fn trust<'b>(
        &mut self,
        items: impl Iterator<Item = &'b [u8]>,
        key: Option<&[String]>,
    ) -> Result<()> {
        for item in items {
            if self.by_identity.contains_key(&Identity::of(item, key)?) {
                *self.trusted.entry(item.to_vec()).or_default() += 1;
            }
        }
        Ok(())
    }

    /// One that is `item`, which is then no candidate any more.
    fn take(&mut self, identity: &Identity, item: &[u8]) -> Option<&'a [u8]> {
        let trusted = &mut self.trusted;
        let found = self.by_identity.get_mut(identity)?;
        let at = found.iter().position(|there| {
            matches!(identity, Identity::Whole(_))
                || trusted.get(*there).is_some_and(|times| *times > 0)
                || equal(item, there)
                || grew(item, there)
        })?;
        let there = found.swap_remove(at);
        if let Some(times) = trusted.get_mut(there).filter(|times| **times > 0) {
            *times -= 1;
        }
        Some(there)
    }
}
