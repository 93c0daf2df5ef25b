//! Two lists: which items came, went, moved and changed.
//!
//! Items are paired where their bytes are equal, then where they are the same thing by a key, then
//! where they stand at the same place and are alike. Of the pairs by bytes and key, the longest run
//! that is in order stays; the others have moved.

use std::collections::HashMap;

use super::change::{Difference, DifferenceKind};
use super::compare::{added, difference, removed, values};
use super::path::Path;
use super::{describe, identity};
use crate::error::Result;

type Items<'a> = [&'a [u8]];

/// Where items of one key stand, in the old and in the new list.
type Places = (Vec<usize>, Vec<usize>);

/// Two items that are one thing, by their places in the old and in the new list.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Pair {
    old: usize,
    new: usize,
    stays: bool,
}

/// What differs between two lists at `path` whose items before `first` are the same.
pub(super) fn compare(
    path: &Path,
    first: usize,
    old: &Items<'_>,
    new: &Items<'_>,
    found: &mut Vec<Difference>,
) -> Result<()> {
    let same = |(a, b): &(&&[u8], &&[u8])| a == b;
    let head = old.iter().zip(new).take_while(same).count();
    let (old, new) = (
        old.get(head..).unwrap_or_default(),
        new.get(head..).unwrap_or_default(),
    );
    let tail = old
        .iter()
        .rev()
        .zip(new.iter().rev())
        .take_while(same)
        .count();
    let old = old.get(..old.len() - tail).unwrap_or_default();
    let new = new.get(..new.len() - tail).unwrap_or_default();
    let mut pairs = matched(old, new);
    pairs.sort_unstable_by_key(|pair| pair.new);
    report(path, first + head, old, new, &pairs, found)
}

/// The pairs of two lists. Which way round the lists are given makes no difference, so that a diff read
/// backwards is the diff of the way back.
fn matched(old: &Items<'_>, new: &Items<'_>) -> Vec<Pair> {
    if (old.len(), old) <= (new.len(), new) {
        return Matching::of(old, new);
    }
    let turned = Matching::of(new, old);
    let turn = |pair: Pair| Pair {
        old: pair.new,
        new: pair.old,
        stays: pair.stays,
    };
    turned.into_iter().map(turn).collect()
}

/// Pairs on their way.
struct Matching<'a, 'b> {
    old: &'b Items<'a>,
    new: &'b Items<'a>,
    pairs: Vec<Pair>,
    old_free: Vec<bool>,
    new_free: Vec<bool>,
}

impl<'a, 'b> Matching<'a, 'b> {
    fn of(old: &'b Items<'a>, new: &'b Items<'a>) -> Vec<Pair> {
        let mut matching = Self {
            old,
            new,
            pairs: Vec::new(),
            old_free: vec![true; old.len()],
            new_free: vec![true; new.len()],
        };
        // Items that are there as often as before say most surely where they went; others are
        // paired first with those beside them.
        matching.by(|item| Some((0, item)), true);
        matching.settle();
        matching.beside();
        matching.by(|item| Some((0, item)), false);
        matching.by(identity::of, false);
        matching.settle();
        matching.in_place();
        matching.pairs
    }

    /// Pairs the free items of one key, first with first; where `as_often`, only if there are as many
    /// of it on both sides.
    fn by(&mut self, key: impl Fn(&'a [u8]) -> Option<(usize, &'a [u8])>, as_often: bool) {
        let mut of_key: HashMap<(usize, &[u8]), Places> = HashMap::new();
        for at in free(&self.old_free) {
            if let Some(key) = self.old.get(at).and_then(|item| key(item)) {
                of_key.entry(key).or_default().0.push(at);
            }
        }
        if of_key.is_empty() {
            return;
        }
        for at in free(&self.new_free) {
            let key = self.new.get(at).and_then(|item| key(item));
            if let Some((_, news)) = key.and_then(|key| of_key.get_mut(&key)) {
                news.push(at);
            }
        }
        for (olds, news) in of_key.into_values() {
            if !as_often || olds.len() == news.len() {
                for (old, new) in olds.into_iter().zip(news) {
                    self.pair(old, new, false);
                }
            }
        }
    }

    fn pair(&mut self, old: usize, new: usize, stays: bool) {
        if let (Some(a), Some(b)) = (self.old_free.get_mut(old), self.new_free.get_mut(new)) {
            (*a, *b) = (false, false);
            self.pairs.push(Pair { old, new, stays });
        }
    }

    /// Of all pairs, lets the longest run that is in order stay.
    fn settle(&mut self) {
        self.pairs.sort_unstable_by_key(|pair| pair.old);
        for pair in &mut self.pairs {
            pair.stays = false;
        }
        let order: Vec<usize> = self.pairs.iter().map(|pair| pair.new).collect();
        for at in longest_rising(&order) {
            if let Some(pair) = self.pairs.get_mut(at) {
                pair.stays = true;
            }
        }
    }

    /// The stretches between items that stay, as they are in the old and in the new list.
    fn stretches(&self) -> Vec<(std::ops::Range<usize>, std::ops::Range<usize>)> {
        let mut stays: Vec<Pair> = self
            .pairs
            .iter()
            .filter(|pair| pair.stays)
            .copied()
            .collect();
        stays.sort_unstable();
        let (mut old, mut new) = (0, 0);
        let mut stretches = Vec::with_capacity(stays.len() + 1);
        for pair in stays {
            stretches.push((old..pair.old, new..pair.new));
            (old, new) = (pair.old + 1, pair.new + 1);
        }
        stretches.push((old..self.old.len(), new..self.new.len()));
        stretches
    }

    /// Pairs equal items that follow, or come before, one that stays.
    fn beside(&mut self) {
        for (mut olds, mut news) in self.stretches() {
            let same = |m: &Self, old: usize, new: usize| {
                free_at(&m.old_free, old)
                    && free_at(&m.new_free, new)
                    && m.old.get(old) == m.new.get(new)
            };
            while !olds.is_empty() && !news.is_empty() && same(self, olds.start, news.start) {
                self.pair(olds.start, news.start, true);
                (olds.start, news.start) = (olds.start + 1, news.start + 1);
            }
            while !olds.is_empty() && !news.is_empty() && same(self, olds.end - 1, news.end - 1) {
                (olds.end, news.end) = (olds.end - 1, news.end - 1);
                self.pair(olds.end, news.end, true);
            }
        }
    }

    /// Pairs what is left between items that stay, in order, where it is alike.
    fn in_place(&mut self) {
        for (olds, news) in self.stretches() {
            let olds: Vec<usize> = olds.filter(|at| free_at(&self.old_free, *at)).collect();
            let news: Vec<usize> = news.filter(|at| free_at(&self.new_free, *at)).collect();
            for (old, new) in olds.into_iter().zip(news) {
                let (Some(was), Some(is)) = (self.old.get(old), self.new.get(new)) else {
                    continue;
                };
                if identity::alike(was, is) {
                    self.pair(old, new, true);
                }
            }
        }
    }
}

fn free(places: &[bool]) -> impl Iterator<Item = usize> {
    places
        .iter()
        .enumerate()
        .filter(|(_, free)| **free)
        .map(|(at, _)| at)
}

fn free_at(places: &[bool], at: usize) -> bool {
    places.get(at).copied().unwrap_or(false)
}

/// Where the longest run of rising numbers stands in `order`.
pub(crate) fn longest_rising(order: &[usize]) -> Vec<usize> {
    // For each length of run, where the one ends that ends lowest; for each place, the one before it.
    let mut ends: Vec<(usize, usize)> = Vec::new();
    let mut before: Vec<Option<usize>> = Vec::with_capacity(order.len());
    for (at, value) in order.iter().enumerate() {
        let len = ends.partition_point(|(end, _)| end < value);
        before.push(
            len.checked_sub(1)
                .and_then(|last| ends.get(last))
                .map(|(_, at)| *at),
        );
        match ends.get_mut(len) {
            Some(end) => *end = (*value, at),
            None => ends.push((*value, at)),
        }
    }
    let mut run = Vec::with_capacity(ends.len());
    let mut next = ends.last().map(|(_, at)| *at);
    while let Some(at) = next {
        run.push(at);
        next = before.get(at).copied().flatten();
    }
    run.reverse();
    run
}

/// Writes the differences down in the order of the new list, each that went where it stood.
fn report(
    path: &Path,
    first: usize,
    old: &Items<'_>,
    new: &Items<'_>,
    pairs: &[Pair],
    found: &mut Vec<Difference>,
) -> Result<()> {
    let mut stays = vec![true; old.len()];
    let mut of_new: Vec<Option<Pair>> = vec![None; new.len()];
    for pair in pairs {
        if let (Some(stays), Some(place)) = (stays.get_mut(pair.old), of_new.get_mut(pair.new)) {
            *stays = false;
            *place = Some(*pair);
        }
    }
    let mut gone = free(&stays).peekable();
    let mut went = |before: usize, found: &mut Vec<Difference>| {
        while let Some(at) = gone.next_if(|at| *at < before) {
            let item = old.get(at).copied().unwrap_or_default();
            found.push(Difference {
                old_index: Some(first + at),
                label: Some(describe::label(item)),
                ..removed(path, item)
            });
        }
    };
    for (at, (item, pair)) in new.iter().zip(of_new).enumerate() {
        let Some(pair) = pair else {
            found.push(Difference {
                new_index: Some(first + at),
                label: Some(describe::label(item)),
                ..added(path, item)
            });
            continue;
        };
        if pair.stays {
            went(pair.old, found);
        }
        let was = old.get(pair.old).copied().unwrap_or_default();
        found.extend(paired(path, first, was, item, pair)?);
    }
    went(old.len(), found);
    Ok(())
}

/// What became of an item that is in both lists.
fn paired(
    path: &Path,
    first: usize,
    was: &[u8],
    is: &[u8],
    pair: Pair,
) -> Result<Option<Difference>> {
    let mut inside = Vec::new();
    values(&path.item(), was, is, &mut inside)?;
    if inside.is_empty() && pair.stays {
        return Ok(None);
    }
    let mut difference = Difference {
        old_index: Some(first + pair.old),
        new_index: Some(first + pair.new),
        label: Some(describe::label(is)),
        ..difference(DifferenceKind::Changed, path)
    };
    if inside.is_empty() {
        difference.kind = DifferenceKind::Moved;
        return Ok(Some(difference));
    }
    difference.moved = !pair.stays;
    match inside.as_mut_slice() {
        // The item itself has another value.
        [whole]
            if whole.path.is_empty()
                && whole.new_index.is_none()
                && whole.kind == DifferenceKind::Changed =>
        {
            difference.before = whole.before.take();
            difference.after = whole.after.take();
        }
        _ => difference.inside = inside,
    }
    Ok(Some(difference))
}
